//! What every part of the local storage needs.

use super::confine::Root;
use super::durability::Durability;
use super::errno::during;
use crate::clock::Clock;
use mayfly_core::error::StorageError;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// The root, the clock, and what the operator wants.
pub(super) struct Disk {
    pub(super) root: Root,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) durability: Durability,
    /// Whether to try `O_TMPFILE` before a reserved name.
    pub(super) unnamed_files: bool,
    /// From this size on an upload has its reserved name, so that even the server's death leaves it resumable.
    pub(super) named_from_bytes: u64,
}

impl Disk {
    /// The present second.
    pub(super) fn utc_s(&self) -> i64 {
        self.clock.now().utc_s
    }

    /// Makes what was done to a directory's names outlive a crash, where the operator wants that.
    pub(super) fn sync_names(&self, dir: BorrowedFd<'_>) -> Result<(), StorageError> {
        match self.durability {
            Durability::Full => rustix::fs::fsync(dir).map_err(during("syncing a directory")),
            Durability::Data | Durability::None => Ok(()),
        }
    }
}

/// See [`Disk::named_from_bytes`].
pub(super) const NAMED_FROM_BYTES: u64 = 64 << 20;
