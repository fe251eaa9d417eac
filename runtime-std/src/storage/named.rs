//! One name in a directory together with what it stood for, so that it can be locked and looked at again.

use super::confine::{self, DIRECTORY, Root};
use super::errno::during;
use super::inode::{self, FileId};
use super::lock::{self, Wanted};
use mayfly_core::error::StorageError;
use mayfly_core::record::FileKind;
use rustix::fs::OFlags;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A file or directory that was opened by its name.
pub(super) struct Named {
    /// As it is spelt on disk.
    pub(super) name: Vec<u8>,
    pub(super) kind: FileKind,
    pub(super) id: FileId,
    /// Of a file.
    pub(super) size_bytes: u64,
    pub(super) handle: OwnedFd,
}

impl Named {
    /// Opens what stands under a name in `dir`; none: nothing does.
    ///
    /// # Errors
    /// [`StorageError::Denied`] where it is neither file nor directory: nobody but the operator touches such a thing.
    pub(super) fn open(root: &Root, dir: BorrowedFd<'_>, component: &str) -> Result<Option<Self>, StorageError> {
        let failed = during("opening a name");
        let (name, Some(stat)) = confine::find(dir, component).map_err(&failed)? else { return Ok(None) };
        let flags = match inode::kind(&stat) {
            FileKind::Directory => OFlags::RDONLY | DIRECTORY,
            FileKind::File => OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY,
            _ => return Err(StorageError::Denied),
        };
        let handle = root.open_beneath(dir, &name, flags).map_err(&failed)?;
        let stat = rustix::fs::fstat(&handle).map_err(&failed)?;
        let (kind, id, size_bytes) = (inode::kind(&stat), inode::id(&stat), inode::size_bytes(&stat));
        Ok(Some(Self { name, kind, id, size_bytes, handle }))
    }

    /// The lock that keeps every other server from renaming, replacing or removing it.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        lock::exclusive(self.handle.as_fd())
    }

    /// Once locked: it must stand under its name still.
    ///
    /// # Errors
    /// [`StorageError::Changed`].
    pub(super) fn require_standing(&self, dir: BorrowedFd<'_>) -> Result<(), StorageError> {
        let stands = confine::stands(dir, &self.name, self.id).map_err(during("looking at a name"))?;
        if stands { Ok(()) } else { Err(StorageError::Changed) }
    }
}
