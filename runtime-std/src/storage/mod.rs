//! The storage behind the drivers: one small trait, without assumptions about disks, and the local disk as its first
//! implementation. What each step must promise stands at [`StorageRequest`] and [`ReaperRequest`].
//!
//! [`StorageRequest`]: mayfly_core::action::StorageRequest
//! [`ReaperRequest`]: mayfly_core::reaper::ReaperRequest

mod capped;
mod check;
mod confine;
mod copy;
mod created;
pub mod dated;
mod digest;
mod directory;
mod disk;
mod download;
pub mod durability;
mod errno;
pub mod execute;
mod facts;
pub mod following;
mod home;
mod inode;
mod ledger;
mod links;
mod listing;
pub mod local;
mod lock;
mod mend;
mod name;
mod named;
mod partial;
mod publish;
mod reading;
mod record;
mod rename;
pub mod room;
pub(crate) mod survey;
mod tab;
#[cfg(test)]
mod tests;
mod trash;
mod unreadable;
mod upload;
mod walk;
mod way;

use mayfly_core::action::{ListingDetail, NewFacts, UploadBase};
use mayfly_core::error::StorageError;
use mayfly_core::listing::options::ListingOrder;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{Entry, FileInfo, PathState, Record, RecordAt};
use mayfly_core::user::HomeQuota;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The trash of the storage at `root`, which the server that runs there has made for itself.
pub(crate) fn trash_of(root: &Path) -> PathBuf {
    root.join(OsStr::from_bytes(name::TRASH))
}

/// A place where storage paths, files and expiry records are kept.
///
/// # Errors
/// Each call returns the [`StorageError`] that the core turns into a reply.
#[expect(clippy::missing_errors_doc, reason = "said once, for all")]
pub trait Storage: Send + Sync {
    /// Reads all that decides about a path, in one go.
    fn check(&self, path: &VirtualPath) -> Result<PathState, StorageError>;
    /// Replaces the record of a storage path, durably.
    fn set_expiry(&self, path: &VirtualPath, judged: &Record, expiry_s: Option<i64>) -> Result<(), StorageError>;
    /// Makes a storage path with its record, whole or not at all.
    fn make_directory(
        &self,
        path: &VirtualPath,
        record: &Record,
        replaces: Option<&Record>,
        quota: Option<&HomeQuota>,
    ) -> Result<(), StorageError>;
    /// Makes a directory, and those on the way to it, as an operator would: without records. What stands already stays as
    /// it is; a link, or a file, is `NotDirectory`.
    fn make_home(&self, path: &VirtualPath) -> Result<(), StorageError>;
    /// Removes a directory that holds no visible name.
    fn remove_directory(&self, path: &VirtualPath, judged: Option<&Record>) -> Result<(), StorageError>;
    /// Removes a file; with `unique`, only the one that this tells from every other.
    fn remove_file(&self, path: &VirtualPath, unique: Option<&str>) -> Result<(), StorageError>;
    /// Renames a file or directory.
    fn rename(&self, rename: &Rename<'_>) -> Result<(), StorageError>;
    /// Opens a file to be sent from `offset_bytes` on, up to `end_bytes` (not included) or its end.
    fn open_read(
        &self,
        path: &VirtualPath,
        offset_bytes: u64,
        end_bytes: Option<u64>,
    ) -> Result<(FileInfo, Box<dyn Download>), StorageError>;
    /// Opens an upload; nothing shows under the name before it is published.
    fn open_write(
        &self,
        path: &VirtualPath,
        base: UploadBase,
        announced_bytes: Option<u64>,
        quota: Option<&HomeQuota>,
    ) -> Result<(FileInfo, Box<dyn Upload>), StorageError>;
    /// Refuses unless this much can be stored there.
    fn reserve(&self, path: &VirtualPath, size_bytes: u64, quota: Option<&HomeQuota>) -> Result<(), StorageError>;
    /// Sets facts of a file or directory, all of them or none.
    fn set_facts(&self, path: &VirtualPath, facts: &NewFacts) -> Result<(), StorageError>;
    /// How many bytes can still be stored in a directory.
    fn free_bytes(&self, path: &VirtualPath, quota: Option<&HomeQuota>) -> Result<u64, StorageError>;
    /// Opens a directory to be listed.
    fn open_listing(&self, path: &VirtualPath, query: ListingQuery) -> Result<Box<dyn Listing>, StorageError>;
    /// Begins a walk over all records, for the reaper.
    fn walk(&self) -> Result<Box<dyn Walk>, StorageError>;
    /// Moves an expired path into the trash and leaves its tombstone.
    fn move_to_trash(&self, path: &VirtualPath, expiry_s: i64) -> Result<(), StorageError>;
    /// Deletes from the trash, at most so many names.
    fn empty_trash(&self, entries_max: u32) -> Result<Emptied, StorageError>;
}

/// What [`Storage::open_listing`] is asked.
#[derive(Clone, Copy, Debug)]
pub struct ListingQuery {
    /// Sorted where it holds no more entries than this; else in the directory's order.
    pub sort_entries_max: u32,
    /// In which order.
    pub order: ListingOrder,
    /// What is needed of its entries.
    pub detail: ListingDetail,
}

/// What [`Storage::rename`] is asked.
#[derive(Clone, Copy, Debug)]
pub struct Rename<'a> {
    /// The old path.
    pub from: &'a VirtualPath,
    /// The new path.
    pub to: &'a VirtualPath,
    /// Whether a file that stands under the new path may be replaced.
    pub replace: bool,
    /// The records on the way to `from`, as judged.
    pub judged_from: &'a [RecordAt],
    /// The records on the way to `to`, as judged.
    pub judged_to: &'a [RecordAt],
    /// The date of its own that a file has from then on, UTC seconds; none: the one that it has, if it has one.
    pub expiry_s: Option<i64>,
    /// The quota that it counts for from then on and did not before.
    pub quota: Option<&'a HomeQuota>,
}

/// An open file that is being sent.
pub trait Download: Send + Sync {
    /// Where the transfer begins.
    fn offset_bytes(&self) -> u64;
    /// Where it ends, not included: what was asked for, or the file's size when it was opened, whichever is less.
    fn end_bytes(&self) -> u64;
    /// The file itself, where the kernel can send from it (`sendfile`).
    fn file(&self) -> Option<&File>;
    /// Reads at an offset; 0 is the end. May block.
    ///
    /// # Errors
    /// The storage's.
    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> Result<usize, StorageError>;
}

/// An upload that is being received. Dropped unpublished, it is kept or forgotten as [`Upload::keep`] would.
pub trait Upload: Send {
    /// Appends. May block.
    ///
    /// # Errors
    /// The storage's: a full disk, a quota.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError>;
    /// Gives it its name, and with it the date of its own, where it is to have one. On `Changed` the upload stays open
    /// and may be published again.
    ///
    /// # Errors
    /// As `StorageRequest::Publish` says.
    fn publish(&mut self, replace: bool, judged: &[RecordAt], expiry_s: Option<i64>) -> Result<FileInfo, StorageError>;
    /// Keeps it aside as the partial of its name.
    ///
    /// # Errors
    /// The storage's.
    fn keep(self: Box<Self>) -> Result<(), StorageError>;
    /// Forgets it.
    fn discard(self: Box<Self>);
}

/// An open directory that is being listed.
pub trait Listing: Send {
    /// The next entries, and whether they were the last; there may be none of them though more are to come.
    ///
    /// # Errors
    /// The storage's.
    fn next(&mut self, entries_max: u32) -> Result<(Vec<Entry>, bool), StorageError>;
}

/// A walk over all directories.
pub trait Walk: Send {
    /// The next paths that expire and when, and whether they were the last. On its way it removes tombstones,
    /// partials and what a killed server left half made, where they are older than these instants (UTC seconds).
    ///
    /// # Errors
    /// The storage's.
    fn next(
        &mut self,
        records_max: u32,
        tombstones_before_s: i64,
        partials_before_s: i64,
    ) -> Result<(Vec<(VirtualPath, i64)>, bool), StorageError>;
}

/// What one go at the trash did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Emptied {
    /// Names removed.
    pub entries: u64,
    /// Bytes freed.
    pub bytes: u64,
    /// Whether the trash is empty now.
    pub end: bool,
}
