//! What goes in and out of the reaper: its events, actions and requests.

use crate::action::{ActionId, PathChange};
use crate::error::StorageError;
use crate::path::VirtualPath;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What the reaper tells its driver to do. At most one action with an id is outstanding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReaperAction {
    /// Ask or change the storage; outcome `ReaperEvent::Done`.
    Storage {
        /// Repeated by the outcome.
        id: ActionId,
        /// What to do there.
        request: ReaperRequest,
    },
    /// Write this to the log. No outcome.
    Note {
        /// What happened.
        note: ReaperNote,
    },
}

/// What the reaper asks of the storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReaperRequest {
    /// Go on with the walk over all directories and read their records; outcome `Records`. On its way it removes
    /// tombstones and kept partials that are older than these instants.
    ReadRecords {
        /// Begin at the root; else go on where the last batch ended.
        restart: bool,
        /// How many records at most.
        records_max: u32,
        /// Tombstones that expired before this go, UTC seconds. 0: none do, for the clock is not trusted.
        tombstones_before_s: i64,
        /// Partials last written before this go, and what a killed server left half made, UTC seconds. 0: none do.
        partials_before_s: i64,
    },
    /// Write the tombstone, then move the path into the trash, in one atomic step under its lock; outcome `Done`.
    /// `Changed` unless its record, read again, has this expiry and it has come.
    MoveToTrash {
        /// The storage path.
        path: VirtualPath,
        /// Its own expiry as known, UTC seconds.
        expiry_s: i64,
    },
    /// Delete from the trash, following no link; outcome `Emptied`.
    EmptyTrash {
        /// How many names at most.
        entries_max: u32,
    },
}

/// What came of a reaper's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReaperOutcome {
    /// It is done.
    Done,
    /// Of `ReadRecords`: paths that expire, and when.
    Records {
        /// Found in this batch.
        found: Vec<(VirtualPath, i64)>,
        /// Whether the walk is at its end.
        end: bool,
    },
    /// Of `EmptyTrash`.
    Emptied {
        /// Names removed.
        entries: u64,
        /// Bytes freed.
        bytes: u64,
        /// Whether the trash is empty now.
        end: bool,
    },
}

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReaperEvent {
    /// The server starts. The first event, once.
    Started,
    /// A session changed something (`Action::Notify`).
    Changed {
        /// What.
        change: PathChange,
    },
    /// The outcome of `ReaperAction::Storage`.
    Done {
        /// The action's.
        id: ActionId,
        /// What came of it.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<ReaperOutcome, StorageError>,
    },
    /// The deadline has come.
    Timeout,
}

/// What an operator wants to read in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReaperNote {
    /// A path expired and its name is gone.
    Expired {
        /// The storage path.
        path: VirtualPath,
        /// When it expired, UTC seconds.
        expiry_s: i64,
        /// How long after that its name went, seconds.
        lag_s: u64,
        /// How many more are due, counted up to 1,000.
        backlog: u64,
    },
    /// The trash is empty again.
    Emptied {
        /// Bytes freed since it was last empty.
        bytes: u64,
    },
    /// The wall clock has leapt ahead: deletions are held back.
    HeldBack {
        /// By how much, seconds.
        leap_s: i64,
        /// For how long, seconds.
        hold_s: u64,
    },
    /// A step failed; it is tried again. Of one kind of failure this is told now and then alone.
    Failed {
        /// The path, where it concerns one.
        path: Option<VirtualPath>,
        /// Why.
        error: StorageError,
        /// Steps that failed for the same reason since that was told last, and were not told.
        #[serde(default, skip_serializing_if = "is_zero")]
        untold: u64,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
