//! A walk over everything beneath a root for an operator: which storage paths there are, and what is not as it should
//! be. Beside the records nothing is held in memory but the directories from the root down to where it is.

mod debris;
pub(crate) mod finding;

use super::confine::{self, DIRECTORY, Root};
use super::record::{self, Inspected};
use super::{errno, inode, name};
use finding::{Finding, Kind, Mended, Remedy};
use mayfly_core::error::StorageError;
use mayfly_core::expiry;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileKind, Record};
use rustix::fs::{Dir, OFlags, Stat};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

/// The walk. Storage paths come when it leaves them, so what is beneath comes first.
pub(crate) struct Survey {
    root: Root,
    now_s: i64,
    mends: Option<Remedy>,
    is_thorough: bool,
    stack: Vec<Frame>,
    out: VecDeque<Item>,
}

/// What it meets.
pub(crate) enum Item {
    Path(PathRow),
    Found(Finding),
}

/// A storage path.
#[derive(Debug)]
pub(crate) struct PathRow {
    pub(crate) path: VirtualPath,
    /// None: its record cannot be read.
    pub(crate) record: Option<Record>,
    /// The earliest of its own expiry and its ancestors', UTC seconds; none: never.
    pub(crate) effective_s: Option<i64>,
    /// Whether a directory above it has expired.
    pub(crate) is_beneath_expired: bool,
    /// Bytes of all files beneath.
    pub(crate) bytes: u64,
    /// All files beneath.
    pub(crate) files: u64,
}

/// A directory that is being read.
struct Frame {
    stream: Dir,
    /// As clients see it; of the server's own directories, that which they are in.
    path: VirtualPath,
    place: Place,
    record: Inspected,
    /// The earliest expiry above it.
    above_s: Option<i64>,
    bytes: u64,
    files: u64,
}

/// What a directory is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Clients,
    Parts,
    Tombs,
    Trash,
    /// Beneath the trash.
    Trashed,
}

impl Survey {
    /// Begins at `start` beneath this root. What is not as it should be is mended as it is met, as far as `mends` goes:
    /// by [`Remedy::Reaper`] what a reaper does, by [`Remedy::Repair`] more; expired paths are the caller's to move.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn begin(root: &Path, start: &VirtualPath, now_s: i64, mends: Option<Remedy>) -> io::Result<Self> {
        let root = Root::open(root)?;
        let mut above_s = None;
        for depth in 1..start.depth() {
            let dir = root.open_dir(&start.ancestor(depth), OFlags::RDONLY)?;
            if let Inspected::Read(record) = record::inspect(&root, dir.as_fd()) {
                above_s = expiry::earlier(above_s, record.expiry_s);
            }
        }
        let handle = root.open_dir(start, OFlags::RDONLY)?;
        let mut survey = Self { root, now_s, mends, is_thorough: false, stack: Vec::new(), out: VecDeque::new() };
        survey.enter(handle, start.clone(), Place::Clients, above_s)?;
        Ok(survey)
    }

    /// The same, and it looks at each file's own date too. Trash that a running server may be emptying does not count.
    pub(crate) fn thorough(self) -> Self {
        Self { is_thorough: true, ..self }
    }

    /// The next thing; none: that was all.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, StorageError> {
        loop {
            if let Some(item) = self.out.pop_front() {
                return Ok(Some(item));
            }
            if self.stack.is_empty() {
                return Ok(None);
            }
            self.step().map_err(errno::during("looking through the storage"))?;
        }
    }

    /// Looks at one name.
    fn step(&mut self) -> Result<(), rustix::io::Errno> {
        let Some(frame) = self.stack.last_mut() else { return Ok(()) };
        // At its end, or removed meanwhile.
        let Some(Ok(entry)) = frame.stream.read() else {
            self.leave();
            return Ok(());
        };
        let name = entry.file_name().to_bytes();
        if name::is_dots(name) {
            return Ok(());
        }
        let Some(stat) = confine::stat_name(frame.stream.fd()?, name)? else { return Ok(()) };
        match frame.place {
            Place::Clients if name::is_reserved(name) => self.visit_reserved(name, &stat),
            Place::Clients => self.visit(name, &stat),
            Place::Parts => self.look_at_part(name, &stat),
            Place::Tombs => self.look_at_tombstone(name, &stat),
            Place::Trash | Place::Trashed => self.look_at_trash(name, &stat),
        }
        Ok(())
    }

    /// Looks at a name that clients may see.
    fn visit(&mut self, name: &[u8], stat: &Stat) {
        if name::shown(name).as_bytes() != name {
            self.found(Kind::OddName, name, None, 0);
        }
        match inode::kind(stat) {
            FileKind::File => {
                if let Some(frame) = self.stack.last_mut() {
                    frame.bytes = frame.bytes.saturating_add(inode::size_bytes(stat));
                    frame.files = frame.files.saturating_add(1);
                }
                if self.is_thorough {
                    self.look_at_date(name);
                }
            }
            FileKind::Directory => self.descend(name),
            FileKind::Link => self.found(Kind::Link, name, None, 0),
            _ => self.found(Kind::Special, name, None, 0),
        }
    }

    fn descend(&mut self, name: &[u8]) {
        let Some(frame) = self.stack.last() else { return };
        let Ok(path) = frame.path.resolve(&name::shown(name)) else {
            return self.found(Kind::Unreachable, name, None, 0);
        };
        let own_s = match &frame.record {
            Inspected::Read(record) => record.expiry_s,
            Inspected::None | Inspected::Unreadable { .. } => None,
        };
        let above_s = expiry::earlier(frame.above_s, own_s);
        let opened = frame.stream.fd().and_then(|here| self.root.open_beneath(here, name, OFlags::RDONLY | DIRECTORY));
        let entered = opened.map_err(io::Error::from).and_then(|dir| self.enter(dir, path, Place::Clients, above_s));
        match entered {
            Ok(()) => {}
            // Gone meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.found(Kind::Unreadable, name, Some(error.to_string()), 0),
        }
    }

    fn enter(&mut self, handle: OwnedFd, path: VirtualPath, place: Place, above_s: Option<i64>) -> io::Result<()> {
        let record = match place {
            Place::Clients => record::inspect(&self.root, handle.as_fd()),
            _ => Inspected::None,
        };
        let stream = Dir::new(handle)?;
        self.stack.push(Frame { stream, path, place, record, above_s, bytes: 0, files: 0 });
        Ok(())
    }

    /// A directory is at its end: what is beneath it is known.
    fn leave(&mut self) {
        let Some(frame) = self.stack.pop() else { return };
        if frame.place == Place::Trash {
            return self.left_trash(&frame);
        }
        if let Some(above) = self.stack.last_mut() {
            above.bytes = above.bytes.saturating_add(frame.bytes);
            above.files = above.files.saturating_add(frame.files);
        }
        if frame.place == Place::Clients {
            self.left_path(frame);
        }
    }

    fn left_path(&mut self, frame: Frame) {
        let Frame { path, record, above_s, bytes, files, .. } = frame;
        let shown = path.to_string();
        let (record, why) = match record {
            Inspected::None => return,
            Inspected::Read(record) => (Some(record), None),
            Inspected::Unreadable { why, .. } => (None, Some(why)),
        };
        if path.is_root() {
            return self.tell(Kind::RecordInRoot, shown, None, 0);
        }
        if record.is_none() {
            self.tell(Kind::RecordDamaged, shown, why, 0);
        }
        let own_s = record.as_ref().and_then(|record| record.expiry_s);
        let row = PathRow {
            path,
            record,
            effective_s: expiry::earlier(own_s, above_s),
            is_beneath_expired: expiry::is_expired(above_s, self.now_s),
            bytes,
            files,
        };
        self.out.push_back(Item::Path(row));
    }

    /// Tells of a name in the directory that is being read.
    fn found(&mut self, kind: Kind, name: &[u8], detail: Option<String>, bytes: u64) {
        let path = self.path_of(name);
        self.tell(kind, path, detail, bytes);
    }

    fn tell(&mut self, kind: Kind, path: String, detail: Option<String>, bytes: u64) {
        self.out.push_back(Item::Found(Finding { kind, path, detail, bytes, mended: Mended::Not }));
    }

    /// A name in the directory that is being read, as clients would see it.
    fn path_of(&self, name: &[u8]) -> String {
        let name = name::shown(name);
        let Some(frame) = self.stack.last() else { return name };
        let within = match frame.place {
            Place::Clients => "",
            Place::Parts => ".mayfly-parts/",
            Place::Tombs => ".mayfly-tombs/",
            Place::Trash | Place::Trashed => ".mayfly-trash/",
        };
        let base = frame.path.as_str().trim_end_matches('/');
        format!("{base}/{within}{name}")
    }
}
