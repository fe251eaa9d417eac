//! Room on the disk, and what of it uploads leave free.

use super::errno::during;
use mayfly_core::error::StorageError;
use rustix::fs::StatVfs;
use std::os::fd::BorrowedFd;

/// What uploads leave free, so that whatever else lives on the disk has room still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinFree {
    /// So many bytes.
    Bytes(u64),
    /// This part of the file system, less than 100.
    Percent(u8),
}

impl Default for MinFree {
    fn default() -> Self {
        Self::Bytes(0)
    }
}

impl MinFree {
    /// Whether anything is kept free beyond what the system itself keeps.
    pub(super) fn is_any(self) -> bool {
        !matches!(self, Self::Bytes(0) | Self::Percent(0))
    }

    fn bytes(self, disk: &StatVfs) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => {
                (disk.f_blocks / 100).saturating_mul(percent.into()).saturating_mul(disk.f_frsize)
            }
        }
    }

    /// Refuses unless the file system of `dir` has this much room for the unprivileged beside what is kept free. A
    /// promise it is not: another may take it first.
    ///
    /// # Errors
    /// [`StorageError::NoSpace`].
    pub(super) fn require(self, dir: BorrowedFd<'_>, size_bytes: u64) -> Result<(), StorageError> {
        if self.has_room(dir, size_bytes)? { Ok(()) } else { Err(StorageError::NoSpace) }
    }

    /// How much room the file system of `dir` has for the unprivileged beside what is kept free, bytes.
    pub(super) fn room_bytes(self, dir: BorrowedFd<'_>) -> Result<u64, StorageError> {
        let disk = look(dir)?;
        Ok(free_bytes(&disk).saturating_sub(self.bytes(&disk)))
    }

    fn has_room(self, dir: BorrowedFd<'_>, size_bytes: u64) -> Result<bool, StorageError> {
        let disk = look(dir)?;
        let kept_bytes = self.bytes(&disk);
        // Nobody knows how much is to come: as long as what is kept free is free, something may.
        Ok(free_bytes(&disk) >= size_bytes.saturating_add(kept_bytes))
    }
}

fn look(dir: BorrowedFd<'_>) -> Result<StatVfs, StorageError> {
    rustix::fs::fstatvfs(dir).map_err(during("asking for room"))
}

fn free_bytes(disk: &StatVfs) -> u64 {
    disk.f_bavail.saturating_mul(disk.f_frsize)
}
