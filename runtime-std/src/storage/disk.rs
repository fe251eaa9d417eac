//! What every part of the local storage needs.

use super::confine::Root;
use super::durability::Durability;
use super::errno::during;
use super::ledger::Ledger;
use super::room::MinFree;
use super::unreadable::Unreadable;
use crate::clock::Clock;
use mayfly_core::error::StorageError;
use rustix::fs::Mode;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The root, the clock, and what the operator wants.
pub(super) struct Disk {
    pub(super) root: Root,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) durability: Durability,
    pub(super) modes: Modes,
    /// What uploads leave free.
    pub(super) min_free: MinFree,
    /// Whether to try `O_TMPFILE` before a reserved name.
    pub(super) unnamed_files: bool,
    /// From this size on an upload has its reserved name, so that even the server's death leaves it resumable.
    pub(super) named_from_bytes: u64,
    /// How much stands beneath homes with a quota.
    pub(super) ledger: Ledger,
    /// Records that cannot be read.
    pub(super) unreadable: Unreadable,
    /// Whether files may have dates of their own.
    pub(super) has_dated_files: AtomicBool,
}

/// Permission bits of what is made for clients, less the process's umask.
pub(super) struct Modes {
    pub(super) file: Mode,
    pub(super) directory: Mode,
}

impl Default for Modes {
    fn default() -> Self {
        Self::of(0o644, 0o755)
    }
}

impl Modes {
    pub(super) fn of(file: u16, directory: u16) -> Self {
        Self { file: Mode::from_raw_mode(file.into()), directory: Mode::from_raw_mode(directory.into()) }
    }
}

impl Disk {
    /// The present second.
    pub(super) fn utc_s(&self) -> i64 {
        self.clock.now().utc_s
    }

    /// Whether files may have dates of their own, so that each is to be asked for it.
    pub(super) fn has_dated_files(&self) -> bool {
        self.has_dated_files.load(Ordering::Relaxed)
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
