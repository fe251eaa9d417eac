//! Client libraries of seven languages, each through all that it offers, against both binaries: over passive and over
//! active data connections, and over IPv6.
//!
//! A library's script (or function) prints `ok WHAT` for each check that held, and fails at the first that did not.
//! Here the list of checks must be the whole one, and the disk must hold what was brought.

#![expect(clippy::unwrap_used, reason = "a test")]

mod aioftp;
mod basic_ftp;
mod commons_net;
mod ftplib;
mod net_ftp;
mod php_ftp;
mod suppaftp;

use mayfly_tests::process::{Driver, ServerProcess, run};
use mayfly_tests::{files, noise};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};
use std::{fs, io};

macro_rules! on_both {
    ($($library:ident: $($mode:ident)+;)+) => {
        mod std_driver { $(mod $library { $(
            #[test] fn $mode() { crate::prove(crate::Driver::Std, crate::Mode::$mode(), &crate::$library::LIBRARY); }
        )+ })+ }
        mod smol_driver { $(mod $library { $(
            #[test] fn $mode() { crate::prove(crate::Driver::Smol, crate::Mode::$mode(), &crate::$library::LIBRARY); }
        )+ })+ }
    };
}

on_both! {
    aioftp: passive ipv6;
    basic_ftp: passive ipv6;
    commons_net: passive active ipv6;
    ftplib: passive active ipv6;
    net_ftp: passive active ipv6;
    php_ftp: passive active ipv6;
    suppaftp: passive active ipv6;
}

/// What a library is, and what it is to show.
struct Library {
    /// Its name and language.
    name: &'static str,
    /// The checks in their order, the same in each mode.
    checks: &'static [&'static str],
    /// Leaves the files of `source` in `/scans` on the server, the one named [`DATED`] with its time, fetches them into
    /// `target`, and returns a line `ok WHAT` for each check.
    play: fn(&Errand<'_>) -> String,
}

/// How data connections are made; over IPv6 the passive way, and where the library can, the active one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Passive,
    Active,
    Ipv6,
}

struct Errand<'a> {
    server: SocketAddr,
    mode: Mode,
    source: &'a Path,
    target: &'a Path,
}

/// Serves, lets the library do its work, and compares: its checks, what it brought, what it fetched, the time it set.
fn prove(driver: Driver, mode: Mode, library: &Library) {
    let (root, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let address = if mode == Mode::Ipv6 { "[::1]:0" } else { "127.0.0.1:0" };
    let server = ServerProcess::start_on(driver, address, root.path(), &["--anonymous-rights", "all"]);
    let source = source();
    let said = (library.play)(&Errand { server: server.address(), mode, source, target: target.path() });
    let checks: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("ok ")).collect();
    assert_eq!(checks, library.checks, "{} {mode:?}:\n{said}", library.name);
    let stored = root.path().join("scans");
    files::assert_same(source, &stored);
    files::assert_same(source, target.path());
    let modified = fs::metadata(stored.join(DATED)).unwrap().modified().unwrap();
    assert_eq!(modified, SystemTime::UNIX_EPOCH + Duration::from_secs(DATE_S), "the time of {DATED}");
    // Straight to standard error: the test harness keeps what a test that passes prints.
    let count = format!("{}, {}, {}: {} checks and the disk\n", library.name, mode.name(), driver.name(), checks.len());
    io::stderr().write_all(count.as_bytes()).unwrap();
}

/// What libraries carry: nothing, letters beyond ASCII and blanks in a name, lines, something to cut, something large.
fn source() -> &'static Path {
    static SOURCE: OnceLock<PathBuf> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libraries-source");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("empty"), b"").unwrap();
        fs::write(directory.join("Grüße aus Köln – 日本.txt"), "Grüße\r\n\n\r\0ÿ").unwrap();
        let lines: Vec<String> = (0..2500).map(|number| format!("{number} Ein Brief, Zeile für Zeile.\n")).collect();
        fs::write(directory.join(LINES), lines.concat()).unwrap();
        fs::write(directory.join(DATED), noise(100 << 10)).unwrap();
        files::write_repeated(&directory.join(LARGE), &noise(1 << 20), 4);
        directory
    })
}

impl Errand<'_> {
    /// What there is to bring, sorted.
    fn names(&self) -> Vec<String> {
        files::names(self.source)
    }

    /// `HOST PORT passive|active|ipv6 SOURCE TARGET`, as every script takes them.
    fn run(&self, command: &mut Command) -> String {
        command.arg(self.server.ip().to_string()).arg(self.server.port().to_string());
        command.arg(self.mode.name()).arg(self.source).arg(self.target);
        // Java takes names from the locale, whatever the file's encoding.
        run(command.env("LC_ALL", "C.UTF-8")).succeeded().stdout
    }
}

impl Mode {
    fn passive() -> Self {
        Self::Passive
    }

    fn active() -> Self {
        Self::Active
    }

    fn ipv6() -> Self {
        Self::Ipv6
    }

    fn name(self) -> &'static str {
        match self {
            Self::Passive => "passive",
            Self::Active => "active",
            Self::Ipv6 => "ipv6",
        }
    }
}

/// The folder with what `tests/clients/LANGUAGE` pins.
fn installed(language: &str) -> PathBuf {
    let step = Path::new(env!("CARGO_MANIFEST_DIR")).join("steps/library");
    run(Command::new(step).arg(language)).succeeded().stdout.trim_end().into()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name)
}

/// The file that is given a time: 2019-08-07T06:05:04Z.
const DATED: &str = "small.bin";
const DATE_S: u64 = 1_565_157_904;

const LINES: &str = "lines.txt";
const LARGE: &str = "large.bin";
/// Where the large one is cut in two: on no round number.
const CUT: usize = 1_000_001;
