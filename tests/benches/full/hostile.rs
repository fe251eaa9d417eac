//! A thousand hostile clients at once, and a hundred thousand random command lines: what an honest client feels of them,
//! and what they leave behind. And the rate that a paced transfer comes to by the real clock.

use crate::{Row, millis, server_is_quiet};
use mayfly_core::wire::command::table::COMMANDS;
use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, PATIENCE, ServerProcess, wait_until};
use mayfly_tests::vitals::{Memory, descriptors, memory_kib};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 1000;
const WAVE: Duration = Duration::from_secs(15);
const NOOP_P99_MS_MAX: f64 = 50.0;
const LINES: usize = 100_000;
const LINE_SESSIONS: usize = 8;
/// What the allocator may keep after the first wave.
const KEPT_KIB_MAX: u64 = 64 * 1024;
/// What it may keep more after a second one just like it: what grows with each wave is a leak.
const KEPT_MORE_KIB_MAX: u64 = 8 * 1024;
const OPEN: [&str; 6] = ["--max-sessions", "0", "--max-sessions-per-address", "0", "--connections-per-minute", "0"];

/// A download of 2 MiB at 1 MiB a second.
pub(crate) fn rate(driver: Driver) -> Vec<Row> {
    let root = tempfile::tempdir().unwrap();
    File::create(root.path().join("f")).unwrap().set_len(2 << 20).unwrap();
    let server = ServerProcess::start(driver, root.path(), &["--anonymous-download-rate", "1MiB"]);
    let mut ftp = Ftp::log_in(server.address());
    let began = Instant::now();
    assert_eq!(ftp.retrieve("f").len(), 2 << 20);
    let took = began.elapsed();
    // A quarter of a second's worth goes at once; no machine is so slow that the rest takes much longer.
    assert!(took >= Duration::from_millis(1745), "{took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    vec![("2 MiB at 1 MiB a second".to_owned(), format!("{:.2} s", took.as_secs_f64()))]
}

/// What a server holds.
#[derive(Clone, Copy)]
struct Held {
    memory: Memory,
    descriptors: u64,
}

impl Held {
    fn by(server: &ServerProcess) -> Self {
        server_is_quiet(server);
        Self { memory: memory_kib(server.id()), descriptors: descriptors(server.id()) }
    }

    fn row(self, when: &str) -> Row {
        let Memory { resident, private } = self.memory;
        (
            format!("held {when}"),
            format!("{private} KiB private, {resident} KiB resident, {} descriptors", self.descriptors),
        )
    }
}

/// The same clients twice: what the first wave leaves is the allocator's, what the second adds to it would be a leak.
pub(crate) fn clients(driver: Driver) -> Vec<Row> {
    let root = tempfile::tempdir().unwrap();
    File::create(root.path().join("endless")).unwrap().set_len(1 << 40).unwrap();
    let times = ["--data-connect-timeout", "5s", "--idle-timeout", "10s"];
    let server = ServerProcess::start(driver, root.path(), &[&OPEN[..], &times[..]].concat());
    drop(Ftp::log_in(server.address()));
    let before = Held::by(&server);
    let mut rows = vec![before.row("before")];
    let mut after = Vec::new();
    for wave in ["first", "second"] {
        let (delays, at_work) = attack(&server);
        let at = |permille: usize| millis(delays[(delays.len() - 1) * permille / 1000]);
        rows.push((
            format!("an honest NOOP beside {CLIENTS} hostile clients, {wave} wave"),
            format!("99 of 100 {:.1} ms, worst {:.1} ms, {} asked", at(990), at(1000), delays.len()),
        ));
        rows.push(at_work.row(&format!("during the {wave} wave")));
        assert!(at(990) < NOOP_P99_MS_MAX, "{rows:?}");
        wait_until("the descriptors to be closed", || descriptors(server.id()) <= before.descriptors);
        let held = Held::by(&server);
        rows.push(held.row(&format!("after the {wave} wave")));
        after.push(held.memory.private);
    }
    assert!(after[0].saturating_sub(before.memory.private) <= KEPT_KIB_MAX, "{rows:?}");
    assert!(after[1].saturating_sub(after[0]) <= KEPT_MORE_KIB_MAX, "{rows:?}");
    rows
}

/// The delays of an honest client's NOOPs, in order, and what the server holds meanwhile.
fn attack(server: &ServerProcess) -> (Vec<Duration>, Held) {
    let mut honest = Ftp::log_in(server.address());
    let running = AtomicBool::new(true);
    let mut delays = Vec::new();
    let mut held = None;
    thread::scope(|scope| {
        let hostile = scope.spawn(|| be_hostile(server.address(), &running));
        wait_until("all to be there", || descriptors(server.id()) >= CLIENTS as u64 * 3 / 4);
        let began = Instant::now();
        while began.elapsed() < WAVE {
            let asked = Instant::now();
            assert_eq!(honest.ask("NOOP").code, 200);
            delays.push(asked.elapsed());
            thread::sleep(Duration::from_millis(2));
        }
        held = Some(Held { memory: memory_kib(server.id()), descriptors: descriptors(server.id()) });
        running.store(false, Ordering::SeqCst);
        hostile.join().unwrap();
    });
    delays.sort_unstable();
    (delays, held.unwrap())
}

/// Each kind in turn.
fn be_hostile(address: SocketAddr, running: &AtomicBool) {
    let mut random = 0x5eed_u64;
    let mut clients: Vec<Hostile> =
        (0..CLIENTS).map(|number| Hostile::new(Kind::ALL[number % Kind::ALL.len()], address)).collect();
    for tick in 0.. {
        if !running.load(Ordering::SeqCst) {
            return;
        }
        for (number, client) in clients.iter_mut().enumerate() {
            // Not all at once: the harness and the server share the cores.
            if number % TICKS == tick % TICKS {
                client.act(address, next(&mut random));
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Each client acts once in so many turns of 20 ms.
const TICKS: usize = 25;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A byte now and then, and never a login.
    Slow,
    /// A download that it does not read.
    Stalled,
    /// Commands without end, whose replies it does not read.
    Flood,
    /// A data connection that it never makes.
    HalfOpen,
    RandomBytes,
    /// A TLS handshake where there is none.
    TlsGarbage,
    ConnectAndClose,
    /// An upload that says nothing.
    SilentUpload,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Slow,
        Self::Stalled,
        Self::Flood,
        Self::HalfOpen,
        Self::RandomBytes,
        Self::TlsGarbage,
        Self::ConnectAndClose,
        Self::SilentUpload,
    ];
}

struct Hostile {
    kind: Kind,
    control: TcpStream,
    _data: Option<TcpStream>,
}

impl Hostile {
    fn new(kind: Kind, address: SocketAddr) -> Self {
        let (control, data) = match kind {
            Kind::Stalled | Kind::SilentUpload => {
                let mut ftp = Ftp::log_in(address);
                let data = ftp.data();
                ftp.say(if kind == Kind::Stalled { "RETR endless" } else { "STOR silent" });
                (ftp.stream().try_clone().unwrap(), Some(data))
            }
            _ => (TcpStream::connect(address).unwrap(), None),
        };
        control.set_nonblocking(true).unwrap();
        Self { kind, control, _data: data }
    }

    fn act(&mut self, address: SocketAddr, random: u64) {
        let bytes = match self.kind {
            Kind::Slow => b"N".to_vec(),
            Kind::Stalled | Kind::SilentUpload => return,
            Kind::Flood => b"USER anonymous\r\nPASS x\r\nHELP\r\nFEAT\r\nSTAT\r\nLIST\r\n".repeat(100),
            Kind::HalfOpen => b"USER anonymous\r\nPASS x\r\nEPSV\r\nSTOR half\r\n".to_vec(),
            Kind::RandomBytes => random.to_le_bytes().repeat(64),
            Kind::TlsGarbage => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20),
            Kind::ConnectAndClose => {
                *self = Self::new(self.kind, address);
                return;
            }
        };
        // Nobody hostile minds that it is not taken; whoever was sent away comes again.
        if let Err(error) = self.control.write(&bytes)
            && error.kind() != std::io::ErrorKind::WouldBlock
        {
            *self = Self::new(self.kind, address);
        }
    }
}

/// Lines of every command with arguments of every kind, over sessions that come again when they were sent away.
pub(crate) fn random_lines(driver: Driver) -> Vec<Row> {
    let root = tempfile::tempdir().unwrap();
    let rules = [
        "--login-delay",
        "0s",
        "--login-attempts",
        "100",
        "--ban-after",
        "0",
        "--data-connect-timeout",
        "1s",
        "--anonymous-rights",
        "all",
    ];
    let server = ServerProcess::start(driver, root.path(), &[&OPEN[..], &rules[..]].concat());
    drop(Ftp::log_in(server.address()));
    let before = Held::by(&server);
    let began = Instant::now();
    let (connections, replies) = thread::scope(|scope| {
        let address = server.address();
        let talks = (0..LINE_SESSIONS).map(|number| scope.spawn(move || talk(address, number as u64 + 1)));
        let talks: Vec<_> = talks.collect();
        talks.into_iter().map(|talk| talk.join().unwrap()).fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    });
    let took = began.elapsed();
    assert!(replies >= LINES, "{replies} lines of replies to {LINES} lines");
    assert_eq!(Ftp::log_in(server.address()).ask("NOOP").code, 200);
    wait_until("the descriptors to be closed", || descriptors(server.id()) <= before.descriptors);
    let after = Held::by(&server);
    assert!(after.memory.private.saturating_sub(before.memory.private) <= KEPT_KIB_MAX, "it kept too much");
    vec![
        before.row("before random lines"),
        after.row("after them"),
        (
            format!("{LINES} random lines"),
            format!("{:.1} s over {connections} connections, {replies} lines of replies", took.as_secs_f64()),
        ),
    ]
}

/// One client's share of the lines; how many connections it needed, and how many lines it heard.
fn talk(address: SocketAddr, seed: u64) -> (usize, usize) {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (mut left, mut connections, mut heard) = (LINES / LINE_SESSIONS, 0, 0);
    while left > 0 {
        connections += 1;
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut reader = stream.try_clone().unwrap();
        let replies = thread::spawn(move || {
            let (mut piece, mut lines) = ([0; 4096], 0);
            loop {
                match reader.read(&mut piece) {
                    Ok(0) => return lines,
                    Ok(bytes) => lines += piece[..bytes].split(|byte| *byte == b'\n').count() - 1,
                    Err(error) => {
                        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "a session hangs");
                        return lines;
                    }
                }
            }
        });
        if stream.write_all(b"USER anonymous\r\nPASS x\r\n").is_ok() {
            while left > 0 && stream.write_all(&line(&mut random)).is_ok() {
                left -= 1;
            }
        }
        // Where it stands still, it ends in order.
        let _ = stream.write_all(b"\r\nQUIT\r\n");
        heard += replies.join().unwrap();
    }
    (connections, heard)
}

fn line(random: &mut u64) -> Vec<u8> {
    let mut pick = |count: usize| usize::try_from(next(random) % count as u64).unwrap();
    let command = COMMANDS[pick(COMMANDS.len())].name;
    // Whoever says where data comes from waits for it, and QUIT has its own place.
    let waits = ["PASV", "EPSV", "SPSV", "PORT", "EPRT", "LPRT", "LPSV"].contains(&command) && pick(100) != 0;
    let command = if waits || command == "QUIT" { "NOOP" } else { command };
    let mut line = command.as_bytes().to_vec();
    for _ in 0..pick(4) {
        line.extend(b" ");
        match pick(8) {
            0 => line.extend(b"../../etc/passwd"),
            1 => line.extend(format!("/d{}/f{}", pick(5), pick(5)).bytes()),
            2 => line.extend(format!("d{}", pick(5)).bytes()),
            3 => line.extend(pick(usize::MAX).to_string().bytes()),
            4 => line.extend(pick(usize::MAX).to_le_bytes()),
            5 => line.extend(vec![b'x'; pick(10_000)]),
            6 => line.extend(b"*{a,b}[c-d]?/**"),
            _ => line.extend(b"20301231235959"),
        }
    }
    line.extend(b"\r\n");
    line
}

/// `SplitMix64`: the same lines for the same seed.
fn next(random: &mut u64) -> u64 {
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *random;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
