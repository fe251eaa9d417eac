//! Directories that are being listed.

use super::disk::Disk;
use super::errno::during;
use super::inode::{self, Inode};
use super::{Listing, ListingQuery, confine, created, dated, name, record};
use mayfly_core::action::ListingDetail;
use mayfly_core::error::StorageError;
use mayfly_core::listing::options::{ListingOrder, SortKey};
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{Entry, EntryRecord, FileInfo, FileKind};
use rustix::fs::{FileType, OFlags, RawDir};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Opens a directory to be listed: sorted where there are at most `sort_entries_max` entries, else in the directory's
/// order, for then it is read as it is sent.
pub(super) fn open(disk: Arc<Disk>, path: &VirtualPath, query: ListingQuery) -> Result<Box<dyn Listing>, StorageError> {
    let handle = disk.root.open_dir(path, OFlags::RDONLY).map_err(during("opening a directory"))?;
    let ListingQuery { sort_entries_max, order, detail } = query;
    let mut listing = LocalListing {
        disk,
        handle,
        detail,
        buffer: vec![MaybeUninit::uninit(); BUFFER_BYTES].into(),
        names: VecDeque::new(),
        sorted: VecDeque::new(),
        is_read: false,
    };
    while !listing.is_read && listing.names.len() <= sort_entries_max as usize {
        listing.read_names()?;
    }
    if listing.names.len() <= sort_entries_max as usize {
        listing.sort(order)?;
        // What is left is all known.
        listing.buffer = Box::default();
    }
    Ok(Box::new(listing))
}

struct LocalListing {
    disk: Arc<Disk>,
    handle: OwnedFd,
    detail: ListingDetail,
    /// What the kernel fills.
    buffer: Box<[MaybeUninit<u8>]>,
    /// Read and not yet looked at.
    names: VecDeque<Name>,
    /// Looked at and sorted, where that is what the order asks for.
    sorted: VecDeque<Entry>,
    /// Whether the directory is at its end.
    is_read: bool,
}

/// A name, and what the directory says it is.
struct Name {
    bytes: Vec<u8>,
    file_type: FileType,
}

impl Listing for LocalListing {
    fn next(&mut self, entries_max: u32) -> Result<(Vec<Entry>, bool), StorageError> {
        let entries_max = entries_max as usize;
        let mut entries: Vec<Entry> = self.sorted.drain(..self.sorted.len().min(entries_max)).collect();
        let mut looks = 0;
        // Names that turn out to be nothing for the list cost as much as others: no step may become endless.
        while entries.len() < entries_max && looks < entries_max * LOOKS_PER_ENTRY {
            if self.names.is_empty() && !self.is_read {
                self.read_names()?;
            }
            let Some(name) = self.names.pop_front() else {
                if self.is_read {
                    break;
                }
                looks += NAMES_PER_READ;
                continue;
            };
            looks += 1;
            entries.extend(self.entry(name)?);
        }
        let end = self.names.is_empty() && self.sorted.is_empty() && self.is_read;
        Ok((entries, end))
    }
}

impl LocalListing {
    /// Reads as many names as the buffer holds.
    fn read_names(&mut self) -> Result<(), StorageError> {
        let mut stream = RawDir::new(&self.handle, &mut self.buffer);
        loop {
            let entry = match stream.next() {
                Some(Ok(entry)) => entry,
                // The directory was removed meanwhile: it holds nothing more.
                None | Some(Err(Errno::NOENT)) => {
                    self.is_read = true;
                    return Ok(());
                }
                Some(Err(errno)) => return Err(during("listing a directory")(errno)),
            };
            let (bytes, file_type) = (entry.file_name().to_bytes(), entry.file_type());
            let is_other = match file_type {
                FileType::Unknown | FileType::Directory => false,
                FileType::RegularFile | FileType::Symlink => self.detail == ListingDetail::Directories,
                _ => true,
            };
            if !is_other && !name::is_dots(bytes) && !name::is_reserved(bytes) {
                self.names.push_back(Name { bytes: bytes.to_vec(), file_type });
            }
            if stream.is_buffer_empty() {
                return Ok(());
            }
        }
    }

    fn sort(&mut self, order: ListingOrder) -> Result<(), StorageError> {
        if order.by == SortKey::Name {
            self.names.make_contiguous().sort_by_cached_key(|name| name::shown(&name.bytes));
            if order.reversed {
                self.names.make_contiguous().reverse();
            }
            return Ok(());
        }
        while let Some(name) = self.names.pop_front() {
            let entry = self.entry(name)?;
            self.sorted.extend(entry);
        }
        self.sorted.make_contiguous().sort_by(|one, other| order.compare(key(one), key(other)));
        Ok(())
    }

    /// None: it has vanished since it was read, or is nothing that is listed.
    fn entry(&self, name: Name) -> Result<Option<Entry>, StorageError> {
        let Name { bytes, file_type } = name;
        if self.detail == ListingDetail::Names
            && !self.disk.has_dated_files()
            && let Some(info) = by_type(file_type)
        {
            return Ok(Some(Entry { name: name::into_shown(bytes), info, record: EntryRecord::None }));
        }
        let dir = self.handle.as_fd();
        let seen = match Inode::at(dir, &bytes) {
            Ok(seen) => seen,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(during("listing a directory")(errno)),
        };
        let mut info = seen.info();
        let record = match info.kind {
            FileKind::File => {
                if self.detail == ListingDetail::Creation {
                    info.created_s = created::kept_at(dir, &bytes).or(info.created_s);
                }
                match self.date_of(&bytes) {
                    Ok(expiry_s) => {
                        info.expiry_s = expiry_s;
                        EntryRecord::None
                    }
                    Err(_) => EntryRecord::Unreadable,
                }
            }
            FileKind::Directory => match self.record_of(&bytes, seen.id())? {
                Some(record) => record,
                None => return Ok(None),
            },
            FileKind::Link => EntryRecord::None,
            _ => return Ok(None),
        };
        Ok(Some(Entry { name: name::into_shown(bytes), info, record }))
    }

    /// Of a file.
    fn date_of(&self, name: &[u8]) -> Result<Option<i64>, StorageError> {
        if self.disk.has_dated_files() { dated::expiry_at(self.handle.as_fd(), name) } else { Ok(None) }
    }

    /// None: the directory went into the trash under the look.
    fn record_of(&self, name: &[u8], id: inode::FileId) -> Result<Option<EntryRecord>, StorageError> {
        let dir = self.handle.as_fd();
        match record::read_entry(&self.disk.root, dir, name) {
            Ok(Some(record)) => Ok(Some(EntryRecord::Read(record))),
            // Without one it is no storage path, and lives; or its record was deleted since it was found.
            Ok(None) => {
                let stands = confine::stands(dir, name, id).map_err(during("listing a directory"))?;
                Ok(stands.then_some(EntryRecord::None))
            }
            Err(StorageError::RecordUnreadable) => Ok(Some(EntryRecord::Unreadable)),
            Err(error) => Err(error),
        }
    }
}

/// What a listing is sorted by.
fn key(entry: &Entry) -> (&str, i64, u64) {
    (&entry.name, entry.info.modified_s, entry.info.size_bytes)
}

/// What can be said of a file or link without a look at it; none where it must be looked at.
fn by_type(file_type: FileType) -> Option<FileInfo> {
    let kind = match file_type {
        FileType::RegularFile => FileKind::File,
        FileType::Symlink => FileKind::Link,
        _ => return None,
    };
    Some(FileInfo {
        kind,
        size_bytes: 0,
        modified_s: 0,
        unique: String::new(),
        mode: None,
        created_s: None,
        expiry_s: None,
    })
}

/// What the kernel is given to fill at once.
const BUFFER_BYTES: usize = 32 * 1024;
/// Names that are looked at for each entry that a call may bring.
const LOOKS_PER_ENTRY: usize = 4;
/// What one read counts for, where all that it brought was passed over.
const NAMES_PER_READ: usize = BUFFER_BYTES / 32;
