//! Two servers, one of each driver, on one root: 500 paths expire in one second under load; each goes once, and none is
//! read after its time.

#![expect(clippy::unwrap_used, reason = "a test")]

use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, ServerProcess, wait_until};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const PATHS: usize = 500;
/// Sessions that read, on each server.
const READERS: usize = 4;
/// Sessions that store into a path that lives, on each server.
const WRITERS: usize = 2;

#[test]
fn of_two_servers_on_one_root_one_takes_each_path_and_neither_reads_it_after_its_time() {
    let root = tempfile::tempdir().unwrap();
    let flags = ["--durability", "none", "--max-sessions-per-address", "0", "--connections-per-minute", "0"];
    let first = ServerProcess::start(Driver::Std, root.path(), &flags);
    let at_s = make_paths(first.address());
    // It finds them by its first scan; the other has them from those who dated them.
    let second = ServerProcess::start(Driver::Smol, root.path(), &flags);
    assert!(utc_ms() < at_s * 1000 - 1000, "the paths were not made in time for this test");

    let load = Load { at_ms: at_s * 1000, is_over: AtomicBool::new(false), reads: [0, 0].map(AtomicU64::new) };
    std::thread::scope(|scope| {
        for server in [&first, &second] {
            for number in 0..READERS {
                let (load, address) = (&load, server.address());
                scope.spawn(move || load.read(address, number));
            }
            for number in 0..WRITERS {
                let (load, name) = (&load, format!("/alive/{}-{number}", server.id()));
                scope.spawn(move || load.write(server.address(), &name));
            }
        }
        wait_until("every path to go", || !has_paths(root.path()));
        load.is_over.store(true, Ordering::SeqCst);
    });

    // Each line is written right behind the deed. Whoever takes one that is taken says so before the trash is empty.
    let trash = root.path().join(".mayfly-trash");
    wait_until("the trash to be empty", || std::fs::read_dir(&trash).unwrap().count() == 0);
    wait_until("each path to be told", || expired(&first).len() + expired(&second).len() >= PATHS);
    let [before, after] = load.reads.map(AtomicU64::into_inner);
    assert!(before > 100 && after > 100, "{before} reads before and {after} after the date are no load");
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    for server in [&first, &second] {
        for path in expired(server) {
            *taken.entry(path).or_default() += 1;
        }
    }
    assert!(taken.values().all(|times| *times == 1), "taken twice: {taken:?}");
    assert_eq!(taken.len(), PATHS);

    // A late visitor hears the same from both, and what lives was left alone.
    for server in [&first, &second] {
        let mut ftp = Ftp::log_in(server.address());
        assert_eq!(ftp.ask("CWD /p0").last(), "Storage path expired.");
        assert_eq!(ftp.ask("CWD /alive").code, 250);
    }
}

/// Makes them, each with a file in it, and one that lives; they expire at the second that this tells.
fn make_paths(server: SocketAddr) -> u64 {
    let mut ftp = Ftp::log_in(server);
    assert_eq!(ftp.ask("MKD alive").code, 257);
    for number in 0..PATHS {
        assert_eq!(ftp.ask(&format!("MKD p{number}")).code, 257);
        assert_eq!(ftp.store(&format!("STOR p{number}/f"), b"content").code, 226);
    }
    // Made one after the other they expire together.
    let begun_ms = utc_ms();
    let tried = "SETEXPIRY p0 7d";
    assert_eq!(ftp.ask(tried).code, 0);
    let each_ms = (utc_ms() - begun_ms).clamp(1, 100);
    let at_s = (utc_ms() + each_ms * 3 * PATHS as u64) / 1000 + 4;
    let date = rfc3339(at_s);
    for number in 0..PATHS {
        assert_eq!(ftp.ask(&format!("SETEXPIRY p{number} {date}")).code, 0);
    }
    at_s
}

struct Load {
    at_ms: u64,
    is_over: AtomicBool,
    /// Before the date, and after it.
    reads: [AtomicU64; 2],
}

impl Load {
    /// Asks for the paths in turn, in each of the ways that tell something of them.
    fn read(&self, server: SocketAddr, number: usize) {
        let mut ftp = Ftp::log_in(server);
        let mut turn = number * 131;
        while !self.is_over.load(Ordering::SeqCst) {
            turn += 1;
            let path = turn * 7 % PATHS;
            let asked_ms = utc_ms();
            let done = match turn % 4 {
                0 => ftp.try_fetch(&format!("RETR /p{path}/f")).unwrap().is_ok(),
                1 => ftp.ask(&format!("SIZE /p{path}/f")).code == 213,
                2 => ftp.ask(&format!("MLST /p{path}")).code == 250,
                _ => ftp.ask(&format!("CWD /p{path}")).code == 250,
            };
            let is_after = asked_ms >= self.at_ms;
            assert!(!(is_after && done), "/p{path} was read {} ms after its date", asked_ms - self.at_ms);
            assert!(done || utc_ms() >= self.at_ms, "/p{path} was not there before its date");
            self.reads[usize::from(is_after)].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write(&self, server: SocketAddr, name: &str) {
        let mut ftp = Ftp::log_in(server);
        for turn in 0.. {
            if self.is_over.load(Ordering::SeqCst) {
                break;
            }
            assert_eq!(ftp.store(&format!("STOR {name}-{turn}"), b"more").code, 226);
        }
    }
}

fn has_paths(root: &Path) -> bool {
    std::fs::read_dir(root).unwrap().any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with('p'))
}

/// The paths that a server says it has taken away.
fn expired(server: &ServerProcess) -> Vec<String> {
    let lines = server.wait_for_logs(0, |line| line.contains("\"path expired\""));
    lines.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["path"].to_string()).collect()
}

fn utc_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn rfc3339(utc_s: u64) -> String {
    mayfly_core::date::rfc3339(i64::try_from(utc_s).unwrap())
}
