//! Where a real client is tried: a server on a free port, and a folder of the client's own.

use crate::certificates::Certificates;
use crate::process::{Driver, Ran, ServerProcess, run_fed};
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Makes tests of functions `fn check(&Ground)`: one for each way of data connections named, and each driver.
/// `mget: passive active;` becomes `mget::passive::std`, `mget::passive::smol`, `mget::active::std` and so on.
#[macro_export]
macro_rules! on_both_drivers {
    ($($check:ident: $($mode:ident)+;)+) => { $(mod $check { $(mod $mode {
        #[test]
        fn std() {
            super::super::$check(&$crate::ground::Ground::$mode($crate::process::Driver::Std));
        }

        #[test]
        fn smol() {
            super::super::$check(&$crate::ground::Ground::$mode($crate::process::Driver::Smol));
        }
    })+ })+ };
}

/// How data connections are made; over IPv6 the passive way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `EPSV` or `PASV`, over IPv4.
    Passive,
    /// `EPRT` or `PORT`, over IPv4.
    Active,
    /// `EPSV` over IPv6.
    Ipv6,
}

/// A server that lets anonymous clients do anything, and an empty folder in which a client runs.
#[derive(Debug)]
pub struct Ground {
    /// How the client is to make data connections.
    pub mode: Mode,
    server: ServerProcess,
    root: TempDir,
    client: TempDir,
}

impl Ground {
    /// For a client that makes passive data connections.
    ///
    /// # Panics
    /// Where the server does not start.
    #[must_use]
    pub fn passive(driver: Driver) -> Self {
        Self::new(driver, Mode::Passive)
    }

    /// For a client that makes active ones.
    ///
    /// # Panics
    /// Where the server does not start.
    #[must_use]
    pub fn active(driver: Driver) -> Self {
        Self::new(driver, Mode::Active)
    }

    /// For a client that comes over IPv6.
    ///
    /// # Panics
    /// Where the server does not start.
    #[must_use]
    pub fn ipv6(driver: Driver) -> Self {
        Self::new(driver, Mode::Ipv6)
    }

    /// For a client that speaks TLS: the server takes no name and no data without it, listens for those who begin with
    /// it too, and has these flags besides.
    ///
    /// # Panics
    /// Where the server does not start.
    #[must_use]
    pub fn ftps(driver: Driver, mode: Mode, flags: &[&str]) -> Self {
        let certificates = Certificates::of_this_process();
        let [certificate, key] = [&certificates.server, &certificates.server_key].map(|path| path.to_string_lossy());
        let listen = if mode == Mode::Ipv6 { "[::1]:0" } else { "127.0.0.1:0" };
        let tls = ["--tls-cert", &certificate, "--tls-key", &key, "--listen-tls", listen];
        Self::with(driver, mode, &[&tls, flags].concat())
    }

    /// For passive data connections, with these flags besides.
    ///
    /// # Panics
    /// Where the server does not start.
    #[must_use]
    pub fn served(driver: Driver, flags: &[&str]) -> Self {
        Self::with(driver, Mode::Passive, flags)
    }

    fn new(driver: Driver, mode: Mode) -> Self {
        Self::with(driver, mode, &[])
    }

    fn with(driver: Driver, mode: Mode, flags: &[&str]) -> Self {
        let [root, client] = [(); 2].map(|()| tempfile::tempdir().expect("there is room for a folder"));
        for name in ["home", "settings"] {
            fs::create_dir(client.path().join(name)).expect("the folder is ours");
        }
        let listen = if mode == Mode::Ipv6 { "[::1]:0" } else { "127.0.0.1:0" };
        // What is tried here is what clients say; that bytes last is tried elsewhere.
        let flags = [&["--anonymous-rights", "all", "--durability", "none"], flags].concat();
        let server = ServerProcess::start_on(driver, listen, root.path(), &flags);
        Self { mode, server, root, client }
    }

    /// What the server serves.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The folder where the client runs; its settings and logs lie elsewhere.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.client.path().join("home")
    }

    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where it listens for those who begin with TLS.
    ///
    /// # Panics
    /// Where it does not.
    #[must_use]
    pub fn tls_address(&self) -> SocketAddr {
        let line = self.log_lines(2, "\"listening\"").swap_remove(1);
        let entry: Value = serde_json::from_str(&line).expect("its log is JSON");
        entry["address"].as_str().and_then(|address| address.parse().ok()).expect("it names its address")
    }

    /// Has the server read its settings again, and what they name.
    pub fn reload(&self) {
        self.server.reload();
    }

    /// The server's address without brackets, and its port.
    #[must_use]
    pub fn host_and_port(&self) -> [String; 2] {
        [self.address().ip().to_string(), self.address().port().to_string()]
    }

    /// The URL of a path, which begins with a slash and is not encoded here.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("ftp://{}{path}", self.address())
    }

    /// A client in its folder, with no settings of whoever runs the tests; its zone is UTC, and it may run for 90 s.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        // A client that waits for ever shall fail, not hang.
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", "90", program]).current_dir(self.home());
        command.env("HOME", self.client.path().join("settings")).env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
        for name in ["ftp_proxy", "FTP_PROXY", "all_proxy", "ALL_PROXY", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs a client with these arguments to its end.
    #[must_use]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        self.run_fed(program, arguments, "")
    }

    /// The same, and types this for it.
    #[must_use]
    pub fn run_fed(&self, program: &str, arguments: &[&str], input: &str) -> Ran {
        run_fed(self.command(program).args(arguments), input)
    }

    /// The first line of the server's log that has this in it.
    ///
    /// # Panics
    /// Where none comes.
    #[must_use]
    pub fn log_line(&self, part: &str) -> String {
        self.server.wait_for_log(part)
    }

    /// The lines of the server's log that have this in them, once there are so many.
    ///
    /// # Panics
    /// Where there are fewer.
    #[must_use]
    pub fn log_lines(&self, count: usize, part: &str) -> Vec<String> {
        self.server.wait_for_logs(count, |line| line.contains(part))
    }

    /// The bytes that went over the wire in each `upload` or `download` of this path, as the server logged them, once
    /// there are so many transfers.
    ///
    /// # Panics
    /// Where there are fewer, or more so far.
    #[must_use]
    pub fn wire_bytes(&self, kind: &str, path: &str, count: usize) -> Vec<u64> {
        let entry = |line: &str| -> Value { serde_json::from_str(line).unwrap_or_default() };
        let lines = self.server.wait_for_logs(count, |line| {
            let entry = entry(line);
            entry["message"] == "transfer ended" && entry["kind"] == kind && entry["path"] == path
        });
        assert_eq!(lines.len(), count, "transfers of {path}: {lines:#?}");
        lines.iter().map(|line| entry(line)["bytes"].as_u64().expect("the log counts bytes")).collect()
    }
}
