//! Kept parts of broken uploads: `.mayfly-parts/<name>` beside where the file would be. Whoever holds the lock on such
//! a file owns its name; one that nobody holds is broken for good, and waits to be resumed.

use super::confine::{self, DIRECTORY, Root};
use super::errno::during;
use super::inode;
use super::lock;
use super::name;
use super::record::{MAKE_TRIES_MAX, reserved_dir};
use mayfly_core::error::StorageError;
use mayfly_core::record::{FileInfo, FileKind, Partial};
use rustix::fs::{AtFlags, OFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How much is kept under a name in `dir`.
pub(super) fn look(root: &Root, dir: BorrowedFd<'_>, name: &str) -> Option<Partial> {
    let path = [name::PARTS, b"/", name.as_bytes()].concat();
    let stat = rustix::fs::fstat(root.open_beneath(dir, &path, OFlags::PATH).ok()?).ok()?;
    let FileInfo { size_bytes, unique, .. } = inode::info(&stat);
    is_partial(&stat).then_some(Partial { size_bytes, unique })
}

/// A partial that is owned: the directory that it is in, and the file.
pub(super) struct Owned {
    pub(super) parts: OwnedFd,
    pub(super) file: File,
}

/// The name of a partial that was claimed.
pub(super) struct Claimed {
    /// The directory that it is in.
    pub(super) parts: OwnedFd,
    /// The size of the one that was kept there before.
    pub(super) replaced_bytes: Option<u64>,
}

/// Takes a kept partial to go on with.
///
/// # Errors
/// [`StorageError::NotFound`]; [`StorageError::Busy`] where an upload goes on into it.
pub(super) fn take(root: &Root, dir: BorrowedFd<'_>, name: &str) -> Result<Owned, StorageError> {
    let parts = root.open_beneath(dir, name::PARTS, OFlags::RDONLY | DIRECTORY).map_err(during("opening partials"))?;
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = root.open_beneath(parts.as_fd(), name.as_bytes(), flags).map_err(during("opening a partial"))?;
    match own(parts.as_fd(), name, file.as_fd()).map_err(during("taking a partial"))? {
        Some(stat) if is_partial(&stat) => Ok(Owned { parts, file: file.into() }),
        Some(_) => Err(StorageError::NotFound),
        None => Err(StorageError::Busy),
    }
}

/// Gives an open file that nobody else holds the reserved name of `name` in `dir`, in place of what was kept there.
/// `place` links or moves it to the name that it is given, which is free. Returns the directory of the partials; none:
/// another upload owns the name.
pub(super) fn claim(
    root: &Root,
    dir: BorrowedFd<'_>,
    name: &str,
    file: &File,
    place: impl Fn(BorrowedFd<'_>, &[u8]) -> Result<(), Errno>,
) -> Result<Option<Claimed>, Errno> {
    if !lock::try_one(lock::exclusive(file.as_fd()))? {
        return Ok(None);
    }
    for _ in 0..MAKE_TRIES_MAX {
        let parts = reserved_dir(root, dir, name::PARTS)?;
        match place(parts.as_fd(), name.as_bytes()) {
            Ok(()) => return Ok(Some(Claimed { parts, replaced_bytes: None })),
            Err(Errno::EXIST) => {}
            // A sweep has just removed the directory, for it was empty.
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        }
        let kept = match root.open_beneath(parts.as_fd(), name.as_bytes(), OFlags::RDONLY | OFlags::NONBLOCK) {
            Ok(kept) => kept,
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        };
        let Some(stat) = own(parts.as_fd(), name, kept.as_fd())? else { return Ok(None) };
        let temp = name::random(name::TEMP)?;
        place(parts.as_fd(), &temp)?;
        rustix::fs::renameat(&parts, &temp, &parts, name.as_bytes())?;
        return Ok(Some(Claimed { parts, replaced_bytes: Some(inode::size_bytes(&stat)) }));
    }
    Err(Errno::BUSY)
}

/// Removes what is kept under a name in `dir`, unless an upload goes on into it. Tells how large it was; none: it stays,
/// or was not there.
pub(super) fn remove(root: &Root, dir: BorrowedFd<'_>, name: &str) -> Result<Option<u64>, Errno> {
    match root.open_beneath(dir, name::PARTS, OFlags::PATH | DIRECTORY) {
        Ok(parts) => remove_from(root, parts.as_fd(), name.as_bytes()),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// As [`remove`], in an open directory of partials.
pub(super) fn remove_from(root: &Root, parts: BorrowedFd<'_>, name: &[u8]) -> Result<Option<u64>, Errno> {
    let kept = match root.open_beneath(parts, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
        Ok(kept) => kept,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    let Some(stat) = own_bytes(parts, name, kept.as_fd())? else { return Ok(None) };
    rustix::fs::unlinkat(parts, name, AtFlags::empty())?;
    Ok(Some(inode::size_bytes(&stat)))
}

/// Locks a partial that was opened by its name; none: another has it, or it is no longer there.
fn own(parts: BorrowedFd<'_>, name: &str, file: BorrowedFd<'_>) -> Result<Option<Stat>, Errno> {
    own_bytes(parts, name.as_bytes(), file)
}

fn own_bytes(parts: BorrowedFd<'_>, name: &[u8], file: BorrowedFd<'_>) -> Result<Option<Stat>, Errno> {
    if !lock::try_one(lock::exclusive(file))? {
        return Ok(None);
    }
    let stat = rustix::fs::fstat(file)?;
    Ok(confine::stands(parts, name, inode::id(&stat))?.then_some(stat))
}

/// A regular file with this name alone. (One with a second name has been published: it must not be written to.)
fn is_partial(stat: &Stat) -> bool {
    inode::kind(stat) == FileKind::File && stat.st_nlink == 1
}
