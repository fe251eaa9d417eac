//! A storage that fails when it is told to, in front of one that does not.

use mayfly_core::action::{NewFacts, UploadBase};
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{Entry, FileInfo, PathState, Record, RecordAt};
use mayfly_core::user::HomeQuota;
use mayfly_std::storage::{Download, Emptied, Listing, ListingQuery, Rename, Storage, Upload, Walk};
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When, and how, it fails.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Which step, counted from 0 among those that it can meet.
    pub at: At,
    /// What the step says then.
    pub error: StorageError,
    /// Whether the step is done all the same, as where only its last sync fails.
    pub is_done: bool,
    /// Whether every step from then on fails so; else this one alone.
    pub lasts: bool,
}

/// Where it fails.
#[derive(Clone, Copy, Debug)]
pub enum At {
    /// At this call that changes something, or could not for want of room.
    Change(u64),
    /// At this call, whichever it is.
    Call(u64),
    /// At this byte of uploads, all taken together.
    Byte(u64),
}

/// The storage. Clones share their faults.
#[derive(Clone)]
pub struct Faulty {
    inner: Arc<dyn Storage>,
    plan: Arc<Plan>,
}

#[derive(Default)]
struct Plan(Mutex<Progress>);

#[derive(Default)]
struct Progress {
    fault: Option<Fault>,
    calls: u64,
    changes: u64,
    bytes: u64,
    has_fired: bool,
}

/// What kind of step a call is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Looks,
    Changes,
}

impl Faulty {
    /// One that does not fail yet.
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// From now on it fails so; steps are counted anew.
    pub fn arm(&self, fault: Fault) {
        *self.plan.progress() = Progress { fault: Some(fault), ..Progress::default() };
    }

    /// From now on it does not fail. Tells whether it has.
    #[must_use]
    pub fn disarm(&self) -> bool {
        let mut progress = self.plan.progress();
        progress.fault = None;
        progress.has_fired
    }
}

impl Plan {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One step; done unless it fails before.
    fn step<T>(&self, kind: Kind, deed: impl FnOnce() -> Result<T, StorageError>) -> Result<T, StorageError> {
        let Some(fault) = self.progress().next(kind) else { return deed() };
        if fault.is_done {
            deed()?;
        }
        Err(fault.error)
    }
}

impl Progress {
    fn next(&mut self, kind: Kind) -> Option<Fault> {
        let fault = self.fault?;
        let (calls, changes) = (self.calls, self.changes);
        self.calls += 1;
        self.changes += u64::from(kind == Kind::Changes);
        let is_now = match fault.at {
            At::Call(at) => calls == at || (fault.lasts && calls > at),
            At::Change(at) => kind == Kind::Changes && (changes == at || (fault.lasts && changes > at)),
            At::Byte(_) => fault.lasts && self.has_fired && kind == Kind::Changes,
        };
        self.has_fired |= is_now;
        is_now.then_some(fault)
    }

    /// How many of these bytes go well; then it fails.
    fn bytes(&mut self, length: usize) -> Option<(usize, Fault)> {
        let fault = self.fault?;
        let At::Byte(at) = fault.at else { return None };
        let left = usize::try_from(at.saturating_sub(self.bytes)).unwrap_or(usize::MAX);
        self.bytes += length as u64;
        let is_now = left < length && (!self.has_fired || fault.lasts);
        self.has_fired |= is_now;
        is_now.then_some((left, fault))
    }
}

impl Storage for Faulty {
    fn check(&self, path: &VirtualPath) -> Result<PathState, StorageError> {
        self.plan.step(Kind::Looks, || self.inner.check(path))
    }

    fn set_expiry(&self, path: &VirtualPath, judged: &Record, expiry_s: Option<i64>) -> Result<(), StorageError> {
        self.plan.step(Kind::Changes, || self.inner.set_expiry(path, judged, expiry_s))
    }

    fn make_directory(
        &self,
        path: &VirtualPath,
        record: &Record,
        replaces: Option<&Record>,
        quota: Option<&HomeQuota>,
    ) -> Result<(), StorageError> {
        self.plan.step(Kind::Changes, || self.inner.make_directory(path, record, replaces, quota))
    }

    fn make_home(&self, path: &VirtualPath) -> Result<(), StorageError> {
        self.plan.step(Kind::Changes, || self.inner.make_home(path))
    }

    fn remove_directory(&self, path: &VirtualPath, judged: Option<&Record>) -> Result<(), StorageError> {
        self.plan.step(Kind::Changes, || self.inner.remove_directory(path, judged))
    }

    fn remove_file(&self, path: &VirtualPath, unique: Option<&str>) -> Result<(), StorageError> {
        self.plan.step(Kind::Changes, || self.inner.remove_file(path, unique))
    }

    fn rename(&self, rename: &Rename<'_>) -> Result<(), StorageError> {
        self.plan.step(Kind::Changes, || self.inner.rename(rename))
    }

    fn open_read(
        &self,
        path: &VirtualPath,
        offset_bytes: u64,
        end_bytes: Option<u64>,
    ) -> Result<(FileInfo, Box<dyn Download>), StorageError> {
        let (info, inner) = self.plan.step(Kind::Looks, || self.inner.open_read(path, offset_bytes, end_bytes))?;
        Ok((info, Box::new(FaultyDownload { inner, plan: Arc::clone(&self.plan) })))
    }

    fn open_write(
        &self,
        path: &VirtualPath,
        base: UploadBase,
        announced_bytes: Option<u64>,
        quota: Option<&HomeQuota>,
    ) -> Result<(FileInfo, Box<dyn Upload>), StorageError> {
        let open = || self.inner.open_write(path, base, announced_bytes, quota);
        let (info, inner) = self.plan.step(Kind::Changes, open)?;
        Ok((info, Box::new(FaultyUpload { inner, plan: Arc::clone(&self.plan) })))
    }

    fn reserve(&self, path: &VirtualPath, size_bytes: u64, quota: Option<&HomeQuota>) -> Result<(), StorageError> {
        self.plan.step(Kind::Looks, || self.inner.reserve(path, size_bytes, quota))
    }

    fn set_facts(&self, path: &VirtualPath, facts: &NewFacts) -> Result<(), StorageError> {
        self.plan.step(Kind::Changes, || self.inner.set_facts(path, facts))
    }

    fn free_bytes(&self, path: &VirtualPath, quota: Option<&HomeQuota>) -> Result<u64, StorageError> {
        self.plan.step(Kind::Looks, || self.inner.free_bytes(path, quota))
    }

    fn open_listing(&self, path: &VirtualPath, query: ListingQuery) -> Result<Box<dyn Listing>, StorageError> {
        let inner = self.plan.step(Kind::Looks, || self.inner.open_listing(path, query))?;
        Ok(Box::new(FaultyListing { inner, plan: Arc::clone(&self.plan) }))
    }

    // The reaper's steps come when they will, so they are not counted: they fail where everything does.

    fn walk(&self) -> Result<Box<dyn Walk>, StorageError> {
        self.inner.walk()
    }

    fn move_to_trash(&self, path: &VirtualPath, expiry_s: i64) -> Result<(), StorageError> {
        let lasting = self.plan.progress().fault.filter(|fault| fault.lasts);
        lasting.map_or_else(|| self.inner.move_to_trash(path, expiry_s), |fault| Err(fault.error))
    }

    fn empty_trash(&self, entries_max: u32) -> Result<Emptied, StorageError> {
        let lasting = self.plan.progress().fault.filter(|fault| fault.lasts);
        lasting.map_or_else(|| self.inner.empty_trash(entries_max), |fault| Err(fault.error))
    }
}

struct FaultyUpload {
    inner: Box<dyn Upload>,
    plan: Arc<Plan>,
}

impl Upload for FaultyUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let failing = self.plan.progress().bytes(bytes.len());
        if let Some((well, fault)) = failing {
            self.inner.write(&bytes[..well])?;
            return Err(fault.error);
        }
        let inner = &mut self.inner;
        self.plan.step(Kind::Changes, || inner.write(bytes))
    }

    fn publish(&mut self, replace: bool, judged: &[RecordAt], expiry_s: Option<i64>) -> Result<FileInfo, StorageError> {
        let inner = &mut self.inner;
        self.plan.step(Kind::Changes, || inner.publish(replace, judged, expiry_s))
    }

    fn keep(self: Box<Self>) -> Result<(), StorageError> {
        let Self { inner, plan } = *self;
        plan.step(Kind::Changes, || inner.keep())
    }

    fn discard(self: Box<Self>) {
        self.inner.discard();
    }
}

struct FaultyDownload {
    inner: Box<dyn Download>,
    plan: Arc<Plan>,
}

impl Download for FaultyDownload {
    fn offset_bytes(&self) -> u64 {
        self.inner.offset_bytes()
    }

    fn end_bytes(&self) -> u64 {
        self.inner.end_bytes()
    }

    /// None, so that every byte is read through this.
    fn file(&self) -> Option<&File> {
        None
    }

    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> Result<usize, StorageError> {
        self.plan.step(Kind::Looks, || self.inner.read_at(buffer, offset_bytes))
    }
}

struct FaultyListing {
    inner: Box<dyn Listing>,
    plan: Arc<Plan>,
}

impl Listing for FaultyListing {
    fn next(&mut self, entries_max: u32) -> Result<(Vec<Entry>, bool), StorageError> {
        let inner = &mut self.inner;
        self.plan.step(Kind::Looks, || inner.next(entries_max))
    }
}
