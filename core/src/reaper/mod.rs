//! The reaper: knows what expires next, and has it moved to the trash and deleted on time (DESIGN 4).
//!
//! Its index only says when to look; whether a path really has expired, the storage reads from the record again.

mod boundary;
mod index;
mod leap;

pub use boundary::{ReaperAction, ReaperEvent, ReaperNote, ReaperOutcome, ReaperRequest};

use crate::action::{ActionId, PathChange};
use crate::error::{Misuse, StorageError};
use crate::limits::SCAN_BATCH_RECORDS;
use crate::path::VirtualPath;
use crate::time::Now;
use alloc::collections::VecDeque;
use index::Index;
use leap::{Leap, LeapGuard};

/// From one scan to the next, milliseconds.
const SCAN_EVERY_MS: u64 = 600_000;
/// Names deleted in one step of emptying the trash.
const TRASH_STEP_ENTRIES: u32 = 256;
/// Rest after such a step, milliseconds: deleting must not crowd out the sessions' disk work.
const TRASH_REST_MS: u64 = 5;
/// First wait after a failed step, milliseconds; it doubles up to [`SCAN_EVERY_MS`].
const BACK_OFF_MS: u64 = 1_000;
/// The wall clock may be set at any time: look at it at least this often, milliseconds.
const LOOK_EVERY_MS: u64 = 10_000;
/// How long a tombstone stays, seconds.
const TOMBSTONE_S: i64 = 30 * 86_400;
/// How long the kept part of a broken upload stays, seconds.
const PARTIAL_S: i64 = 86_400;

/// The state machine. Its first event is [`ReaperEvent::Started`].
#[derive(Debug, Default)]
pub struct Reaper {
    index: Index,
    guard: LeapGuard,
    actions: VecDeque<ReaperAction>,
    ids_used: u64,
    outstanding: Option<(ActionId, Step)>,
    scan: Scan,
    trash: Trash,
    back_off_ms: u64,
    now: Option<Now>,
}

/// What is being waited for.
#[derive(Debug)]
enum Step {
    Scan,
    Move { path: VirtualPath, expiry_s: i64 },
    Empty,
}

/// Where the walk over all records stands.
#[derive(Debug)]
enum Scan {
    Due { at_ms: u64 },
    Running,
}

impl Default for Scan {
    fn default() -> Self {
        Self::Due { at_ms: 0 }
    }
}

/// What is known of the trash.
#[derive(Debug)]
enum Trash {
    Empty,
    Full { at_ms: u64, bytes: u64 },
}

impl Default for Trash {
    /// A server that was killed may have left something.
    fn default() -> Self {
        Self::Full { at_ms: 0, bytes: 0 }
    }
}

impl Reaper {
    /// Takes one event.
    ///
    /// # Errors
    /// [`Misuse`]; the reaper is unchanged then.
    pub fn handle(&mut self, now: Now, event: ReaperEvent) -> Result<(), Misuse> {
        if !self.actions.is_empty() {
            return Err(Misuse::ActionsUndrained);
        }
        if let ReaperEvent::Done { id, outcome } = &event {
            self.check_outcome(*id, outcome)?;
        }
        self.now = Some(now);
        if let Some(Leap { leap_s, hold_s }) = self.guard.look(now) {
            self.note(ReaperNote::HeldBack { leap_s, hold_s });
        }
        match event {
            ReaperEvent::Changed { change } => self.on_change(now, &change),
            ReaperEvent::Done { outcome, .. } => {
                if let Some((_, step)) = self.outstanding.take() {
                    self.on_done(now, step, outcome);
                }
            }
            ReaperEvent::Started | ReaperEvent::Timeout => {}
        }
        if self.outstanding.is_none() {
            self.next_step(now);
        }
        Ok(())
    }

    /// The next action; drain to `None` after every `handle`.
    pub fn poll_action(&mut self) -> Option<ReaperAction> {
        self.actions.pop_front()
    }

    /// When to send [`ReaperEvent::Timeout`], on the monotonic clock, milliseconds.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let now = self.now?;
        if self.outstanding.is_some() {
            return None;
        }
        let look = now.monotonic_ms.saturating_add(LOOK_EVERY_MS);
        let scan = match self.scan {
            Scan::Due { at_ms } => at_ms,
            Scan::Running => now.monotonic_ms,
        };
        Some(match self.guard.held_until_ms() {
            Some(until_ms) => look.min(scan).min(until_ms),
            None => look.min(scan).min(self.expiry_ms(now)).min(self.trash_ms()),
        })
    }

    /// When the next path expires. The wall clock's reading was cut to seconds, so this is late by less than one.
    fn expiry_ms(&self, now: Now) -> u64 {
        self.index.first_expiry().map_or(u64::MAX, |expiry_s| {
            let wait_s = u64::try_from(expiry_s.saturating_sub(now.utc_s)).unwrap_or(0);
            now.monotonic_ms.saturating_add(wait_s.saturating_mul(1000))
        })
    }

    fn trash_ms(&self) -> u64 {
        match self.trash {
            Trash::Empty => u64::MAX,
            Trash::Full { at_ms, .. } => at_ms,
        }
    }

    fn check_outcome(&self, id: ActionId, outcome: &Result<ReaperOutcome, StorageError>) -> Result<(), Misuse> {
        let Some((_, step)) = self.outstanding.as_ref().filter(|(known, _)| *known == id) else {
            return Err(Misuse::UnknownId(id));
        };
        let fits = matches!(
            (step, outcome),
            (_, Err(_))
                | (Step::Scan, Ok(ReaperOutcome::Records { .. }))
                | (Step::Move { .. }, Ok(ReaperOutcome::Done))
                | (Step::Empty, Ok(ReaperOutcome::Emptied { .. }))
        );
        if fits { Ok(()) } else { Err(Misuse::WrongOutcome(id)) }
    }

    fn on_change(&mut self, now: Now, change: &PathChange) {
        match change {
            PathChange::Expires { path, expiry_s: Some(expiry_s) } => self.index.insert(path, *expiry_s),
            PathChange::Expires { path, expiry_s: None } => self.index.remove(path),
            PathChange::Removed { path } => self.index.remove_tree(path),
            PathChange::Renamed { from, to } => self.index.rename_tree(from, to),
            PathChange::Trashed => self.fill_trash(now),
        }
    }

    fn on_done(&mut self, now: Now, step: Step, outcome: Result<ReaperOutcome, StorageError>) {
        match (step, outcome) {
            (Step::Move { path, expiry_s }, Ok(_)) => self.on_moved(now, path, expiry_s),
            // Somebody was faster, or gave it another date; then a notice or the next scan tells.
            (Step::Move { path, expiry_s }, Err(StorageError::Changed | StorageError::NotFound)) => {
                self.forget(&path, expiry_s);
            }
            (Step::Move { path, expiry_s }, Err(error)) => {
                self.forget(&path, expiry_s);
                self.on_error(now, Some(path), error);
            }
            (Step::Scan, Ok(ReaperOutcome::Records { found, end })) => {
                for (path, expiry_s) in found {
                    self.index.insert(&path, expiry_s);
                }
                self.scan = if end { Scan::Due { at_ms: now.monotonic_ms + SCAN_EVERY_MS } } else { Scan::Running };
            }
            (Step::Empty, Ok(ReaperOutcome::Emptied { bytes, end, .. })) => self.on_emptied(now, bytes, end),
            (Step::Scan, Err(error)) => {
                self.scan = Scan::Due { at_ms: u64::MAX };
                self.on_error(now, None, error);
            }
            (Step::Empty, Err(error)) => {
                let wait_ms = self.on_error(now, None, error);
                if let Trash::Full { at_ms, .. } = &mut self.trash {
                    *at_ms = now.monotonic_ms.saturating_add(wait_ms);
                }
            }
            // `check_outcome` let no other pair through.
            (Step::Scan | Step::Empty, Ok(_)) => {}
        }
    }

    fn on_moved(&mut self, now: Now, path: VirtualPath, expiry_s: i64) {
        // Only as it was judged: its maker may have made the name anew, and dated it, in the meantime.
        self.forget(&path, expiry_s);
        self.back_off_ms = 0;
        self.fill_trash(now);
        let lag_s = u64::try_from(now.utc_s.saturating_sub(expiry_s)).unwrap_or(0);
        let backlog = self.index.due(now.utc_s);
        self.note(ReaperNote::Expired { path, expiry_s, lag_s, backlog });
    }

    fn forget(&mut self, path: &VirtualPath, expiry_s: i64) {
        if self.index.expiry(path) == Some(expiry_s) {
            self.index.remove(path);
        }
    }

    fn on_emptied(&mut self, now: Now, freed: u64, end: bool) {
        let Trash::Full { bytes, .. } = self.trash else { return };
        let bytes = bytes.saturating_add(freed);
        if !end {
            self.trash = Trash::Full { at_ms: now.monotonic_ms.saturating_add(TRASH_REST_MS), bytes };
            return;
        }
        self.trash = Trash::Empty;
        if bytes > 0 {
            self.note(ReaperNote::Emptied { bytes });
        }
    }

    /// Reports it and brings the next scan forward, which finds again what could not be done. Returns the wait.
    fn on_error(&mut self, now: Now, path: Option<VirtualPath>, error: StorageError) -> u64 {
        self.note(ReaperNote::Failed { path, error });
        self.back_off_ms = self.back_off_ms.saturating_mul(2).clamp(BACK_OFF_MS, SCAN_EVERY_MS);
        if let Scan::Due { at_ms } = &mut self.scan {
            *at_ms = (*at_ms).min(now.monotonic_ms.saturating_add(self.back_off_ms));
        }
        self.back_off_ms
    }

    fn fill_trash(&mut self, now: Now) {
        if let Trash::Empty = self.trash {
            self.trash = Trash::Full { at_ms: now.monotonic_ms, bytes: 0 };
        }
    }

    /// Names that are due go first, then bytes in the trash, then the scan: each step is short.
    fn next_step(&mut self, now: Now) {
        let held = self.guard.held_until_ms().is_some();
        if !held
            && let Some((path, expiry_s)) = self.index.first()
            && expiry_s <= now.utc_s
        {
            let request = ReaperRequest::MoveToTrash { path: path.clone(), expiry_s };
            return self.request(Step::Move { path, expiry_s }, request);
        }
        if self.index.is_empty() && self.index.take_overflowed() {
            self.scan = Scan::Due { at_ms: now.monotonic_ms };
        }
        if !held && self.trash_ms() <= now.monotonic_ms {
            return self.request(Step::Empty, ReaperRequest::EmptyTrash { entries_max: TRASH_STEP_ENTRIES });
        }
        let restart = match self.scan {
            Scan::Due { at_ms } if at_ms > now.monotonic_ms => return,
            Scan::Due { .. } => true,
            Scan::Running => false,
        };
        let request = ReaperRequest::ReadRecords {
            restart,
            records_max: SCAN_BATCH_RECORDS,
            tombstones_before_s: now.utc_s.saturating_sub(TOMBSTONE_S),
            partials_before_s: now.utc_s.saturating_sub(PARTIAL_S),
        };
        self.request(Step::Scan, request);
    }

    fn request(&mut self, step: Step, request: ReaperRequest) {
        self.ids_used += 1;
        let id = ActionId(self.ids_used);
        self.outstanding = Some((id, step));
        self.actions.push_back(ReaperAction::Storage { id, request });
    }

    fn note(&mut self, note: ReaperNote) {
        self.actions.push_back(ReaperAction::Note { note });
    }
}

#[cfg(test)]
mod tests;
