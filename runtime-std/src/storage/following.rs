//! The local disk, seen by those who may follow its links: what [`LocalStorage`] is, with each path led on first.

use super::links::{Last, Target};
use super::local::LocalStorage;
use super::{Download, Emptied, Listing, ListingQuery, Rename, Storage, Upload, Walk};
use mayfly_core::action::{NewFacts, UploadBase};
use mayfly_core::error::StorageError;
use mayfly_core::expiry;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{Entry, EntryRecord, FileInfo, FileKind, PathState, Record, RecordAt};
use mayfly_core::user::HomeQuota;
use std::sync::Arc;

/// A root whose links are followed as far as it reaches. What removes or renames names means the link itself.
#[derive(Debug)]
pub struct FollowingStorage {
    local: Arc<LocalStorage>,
}

impl FollowingStorage {
    /// Follows the links of this root.
    #[must_use]
    pub fn new(local: LocalStorage) -> Self {
        Self { local: Arc::new(local) }
    }

    fn target(&self, path: &VirtualPath, last: Last) -> Result<Option<Target>, StorageError> {
        Target::of(&self.local, path, last)
    }

    /// The path without links.
    fn plain(&self, path: &VirtualPath, last: Last) -> Result<VirtualPath, StorageError> {
        Ok(self.target(path, last)?.map_or_else(|| path.clone(), |target| target.path))
    }

    /// The path without links, and what was judged of it.
    fn judged(&self, path: &VirtualPath, judged: &[RecordAt]) -> Result<(VirtualPath, Vec<RecordAt>), StorageError> {
        match self.target(path, Last::Itself)? {
            Some(target) => Ok((target.path.clone(), target.judged(&self.local, judged)?)),
            None => Ok((path.clone(), judged.to_vec())),
        }
    }
}

impl Storage for FollowingStorage {
    fn check(&self, path: &VirtualPath) -> Result<PathState, StorageError> {
        let Some(target) = self.target(path, Last::Followed)? else { return self.local.check(path) };
        let mut state = self.local.check(&target.path)?;
        state.records = target.shown(path, state.records);
        Ok(state)
    }

    fn set_expiry(&self, path: &VirtualPath, judged: &Record, expiry_s: Option<i64>) -> Result<(), StorageError> {
        self.local.set_expiry(&self.plain(path, Last::Followed)?, judged, expiry_s)
    }

    fn make_directory(
        &self,
        path: &VirtualPath,
        record: &Record,
        replaces: Option<&Record>,
        quota: Option<&HomeQuota>,
    ) -> Result<(), StorageError> {
        self.local.make_directory(&self.plain(path, Last::Itself)?, record, replaces, quota)
    }

    /// A home is the directory of that name itself.
    fn make_home(&self, path: &VirtualPath) -> Result<(), StorageError> {
        self.local.make_home(path)
    }

    fn remove_directory(&self, path: &VirtualPath, judged: Option<&Record>) -> Result<(), StorageError> {
        self.local.remove_directory(&self.plain(path, Last::Itself)?, judged)
    }

    fn remove_file(&self, path: &VirtualPath, unique: Option<&str>) -> Result<(), StorageError> {
        self.local.remove_file(&self.plain(path, Last::Itself)?, unique)
    }

    fn rename(&self, asked: &Rename<'_>) -> Result<(), StorageError> {
        let (from, judged_from) = self.judged(asked.from, asked.judged_from)?;
        let (to, judged_to) = self.judged(asked.to, asked.judged_to)?;
        let (judged_from, judged_to) = (judged_from.as_slice(), judged_to.as_slice());
        self.local.rename(&Rename { from: &from, to: &to, judged_from, judged_to, ..*asked })
    }

    fn open_read(
        &self,
        path: &VirtualPath,
        offset_bytes: u64,
        end_bytes: Option<u64>,
    ) -> Result<(FileInfo, Box<dyn Download>), StorageError> {
        self.local.open_read(&self.plain(path, Last::Followed)?, offset_bytes, end_bytes)
    }

    fn open_write(
        &self,
        path: &VirtualPath,
        base: UploadBase,
        announced_bytes: Option<u64>,
        quota: Option<&HomeQuota>,
    ) -> Result<(FileInfo, Box<dyn Upload>), StorageError> {
        let Some(target) = self.target(path, Last::Followed)? else {
            return self.local.open_write(path, base, announced_bytes, quota);
        };
        let (info, upload) = self.local.open_write(&target.path, base, announced_bytes, quota)?;
        Ok((info, Box::new(FollowedUpload { local: Arc::clone(&self.local), target, upload })))
    }

    fn reserve(&self, path: &VirtualPath, size_bytes: u64, quota: Option<&HomeQuota>) -> Result<(), StorageError> {
        self.local.reserve(&self.plain(path, Last::Followed)?, size_bytes, quota)
    }

    fn set_facts(&self, path: &VirtualPath, facts: &NewFacts) -> Result<(), StorageError> {
        self.local.set_facts(&self.plain(path, Last::Followed)?, facts)
    }

    fn free_bytes(&self, path: &VirtualPath, quota: Option<&HomeQuota>) -> Result<u64, StorageError> {
        self.local.free_bytes(&self.plain(path, Last::Followed)?, quota)
    }

    fn open_listing(&self, path: &VirtualPath, query: ListingQuery) -> Result<Box<dyn Listing>, StorageError> {
        let path = self.plain(path, Last::Followed)?;
        let listing = self.local.open_listing(&path, query)?;
        Ok(Box::new(FollowedListing { local: Arc::clone(&self.local), path, listing }))
    }

    fn walk(&self) -> Result<Box<dyn Walk>, StorageError> {
        self.local.walk()
    }

    fn move_to_trash(&self, path: &VirtualPath, expiry_s: i64) -> Result<(), StorageError> {
        self.local.move_to_trash(&self.plain(path, Last::Itself)?, expiry_s)
    }

    fn empty_trash(&self, entries_max: u32) -> Result<Emptied, StorageError> {
        self.local.empty_trash(entries_max)
    }
}

/// An upload by way of a link.
struct FollowedUpload {
    local: Arc<LocalStorage>,
    target: Target,
    upload: Box<dyn Upload>,
}

impl Upload for FollowedUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.upload.write(bytes)
    }

    fn publish(&mut self, replace: bool, judged: &[RecordAt], expiry_s: Option<i64>) -> Result<FileInfo, StorageError> {
        let judged = self.target.judged(&self.local, judged)?;
        self.upload.publish(replace, &judged, expiry_s)
    }

    fn keep(self: Box<Self>) -> Result<(), StorageError> {
        self.upload.keep()
    }

    fn discard(self: Box<Self>) {
        self.upload.discard();
    }
}

/// A listing in which a link shows what it leads to. One that leads out of the root or nowhere, and one that leads to
/// what holds it, where a listing of all beneath would never end, show as links.
struct FollowedListing {
    local: Arc<LocalStorage>,
    path: VirtualPath,
    listing: Box<dyn Listing>,
}

impl Listing for FollowedListing {
    fn next(&mut self, entries_max: u32) -> Result<(Vec<Entry>, bool), StorageError> {
        let (mut entries, end) = self.listing.next(entries_max)?;
        for entry in entries.iter_mut().filter(|entry| entry.info.kind == FileKind::Link) {
            if let Some((info, record)) = self.led_to(&entry.name) {
                (entry.info, entry.record) = (info, record);
            }
        }
        Ok((entries, end))
    }
}

impl FollowedListing {
    /// Nothing that goes wrong with one link may hide the others.
    fn led_to(&self, name: &str) -> Option<(FileInfo, EntryRecord)> {
        let link = self.path.resolve(name).ok()?;
        let target = Target::of(&self.local, &link, Last::Followed).ok()??;
        if self.path.is_within(&target.path) {
            return None;
        }
        // Where that fails, whoever opens it hears why.
        let state = self.local.check(&target.path).ok()?;
        let info = state.target.filter(|info| matches!(info.kind, FileKind::File | FileKind::Directory))?;
        let records = target.shown(&link, state.records).into_iter().map(|at| at.record);
        // Whichever of the dates on the way comes first decides whether it is shown.
        let soonest = records.min_by_key(|record| record.expiry_s.unwrap_or(i64::MAX));
        if info.kind == FileKind::Directory {
            return Some((info, soonest.map_or(EntryRecord::None, EntryRecord::Read)));
        }
        let expiry_s = expiry::earlier(info.expiry_s, soonest.and_then(|record| record.expiry_s));
        Some((FileInfo { expiry_s, ..info }, EntryRecord::None))
    }
}
