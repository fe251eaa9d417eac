//! How much stands beneath each home that has a quota. The disk is the truth: a home is counted when it is first asked
//! for, so a crash costs nothing but that; every step that makes or removes something tells the ledger; and a slow
//! recount corrects what other servers and operators do beside it.

mod books;
mod count;
mod steps;
mod thread;

pub(super) use books::{Counts, Hold};

use super::disk::Disk;
use super::errno::during_io;
use books::Home;
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::user::HomeQuota;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use steps::{Step, Steps};
use thread::Counter;

/// The homes that somebody with a quota has written to since the start.
#[derive(Default)]
pub(super) struct Ledger {
    homes: RwLock<BTreeMap<VirtualPath, Arc<Home>>>,
    counter: OnceLock<Counter>,
    steps: Steps,
}

impl Ledger {
    /// Holds so much of a quota for what is about to be stored; `credit` is what will go by it. It lasts until it is
    /// dropped or settled, so that two uploads at once do not both take what is left. May block: a home that was not
    /// counted yet is counted first.
    ///
    /// # Errors
    /// [`StorageError::OverQuota`]; [`StorageError::Busy`] where counting takes too long.
    pub(super) fn hold(
        &self,
        disk: &Arc<Disk>,
        of: &HomeQuota,
        wanted: Counts,
        credit: Counts,
    ) -> Result<Hold, StorageError> {
        let home = self.home(disk, &of.home)?;
        Hold::take(home, of.quota, wanted, credit)
    }

    /// Bytes that a quota leaves; none: it bounds none.
    pub(super) fn left_bytes(&self, disk: &Arc<Disk>, of: &HomeQuota) -> Result<Option<u64>, StorageError> {
        let Some(limit) = of.quota.bytes else { return Ok(None) };
        let home = self.home(disk, &of.home)?;
        Ok(Some(limit.saturating_sub(home.taken()?.bytes)))
    }

    /// Something is about to be made or removed; whoever does it tells the ledger before this ends.
    pub(super) fn step(&self) -> Step<'_> {
        self.steps.begin()
    }

    /// Something was made at a path.
    pub(super) fn added(&self, path: &VirtualPath, counts: Counts) {
        self.each_around(path, |home| home.change(counts, Counts::default()));
    }

    /// Something at a path is gone.
    pub(super) fn removed(&self, path: &VirtualPath, counts: Counts) {
        self.each_around(path, |home| home.change(Counts::default(), counts));
    }

    /// What was held for a path stands there now, or does not: in one step, so that nobody sees both or neither.
    pub(super) fn settled(&self, path: &VirtualPath, mut hold: Option<Hold>, added: Counts, removed: Counts) {
        let own = hold.as_ref().map(|hold| Arc::clone(hold.home()));
        self.each_around(path, |home| {
            let is_own = own.as_ref().is_some_and(|own| Arc::ptr_eq(own, home));
            home.settle(if is_own { hold.take() } else { None }, added, removed);
        });
    }

    /// A tree at a path is gone, and nobody has counted it: those around it count anew.
    pub(super) fn tree_removed(&self, path: &VirtualPath) {
        self.each_around(path, |home| self.recount(home));
    }

    /// A tree has another name. Who has it at both ends has as much as before, unless they are counting just now.
    pub(super) fn tree_moved(&self, from: &VirtualPath, to: &VirtualPath) {
        self.each_around(from, |home| if home.holds(to) { home.shake() } else { self.recount(home) });
        self.each_around(to, |home| {
            if !home.holds(from) {
                self.recount(home);
            }
        });
    }

    fn recount(&self, home: &Arc<Home>) {
        home.spoil();
        if let Some(counter) = self.counter.get() {
            counter.count(home);
        }
    }

    fn each_around(&self, path: &VirtualPath, mut deed: impl FnMut(&Arc<Home>)) {
        let homes = self.homes.read().unwrap_or_else(PoisonError::into_inner);
        if homes.is_empty() {
            return;
        }
        for depth in 0..path.depth() {
            if let Some(home) = homes.get(&path.ancestor(depth)) {
                deed(home);
            }
        }
    }

    fn counter(&self, disk: &Arc<Disk>) -> Result<&Counter, StorageError> {
        if let Some(counter) = self.counter.get() {
            return Ok(counter);
        }
        // Where two start one, the other's ends at once.
        let counter = Counter::start(disk).map_err(during_io("starting to count"))?;
        Ok(self.counter.get_or_init(|| counter))
    }

    fn home(&self, disk: &Arc<Disk>, path: &VirtualPath) -> Result<Arc<Home>, StorageError> {
        if let Some(home) = self.homes.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(Arc::clone(home));
        }
        let counter = self.counter(disk)?;
        let mut homes = self.homes.write().unwrap_or_else(PoisonError::into_inner);
        let home = homes.entry(path.clone()).or_insert_with(|| {
            let home = Arc::new(Home::new(path.clone()));
            counter.count(&home);
            home
        });
        Ok(Arc::clone(home))
    }
}
