//! What decides about a path, in one walk down to it.

use super::confine::{self, Root};
use super::disk::Disk;
use super::errno::during;
use super::inode::Inode;
use super::{created, dated, partial, record};
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileInfo, FileKind, PathState, RecordAt};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Reads the records on the way to a path, what stands there and, where nothing does, what is left of it.
///
/// # Errors
/// [`StorageError::RecordUnreadable`] where one of the records is there and cannot be read.
pub(super) fn check(disk: &Disk, path: &VirtualPath) -> Result<PathState, StorageError> {
    for _ in 0..TRIES_MAX {
        if let Some(state) = look(disk, path)? {
            return Ok(state);
        }
    }
    Err(StorageError::Busy)
}

const TRIES_MAX: u32 = 8;

/// None: something went into the trash under the look.
fn look(disk: &Disk, path: &VirtualPath) -> Result<Option<PathState>, StorageError> {
    let root = &disk.root;
    let mut state = PathState::default();
    let mut above: Option<OwnedFd> = None;
    let depth_max = path.depth();
    for (depth, component) in (1..).zip(path.components()) {
        let here = above.as_ref().map_or(root.fd(), AsFd::as_fd);
        let (handle, name) = match root.open_component(here, component, OFlags::PATH) {
            Ok(opened) => opened,
            // What no name can be so long for does not stand there either.
            Err(Errno::NOENT | Errno::NAMETOOLONG) => {
                missing(root, here, component, depth == depth_max, &mut state);
                return Ok(Some(state));
            }
            Err(errno) => return Err(during("opening a directory")(errno)),
        };
        let failed = during("looking at a path");
        let seen = Inode::of(&handle).map_err(&failed)?;
        let info = seen.info();
        match info.kind {
            FileKind::Directory => {
                let record = record::read(root, handle.as_fd());
                if record == Err(StorageError::RecordUnreadable) {
                    disk.tell_unreadable(&path.ancestor(depth), "the expiry record");
                }
                let record = record?;
                // Without one it is no storage path, and lives; or its record was deleted since it was opened.
                let is_sure = record.is_some() || confine::stands(here, &name, seen.id()).map_err(&failed)?;
                if !is_sure {
                    return Ok(None);
                }
                state.records.extend(record.map(|record| RecordAt { depth, record }));
            }
            FileKind::File if depth == depth_max => state.partial = partial::look(root, here, component),
            // Something that is no directory stands in the way, so nothing is beneath it.
            _ if depth < depth_max => return Ok(Some(state)),
            _ => {}
        }
        if depth == depth_max {
            state.target = Some(if info.kind == FileKind::File {
                let created_s = created::kept(handle.as_fd()).or(info.created_s);
                FileInfo { created_s, expiry_s: date_of(disk, path, handle.as_fd())?, ..info }
            } else {
                info
            });
            return Ok(Some(state));
        }
        above = Some(handle);
    }
    state.target = Some(Inode::of(root.fd()).map_err(during("looking at the root"))?.info());
    Ok(Some(state))
}

fn date_of(disk: &Disk, path: &VirtualPath, file: BorrowedFd<'_>) -> Result<Option<i64>, StorageError> {
    dated::expiry(file).inspect_err(|_| disk.tell_unreadable(path, "the file's own date"))
}

/// A tombstone answers for its own name and all beneath it, a partial for its own name alone.
fn missing(root: &Root, dir: BorrowedFd<'_>, component: &str, is_last: bool, state: &mut PathState) {
    state.tombstone = record::read_tombstone(root, dir, component);
    if is_last {
        state.partial = partial::look(root, dir, component);
    }
}
