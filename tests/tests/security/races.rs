//! Somebody with an account on the host swaps directories and files for links, over and over, while a client uses them:
//! nothing outside the root is read, written, renamed, deleted or listed. Two seconds, or `SWAP_RACE_S`.

use crate::commands::path_commands;
use crate::ground::{CANARY, Ground};
use crate::traversal::{require_canary_is_seen, try_one};
use crate::wire::Wire;
use mayfly_tests::process::{Driver, ServerProcess};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

mayfly_tests::with_each_driver! {
    no_swapped_link_is_followed_by_openat2
    no_swapped_link_is_followed_without_openat2
    no_swapped_link_is_followed_out_of_the_root_where_links_are
}

/// As in the traversal, nothing but the paths' own confinement protects here.
const FLAGS: [&str; 8] = [
    // Nor is what is tried the number of connections.
    "--trusted-from",
    "127.0.0.0/8",
    "--anonymous-rights",
    "all",
    "--durability",
    "none",
    "--landlock",
    "off",
];

fn no_swapped_link_is_followed_by_openat2(driver: Driver) {
    let ground = Ground::new();
    let server = ServerProcess::start(driver, &ground.root(), &FLAGS);
    assert!(server.wait_for_log("\"confined\"").contains("\"paths\":\"openat2\""));
    race(&ground, &server);
}

fn no_swapped_link_is_followed_without_openat2(driver: Driver) {
    let ground = Ground::new();
    let launcher = Path::new(env!("CARGO_BIN_EXE_without_openat2"));
    let server = ServerProcess::start_by(launcher, driver, &ground.root(), &FLAGS);
    assert!(server.wait_for_log("\"confined\"").contains("\"paths\":\"walked"));
    race(&ground, &server);
}

fn no_swapped_link_is_followed_out_of_the_root_where_links_are(driver: Driver) {
    let ground = Ground::new();
    let server = ServerProcess::start(driver, &ground.root(), &[&FLAGS[..], &["--follow-symlinks"]].concat());
    race(&ground, &server);
}

fn race(ground: &Ground, server: &ServerProcess) {
    let before = ground.snapshot();
    let is_over = AtomicBool::new(false);
    let swapper = Swapper::new(ground);
    let swaps = thread::scope(|scope| {
        let swaps = scope.spawn(|| swapper.run(&is_over));
        let end = End(&is_over);
        let tally = use_it(ground, server, swaps.thread());
        drop(end);
        let swaps = swaps.join().expect("it swaps to the end");
        assert!(tally.done >= TRIES_MIN / 20, "{} of {} tries got through", tally.done, tally.tries);
        assert!(tally.refused >= TRIES_MIN / 20, "{} of {} tries were refused", tally.refused, tally.tries);
        let Tally { tries, done, refused, .. } = tally;
        let text = format!("swap race: {swaps} swaps, {tries} commands, {done} carried out, {refused} refused\n");
        io::stderr().write_all(text.as_bytes()).expect("standard error stands");
        swaps
    });
    assert!(swaps >= 1_000, "{swaps} swaps");
    assert!(ground.snapshot() == before, "the world outside was changed: {:#?}", ground.snapshot());
    ground.require_own_untouched();
}

/// Ends the swapping, also where a check fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the client saw.
#[derive(Default)]
struct Tally {
    tries: u32,
    done: u32,
    refused: u32,
}

const TRIES_MIN: u32 = 2_000;

/// Every command that takes a path, on everything that is being swapped and on what lies beneath.
fn use_it(ground: &Ground, server: &ServerProcess, swapper: &Thread) -> Tally {
    let until = Instant::now() + Duration::from_secs(seconds());
    let before = ground.snapshot();
    let mut tally = Tally::default();
    while tally.tries < TRIES_MIN || Instant::now() < until {
        for command in path_commands() {
            let mut wire = Wire::log_in(server.address());
            for path in PATHS {
                swapper.unpark();
                let code = try_one(&mut wire, ground, &command, &command.line(path.as_bytes()));
                tally.tries += 1;
                if code < 400 { tally.done += 1 } else { tally.refused += 1 }
            }
            let heard = String::from_utf8_lossy(&wire.heard);
            assert!(!heard.contains(CANARY), "{} was sent what lies outside, try {}", command.row.name, tally.tries);
            // A file that stands only there.
            assert!(!heard.contains("passwd"), "{} was shown what lies outside, try {}", command.row.name, tally.tries);
            assert!(ground.snapshot() == before, "{} changed the world outside, try {}", command.row.name, tally.tries);
            require_canary_is_seen(&mut wire, ground);
        }
    }
    tally
}

fn seconds() -> u64 {
    std::env::var("SWAP_RACE_S").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

const PATHS: &[&str] = &[
    "here",
    "here/canary",
    "here/e",
    "here/e/canary",
    "here/new",
    "here/*",
    "leaf",
    "d/mid/e/canary",
    "d/mid/e",
    "d/mid/canary",
    "there/canary",
    "there",
];

/// What the files inside hold.
const INSIDE: &str = "a-file-of-the-root";

/// Exchanges what is real for a link that leads to the same names outside, in one step of the kernel's.
struct Swapper {
    root: OwnedFd,
    dir: OwnedFd,
}

impl Swapper {
    fn new(ground: &Ground) -> Self {
        let open = |path: &Path| rustix::fs::open(path, OFlags::DIRECTORY | OFlags::PATH, Mode::empty());
        let root = open(&ground.root()).expect("it is there");
        let dir = open(&ground.root().join("d")).expect("it is there");
        Self { root, dir }
    }

    /// Until it is over; how many exchanges there were.
    fn run(&self, is_over: &AtomicBool) -> u32 {
        let mut swaps = 0;
        while !is_over.load(Ordering::Relaxed) {
            for _ in 0..ROUNDS {
                swaps += swap_tree(self.root.as_fd(), "here", "there", "../outside/d");
                swaps += swap_tree(self.dir.as_fd(), "mid", "mid-link", "../../outside/d");
                swaps += swap_leaf(self.root.as_fd(), "leaf", "leaf-link");
            }
            // The next command wakes it; so it takes nobody's time but the one that it races with.
            thread::park_timeout(Duration::from_millis(100));
        }
        swaps
    }
}

/// As many as a command takes, and more.
const ROUNDS: u32 = 100;

/// What clients moved or removed is made anew. Nothing is ever made through a name that may be a link.
fn swap_tree(dir: BorrowedFd<'_>, one: &str, other: &str, to: &str) -> u32 {
    for name in [one, other] {
        fill(dir, name);
    }
    if exchange(dir, one, other).is_ok() {
        return 1;
    }
    // Whichever is missing; where it stands this does nothing.
    let _ = rustix::fs::symlinkat(to, dir, other);
    let _ = rustix::fs::symlinkat(to, dir, one);
    if [one, other].iter().all(|name| rustix::fs::readlinkat(dir, *name, Vec::new()).is_ok()) {
        let _ = rustix::fs::unlinkat(dir, one, AtFlags::empty());
        let _ = rustix::fs::mkdirat(dir, one, Mode::RWXU);
    }
    0
}

/// Gives a directory that stands under this very name its files.
fn fill(dir: BorrowedFd<'_>, name: &str) {
    let directory = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY;
    let Ok(real) = rustix::fs::openat(dir, name, directory, Mode::empty()) else { return };
    write(real.as_fd(), "canary");
    let _ = rustix::fs::mkdirat(&real, "e", Mode::RWXU);
    if let Ok(inner) = rustix::fs::openat(&real, "e", directory, Mode::empty()) {
        write(inner.as_fd(), "canary");
    }
}

fn write(dir: BorrowedFd<'_>, name: &str) {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    if let Ok(file) = rustix::fs::openat(dir, name, flags, Mode::RUSR | Mode::WUSR) {
        let _ = rustix::io::write(file, INSIDE.as_bytes());
    }
}

fn swap_leaf(dir: BorrowedFd<'_>, one: &str, other: &str) -> u32 {
    if exchange(dir, one, other).is_ok() {
        return 1;
    }
    let links = [one, other].map(|name| rustix::fs::readlinkat(dir, name, Vec::new()).is_ok());
    match links {
        [true, _] => write(dir, other),
        [_, true] => write(dir, one),
        _ => drop(rustix::fs::symlinkat("../outside/canary", dir, other)),
    }
    0
}

fn exchange(dir: BorrowedFd<'_>, one: &str, other: &str) -> Result<(), Errno> {
    rustix::fs::renameat_with(dir, one, dir, other, RenameFlags::EXCHANGE)
}
