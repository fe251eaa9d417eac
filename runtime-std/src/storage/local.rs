//! The local disk as a [`Storage`].

use super::capped::Capped;
use super::confine::Root;
use super::dated::{self, KeepError};
use super::disk::{Disk, Modes, NAMED_FROM_BYTES};
use super::durability::Durability;
use super::errno::during;
use super::ledger::{Counts, Hold, Ledger};
use super::room::MinFree;
use super::trash::{self, Emptier};
use super::unreadable::Unreadable;
use super::{Download, Emptied, Listing, ListingQuery, Rename, Storage, Upload, Walk};
use super::{check, directory, download, facts, home, listing, name, record, rename, upload, walk};
use crate::clock::Clock;
use mayfly_core::action::{NewFacts, UploadBase};
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileInfo, PathState, Record};
use mayfly_core::settings::Keep;
use mayfly_core::user::HomeQuota;
use rustix::fs::OFlags;
use std::fmt;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

/// A directory of the local disk. Several of them, also of several servers, may share one root.
pub struct LocalStorage {
    pub(super) disk: Arc<Disk>,
    pub(super) emptier: Mutex<Emptier>,
    /// The largest file; none: no bound.
    pub(super) file_bytes_max: Option<u64>,
}

impl LocalStorage {
    /// Opens `root`, which stands.
    ///
    /// # Errors
    /// The system's.
    pub fn open(root: &Path, durability: Durability, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        outlive_size_limits()?;
        let root = Root::open(root)?;
        // Made while there is room: a full disk must not keep from the trash what would make room on it. Where it cannot
        // be made, nothing can be moved into it either, and that will tell.
        let _ = record::reserved_dir(&root, root.fd(), name::TRASH);
        let modes = Modes::default();
        let disk = Disk {
            root,
            clock,
            durability,
            modes,
            min_free: MinFree::default(),
            unnamed_files: true,
            named_from_bytes: NAMED_FROM_BYTES,
            ledger: Ledger::default(),
            unreadable: Unreadable::default(),
            has_dated_files: AtomicBool::new(false),
        };
        dated::look(&disk);
        Ok(Self { disk: Arc::new(disk), emptier: Mutex::default(), file_bytes_max: None })
    }

    /// The same, where new files and directories get these permission bits, less the process's umask. Nothing may have
    /// been opened in it yet.
    #[must_use]
    pub fn with_modes(mut self, file: u16, directory: u16) -> Self {
        if let Some(disk) = Arc::get_mut(&mut self.disk) {
            disk.modes = Modes::of(file, directory);
        }
        self
    }

    /// The same, where no upload may become larger.
    #[must_use]
    pub fn with_file_bytes_max(mut self, file_bytes_max: Option<u64>) -> Self {
        self.file_bytes_max = file_bytes_max;
        self
    }

    /// The same, where uploads leave so much free. Nothing may have been opened in it yet.
    #[must_use]
    pub fn with_min_free(mut self, min_free: MinFree) -> Self {
        if let Some(disk) = Arc::get_mut(&mut self.disk) {
            disk.min_free = min_free;
        }
        self
    }

    /// The same, where files get dates of their own: the places are made where they are missing, and tried.
    ///
    /// # Errors
    /// [`KeepError`] where a place cannot have such files.
    pub fn with_keep(self, keep: &[Keep]) -> Result<Self, KeepError> {
        dated::prepare(&self.disk, keep)?;
        Ok(self)
    }

    /// Whether the kernel itself keeps paths beneath the root; else they are walked component by component.
    #[must_use]
    pub fn uses_openat2(&self) -> bool {
        self.disk.root.uses_openat2()
    }
}

/// Lets a write beyond `RLIMIT_FSIZE` fail, as DESIGN 5 wants it, instead of ending the process by a signal.
fn outlive_size_limits() -> std::io::Result<()> {
    static IS_HEARD: Mutex<bool> = Mutex::new(false);
    let mut is_heard = IS_HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    if !*is_heard {
        signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
        *is_heard = true;
    }
    Ok(())
}

impl LocalStorage {
    fn hold(&self, quota: Option<&HomeQuota>, wanted: Counts) -> Result<Option<Hold>, StorageError> {
        quota.map(|of| self.disk.ledger.hold(&self.disk, of, wanted, Counts::default())).transpose()
    }
}

impl fmt::Debug for LocalStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalStorage").field("root", &self.disk.root).finish_non_exhaustive()
    }
}

impl Storage for LocalStorage {
    fn check(&self, path: &VirtualPath) -> Result<PathState, StorageError> {
        check::check(&self.disk, path)
    }

    fn set_expiry(&self, path: &VirtualPath, judged: &Record, expiry_s: Option<i64>) -> Result<(), StorageError> {
        directory::set_expiry(&self.disk, path, judged, expiry_s)
    }

    fn make_directory(
        &self,
        path: &VirtualPath,
        record: &Record,
        replaces: Option<&Record>,
        quota: Option<&HomeQuota>,
    ) -> Result<(), StorageError> {
        // Held while it is made, so that no other takes the last one meanwhile.
        let _held = self.hold(quota, Counts::directory())?;
        let _step = self.disk.ledger.step();
        directory::make(&self.disk, path, record, replaces)
    }

    fn make_home(&self, path: &VirtualPath) -> Result<(), StorageError> {
        let _step = self.disk.ledger.step();
        home::make(&self.disk, path)
    }

    fn remove_directory(&self, path: &VirtualPath, judged: Option<&Record>) -> Result<(), StorageError> {
        let _step = self.disk.ledger.step();
        directory::remove(&self.disk, path, judged)
    }

    fn remove_file(&self, path: &VirtualPath, unique: Option<&str>) -> Result<(), StorageError> {
        let _step = self.disk.ledger.step();
        rename::remove_file(&self.disk, path, unique)
    }

    fn rename(&self, asked: &Rename<'_>) -> Result<(), StorageError> {
        let _held = match asked.quota {
            Some(_) => self.hold(asked.quota, rename::counts(&self.disk, asked.from)?)?,
            None => None,
        };
        let _step = self.disk.ledger.step();
        rename::rename(&self.disk, asked)
    }

    fn open_read(
        &self,
        path: &VirtualPath,
        offset_bytes: u64,
        end_bytes: Option<u64>,
    ) -> Result<(FileInfo, Box<dyn Download>), StorageError> {
        download::open(&self.disk.root, path, offset_bytes, end_bytes)
    }

    fn open_write(
        &self,
        path: &VirtualPath,
        base: UploadBase,
        announced_bytes: Option<u64>,
        quota: Option<&HomeQuota>,
    ) -> Result<(FileInfo, Box<dyn Upload>), StorageError> {
        let (info, upload) = upload::open(Arc::clone(&self.disk), path, base, announced_bytes, quota)?;
        match self.file_bytes_max {
            None => Ok((info, upload)),
            Some(bytes_max) => {
                let capped = Capped::new(upload, info.size_bytes, announced_bytes, bytes_max)?;
                Ok((info, Box::new(capped)))
            }
        }
    }

    fn reserve(&self, path: &VirtualPath, size_bytes: u64, quota: Option<&HomeQuota>) -> Result<(), StorageError> {
        if self.file_bytes_max.is_some_and(|bytes_max| size_bytes > bytes_max) {
            return Err(StorageError::FileTooLarge);
        }
        let dir = self.disk.root.open_dir(path, OFlags::PATH).map_err(during("opening a directory"))?;
        self.disk.min_free.require(dir.as_fd(), size_bytes)?;
        self.hold(quota, Counts { bytes: size_bytes, files: 0 }).map(drop)
    }

    fn set_facts(&self, path: &VirtualPath, new: &NewFacts) -> Result<(), StorageError> {
        facts::set(&self.disk.root, path, new)
    }

    fn free_bytes(&self, path: &VirtualPath, quota: Option<&HomeQuota>) -> Result<u64, StorageError> {
        let dir = self.disk.root.open_dir(path, OFlags::PATH).map_err(during("opening a directory"))?;
        let room_bytes = self.disk.min_free.room_bytes(dir.as_fd())?;
        let left_bytes = quota.map(|of| self.disk.ledger.left_bytes(&self.disk, of)).transpose()?.flatten();
        Ok(left_bytes.map_or(room_bytes, |left_bytes| left_bytes.min(room_bytes)))
    }

    fn open_listing(&self, path: &VirtualPath, query: ListingQuery) -> Result<Box<dyn Listing>, StorageError> {
        listing::open(Arc::clone(&self.disk), path, query)
    }

    fn walk(&self) -> Result<Box<dyn Walk>, StorageError> {
        walk::begin(Arc::clone(&self.disk))
    }

    fn move_to_trash(&self, path: &VirtualPath, expiry_s: i64) -> Result<(), StorageError> {
        let _step = self.disk.ledger.step();
        trash::move_expired(&self.disk, path, expiry_s)
    }

    fn empty_trash(&self, entries_max: u32) -> Result<Emptied, StorageError> {
        // A panic inside leaves at worst a pass that is gone on with.
        let mut emptier = self.emptier.lock().unwrap_or_else(PoisonError::into_inner);
        emptier.empty(&self.disk, self.disk.root.fd(), entries_max)
    }
}
