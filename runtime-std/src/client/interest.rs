//! What a driver of the client waits for.

use std::os::fd::{AsFd, BorrowedFd};

/// A descriptor to wait for.
#[derive(Clone, Copy, Debug)]
pub struct Interest<'a> {
    /// The descriptor.
    pub fd: BorrowedFd<'a>,
    /// Wait until it can be read from.
    pub readable: bool,
    /// Wait until it can be written to.
    pub writable: bool,
}

impl<'a> Interest<'a> {
    pub(super) fn readable(fd: &'a impl AsFd) -> Self {
        Self { fd: fd.as_fd(), readable: true, writable: false }
    }

    pub(super) fn writable(fd: &'a impl AsFd) -> Self {
        Self { fd: fd.as_fd(), readable: false, writable: true }
    }
}
