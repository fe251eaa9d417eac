//! The figures of `tests/run --full`: memory of idle sessions, CPU of a large download, delay of replies under load, listings
//! of a million names.
//! Fails where a mechanism is missing, never for a slow machine.

#![expect(clippy::unwrap_used, reason = "a test")]
#![expect(clippy::cast_precision_loss, reason = "figures for people, far below 2^52")]

mod hostile;
mod listing;

use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, ServerProcess, wait_until};
use mayfly_tests::vitals::{cpu_s, memory_kib};
use mayfly_tests::{files, noise};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

const GIB: usize = 1 << 30;
const MIB: usize = 1 << 20;
const IDLE_SESSIONS: usize = 1000;
/// What an idle session on smol may cost at most (DESIGN 6).
const IDLE_KIB_MAX: f64 = 2.0;
/// Downloads of which the mean is told.
const FETCHES: u32 = 8;
/// Transfers each way while replies are timed.
const LOAD: usize = 4;

/// A row of the table: what, and how much of it.
type Row = (String, String);

fn main() -> ExitCode {
    let mut rows: Vec<Row> = Vec::new();
    let (mut passed, mut failed) = (0, 0);
    raise_descriptors();
    // `cargo bench --bench full -- million`: only the figures whose names hold the word.
    let word = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    for driver in [Driver::Std, Driver::Smol] {
        for (name, figure) in FIGURES.into_iter().filter(|(name, _)| name.contains(&word)) {
            let named = |what: &str| format!("{}: {what}", driver.name());
            if let Ok(found) = catch_unwind(AssertUnwindSafe(|| figure(driver))) {
                passed += 1;
                rows.extend(found.into_iter().map(|(what, value)| (named(&what), value)));
            } else {
                failed += 1;
                rows.push((named(name), "FAILED".to_owned()));
            }
        }
    }
    if listing::NAME.contains(&word) {
        if let Ok(found) = catch_unwind(listing::a_million_names) {
            passed += 1;
            rows.extend(found);
        } else {
            failed += 1;
            rows.push((listing::NAME.to_owned(), "FAILED".to_owned()));
        }
    }
    print_table(&rows);
    print(&format!("test result: {}. {passed} passed; {failed} failed", if failed == 0 { "ok" } else { "FAILED" }));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

type Figure = fn(Driver) -> Vec<Row>;

const FIGURES: [(&str, Figure); 6] = [
    ("idle sessions", idle),
    ("large download", download),
    ("replies under load", load),
    ("rate that is kept", hostile::rate),
    ("random lines", hostile::random_lines),
    ("hostile clients", hostile::clients),
];

/// What 1,000 logged-in sessions cost that do nothing.
fn idle(driver: Driver) -> Vec<Row> {
    let root = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(driver, root.path(), &["--max-sessions", "0", "--max-sessions-per-address", "0"]);
    // What the first sessions bring into being once is not counted.
    let warm: Vec<Ftp> = (0..50).map(|_| Ftp::log_in(server.address())).collect();
    drop(warm);
    server_is_quiet(&server);
    let before = memory_kib(server.id());
    let mut sessions: Vec<Ftp> = (0..IDLE_SESSIONS).map(|_| Ftp::log_in(server.address())).collect();
    server_is_quiet(&server);
    let after = memory_kib(server.id());
    let began = Instant::now();
    for session in &mut sessions {
        assert_eq!(session.ask("NOOP").code, 200);
    }
    let answered = began.elapsed();
    let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / IDLE_SESSIONS as f64;
    let each_kib = each(before.private, after.private);
    if driver == Driver::Smol {
        assert!(each_kib <= IDLE_KIB_MAX, "{each_kib} KiB for each idle session");
    }
    vec![
        (format!("user memory for each of {IDLE_SESSIONS} idle sessions"), format!("{each_kib:.2} KiB")),
        ("the same as resident set".to_owned(), format!("{:.2} KiB", each(before.resident, after.resident))),
        ("threads with them".to_owned(), threads(server.id()).to_string()),
        (format!("a NOOP on each of them, {IDLE_SESSIONS} in all"), format!("{:.0} ms", millis(answered))),
    ]
}

/// A download of 1 GiB: its CPU time, and how the bytes move.
fn download(driver: Driver) -> Vec<Row> {
    let root = tempfile::tempdir().unwrap();
    files::write_repeated(&root.path().join("large"), &noise(MIB), GIB / MIB);
    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    let fetch = |ftp: &mut Ftp| {
        let data = ftp.data();
        assert_eq!(ftp.ask("RETR large").code, 150);
        assert_eq!(swallow(data), GIB);
        assert_eq!(ftp.reply().code, 226);
    };
    fetch(&mut ftp);
    let (before, began) = (cpu_s(server.id()), Instant::now());
    for _ in 0..FETCHES {
        fetch(&mut ftp);
    }
    let cpu_s = (cpu_s(server.id()) - before) / f64::from(FETCHES);
    let rate = (GIB / MIB) as f64 * f64::from(FETCHES) / began.elapsed().as_secs_f64();

    let trace = root.path().join(".trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-o"]).arg(&trace).args(["-p", &server.id().to_string()]);
    let mut strace = strace.stderr(Stdio::null()).spawn().expect("tests/run installs strace");
    wait_until("strace to attach", || is_traced(server.id()));
    fetch(&mut ftp);
    let id = Pid::from_raw(i32::try_from(strace.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, Signal::INT).unwrap();
    strace.wait().unwrap();
    let calls = calls(&trace);
    let count = |name: &str| calls.iter().find(|(call, _)| call == name).map_or(0, |(_, count)| *count);
    assert!(count("sendfile") > 0, "no sendfile: {calls:?}");
    assert!(count("sendto") + count("write") < 100, "bytes go through user memory: {calls:?}");
    vec![
        ("CPU of a download, for each GiB".to_owned(), format!("{cpu_s:.2} s")),
        ("its rate".to_owned(), format!("{rate:.0} MiB/s")),
        (
            "its system calls (strace -c)".to_owned(),
            format!(
                "sendfile {}, sendto {}, write {}, read {}",
                count("sendfile"),
                count("sendto"),
                count("write"),
                count("read")
            ),
        ),
    ]
}

/// How late a NOOP is answered while others upload and download.
fn load(driver: Driver) -> Vec<Row> {
    let root = tempfile::tempdir().unwrap();
    files::write_repeated(&root.path().join("large"), &noise(MIB), GIB / MIB);
    let server = ServerProcess::start(driver, root.path(), &["--durability", "none"]);
    let address = server.address();
    let piece = noise(MIB);
    let running = AtomicBool::new(true);
    let mut delays = Vec::new();
    thread::scope(|scope| {
        let running = &running;
        let mut transfers = Vec::new();
        for number in 0..LOAD {
            transfers.push(scope.spawn(move || {
                let mut ftp = Ftp::log_in(address);
                let data = ftp.data();
                assert_eq!(ftp.ask("RETR large").code, 150);
                assert_eq!(swallow(data), GIB);
                assert_eq!(ftp.reply().code, 226);
            }));
            let piece = &piece;
            transfers.push(scope.spawn(move || {
                let mut ftp = Ftp::log_in(address);
                let mut data = ftp.data();
                assert_eq!(ftp.ask(&format!("STOR copy-{number}")).code, 150);
                for _ in 0..GIB / MIB {
                    data.write_all(piece).unwrap();
                }
                drop(data);
                assert_eq!(ftp.reply().code, 226);
            }));
        }
        scope.spawn(move || {
            wait_for_all(transfers);
            running.store(false, Ordering::SeqCst);
        });
        let mut ftp = Ftp::log_in(address);
        while running.load(Ordering::SeqCst) {
            let asked = Instant::now();
            assert_eq!(ftp.ask("NOOP").code, 200);
            delays.push(asked.elapsed());
            // Beside the load, not a load of its own.
            thread::sleep(Duration::from_millis(1));
        }
    });
    delays.sort_unstable();
    let at = |permille: usize| millis(delays[(delays.len() - 1) * permille / 1000]);
    vec![(
        format!("a NOOP's delay beside {LOAD} uploads and {LOAD} downloads of 1 GiB"),
        format!(
            "worst {:.1} ms, 99 of 100 {:.1} ms, median {:.2} ms, {} asked",
            at(1000),
            at(990),
            at(500),
            delays.len()
        ),
    )]
}

fn wait_for_all(transfers: Vec<thread::ScopedJoinHandle<'_, ()>>) {
    for transfer in transfers {
        transfer.join().expect("the transfer succeeds");
    }
}

/// Reads to the end; how much came.
fn swallow(mut data: TcpStream) -> usize {
    let mut piece = vec![0; MIB];
    let mut whole = 0;
    loop {
        match data.read(&mut piece).unwrap() {
            0 => return whole,
            count => whole += count,
        }
    }
}

/// Reads to the end; how many lines came.
fn swallow_lines(mut data: TcpStream) -> usize {
    let mut piece = vec![0; MIB];
    let mut lines = 0;
    loop {
        match data.read(&mut piece).unwrap() {
            0 => return lines,
            count => lines += piece[..count].split(|byte| *byte == b'\n').count() - 1,
        }
    }
}

/// Lets the server finish what the last session's end or begin has set going.
fn server_is_quiet(server: &ServerProcess) {
    let mut last = cpu_s(server.id());
    let mut looks = 0;
    wait_until("the server to be quiet", || {
        thread::sleep(Duration::from_millis(20));
        let now = cpu_s(server.id());
        looks = if (now - last).abs() < f64::EPSILON { looks + 1 } else { 0 };
        last = now;
        looks >= 10
    });
}

fn threads(id: u32) -> usize {
    fs::read_dir(format!("/proc/{id}/task")).unwrap().count()
}

fn is_traced(id: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).unwrap();
    tasks.filter_map(Result::ok).all(|task| {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|tracer| tracer.trim() != "0"))
    })
}

/// The counts of `strace -c`: the calls column is the fourth, the name the last.
fn calls(trace: &Path) -> Vec<(String, u64)> {
    let table = fs::read_to_string(trace).unwrap();
    let rows = table.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        Some(((*columns.last()?).to_owned(), columns.get(3)?.parse().ok()?))
    });
    rows.collect()
}

fn raise_descriptors() {
    let limits = rustix::process::getrlimit(Resource::Nofile);
    let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits });
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn print_table(rows: &[Row]) {
    let width = rows.iter().map(|(what, _)| what.len()).max().unwrap_or_default();
    print("");
    for (what, value) in rows {
        print(&format!("{what:width$}  {value}"));
    }
    print("");
}

#[expect(clippy::print_stdout, reason = "its result")]
fn print(line: &str) {
    println!("{line}");
}
