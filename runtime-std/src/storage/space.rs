//! Room on the disk.

use super::errno::during;
use mayfly_core::error::StorageError;
use std::os::fd::BorrowedFd;

/// Refuses unless the file system of `dir` has this much room for the unprivileged. A promise it is not: another may
/// take it first.
///
/// # Errors
/// [`StorageError::NoSpace`].
pub(super) fn require(dir: BorrowedFd<'_>, size_bytes: u64) -> Result<(), StorageError> {
    let stat = rustix::fs::fstatvfs(dir).map_err(during("asking for room"))?;
    let free_bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
    if size_bytes > free_bytes { Err(StorageError::NoSpace) } else { Ok(()) }
}
