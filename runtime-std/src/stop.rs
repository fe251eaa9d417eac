//! How a server's threads learn that it shuts down: each polls a descriptor that becomes readable, for all at once.

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// How far the shut down has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It has not begun.
    #[default]
    Serving,
    /// The idle go, transfers may end.
    Ending,
    /// All go.
    Cut,
}

/// The word from the server to its threads.
#[derive(Debug)]
pub(crate) struct Stop {
    end: Flag,
    cut: Flag,
}

/// Readable for everybody once raised, for it is never read.
#[derive(Debug)]
struct Flag {
    fd: OwnedFd,
    raised: AtomicBool,
}

impl Stop {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { end: Flag::new()?, cut: Flag::new()? })
    }

    /// Transfers may end, everything else goes.
    pub(crate) fn end(&self) {
        self.end.raise();
    }

    /// Everything goes.
    pub(crate) fn cut(&self) {
        self.end.raise();
        self.cut.raise();
    }

    pub(crate) fn stage(&self) -> Stage {
        if self.cut.raised.load(Ordering::SeqCst) {
            Stage::Cut
        } else if self.end.raised.load(Ordering::SeqCst) {
            Stage::Ending
        } else {
            Stage::Serving
        }
    }

    /// Readable from the first word on.
    pub(crate) fn word(&self) -> BorrowedFd<'_> {
        self.end.fd.as_fd()
    }

    /// What to poll for the stage after this one; none after the last.
    pub(crate) fn interest(&self, heard: Stage) -> Option<PollFd<'_>> {
        match heard {
            Stage::Serving => Some(PollFd::new(&self.end.fd, PollFlags::IN)),
            Stage::Ending => Some(PollFd::new(&self.cut.fd, PollFlags::IN)),
            Stage::Cut => None,
        }
    }
}

impl Flag {
    fn new() -> io::Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { fd, raised: AtomicBool::new(false) })
    }

    fn raise(&self) {
        if !self.raised.swap(true, Ordering::SeqCst) {
            // It holds at most this 1, so that it cannot overflow, the only way for this to fail.
            let _ = rustix::io::write(&self.fd, &1_u64.to_ne_bytes());
        }
    }
}
