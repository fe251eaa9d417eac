//! Files of the fake disk on their way in and out.

use super::tree::{FILE_MODE, Node, PartialNode, Tree};
use super::{FakeDisk, same_way};
use mayfly_core::action::UploadBase;
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileInfo, FileKind, RecordAt};
use mayfly_core::user::HomeQuota;
use mayfly_std::storage::{Download, Upload};
use std::fs::File;
use std::sync::Arc;

/// From this size on an upload has a name from the start, so that it outlives the server (DESIGN 5).
const NAMED_FROM_BYTES: usize = 64 * 1024 * 1024;

/// An upload that is being received.
pub(super) struct FakeUpload {
    disk: FakeDisk,
    path: VirtualPath,
    bytes: Vec<u8>,
    unique: u64,
    /// The file that was copied: it must still stand there.
    copied: Option<u64>,
    quota: Option<HomeQuota>,
    /// What it replaces counts no more once it is there: bytes and files.
    replaces: (u64, u64),
    /// Published, kept or discarded: nothing is left to be done when it is dropped.
    settled: bool,
}

impl FakeUpload {
    pub(super) fn open(
        disk: &FakeDisk,
        path: &VirtualPath,
        base: UploadBase,
        quota: Option<&HomeQuota>,
    ) -> Result<Self, StorageError> {
        let mut tree = disk.tree();
        let fresh = tree.new_unique();
        let directory = tree.directory_mut(&path.parent())?;
        let mut unique = fresh;
        let (bytes, keep_bytes, copied) = match base {
            UploadBase::Published { keep_bytes } => match directory.children.get(path.name()) {
                Some(Node::File(file)) => (file.bytes.to_vec(), keep_bytes, Some(file.unique())),
                Some(Node::Directory(_)) => return Err(StorageError::IsDirectory),
                None => return Err(StorageError::NotFound),
            },
            UploadBase::Partial { keep_bytes } => {
                let partial = directory.partials.get(path.name()).ok_or(StorageError::NotFound)?;
                unique = partial.unique;
                (partial.bytes.clone(), keep_bytes, None)
            }
            _ => (Vec::new(), None, None),
        };
        let keep = keep_bytes.map_or(bytes.len(), |keep| usize::try_from(keep).unwrap_or(usize::MAX));
        let bytes = bytes.get(..keep).ok_or(StorageError::OffsetBeyondEnd)?.to_vec();
        let partial = directory.partials.get(path.name()).map_or((0, 0), |partial| (partial.bytes.len() as u64, 1));
        let there = directory.children.get(path.name()).map_or(partial, Node::counts);
        let (disk, path, quota) = (disk.clone(), path.clone(), quota.cloned());
        Ok(Self { disk, path, bytes, unique, copied, quota, replaces: there, settled: false })
    }

    /// Refuses where it would exceed its quota with so many bytes more.
    pub(super) fn require_quota(&self, tree: &Tree, more_bytes: u64) -> Result<(), StorageError> {
        let bytes = (self.bytes.len() as u64 + more_bytes).saturating_sub(self.replaces.0);
        tree.require_quota(self.quota.as_ref(), bytes, 1_u64.saturating_sub(self.replaces.1))
    }

    pub(super) fn info(&self) -> FileInfo {
        FileInfo {
            kind: FileKind::File,
            size_bytes: self.bytes.len() as u64,
            modified_s: self.disk.now_s(),
            unique: self.unique.to_string(),
            mode: Some(FILE_MODE),
            created_s: Some(self.disk.now_s()),
            expiry_s: None,
        }
    }

    fn keep_aside(&mut self) -> Result<(), StorageError> {
        self.settled = true;
        let now_s = self.disk.now_s();
        let partial = PartialNode { unique: self.unique, modified_s: now_s, bytes: std::mem::take(&mut self.bytes) };
        self.disk.tree().directory_mut(&self.path.parent())?.partials.insert(self.path.name().to_owned(), partial);
        Ok(())
    }
}

impl Upload for FakeUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let size_bytes = (self.bytes.len() + bytes.len()) as u64;
        if self.disk.tree().file_bytes_max.is_some_and(|max| max < size_bytes) {
            return Err(StorageError::FileTooLarge);
        }
        self.require_quota(&self.disk.tree(), bytes.len() as u64)?;
        if let Some(room) = &mut self.disk.tree().room_bytes {
            *room = room.checked_sub(bytes.len() as u64).ok_or(StorageError::NoSpace)?;
        }
        self.bytes.extend(bytes);
        Ok(())
    }

    fn publish(&mut self, replace: bool, judged: &[RecordAt], expiry_s: Option<i64>) -> Result<FileInfo, StorageError> {
        let now_s = self.disk.now_s();
        let disk = self.disk.clone();
        let mut tree = disk.tree();
        if !same_way(&tree, &self.path, judged)? {
            return Err(StorageError::Changed);
        }
        if judged.iter().any(|at| at.record.expiry_s.is_some_and(|expiry_s| now_s >= expiry_s)) {
            self.settled = true;
            return Err(StorageError::Expired);
        }
        if self.copied.is_none() {
            tree.clear_expired_file(&self.path, now_s);
        }
        match tree.node(&self.path) {
            Some(Node::Directory(_)) => return Err(StorageError::IsDirectory),
            Some(Node::File(_)) if !replace => return Err(StorageError::Exists),
            Some(Node::File(file)) if self.copied.is_some_and(|copied| copied != file.unique()) => {
                return Err(StorageError::Changed);
            }
            None if self.copied.is_some() => return Err(StorageError::Changed),
            _ => {}
        }
        self.require_quota(&tree, 0)?;
        let mut file = tree.new_file(now_s, std::mem::take(&mut self.bytes));
        file.expiry_s = expiry_s;
        let file = Node::File(file);
        let info = file.info();
        let directory = tree.directory_mut(&self.path.parent())?;
        directory.children.insert(self.path.name().to_owned(), file);
        directory.partials.remove(self.path.name());
        self.settled = true;
        Ok(info)
    }

    fn keep(mut self: Box<Self>) -> Result<(), StorageError> {
        self.keep_aside()
    }

    fn discard(mut self: Box<Self>) {
        self.settled = true;
    }
}

impl Drop for FakeUpload {
    fn drop(&mut self) {
        if !self.settled && self.bytes.len() >= NAMED_FROM_BYTES {
            let _ = self.keep_aside();
        }
    }
}

/// A file that is being sent.
pub(super) struct FakeDownload {
    pub(super) bytes: Arc<[u8]>,
    pub(super) offset_bytes: u64,
    pub(super) end_bytes: u64,
}

impl Download for FakeDownload {
    fn offset_bytes(&self) -> u64 {
        self.offset_bytes
    }

    fn end_bytes(&self) -> u64 {
        self.end_bytes
    }

    fn file(&self) -> Option<&File> {
        None
    }

    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> Result<usize, StorageError> {
        let offset = usize::try_from(offset_bytes).map_err(|_| StorageError::OffsetBeyondEnd)?;
        let rest = self.bytes.get(offset..).ok_or(StorageError::OffsetBeyondEnd)?;
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}
