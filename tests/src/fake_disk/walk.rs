//! Listings of the fake disk, and the reaper's walk over it.

use super::tree::{Directory, Node};
use super::{FakeDisk, expires};
use mayfly_core::action::ListingDetail;
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{Entry, EntryRecord, FileKind};
use mayfly_std::storage::{Listing, ListingQuery, Walk};
use std::collections::VecDeque;

/// An open directory: what stood in it when it was opened.
pub(super) struct FakeListing {
    entries: VecDeque<Entry>,
}

impl FakeListing {
    pub(super) fn of(directory: &Directory, query: ListingQuery) -> Self {
        let entries = directory.children.iter().map(|(name, node)| Entry {
            name: name.clone(),
            info: node.info(),
            record: match node {
                Node::Directory(child) if child.record_spoilt => EntryRecord::Unreadable,
                Node::Directory(Directory { record: Some(record), .. }) => EntryRecord::Read(record.clone()),
                _ => EntryRecord::None,
            },
        });
        let only_directories = query.detail == ListingDetail::Directories;
        let is_listed = |entry: &Entry| !only_directories || entry.info.kind == FileKind::Directory;
        let mut entries: Vec<Entry> = entries.filter(is_listed).collect();
        if entries.len() <= query.sort_entries_max as usize {
            entries.sort_by(|one, other| query.order.compare(key(one), key(other)));
        }
        Self { entries: entries.into() }
    }
}

fn key(entry: &Entry) -> (&str, i64, u64) {
    (&entry.name, entry.info.modified_s, entry.info.size_bytes)
}

impl Listing for FakeListing {
    fn next(&mut self, entries_max: u32) -> Result<(Vec<Entry>, bool), StorageError> {
        let count = self.entries.len().min(entries_max as usize);
        Ok((self.entries.drain(..count).collect(), self.entries.is_empty()))
    }
}

/// The reaper's walk: one batch for each directory.
pub(super) struct FakeWalk {
    disk: FakeDisk,
    pending: Vec<VirtualPath>,
}

impl FakeWalk {
    pub(super) fn new(disk: FakeDisk) -> Self {
        Self { disk, pending: vec![VirtualPath::root()] }
    }
}

impl Walk for FakeWalk {
    fn next(
        &mut self,
        _records_max: u32,
        tombstones_before_s: i64,
        partials_before_s: i64,
    ) -> Result<(Vec<(VirtualPath, i64)>, bool), StorageError> {
        let Some(path) = self.pending.pop() else {
            return Ok((Vec::new(), true));
        };
        let mut found = Vec::new();
        let mut tree = self.disk.tree();
        if let Ok(directory) = tree.directory_mut(&path) {
            directory.tombstones.retain(|_, tombstone| tombstone.expiry_s >= tombstones_before_s);
            directory.partials.retain(|_, partial| partial.modified_s >= partials_before_s);
            found.extend(expires(directory).map(|expiry_s| (path.clone(), expiry_s)));
            let dated = directory.children.iter().filter_map(|(name, node)| match node {
                Node::File(file) => Some((path.resolve(name).ok()?, file.expiry_s?)),
                Node::Directory(_) => None,
            });
            found.extend(dated);
            let below = directory.children.iter().filter(|(_, node)| matches!(node, Node::Directory(_)));
            self.pending.extend(below.filter_map(|(name, _)| path.resolve(name).ok()));
        }
        Ok((found, self.pending.is_empty()))
    }
}
