//! The system calls of a running server, in order: `strace` writes them down.

use crate::process::{ServerProcess, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::{Child, Command, Stdio};
use tempfile::NamedTempFile;

/// As long as this lives, they are written down.
#[derive(Debug)]
pub struct Traced {
    strace: Child,
    written: NamedTempFile,
}

/// One end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its name.
    pub call: String,
    /// What it was given, descriptors with what they stand for; behind its end, what came of it too.
    pub text: String,
    /// Whether it ended here; else it began.
    pub is_end: bool,
}

impl Traced {
    /// From now on these calls (`pwrite64,fsync`) of the server are written down.
    ///
    /// # Panics
    /// Where there is no `strace`, or it may not.
    #[must_use]
    pub fn begin(server: &ServerProcess, calls: &str) -> Self {
        let written = NamedTempFile::new().expect("there is room for a file");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-y", "-s", "96", "-e", &format!("trace={calls}"), "-o"]).arg(written.path());
        strace.args(["-p", &server.id().to_string()]);
        let strace = strace.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("tests/run installs strace");
        wait_until("strace to attach", || crate::failing::all_are_traced(server.id()));
        Self { strace, written }
    }

    /// What was written down, once it is no more.
    ///
    /// # Panics
    /// Where the file is gone.
    #[must_use]
    pub fn end(mut self) -> Vec<Moment> {
        self.stop();
        let text = fs::read_to_string(self.written.path()).expect("it is ours");
        let mut begun: Vec<(String, Moment)> = Vec::new();
        let mut moments = Vec::new();
        for line in text.lines() {
            let Some((thread, line)) = line.trim_start().split_once(' ') else { continue };
            let line = line.trim_start();
            if let Some(rest) = line.strip_prefix("<... ") {
                // It began earlier; strace tells of it in two lines where another thread's call came between.
                let at = begun.iter().position(|(of, _)| of == thread);
                if let Some((_, start)) = at.map(|at| begun.remove(at)) {
                    moments.push(Moment { text: format!("{}{rest}", start.text), is_end: true, ..start });
                }
                continue;
            }
            let Some((call, text)) = line.split_once('(') else { continue };
            let start = Moment { call: call.to_owned(), text: text.to_owned(), is_end: false };
            moments.push(start.clone());
            if line.ends_with("<unfinished ...>") {
                begun.push((thread.to_owned(), start));
            } else {
                moments.push(Moment { is_end: true, ..start });
            }
        }
        moments
    }

    fn stop(&mut self) {
        // It lets go of the server then, and writes all that it knows.
        if let Some(id) = i32::try_from(self.strace.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, Signal::INT);
        }
        let _ = self.strace.wait();
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        self.stop();
    }
}
