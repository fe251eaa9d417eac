//! Facts that clients set: times and permission bits.

use super::confine::{DIRECTORY, Place, Root, require_file};
use super::created;
use super::errno::during;
use super::inode;
use mayfly_core::action::NewFacts;
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::FileKind;
use rustix::fs::{AtFlags, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_OMIT};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Sets facts of a file; of a directory, its permission bits alone. What was set is taken back where a later one fails.
pub(super) fn set(root: &Root, path: &VirtualPath, facts: &NewFacts) -> Result<(), StorageError> {
    let place = root.place(path)?;
    let stat = place.stat.as_ref().ok_or(StorageError::NotFound)?;
    let sets_times = [facts.modified_s, facts.accessed_s, facts.created_s].iter().any(Option::is_some);
    if sets_times || inode::kind(stat) != FileKind::Directory {
        require_file(stat)?;
    }
    // The times alone need no right to open it.
    if facts.created_s.is_none() && facts.mode.is_none() {
        return set_times(&place, facts);
    }
    let (handle, stat) = open(root, &place, stat)?;
    let dir = handle.as_fd();
    let earlier_s = created::kept(dir);
    let undone = |error| {
        take_back(dir, facts, earlier_s, &stat);
        error
    };
    if let Some(created_s) = facts.created_s {
        created::keep(dir, Some(created_s))?;
    }
    if let Some(mode) = facts.mode {
        let mode = Mode::from_raw_mode(u32::from(mode) & PERMISSIONS);
        rustix::fs::fchmod(dir, mode).map_err(during("setting a mode")).map_err(undone)?;
    }
    set_times(&place, facts).map_err(undone)
}

/// The bits for read, write and execute; the others are nobody's to set over FTP.
const PERMISSIONS: u32 = 0o777;

/// Opens what stands there, which still is what `seen` describes.
fn open(root: &Root, place: &Place, seen: &Stat) -> Result<(OwnedFd, Stat), StorageError> {
    let failed = during("opening a file");
    let flags = match inode::kind(seen) {
        FileKind::Directory => OFlags::RDONLY | DIRECTORY,
        _ => OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY,
    };
    let handle = root.open_beneath(place.parent.as_fd(), &place.name, flags).map_err(&failed)?;
    let stat = rustix::fs::fstat(&handle).map_err(&failed)?;
    if inode::id(&stat) == inode::id(seen) { Ok((handle, stat)) } else { Err(StorageError::Changed) }
}

fn set_times(place: &Place, facts: &NewFacts) -> Result<(), StorageError> {
    if facts.modified_s.is_none() && facts.accessed_s.is_none() {
        return Ok(());
    }
    let times = Timestamps { last_access: timespec(facts.accessed_s), last_modification: timespec(facts.modified_s) };
    rustix::fs::utimensat(&place.parent, &place.name, &times, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(during("setting times"))
}

fn timespec(utc_s: Option<i64>) -> Timespec {
    match utc_s {
        Some(tv_sec) => Timespec { tv_sec, tv_nsec: 0 },
        None => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
    }
}

/// What cannot be taken back either stays as it was asked for; the error that counts is the first.
fn take_back(handle: BorrowedFd<'_>, facts: &NewFacts, created_s: Option<i64>, stat: &Stat) {
    if facts.created_s.is_some() {
        let _ = created::keep(handle, created_s);
    }
    if facts.mode.is_some() {
        let _ = rustix::fs::fchmod(handle, Mode::from_raw_mode(stat.st_mode));
    }
}
