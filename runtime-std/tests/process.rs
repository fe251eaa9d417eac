//! The binary as an operator meets it: what it says when it cannot start, signals, and too few descriptors.

#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

const BINARY: &str = env!("CARGO_BIN_EXE_mayfly-std");
const PATIENCE: Duration = Duration::from_secs(30);

/// A server in a process of its own, and its log.
struct Process {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
    address: SocketAddr,
}

impl Process {
    fn start(root: &Path, flags: &[&str]) -> Self {
        Self::spawn(Command::new(BINARY), root, flags)
    }

    fn spawn(mut command: Command, root: &Path, flags: &[&str]) -> Self {
        command.args(["serve", "--listen", "127.0.0.1:0", "--root"]).arg(root).args(flags);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut process = Self { child, log, address: ([127, 0, 0, 1], 0).into() };
        let line = process.log_line("listening");
        let address = line.split("address=").nth(1).and_then(|rest| rest.trim().parse().ok());
        process.address = address.expect(&line);
        process
    }

    /// The next line of the log that holds `word`.
    fn log_line(&mut self, word: &str) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "no {word:?} in {all}");
            if line.contains(word) {
                return line;
            }
            all.push_str(&line);
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Its last words, once it has ended.
    fn end(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After `end` it has gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    BufReader::new(stream)
}

fn line(peer: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    peer.read_line(&mut line).unwrap();
    line
}

fn fails(flags: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(BINARY).arg("serve").args(flags).output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_address_in_use_is_named_with_a_hint() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap().to_string();
    let root = tempfile::tempdir().unwrap();
    let (code, error) = fails(&["--listen", &address, "--root", root.path().to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(error.starts_with(&format!("error: cannot listen on {address}: ")), "{error}");
    assert!(error.contains("\nhint: another program listens there"), "{error}");
}

#[test]
fn a_wrong_setting_is_named_with_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("mayfly.toml");
    std::fs::write(&config, "max_sessions = 5\nidle_timeout = \"soon\"\n").unwrap();
    let (code, error) = fails(&["--config", config.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    let expected = format!("error: {}, line 2: expected a duration such as \"90s\"", config.display());
    assert!(error.starts_with(&expected), "{error}");
    assert_eq!(fails(&["--no-such-flag"]).0, Some(2));
}

#[test]
fn sigterm_ends_it_in_order_and_the_log_tells_each_step() {
    let root = tempfile::tempdir().unwrap();
    let mut process = Process::start(&root.path().join("made/if/missing"), &[]);
    let mut peer = connect(process.address);
    assert_eq!(line(&mut peer), "220 Welcome to the FTP Server\r\n");
    process.log_line("session started");
    peer.get_mut().write_all(b"USER a\x1b[2Jb\r\nPASS secret-word\r\n").unwrap();
    process.signal(rustix::process::Signal::TERM);
    let mut rest = String::new();
    peer.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with('\n') && rest.contains("421 "), "{rest}");
    let (status, log) = process.end();
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("shutting down") && log.contains("session ended") && log.contains("shut down"), "{log}");
    assert!(!log.contains("secret-word") && !log.contains('\x1b'), "{log}");
}

#[test]
fn sighup_puts_new_settings_in_force_and_refuses_wrong_ones() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("mayfly.toml");
    std::fs::write(&config, "max_sessions = 1\n").unwrap();
    let root = dir.path().join("storage");
    let mut process = Process::start(&root, &["--config", config.to_str().unwrap()]);
    let mut first = connect(process.address);
    assert!(line(&mut first).starts_with("220 "));
    assert!(line(&mut connect(process.address)).starts_with("421 "));
    std::fs::write(&config, "max_sessions = 2\n").unwrap();
    process.signal(rustix::process::Signal::HUP);
    process.log_line("settings read again");
    let mut second = connect(process.address);
    assert!(line(&mut second).starts_with("220 "));
    std::fs::write(&config, "max_sessions = -2\n").unwrap();
    process.signal(rustix::process::Signal::HUP);
    assert!(process.log_line("the settings in force stay").contains("line 1: expected a whole number"));
    assert!(line(&mut connect(process.address)).starts_with("421 "));
}

#[test]
fn a_made_certificate_serves_and_one_that_will_not_do_starts_nothing_and_at_a_reload_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("tls");
    let made = Command::new(BINARY).args(["cert", "--name", "localhost", "--out"]).arg(&out).output().unwrap();
    let settings = String::from_utf8(made.stdout).unwrap();
    assert!(settings.starts_with("# SHA-256 fingerprint: ") && settings.lines().count() == 3, "{settings}");
    let again = Command::new(BINARY).args(["cert", "--name", "localhost", "--out"]).arg(&out).output().unwrap();
    assert_eq!((again.status.code(), again.stdout.len()), (Some(10), 0));
    let config = dir.path().join("mayfly.toml");
    std::fs::write(&config, &settings).unwrap();
    let root = dir.path().join("storage");
    let mut process = Process::start(&root, &["--config", config.to_str().unwrap()]);
    let has_tls = |process: &Process| {
        let mut peer = connect(process.address);
        assert!(line(&mut peer).starts_with("220 "));
        peer.get_mut().write_all(b"AUTH TLS\r\n").unwrap();
        line(&mut peer).starts_with("234 ")
    };
    assert!(has_tls(&process));
    std::fs::write(out.join("key.pem"), "no key\n").unwrap();
    process.signal(rustix::process::Signal::HUP);
    let kept = process.log_line("the settings in force stay");
    assert!(kept.contains("key.pem: it holds no private key; hint: "), "{kept}");
    assert!(has_tls(&process));
    let (code, error) = fails(&["--config", config.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    let expected = format!("error: tls_key {}: it holds no private key\n", out.join("key.pem").display());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut process = Process::start(root.path(), &[]);
    // From now on every line of the log meets a broken pipe.
    let other = Command::new("true").stderr(Stdio::piped()).spawn().unwrap().stderr.take().unwrap();
    drop(std::mem::replace(&mut process.log, BufReader::new(other)));
    for _ in 0..3 {
        let mut peer = connect(process.address);
        assert!(line(&mut peer).starts_with("220 "));
        peer.get_mut().write_all(b"USER anonymous\r\nPASS x\r\nQUIT\r\n").unwrap();
        let mut rest = String::new();
        peer.read_to_string(&mut rest).unwrap();
        assert!(rest.ends_with("221 Goodbye.\r\n"), "{rest}");
    }
}

#[test]
fn descriptors_that_run_out_are_waited_for() {
    let root = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    // The hard limit too, so that the server cannot raise it. `exec` keeps the process that signals go to.
    command.args(["-c", "ulimit -n 32; exec \"$0\" \"$@\"", BINARY]).process_group(0);
    let mut process = Process::spawn(command, root.path(), &[]);
    let mut peers: Vec<_> = (0..40).map(|_| connect(process.address)).collect();
    process.log_line("short of resources");
    // Some have been greeted; as they go, the others are.
    for peer in &mut peers {
        assert!(line(peer).starts_with("220 "));
        peer.get_mut().write_all(b"QUIT\r\n").unwrap();
        assert!(line(peer).starts_with("221 "));
        peer.get_mut().shutdown(std::net::Shutdown::Both).unwrap();
    }
    process.signal(rustix::process::Signal::TERM);
    let (status, log) = process.end();
    assert_eq!(status.code(), Some(0));
    assert!(!log.contains("short of resources"), "it is said once: {log}");
}
