//! TYPE A against what Python makes of the same bytes: random buffers with every line end at every chunk border, through
//! the core's translators, and real transfers on both drivers.

use mayfly_core::ascii::{FromWire, ToWire};
use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, ServerProcess};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Random buffers in each direction.
const BUFFERS: usize = 10_000;
/// What stands before a border, and what behind.
const ENDS: [&[u8]; 6] = [b"", b"\r", b"\n", b"\r\n", b"\r\r", b"\n\n"];
/// What the drivers read from a file at a time.
const CHUNK: usize = mayfly_std::net::CHUNK_BYTES;

#[test]
fn ten_thousand_random_buffers_are_translated_as_python_does_in_each_direction() {
    // Goal: wherever the chunks end, on either side of a CR, an LF or a CRLF, the bytes are the same.
    let mut random = Random(0x6d61_7966);
    let mut borders = BTreeSet::new();
    let buffers: Vec<Vec<Vec<u8>>> = (0..BUFFERS).map(|_| random.chunks(&mut borders)).collect();
    assert_eq!(borders.len(), ENDS.len() * ENDS.len(), "every border was met");
    let whole: Vec<Vec<u8>> = buffers.iter().map(|chunks| chunks.concat()).collect();
    let (sent, received) = (reference("out", &whole), reference("in", &whole));
    let mut compared = 0;
    for ((chunks, sent), received) in buffers.iter().zip(&sent).zip(&received) {
        assert_eq!(to_wire(chunks), *sent, "{chunks:?}");
        assert_eq!(from_wire(chunks), *received, "{chunks:?}");
        // However else they are cut, too.
        let all = chunks.concat();
        let length = random.below(7) + 1;
        let cut: Vec<Vec<u8>> = all.chunks(length).map(<[u8]>::to_vec).collect();
        assert_eq!((to_wire(&cut), from_wire(&cut)), (sent.clone(), received.clone()), "{length}: {all:?}");
        compared += 1;
    }
    assert_eq!(compared, BUFFERS);
}

#[test]
fn both_servers_send_and_store_what_python_does() {
    // Goal: also where the chunks are those of a disk and of a network.
    let mut files: Vec<Vec<u8>> = vec![Vec::new()];
    for before in ENDS {
        for after in ENDS {
            let fill = vec![b'x'; CHUNK - before.len()];
            files.push([&fill[..], before, after, b"tail\nof\r\nit"].concat());
        }
    }
    let (sent, received) = (reference("out", &files), reference("in", &files));
    for driver in [Driver::Std, Driver::Smol] {
        let root = tempfile::tempdir().expect("there is room");
        let server = ServerProcess::start(driver, root.path(), &["--durability", "none"]);
        let mut ftp = Ftp::log_in(server.address());
        assert_eq!(ftp.ask("TYPE A").code, 200);
        for (number, file) in files.iter().enumerate() {
            let name = format!("out-{number}");
            std::fs::write(root.path().join(&name), file).expect("there is room");
            assert!(ftp.retrieve(&name) == sent[number], "{driver:?}: RETR of file {number}");
            store(&mut ftp, &format!("in-{number}"), file);
            let stored = std::fs::read(root.path().join(format!("in-{number}"))).expect("it was stored");
            assert!(stored == received[number], "{driver:?}: STOR of file {number}");
        }
    }
}

/// Uploads with a pause in the middle of its last line ends, so that the server reads them apart.
fn store(ftp: &mut Ftp, name: &str, bytes: &[u8]) {
    let mut data = ftp.data();
    data.set_nodelay(true).expect("it is a TCP socket");
    assert_eq!(ftp.ask(&format!("STOR {name}")).code, 150);
    let (head, tail) = bytes.split_at(bytes.len().min(CHUNK));
    data.write_all(head).expect("the server takes all");
    let (border, rest) = tail.split_at(tail.len().min(3));
    for byte in border {
        data.write_all(&[*byte]).expect("the server takes all");
        // Answered at once during a transfer: by then the server has been at its sockets.
        assert_eq!(ftp.ask("NOOP").code, 200);
    }
    data.write_all(rest).expect("the server takes all");
    drop(data);
    assert_eq!(ftp.reply().code, 226);
}

fn to_wire(chunks: &[Vec<u8>]) -> Vec<u8> {
    let (mut translator, mut out) = (ToWire::default(), Vec::new());
    for chunk in chunks {
        translator.translate(chunk, &mut out);
    }
    out
}

fn from_wire(chunks: &[Vec<u8>]) -> Vec<u8> {
    let (mut translator, mut out) = (FromWire::default(), Vec::new());
    for chunk in chunks {
        translator.translate(chunk, &mut out);
    }
    translator.finish(&mut out);
    out
}

/// What Python makes of each buffer, in one run.
fn reference(way: &str, buffers: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/ascii_reference.py");
    let mut python = Command::new("python3");
    let mut python =
        python.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("tests/run installs it");
    let mut stdin = python.stdin.take().expect("it is piped");
    let asked: String = buffers.iter().fold(String::new(), |text, buffer| text + way + " " + &hex(buffer) + "\n");
    let writer = thread::spawn(move || stdin.write_all(asked.as_bytes()).expect("python reads all"));
    let mut answered = String::new();
    python.stdout.take().expect("it is piped").read_to_string(&mut answered).expect("it answers in hex");
    writer.join().expect("it does not panic");
    assert!(python.wait().expect("it is our child").success());
    let answers: Vec<Vec<u8>> = answered.lines().map(unhex).collect();
    assert_eq!(answers.len(), buffers.len());
    answers
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a text does not fail");
        text
    })
}

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("it is hex");
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Splitmix64: the same buffers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("it is below a usize")
    }

    /// Some chunks, each of which begins and ends in one of the ways that there are.
    fn chunks(&mut self, borders: &mut BTreeSet<(usize, usize)>) -> Vec<Vec<u8>> {
        let mut before = self.below(ENDS.len());
        let mut chunks = Vec::new();
        for _ in 0..=self.below(8) {
            let after = self.below(ENDS.len());
            borders.insert((before, after));
            let mut chunk = ENDS[after].to_vec();
            for _ in 0..self.below(20) {
                chunk.push(match self.below(5) {
                    0 => b'\r',
                    1 => b'\n',
                    _ => u8::try_from(self.below(256)).expect("it is below 256"),
                });
            }
            before = self.below(ENDS.len());
            chunk.extend(ENDS[before]);
            chunks.push(chunk);
        }
        chunks
    }
}
