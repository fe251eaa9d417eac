//! Who erred: the driver ([`Misuse`]), the disk ([`StorageError`]) or the network ([`NetError`], [`TransferError`]).
//! What a peer does wrong is a reply, never one of these.

use crate::action::ActionId;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The driver broke the contract; the state machine is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// `handle` was called before `poll_action` had returned `None`.
    ActionsUndrained,
    /// An outcome names an action that is not outstanding (stale, doubled or made up).
    UnknownId(ActionId),
    /// An outcome is of another kind than its action asks for.
    WrongOutcome(ActionId),
    /// The event cannot come now: a session's first is `Connected` and a reaper's `Started`, and those only once; a
    /// client's call waits until the one before it is finished.
    OutOfOrder,
    /// The machine has ended (`Action::Close` was handed out) and takes no more events.
    Closed,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ActionsUndrained => f.write_str("poll_action was not drained before handle"),
            Self::UnknownId(id) => write!(f, "no action {} is outstanding", id.0),
            Self::WrongOutcome(id) => {
                write!(f, "the outcome of action {} is of the wrong kind", id.0)
            }
            Self::OutOfOrder => f.write_str("the event cannot come now"),
            Self::Closed => f.write_str("the machine has ended"),
        }
    }
}

impl core::error::Error for Misuse {}

/// Why the storage did not do what it was asked. The core turns each into a reply (DESIGN 4 and 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StorageError {
    /// Nothing stands under that name.
    NotFound,
    /// Something stands under that name already.
    Exists,
    /// A directory is needed and something else stands there.
    NotDirectory,
    /// A file is needed and a directory stands there.
    IsDirectory,
    /// The directory still holds visible names.
    NotEmpty,
    /// The host's permissions, or its confinement, forbid it.
    Denied,
    /// The disk is full.
    NoSpace,
    /// A quota of the host is used up.
    QuotaExceeded,
    /// A quota of the operator's would be exceeded: this one.
    OverQuota(QuotaUse),
    /// The file would exceed a size limit.
    FileTooLarge,
    /// The file system is read-only.
    ReadOnly,
    /// A name is longer than the file system takes.
    NameTooLong,
    /// What was judged is no longer so (another record, inode or name): check again and start over.
    Changed,
    /// By the storage's clock the path expired between the check and this step.
    Expired,
    /// An expiry record stands there and cannot be read: nothing may be decided on it.
    RecordUnreadable,
    /// The offset lies beyond the end of the file.
    OffsetBeyondEnd,
    /// Another one holds it just now; later it may go.
    Busy,
    /// This storage has no place for what is to be kept.
    Unsupported,
    /// Anything else; the driver logs the particulars.
    Failed,
}

/// How far a quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaUse {
    /// What it counts.
    pub counts: QuotaUnit,
    /// How much of that stands there.
    pub used: u64,
    /// How much may.
    pub limit: u64,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaUnit {
    /// The bytes of all files.
    Bytes,
    /// Files and directories.
    Files,
}

/// Why a login was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LoginError {
    /// No such user, or not with this proof, or not from this address: nobody is told which.
    Refused,
    /// So many logins are being checked that this one would wait too long.
    Busy,
    /// The host failed; the driver logs the particulars.
    Failed,
}

/// Why a connection is not secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TlsError {
    /// The two could not agree, or what came is no TLS; the driver logs the particulars.
    Handshake,
    /// The connection was lost.
    ConnectionLost,
    /// `Action::Cancel` ended it.
    Cancelled,
    /// The driver has no certificate.
    Unavailable,
}

/// Why a data connection could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NetError {
    /// The peer refused, or could not be reached.
    Unreachable,
    /// No port of the range was free.
    NoPort,
    /// `Action::Cancel` ended it.
    Cancelled,
    /// The host refused for want of resources or rights.
    Failed,
}

/// Why a transfer broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TransferError {
    /// The data connection was reset or otherwise lost.
    ConnectionLost,
    /// `Action::Cancel` ended it.
    Cancelled,
    /// The file's side failed.
    Storage(StorageError),
    /// MODE Z: what came is no zlib stream. One that ends too early is `ConnectionLost`.
    Corrupt,
}
