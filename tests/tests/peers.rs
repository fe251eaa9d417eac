//! Our own client, from both binaries, against other people's servers.

#![expect(clippy::unwrap_used, reason = "a test")]

use mayfly_tests::peers::{Peer, PeerProcess};
use mayfly_tests::process::{Driver, Ran, run, wait_until};
use mayfly_tests::tree::{self, Times};
use mayfly_tests::{files, noise};
use rustix::process::{Pid, Signal};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

macro_rules! against_all {
    ($($check:ident),* $(,)?) => {
        mod vsftpd { $(#[test] fn $check() { crate::$check(crate::Peer::Vsftpd); })* }
        mod proftpd { $(#[test] fn $check() { crate::$check(crate::Peer::ProFtpd); })* }
        mod pureftpd { $(#[test] fn $check() { crate::$check(crate::Peer::PureFtpd); })* }
    };
}

against_all!(
    files_go_both_ways,
    a_tree_goes_both_ways,
    what_broke_off_goes_on,
    a_listing_is_read,
    what_is_missing_is_told,
    names_of_another_time_come_too,
    nothing_is_sent_that_shall_expire,
);

/// A plain FTP server serves our client too, as long as no date is asked for: passive and active, one run after the
/// other into the same path.
fn files_go_both_ways(peer: Peer) {
    for client in CLIENTS {
        for mode in MODES {
            let (server, target) = (PeerProcess::start(peer), tempfile::tempdir().unwrap());
            let ours = Ours { client, mode, server: &server };
            let _ = ours.upload(&[], "scans").succeeded();
            let _ = ours.download(&[], "scans", target.path()).succeeded();
            assert_eq!(ours.names_viewed("scans"), files::names(source()), "{client:?} {mode:?}");
            files::assert_same(source(), &server.root().join("scans"));
            files::assert_same(source(), target.path());
            let exists = ours.upload(&[], "scans");
            assert_eq!(exists.status.code(), Some(7), "{exists:?}");
            let _ = ours.upload(&["--add"], "scans").succeeded();
            files::assert_same(source(), &server.root().join("scans"));
        }
    }
}

/// Names with blanks, brackets and letters beyond ASCII, empty files and directories, several connections at a time; and
/// again over what is there already.
fn a_tree_goes_both_ways(peer: Peer) {
    let planted = tempfile::tempdir().unwrap();
    tree::plant(planted.path(), &[&tree::PLAIN[..], &tree::ODD].concat());
    let from = format!("{}/", planted.path().display());
    // vsftpd keeps no time that a client tells.
    let kept = if peer == Peer::Vsftpd { Times::New } else { Times::Seconds };
    for client in CLIENTS {
        for (mode, jobs) in [(Mode::Passive, "3"), (Mode::Active, "1")] {
            let (server, target) = (PeerProcess::start(peer), tempfile::tempdir().unwrap());
            let ours = Ours { client, mode, server: &server };
            let send = |flags: &[&str]| {
                let mut command = ours.command("upload", &["-r", "--jobs", jobs]);
                run(command.args(flags).arg(&from).arg(server.url("scans")))
            };
            let _ = send(&[]).succeeded();
            tree::assert_same(planted.path(), &server.root().join("scans"), kept);
            for _ in 0..2 {
                let _ = ours.download(&["-r", "--jobs", jobs], "scans", target.path()).succeeded();
                tree::assert_same(&server.root().join("scans"), target.path(), Times::Seconds);
            }
            fs::remove_file(server.root().join("scans/deep/er/leaf.txt")).unwrap();
            let _ = send(&["--add"]).succeeded();
            tree::assert_same(planted.path(), &server.root().join("scans"), kept);
        }
    }
}

/// A download that was stopped goes on from what came of it.
fn what_broke_off_goes_on(peer: Peer) {
    for client in CLIENTS {
        let (server, target) = (PeerProcess::start(peer), tempfile::tempdir().unwrap());
        let ours = Ours { client, mode: Mode::Passive, server: &server };
        let _ = ours.upload(&[], "scans").succeeded();
        let mut slow = ours.command("download", &["--limit-rate", "1M", "--to"]);
        slow.arg(target.path()).args([&server.url("scans"), "large.bin"]);
        let mut child = slow.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let came =
            || fs::read_dir(target.path()).unwrap().any(|entry| entry.unwrap().metadata().unwrap().len() > 1 << 20);
        wait_until("a megabyte to come", came);
        rustix::process::kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(!target.path().join("large.bin").exists(), "a part never shows under the name");
        let rest = ours.download(&["-v"], "scans", target.path()).succeeded();
        assert_eq!(rest.stderr.lines().filter(|line| line.starts_with("> REST ")).count(), 1, "{}", rest.stderr);
        files::assert_same(source(), target.path());
    }
}

/// What is listed is told by name, kind, size and time.
fn a_listing_is_read(peer: Peer) {
    let server = PeerProcess::start(peer);
    tree::plant(&server.root().join("scans"), &tree::PLAIN);
    std::os::unix::fs::symlink("a.txt", server.root().join("scans/link")).unwrap();
    for client in CLIENTS {
        let ours = Ours { client, mode: Mode::Passive, server: &server };
        let entries = ours.entries_viewed("scans");
        let told = |name: &str, key: &str| entries.iter().find(|entry| entry["name"] == name).unwrap()[key].clone();
        assert_eq!(entries.len(), 6, "{entries:?}");
        assert_eq!(
            (told("data.bin", "size_bytes"), told("data.bin", "kind")),
            (tree::DATA_BYTES.into(), "file".into())
        );
        assert_eq!((told("deep", "directory"), told("deep", "kind")), (true.into(), "directory".into()));
        assert_eq!(told("link", "kind"), "link");
        let old_day_s = tree::OLD_S / 86_400 * 86_400;
        assert_eq!(told("a.txt", "modified_s"), old_day_s);
    }
}

/// A path that is not there, and a file in one that is: each is told by its exit code, and the others come.
fn what_is_missing_is_told(peer: Peer) {
    let (server, target) = (PeerProcess::start(peer), tempfile::tempdir().unwrap());
    tree::plant(&server.root().join("scans"), &tree::PLAIN);
    for client in CLIENTS {
        let ours = Ours { client, mode: Mode::Passive, server: &server };
        let view = run(ours.command("view", &[]).arg(server.url("nowhere")));
        assert_eq!(view.status.code(), Some(5), "{view:?}");
        let fetch = ours.download(&[], "nowhere", target.path());
        assert_eq!(fetch.status.code(), Some(5), "{fetch:?}");
        let mut fetch = ours.command("download", &["--to"]);
        let fetch = run(fetch.arg(target.path()).args([&server.url("scans"), "a.txt", "nothing.txt"]));
        assert_eq!(fetch.status.code(), Some(8), "{fetch:?}");
        assert_eq!(files::names(target.path()), ["a.txt"]);
    }
}

/// A name whose bytes are no UTF-8, fetched with all that is there, and by itself as `view` shows it.
fn names_of_another_time_come_too(peer: Peer) {
    let server = PeerProcess::start(peer);
    fs::create_dir(server.root().join("scans")).unwrap();
    fs::write(server.root().join("scans").join(OsStr::from_bytes(b"gr\xfcn.txt")), "green").unwrap();
    for client in CLIENTS {
        let ours = Ours { client, mode: Mode::Passive, server: &server };
        assert_eq!(ours.names_viewed("scans"), ["gr\\xFCn.txt"]);
        for flags in [&[][..], &["-r"], &["gr\\xFCn.txt"]] {
            let target = tempfile::tempdir().unwrap();
            let mut fetch = ours.command("download", &["--to"]);
            let _ = run(fetch.arg(target.path()).arg(server.url("scans")).args(flags)).succeeded();
            assert_eq!(fs::read(target.path().join("gr\\xFCn.txt")).unwrap(), b"green", "{flags:?}");
        }
    }
}

/// Where a date cannot be set, nothing is sent that would stay for ever.
fn nothing_is_sent_that_shall_expire(peer: Peer) {
    for client in CLIENTS {
        let server = PeerProcess::start(peer);
        let ours = Ours { client, mode: Mode::Passive, server: &server };
        let refused = ours.upload(&["--expires", "1h"], "scans");
        assert_eq!(refused.status.code(), Some(7), "{refused:?}");
        assert!(refused.stderr.contains("SETEXPIRY"), "{refused:?}");
        assert!(refused.stdout.is_empty(), "{refused:?}");
        assert_eq!(files::names(&server.root()), [""; 0]);
    }
}

/// Our client against a server.
struct Ours<'a> {
    client: Driver,
    mode: Mode,
    server: &'a PeerProcess,
}

/// How data connections are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Passive,
    Active,
}

impl Ours<'_> {
    fn command(&self, call: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(self.client.binary());
        command.args([call, "--no-netrc"]);
        if self.mode == Mode::Active {
            command.arg("--active");
        }
        command.args(flags);
        command
    }

    fn upload(&self, flags: &[&str], path: &str) -> Ran {
        let mut command = self.command("upload", flags);
        command.args(files::names(source()).iter().map(|name| source().join(name)));
        run(command.arg(self.server.url(path)))
    }

    fn download(&self, flags: &[&str], path: &str, to: &Path) -> Ran {
        run(self.command("download", flags).arg(self.server.url(path)).arg("--to").arg(to))
    }

    fn entries_viewed(&self, path: &str) -> Vec<Value> {
        let viewed = run(self.command("view", &["--json"]).arg(self.server.url(path))).succeeded().stdout;
        let viewed: Value = serde_json::from_str(&viewed).unwrap();
        viewed["entries"].as_array().unwrap().clone()
    }

    fn names_viewed(&self, path: &str) -> Vec<String> {
        let entries = self.entries_viewed(path);
        let mut names: Vec<String> = entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    }
}

/// The files: one empty, one whose name holds blanks and letters beyond ASCII, one of some size.
fn source() -> &'static Path {
    static SOURCE: OnceLock<PathBuf> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers-source");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("empty"), b"").unwrap();
        fs::write(directory.join("Grüße aus Köln – 日本.txt"), "Grüße\r\n\n\r\0ÿ").unwrap();
        files::write_repeated(&directory.join("large.bin"), &noise(1 << 20), 8);
        directory
    })
}

const CLIENTS: [Driver; 2] = [Driver::Std, Driver::Smol];
const MODES: [Mode; 2] = [Mode::Passive, Mode::Active];
