//! Links that are followed, where the operator wants that, and no further than the root.
//!
//! A link is another name of the path that it leads to: the names on the way are replaced here, and what is left, a path
//! without links, is opened as every other, by the kernel's own confinement. So whoever swaps a link meanwhile gains
//! nothing; and the expiry of both ways counts, the link's and that of where it leads.

use super::confine::{DIRECTORY, find};
use super::local::LocalStorage;
use super::{inode, name};
use mayfly_core::error::StorageError;
use mayfly_core::path::{RESERVED_PREFIX, VirtualPath};
use mayfly_core::record::{FileKind, Record, RecordAt};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::AsFd;

/// Whether a link at the end of a path is followed, or is what is asked for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Followed,
    Itself,
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The same without links.
    pub(super) path: VirtualPath,
    /// The records on the way up to each link that was followed.
    route: Vec<Record>,
}

impl Target {
    /// Where `path` leads; none: no link is on its way, or one that leads nowhere, out of the root, or in a ring. Then
    /// it stays what it is, and whoever opens it meets the link.
    pub(super) fn of(local: &LocalStorage, path: &VirtualPath, last: Last) -> Result<Option<Self>, StorageError> {
        if !may_have_links(local, path, last) {
            return Ok(None);
        }
        let mut route = Vec::new();
        let mut left: VecDeque<String> = path.components().map(str::to_owned).collect();
        let mut here = VirtualPath::parse("/").map_err(|_| StorageError::Failed)?;
        let mut links = 0;
        while let Some(component) = left.pop_front() {
            match component.as_str() {
                "" | "." => continue,
                // The kernel calls that XDEV: out of the root.
                ".." if here.is_root() => return Ok(None),
                ".." => {
                    here = here.parent();
                    continue;
                }
                _ => {}
            }
            let Ok(next) = here.resolve(&component) else { return Ok(None) };
            if left.is_empty() && last == Last::Itself {
                here = next;
                break;
            }
            if let Some(to) = link_at(local, &here, &component)? {
                links += 1;
                let Some(names) = names_of(&to).filter(|_| links <= LINKS_MAX) else { return Ok(None) };
                route.extend(super::Storage::check(local, &here)?.records.into_iter().map(|at| at.record));
                names.into_iter().rev().for_each(|name| left.push_front(name));
            } else {
                here = next;
            }
        }
        Ok((links > 0).then_some(Self { path: here, route }))
    }

    /// The records of where it leads, as those of the path that was asked for: those above lie above, its own is its own.
    pub(super) fn shown(&self, asked: &VirtualPath, records: Vec<RecordAt>) -> Vec<RecordAt> {
        let (from, to) = (self.path.depth(), asked.depth());
        let route = self.route.iter().map(|record| RecordAt { depth: 0, record: record.clone() });
        let moved = records.into_iter().map(|at| RecordAt { depth: (at.depth + to).saturating_sub(from), ..at });
        route.chain(moved).collect()
    }

    /// What was judged of the path that was asked for, as of where it leads now.
    ///
    /// # Errors
    /// [`StorageError::Changed`] where the records are others by now.
    pub(super) fn judged(&self, local: &LocalStorage, judged: &[RecordAt]) -> Result<Vec<RecordAt>, StorageError> {
        let records = super::Storage::check(local, &self.path)?.records;
        let seen = self.route.iter().chain(records.iter().map(|at| &at.record));
        if seen.eq(judged.iter().map(|at| &at.record)) { Ok(records) } else { Err(StorageError::Changed) }
    }
}

/// One look by the kernel, which is all that most paths need.
fn may_have_links(local: &LocalStorage, path: &VirtualPath, last: Last) -> bool {
    if path.is_root() {
        return false;
    }
    if name::is_escaped(path.as_str()) {
        return true;
    }
    let root = &local.disk.root;
    match root.open_beneath(root.fd(), &path.as_str().as_bytes()[1..], OFlags::PATH) {
        Err(Errno::LOOP) => true,
        Ok(handle) if last == Last::Followed => {
            rustix::fs::fstat(handle).is_ok_and(|stat| inode::kind(&stat) == FileKind::Link)
        }
        _ => false,
    }
}

/// Where the link of this name in a directory leads; none: it is no link, or nothing stands there.
fn link_at(local: &LocalStorage, dir: &VirtualPath, component: &str) -> Result<Option<Vec<u8>>, StorageError> {
    let failed = super::errno::during("looking at a link");
    let dir = match local.disk.root.open_dir(dir, OFlags::PATH | DIRECTORY) {
        Ok(dir) => dir,
        // Whoever opens the whole path will say so.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
        Err(errno) => return Err(failed(errno)),
    };
    match find(dir.as_fd(), component).map_err(&failed)? {
        (name, Some(stat)) if inode::kind(&stat) == FileKind::Link => {
            match rustix::fs::readlinkat(&dir, &name, Vec::new()) {
                Ok(to) => Ok(Some(to.into_bytes())),
                // Swapped for something else meanwhile.
                Err(Errno::INVAL | Errno::NOENT) => Err(StorageError::Changed),
                Err(errno) => Err(failed(errno)),
            }
        }
        _ => Ok(None),
    }
}

/// The names in a link's text; none: it begins at the host's root, which is nobody's here, or names what is the server's.
fn names_of(to: &[u8]) -> Option<Vec<String>> {
    let names: Vec<String> = to.split(|byte| *byte == b'/').map(name::shown).collect();
    let is_ours = names.iter().any(|name| name.starts_with(RESERVED_PREFIX));
    (!to.starts_with(b"/") && !is_ours).then_some(names)
}

/// As many as the kernel follows (`path_resolution(7)`).
const LINKS_MAX: u32 = 40;
