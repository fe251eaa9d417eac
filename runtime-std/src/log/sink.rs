//! Where the lines go.

use super::file::LogFile;
use super::xferlog;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tracing::{error, info};

/// The file, where lines do not go to standard error.
static FILE: Mutex<Option<LogFile>> = Mutex::new(None);

/// Sends lines to this file from now on; none: to standard error.
pub(super) fn aim(file: Option<LogFile>) {
    *FILE.lock().unwrap_or_else(PoisonError::into_inner) = file;
}

/// Opens the files of the log anew, those that were moved away among them: what was written up to now is in the old ones,
/// and no line is lost in between. Where one cannot be opened, its old one stays, and the log says so.
pub fn reopen() {
    let log = FILE.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(reopen_file);
    let transfers =
        xferlog::FILE.get().map(|file| reopen_file(&mut file.lock().unwrap_or_else(PoisonError::into_inner)));
    // After the locks are free: these lines go through them.
    for (path, outcome) in [log, transfers].into_iter().flatten() {
        match outcome {
            Ok(()) => info!(file = path, "log file opened anew"),
            Err(error) => error!(file = path, %error, "the log file cannot be opened anew; the old one stays"),
        }
    }
}

/// Whether this process has begun the log's file of this path: what it holds then is this process's own.
pub(crate) fn has_begun(path: &Path) -> bool {
    let log = FILE.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|file| file.has_begun(path));
    let transfers = xferlog::FILE.get().map(|file| file.lock().unwrap_or_else(PoisonError::into_inner));
    log || transfers.is_some_and(|file| file.has_begun(path))
}

fn reopen_file(file: &mut LogFile) -> (String, io::Result<()>) {
    (file.path().display().to_string(), file.reopen())
}

/// Takes one line with each write.
pub(super) struct Sink;

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let lost = if let Some(file) = FILE.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            file.append(line)
        } else {
            // What nobody reads is lost; a session goes on without.
            let _ = io::stderr().lock().write_all(line);
            0
        };
        if lost > 0 {
            error!(lost, "lines of the log could not be written");
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
