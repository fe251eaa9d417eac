//! Asks for a password on the terminal, without showing it.

use super::driver::Interrupter;
use rustix::event::{PollFd, PollFlags};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};

/// Asks on the terminal, which standard input need not be.
///
/// # Errors
/// `NotFound` where there is no terminal, `Interrupted` where the user wants to stop; else the system's.
pub(crate) fn ask(prompt: &str, interrupter: &Interrupter) -> io::Result<String> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|_| ErrorKind::NotFound)?;
    let silence = Silence::begin(&terminal)?;
    write!(terminal, "{prompt}: ")?;
    let answered = read_line(&mut terminal, interrupter);
    drop(silence);
    // The user's own line end was not shown either.
    let _ = writeln!(terminal);
    answered
}

fn read_line(terminal: &mut File, interrupter: &Interrupter) -> io::Result<String> {
    let mut fds = [PollFd::new(&*terminal, PollFlags::IN), PollFd::from_borrowed_fd(interrupter.word(), PollFlags::IN)];
    while let Err(errno) = rustix::event::poll(&mut fds, None) {
        if errno != rustix::io::Errno::INTR {
            return Err(errno.into());
        }
    }
    if interrupter.is_raised() {
        return Err(ErrorKind::Interrupted.into());
    }
    let mut line = vec![0; LINE_BYTES_MAX];
    let bytes = terminal.read(&mut line)?;
    line.truncate(bytes);
    let line = String::from_utf8(line).map_err(|_| ErrorKind::InvalidData)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that does not show what is typed; it shows it again when this is dropped.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    fn begin(terminal: &File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal: terminal.try_clone()?, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // Where this fails, the terminal is gone.
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// A terminal hands out no longer line (`N_TTY_BUF_SIZE`).
const LINE_BYTES_MAX: usize = 4096;
