//! The directories from the root down to a path, as one thing to be locked, looked at again and judged.

use super::confine::{self, DIRECTORY, Root};
use super::errno::during;
use super::inode::{self, FileId};
use super::lock::{self, Wanted};
use super::record;
use mayfly_core::error::StorageError;
use mayfly_core::expiry;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{Record, RecordAt};
use rustix::fs::OFlags;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The directories on the way to a path, each opened in the one before; all of them stand. The root has none: it is
/// no storage path, never renamed and never removed.
pub(super) struct Way<'r> {
    root: &'r Root,
    steps: Vec<Step>,
}

struct Step {
    /// As it is spelt on disk.
    name: Vec<u8>,
    handle: OwnedFd,
    id: FileId,
    record: Option<Record>,
}

impl<'r> Way<'r> {
    /// Opens them, without a lock and without their records.
    pub(super) fn open(root: &'r Root, path: &VirtualPath) -> Result<Self, StorageError> {
        let mut way = Self { root, steps: Vec::with_capacity(path.depth()) };
        for component in path.components() {
            let (handle, name) = root
                .open_component(way.dir(), component, OFlags::RDONLY | DIRECTORY)
                .map_err(during("opening a directory"))?;
            let stat = rustix::fs::fstat(&handle).map_err(during("looking at a directory"))?;
            way.steps.push(Step { name, handle, id: inode::id(&stat), record: None });
        }
        Ok(way)
    }

    /// Opens them, shares every one with others who do, and looks again: while it lives, no server renames, removes,
    /// trashes or gives another record to any of them.
    pub(super) fn hold_shared(root: &'r Root, path: &VirtualPath) -> Result<Self, StorageError> {
        let mut way = Self::open(root, path)?;
        lock::all(&way.wanted_shared())?;
        way.look_again()?;
        Ok(way)
    }

    /// Opens them, takes the last for itself alone, and looks again.
    pub(super) fn hold_exclusive(root: &'r Root, path: &VirtualPath) -> Result<Self, StorageError> {
        let mut way = Self::open(root, path)?;
        lock::all(&[lock::exclusive(way.dir())])?;
        way.look_again()?;
        Ok(way)
    }

    /// The locks that share every directory.
    pub(super) fn wanted_shared(&self) -> Vec<Wanted<'_>> {
        self.steps.iter().map(|step| lock::shared(step.handle.as_fd())).collect()
    }

    /// Once locked: the same inodes must stand under the names still. Reads the records.
    ///
    /// # Errors
    /// [`StorageError::Changed`]; [`StorageError::RecordUnreadable`].
    pub(super) fn look_again(&mut self) -> Result<(), StorageError> {
        for at in 0..self.steps.len() {
            let step = &self.steps[at];
            if !confine::stands(self.above(at), &step.name, step.id).map_err(during("looking at a directory"))? {
                return Err(StorageError::Changed);
            }
            self.steps[at].record = record::read(self.root, step.handle.as_fd())?;
        }
        Ok(())
    }

    /// The last directory.
    pub(super) fn dir(&self) -> BorrowedFd<'_> {
        self.above(self.steps.len())
    }

    /// The directory that holds the last one's name.
    pub(super) fn parent(&self) -> BorrowedFd<'_> {
        self.above(self.steps.len().saturating_sub(1))
    }

    /// The last directory's name, as it is spelt on disk; empty for the root.
    pub(super) fn name(&self) -> &[u8] {
        self.steps.last().map_or(&[], |step| &step.name)
    }

    /// The last directory's own record, as it was when looked at again.
    pub(super) fn record(&self) -> Option<&Record> {
        self.steps.last()?.record.as_ref()
    }

    /// All records, as they were when looked at again.
    pub(super) fn records(&self) -> Vec<RecordAt> {
        let records = self.steps.iter().zip(1..).filter_map(|(step, depth)| Some((depth, step.record.clone()?)));
        records.map(|(depth, record)| RecordAt { depth, record }).collect()
    }

    /// Refuses where the records are others than `judged`, or say that the path has expired.
    pub(super) fn require(&self, judged: &[RecordAt], utc_s: i64) -> Result<(), StorageError> {
        if self.records() != judged {
            return Err(StorageError::Changed);
        }
        self.require_living(utc_s)
    }

    /// Refuses where a record on the way says that the path has expired.
    pub(super) fn require_living(&self, utc_s: i64) -> Result<(), StorageError> {
        let mut records = self.steps.iter().filter_map(|step| step.record.as_ref());
        let expired = records.any(|record| expiry::is_expired(record.expiry_s, utc_s));
        if expired { Err(StorageError::Expired) } else { Ok(()) }
    }

    fn above(&self, at: usize) -> BorrowedFd<'_> {
        at.checked_sub(1).map_or(self.root.fd(), |above| self.steps[above].handle.as_fd())
    }
}
