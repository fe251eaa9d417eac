//! Renaming files and directories, and removing files.

use super::confine::Root;
use super::directory::rename_new;
use super::disk::Disk;
use super::errno::during;
use super::ledger::Counts;
use super::named::Named;
use super::way::Way;
use super::{Rename, dated, inode, lock, partial, record, trash};
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileKind, RecordAt};
use rustix::fs::AtFlags;
use std::os::fd::{AsFd, BorrowedFd};

/// Renames a file or directory, if all is as judged still.
pub(super) fn rename(disk: &Disk, asked: &Rename<'_>) -> Result<(), StorageError> {
    // The root stays where it is, and nothing moves into itself.
    if asked.from.is_root() || asked.to.is_root() || (asked.to != asked.from && asked.to.is_within(asked.from)) {
        return Err(StorageError::Denied);
    }
    let root = &disk.root;
    let mut from = Way::open(root, &asked.from.parent())?;
    let mut to = Way::open(root, &asked.to.parent())?;
    let moved = Named::open(root, from.dir(), asked.from.name())?.ok_or(StorageError::NotFound)?;
    let replaced = replaced(disk, to.dir(), asked, &moved)?;
    hold(&from, &to, &moved, replaced.as_ref())?;
    from.look_again()?;
    to.look_again()?;
    moved.require_standing(from.dir())?;
    from.require(&ancestors(asked.judged_from, asked.from), disk.utc_s())?;
    require_own(root, &moved, asked, disk.utc_s())?;
    to.require(asked.judged_to, disk.utc_s())?;
    match &replaced {
        Some(there) => {
            there.require_standing(to.dir())?;
            rustix::fs::renameat(from.dir(), &moved.name, to.dir(), &there.name)
        }
        None => rename_new(from.dir(), &moved.name, to.dir(), asked.to.name().as_bytes()),
    }
    .map_err(during("renaming"))?;
    tell_ledger(disk, asked, &moved, replaced.as_ref());
    date(disk, &from, &to, &moved, asked, replaced.is_some())?;
    record::drop_tombstone(root, to.dir(), asked.to.name());
    disk.sync_names(from.dir())?;
    disk.sync_names(to.dir())
}

/// What a quota counts of what stands at a path: a file's bytes. What is in a directory is counted when it has come, and
/// may be more than the quota lets stand there; then nothing more may come.
pub(super) fn counts(disk: &Disk, path: &VirtualPath) -> Result<Counts, StorageError> {
    let stat = disk.root.place(path)?.stat.ok_or(StorageError::NotFound)?;
    let is_file = inode::kind(&stat) == FileKind::File;
    Ok(Counts::file(if is_file { inode::size_bytes(&stat) } else { 0 }))
}

fn tell_ledger(disk: &Disk, asked: &Rename<'_>, moved: &Named, replaced: Option<&Named>) {
    if moved.kind == FileKind::Directory {
        return disk.ledger.tree_moved(asked.from, asked.to);
    }
    disk.ledger.removed(asked.from, Counts::file(moved.size_bytes));
    disk.ledger.added(asked.to, Counts::file(moved.size_bytes));
    // Two names of one file that become one are two that become one, and one name twice stays one.
    if let Some(there) = replaced.filter(|there| there.id != moved.id) {
        disk.ledger.removed(asked.to, Counts::file(there.size_bytes));
    }
}

/// Removes a file, and what is kept of a broken upload of that name. With `unique`, only this very file.
pub(super) fn remove_file(disk: &Disk, path: &VirtualPath, unique: Option<&str>) -> Result<(), StorageError> {
    if path.is_root() {
        return Err(StorageError::IsDirectory);
    }
    let parent = Way::open(&disk.root, &path.parent())?;
    let had_file = remove_published(disk, parent.dir(), path, unique)?;
    let had_partial = partial::remove(&disk.root, parent.dir(), path.name()).map_err(during("removing a partial"))?;
    if let Some(bytes) = had_partial {
        disk.ledger.removed(path, Counts::file(bytes));
    }
    if had_file || had_partial.is_some() { disk.sync_names(parent.dir()) } else { Err(StorageError::NotFound) }
}

/// Dates what was moved, once it has its new name: killed before that, the server leaves a file that lives too long at
/// worst, and never one that goes from its old place before its time. What cannot be dated goes back.
fn date(
    disk: &Disk,
    from: &Way<'_>,
    to: &Way<'_>,
    moved: &Named,
    asked: &Rename<'_>,
    has_replaced: bool,
) -> Result<(), StorageError> {
    let (FileKind::File, Some(_)) = (moved.kind, asked.expiry_s) else { return Ok(()) };
    let dated = dated::mark_for(disk, asked.expiry_s).and_then(|()| dated::expiry(moved.handle.as_fd()));
    let outcome = dated.and_then(|own_s| {
        let expiry_s = mayfly_core::expiry::earlier(own_s, asked.expiry_s);
        dated::set(moved.handle.as_fd(), expiry_s)
    });
    if outcome.is_err() && !has_replaced {
        rename_new(to.dir(), asked.to.name().as_bytes(), from.dir(), &moved.name).map_err(during("renaming back"))?;
    }
    outcome
}

/// What the new name stands for and may be replaced.
fn replaced(
    disk: &Disk,
    dir: BorrowedFd<'_>,
    asked: &Rename<'_>,
    moved: &Named,
) -> Result<Option<Named>, StorageError> {
    let Some(there) = Named::open(&disk.root, dir, asked.to.name())? else { return Ok(None) };
    let gives_way = dated::gives_way(disk, &there);
    match (moved.kind, there.kind) {
        (FileKind::File, FileKind::File) if asked.replace || gives_way => Ok(Some(there)),
        // A directory takes no file's name, so that goes first.
        (_, FileKind::File) if gives_way => trash::take_in_expired(disk, asked.to, dir, &there).map(|()| None),
        _ => Err(StorageError::Exists),
    }
}

/// Takes the directories on both ways together with others, and the files and directories themselves alone.
fn hold(from: &Way<'_>, to: &Way<'_>, moved: &Named, replaced: Option<&Named>) -> Result<(), StorageError> {
    let mut wanted = from.wanted_shared();
    wanted.extend(to.wanted_shared());
    wanted.push(moved.wanted());
    // Two names of one file, or one name twice, are one lock.
    wanted.extend(replaced.filter(|there| there.id != moved.id).map(Named::wanted));
    lock::all(&wanted)
}

/// The records above `path` among those on the way to it.
fn ancestors(judged: &[RecordAt], path: &VirtualPath) -> Vec<RecordAt> {
    judged.iter().filter(|at| at.depth < path.depth()).cloned().collect()
}

/// The moved directory's own record must be as judged, too, and not expired.
fn require_own(root: &Root, moved: &Named, asked: &Rename<'_>, utc_s: i64) -> Result<(), StorageError> {
    let judged = asked.judged_from.iter().find(|at| at.depth == asked.from.depth()).map(|at| &at.record);
    let own = match moved.kind {
        FileKind::Directory => record::read(root, moved.handle.as_fd())?,
        _ => None,
    };
    if own.as_ref() != judged {
        return Err(StorageError::Changed);
    }
    let own_s = match moved.kind {
        FileKind::File => dated::expiry(moved.handle.as_fd())?,
        _ => own.and_then(|record| record.expiry_s),
    };
    let expired = mayfly_core::expiry::is_expired(own_s, utc_s);
    if expired { Err(StorageError::Expired) } else { Ok(()) }
}

/// Tells whether there was a file. One that is swapped for another at that moment is removed all the same: the other.
fn remove_published(
    disk: &Disk,
    dir: BorrowedFd<'_>,
    path: &VirtualPath,
    unique: Option<&str>,
) -> Result<bool, StorageError> {
    for _ in 0..TRIES_MAX {
        let Some(file) = Named::open(&disk.root, dir, path.name())? else { return Ok(false) };
        if file.kind == FileKind::Directory {
            return Err(StorageError::IsDirectory);
        }
        if unique.is_some_and(|unique| inode::unique(file.id) != unique) {
            return Err(StorageError::Changed);
        }
        lock::all(&[file.wanted()])?;
        match file.require_standing(dir) {
            Err(StorageError::Changed) => {}
            Err(error) => return Err(error),
            Ok(()) => {
                rustix::fs::unlinkat(dir, &file.name, AtFlags::empty()).map_err(during("removing a file"))?;
                disk.ledger.removed(path, Counts::file(file.size_bytes));
                return Ok(true);
            }
        }
    }
    Err(StorageError::Busy)
}

const TRIES_MAX: u32 = 8;
