//! The fake disk's directories and files.

use mayfly_core::error::{QuotaUnit, QuotaUse, StorageError};
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileInfo, FileKind, Partial, PathState, Record, RecordAt, Tombstone};
use mayfly_core::user::HomeQuota;
use mayfly_std::storage::Emptied;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All that stands on the disk.
#[derive(Default)]
pub(super) struct Tree {
    root: Directory,
    trash: Vec<Node>,
    uniques: u64,
    /// Room for so many more bytes; none: endless.
    pub(super) room_bytes: Option<u64>,
    /// No file may be larger; none: any size.
    pub(super) file_bytes_max: Option<u64>,
}

/// The permission bits of a new file, as a umask of 022 leaves them.
pub(super) const FILE_MODE: u16 = 0o644;
/// The permission bits of a new directory, as a umask of 022 leaves them.
pub(super) const DIRECTORY_MODE: u16 = 0o755;

/// A name's content.
pub(super) enum Node {
    File(FileNode),
    Directory(Directory),
}

/// A file.
pub(super) struct FileNode {
    unique: u64,
    pub(super) modified_s: i64,
    pub(super) created_s: i64,
    pub(super) mode: u16,
    /// The date of its own.
    pub(super) expiry_s: Option<i64>,
    pub(super) bytes: Arc<[u8]>,
}

/// A directory, with what stands in it under reserved names.
pub(super) struct Directory {
    unique: u64,
    pub(super) modified_s: i64,
    pub(super) created_s: i64,
    pub(super) mode: u16,
    pub(super) record: Option<Record>,
    pub(super) record_spoilt: bool,
    pub(super) children: BTreeMap<String, Node>,
    pub(super) tombstones: BTreeMap<String, Tombstone>,
    pub(super) partials: BTreeMap<String, PartialNode>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            unique: 0,
            modified_s: 0,
            created_s: 0,
            mode: DIRECTORY_MODE,
            record: None,
            record_spoilt: false,
            children: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            partials: BTreeMap::new(),
        }
    }
}

/// The kept part of a broken upload.
pub(super) struct PartialNode {
    pub(super) unique: u64,
    pub(super) modified_s: i64,
    pub(super) bytes: Vec<u8>,
}

impl Tree {
    /// Tells a new file from every other.
    pub(super) fn new_unique(&mut self) -> u64 {
        self.uniques += 1;
        self.uniques
    }

    pub(super) fn new_file(&mut self, now_s: i64, bytes: Vec<u8>) -> FileNode {
        FileNode {
            unique: self.new_unique(),
            modified_s: now_s,
            created_s: now_s,
            mode: FILE_MODE,
            expiry_s: None,
            bytes: bytes.into(),
        }
    }

    pub(super) fn new_directory(&mut self, now_s: i64, record: Option<Record>) -> Directory {
        self.uniques += 1;
        Directory { unique: self.uniques, modified_s: now_s, created_s: now_s, record, ..Directory::default() }
    }

    pub(super) fn node(&self, path: &VirtualPath) -> Option<&Node> {
        let mut names = path.components();
        let mut node = self.root.children.get(names.next()?)?;
        for name in names {
            node = match node {
                Node::Directory(directory) => directory.children.get(name)?,
                Node::File(_) => return None,
            };
        }
        Some(node)
    }

    pub(super) fn node_mut(&mut self, path: &VirtualPath) -> Option<&mut Node> {
        self.directory_mut(&path.parent()).ok()?.children.get_mut(path.name())
    }

    pub(super) fn directory_mut(&mut self, path: &VirtualPath) -> Result<&mut Directory, StorageError> {
        path.components().try_fold(&mut self.root, |directory, name| match directory.children.get_mut(name) {
            Some(Node::Directory(child)) => Ok(child),
            Some(Node::File(_)) => Err(StorageError::NotDirectory),
            None => Err(StorageError::NotFound),
        })
    }

    /// The directory, where its record is as judged.
    pub(super) fn judged_directory(
        &mut self,
        path: &VirtualPath,
        judged: Option<&Record>,
    ) -> Result<&mut Directory, StorageError> {
        let directory = self.directory_mut(path)?;
        if directory.record_spoilt {
            return Err(StorageError::RecordUnreadable);
        }
        if directory.record.as_ref() == judged { Ok(directory) } else { Err(StorageError::Changed) }
    }

    pub(super) fn insert(&mut self, path: &VirtualPath, node: Node) -> Result<(), StorageError> {
        if path.is_root() {
            return Err(StorageError::Exists);
        }
        let children = &mut self.directory_mut(&path.parent())?.children;
        if children.contains_key(path.name()) {
            return Err(StorageError::Exists);
        }
        children.insert(path.name().to_owned(), node);
        Ok(())
    }

    /// The records of the directories on the way to `path`, and of `path` itself.
    pub(super) fn way(&self, path: &VirtualPath) -> Result<Vec<RecordAt>, StorageError> {
        Ok(self.state(path)?.records)
    }

    pub(super) fn state(&self, path: &VirtualPath) -> Result<PathState, StorageError> {
        let mut state = PathState::default();
        let mut directory = &self.root;
        let depth = path.depth();
        for (above, name) in path.components().enumerate() {
            if above + 1 == depth {
                state.partial = directory.partials.get(name).map(PartialNode::info);
            }
            match directory.children.get(name) {
                Some(node @ Node::Directory(child)) => {
                    if child.record_spoilt {
                        return Err(StorageError::RecordUnreadable);
                    }
                    state.records.extend(child.record.clone().map(|record| RecordAt { depth: above + 1, record }));
                    if above + 1 == depth {
                        state.target = Some(node.info());
                    }
                    directory = child;
                }
                Some(node @ Node::File(_)) => {
                    state.target = Some(node.info()).filter(|_| above + 1 == depth);
                    return Ok(state);
                }
                None => {
                    state.tombstone = directory.tombstones.get(name).copied();
                    return Ok(state);
                }
            }
        }
        if path.is_root() {
            state.target = Some(directory.info());
        }
        Ok(state)
    }

    /// A file that has expired by a date of its own gives its name away.
    pub(super) fn clear_expired_file(&mut self, path: &VirtualPath, now_s: i64) {
        if matches!(self.node(path), Some(Node::File(file)) if file.is_expired(now_s)) {
            // It stands there, as was just seen.
            let _ = self.trash(path);
        }
    }

    /// What a quota counts beneath a home: bytes, and names.
    pub(super) fn counts(&self, home: &VirtualPath) -> (u64, u64) {
        let directory = if home.is_root() {
            Some(&self.root)
        } else {
            match self.node(home) {
                Some(Node::Directory(directory)) => Some(directory),
                _ => None,
            }
        };
        directory.map_or((0, 0), Directory::counts)
    }

    /// Refuses what would exceed the quota.
    pub(super) fn require_quota(&self, of: Option<&HomeQuota>, bytes: u64, files: u64) -> Result<(), StorageError> {
        let Some(HomeQuota { home, quota }) = of else { return Ok(()) };
        let (used_bytes, used_files) = self.counts(home);
        let over = |counts, used, limit| Err(StorageError::OverQuota(QuotaUse { counts, used, limit }));
        match (quota.bytes, quota.files) {
            (Some(limit), _) if used_bytes + bytes > limit => over(QuotaUnit::Bytes, used_bytes, limit),
            (_, Some(limit)) if used_files + files > limit => over(QuotaUnit::Files, used_files, limit),
            _ => Ok(()),
        }
    }

    pub(super) fn trash(&mut self, path: &VirtualPath) -> Result<(), StorageError> {
        let parent = self.directory_mut(&path.parent())?;
        let gone = parent.children.remove(path.name()).ok_or(StorageError::NotFound)?;
        self.trash.push(gone);
        Ok(())
    }

    /// Into the trash, with a tombstone in its place.
    pub(super) fn bury(&mut self, path: &VirtualPath, expiry_s: i64) -> Result<(), StorageError> {
        self.trash(path)?;
        self.directory_mut(&path.parent())?.tombstones.insert(path.name().to_owned(), Tombstone { expiry_s });
        Ok(())
    }

    pub(super) fn empty_trash(&mut self, entries_max: u32) -> Emptied {
        let mut emptied = Emptied::default();
        for _ in 0..entries_max {
            match self.trash.pop() {
                None => break,
                Some(Node::File(file)) => emptied.bytes += file.size_bytes(),
                Some(Node::Directory(directory)) => self.trash.extend(directory.children.into_values()),
            }
            emptied.entries += 1;
        }
        emptied.end = self.trash.is_empty();
        emptied
    }
}

impl Node {
    /// What a quota counts of it, itself included.
    pub(super) fn counts(&self) -> (u64, u64) {
        match self {
            Self::File(file) => (file.size_bytes(), 1),
            Self::Directory(directory) => {
                let (bytes, files) = directory.counts();
                (bytes, files + 1)
            }
        }
    }

    pub(super) fn info(&self) -> FileInfo {
        match self {
            Self::Directory(directory) => directory.info(),
            Self::File(file) => FileInfo {
                kind: FileKind::File,
                size_bytes: file.size_bytes(),
                modified_s: file.modified_s,
                unique: file.unique.to_string(),
                mode: Some(file.mode),
                created_s: Some(file.created_s),
                expiry_s: file.expiry_s,
            },
        }
    }
}

impl FileNode {
    fn is_expired(&self, now_s: i64) -> bool {
        self.expiry_s.is_some_and(|expiry_s| now_s >= expiry_s)
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Tells this file from every other.
    pub(super) fn unique(&self) -> u64 {
        self.unique
    }
}

impl Directory {
    /// What a quota counts in it: what stands there, and kept partials.
    fn counts(&self) -> (u64, u64) {
        let partials = self.partials.values().map(|partial| (partial.bytes.len() as u64, 1));
        let children = self.children.values().map(Node::counts);
        children.chain(partials).fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }

    fn info(&self) -> FileInfo {
        FileInfo {
            kind: FileKind::Directory,
            size_bytes: 0,
            modified_s: self.modified_s,
            unique: self.unique.to_string(),
            mode: Some(self.mode),
            created_s: Some(self.created_s),
            expiry_s: None,
        }
    }
}

impl PartialNode {
    fn info(&self) -> Partial {
        Partial { size_bytes: self.bytes.len() as u64, unique: self.unique.to_string() }
    }
}
