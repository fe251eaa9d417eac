//! What an upload under way counts for, from its opening to whatever comes of it.

use super::disk::Disk;
use super::inode::FileId;
use super::ledger::{Counts, Hold};
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::user::HomeQuota;
use std::sync::Arc;

/// What one upload has taken of its quota, and what the ledger knows of its file.
pub(super) struct Tab {
    hold: Option<Hold>,
    /// A kept partial that is gone on with, where no quota holds it.
    counted: Counts,
    is_settled: bool,
}

impl Tab {
    /// Opens it for a new file, or for what is kept already. `replaced` is what stands under the name.
    ///
    /// # Errors
    /// [`StorageError::OverQuota`] where not one file is left.
    pub(super) fn open(
        disk: &Arc<Disk>,
        quota: Option<&HomeQuota>,
        is_new: bool,
        replaced: Counts,
    ) -> Result<Self, StorageError> {
        let wanted = Counts { bytes: 0, files: is_new.into() };
        let hold = quota.map(|of| disk.ledger.hold(disk, of, wanted, replaced)).transpose()?;
        Ok(Self { hold, counted: Counts::default(), is_settled: false })
    }

    /// The new file that it is for.
    pub(super) fn of(&mut self, file: FileId) {
        if let Some(hold) = &mut self.hold {
            hold.of(file);
        }
    }

    /// The kept partial that it is for.
    pub(super) fn take_over(&mut self, partial: Counts, file: FileId) {
        match &mut self.hold {
            Some(hold) => hold.take_over(partial, file),
            None => self.counted = partial,
        }
    }

    /// So many bytes are to be stored in all.
    ///
    /// # Errors
    /// [`StorageError::OverQuota`].
    pub(super) fn need(&mut self, bytes: u64) -> Result<(), StorageError> {
        self.hold.as_mut().map_or(Ok(()), |hold| hold.need(bytes))
    }

    /// Refuses where not one byte is left beside what it has.
    ///
    /// # Errors
    /// [`StorageError::OverQuota`].
    pub(super) fn require_a_byte(&self) -> Result<(), StorageError> {
        self.hold.as_ref().map_or(Ok(()), Hold::require_a_byte)
    }

    /// It is about to be published, and this goes by it. What stood there when it was opened may have gone before.
    ///
    /// # Errors
    /// [`StorageError::OverQuota`].
    pub(super) fn require_with(&self, replaced: Counts) -> Result<(), StorageError> {
        self.hold.as_ref().map_or(Ok(()), |hold| hold.require_with(replaced))
    }

    /// What has come of it: what stands there now, and what went by it. Once is enough.
    pub(super) fn settle(&mut self, disk: &Disk, path: &VirtualPath, stays: Counts, gone: Counts) {
        if !self.is_settled {
            self.is_settled = true;
            disk.ledger.settled(path, self.hold.take(), stays, gone.and(self.counted));
        }
    }
}
