//! Publishing an upload: dated, synced, and given its name in one step (DESIGN 5).

use super::directory::rename_new;
use super::durability::Durability;
use super::errno::during;
use super::inode::{self, Inode};
use super::ledger::Counts;
use super::named::Named;
use super::upload::{Aside, LocalUpload, Synced};
use super::way::Way;
use super::{dated, lock, name, partial, record};
use mayfly_core::error::StorageError;
use mayfly_core::record::{FileInfo, FileKind, RecordAt};
use rustix::fs::AtFlags;
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

impl LocalUpload {
    /// One try at it. On `Changed` it stays open.
    pub(super) fn try_publish(
        &mut self,
        replace: bool,
        judged: &[RecordAt],
        expiry_s: Option<i64>,
    ) -> Result<FileInfo, StorageError> {
        self.cut_tail()?;
        self.date(expiry_s)?;
        // The slow part, before anything is locked.
        self.sync()?;
        let disk = Arc::clone(&self.disk);
        let way = match Way::hold_shared(&disk.root, &self.path.parent()) {
            // It may have expired, which only a new judgement tells; whoever has judged anew hears that it is gone.
            Err(StorageError::NotFound | StorageError::NotDirectory) if !self.was_gone => {
                self.was_gone = true;
                return Err(StorageError::Changed);
            }
            outcome => outcome?,
        };
        self.was_gone = false;
        way.require(judged, disk.utc_s())?;
        let _step = disk.ledger.step();
        let replaced = self.publish_on(&way, replace)?;
        self.aside = Aside::Refused;
        self.tab.settle(&disk, &self.path, Counts::file(self.size_bytes), replaced);
        disk.sync_names(way.dir())?;
        record::drop_tombstone(&disk.root, way.dir(), self.path.name());
        // An older part of this name has no more use; if it stays, it is swept in time.
        if let Ok(Some(bytes)) = partial::remove(&disk.root, way.dir(), self.path.name()) {
            disk.ledger.removed(&self.path, Counts::file(bytes));
        }
        let seen = Inode::of(&self.file).map_err(during("looking at a file"))?;
        Ok(FileInfo { expiry_s, ..seen.info() })
    }

    /// Gives the file its date while it has no name yet, so that at no moment it stands there without.
    fn date(&mut self, expiry_s: Option<i64>) -> Result<(), StorageError> {
        if self.dated_s != expiry_s {
            dated::mark_for(&self.disk, expiry_s)?;
            dated::set(self.file.as_fd(), expiry_s)?;
            self.dated_s = expiry_s;
            self.synced = Synced::No;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        if self.synced != Synced::Yes && self.disk.durability != Durability::None {
            // `fdatasync` leaves out what no later reading of the bytes needs; a date is to be as durable as they are.
            let synced = match self.dated_s {
                None => rustix::fs::fdatasync(&self.file),
                Some(_) => rustix::fs::fsync(&self.file),
            };
            if synced.is_err() {
                self.synced = Synced::Failed;
            }
            synced.map_err(during("syncing an upload"))?;
        }
        self.synced = Synced::Yes;
        Ok(())
    }

    /// Tells what it has replaced.
    fn publish_on(&mut self, way: &Way<'_>, replace: bool) -> Result<Counts, StorageError> {
        let root = &self.disk.root;
        let there = Named::open(root, way.dir(), self.path.name())?;
        match &there {
            Some(there) if there.kind == FileKind::Directory => return Err(StorageError::IsDirectory),
            Some(there) if !replace && !dated::gives_way(&self.disk, there) => return Err(StorageError::Exists),
            Some(there) => {
                lock::all(&[there.wanted()])?;
                there.require_standing(way.dir())?;
            }
            None => {}
        }
        self.require_base(there.as_ref())?;
        let replaced = there.as_ref().map_or_else(Counts::default, |there| Counts::file(there.size_bytes));
        self.tab.require_with(replaced)?;
        let placed = match &there {
            Some(there) => self.place_over(way.dir(), &there.name),
            None => self.place_new(way.dir(), self.path.name().as_bytes()),
        };
        match placed {
            // Another was faster, between the look and the step.
            Err(Errno::EXIST) if replace => Err(StorageError::Changed),
            placed => placed.map(|()| replaced).map_err(during("publishing an upload")),
        }
    }

    /// What was copied must stand there still, lest what another has appended be lost (DESIGN 5).
    fn require_base(&self, there: Option<&Named>) -> Result<(), StorageError> {
        let Some(base) = &self.base else { return Ok(()) };
        let base = rustix::fs::fstat(base).map_err(during("looking at a file"))?;
        let stands = there.is_some_and(|there| there.id == inode::id(&base));
        if stands { Ok(()) } else { Err(StorageError::Changed) }
    }

    fn place_new(&self, dir: BorrowedFd<'_>, to: &[u8]) -> Result<(), Errno> {
        match &self.aside {
            Aside::Unnamed | Aside::Refused => link(&self.file, dir, to),
            Aside::Temporary(temp) => rename_new(self.parent.as_fd(), temp, dir, to),
            Aside::Partial { parts, .. } if self.is_in(parts.as_fd())? => {
                rename_new(parts.as_fd(), self.path.name().as_bytes(), dir, to)
            }
            // Somebody who holds no lock took its name away; a file that has none left cannot get one.
            Aside::Partial { .. } => Err(Errno::IO),
        }
    }

    fn place_over(&self, dir: BorrowedFd<'_>, to: &[u8]) -> Result<(), Errno> {
        match &self.aside {
            Aside::Temporary(temp) => rustix::fs::renameat(&self.parent, temp, dir, to),
            Aside::Partial { parts, .. } if self.is_in(parts.as_fd())? => {
                rustix::fs::renameat(parts, self.path.name().as_bytes(), dir, to)
            }
            Aside::Partial { .. } => Err(Errno::IO),
            Aside::Unnamed | Aside::Refused => {
                let temp = name::random(name::TEMP)?;
                link(&self.file, dir, &temp)?;
                let outcome = rustix::fs::renameat(dir, &temp, dir, to);
                if outcome.is_err() {
                    // The error that counts is the first; a left-over is swept by the walk.
                    let _ = rustix::fs::unlinkat(dir, &temp, AtFlags::empty());
                }
                outcome
            }
        }
    }
}

/// Gives an open file a name that must be free.
pub(super) fn link(file: &File, dir: BorrowedFd<'_>, to: &[u8]) -> Result<(), Errno> {
    match rustix::fs::linkat(file, c"", dir, to, AtFlags::EMPTY_PATH) {
        // Some kernels let only a privileged process link by handle alone; they have this way for the others.
        Err(Errno::NOENT | Errno::PERM | Errno::INVAL) => {
            use std::os::fd::AsRawFd as _;
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            rustix::fs::linkat(rustix::fs::CWD, path, dir, to, AtFlags::SYMLINK_FOLLOW)
        }
        outcome => outcome,
    }
}
