//! The walk over all directories: finds what expires, and sweeps what nobody needs any more.

use super::confine::{self, DIRECTORY};
use super::disk::Disk;
use super::errno::during;
use super::ledger::Counts;
use super::trash::{self, Emptier, SLICE_MS};
use super::{Walk, dated, inode, name, partial, record};
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::FileKind;
use rustix::fs::{AtFlags, Dir, FileType, OFlags};
use rustix::io::Errno;
use std::os::fd::AsFd;
use std::sync::Arc;

/// Begins a walk at the root.
pub(super) fn begin(disk: Arc<Disk>) -> Result<Box<dyn Walk>, StorageError> {
    dated::look(&disk);
    let stream = Dir::read_from(disk.root.fd()).map_err(during("walking the root"))?;
    let root = Frame { stream, path: VirtualPath::root(), kind: Kind::Plain };
    Ok(Box::new(LocalWalk { disk, stack: vec![root] }))
}

/// As deep as it is, so many handles: paths have a depth that is bounded.
struct LocalWalk {
    disk: Arc<Disk>,
    stack: Vec<Frame>,
}

/// A directory that is being read.
struct Frame {
    stream: Dir,
    path: VirtualPath,
    kind: Kind,
}

enum Kind {
    Plain,
    Parts,
    Tombs,
    /// One that lies beside what it took in, on another file system than the root's.
    Trash(Emptier),
}

/// Before which instants what goes.
#[derive(Clone, Copy)]
struct Bounds {
    tombstones_s: i64,
    partials_s: i64,
}

impl Walk for LocalWalk {
    fn next(
        &mut self,
        records_max: u32,
        tombstones_before_s: i64,
        partials_before_s: i64,
    ) -> Result<(Vec<(VirtualPath, i64)>, bool), StorageError> {
        let bounds = Bounds { tombstones_s: tombstones_before_s, partials_s: partials_before_s };
        let end_ms = self.disk.clock.now().monotonic_ms.saturating_add(SLICE_MS);
        let mut found = Vec::new();
        for _ in 0..records_max.saturating_mul(NAMES_PER_RECORD) {
            if found.len() >= records_max as usize || self.disk.clock.now().monotonic_ms > end_ms {
                break;
            }
            if !self.step(bounds, &mut found)? {
                return Ok((found, true));
            }
        }
        Ok((found, false))
    }
}

impl LocalWalk {
    /// Looks at one name; false: there is none left.
    fn step(&mut self, bounds: Bounds, found: &mut Vec<(VirtualPath, i64)>) -> Result<bool, StorageError> {
        let Some(frame) = self.stack.last_mut() else { return Ok(false) };
        if let Kind::Trash(emptier) = &mut frame.kind {
            let dir = frame.stream.fd().map_err(during("walking"))?;
            // What cannot be deleted now stays for the next walk.
            if emptier.empty(&self.disk, dir, TRASH_ENTRIES).is_ok_and(|emptied| !emptied.end) {
                return Ok(true);
            }
            self.leave();
            return Ok(true);
        }
        // At its end, or removed meanwhile.
        let Some(Ok(entry)) = frame.stream.read() else {
            self.leave();
            return Ok(true);
        };
        let name = entry.file_name().to_bytes();
        if name::is_dots(name) {
            return Ok(true);
        }
        match frame.kind {
            Kind::Parts => self.sweep_file(name, bounds.partials_s),
            Kind::Tombs => self.sweep_tombstone(name, bounds.tombstones_s),
            _ if name::is_reserved(name) => self.visit_reserved(name, bounds)?,
            _ => {
                let kind = entry.file_type();
                if matches!(kind, FileType::RegularFile | FileType::Unknown) && self.disk.has_dated_files() {
                    self.look_at_file(name, found)?;
                }
                if matches!(kind, FileType::Directory | FileType::Unknown) {
                    self.visit(name, found)?;
                }
            }
        }
        Ok(true)
    }

    fn leave(&mut self) {
        let left = self.stack.pop();
        let emptied = match left.as_ref().map(|frame| &frame.kind) {
            Some(Kind::Parts) => name::PARTS,
            Some(Kind::Tombs) => name::TOMBS,
            Some(Kind::Trash(_)) => name::TRASH,
            _ => return,
        };
        if let Some(Ok(parent)) = self.stack.last().map(|frame| frame.stream.fd()) {
            // It stays where it is not empty; whoever needs it next makes it anew.
            let _ = rustix::fs::unlinkat(parent, emptied, AtFlags::REMOVEDIR);
        }
    }

    /// Reads a file's own date.
    fn look_at_file(&self, name: &[u8], found: &mut Vec<(VirtualPath, i64)>) -> Result<(), StorageError> {
        let Some(frame) = self.stack.last() else { return Ok(()) };
        let here = frame.stream.fd().map_err(during("walking"))?;
        let Ok(path) = frame.path.resolve(&name::shown(name)) else { return Ok(()) };
        match dated::expiry_at(here, name) {
            Ok(expiry_s) => found.extend(expiry_s.map(|expiry_s| (path, expiry_s))),
            Err(_) => self.disk.tell_unreadable(&path, "the file's own date"),
        }
        Ok(())
    }

    /// Goes down into a directory, and reads its record.
    fn visit(&mut self, name: &[u8], found: &mut Vec<(VirtualPath, i64)>) -> Result<(), StorageError> {
        let Some(frame) = self.stack.last() else { return Ok(()) };
        // No client can name it, so none has made a storage path there.
        let Ok(path) = frame.path.resolve(&name::shown(name)) else { return Ok(()) };
        let here = frame.stream.fd().map_err(during("walking"))?;
        let handle = match self.disk.root.open_beneath(here, name, OFlags::RDONLY | DIRECTORY) {
            Ok(handle) => handle,
            Err(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => return Err(during("walking")(errno)),
            // Gone meanwhile, or nothing that we may read.
            Err(_) => return Ok(()),
        };
        match record::read(&self.disk.root, handle.as_fd()) {
            Ok(record) => {
                let expiry_s = record.and_then(|record| record.expiry_s);
                found.extend(expiry_s.map(|expiry_s| (path.clone(), expiry_s)));
            }
            Err(StorageError::RecordUnreadable) => {
                self.disk.tell_unreadable(&path, "the expiry record");
            }
            Err(error) => return Err(error),
        }
        self.push(handle, path, Kind::Plain)
    }

    fn visit_reserved(&mut self, name: &[u8], bounds: Bounds) -> Result<(), StorageError> {
        let kind = match name {
            name::PARTS => Kind::Parts,
            name::TOMBS => Kind::Tombs,
            // Without a bound nothing is deleted: the wall clock is not trusted.
            name::TRASH if self.stack.len() > 1 && bounds.partials_s > 0 => Kind::Trash(Emptier::default()),
            _ if name.starts_with(name::NEW.as_bytes()) => return self.sweep_directory(name, bounds.partials_s),
            _ if [name::TEMP, name::RECORD_TEMP].iter().any(|prefix| name.starts_with(prefix.as_bytes())) => {
                self.sweep_file(name, bounds.partials_s);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let Some(frame) = self.stack.last() else { return Ok(()) };
        let path = frame.path.clone();
        let here = frame.stream.fd().map_err(during("walking"))?;
        // A trash is emptied through the directory that it is in.
        let opened = if matches!(kind, Kind::Trash(_)) { b"." } else { name };
        match self.disk.root.open_beneath(here, opened, OFlags::RDONLY | DIRECTORY) {
            Ok(handle) => self.push(handle, path, kind),
            Err(_) => Ok(()),
        }
    }

    fn push(&mut self, handle: std::os::fd::OwnedFd, path: VirtualPath, kind: Kind) -> Result<(), StorageError> {
        let stream = Dir::new(handle).map_err(during("walking"))?;
        self.stack.push(Frame { stream, path, kind });
        Ok(())
    }

    /// Removes a left-over file that was last written before that instant, unless somebody holds it.
    fn sweep_file(&self, name: &[u8], before_s: i64) {
        if let Some(here) = self.older(name, before_s, FileKind::File) {
            let _step = self.disk.ledger.step();
            // What cannot be removed now stays for the next walk.
            let gone = partial::remove_from(&self.disk.root, here, name);
            if let (Ok(Some(bytes)), Some(Frame { kind: Kind::Parts, path, .. })) = (gone, self.stack.last())
                && let Ok(path) = path.resolve(&name::shown(name))
            {
                self.disk.ledger.removed(&path, Counts::file(bytes));
            }
        }
    }

    /// Removes what was left of the making of a directory.
    fn sweep_directory(&self, name: &[u8], before_s: i64) -> Result<(), StorageError> {
        match self.older(name, before_s, FileKind::Directory) {
            Some(here) => trash::take_in(&self.disk.root, here, name).map_err(during("sweeping a directory")),
            None => Ok(()),
        }
    }

    fn sweep_tombstone(&self, name: &[u8], before_s: i64) {
        let Some(Ok(here)) = self.stack.last().map(|frame| frame.stream.fd()) else { return };
        let is_old = match record::read_tombstone_in(&self.disk.root, here, name) {
            Some(tombstone) => tombstone.expiry_s < before_s,
            None => self.older(name, before_s, FileKind::File).is_some(),
        };
        if is_old {
            let _ = rustix::fs::unlinkat(here, name, AtFlags::empty());
        }
    }

    /// The directory that is being read, where such a thing stands there that was last written before that instant.
    fn older(&self, name: &[u8], before_s: i64, kind: FileKind) -> Option<std::os::fd::BorrowedFd<'_>> {
        let here = self.stack.last()?.stream.fd().ok()?;
        let stat = confine::stat_name(here, name).ok()??;
        (inode::kind(&stat) == kind && stat.st_mtime < before_s).then_some(here)
    }
}

/// Names that one call looks at for each record that it may bring.
const NAMES_PER_RECORD: u32 = 16;
/// Names that one step deletes from a trash that is not the root's.
const TRASH_ENTRIES: u32 = 256;
