//! What the server left behind, in its own names.

use super::finding::{Finding, Kind, Mended};
use super::{Frame, Item, Place, Survey};
use crate::storage::confine::{self, DIRECTORY};
use crate::storage::record::{self, Inspected};
use crate::storage::{inode, name, partial, trash};
use mayfly_core::expiry;
use mayfly_core::record::FileKind;
use rustix::fs::{AtFlags, OFlags, Stat};
use rustix::io::Errno;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

impl Survey {
    /// Looks at one of the server's own names in a directory of clients'.
    pub(super) fn visit_reserved(&mut self, name: &[u8], stat: &Stat) {
        let is_directory = inode::kind(stat) == FileKind::Directory;
        let begins = |prefix: &str| name.starts_with(prefix.as_bytes());
        match name {
            // It was read when the directory was entered.
            name::RECORD => {}
            name::DATED if !is_directory => {}
            name::PARTS if is_directory => self.look_into(name, Place::Parts),
            name::TOMBS if is_directory => self.look_into(name, Place::Tombs),
            name::TRASH if is_directory => self.look_into(name, Place::Trash),
            _ if begins(name::NEW) && is_directory => self.look_at_half_made(name, stat),
            _ if (begins(name::TEMP) || begins(name::RECORD_TEMP)) && !is_directory => self.look_at_temp(name, stat),
            _ => self.found(Kind::UnknownReserved, name, None, 0),
        }
    }

    fn look_into(&mut self, name: &[u8], place: Place) {
        let Some(frame) = self.stack.last() else { return };
        let path = frame.path.clone();
        let opened = frame.stream.fd().and_then(|here| self.root.open_beneath(here, name, OFlags::RDONLY | DIRECTORY));
        match opened {
            Ok(dir) => match self.enter(dir, path, place, None) {
                Ok(()) => {}
                Err(error) => self.found(Kind::Unreadable, name, Some(error.to_string()), 0),
            },
            Err(Errno::NOENT) => {}
            Err(errno) => self.found(Kind::Unreadable, name, Some(std::io::Error::from(errno).to_string()), 0),
        }
    }

    fn look_at_temp(&mut self, name: &[u8], stat: &Stat) {
        if self.is_older(stat.st_mtime, DEBRIS_S) {
            let removed = |survey: &Self, here: BorrowedFd<'_>| {
                partial::remove_from(&survey.root, here, name).map(|bytes| bytes.is_some())
            };
            self.mend(Kind::LeftOver, name, inode::size_bytes(stat), removed);
        }
    }

    fn look_at_half_made(&mut self, name: &[u8], stat: &Stat) {
        if self.is_older(stat.st_mtime, DEBRIS_S) {
            let taken = |survey: &Self, here: BorrowedFd<'_>| trash::take_in(&survey.root, here, name).map(|()| true);
            self.mend(Kind::HalfMade, name, 0, taken);
        }
    }

    /// Looks at what is kept of a broken upload.
    pub(super) fn look_at_part(&mut self, name: &[u8], stat: &Stat) {
        if inode::kind(stat) != FileKind::File {
            return self.found(Kind::UnknownReserved, name, None, 0);
        }
        if self.is_older(stat.st_mtime, DEBRIS_S) {
            let kind = if name::is_reserved(name) { Kind::LeftOver } else { Kind::OldPartial };
            let removed = |survey: &Self, here: BorrowedFd<'_>| {
                partial::remove_from(&survey.root, here, name).map(|bytes| bytes.is_some())
            };
            self.mend(kind, name, inode::size_bytes(stat), removed);
        }
    }

    /// Looks at the tombstone of a name in the directory above.
    pub(super) fn look_at_tombstone(&mut self, name: &[u8], stat: &Stat) {
        if inode::kind(stat) != FileKind::File {
            return self.found(Kind::UnknownReserved, name, None, 0);
        }
        if name::is_reserved(name) {
            return self.look_at_temp(name, stat);
        }
        let here = self.stack.last().and_then(|frame| frame.stream.fd().ok());
        let kind = match here.and_then(|here| record::read_tombstone_in(&self.root, here, name)) {
            None => Kind::DamagedTombstone,
            Some(tombstone) if self.is_older(tombstone.expiry_s, TOMBSTONE_S) => Kind::OldTombstone,
            Some(_) if self.lives_above(name) => Kind::StaleTombstone,
            Some(_) => return,
        };
        let removed =
            |_: &Self, here: BorrowedFd<'_>| rustix::fs::unlinkat(here, name, AtFlags::empty()).map(|()| true);
        self.mend(kind, name, 0, removed);
    }

    /// Whether something lives under this name in the directory above: nothing that has expired, for its tombstone is
    /// written before it goes.
    fn lives_above(&self, name: &[u8]) -> bool {
        let Some(above) = self.stack.iter().rev().nth(1).and_then(|frame| frame.stream.fd().ok()) else { return false };
        match confine::stat_name(above, name) {
            Ok(Some(stat)) if inode::kind(&stat) == FileKind::Directory => {}
            Ok(Some(_)) => return true,
            _ => return false,
        }
        let Ok(dir) = self.root.open_beneath(above, name, OFlags::RDONLY | DIRECTORY) else { return false };
        match record::inspect(&self.root, dir.as_fd()) {
            Inspected::Read(record) => !expiry::is_expired(record.expiry_s, self.now_s),
            Inspected::None => true,
            Inspected::Unreadable { .. } => false,
        }
    }

    /// Counts what is in the trash.
    pub(super) fn look_at_trash(&mut self, name: &[u8], stat: &Stat) {
        let depth = self.stack.len();
        let rested_s = if self.is_thorough { self.now_s.saturating_sub(REST_S) } else { i64::MAX };
        let Some(frame) = self.stack.last_mut() else { return };
        if frame.place == Place::Trash {
            // A move changes that time. A running server may be at it.
            if stat.st_ctime > rested_s {
                return;
            }
            frame.files = frame.files.saturating_add(1);
        }
        if inode::kind(stat) != FileKind::Directory {
            frame.bytes = frame.bytes.saturating_add(inode::size_bytes(stat));
        } else if depth < TRASH_DEPTH_MAX {
            self.look_into(name, Place::Trashed);
        }
    }

    /// Emptying it is the caller's, or a running server's.
    pub(super) fn left_trash(&mut self, frame: &Frame) {
        if frame.files > 0 {
            let detail = Some(format!("{} names", frame.files));
            self.found(Kind::TrashLeft, name::TRASH, detail, frame.bytes);
        }
    }

    /// Looks at a file's own date.
    pub(super) fn look_at_date(&mut self, name: &[u8]) {
        let Some(Ok(here)) = self.stack.last().map(|frame| frame.stream.fd()) else { return };
        let path = [b"/proc/self/fd/", here.as_raw_fd().to_string().as_bytes(), b"/", name].concat();
        let mut value = [0; DATE_BYTES_MAX];
        let is_damaged = match rustix::fs::lgetxattr(path, DATE_ATTRIBUTE, &mut value[..]) {
            Ok(length) => {
                let digits = value.get(..length).and_then(|value| str::from_utf8(value).ok());
                digits.is_none_or(|digits| digits.trim_end().parse::<i64>().is_err())
            }
            Err(Errno::RANGE) => true,
            // There is none, or the file system knows none.
            Err(_) => false,
        };
        if is_damaged {
            self.found(Kind::DateDamaged, name, None, 0);
        }
    }

    /// Tells of a name in the directory that is being read, and does something about it where that was asked for.
    /// `act` tells whether it is gone; not: somebody holds it.
    fn mend(
        &mut self,
        kind: Kind,
        name: &[u8],
        bytes: u64,
        act: impl Fn(&Self, BorrowedFd<'_>) -> Result<bool, Errno>,
    ) {
        let mended = if self.mends.is_some_and(|mends| kind.remedy() <= mends) {
            let here = self.stack.last().and_then(|frame| frame.stream.fd().ok());
            match here.map(|here| act(self, here)) {
                // Gone meanwhile is as good.
                Some(Ok(true) | Err(Errno::NOENT)) => Mended::Done,
                Some(Ok(false)) => Mended::Failed("it is in use".to_owned()),
                Some(Err(errno)) => Mended::Failed(std::io::Error::from(errno).to_string()),
                None => Mended::Not,
            }
        } else {
            Mended::Not
        };
        let path = self.path_of(name);
        self.out.push_back(Item::Found(Finding { kind, path, detail: None, bytes, mended }));
    }

    fn is_older(&self, than_s: i64, age_s: i64) -> bool {
        than_s < self.now_s.saturating_sub(age_s)
    }
}

/// The reaper's bounds: how old debris is before it is anybody's, seconds.
const DEBRIS_S: i64 = 86_400;
/// The same of tombstones.
const TOMBSTONE_S: i64 = 30 * 86_400;
/// How long trash may lie before it counts as left, seconds.
const REST_S: i64 = 3600;
/// How deep the trash is looked into; what lies deeper is not counted.
const TRASH_DEPTH_MAX: usize = 256;
/// A file's own date, UTC seconds in decimal digits.
const DATE_ATTRIBUTE: &str = "user.mayfly.expiry";
const DATE_BYTES_MAX: usize = 32;
