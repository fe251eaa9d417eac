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
    if size_bytes > free_bytes(dir)? { Err(StorageError::NoSpace) } else { Ok(()) }
}

/// How much room the file system of `dir` has for the unprivileged, bytes.
pub(super) fn free_bytes(dir: BorrowedFd<'_>) -> Result<u64, StorageError> {
    let stat = rustix::fs::fstatvfs(dir).map_err(during("asking for room"))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
