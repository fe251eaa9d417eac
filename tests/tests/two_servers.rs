//! Two servers, one of each driver, on one root: paths that all expire in one second, under load. Each is deleted once
//! over both, none is read after its time, and what was acknowledged meanwhile is whole.
//!
//! Both are started anew once the dates are set, so that each has found all of them in its scan and goes for all.

#![expect(clippy::unwrap_used, reason = "a test")]

use mayfly_tests::ftp::{Ftp, Reply};
use mayfly_tests::noise;
use mayfly_tests::process::{Driver, ServerProcess, wait_until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[test]
fn five_hundred_paths_of_one_second_go_once_over_two_servers() {
    let ground = Ground::new();
    let trial = Trial { due_s: ground.dated(), ..Trial::default() };
    let servers = ground.both("serving");
    assert!(utc_s() < trial.due_s, "the dates came while the servers were started");
    let addresses = [servers[0].address(), servers[1].address()];
    thread::scope(|scope| {
        let trial = &trial;
        // Whatever fails, nobody goes on for ever.
        let _over = Over(&trial.is_over);
        for number in 0..LOADERS {
            scope.spawn(move || trial.load(addresses[number % 2], number));
        }
        for number in 0..PROBERS {
            scope.spawn(move || trial.probe(addresses[number % 2], number));
        }
        let reborn = addresses.map(|address| scope.spawn(move || trial.make_anew(address)));
        let reborn: usize = reborn.into_iter().map(|maker| maker.join().unwrap()).sum();
        assert_eq!(reborn, REBORN, "each of the names that are made anew is made by one");
        ground.wait_until_gone(trial.due_s);
        ground.wait_until_both_are_through(&servers);
    });
    for mut server in servers {
        server.terminate();
        assert_eq!(server.wait().code(), Some(0));
    }
    ground.check_deletions();
    ground.check_disk();
    eprintln!("load {:?}, probes before {:?} and after {:?}", trial.loaded, trial.let_in, trial.refused);
    // Without these it would have shown nothing.
    assert!(trial.loaded.load(Ordering::Relaxed) > 50, "there was no load");
    assert!(trial.let_in.load(Ordering::Relaxed) > 0, "nobody has read before");
    assert!(trial.refused.load(Ordering::Relaxed) > 100, "nobody has tried after");
}

/// The root that both serve, and their logs beside it.
struct Ground {
    root: tempfile::TempDir,
    logs: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let [root, logs] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        Self { root, logs }
    }

    fn both(&self, stage: &str) -> [ServerProcess; 2] {
        DRIVERS.map(|driver| {
            // What is tried here is who deletes; nobody dies.
            let flags = ["--log-format", "json", "--durability", "none", "--connections-per-minute", "0"];
            ServerProcess::start_logging_to(&self.log(stage, driver), driver, self.root.path(), &flags)
        })
    }

    fn log(&self, stage: &str, driver: Driver) -> PathBuf {
        self.logs.path().join(format!("{stage}-{}", driver.name()))
    }

    /// Has clients of both servers make the paths, with a file and the date on each; the date.
    fn dated(&self) -> i64 {
        let servers = self.both("making");
        let (all_are_made, due_s) = (Barrier::new(MAKERS), AtomicI64::new(0));
        thread::scope(|scope| {
            for number in 0..MAKERS {
                let (address, all_are_made, due_s) = (servers[number % 2].address(), &all_are_made, &due_s);
                scope.spawn(move || make_share(address, number, all_are_made, due_s));
            }
        });
        due_s.into_inner()
    }

    /// All names go from the disk soon after their second, and what was in them right after.
    fn wait_until_gone(&self, due_s: i64) {
        wait_until("the names to go", || names_in(self.root.path()).iter().all(|name| !name.starts_with("gone-")));
        let lag = since_epoch().saturating_sub(Duration::from_secs(due_s.try_into().unwrap()));
        let began = Instant::now();
        wait_until("the trash to be empty", || names_in(&self.root.path().join(".mayfly-trash")).is_empty());
        eprintln!("{PATHS} names gone {lag:?} after their second, the trash empty {:?} after that", began.elapsed());
        assert!(lag < NAMES_GO_WITHIN, "the last name went {lag:?} late");
    }

    /// Each reaper goes by the dates: when it comes to a later one that it alone knows, it has been at all the others.
    fn wait_until_both_are_through(&self, servers: &[ServerProcess; 2]) {
        for (server, driver) in servers.iter().zip(DRIVERS) {
            let name = format!("last-{}", driver.name());
            let mut ftp = Ftp::log_in(server.address());
            assert_eq!(ftp.ask(&format!("MKD {name}")).code, 257);
            assert_eq!(ftp.ask(&format!("SETEXPIRY {name} 3s")).code, 0);
            let log = self.log("serving", driver);
            wait_until("the last path to expire", || deleted_by(&log).iter().any(|path| path[1..] == name));
        }
    }

    fn check_deletions(&self) {
        let [std, smol] = DRIVERS.map(|driver| deleted_by(&self.log("serving", driver)));
        eprintln!("deleted by std {}, by smol {}", std.len(), smol.len());
        let mut times = BTreeMap::<&str, usize>::new();
        for path in std.iter().chain(&smol) {
            *times.entry(path).or_default() += 1;
        }
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times != 1).collect();
        assert!(twice.is_empty(), "deleted more than once: {twice:?}");
        let missing: Vec<_> = (0..PATHS).map(|number| format!("/{}", doomed(number))).collect();
        let missing: Vec<_> = missing.iter().filter(|path| !times.contains_key(path.as_str())).collect();
        assert!(missing.is_empty(), "deleted by neither: {missing:?}");
    }

    /// What was made anew stands, whole; and nothing is left of what is the server's own but its folders.
    fn check_disk(&self) {
        for number in 0..REBORN {
            let name = reborn(number);
            assert_eq!(fs::read(self.root.path().join(&name).join("anew")).unwrap(), name.as_bytes());
        }
        for name in names_in(self.root.path()) {
            let known = ["load-", "again-", ".mayfly-tombs", ".mayfly-trash"];
            assert!(known.iter().any(|known| name.starts_with(known)), "{name} was left");
        }
    }
}

/// What all who take part share.
#[derive(Debug, Default)]
struct Trial {
    due_s: i64,
    is_over: AtomicBool,
    loaded: AtomicUsize,
    let_in: AtomicUsize,
    refused: AtomicUsize,
}

impl Trial {
    /// Uploads, reads and lists, in a folder of its own that does not expire and in the root.
    fn load(&self, server: SocketAddr, number: usize) {
        let mut ftp = Ftp::log_in(server);
        assert_eq!(ftp.ask(&format!("MKD load-{number}")).code, 257);
        let mut stored = Vec::new();
        while !self.is_over() {
            let name = format!("load-{number}/{}", stored.len());
            let bytes = noise(1 + stored.len() * 997 % 65_536);
            assert_eq!(ftp.store(&format!("STOR {name}"), &bytes).code, 226);
            stored.push((name, bytes));
            let (name, bytes) = &stored[stored.len() / 2];
            assert!(ftp.retrieve(name) == *bytes, "{name} is not what was sent");
            self.list(&mut ftp, number, stored.len());
            self.loaded.fetch_add(1, Ordering::Relaxed);
        }
        for (name, bytes) in &stored {
            assert!(ftp.retrieve(name) == *bytes, "{name} is not what was sent");
        }
    }

    fn list(&self, ftp: &mut Ftp, number: usize, stored: usize) {
        let own = listed(ftp, &format!("NLST load-{number}"));
        assert_eq!(own.len(), stored, "{own:?}");
        let is_late = self.is_late();
        let names = listed(ftp, "NLST");
        let left = names.iter().filter(|name| name.starts_with("gone-")).count();
        assert!(!is_late || left == 0, "{left} are listed after their time");
    }

    /// Tries to read what expires, before and after.
    fn probe(&self, server: SocketAddr, number: usize) {
        let mut ftp = Ftp::log_in(server);
        for turn in 0.. {
            if self.is_over() {
                return;
            }
            // Another path each time, and each kind of look at each path.
            let path = doomed((turn * 37 + number * 101) % PATHS);
            let is_late = self.is_late();
            let (code, got) = look(&mut ftp, &path, turn + number);
            if is_late {
                assert_eq!(code, 550, "/{path} has expired: {got:?}");
                self.refused.fetch_add(1, Ordering::Relaxed);
            } else if code == 550 {
                assert!(self.is_late(), "/{path} has not expired: {got:?}");
            } else {
                assert!(matches!(code, 213 | 226 | 250), "/{path}: {got:?}");
                self.let_in.fetch_add(1, Ordering::Relaxed);
            }
            // The processor is for those who work.
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Makes some of the names anew right when they have expired, while the other server's client and both reapers go
    /// for them too; how many this one made.
    fn make_anew(&self, server: SocketAddr) -> usize {
        let mut ftp = Ftp::log_in(server);
        wait_until("the date", || self.is_late());
        let mut made = 0;
        for name in (0..REBORN).map(reborn) {
            match ftp.ask(&format!("MKD /{name}")) {
                Reply { code: 257, .. } => {
                    assert_eq!(ftp.store(&format!("STOR /{name}/anew"), name.as_bytes()).code, 226);
                    made += 1;
                }
                reply => assert_eq!(reply.code, 550, "{reply:?}"),
            }
        }
        made
    }

    fn is_late(&self) -> bool {
        utc_s() >= self.due_s
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Says that it is over, however the test ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Makes a share of the paths, and dates it once all are made: as far ahead as that takes, by how long this took.
fn make_share(server: SocketAddr, number: usize, all_are_made: &Barrier, due_s: &AtomicI64) {
    let began = Instant::now();
    let mut ftp = Ftp::log_in(server);
    let share = || (0..PATHS).map(doomed).chain((0..REBORN).map(reborn)).skip(number).step_by(MAKERS);
    for name in share() {
        assert_eq!(ftp.ask(&format!("MKD {name}")).code, 257);
        assert_eq!(ftp.store(&format!("STOR {name}/file"), name.as_bytes()).code, 226);
    }
    all_are_made.wait();
    let took_s = i64::try_from(began.elapsed().as_secs()).unwrap();
    due_s.fetch_max(utc_s() + took_s + LEAD_S, Ordering::SeqCst);
    all_are_made.wait();
    let date = mayfly_core::date::time_val(due_s.load(Ordering::SeqCst));
    for name in share() {
        assert_eq!(ftp.ask(&format!("SETEXPIRY {name} {date}")).code, 0, "{name}");
    }
}

/// One look at a path; the final code, and what came.
fn look(ftp: &mut Ftp, path: &str, kind: usize) -> (u16, Result<Vec<u8>, Reply>) {
    let fetch = |ftp: &mut Ftp, command: String| {
        let got = ftp.try_fetch(&command).unwrap();
        (got.as_ref().map_or_else(|reply| reply.code, |_| 226), got)
    };
    let ask = |ftp: &mut Ftp, command: String| {
        let reply = ftp.ask(&command);
        (reply.code, Err(reply))
    };
    match kind % 4 {
        0 => ask(ftp, format!("SIZE /{path}/file")),
        1 => {
            let (code, got) = fetch(ftp, format!("RETR /{path}/file"));
            assert!(got.as_ref().is_err() || got.as_deref() == Ok(path.as_bytes()), "/{path}/file is not whole");
            (code, got)
        }
        2 => fetch(ftp, format!("NLST /{path}")),
        _ => {
            let looked = ask(ftp, format!("CWD /{path}"));
            assert_eq!(ftp.ask("CWD /").code, 250);
            looked
        }
    }
}

fn listed(ftp: &mut Ftp, command: &str) -> Vec<String> {
    let bytes = ftp.try_fetch(command).unwrap().unwrap_or_else(|reply| panic!("{command}: {reply:?}"));
    String::from_utf8(bytes).unwrap().lines().map(ToOwned::to_owned).collect()
}

/// The paths that a server has told its log that it has taken away, as often as it did.
fn deleted_by(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).unwrap();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let entries = whole.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let deletions = entries.filter(|entry| entry["message"] == "path expired");
    deletions.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

fn names_in(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

fn doomed(number: usize) -> String {
    format!("gone-{number:03}")
}

fn reborn(number: usize) -> String {
    format!("again-{number:02}")
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn utc_s() -> i64 {
    since_epoch().as_secs().try_into().unwrap()
}

const DRIVERS: [Driver; 2] = [Driver::Std, Driver::Smol];
const PATHS: usize = 500;
/// Clients that make them; half of each kind below are of each server.
const MAKERS: usize = 8;
/// More that expire in the same second, and whose names are made anew at once.
const REBORN: usize = 40;
const LOADERS: usize = 4;
const PROBERS: usize = 4;
/// For both servers to be started anew and to scan, seconds.
const LEAD_S: i64 = 6;
/// Promised is 2 s for a path alone on a machine that is not busy; this one has all its processors at work.
const NAMES_GO_WITHIN: Duration = Duration::from_secs(5);
