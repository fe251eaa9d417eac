//! The binaries as an operator runs them: real processes on random ports of loopback.

use rustix::process::{Pid, Signal};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

/// How long anything may take that must come soon, on a slow machine too.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Which of the two binaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// `mayfly-std`.
    Std,
    /// `mayfly-smol`.
    Smol,
}

impl Driver {
    /// The name of its package and binary.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Std => "mayfly-std",
            Self::Smol => "mayfly-smol",
        }
    }

    /// Its binary, built as this test was.
    ///
    /// # Panics
    /// Where it does not build.
    #[must_use]
    pub fn binary(self) -> PathBuf {
        static BUILT: OnceLock<PathBuf> = OnceLock::new();
        let directory = BUILT.get_or_init(|| {
            let test = env::current_exe().expect("a running test has a path");
            let directory = test.ancestors().nth(2).expect("cargo puts tests two folders below its profile's");
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args([
                "build",
                "--quiet",
                "--locked",
                "--bins",
                "--package",
                "mayfly-std",
                "--package",
                "mayfly-smol",
            ]);
            if directory.ends_with("release") {
                cargo.arg("--release");
            }
            // What cargo has told this test of itself is another package's: build scripts that look there (ring's) would
            // have all that depends on them built anew, here and again the next time.
            for told in env::vars_os().map(|(name, _)| name) {
                if ["CARGO_PKG_", "CARGO_MANIFEST_"]
                    .iter()
                    .any(|of_package| told.to_string_lossy().starts_with(of_package))
                {
                    cargo.env_remove(told);
                }
            }
            let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
            assert!(built.success(), "the binaries do not build");
            directory.to_owned()
        });
        directory.join(self.name())
    }
}

/// Makes of each function of a [`Driver`] two tests, `function::std` and `function::smol`.
#[macro_export]
macro_rules! with_each_driver {
    ($($check:ident)+) => { $(mod $check {
        #[test]
        fn std() {
            super::$check($crate::process::Driver::Std);
        }

        #[test]
        fn smol() {
            super::$check($crate::process::Driver::Smol);
        }
    })+ };
}

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    address: SocketAddr,
    log: Arc<Log>,
}

/// What it wrote on standard error so far.
#[derive(Debug, Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

impl ServerProcess {
    /// Starts a server on a free port of 127.0.0.1 and waits until it listens.
    ///
    /// # Panics
    /// Where it does not come to listen.
    #[must_use]
    pub fn start(driver: Driver, root: &Path, flags: &[&str]) -> Self {
        Self::start_on(driver, "127.0.0.1:0", root, flags)
    }

    /// The same on any address.
    ///
    /// # Panics
    /// Where it does not come to listen.
    #[must_use]
    pub fn start_on(driver: Driver, listen: &str, root: &Path, flags: &[&str]) -> Self {
        Self::spawn(Command::new(driver.binary()), listen, root, &[&["--log-format", "json"], flags].concat(), |log| {
            log.wait_for(|line| line.contains("\"listening\""))
        })
    }

    /// The same on a free port of 127.0.0.1, by a program that changes something about itself and then becomes what its
    /// arguments say.
    ///
    /// # Panics
    /// Where it does not come to listen.
    #[must_use]
    pub fn start_by(launcher: &Path, driver: Driver, root: &Path, flags: &[&str]) -> Self {
        let mut command = Command::new(launcher);
        command.arg(driver.binary());
        Self::spawn(command, "127.0.0.1:0", root, &[&["--log-format", "json"], flags].concat(), |log| {
            log.wait_for(|line| line.contains("\"listening\""))
        })
    }

    /// The same on a free port, with its log in this file, in the form that the flags ask for.
    ///
    /// # Panics
    /// Where it does not come to listen.
    #[must_use]
    pub fn start_logging_to(file: &Path, driver: Driver, root: &Path, flags: &[&str]) -> Self {
        let name = file.to_str().expect("a test's paths are UTF-8");
        let command = Command::new(driver.binary());
        Self::spawn(command, "127.0.0.1:0", root, &[&["--log-file", name], flags].concat(), |_| {
            let mut listening = None;
            wait_until("the log file to say where it listens", || {
                let text = std::fs::read_to_string(file).unwrap_or_default();
                let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
                listening = lines.find(|line| line.contains("listening")).map(ToOwned::to_owned);
                listening.is_some()
            });
            listening.expect("waited for")
        })
    }

    fn spawn(
        mut command: Command,
        listen: &str,
        root: &Path,
        flags: &[&str],
        listening: impl FnOnce(&Log) -> String,
    ) -> Self {
        command.args(["serve", "--listen", listen, "--root"]).arg(root).args(flags);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built before");
        let log = Arc::new(Log::default());
        let stderr = BufReader::new(child.stderr.take().expect("standard error is piped"));
        let writer = Arc::clone(&log);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                writer.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                writer.grown.notify_all();
            }
        });
        let listening = listening(&log);
        let address =
            listening.split_once("address").map_or("", |(_, address)| address.trim_matches(['"', ':', '=', '}', '\n']));
        let address = address.parse().unwrap_or_else(|error| panic!("it names its address: {error}: {listening}"));
        Self { child, address, log }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it logs a line with this in it.
    ///
    /// # Panics
    /// Where it does not.
    #[must_use]
    pub fn wait_for_log(&self, part: &str) -> String {
        self.log.wait_for(|line| line.contains(part))
    }

    /// Waits until it has logged so many lines for which this is so, and gives them.
    ///
    /// # Panics
    /// Where it does not.
    #[must_use]
    pub fn wait_for_logs(&self, count: usize, is_it: impl Fn(&str) -> bool) -> Vec<String> {
        self.log.wait_for_many(count, is_it)
    }

    /// Kills it as `kill -9` does.
    ///
    /// # Panics
    /// Where the system does not let us.
    pub fn kill(mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }

    /// Sends SIGTERM, and does not wait.
    ///
    /// # Panics
    /// Where the system does not let us.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends SIGHUP: it reads its settings again.
    ///
    /// # Panics
    /// Where the system does not let us.
    pub fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// Sends SIGUSR1: it opens its logs anew.
    ///
    /// # Panics
    /// Where the system does not let us.
    pub fn reopen_logs(&self) {
        self.signal(Signal::USR1);
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id is a positive i32");
        rustix::process::kill_process(id, signal).expect("it is our child");
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// Where it does not end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the server to end", || {
            status = self.child.try_wait().expect("it is our child");
            status.is_some()
        });
        status.expect("waited for")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Log {
    fn wait_for(&self, is_it: impl Fn(&str) -> bool) -> String {
        self.wait_for_many(1, is_it).swap_remove(0)
    }

    fn wait_for_many(&self, count: usize, is_it: impl Fn(&str) -> bool) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let found: Vec<&String> = lines.iter().filter(|line| is_it(line)).collect();
            if found.len() >= count {
                return found.into_iter().cloned().collect();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{count} lines of the log, found {}:\n{}", found.len(), lines.join("\n"));
            lines = self.grown.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Looks until it is so.
///
/// # Panics
/// Where it is not so in time.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited {} s in vain for {what}", PATIENCE.as_secs());
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs a client to its end.
///
/// # Panics
/// Where it is not installed.
#[must_use]
pub fn run(command: &mut Command) -> Ran {
    run_fed(command, "")
}

/// Runs a client to its end, and types this for it.
///
/// # Panics
/// Where it is not installed.
#[must_use]
pub fn run_fed(command: &mut Command, input: &str) -> Ran {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs what is missing"));
    // A client need not read what is typed; what it then does is judged by its caller.
    let _ = child.stdin.take().expect("standard input is piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it is our child");
    Ran {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// What a client left behind.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub status: ExitStatus,
    /// Its results.
    pub stdout: String,
    /// Its talk.
    pub stderr: String,
}

impl Ran {
    /// Goes on where it succeeded.
    ///
    /// # Panics
    /// Where it did not.
    #[must_use]
    pub fn succeeded(self) -> Self {
        assert!(self.status.success(), "{}\n{}\n{}", self.status, self.stdout, self.stderr);
        self
    }
}
