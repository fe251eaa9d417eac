//! The trash.

use super::confine::Root;
use super::name;
use super::record::reserved_dir;
use rustix::io::Errno;
use std::os::fd::BorrowedFd;

/// Moves a directory that the caller holds into the trash.
pub(super) fn take_in(root: &Root, parent: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    let trash = reserved_dir(root, root.fd(), name::TRASH)?;
    match rustix::fs::renameat(parent, name, &trash, name::random("")?) {
        // Another file system is mounted beneath the root: the walk removes it from where it lies.
        Err(Errno::XDEV) => rustix::fs::renameat(parent, name, parent, name::random(name::DOOMED)?),
        outcome => outcome,
    }
}
