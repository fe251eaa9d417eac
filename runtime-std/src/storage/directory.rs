//! Making and removing storage paths, and their expiry.

use super::confine::{self, DIRECTORY, Root};
use super::disk::Disk;
use super::errno::during;
use super::ledger::Counts;
use super::named::Named;
use super::way::Way;
use super::{dated, inode, name, record, trash};
use mayfly_core::error::StorageError;
use mayfly_core::expiry;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileKind, Record};
use rustix::fs::{AtFlags, Dir, OFlags, RenameFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd};

/// Replaces the expiry of a storage path.
pub(super) fn set_expiry(
    disk: &Disk,
    path: &VirtualPath,
    judged: &Record,
    expiry_s: Option<i64>,
) -> Result<(), StorageError> {
    let way = Way::hold_exclusive(&disk.root, path)?;
    if way.record() != Some(judged) {
        return Err(StorageError::Changed);
    }
    // An expired path is never extended (DESIGN 4).
    way.require_living(disk.utc_s())?;
    record::replace(way.dir(), &Record { expiry_s, ..judged.clone() })
}

/// Makes a storage path: built under a reserved name, then renamed into place.
pub(super) fn make(
    disk: &Disk,
    path: &VirtualPath,
    record: &Record,
    replaces: Option<&Record>,
) -> Result<(), StorageError> {
    if path.is_root() {
        return Err(StorageError::Exists);
    }
    let way = Way::hold_shared(&disk.root, &path.parent())?;
    way.require_living(disk.utc_s())?;
    let parent = way.dir();
    let (_, standing) = confine::find(parent, path.name()).map_err(during("looking at a name"))?;
    if replaces.is_none()
        && standing.as_ref().is_some_and(|stat| inode::kind(stat) == FileKind::File)
        && let Some(there) = Named::open(&disk.root, parent, path.name())?
        && dated::gives_way(disk, &there)
    {
        trash::take_in_expired(disk, path, parent, &there)?;
    } else if standing.is_some() {
        clear(disk, path, replaces.ok_or(StorageError::Exists)?)?;
    }
    let temp = name::random(name::NEW).map_err(during("making a directory"))?;
    rustix::fs::mkdirat(parent, &temp, disk.modes.directory).map_err(during("making a directory"))?;
    let outcome = fill(&disk.root, parent, &temp, record)
        .and_then(|()| rename_new(parent, &temp, parent, path.name().as_bytes()).map_err(during("naming a directory")));
    if outcome.is_err() {
        undo(parent, &temp);
        return outcome;
    }
    disk.ledger.added(path, Counts::directory());
    rustix::fs::fsync(parent).map_err(during("syncing a directory"))?;
    record::drop_tombstone(&disk.root, parent, path.name());
    Ok(())
}

/// Removes a directory that holds no visible name, through the trash.
pub(super) fn remove(disk: &Disk, path: &VirtualPath, judged: Option<&Record>) -> Result<(), StorageError> {
    if path.is_root() {
        return Err(StorageError::Denied);
    }
    let way = Way::hold_exclusive(&disk.root, path)?;
    if way.record() != judged {
        return Err(StorageError::Changed);
    }
    require_empty(way.dir())?;
    // Kept partials go along.
    let has_parts = !matches!(confine::stat_name(way.dir(), name::PARTS), Ok(None));
    trash::take_in(&disk.root, way.parent(), way.name()).map_err(during("removing a directory"))?;
    disk.ledger.removed(path, Counts::directory());
    if has_parts {
        disk.ledger.tree_removed(path);
    }
    record::drop_tombstone(&disk.root, way.parent(), path.name());
    disk.sync_names(way.parent())
}

/// Renames to a name that must be free.
pub(super) fn rename_new(
    from_dir: BorrowedFd<'_>,
    from: &[u8],
    to_dir: BorrowedFd<'_>,
    to: &[u8],
) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from_dir, from, to_dir, to, RenameFlags::NOREPLACE) {
        // Where the file system has no such form. No storage path is lost by it, for none is without a record, and a
        // directory that holds a name is never replaced.
        Err(Errno::INVAL | Errno::NOSYS) => match confine::stat_name(to_dir, to)? {
            Some(_) => Err(Errno::EXIST),
            None => match rustix::fs::renameat(from_dir, from, to_dir, to) {
                // Another was faster.
                Err(Errno::NOTEMPTY) => Err(Errno::EXIST),
                outcome => outcome,
            },
        },
        outcome => outcome,
    }
}

/// Moves the expired path that a new one replaces into the trash. Gone meanwhile is as good.
fn clear(disk: &Disk, path: &VirtualPath, expired: &Record) -> Result<(), StorageError> {
    for _ in 0..TRIES_MAX {
        let way = match Way::hold_exclusive(&disk.root, path) {
            Err(StorageError::NotFound) => return Ok(()),
            // Another was faster; what stands there now, if anything does, the next look tells.
            Err(StorageError::Changed) => continue,
            // Something else than a directory stands there.
            Err(StorageError::NotDirectory) => return Err(StorageError::Exists),
            outcome => outcome?,
        };
        if way.record() != Some(expired) || !expiry::is_expired(expired.expiry_s, disk.utc_s()) {
            return Err(StorageError::Changed);
        }
        trash::take_in(&disk.root, way.parent(), way.name()).map_err(during("clearing an expired path"))?;
        disk.ledger.tree_removed(path);
        return Ok(());
    }
    Err(StorageError::Busy)
}

const TRIES_MAX: u32 = 8;

fn fill(root: &Root, parent: BorrowedFd<'_>, temp: &[u8], record: &Record) -> Result<(), StorageError> {
    let dir = root.open_beneath(parent, temp, OFlags::RDONLY | DIRECTORY).map_err(during("opening a directory"))?;
    record::replace(dir.as_fd(), record)
}

/// What cannot be undone here is swept by the walk.
fn undo(parent: BorrowedFd<'_>, temp: &[u8]) {
    let _ = rustix::fs::unlinkat(parent, [temp, b"/", name::RECORD].concat(), AtFlags::empty());
    let _ = rustix::fs::unlinkat(parent, temp, AtFlags::REMOVEDIR);
}

fn require_empty(dir: BorrowedFd<'_>) -> Result<(), StorageError> {
    let failed = during("reading a directory");
    let mut stream = Dir::read_from(dir).map_err(&failed)?;
    while let Some(entry) = stream.read() {
        let entry = entry.map_err(&failed)?;
        let name = entry.file_name().to_bytes();
        if !name::is_dots(name) && !name::is_reserved(name) {
            return Err(StorageError::NotEmpty);
        }
    }
    Ok(())
}
