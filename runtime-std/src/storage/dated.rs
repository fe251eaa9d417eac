//! Files that have a date of their own (`Settings::keep`): an extended attribute of the inode, which goes where the file
//! goes. It is set before the file has its name, so that no file stands there undated.

use super::confine;
use super::disk::Disk;
use super::errno::during;
use super::named::Named;
use super::{home, name};
use mayfly_core::error::StorageError;
use mayfly_core::expiry::is_expired;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::FileKind;
use mayfly_core::settings::Keep;
use rustix::fs::{AtFlags, Mode, OFlags, XattrFlags};
use rustix::io::Errno;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::sync::atomic::Ordering;

/// The date of an open file; none: it has none. The handle may be one to look names up through.
///
/// # Errors
/// [`StorageError::RecordUnreadable`] where it is no date: nothing is decided on it then.
pub(super) fn expiry(handle: BorrowedFd<'_>) -> Result<Option<i64>, StorageError> {
    // Such a handle has no attributes of its own; by this way it has.
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    let mut value = [0; DIGITS_MAX];
    read(rustix::fs::getxattr(path, NAME, &mut value[..]), &value)
}

/// The same for a name in a directory, never through a link.
pub(super) fn expiry_at(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<i64>, StorageError> {
    let path = [b"/proc/self/fd/", dir.as_raw_fd().to_string().as_bytes(), b"/", name].concat();
    let mut value = [0; DIGITS_MAX];
    read(rustix::fs::lgetxattr(path, NAME, &mut value[..]), &value)
}

/// Gives a file its date, or takes it away. The handle must be open for reading.
///
/// # Errors
/// [`StorageError::Unsupported`] where the file system has no such attributes.
pub(super) fn set(handle: BorrowedFd<'_>, expiry_s: Option<i64>) -> Result<(), StorageError> {
    let outcome = match expiry_s {
        Some(expiry_s) => rustix::fs::fsetxattr(handle, NAME, expiry_s.to_string().as_bytes(), XattrFlags::empty()),
        None => rustix::fs::fremovexattr(handle, NAME),
    };
    match outcome {
        Err(Errno::OPNOTSUPP) => Err(StorageError::Unsupported),
        Err(Errno::NODATA) => Ok(()),
        outcome => outcome.map_err(during("dating a file")),
    }
}

/// Whether the file that stands there has expired by a date of its own, and so gives its name away.
pub(super) fn gives_way(disk: &Disk, there: &Named) -> bool {
    there.kind == FileKind::File && expiry(there.handle.as_fd()).is_ok_and(|own_s| is_expired(own_s, disk.utc_s()))
}

/// Why files cannot be kept for a time in a place.
#[derive(Debug)]
pub struct KeepError {
    /// The place.
    pub path: VirtualPath,
    /// What hinders it.
    pub error: StorageError,
}

impl fmt::Display for KeepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error {
            StorageError::Unsupported => {
                write!(f, "keep cannot hold in {}: its file system has no user extended attributes", self.path)
            }
            StorageError::NotDirectory => write!(f, "keep cannot hold in {}: it is no directory", self.path),
            StorageError::Denied | StorageError::ReadOnly => {
                write!(f, "keep cannot hold in {}: this user may not write there", self.path)
            }
            _ => write!(f, "keep cannot hold in {}: the file system refuses it", self.path),
        }
    }
}

impl std::error::Error for KeepError {}

/// Makes the places where files are to be dated, where they are missing, and tries whether files can be dated there.
pub(super) fn prepare(disk: &Disk, keep: &[Keep]) -> Result<(), KeepError> {
    for Keep { path, .. } in keep {
        let tried = home::make(disk, path).and_then(|()| try_out(disk, path));
        tried.map_err(|error| KeepError { path: path.clone(), error })?;
    }
    let marked = mark_for(disk, keep.first().map(|_| 0));
    marked.map_err(|error| KeepError { path: VirtualPath::root(), error })
}

/// A file is about to get this date: from now on each is asked for its own, by every server on this root.
pub(super) fn mark_for(disk: &Disk, expiry_s: Option<i64>) -> Result<(), StorageError> {
    if expiry_s.is_some() && !disk.has_dated_files() {
        mark(disk).map_err(during("marking the root"))?;
        look(disk);
    }
    Ok(())
}

/// Finds out whether any server has ever dated files here: only then walks and listings ask each file for its date.
/// Without `keep` nobody pays for that; and where it was taken back, what was dated still goes on time.
pub(super) fn look(disk: &Disk) {
    let is_marked = !matches!(confine::stat_name(disk.root.fd(), name::DATED), Ok(None));
    disk.has_dated_files.store(is_marked, Ordering::Relaxed);
}

const NAME: &str = "user.mayfly.expiry";
/// As many as an `i64` has, and its sign.
const DIGITS_MAX: usize = 20;

fn read(length: Result<usize, Errno>, value: &[u8]) -> Result<Option<i64>, StorageError> {
    let length = match length {
        Ok(length) => length,
        // Longer than any date.
        Err(Errno::RANGE) => return Err(StorageError::RecordUnreadable),
        // There is none, or none can be; what must not be read is not served either, and no date deletes it.
        Err(_) => return Ok(None),
    };
    let text = value.get(..length).and_then(|digits| str::from_utf8(digits).ok());
    text.and_then(|text| text.parse().ok()).map(Some).ok_or(StorageError::RecordUnreadable)
}

fn try_out(disk: &Disk, path: &VirtualPath) -> Result<(), StorageError> {
    let dir = disk.root.open_dir(path, OFlags::RDONLY).map_err(during("opening a directory"))?;
    let failed = during("trying to date a file");
    let temp = name::random(name::TEMP).map_err(&failed)?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&dir, &temp, flags, Mode::RUSR | Mode::WUSR).map_err(&failed)?;
    let outcome = set(file.as_fd(), Some(0));
    rustix::fs::unlinkat(&dir, &temp, AtFlags::empty()).map_err(&failed)?;
    outcome
}

fn mark(disk: &Disk) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(disk.root.fd(), name::DATED, flags, Mode::RUSR | Mode::WUSR)?;
    rustix::fs::fsync(disk.root.fd())
}
