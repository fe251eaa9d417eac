//! What the driver tells the client: calls, bytes, outcomes, time.

use super::call::Call;
use crate::action::ActionId;
use crate::event::TlsInfo;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use serde::{Deserialize, Serialize};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientEvent {
    /// The caller asks for something. One call at a time; it ends with `ClientAction::Finished`.
    Call {
        /// What.
        call: Call,
    },
    /// The outcome of `ClientAction::OpenControl`.
    ControlConnected {
        /// The action's.
        id: ActionId,
        /// The ends of the connection.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<ControlEnds, Fault>,
    },
    /// The outcome of `ClientAction::StartTls` and `ClientAction::SecureData`.
    TlsStarted {
        /// The action's.
        id: ActionId,
        /// How the connection is secured now; `certificate` is left out.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<TlsInfo, TlsFault>,
    },
    /// Bytes came on the control connection.
    ControlReceived {
        /// As they came; any length. JSON: `text`, or `hex` where they are not UTF-8.
        #[serde(flatten, with = "crate::wire::json::bytes")]
        bytes: Vec<u8>,
    },
    /// The server closed the control connection, or it broke.
    ControlClosed,
    /// What came on the control connection is not what its TLS lets through, or the server refused with an alert. It is
    /// gone.
    ControlBroke {
        /// What TLS says.
        fault: TlsFault,
    },
    /// The outcome of `ClientAction::ListenData`.
    DataListening {
        /// The action's.
        id: ActionId,
        /// The port.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<u16, Fault>,
    },
    /// The outcome of `ClientAction::AcceptData` and `ClientAction::ConnectData`.
    DataConnected {
        /// The action's.
        id: ActionId,
        /// Whether the data connection stands.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<(), Fault>,
    },
    /// The outcome of `ClientAction::OpenSource`.
    SourceOpened {
        /// The action's.
        id: ActionId,
        /// What is to be sent.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<SourceInfo, Fault>,
    },
    /// The outcome of `ClientAction::OpenSink`.
    SinkOpened {
        /// The action's.
        id: ActionId,
        /// How many bytes of this very file are there already, from its beginning on.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<u64, Fault>,
    },
    /// The outcome of `ClientAction::KeepSink`.
    SinkKept {
        /// The action's.
        id: ActionId,
        /// Whether the file stands under its name now.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<(), Fault>,
    },
    /// A piece of a listing, for `ClientAction::ReceiveListing`.
    DataReceived {
        /// The action's.
        id: ActionId,
        /// As it came; any length.
        #[serde(flatten, with = "crate::wire::json::bytes")]
        bytes: Vec<u8>,
    },
    /// A transfer goes on; sent about once a second while bytes move, and not without.
    TransferProgress {
        /// The action's.
        id: ActionId,
        /// Bytes over the data connection so far.
        wire_bytes: u64,
    },
    /// The outcome of `ClientAction::SendFile`, `ReceiveFile` and `ReceiveListing`.
    TransferEnded {
        /// The action's.
        id: ActionId,
        /// Bytes over the data connection in all, also where it broke.
        wire_bytes: u64,
        /// How it ended. A receiving end-of-file is `Ok`.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<(), MoveError>,
    },
    /// The client's deadline has come.
    Timeout,
    /// The user wants it to stop at once.
    Interrupt,
}

/// The two ends of a control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlEnds {
    /// The server's.
    pub peer: SocketAddr,
    /// The client's own.
    pub local: SocketAddr,
}

/// What the host said to something that failed: one line for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fault(pub String);

/// Why a connection is not secured. What the host has to say about it is one line for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TlsFault {
    /// Nobody whom the host trusts vouches for the server's certificate.
    Untrusted(Fault),
    /// The certificate is another host's.
    WrongName(Fault),
    /// The certificate is not valid at this time.
    OutOfDate(Fault),
    /// What answers speaks no TLS.
    NoTls,
    /// The two could not agree, or the server's side failed.
    Failed(Fault),
    /// The host's own files failed: those that say whom it trusts or who it is.
    Local(Fault),
    /// The connection was lost.
    Lost,
    /// `ClientAction::Cancel` ended it.
    Cancelled,
}

/// What a source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// Its size; none where only its end will tell (a pipe).
    pub size_bytes: Option<u64>,
    /// When it was last modified, UTC seconds.
    pub modified_s: Option<i64>,
    /// Whether it can be read again from any offset.
    pub rewindable: bool,
}

/// Why a transfer broke off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MoveError {
    /// The data connection was reset or otherwise lost.
    ConnectionLost,
    /// `ClientAction::Cancel` ended it.
    Cancelled,
    /// The server sends more than the size that it told of the file.
    TooMuch,
    /// The file's side failed.
    Local(Fault),
}
