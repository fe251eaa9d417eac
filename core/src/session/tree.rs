//! DSIZ: how many bytes lie in a directory and all beneath it.

use super::state::{Awaited, Deed, Doing, Flow, Subject};
use super::work::{Kind, Work};
use super::{Session, access, refuse};
use crate::action::{ListingDetail, StorageRequest};
use crate::error::StorageError;
use crate::expiry;
use crate::limits;
use crate::listing::options::ListingOrder;
use crate::path::{RESERVED_PREFIX, VirtualPath};
use crate::record::{Entry, FileKind, PathState};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::ops::ControlFlow::Break;

/// A DSIZ under way.
#[derive(Debug)]
pub(super) struct Tree {
    size_bytes: u64,
    /// Names looked at.
    entries: u64,
    /// The directory that is being looked at.
    directory: VirtualPath,
    /// Directories that are to be looked at.
    pending: Vec<VirtualPath>,
}

impl Tree {
    /// Takes what a directory holds. False: there is more of it than is looked at.
    fn count(&mut self, now: Now, entries: &[Entry]) -> bool {
        self.entries += entries.len() as u64;
        for entry in entries {
            if !expiry::lives(entry, now) || entry.name.starts_with(RESERVED_PREFIX) {
                continue;
            }
            match entry.info.kind {
                FileKind::File => self.size_bytes = self.size_bytes.saturating_add(entry.info.size_bytes),
                // What no path can name lies too deep to be reached by any command.
                FileKind::Directory => self.pending.extend(self.directory.resolve(&entry.name).ok()),
                FileKind::Link | FileKind::Other => {}
            }
        }
        self.entries <= limits::TREE_ENTRIES_MAX && self.pending.len() <= limits::TREE_PENDING_MAX
    }
}

impl Session {
    pub(super) fn dsiz(&mut self, argument: &str) -> Flow {
        let path = self.looked_up(argument, text::DSIZ_FAILED)?;
        let tree = Tree { size_bytes: 0, entries: 0, directory: path.clone(), pending: Vec::new() };
        self.check_for(path.clone(), Work::new(Kind::Tree(tree), path))
    }

    pub(super) fn tree_checked(&mut self, now: Now, mut work: Box<Work>, state: &PathState) -> Flow {
        access::living_directory(now, state, text::DSIZ_FAILED)?;
        self.permit(Right::List, &state.records)?;
        work.touches(&state.records);
        self.open_tree(work)
    }

    fn open_tree(&mut self, work: Box<Work>) -> Flow {
        let Kind::Tree(tree) = &work.kind else { return Break(Reply::new(451, text::DSIZ_FAILED)) };
        let request = StorageRequest::OpenListing {
            path: tree.directory.clone(),
            sort_entries_max: 0,
            order: ListingOrder::default(),
            detail: ListingDetail::Attributes,
        };
        let subject = Subject { path: work.path.clone(), tries: 0 };
        self.change(Doing { subject, deed: Deed::OpenTree(work) }, request)
    }

    fn read_tree(&mut self, work: Box<Work>) -> Flow {
        let entries_max = limits::LISTING_BATCH_ENTRIES;
        self.ask(StorageRequest::ReadListing { entries_max }, Awaited::WorkListed(work))
    }

    pub(super) fn tree_opened(&mut self, now: Now, work: Box<Work>, outcome: Result<(), StorageError>) -> Flow {
        match outcome {
            Ok(()) => match work.halted(now) {
                Some(reply) => self.end_work(*work, reply),
                None => self.read_tree(work),
            },
            Err(error) => self.tree_skipped(now, work, error),
        }
    }

    pub(super) fn tree_listed(
        &mut self,
        now: Now,
        mut work: Box<Work>,
        outcome: Result<(Vec<Entry>, bool), StorageError>,
    ) -> Flow {
        let (entries, end) = match outcome {
            Ok(listed) => listed,
            Err(error) => return self.tree_skipped(now, work, error),
        };
        let halted = work.halted(now);
        let Kind::Tree(tree) = &mut work.kind else { return Break(Reply::new(451, text::DSIZ_FAILED)) };
        let fits = tree.count(now, &entries);
        let too_large = || Reply::new(550, text::DSIZ_FAILED).with_detail(text::TREE_TOO_LARGE);
        match (halted.or_else(|| (!fits).then(too_large)), end) {
            // At its end, the listing is closed.
            (Some(reply), true) => Break(reply),
            (Some(reply), false) => self.end_work(*work, reply),
            (None, true) => self.next_directory(now, work),
            (None, false) => self.read_tree(work),
        }
    }

    /// A directory beneath that went away meanwhile, or that the server may not read, counts nothing.
    fn tree_skipped(&mut self, now: Now, work: Box<Work>, error: StorageError) -> Flow {
        let Kind::Tree(tree) = &work.kind else { return Break(Reply::new(451, text::DSIZ_FAILED)) };
        let is_beneath = tree.directory != work.path;
        match error {
            StorageError::NotFound | StorageError::NotDirectory | StorageError::Denied if is_beneath => {
                self.next_directory(now, work)
            }
            _ => Break(refuse::storage(error, text::DSIZ_FAILED)),
        }
    }

    fn next_directory(&mut self, now: Now, mut work: Box<Work>) -> Flow {
        if let Some(reply) = work.halted(now) {
            return Break(reply);
        }
        let Kind::Tree(tree) = &mut work.kind else { return Break(Reply::new(451, text::DSIZ_FAILED)) };
        match tree.pending.pop() {
            Some(directory) => {
                tree.directory = directory;
                self.open_tree(work)
            }
            None => Break(Reply::new(213, tree.size_bytes.to_string())),
        }
    }
}
