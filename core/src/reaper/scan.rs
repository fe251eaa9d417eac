//! Where the walk over all records stands, and what must not be believed of what it brings.

use crate::action::PathChange;
use crate::path::VirtualPath;
use alloc::vec::Vec;

/// From the end of one scan to the next, milliseconds.
const EVERY_MS: u64 = 600_000;
/// Rest between two batches of a scan that is not the first, milliseconds: nothing waits for it.
const REST_MS: u64 = 100;
/// When a rename during a scan may have hidden a tree from it: until the next one, milliseconds.
const AGAIN_MS: u64 = 60_000;
/// Changes that are remembered while one batch is being read.
const CHANGES_MAX: usize = 1024;

/// The scan.
#[derive(Debug, Default)]
pub(super) struct Scan {
    state: State,
    /// Whether one has come to its end since the start.
    is_complete: bool,
    /// Whether a tree was renamed while this one runs.
    is_shaken: bool,
    failures: u32,
    /// What has changed while the present batch was being read: there the batch may be older.
    changes: Vec<PathChange>,
    /// Whether there were more than [`CHANGES_MAX`].
    is_outrun: bool,
}

#[derive(Debug)]
enum State {
    /// It begins at the root then.
    Due { at_ms: u64 },
    /// It goes on then.
    Running { at_ms: u64 },
}

impl Default for State {
    fn default() -> Self {
        Self::Due { at_ms: 0 }
    }
}

impl Scan {
    /// When the next batch is due, on the monotonic clock.
    pub(super) fn at_ms(&self) -> u64 {
        match self.state {
            State::Due { at_ms } | State::Running { at_ms } => at_ms,
        }
    }

    /// Whether the first scan is still to be done: until then the index knows little.
    pub(super) fn is_first(&self) -> bool {
        !self.is_complete
    }

    /// Whether the next batch begins at the root.
    pub(super) fn begins(&self) -> bool {
        matches!(self.state, State::Due { .. })
    }

    /// A batch is being read from now on.
    pub(super) fn batch_begins(&mut self) {
        if self.begins() {
            self.is_shaken = false;
        }
        self.changes.clear();
        self.is_outrun = false;
    }

    /// Brings the next scan forward, if none runs.
    pub(super) fn hasten(&mut self, at_ms: u64) {
        if let State::Due { at_ms: due_ms } = &mut self.state {
            *due_ms = at_ms.min(*due_ms);
        }
    }

    /// A session changed something; `is_reading`: a batch is being read just now.
    pub(super) fn on_change(&mut self, change: &PathChange, is_reading: bool) {
        self.is_shaken |= matches!(change, PathChange::Renamed { .. });
        if !is_reading {
            return;
        }
        if self.changes.len() < CHANGES_MAX {
            self.changes.push(change.clone());
        } else {
            self.is_outrun = true;
        }
    }

    /// Whether what the present batch says of a path may be older than what a session said.
    pub(super) fn is_stale(&self, path: &VirtualPath) -> bool {
        let concerns = |change: &PathChange| match change {
            PathChange::Expires { path: changed, .. } => path == changed,
            PathChange::Removed { path: changed } => path.is_within(changed),
            PathChange::Renamed { from, to } => path.is_within(from) || path.is_within(to),
            PathChange::Trashed => false,
        };
        self.is_outrun || self.changes.iter().any(concerns)
    }

    /// A batch has been read.
    pub(super) fn batch_ends(&mut self, now_ms: u64, end: bool) {
        self.failures = 0;
        self.is_shaken |= self.is_outrun;
        self.state = match end {
            false if self.is_complete => State::Running { at_ms: now_ms.saturating_add(REST_MS) },
            false => State::Running { at_ms: now_ms },
            true => {
                self.is_complete = true;
                State::Due { at_ms: now_ms.saturating_add(if self.is_shaken { AGAIN_MS } else { EVERY_MS }) }
            }
        };
    }

    /// A batch could not be read; it begins anew after a while.
    pub(super) fn failed(&mut self, now_ms: u64) {
        self.failures = self.failures.saturating_add(1);
        self.state = State::Due { at_ms: now_ms.saturating_add(super::back_off_ms(self.failures)) };
    }
}
