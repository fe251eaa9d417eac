//! The books of one home: what stands there, and what uploads that are under way have taken of it beforehand.

use crate::storage::inode::FileId;
use mayfly_core::error::{QuotaUnit, QuotaUse, StorageError};
use mayfly_core::path::VirtualPath;
use mayfly_core::user::Quota;
use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of files, and how many names there are: of files, directories and kept partials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::storage) struct Counts {
    pub(in crate::storage) bytes: u64,
    pub(in crate::storage) files: u64,
}

impl Counts {
    /// Of one file.
    pub(in crate::storage) fn file(bytes: u64) -> Self {
        Self { bytes, files: 1 }
    }

    /// Of one directory, without what is in it.
    pub(in crate::storage) fn directory() -> Self {
        Self::file(0)
    }

    /// These and others.
    pub(in crate::storage) fn and(self, more: Self) -> Self {
        Self { bytes: self.bytes.saturating_add(more.bytes), files: self.files.saturating_add(more.files) }
    }

    /// These without others.
    pub(in crate::storage) fn without(self, less: Self) -> Self {
        Self { bytes: self.bytes.saturating_sub(less.bytes), files: self.files.saturating_sub(less.files) }
    }

    fn clamped(self, least: Self, most: Self) -> Self {
        Self { bytes: self.bytes.clamp(least.bytes, most.bytes), files: self.files.clamp(least.files, most.files) }
    }
}

/// One home.
pub(super) struct Home {
    path: VirtualPath,
    books: Mutex<Books>,
    counted: Condvar,
}

#[derive(Default)]
struct Books {
    /// What stands there, as far as is known.
    used: Counts,
    /// What uploads under way hold beside it.
    held: Counts,
    /// Their files, which no count may take for kept partials.
    open: HashSet<FileId>,
    /// Whether it was counted since the start.
    is_known: bool,
    /// Whether a tree came or went uncounted.
    is_stale: bool,
    /// What has changed while it is being counted just now.
    meanwhile: Option<Meanwhile>,
}

#[derive(Clone, Copy, Default)]
struct Meanwhile {
    added: Counts,
    removed: Counts,
    /// A tree has moved: it may have been counted twice or not at all.
    is_shaken: bool,
    /// It is counted because a tree came or went.
    is_awaited: bool,
}

impl Home {
    pub(super) fn new(path: VirtualPath) -> Self {
        Self { path, books: Mutex::default(), counted: Condvar::new() }
    }

    pub(super) fn path(&self) -> &VirtualPath {
        &self.path
    }

    /// Whether what stands at a path is beneath it.
    pub(super) fn holds(&self, path: &VirtualPath) -> bool {
        path.is_within(&self.path) && *path != self.path
    }

    /// What is used or held.
    pub(super) fn taken(&self) -> Result<Counts, StorageError> {
        let books = self.known()?;
        Ok(books.used.and(books.held))
    }

    pub(super) fn change(&self, added: Counts, removed: Counts) {
        self.books().change(added, removed);
    }

    pub(super) fn settle(&self, hold: Option<Hold>, added: Counts, removed: Counts) {
        let mut books = self.books();
        if let Some(mut hold) = hold {
            hold.release(&mut books);
        }
        books.change(added, removed);
    }

    /// A tree has moved within it.
    pub(super) fn shake(&self) {
        if let Some(meanwhile) = &mut self.books().meanwhile {
            meanwhile.is_shaken = true;
        }
    }

    /// A tree came or went.
    pub(super) fn spoil(&self) {
        let mut books = self.books();
        books.is_stale = true;
        if let Some(meanwhile) = &mut books.meanwhile {
            meanwhile.is_shaken = true;
        }
    }

    /// Counting begins.
    pub(super) fn count_begins(&self) {
        let mut books = self.books();
        books.meanwhile = Some(Meanwhile { is_awaited: books.is_stale, ..Meanwhile::default() });
        books.is_stale = false;
    }

    /// Whether a file is one of an upload under way.
    pub(super) fn is_open(&self, file: FileId) -> bool {
        self.books().open.contains(&file)
    }

    /// Counting has come to its end with this; none: it failed. Tells whether it is sure.
    pub(super) fn count_ends(&self, counted: Option<Counts>) -> bool {
        let mut books = self.books();
        let Meanwhile { added, removed, is_shaken, is_awaited } = books.meanwhile.take().unwrap_or_default();
        let Some(counted) = counted else {
            books.is_stale |= is_shaken || is_awaited;
            self.counted.notify_all();
            return false;
        };
        // Nobody knows whether the count has seen what changed meanwhile: the truth lies between these two.
        let (least, most) = (counted.without(removed), counted.and(added));
        if !books.is_known {
            books.used = most;
        } else if !is_shaken {
            books.used = books.used.clamped(least, most);
        }
        books.is_known = true;
        books.is_stale |= is_shaken;
        self.counted.notify_all();
        !is_shaken && least == most
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Each change is whole before anything could panic.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the first count.
    fn known(&self) -> Result<MutexGuard<'_, Books>, StorageError> {
        let books = self.wait(self.books(), FIRST_COUNT_MAX, |books| !books.is_known);
        if books.is_known { Ok(books) } else { Err(StorageError::Busy) }
    }

    fn wait<'a>(
        &self,
        books: MutexGuard<'a, Books>,
        longest: Duration,
        is_wanting: impl Fn(&Books) -> bool,
    ) -> MutexGuard<'a, Books> {
        let until = Instant::now() + longest;
        let mut books = books;
        while is_wanting(&books) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            books = self.counted.wait_timeout(books, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        books
    }
}

impl Books {
    /// Whether a tree is counted for that is gone.
    fn is_too_much(&self) -> bool {
        self.is_stale || self.meanwhile.is_some_and(|meanwhile| meanwhile.is_awaited)
    }

    fn change(&mut self, added: Counts, removed: Counts) {
        self.used = self.used.and(added).without(removed);
        if let Some(meanwhile) = &mut self.meanwhile {
            meanwhile.added = meanwhile.added.and(added);
            meanwhile.removed = meanwhile.removed.and(removed);
        }
    }

    /// Refuses unless there is room for so much more beside what is used and held.
    fn require(&self, quota: Quota, more: Counts, credit: Counts, own: Counts) -> Result<(), StorageError> {
        let taken = self.used.and(self.held);
        let over = |counts, used, limit| Err(StorageError::OverQuota(QuotaUse { counts, used, limit }));
        let is_over = |taken: u64, more: u64, credit: u64, limit: u64| {
            more > 0 && taken.saturating_add(more) > limit.saturating_add(credit)
        };
        match (quota.bytes, quota.files) {
            (Some(limit), _) if is_over(taken.bytes, more.bytes, credit.bytes, limit) => {
                over(QuotaUnit::Bytes, taken.bytes.saturating_sub(own.bytes), limit)
            }
            (_, Some(limit)) if is_over(taken.files, more.files, credit.files, limit) => {
                over(QuotaUnit::Files, taken.files.saturating_sub(own.files), limit)
            }
            _ => Ok(()),
        }
    }
}

/// What an upload under way has taken of a quota.
pub(in crate::storage) struct Hold {
    home: Arc<Home>,
    quota: Quota,
    counts: Counts,
    /// What goes when it is published.
    credit: Counts,
    file: Option<FileId>,
    is_released: bool,
}

impl Hold {
    pub(super) fn take(home: Arc<Home>, quota: Quota, wanted: Counts, credit: Counts) -> Result<Self, StorageError> {
        let (counts, file, is_released) = (Counts::default(), None, false);
        drop(home.known()?);
        let mut hold = Self { home, quota, counts, credit, file, is_released };
        hold.grow(wanted)?;
        Ok(hold)
    }

    /// The file that it is for, from now on until it is settled.
    pub(in crate::storage) fn of(&mut self, file: FileId) {
        self.home.books().open.insert(file);
        self.file = Some(file);
    }

    /// A kept partial that is gone on with: what it counts is held now instead.
    pub(in crate::storage) fn take_over(&mut self, partial: Counts, file: FileId) {
        let mut books = self.home.books();
        books.change(Counts::default(), partial);
        books.held = books.held.and(partial);
        books.open.insert(file);
        self.counts = self.counts.and(partial);
        self.file = Some(file);
    }

    /// Refuses where nothing is left.
    ///
    /// # Errors
    /// [`StorageError::OverQuota`].
    pub(in crate::storage) fn require_a_byte(&self) -> Result<(), StorageError> {
        let a_byte = Counts { bytes: 1, files: 0 };
        self.home.books().require(self.quota, a_byte, self.credit, self.counts)
    }

    /// Has so many bytes in all, at least.
    ///
    /// # Errors
    /// [`StorageError::OverQuota`].
    pub(in crate::storage) fn need(&mut self, bytes: u64) -> Result<(), StorageError> {
        match bytes.checked_sub(self.counts.bytes) {
            None | Some(0) => Ok(()),
            Some(more) => self.grow(Counts { bytes: more, files: 0 }),
        }
    }

    /// Refuses where what goes by it is less than was thought, and that is too little.
    ///
    /// # Errors
    /// [`StorageError::OverQuota`].
    pub(in crate::storage) fn require_with(&self, credit: Counts) -> Result<(), StorageError> {
        let books = self.home.books();
        let own = self.counts;
        // As if it was asked for just now.
        let others = Books { used: books.used, held: books.held.without(own), ..Books::default() };
        others.require(self.quota, own, credit, Counts::default())
    }

    pub(super) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    fn grow(&mut self, more: Counts) -> Result<(), StorageError> {
        let mut books = self.home.books();
        let mut outcome = books.require(self.quota, more, self.credit, self.counts);
        if outcome.is_err() && books.is_too_much() {
            // A tree went that is still counted for: after the next count there may be room.
            books = self.home.wait(books, RECOUNT_MAX, Books::is_too_much);
            outcome = books.require(self.quota, more, self.credit, self.counts);
        }
        outcome?;
        books.held = books.held.and(more);
        self.counts = self.counts.and(more);
        Ok(())
    }

    fn release(&mut self, books: &mut Books) {
        if !self.is_released {
            books.held = books.held.without(self.counts);
            if let Some(file) = self.file {
                books.open.remove(&file);
            }
            self.is_released = true;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.is_released {
            let home = Arc::clone(&self.home);
            self.release(&mut home.books());
        }
    }
}

/// How long the first upload waits for a home to be counted.
const FIRST_COUNT_MAX: Duration = Duration::from_secs(30);
/// How long one that finds no room waits for a home to be counted anew.
const RECOUNT_MAX: Duration = Duration::from_secs(5);
