//! What the driver tells the session: bytes, outcomes, time.

use crate::action::ActionId;
use crate::error::{LoginError, NetError, StorageError, TlsError, TransferError};
use crate::record::{Entry, FileInfo, PathState};
use crate::user::Account;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The control connection stands. The first event of a session, once.
    Connected {
        /// Whether there is room for it.
        admission: Admission,
        /// Logins that have failed from its address not long ago, in other sessions: the delay of the next goes on where
        /// theirs was.
        #[serde(default, skip_serializing_if = "is_nought")]
        failed_logins: u32,
    },
    /// Bytes came on the control connection.
    ControlReceived {
        /// As they came; any length. JSON: `text`, or `hex` where they are not UTF-8.
        #[serde(flatten, with = "crate::wire::json::bytes")]
        bytes: Vec<u8>,
    },
    /// The peer closed the control connection, or it broke. During an upload the driver looks at the data first.
    ControlClosed,
    /// The outcome of `Action::Storage`.
    Stored {
        /// The action's.
        id: ActionId,
        /// What came of it.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<StorageOutcome, StorageError>,
    },
    /// The outcome of `Action::DrawRandom`.
    RandomDrawn {
        /// The action's.
        id: ActionId,
        /// 128 bits.
        bytes: [u8; 16],
    },
    /// The outcome of `Action::VerifyLogin`.
    LoginVerified {
        /// The action's.
        id: ActionId,
        /// Who it is.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<Box<Account>, LoginError>,
    },
    /// The outcome of `Action::StartTls` and `Action::SecureData`.
    TlsStarted {
        /// The action's.
        id: ActionId,
        /// How the connection is secured.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<TlsInfo, TlsError>,
    },
    /// The outcome of `Action::ListenData`.
    DataListening {
        /// The action's.
        id: ActionId,
        /// The port.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<u16, NetError>,
    },
    /// The outcome of `Action::AcceptData` and `Action::ConnectData`.
    DataConnected {
        /// The action's.
        id: ActionId,
        /// Whether the data connection stands.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<(), NetError>,
    },
    /// A transfer goes on; sent at least once a second while bytes move, and not without.
    TransferProgress {
        /// The action's.
        id: ActionId,
        /// Bytes over the data connection so far.
        wire_bytes: u64,
        /// Bytes of the file that these stand for, where they are translated or deflated; none: as many.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file_bytes: Option<u64>,
    },
    /// The outcome of `Action::Transfer` and `Action::SendData`.
    TransferEnded {
        /// The action's.
        id: ActionId,
        /// Bytes over the data connection in all, also where it broke.
        wire_bytes: u64,
        /// Bytes of the file that these stand for, where they are translated or deflated; none: as many.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file_bytes: Option<u64>,
        /// How it ended. A receiving end-of-file is `Ok`.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<(), TransferError>,
    },
    /// The peer leaves so many replies unread that the driver reads no more from it, or takes them again. Without room
    /// no line is begun that came before; what runs goes on. At first there is room.
    ReplyRoom {
        /// Whether there is room for more replies.
        room: bool,
    },
    /// The session's deadline has come.
    Timeout,
    /// The server shuts down: the idle go at once, a transfer may end first.
    ShutDown,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_nought(number: &u32) -> bool {
    *number == 0
}

/// What a TLS handshake has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsInfo {
    /// The protocol: `TLSv1.3`, `TLSv1.2`.
    pub protocol: String,
    /// The cipher suite, as the TLS registry names it.
    pub cipher: String,
    /// Whether it resumes a session of this control connection.
    pub resumed: bool,
    /// The subject of the client's certificate, where it showed one that the operator's authority signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// Whether the server has room for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Admission {
    /// It has.
    Welcome,
    /// `max_sessions` are there already.
    TooManySessions,
    /// `max_sessions_per_address` are there from that address already.
    TooManyFromAddress,
    /// It is shutting down.
    ShuttingDown,
    /// Its address has connected too often of late.
    TooOften,
    /// Too many logins have failed from its address.
    Banned,
    /// The operator wants nobody from there. Nothing is said.
    Denied,
}

/// What came of a `StorageRequest` that succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StorageOutcome {
    /// It is done.
    Done,
    /// Of `CheckExpiry`.
    State(PathState),
    /// Of `OpenRead` and `OpenWrite`: the file as it is; for an upload, its size is what it goes on from.
    Opened(FileInfo),
    /// Of `Publish`: the file as it stands now.
    Published(FileInfo),
    /// Of `ReadListing`.
    Listed {
        /// In order.
        entries: Vec<Entry>,
        /// Whether these were the last.
        end: bool,
    },
    /// Of `AskRoom`: bytes that the unprivileged may still store there.
    Room {
        /// How many.
        free_bytes: u64,
    },
    /// Of `ReadOn`.
    Read {
        /// Bytes read by this step.
        read_bytes: u64,
        /// What came of the whole reading; none: it is not at its end.
        result: Option<ReadingResult>,
    },
}

/// What came of a reading without a data connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReadingResult {
    /// Of `ReadingPurpose::Digest`.
    Digest {
        /// In small hex digits.
        hex: String,
    },
    /// Of `ReadingPurpose::AsciiSize`.
    AsciiSize {
        /// Bytes that a TYPE A transfer would send.
        wire_bytes: u64,
    },
    /// Of `ReadingPurpose::Append`: the bytes are in the open upload.
    Appended,
}
