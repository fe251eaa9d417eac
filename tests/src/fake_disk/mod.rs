//! A storage in memory that keeps every promise of the boundary, and can be told to fail.

mod tree;
mod upload;
mod walk;

use mayfly_core::action::{NewFacts, UploadBase};
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileInfo, PathState, Record, RecordAt};
use mayfly_core::user::HomeQuota;
use mayfly_std::clock::Clock;
use mayfly_std::storage::{Download, Emptied, Listing, ListingQuery, Rename, Storage, Upload, Walk};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tree::{Directory, Node, Tree};
use upload::{FakeDownload, FakeUpload};
use walk::{FakeListing, FakeWalk};

/// The disk. Clones share it.
#[derive(Clone)]
pub struct FakeDisk {
    tree: Arc<Mutex<Tree>>,
    clock: Arc<dyn Clock>,
}

impl FakeDisk {
    /// An empty disk with endless room.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { tree: Arc::default(), clock }
    }

    /// Makes a directory as an operator would: without a record.
    ///
    /// # Errors
    /// As the storage's own.
    pub fn plain_directory(&self, path: &VirtualPath) -> Result<(), StorageError> {
        let now_s = self.now_s();
        let mut tree = self.tree();
        let made = Node::Directory(tree.new_directory(now_s, None));
        tree.insert(path, made)
    }

    /// Puts a file there as an operator would, in place of any that is there.
    ///
    /// # Errors
    /// As the storage's own.
    pub fn put(&self, path: &VirtualPath, bytes: Vec<u8>) -> Result<(), StorageError> {
        let now_s = self.now_s();
        let mut tree = self.tree();
        let file = Node::File(tree.new_file(now_s, bytes));
        tree.directory_mut(&path.parent())?.children.insert(path.name().to_owned(), file);
        Ok(())
    }

    /// The bytes of the file that stands there.
    #[must_use]
    pub fn bytes(&self, path: &VirtualPath) -> Option<Vec<u8>> {
        match self.tree().node(path) {
            Some(Node::File(file)) => Some(file.bytes.to_vec()),
            _ => None,
        }
    }

    /// Whether anything stands there.
    #[must_use]
    pub fn stands(&self, path: &VirtualPath) -> bool {
        self.tree().node(path).is_some()
    }

    /// Makes a record unreadable.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], where there is none.
    pub fn spoil_record(&self, path: &VirtualPath) -> Result<(), StorageError> {
        let mut tree = self.tree();
        let directory = tree.directory_mut(path)?;
        directory.record.as_ref().ok_or(StorageError::NotFound)?;
        directory.record_spoilt = true;
        Ok(())
    }

    /// From now on there is room for so many more bytes.
    pub fn set_room(&self, bytes: u64) {
        self.tree().room_bytes = Some(bytes);
    }

    /// From now on no file may be larger.
    pub fn set_file_limit(&self, bytes: u64) {
        self.tree().file_bytes_max = Some(bytes);
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_s(&self) -> i64 {
        self.clock.now().utc_s
    }
}

impl Storage for FakeDisk {
    fn check(&self, path: &VirtualPath) -> Result<PathState, StorageError> {
        self.tree().state(path)
    }

    fn set_expiry(&self, path: &VirtualPath, judged: &Record, expiry_s: Option<i64>) -> Result<(), StorageError> {
        let mut tree = self.tree();
        let directory = tree.judged_directory(path, Some(judged))?;
        directory.record = Some(Record { expiry_s, ..judged.clone() });
        Ok(())
    }

    fn make_directory(
        &self,
        path: &VirtualPath,
        record: &Record,
        replaces: Option<&Record>,
        quota: Option<&HomeQuota>,
    ) -> Result<(), StorageError> {
        let now_s = self.now_s();
        let mut tree = self.tree();
        tree.require_quota(quota, 0, 1)?;
        tree.clear_expired_file(path, now_s);
        if let Some(expired) = replaces {
            tree.judged_directory(path, Some(expired))?;
            tree.trash(path)?;
        }
        let made = Node::Directory(tree.new_directory(now_s, Some(record.clone())));
        tree.insert(path, made)?;
        tree.directory_mut(&path.parent())?.tombstones.remove(path.name());
        Ok(())
    }

    fn make_home(&self, path: &VirtualPath) -> Result<(), StorageError> {
        (1..=path.depth()).try_for_each(|depth| match self.plain_directory(&path.ancestor(depth)) {
            Err(StorageError::Exists) => Ok(()),
            outcome => outcome,
        })?;
        self.tree().directory_mut(path).map(drop)
    }

    fn remove_directory(&self, path: &VirtualPath, judged: Option<&Record>) -> Result<(), StorageError> {
        let mut tree = self.tree();
        if !tree.judged_directory(path, judged)?.children.is_empty() {
            return Err(StorageError::NotEmpty);
        }
        tree.trash(path)
    }

    fn remove_file(&self, path: &VirtualPath, unique: Option<&str>) -> Result<(), StorageError> {
        let mut tree = self.tree();
        let parent = tree.directory_mut(&path.parent())?;
        let partial = parent.partials.contains_key(path.name());
        match parent.children.get(path.name()) {
            Some(Node::Directory(_)) => return Err(StorageError::IsDirectory),
            None if !partial => return Err(StorageError::NotFound),
            Some(node) if unique.is_some_and(|unique| node.info().unique != unique) => {
                return Err(StorageError::Changed);
            }
            _ => {}
        }
        parent.children.remove(path.name());
        parent.partials.remove(path.name());
        Ok(())
    }

    fn rename(&self, rename: &Rename<'_>) -> Result<(), StorageError> {
        let mut tree = self.tree();
        if tree.way(rename.from)? != rename.judged_from || tree.way(rename.to)? != rename.judged_to {
            return Err(StorageError::Changed);
        }
        let moves_file = matches!(tree.node(rename.from).ok_or(StorageError::NotFound)?, Node::File(_));
        let (bytes, files) = tree.node(rename.from).map_or((0, 0), Node::counts);
        tree.require_quota(rename.quota, bytes, files)?;
        tree.clear_expired_file(rename.to, self.now_s());
        match tree.node(rename.to) {
            Some(Node::File(_)) if moves_file && rename.replace => {}
            Some(_) => return Err(StorageError::Exists),
            None => {}
        }
        tree.directory_mut(&rename.to.parent())?;
        if rename.to.is_within(rename.from) && rename.to != rename.from {
            return Err(StorageError::Failed);
        }
        let parent = tree.directory_mut(&rename.from.parent())?;
        let mut moved = parent.children.remove(rename.from.name()).ok_or(StorageError::NotFound)?;
        if let Node::File(file) = &mut moved {
            file.expiry_s = rename.expiry_s.or(file.expiry_s);
        }
        tree.directory_mut(&rename.to.parent())?.children.insert(rename.to.name().to_owned(), moved);
        Ok(())
    }

    fn open_read(
        &self,
        path: &VirtualPath,
        offset_bytes: u64,
        end_bytes: Option<u64>,
    ) -> Result<(FileInfo, Box<dyn Download>), StorageError> {
        let tree = self.tree();
        match tree.node(path) {
            None => Err(StorageError::NotFound),
            Some(Node::Directory(_)) => Err(StorageError::IsDirectory),
            Some(Node::File(file)) if offset_bytes > file.size_bytes() => Err(StorageError::OffsetBeyondEnd),
            Some(node @ Node::File(file)) => {
                let end_bytes = end_bytes.map_or(file.size_bytes(), |end| end.min(file.size_bytes()));
                Ok((node.info(), Box::new(FakeDownload { bytes: file.bytes.clone(), offset_bytes, end_bytes })))
            }
        }
    }

    fn open_write(
        &self,
        path: &VirtualPath,
        base: UploadBase,
        announced_bytes: Option<u64>,
        quota: Option<&HomeQuota>,
    ) -> Result<(FileInfo, Box<dyn Upload>), StorageError> {
        let upload = FakeUpload::open(self, path, base, quota)?;
        let left_bytes = announced_bytes.unwrap_or_default().saturating_sub(upload.info().size_bytes);
        self.reserve(path, left_bytes, None)?;
        // Where not one byte is left, nothing begins.
        upload.require_quota(&self.tree(), left_bytes.max(1))?;
        Ok((upload.info(), Box::new(upload)))
    }

    fn reserve(&self, _: &VirtualPath, size_bytes: u64, quota: Option<&HomeQuota>) -> Result<(), StorageError> {
        let tree = self.tree();
        tree.require_quota(quota, size_bytes, 0)?;
        match (tree.room_bytes, tree.file_bytes_max) {
            (_, Some(max)) if max < size_bytes => Err(StorageError::FileTooLarge),
            (Some(room), _) if room < size_bytes => Err(StorageError::NoSpace),
            _ => Ok(()),
        }
    }

    fn set_facts(&self, path: &VirtualPath, facts: &NewFacts) -> Result<(), StorageError> {
        let sets_times = facts.modified_s.is_some() || facts.created_s.is_some() || facts.accessed_s.is_some();
        match self.tree().node_mut(path).ok_or(StorageError::NotFound)? {
            Node::File(file) => {
                file.modified_s = facts.modified_s.unwrap_or(file.modified_s);
                file.created_s = facts.created_s.unwrap_or(file.created_s);
                file.mode = facts.mode.unwrap_or(file.mode);
            }
            Node::Directory(_) if sets_times => return Err(StorageError::IsDirectory),
            Node::Directory(directory) => directory.mode = facts.mode.unwrap_or(directory.mode),
        }
        Ok(())
    }

    fn free_bytes(&self, path: &VirtualPath, quota: Option<&HomeQuota>) -> Result<u64, StorageError> {
        let mut tree = self.tree();
        tree.directory_mut(path)?;
        let room_bytes = tree.room_bytes.unwrap_or(ENDLESS_ROOM_BYTES);
        let left = quota.and_then(|of| Some(of.quota.bytes?.saturating_sub(tree.counts(&of.home).0)));
        Ok(left.map_or(room_bytes, |left| left.min(room_bytes)))
    }

    fn open_listing(&self, path: &VirtualPath, query: ListingQuery) -> Result<Box<dyn Listing>, StorageError> {
        let mut tree = self.tree();
        Ok(Box::new(FakeListing::of(tree.directory_mut(path)?, query)))
    }

    fn walk(&self) -> Result<Box<dyn Walk>, StorageError> {
        Ok(Box::new(FakeWalk::new(self.clone())))
    }

    fn move_to_trash(&self, path: &VirtualPath, expiry_s: i64) -> Result<(), StorageError> {
        let now_s = self.now_s();
        let mut tree = self.tree();
        if let Some(Node::File(file)) = tree.node(path) {
            let is_due = file.expiry_s == Some(expiry_s) && now_s >= expiry_s;
            return if is_due { tree.trash(path) } else { Err(StorageError::Changed) };
        }
        let directory = tree.directory_mut(path).map_err(|_| StorageError::Changed)?;
        if directory.record_spoilt {
            return Err(StorageError::RecordUnreadable);
        }
        if directory.record.as_ref().and_then(|record| record.expiry_s) != Some(expiry_s) || now_s < expiry_s {
            return Err(StorageError::Changed);
        }
        tree.bury(path, expiry_s)
    }

    fn empty_trash(&self, entries_max: u32) -> Result<Emptied, StorageError> {
        Ok(self.tree().empty_trash(entries_max))
    }
}

/// What a disk with endless room says that it has.
const ENDLESS_ROOM_BYTES: u64 = 1 << 50;

/// The records that a publish or rename was judged on are those of the directories alone.
fn same_way(tree: &Tree, path: &VirtualPath, judged: &[RecordAt]) -> Result<bool, StorageError> {
    Ok(tree.way(path)? == judged)
}

/// A directory that is somebody's: what the walk looks for.
fn expires(directory: &Directory) -> Option<i64> {
    directory.record.as_ref().filter(|_| !directory.record_spoilt).and_then(|record| record.expiry_s)
}
