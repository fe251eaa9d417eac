//! A log's file: appended to, opened anew when it was moved away, and no reason for a session to fail.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Lines go to its end.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Whether there was none before.
    is_new: bool,
    /// Lines that could not be written since the last one that could.
    lost: u64,
    /// Whether the last line broke off.
    is_torn: bool,
}

impl LogFile {
    /// Opens the file, and makes it where there is none.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // A working directory that changes must not move the log.
        let path = std::path::absolute(path)?;
        let (file, is_new) = match options().create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (open(&path)?, false),
            begun => (begun?, true),
        };
        Ok(Self { path, file, is_new, lost: 0, is_torn: false })
    }

    /// Goes on in the file that stands under the name now. Where it cannot be opened, the old one stays.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        self.file = open(&self.path)?;
        self.is_torn = false;
        Ok(())
    }

    /// Whether it is the one of this path, and this process has begun it.
    pub(super) fn has_begun(&self, path: &Path) -> bool {
        self.is_new && std::path::absolute(path).is_ok_and(|path| path == self.path)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes whole lines. A disk that is full loses them; they are counted, and the number is handed out by the next
    /// line that could be written.
    pub(super) fn append(&mut self, lines: &[u8]) -> u64 {
        let outcome = self.end_torn_line().and_then(|()| self.write(lines));
        if outcome.is_err() {
            self.lost = self.lost.saturating_add(1);
            return 0;
        }
        std::mem::take(&mut self.lost)
    }

    fn end_torn_line(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.write_all(b"\n")?;
            self.is_torn = false;
        }
        Ok(())
    }

    /// One write where the system takes it all: lines of several processes do not mix.
    fn write(&mut self, mut lines: &[u8]) -> io::Result<()> {
        while !lines.is_empty() {
            match self.file.write(lines) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    lines = lines.get(written..).unwrap_or_default();
                    self.is_torn = !lines.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What a log tells is not for everybody.
const MODE: u32 = 0o640;

fn open(path: &Path) -> io::Result<File> {
    options().create(true).open(path)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).mode(MODE);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn no_line_is_lost_where_the_file_is_moved_away() {
        let dir = tempfile::tempdir().unwrap();
        let (path, old) = (dir.path().join("log"), dir.path().join("log.1"));
        fs::write(&path, "before\n").unwrap();
        let mut log = LogFile::open(&path).unwrap();
        log.append(b"one\n");
        fs::rename(&path, &old).unwrap();
        log.append(b"two\n");
        log.reopen().unwrap();
        log.append(b"three\n");
        // A signal where nothing was moved.
        log.reopen().unwrap();
        log.append(b"four\n");
        assert_eq!(fs::read_to_string(&old).unwrap(), "before\none\ntwo\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\nfour\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0, "not for everybody");
    }

    #[test]
    fn the_old_file_stays_where_the_new_one_cannot_be_made() {
        let dir = tempfile::tempdir().unwrap();
        let (logs, moved) = (dir.path().join("logs"), dir.path().join("moved"));
        fs::create_dir(&logs).unwrap();
        let mut log = LogFile::open(&logs.join("log")).unwrap();
        fs::rename(&logs, &moved).unwrap();
        assert!(log.reopen().is_err());
        log.append(b"still here\n");
        assert_eq!(fs::read_to_string(moved.join("log")).unwrap(), "still here\n");
    }

    #[test]
    fn a_full_disk_costs_lines_and_they_are_counted() {
        let mut log = LogFile::open(Path::new("/dev/full")).unwrap();
        assert_eq!(log.append(b"one\n"), 0);
        assert_eq!(log.append(b"two\n"), 0);
        let dir = tempfile::tempdir().unwrap();
        log.path = dir.path().join("log");
        log.reopen().unwrap();
        assert_eq!(log.append(b"three\n"), 2, "what went before it is told");
        assert_eq!(log.append(b"four\n"), 0, "once");
    }
}
