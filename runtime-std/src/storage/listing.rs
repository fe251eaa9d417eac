//! Directories that are being listed.

use super::confine;
use super::disk::Disk;
use super::errno::during;
use super::inode::Inode;
use super::{Listing, name, record};
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{Entry, EntryRecord, FileKind};
use rustix::fs::{Dir, OFlags};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Opens a directory to be listed: sorted by the names that are shown where there are at most `sort_entries_max`, else
/// in the directory's order, for then it is read as it is sent.
pub(super) fn open(
    disk: Arc<Disk>,
    path: &VirtualPath,
    sort_entries_max: u32,
) -> Result<Box<dyn Listing>, StorageError> {
    let handle = disk.root.open_dir(path, OFlags::RDONLY).map_err(during("opening a directory"))?;
    let stream = Dir::read_from(&handle).map_err(during("listing a directory"))?;
    let mut listing = LocalListing { disk, handle, stream, names: VecDeque::new(), is_read: false };
    listing.read_names(sort_entries_max as usize + 1)?;
    if listing.is_read {
        listing.names.make_contiguous().sort_by_cached_key(|name| name::shown(name));
    }
    Ok(Box::new(listing))
}

struct LocalListing {
    disk: Arc<Disk>,
    handle: OwnedFd,
    stream: Dir,
    /// Read and not yet shown.
    names: VecDeque<Vec<u8>>,
    /// Whether the stream is at its end.
    is_read: bool,
}

impl Listing for LocalListing {
    fn next(&mut self, entries_max: u32) -> Result<(Vec<Entry>, bool), StorageError> {
        let mut entries = Vec::new();
        while entries.len() < entries_max as usize {
            if self.names.is_empty() && !self.is_read {
                self.read_names(READ_AHEAD_NAMES)?;
            }
            let Some(name) = self.names.pop_front() else { break };
            entries.extend(self.entry(&name)?);
        }
        let end = self.names.is_empty() && self.is_read;
        Ok((entries, end))
    }
}

impl LocalListing {
    /// Reads on until so many names wait, or the end.
    fn read_names(&mut self, names_max: usize) -> Result<(), StorageError> {
        while self.names.len() < names_max {
            let entry = match self.stream.read() {
                Some(Ok(entry)) => entry,
                // The directory was removed meanwhile: it holds nothing more.
                None | Some(Err(Errno::NOENT)) => {
                    self.is_read = true;
                    break;
                }
                Some(Err(errno)) => return Err(during("listing a directory")(errno)),
            };
            let name = entry.file_name().to_bytes();
            if !name::is_dots(name) && !name::is_reserved(name) {
                self.names.push_back(name.to_vec());
            }
        }
        Ok(())
    }

    /// None: it has vanished since it was read, or is nothing that is listed.
    fn entry(&self, name: &[u8]) -> Result<Option<Entry>, StorageError> {
        let dir = self.handle.as_fd();
        let seen = match Inode::at(dir, name) {
            Ok(seen) => seen,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(during("listing a directory")(errno)),
        };
        let info = seen.info();
        let record = match info.kind {
            FileKind::File => EntryRecord::None,
            FileKind::Directory => match record::read_entry(&self.disk.root, dir, name) {
                // Without one it is no storage path, and lives; or its record was deleted since it was found.
                Ok(None) if !confine::stands(dir, name, seen.id()).map_err(during("listing a directory"))? => {
                    return Ok(None);
                }
                Ok(None) => EntryRecord::None,
                Ok(Some(record)) => EntryRecord::Read(record),
                Err(StorageError::RecordUnreadable) => EntryRecord::Unreadable,
                Err(error) => return Err(error),
            },
            _ => return Ok(None),
        };
        Ok(Some(Entry { name: name::shown(name), info, record }))
    }
}

/// Names that are read from the directory in one go while it is streamed.
const READ_AHEAD_NAMES: usize = 256;
