//! Listings of a directory with a million names: time and memory, beside vsftpd's in the same run.

use super::{Row, swallow_lines};
use mayfly_tests::ftp::Ftp;
use mayfly_tests::peers::{Peer, PeerProcess};
use mayfly_tests::process::{Driver, ServerProcess};
use rustix::fs::{FileType, Mode, OFlags};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// What this figure is called.
pub(super) const NAME: &str = "a million names";
const NAMES: usize = 1_000_000;
/// What a server's memory may grow by at most for any of them, KiB.
const GROWTH_KIB_MAX: u64 = 16 * 1024;
/// Each is run so often, and the fastest counts: the machine has other things to do.
const ROUNDS: usize = 2;

/// LIST, NLST and MLSD of them, from both drivers and from vsftpd, which has no MLSD.
pub(super) fn a_million_names() -> Vec<Row> {
    let peer = PeerProcess::start(Peer::Vsftpd);
    let root = peer.root();
    fill(&root.join("many"));
    let servers = [Driver::Std, Driver::Smol].map(|driver| (driver, ServerProcess::start(driver, &root, &[])));
    let mut rows = Vec::new();
    for (verb, own_lines) in [("LIST", 0), ("NLST", 0), ("MLSD", 2)] {
        let mut peer_s = None;
        if verb != "MLSD" {
            let (took, growth_kib) = best(peer.address(), peer.id(), verb, NAMES);
            peer_s = Some(took.as_secs_f64());
            rows.push((format!("vsftpd: {verb} of {NAMES} names"), shown(took, growth_kib, None)));
        }
        for (driver, server) in &servers {
            let (took, growth_kib) = best(server.address(), server.id(), verb, NAMES + own_lines);
            assert!(growth_kib < GROWTH_KIB_MAX, "{}: {verb}: {growth_kib} KiB more", driver.name());
            rows.push((format!("{}: {verb} of {NAMES} names", driver.name()), shown(took, growth_kib, peer_s)));
        }
    }
    rows
}

fn shown(took: Duration, growth_kib: u64, peer_s: Option<f64>) -> String {
    let took_s = took.as_secs_f64();
    let ratio = peer_s.map_or_else(String::new, |peer_s| format!(", {:.2} of vsftpd's time", took_s / peer_s));
    format!("{took_s:.2} s{ratio}, memory grew by {:.1} MiB", growth_kib as f64 / 1024.0)
}

/// The fastest of the rounds, and by how much memory grew in the worst.
fn best(address: SocketAddr, id: u32, verb: &str, lines: usize) -> (Duration, u64) {
    let rounds = (0..ROUNDS).map(|_| list(address, id, verb, lines));
    rounds.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))).expect("there is a round")
}

fn list(address: SocketAddr, id: u32, verb: &str, lines: usize) -> (Duration, u64) {
    let mut ftp = Ftp::connect(address);
    assert_eq!(ftp.reply().code, 220);
    // vsftpd asks an anonymous client for no password.
    if ftp.ask("USER anonymous").code == 331 {
        assert_eq!(ftp.ask("PASS test").code, 230);
    }
    // What the first listing brings into being once is not counted.
    let data = ftp.data();
    assert_eq!(ftp.ask("NLST /none*").code, 150);
    assert_eq!(swallow_lines(data), 0);
    assert_eq!(ftp.reply().code, 226);
    let processes = family(id);
    for process in &processes {
        // From here on the kernel's high-water mark is this moment's.
        fs::write(format!("/proc/{process}/clear_refs"), "5").expect("the server is ours");
    }
    let before: u64 = processes.iter().map(|process| peak_kib(*process)).sum();
    let data = ftp.data();
    let began = Instant::now();
    assert_eq!(ftp.ask(&format!("{verb} many")).code, 150);
    assert_eq!(swallow_lines(data), lines, "{verb}");
    assert_eq!(ftp.reply().code, 226);
    let took = began.elapsed();
    let after: u64 = processes.iter().map(|process| peak_kib(*process)).sum();
    (took, after.saturating_sub(before))
}

/// A process and all that it began: vsftpd serves each session with some of its own.
fn family(id: u32) -> Vec<u32> {
    let mut members = vec![id];
    let mut next = 0;
    while let Some(parent) = members.get(next).copied() {
        next += 1;
        members.extend(fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| {
            let process: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            (field(&status, "PPid:")? == u64::from(parent)).then_some(process)
        }));
    }
    members
}

fn peak_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    field(&status, "VmHWM:").unwrap_or_default()
}

fn field(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_ascii_whitespace().next()?.parse().ok()
}

fn fill(directory: &Path) {
    fs::create_dir(directory).unwrap();
    let handle = rustix::fs::open(directory, OFlags::PATH, Mode::empty()).unwrap();
    for number in 0..NAMES {
        // In no order, as a directory grows.
        let name = format!("picture-{:07}.png", number * 7_368_787 % NAMES);
        rustix::fs::mknodat(&handle, name, FileType::RegularFile, Mode::RUSR | Mode::ROTH, 0).unwrap();
    }
}
