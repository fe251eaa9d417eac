//! The time of making that a client has set. No file system lets one set its own, so it is kept beside it, in an
//! extended attribute of the inode, which goes where the file goes.

use super::errno::during;
use mayfly_core::error::StorageError;
use rustix::fs::XattrFlags;
use rustix::io::Errno;
use std::os::fd::{AsRawFd, BorrowedFd};

/// What a client has set for this inode, UTC seconds; none: nothing. The handle may be one to look names up through.
pub(super) fn kept(handle: BorrowedFd<'_>) -> Option<i64> {
    // Such a handle has no attributes of its own; by this way it has.
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    let mut value = [0; DIGITS_MAX];
    let length = rustix::fs::getxattr(path, NAME, &mut value[..]).ok()?;
    str::from_utf8(value.get(..length)?).ok()?.parse().ok()
}

/// The same for a name in a directory, never through a link.
pub(super) fn kept_at(dir: BorrowedFd<'_>, name: &[u8]) -> Option<i64> {
    let path = [b"/proc/self/fd/", dir.as_raw_fd().to_string().as_bytes(), b"/", name].concat();
    let mut value = [0; DIGITS_MAX];
    let length = rustix::fs::lgetxattr(path, NAME, &mut value[..]).ok()?;
    str::from_utf8(value.get(..length)?).ok()?.parse().ok()
}

/// Keeps it, or forgets it. The handle must be open for reading.
///
/// # Errors
/// [`StorageError::Unsupported`] where the file system has no such attributes.
pub(super) fn keep(handle: BorrowedFd<'_>, created_s: Option<i64>) -> Result<(), StorageError> {
    let outcome = match created_s {
        Some(created_s) => rustix::fs::fsetxattr(handle, NAME, created_s.to_string().as_bytes(), XattrFlags::empty()),
        None => rustix::fs::fremovexattr(handle, NAME),
    };
    match outcome {
        Err(Errno::OPNOTSUPP) => Err(StorageError::Unsupported),
        Err(Errno::NODATA) => Ok(()),
        outcome => outcome.map_err(during("setting the time of making")),
    }
}

const NAME: &str = "user.mayfly.created";
/// As many as an `i64` has, and its sign.
const DIGITS_MAX: usize = 20;
