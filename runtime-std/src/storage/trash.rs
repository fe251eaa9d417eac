//! The trash: where a directory goes in one step, to be deleted slowly.

use super::confine::{self, DIRECTORY, Root};
use super::disk::Disk;
use super::errno::during;
use super::ledger::Counts;
use super::named::Named;
use super::way::Way;
use super::{Emptied, dated, inode, lock, name, record};
use mayfly_core::error::StorageError;
use mayfly_core::expiry;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::FileKind;
use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Moves an expired path into the trash and leaves its tombstone.
///
/// A file that expires by a date of its own leaves none: cameras and scanners use the same names again and again, and
/// would leave more of them than files. Who comes late for such a file hears what they hear of any that is not there.
///
/// # Errors
/// [`StorageError::Changed`] unless its record has this expiry, and it has come.
pub(super) fn move_expired(disk: &Disk, path: &VirtualPath, expiry_s: i64) -> Result<(), StorageError> {
    let way = match Way::hold_exclusive(&disk.root, path) {
        Err(StorageError::NotDirectory) => return move_expired_file(disk, path, expiry_s),
        outcome => outcome?,
    };
    let own_s = way.record().and_then(|record| record.expiry_s);
    if path.is_root() || own_s != Some(expiry_s) || !expiry::is_expired(own_s, disk.utc_s()) {
        return Err(StorageError::Changed);
    }
    // First, so that at no moment the name is missing without it.
    match record::write_tombstone(&disk.root, way.parent(), path.name(), expiry_s) {
        // A disk that is full must not keep what would make room on it.
        Err(StorageError::NoSpace | StorageError::QuotaExceeded) => {
            tracing::warn!(%path, "no room for a tombstone: the expired path goes without one");
        }
        outcome => outcome?,
    }
    let moved = take_in(&disk.root, way.parent(), way.name());
    if moved.is_err() {
        record::drop_tombstone(&disk.root, way.parent(), path.name());
    }
    moved.map_err(during("moving an expired path into the trash"))?;
    disk.ledger.tree_removed(path);
    Ok(())
}

fn move_expired_file(disk: &Disk, path: &VirtualPath, expiry_s: i64) -> Result<(), StorageError> {
    let way = match Way::open(&disk.root, &path.parent()) {
        Err(StorageError::NotDirectory) => return Err(StorageError::NotFound),
        outcome => outcome?,
    };
    let there = match Named::open(&disk.root, way.dir(), path.name())? {
        None => return Err(StorageError::NotFound),
        Some(there) if there.kind != FileKind::File => return Err(StorageError::Changed),
        Some(there) => there,
    };
    match dated::expiry(there.handle.as_fd())? {
        Some(own_s) if own_s == expiry_s => take_in_expired(disk, path, way.dir(), &there),
        _ => Err(StorageError::Changed),
    }
}

/// Moves a file that has expired by a date of its own into the trash, alone with it.
///
/// # Errors
/// [`StorageError::Changed`] unless it stands there still, and has expired.
pub(super) fn take_in_expired(
    disk: &Disk,
    path: &VirtualPath,
    dir: BorrowedFd<'_>,
    there: &Named,
) -> Result<(), StorageError> {
    lock::all(&[there.wanted()])?;
    there.require_standing(dir)?;
    if !dated::gives_way(disk, there) {
        return Err(StorageError::Changed);
    }
    take_in(&disk.root, dir, &there.name).map_err(during("moving an expired file into the trash"))?;
    disk.ledger.removed(path, Counts::file(there.size_bytes));
    Ok(())
}

/// Moves a directory that the caller holds into the trash: the root's, or, where another file system is mounted
/// beneath the root, one beside it.
pub(super) fn take_in(root: &Root, parent: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    let move_to = |trash: OwnedFd| rustix::fs::renameat(parent, name, &trash, name::random("")?);
    match move_to(record::reserved_dir(root, root.fd(), name::TRASH)?) {
        Err(Errno::XDEV) => move_to(record::reserved_dir(root, parent, name::TRASH)?),
        outcome => outcome,
    }
}

/// Deletes what is in one trash, a few names at a time; between times it remembers where it was.
///
/// It never descends: a directory that is not empty is first moved up into the trash itself. So it needs no more
/// memory for a deep tree than for a flat one, and after a crash there is nothing to be gone on with but the trash.
#[derive(Default)]
pub(super) struct Emptier {
    pass: Option<Pass>,
}

/// One reading of the trash's names.
struct Pass {
    trash: OwnedFd,
    names: Dir,
    /// The directory in the trash that is being emptied.
    current: Option<(Vec<u8>, Dir)>,
    found_any: bool,
    has_progressed: bool,
    /// Why the first of the names that stayed did so.
    hindrance: Option<Errno>,
}

impl Emptier {
    /// Deletes at most so many names from the trash in `dir`, and for no longer than [`SLICE_MS`].
    ///
    /// # Errors
    /// What hinders it, where nothing else is left that could be deleted; it begins anew then.
    pub(super) fn empty(
        &mut self,
        disk: &Disk,
        dir: BorrowedFd<'_>,
        entries_max: u32,
    ) -> Result<Emptied, StorageError> {
        let failed = during("emptying the trash");
        let end_ms = disk.clock.now().monotonic_ms.saturating_add(SLICE_MS);
        let mut emptied = Emptied::default();
        for _ in 0..entries_max {
            if disk.clock.now().monotonic_ms > end_ms {
                break;
            }
            let pass = match &mut self.pass {
                Some(pass) => pass,
                None => match Pass::begin(&disk.root, dir).map_err(&failed)? {
                    Some(pass) => self.pass.insert(pass),
                    None => return Ok(Emptied { end: true, ..emptied }),
                },
            };
            if pass.step(&disk.root, &mut emptied).map_err(&failed)? {
                continue;
            }
            let pass = self.pass.take().filter(|pass| pass.found_any);
            match pass {
                None => return Ok(Emptied { end: true, ..emptied }),
                Some(pass) if pass.has_progressed => {}
                // What was deleted is told first; the next call comes back to this.
                Some(_) if emptied.entries > 0 => break,
                Some(pass) => return Err(failed(pass.hindrance.unwrap_or(Errno::BUSY))),
            }
        }
        Ok(emptied)
    }
}

impl Pass {
    /// None: there is no trash.
    fn begin(root: &Root, dir: BorrowedFd<'_>) -> Result<Option<Self>, Errno> {
        let trash = match root.open_beneath(dir, name::TRASH, OFlags::RDONLY | DIRECTORY) {
            Err(Errno::NOENT) => return Ok(None),
            outcome => outcome?,
        };
        let names = Dir::read_from(&trash)?;
        let (current, hindrance) = (None, None);
        Ok(Some(Self { trash, names, current, found_any: false, has_progressed: false, hindrance }))
    }

    /// Does away with one name; false: this was the last.
    fn step(&mut self, root: &Root, emptied: &mut Emptied) -> Result<bool, Errno> {
        match self.current.take() {
            None => {
                let Some((name, kind)) = next_name(&mut self.names)? else { return Ok(false) };
                self.found_any = true;
                if kind == FileKind::Directory {
                    self.current = self.open(root, name)?;
                } else {
                    let outcome = remove_file(self.trash.as_fd(), &name);
                    self.count(outcome, emptied);
                }
            }
            Some((name, mut dir)) => match next_name(&mut dir)? {
                None => {
                    let outcome = rustix::fs::unlinkat(&self.trash, &name, AtFlags::REMOVEDIR);
                    self.count(outcome.map(|()| Some(0)), emptied);
                }
                Some((child, kind)) => {
                    let outcome = self.remove_child(&dir, &child, kind);
                    self.count(outcome, emptied);
                    self.current = Some((name, dir));
                }
            },
        }
        Ok(true)
    }

    fn open(&mut self, root: &Root, name: Vec<u8>) -> Result<Option<(Vec<u8>, Dir)>, Errno> {
        let open = || root.open_beneath(self.trash.as_fd(), &name, OFlags::RDONLY | DIRECTORY);
        let opened = match open() {
            Err(Errno::ACCESS) => {
                // Whoever took the right to read it from us did not mean it to stay for ever.
                let _ = rustix::fs::chmodat(&self.trash, &name, Mode::RWXU, AtFlags::empty());
                open()
            }
            opened => opened,
        };
        match opened {
            Ok(dir) => Ok(Some((name, Dir::new(dir)?))),
            Err(Errno::MFILE | Errno::NFILE) => Err(Errno::MFILE),
            Err(errno) => {
                self.count(Err(errno), &mut Emptied::default());
                Ok(None)
            }
        }
    }

    fn remove_child(&self, dir: &Dir, child: &[u8], kind: FileKind) -> Result<Option<u64>, Errno> {
        let handle = dir.fd()?;
        let remove = || match kind {
            FileKind::Directory => match rustix::fs::unlinkat(handle, child, AtFlags::REMOVEDIR) {
                Err(Errno::NOTEMPTY | Errno::EXIST) => {
                    rustix::fs::renameat(handle, child, &self.trash, name::random("")?).map(|()| None)
                }
                outcome => outcome.map(|()| Some(0)),
            },
            _ => remove_file(handle, child),
        };
        match remove() {
            Err(Errno::ACCESS) => {
                rustix::fs::fchmod(handle, Mode::RWXU)?;
                remove()
            }
            outcome => outcome,
        }
    }

    /// `Some(bytes)`: a name is gone; `None`: it has only moved.
    fn count(&mut self, outcome: Result<Option<u64>, Errno>, emptied: &mut Emptied) {
        match outcome {
            Ok(freed) => {
                self.has_progressed = true;
                emptied.entries += u64::from(freed.is_some());
                emptied.bytes += freed.unwrap_or(0);
            }
            // Another server was faster.
            Err(Errno::NOENT) => self.has_progressed = true,
            Err(errno) => self.hindrance = self.hindrance.or(Some(errno)),
        }
    }
}

/// The longest that one call may take, milliseconds: a path that falls due meanwhile waits for it.
pub(super) const SLICE_MS: u64 = 100;

/// The next name in a directory and what it is, which is not followed if it is a link.
fn next_name(dir: &mut Dir) -> Result<Option<(Vec<u8>, FileKind)>, Errno> {
    loop {
        let entry = match dir.read() {
            None | Some(Err(Errno::NOENT)) => return Ok(None),
            Some(entry) => entry?,
        };
        let name = entry.file_name().to_bytes();
        if name::is_dots(name) {
            continue;
        }
        let kind = match entry.file_type() {
            rustix::fs::FileType::Directory => Some(FileKind::Directory),
            rustix::fs::FileType::Unknown => confine::stat_name(dir.fd()?, name)?.map(|stat| inode::kind(&stat)),
            _ => Some(FileKind::File),
        };
        if let Some(kind) = kind {
            return Ok(Some((name.to_vec(), kind)));
        }
    }
}

/// Removes a file or link, and tells how many bytes that frees, as far as names tell.
fn remove_file(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<u64>, Errno> {
    let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
    rustix::fs::unlinkat(dir, name, AtFlags::empty())?;
    let is_last_name = inode::kind(&stat) == FileKind::File && stat.st_nlink == 1;
    Ok(Some(if is_last_name { inode::size_bytes(&stat) } else { 0 }))
}
