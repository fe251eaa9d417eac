//! Offsets and sizes beyond 4 GiB, on both drivers: a download from 5 GiB on and a slice, an upload that broke and is
//! resumed there, and what stands there gone on with. `tests/run --full` runs it and shows its figures; on disk it takes
//! some 4 GiB for a moment.

#![expect(clippy::cast_precision_loss, reason = "figures for people, far below 2^52")]

use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, ServerProcess};
use rustix::net::sockopt;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn main() -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for driver in [Driver::Std, Driver::Smol] {
        for (what, check) in CHECKS {
            let figure = catch_unwind(AssertUnwindSafe(|| timed(driver, check)));
            if figure.is_ok() {
                passed += 1;
            } else {
                failed += 1;
            }
            let figure = figure.unwrap_or_else(|_| "FAILED".to_owned());
            show(&format!("{}: {what}: {figure}", driver.name()));
        }
    }
    show(&format!("test result: {}. {passed} passed; {failed} failed", if failed == 0 { "ok" } else { "FAILED" }));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Carries out one check on a server of its own, and tells how much moved how fast.
fn timed(driver: Driver, check: Check) -> String {
    let root = tempfile::tempdir().expect("there is room");
    let flags = ["--durability", "none", "--anonymous-rights", "list,read,write,overwrite"];
    let server = ServerProcess::start(driver, root.path(), &flags);
    let mut ftp = Ftp::log_in(server.address());
    let began = Instant::now();
    let moved_bytes = check(&mut ftp, root.path());
    let took_s = began.elapsed().as_secs_f64();
    let moved_mib = moved_bytes / MIB;
    format!("{moved_mib} MiB over the wire in {took_s:.1} s, {:.0} MiB/s", moved_bytes as f64 / MIB as f64 / took_s)
}

/// What is checked, and how many bytes it moved.
type Check = fn(&mut Ftp, &Path) -> u64;

const CHECKS: [(&str, Check); 4] = [
    ("RETR of a 6 GiB hole from 5 GiB on", download),
    ("RANG over the border of 4 GiB", slice),
    ("STOR at 5 GiB and APPE of a published hole", go_on),
    ("STOR that broke beyond 4 GiB, resumed by REST and by APPE", resume),
];

/// A file of 6 GiB that is a hole, but for its offset at each GiB.
fn hole(path: &Path) -> File {
    let file = File::options().read(true).write(true).create(true).truncate(true).open(path).expect("there is room");
    file.set_len(6 * GIB).expect("a hole takes no room");
    for at in (0..6).map(|gib| gib * GIB) {
        file.write_all_at(&at.to_be_bytes(), at).expect("there is room");
    }
    file
}

fn download(ftp: &mut Ftp, root: &Path) -> u64 {
    hole(&root.join("hole"));
    assert_eq!(ftp.ask("SIZE hole").lines, [format!("213 {}", 6 * GIB)]);
    assert_eq!(ftp.ask(&format!("REST {}", 5 * GIB)).code, 350);
    let mut data = ftp.data();
    assert_eq!(ftp.ask("RETR hole").code, 150);
    let mut first = [0; 8];
    data.read_exact(&mut first).expect("the server sends all");
    assert_eq!(u64::from_be_bytes(first), 5 * GIB);
    let rest = swallow_zeros(data);
    assert_eq!(ftp.reply().code, 226);
    assert_eq!(rest + 8, GIB);
    GIB
}

fn slice(ftp: &mut Ftp, root: &Path) -> u64 {
    let file = hole(&root.join("hole"));
    file.write_all_at(b"beforeAFTER", 4 * GIB - 6).expect("there is room");
    assert_eq!(ftp.ask(&format!("RANG {} {}", 4 * GIB - 6, 4 * GIB + 4)).code, 350);
    assert_eq!(ftp.retrieve("hole"), b"beforeAFTER");
    11
}

/// What stood there stays as it was, a hole too.
fn go_on(ftp: &mut Ftp, root: &Path) -> u64 {
    let path = root.join("hole");
    hole(&path);
    assert_eq!(ftp.ask(&format!("REST {}", 5 * GIB)).code, 350);
    assert_eq!(ftp.store("STOR hole", b"stored").code, 226);
    assert_eq!(ftp.store("APPE hole", b" and appended").code, 226);
    assert_eq!(ftp.ask("SIZE hole").lines, [format!("213 {}", 5 * GIB + 19)]);
    let file = File::open(&path).expect("it stands there");
    assert_eq!(read_at(&file, 4 * GIB, 8), (4 * GIB).to_be_bytes());
    assert_eq!(read_at(&file, 5 * GIB, 19), b"stored and appended");
    let on_disk_bytes = file.metadata().expect("it is open").blocks() * 512;
    assert!(on_disk_bytes < 64 * MIB, "{on_disk_bytes} bytes on disk");
    19
}

/// Each MiB begins with its number, so that none can stand in another's place.
fn resume(ftp: &mut Ftp, root: &Path) -> u64 {
    const BROKEN_MIB: u64 = 4 * 1024 + 64;
    const ALL_MIB: u64 = BROKEN_MIB + 64;
    send(ftp, "STOR large", 0..BROKEN_MIB, true);
    assert_eq!(ftp.reply().code, 426);
    assert!(!root.join("large").exists());
    let kept = size(ftp, "large");
    assert!(kept > 4 * GIB && kept <= BROKEN_MIB * MIB, "{kept} bytes were kept");
    // To the last whole MiB, and broken again; then from wherever that came to, without an offset.
    let from_mib = kept / MIB;
    assert_eq!(ftp.ask(&format!("REST {}", from_mib * MIB)).code, 350);
    send(ftp, "STOR large", from_mib..from_mib + 32, true);
    assert_eq!(ftp.reply().code, 426);
    let kept = size(ftp, "large");
    assert!(kept > from_mib * MIB, "{kept} bytes were kept");
    assert_eq!(ftp.ask(&format!("REST {}", kept / MIB * MIB)).code, 350);
    send(ftp, "STOR large", kept / MIB..ALL_MIB - 1, false);
    assert_eq!(ftp.reply().code, 226);
    send(ftp, "APPE large", ALL_MIB - 1..ALL_MIB, false);
    assert_eq!(ftp.reply().code, 226);
    assert_eq!(ftp.ask("SIZE large").lines, [format!("213 {}", ALL_MIB * MIB)]);
    let file = File::open(root.join("large")).expect("it was published");
    for number in 0..ALL_MIB {
        assert_eq!(read_at(&file, number * MIB, 8), number.to_be_bytes(), "MiB {number}");
    }
    std::fs::remove_file(root.join("large")).expect("it stands there");
    ALL_MIB * MIB
}

fn send(ftp: &mut Ftp, command: &str, mibs: std::ops::Range<u64>, breaks: bool) {
    let mut data = ftp.data();
    assert_eq!(ftp.ask(command).code, 150, "{command}");
    let mut piece = vec![b'.'; usize::try_from(MIB).expect("it fits")];
    for number in mibs {
        piece[..8].copy_from_slice(&number.to_be_bytes());
        data.write_all(&piece).expect("the server takes all");
    }
    if breaks {
        sockopt::set_socket_linger(&data, Some(Duration::ZERO)).expect("it is a socket");
    }
}

fn size(ftp: &mut Ftp, name: &str) -> u64 {
    let reply = ftp.ask(&format!("SIZE {name}"));
    assert_eq!(reply.code, 213, "{reply:?}");
    reply.last().parse().expect("a size is a number")
}

fn read_at(file: &File, at: u64, bytes: usize) -> Vec<u8> {
    let mut buffer = vec![0; bytes];
    file.read_exact_at(&mut buffer, at).expect("the file is long enough");
    buffer
}

fn swallow_zeros(mut data: TcpStream) -> u64 {
    let mut buffer = vec![0; 256 * 1024];
    let mut all = 0;
    while let bytes @ 1.. = data.read(&mut buffer).expect("the server sends all") {
        assert!(buffer[..bytes].iter().all(|byte| *byte == 0));
        all += bytes as u64;
    }
    all
}

#[expect(clippy::print_stdout, reason = "figures")]
fn show(line: &str) {
    println!("{line}");
}
