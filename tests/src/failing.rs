//! System calls that fail in a server while it runs: `strace` sees to it, so that it is the binary's own code which
//! meets the error, at the moment that a test chooses.

use crate::process::{ServerProcess, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::{Child, Command, Stdio};

/// As long as this lives, they fail.
#[derive(Debug)]
pub struct Failing(Child);

impl Failing {
    /// From now on these calls (`pwrite64,fsync`) of the server fail with this error (`EIO`), and do nothing.
    ///
    /// # Panics
    /// Where there is no `strace`, or it may not.
    #[must_use]
    pub fn begin(server: &ServerProcess, calls: &str, error: &str) -> Self {
        let mut strace = Command::new("strace");
        let inject = format!("inject={calls}:error={error}");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &inject]);
        strace.args(["-p", &server.id().to_string()]);
        let child = strace.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("tests/run installs strace");
        wait_until("strace to attach", || all_are_traced(server.id()));
        Self(child)
    }

    /// They succeed again.
    pub fn end(self) {}
}

impl Drop for Failing {
    fn drop(&mut self) {
        // It lets go of the server then; where it has ended already, it has let go.
        if let Some(id) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, Signal::INT);
        }
        let _ = self.0.wait();
    }
}

/// Whether each thread of a process has a tracer.
pub(crate) fn all_are_traced(id: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).expect("the server runs");
    let statuses = tasks.map(|task| fs::read_to_string(task.expect("the server runs").path().join("status")));
    // A thread that has just ended makes no call any more.
    statuses.flatten().all(|status| !status.contains("TracerPid:\t0\n"))
}
