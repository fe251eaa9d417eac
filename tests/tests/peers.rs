//! Our own client, from both binaries, against other people's servers, over passive and active data connections.

#![expect(clippy::unwrap_used, reason = "a test")]

use mayfly_tests::peers::{Peer, PeerProcess};
use mayfly_tests::process::{Driver, Ran, run};
use mayfly_tests::{files, noise};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A plain FTP server serves our client too, as long as no date is asked for.
#[test]
fn our_clients_bring_to_and_fetch_from_vsftpd() {
    for client in CLIENTS {
        for mode in MODES {
            let (server, target) = (PeerProcess::start(Peer::Vsftpd), tempfile::tempdir().unwrap());
            let errand = Errand { client, mode, server: &server };
            let _ = errand.upload(&[]).succeeded();
            let mut fetch = errand.command("download", &[]);
            let _ = run(fetch.arg(errand.url()).arg("--to").arg(target.path())).succeeded();
            assert_eq!(errand.names_viewed(), files::names(source()), "{client:?} {mode:?}");
            files::assert_same(source(), &server.root().join("scans"));
            files::assert_same(source(), target.path());
        }
    }
}

/// Where a date cannot be set, nothing is sent that would stay for ever.
#[test]
fn our_clients_send_nothing_to_vsftpd_that_shall_expire() {
    for client in CLIENTS {
        let server = PeerProcess::start(Peer::Vsftpd);
        let errand = Errand { client, mode: Mode::Passive, server: &server };
        let refused = errand.upload(&["--expires", "1h"]);
        assert_eq!(refused.status.code(), Some(7), "{refused:?}");
        assert!(refused.stderr.contains("SETEXPIRY"), "{refused:?}");
        assert!(refused.stdout.is_empty(), "{refused:?}");
        assert_eq!(files::names(&server.root()), [""; 0]);
    }
}

/// What a client is to do where.
struct Errand<'a> {
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

impl Errand<'_> {
    fn url(&self) -> String {
        format!("ftp://{}/scans", self.server.address())
    }

    fn command(&self, call: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(self.client.binary());
        command.arg(call).args(flags);
        if self.mode == Mode::Active {
            command.arg("--active");
        }
        command
    }

    fn upload(&self, flags: &[&str]) -> Ran {
        let mut command = self.command("upload", flags);
        command.args(files::names(source()).iter().map(|name| source().join(name)));
        run(command.arg(self.url()))
    }

    fn names_viewed(&self) -> Vec<String> {
        let viewed = run(self.command("view", &["--json"]).arg(self.url())).succeeded().stdout;
        let viewed: serde_json::Value = serde_json::from_str(&viewed).unwrap();
        let entries = viewed["entries"].as_array().unwrap().iter();
        let mut names: Vec<String> = entries.map(|entry| entry["name"].as_str().unwrap().to_owned()).collect();
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
