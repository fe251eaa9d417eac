//! Counting what stands in a home, a step at a time.

use super::books::{Counts, Home};
use crate::storage::confine::{self, DIRECTORY};
use crate::storage::disk::Disk;
use crate::storage::{inode, name};
use mayfly_core::record::FileKind;
use rustix::fs::{Dir, OFlags};
use rustix::io::Errno;
use std::time::{Duration, Instant};

/// A count under way. As deep as it is, so many handles.
pub(super) struct Count<'a> {
    disk: &'a Disk,
    home: &'a Home,
    stack: Vec<(Dir, Kind)>,
    counts: Counts,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// Of kept partials.
    Parts,
}

impl<'a> Count<'a> {
    /// Begins it. A home that is not there holds nothing.
    pub(super) fn begin(disk: &'a Disk, home: &'a Home) -> Result<Self, Errno> {
        let mut stack = Vec::new();
        match disk.root.open_dir(home.path(), OFlags::RDONLY) {
            Ok(handle) => stack.push((Dir::new(handle)?, Kind::Plain)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            Err(errno) => return Err(errno),
        }
        Ok(Self { disk, home, stack, counts: Counts::default() })
    }

    /// Goes on for a while; some: it is at its end.
    pub(super) fn go_on(&mut self) -> Result<Option<Counts>, Errno> {
        let until = Instant::now() + SLICE;
        while Instant::now() < until {
            for _ in 0..NAMES_PER_LOOK {
                if !self.step()? {
                    return Ok(Some(self.counts));
                }
            }
        }
        Ok(None)
    }

    /// Looks at one name; false: there is none left.
    fn step(&mut self) -> Result<bool, Errno> {
        let Some((stream, kind)) = self.stack.last_mut() else { return Ok(false) };
        let kind = *kind;
        let Some(Ok(entry)) = stream.read() else {
            // At its end, or removed meanwhile.
            self.stack.pop();
            return Ok(true);
        };
        let name = entry.file_name().to_bytes();
        if name::is_dots(name) {
            return Ok(true);
        }
        let here = stream.fd()?;
        if kind == Kind::Plain && name::is_reserved(name) {
            if name == name::PARTS
                && let Ok(handle) = self.disk.root.open_beneath(here, name, OFlags::RDONLY | DIRECTORY)
            {
                self.stack.push((Dir::new(handle)?, Kind::Parts));
            }
            return Ok(true);
        }
        let Some(stat) = confine::stat_name(here, name)? else { return Ok(true) };
        match inode::kind(&stat) {
            FileKind::Directory if kind == Kind::Parts => {}
            FileKind::Directory => {
                self.counts = self.counts.and(Counts::directory());
                match self.disk.root.open_beneath(here, name, OFlags::RDONLY | DIRECTORY) {
                    Ok(handle) => self.stack.push((Dir::new(handle)?, Kind::Plain)),
                    Err(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => return Err(errno),
                    // Gone meanwhile, or nothing that we may read.
                    Err(_) => {}
                }
            }
            FileKind::File if self.home.is_open(inode::id(&stat)) => {}
            FileKind::File => self.counts = self.counts.and(Counts::file(inode::size_bytes(&stat))),
            _ if kind == Kind::Parts => {}
            _ => self.counts = self.counts.and(Counts::file(0)),
        }
        Ok(true)
    }
}

/// How long a count goes on before it rests.
const SLICE: Duration = Duration::from_millis(50);
/// Names between two looks at the clock.
const NAMES_PER_LOOK: u32 = 64;
