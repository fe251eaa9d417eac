//! The reaper: knows what expires next, and has it moved to the trash and deleted on time (DESIGN 4).
//!
//! Its index only says when to look; whether a path really has expired, the storage reads from the record again.

mod boundary;
mod complaints;
mod index;
mod leap;
mod scan;

pub use boundary::{ReaperAction, ReaperEvent, ReaperNote, ReaperOutcome, ReaperRequest};

use crate::action::{ActionId, PathChange};
use crate::error::{Misuse, StorageError};
use crate::limits::SCAN_BATCH_RECORDS;
use crate::path::VirtualPath;
use crate::time::Now;
use alloc::collections::VecDeque;
use complaints::Complaints;
use index::{Due, Index};
use leap::{Leap, LeapGuard};
use scan::Scan;

/// Names deleted in one step of emptying the trash.
const TRASH_STEP_ENTRIES: u32 = 256;
/// Rest after such a step, milliseconds: deleting must not crowd out the sessions' disk work.
const TRASH_REST_MS: u64 = 5;
/// First wait after a failed step, milliseconds; it doubles with each further failure.
const BACK_OFF_MS_MIN: u64 = 1_000;
/// The longest such wait, milliseconds.
const BACK_OFF_MS_MAX: u64 = 600_000;
/// How often a path that is not as known is tried before it is left to notices and the next scan.
const CHANGED_TRIES_MAX: u32 = 3;
/// The wall clock may be set at any time: look at it at least this often while something waits for it, milliseconds.
const LOOK_EVERY_MS: u64 = 1_000;
/// The same while nothing does.
const LOOK_IDLE_MS: u64 = 10_000;
/// In the last second before an expiry: the wall clock's reading is cut to seconds, so look this often, milliseconds.
const LOOK_CLOSELY_MS: u64 = 200;
/// How long a tombstone stays, seconds.
const TOMBSTONE_S: i64 = 30 * 86_400;
/// How long the kept part of a broken upload stays, seconds.
const PARTIAL_S: i64 = 86_400;

/// The state machine. Its first event is [`ReaperEvent::Started`].
#[derive(Debug, Default)]
pub struct Reaper {
    index: Index,
    guard: LeapGuard,
    complaints: Complaints,
    actions: VecDeque<ReaperAction>,
    ids_used: u64,
    outstanding: Option<(ActionId, Step)>,
    scan: Scan,
    trash: Trash,
    now: Option<Now>,
}

/// What is being waited for.
#[derive(Debug)]
enum Step {
    Scan,
    Move {
        due: Due,
        /// Whether a session changed something at or beneath the path meanwhile.
        is_disturbed: bool,
    },
    Empty,
}

/// What is known of the trash.
#[derive(Debug)]
enum Trash {
    Empty,
    Full { at_ms: u64, bytes: u64, failures: u32 },
}

impl Default for Trash {
    /// A server that was killed may have left something.
    fn default() -> Self {
        Self::Full { at_ms: 0, bytes: 0, failures: 0 }
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
        if self.now.is_some() == (event == ReaperEvent::Started) {
            return Err(Misuse::OutOfOrder);
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
        let held_until_ms = self.guard.held_until_ms();
        let is_idle = self.index.first_look().is_none() && held_until_ms.is_none();
        let look = now.monotonic_ms.saturating_add(if is_idle { LOOK_IDLE_MS } else { LOOK_EVERY_MS });
        let look = look.min(self.scan.at_ms());
        Some(match held_until_ms {
            Some(until_ms) => look.min(until_ms),
            None => look.min(self.expiry_ms(now)).min(self.trash_ms()),
        })
    }

    /// When to look at the path that expires next: some time before, then closely, for the wall clock's reading may
    /// be almost a second old.
    fn expiry_ms(&self, now: Now) -> u64 {
        self.index.first_look().map_or(u64::MAX, |look_s| {
            let wait_ms = match u64::try_from(look_s.saturating_sub(now.utc_s)).unwrap_or(0) {
                0 => 0,
                1 => LOOK_CLOSELY_MS,
                seconds => (seconds - 1).saturating_mul(1000),
            };
            now.monotonic_ms.saturating_add(wait_ms)
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
        self.scan.on_change(change, matches!(self.outstanding, Some((_, Step::Scan))));
        match change {
            PathChange::Expires { path, expiry_s } => {
                self.disturb(path);
                match expiry_s {
                    Some(expiry_s) => self.index.insert(path, *expiry_s),
                    None => self.index.remove(path),
                }
            }
            PathChange::Removed { path } => self.index.remove_tree(path),
            PathChange::Renamed { from, to } => {
                self.disturb(to);
                self.index.rename_tree(from, to);
            }
            PathChange::Trashed => self.fill_trash(now),
        }
    }

    /// What a session has just put there must not be forgotten with what is being moved away from there.
    fn disturb(&mut self, path: &VirtualPath) {
        if let Some((_, Step::Move { due, is_disturbed })) = &mut self.outstanding {
            *is_disturbed |= path.is_within(&due.path);
        }
    }

    fn on_done(&mut self, now: Now, step: Step, outcome: Result<ReaperOutcome, StorageError>) {
        match (step, outcome) {
            (Step::Move { due, is_disturbed }, Ok(_)) => self.on_moved(now, due, is_disturbed),
            (Step::Move { due, .. }, Err(error)) => self.on_not_moved(now, due, error),
            (Step::Scan, Ok(ReaperOutcome::Records { found, end })) => {
                for (path, expiry_s) in found.iter().filter(|(path, _)| !self.scan.is_stale(path)) {
                    self.index.insert(path, *expiry_s);
                }
                self.scan.batch_ends(now.monotonic_ms, end);
            }
            (Step::Scan, Err(error)) => {
                self.complain(now, None, error);
                self.scan.failed(now.monotonic_ms);
            }
            (Step::Empty, Ok(ReaperOutcome::Emptied { bytes, end, .. })) => self.on_emptied(now, bytes, end),
            (Step::Empty, Err(error)) => {
                self.complain(now, None, error);
                if let Trash::Full { at_ms, failures, .. } = &mut self.trash {
                    *failures = failures.saturating_add(1);
                    *at_ms = now.monotonic_ms.saturating_add(back_off_ms(*failures));
                }
            }
            // `check_outcome` let no other pair through.
            (Step::Scan | Step::Empty, Ok(_)) => {}
        }
    }

    fn on_moved(&mut self, now: Now, due: Due, is_disturbed: bool) {
        if is_disturbed {
            // Only as it was judged: its maker may have made the name anew, and dated it, in the meantime.
            self.forget(&due);
        } else {
            self.index.remove_tree(&due.path);
        }
        self.fill_trash(now);
        let lag_s = u64::try_from(now.utc_s.saturating_sub(due.expiry_s)).unwrap_or(0);
        let backlog = self.index.due(now.utc_s);
        self.note(ReaperNote::Expired { path: due.path, expiry_s: due.expiry_s, lag_s, backlog });
    }

    fn on_not_moved(&mut self, now: Now, due: Due, error: StorageError) {
        match error {
            // Somebody was faster.
            StorageError::NotFound => return self.forget(&due),
            // Nothing is decided on it; should it be mended, a scan finds it.
            StorageError::RecordUnreadable => self.forget(&due),
            _ => {
                let look_s = |failures| now.utc_s.saturating_add_unsigned(back_off_ms(failures).div_ceil(1000));
                let failures = self.index.put_off(&due, look_s);
                if error == StorageError::Changed {
                    // Another date, or the wall clock stepped back under it: a notice, a scan or another try tells.
                    if failures >= CHANGED_TRIES_MAX {
                        self.forget(&due);
                    }
                    return;
                }
            }
        }
        self.complain(now, Some(due.path), error);
    }

    fn forget(&mut self, due: &Due) {
        if self.index.expiry(&due.path) == Some(due.expiry_s) {
            self.index.remove(&due.path);
        }
    }

    fn on_emptied(&mut self, now: Now, freed: u64, end: bool) {
        let Trash::Full { bytes, .. } = self.trash else { return };
        let bytes = bytes.saturating_add(freed);
        if !end {
            let at_ms = now.monotonic_ms.saturating_add(TRASH_REST_MS);
            self.trash = Trash::Full { at_ms, bytes, failures: 0 };
            return;
        }
        self.trash = Trash::Empty;
        if bytes > 0 {
            self.note(ReaperNote::Emptied { bytes });
        }
    }

    fn fill_trash(&mut self, now: Now) {
        match &mut self.trash {
            Trash::Empty => self.trash = Trash::Full { at_ms: now.monotonic_ms, bytes: 0, failures: 0 },
            // What has failed waits, what is new does not.
            Trash::Full { at_ms, failures: 1.., .. } => *at_ms = now.monotonic_ms,
            Trash::Full { .. } => {}
        }
    }

    /// Names that are due go first; then the first scan, which tells what else is due; then bytes in the trash, then
    /// any later scan: each step is short.
    fn next_step(&mut self, now: Now) {
        let is_held = self.guard.held_until_ms().is_some();
        if !is_held && let Some(due) = self.index.first_due(now.utc_s) {
            let request = ReaperRequest::MoveToTrash { path: due.path.clone(), expiry_s: due.expiry_s };
            return self.request(Step::Move { due, is_disturbed: false }, request);
        }
        if !is_held && self.index.needs_scan(now.utc_s) {
            self.scan.hasten(now.monotonic_ms);
        }
        let scan_is_due = self.scan.at_ms() <= now.monotonic_ms;
        let trash_is_due = !is_held && self.trash_ms() <= now.monotonic_ms;
        if trash_is_due && !(scan_is_due && self.scan.is_first()) {
            self.request(Step::Empty, ReaperRequest::EmptyTrash { entries_max: TRASH_STEP_ENTRIES });
        } else if scan_is_due {
            self.request_batch(now, is_held);
        }
    }

    fn request_batch(&mut self, now: Now, is_held: bool) {
        let restart = self.scan.begins();
        if restart {
            self.index.scan_begins();
        }
        self.scan.batch_begins();
        // By a clock that is not trusted nothing is old.
        let older_than = |age_s| if is_held { 0 } else { now.utc_s.saturating_sub(age_s) };
        let request = ReaperRequest::ReadRecords {
            restart,
            records_max: SCAN_BATCH_RECORDS,
            tombstones_before_s: older_than(TOMBSTONE_S),
            partials_before_s: older_than(PARTIAL_S),
        };
        self.request(Step::Scan, request);
    }

    fn request(&mut self, step: Step, request: ReaperRequest) {
        self.ids_used += 1;
        let id = ActionId(self.ids_used);
        self.outstanding = Some((id, step));
        self.actions.push_back(ReaperAction::Storage { id, request });
    }

    fn complain(&mut self, now: Now, path: Option<VirtualPath>, error: StorageError) {
        if let Some(untold) = self.complaints.tell(now, error) {
            self.note(ReaperNote::Failed { path, error, untold });
        }
    }

    fn note(&mut self, note: ReaperNote) {
        self.actions.push_back(ReaperAction::Note { note });
    }
}

/// How long to wait after so many failures in a row, milliseconds.
fn back_off_ms(failures: u32) -> u64 {
    BACK_OFF_MS_MIN.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(BACK_OFF_MS_MAX)
}

#[cfg(test)]
mod tests;
