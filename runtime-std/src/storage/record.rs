//! Records and tombstones: small JSON documents that are written whole or not at all.

use super::confine::{DIRECTORY, Root};
use super::errno::during;
use super::name;
use mayfly_core::error::StorageError;
use mayfly_core::record::{Record, Tombstone};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd};

/// Reads the record of a directory; none: it is no storage path.
///
/// # Errors
/// [`StorageError::RecordUnreadable`] where something stands there that is no record of a known form.
pub(super) fn read(root: &Root, dir: BorrowedFd<'_>) -> Result<Option<Record>, StorageError> {
    read_at(root, dir, name::RECORD)
}

/// What an operator is told of a directory's record.
pub(super) enum Inspected {
    /// There is none: it is no storage path.
    None,
    Read(Record),
    /// It cannot be read.
    Unreadable {
        why: String,
        /// What can be told from it all the same: it is a record, of a form that is not known.
        salvaged: Option<Record>,
    },
}

/// As [`read`], and says what is wrong.
pub(super) fn inspect(root: &Root, dir: BorrowedFd<'_>) -> Inspected {
    let mut buffer = [0; DOCUMENT_BYTES_MAX];
    let unreadable = |why| Inspected::Unreadable { why, salvaged: None };
    let document = match read_document(root, dir, name::RECORD, &mut buffer) {
        Ok(document) => document,
        Err(Errno::NOENT | Errno::NOTDIR) => return Inspected::None,
        Err(Errno::FBIG) => return unreadable(format!("it is larger than {DOCUMENT_BYTES_MAX} bytes")),
        Err(errno) => return unreadable(std::io::Error::from(errno).to_string()),
    };
    match serde_json::from_slice::<Record>(document) {
        Ok(record) if record.version == 1 => Inspected::Read(record),
        Ok(record) => {
            let why = format!("its version is {}, and 1 is known", record.version);
            Inspected::Unreadable { why, salvaged: Some(record) }
        }
        Err(_) if document.is_empty() => unreadable("it is empty".to_owned()),
        Err(error) => unreadable(format!("it is no record: {error}")),
    }
}

/// As [`read`], for the directory `entry` in `dir`.
pub(super) fn read_entry(root: &Root, dir: BorrowedFd<'_>, entry: &[u8]) -> Result<Option<Record>, StorageError> {
    read_at(root, dir, &[entry, b"/", name::RECORD].concat())
}

/// Replaces a directory's record, durably.
pub(super) fn replace(dir: BorrowedFd<'_>, record: &Record) -> Result<(), StorageError> {
    write(dir, name::RECORD_TEMP, name::RECORD, &json(record), Synced::Yes).map_err(during("writing a record"))
}

/// Reads the tombstone of a name that is missing in `dir`.
pub(super) fn read_tombstone(root: &Root, dir: BorrowedFd<'_>, name: &str) -> Option<Tombstone> {
    read_tombstone_in(root, dir, &[name::TOMBS, b"/", name.as_bytes()].concat())
}

/// As [`read_tombstone`], by its own path.
pub(super) fn read_tombstone_in(root: &Root, dir: BorrowedFd<'_>, path: &[u8]) -> Option<Tombstone> {
    let mut buffer = [0; DOCUMENT_BYTES_MAX];
    let document = read_document(root, dir, path, &mut buffer).ok()?;
    serde_json::from_slice(document).ok()
}

/// Leaves a tombstone for a name in `dir`. It waits for no disk, or thousands of paths that expire together would go
/// one sync after the other: should the host crash right then, a late visitor hears of an invalid path in its stead.
pub(super) fn write_tombstone(root: &Root, dir: BorrowedFd<'_>, name: &str, expiry_s: i64) -> Result<(), StorageError> {
    let failed = during("writing a tombstone");
    for _ in 0..MAKE_TRIES_MAX {
        let tombs = reserved_dir(root, dir, name::TOMBS).map_err(&failed)?;
        match write(tombs.as_fd(), name::TEMP, name.as_bytes(), &json(&Tombstone { expiry_s }), Synced::No) {
            // A sweep has just removed the directory, for it was empty.
            Err(Errno::NOENT) => {}
            outcome => return outcome.map_err(&failed),
        }
    }
    Err(StorageError::Busy)
}

/// Drops the tombstone of a name in `dir`, where there is one.
pub(super) fn drop_tombstone(root: &Root, dir: BorrowedFd<'_>, name: &str) {
    if let Ok(tombs) = root.open_beneath(dir, name::TOMBS, OFlags::PATH | DIRECTORY) {
        // Gone already is as good; whatever else hinders it, the walk removes it in time.
        let _ = rustix::fs::unlinkat(tombs, name.as_bytes(), AtFlags::empty());
    }
}

/// Opens a reserved directory inside `dir`, making it where it is missing.
pub(super) fn reserved_dir(root: &Root, dir: BorrowedFd<'_>, name: &[u8]) -> Result<std::os::fd::OwnedFd, Errno> {
    let open = || root.open_beneath(dir, name, OFlags::RDONLY | DIRECTORY);
    match open() {
        Err(Errno::NOENT) => {}
        outcome => return outcome,
    }
    match rustix::fs::mkdirat(dir, name, Mode::RWXU) {
        // Its name must outlive a crash as surely as what is put into it. An `O_PATH` handle cannot be synced.
        Ok(()) => rustix::fs::fsync(root.open_beneath(dir, b".", OFlags::RDONLY | DIRECTORY)?)?,
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    open()
}

/// How often a reserved directory is made anew when a sweep removes it in the meantime.
pub(super) const MAKE_TRIES_MAX: u32 = 8;

/// Bytes of a record or tombstone.
const DOCUMENT_BYTES_MAX: usize = 4096;

fn json(document: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(document).expect("records hold nothing that JSON lacks");
    bytes.push(b'\n');
    bytes
}

fn read_at(root: &Root, dir: BorrowedFd<'_>, path: &[u8]) -> Result<Option<Record>, StorageError> {
    let mut buffer = [0; DOCUMENT_BYTES_MAX];
    let document = match read_document(root, dir, path, &mut buffer) {
        Ok(document) => document,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        // The host's want, not the record's.
        Err(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => return Err(during("reading a record")(errno)),
        Err(_) => return Err(StorageError::RecordUnreadable),
    };
    match serde_json::from_slice::<Record>(document) {
        Ok(record) if record.version == 1 => Ok(Some(record)),
        _ => Err(StorageError::RecordUnreadable),
    }
}

fn read_document<'a>(
    root: &Root,
    dir: BorrowedFd<'_>,
    path: &[u8],
    buffer: &'a mut [u8; DOCUMENT_BYTES_MAX],
) -> Result<&'a [u8], Errno> {
    let file = root.open_beneath(dir, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
    let mut filled = 0;
    loop {
        match rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut buffer[filled..]))? {
            0 if filled == buffer.len() => return Err(Errno::FBIG),
            0 => return Ok(&buffer[..filled]),
            count => filled += count,
        }
    }
}

/// Whether a document is to outlive a crash of the host from now on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Synced {
    Yes,
    No,
}

/// Writes a document: temporary file, fsync, rename, fsync of the directory (DESIGN 4).
fn write(dir: BorrowedFd<'_>, temp_prefix: &str, name: &[u8], bytes: &[u8], synced: Synced) -> Result<(), Errno> {
    let temp = name::random(temp_prefix)?;
    let outcome = write_temp(dir, &temp, bytes, synced).and_then(|()| rustix::fs::renameat(dir, &temp, dir, name));
    if outcome.is_err() {
        // The error that counts is the first; a left-over is swept by the walk.
        let _ = rustix::fs::unlinkat(dir, &temp, AtFlags::empty());
    }
    outcome?;
    if synced == Synced::Yes { rustix::fs::fsync(dir) } else { Ok(()) }
}

fn write_temp(dir: BorrowedFd<'_>, temp: &[u8], bytes: &[u8], synced: Synced) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // The record holds the token that proves who made the path: for nobody else's eyes.
    let mut file = File::from(rustix::fs::openat(dir, temp, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(bytes)
        .and_then(|()| if synced == Synced::Yes { file.sync_all() } else { Ok(()) })
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}
