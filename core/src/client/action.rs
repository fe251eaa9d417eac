//! What the client tells its driver to do. An action carries all that it needs; one with an outcome carries an `id`,
//! which its outcome event repeats.

use super::failure::Failure;
use super::summary::Summary;
use crate::action::ActionId;
use crate::event::TlsInfo;
use crate::record::Token;
use crate::wire::command::Secret;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use serde::{Deserialize, Serialize};

/// What the driver must do, in the order of `poll_action`.
///
/// At most one action with an id is outstanding at a time, and it gets exactly one outcome, a cancelled one too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAction {
    /// Find the host and open a control connection to it; outcome
    /// [`ControlConnected`](super::event::ClientEvent::ControlConnected).
    OpenControl {
        /// Repeated by the outcome.
        id: ActionId,
        /// A name or an address.
        host: String,
        /// The port; 21 unless the caller said otherwise.
        port: u16,
    },
    /// Secure the control connection with TLS, as its client (RFC 4217 4), in a TLS session of its own, once all that was
    /// to be sent has gone out; outcome [`TlsStarted`](super::event::ClientEvent::TlsStarted). Whatever is sent and
    /// received from then on goes through TLS. What the server sent in clear before is no part of it, and makes it fail.
    StartTls {
        /// Repeated by the outcome.
        id: ActionId,
        /// The name or address that the server's certificate must be good for.
        host: String,
        /// Whether it is TLS 1.2 and no later version, whose sessions can be resumed any number of times.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        at_most_12: bool,
    },
    /// Secure the data connection that stands with TLS, as its client (RFC 4217 9), resuming the control connection's TLS
    /// session; outcome [`TlsStarted`](super::event::ClientEvent::TlsStarted). A transfer over it has ended in order only
    /// with `close_notify`: one is sent after a file, and without one what is received was cut off
    /// ([`ConnectionLost`](super::event::MoveError::ConnectionLost)).
    SecureData {
        /// Repeated by the outcome.
        id: ActionId,
        /// As for the control connection.
        host: String,
    },
    /// Send this line on the control connection.
    SendCommand {
        /// The line with its end; see [`wire_bytes`].
        wire: Secret,
        /// Whether each character of `wire` stands for one byte: the line names something that is no UTF-8.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        byte_per_char: bool,
        /// The line as it may be shown: without its end, the password hidden.
        shown: String,
    },
    /// Open a listening data socket (PORT, EPRT), in place of any earlier one; outcome
    /// [`DataListening`](super::event::ClientEvent::DataListening).
    ListenData {
        /// Repeated by the outcome.
        id: ActionId,
        /// The address to listen on: the control connection's own.
        local: IpAddr,
    },
    /// Take the first connection that comes from `peer` on the listening socket, close any other, then close the
    /// listener; outcome [`DataConnected`](super::event::ClientEvent::DataConnected).
    AcceptData {
        /// Repeated by the outcome.
        id: ActionId,
        /// The only address that may connect.
        peer: IpAddr,
    },
    /// Connect to the server's data port (PASV, EPSV); outcome
    /// [`DataConnected`](super::event::ClientEvent::DataConnected).
    ConnectData {
        /// Repeated by the outcome.
        id: ActionId,
        /// Where to connect.
        peer: SocketAddr,
        /// The address to connect from: the control connection's own.
        local: IpAddr,
    },
    /// Open what is to be sent, in place of the source before it; outcome
    /// [`SourceOpened`](super::event::ClientEvent::SourceOpened).
    OpenSource {
        /// Repeated by the outcome.
        id: ActionId,
        /// Its place among the files of the upload, counted from 0.
        file: u32,
    },
    /// Send the open source over the data connection, and end that in order; outcome
    /// [`TransferEnded`](super::event::ClientEvent::TransferEnded). Unless all of it was sent, the data connection is
    /// reset, so that the server never takes a part for the whole.
    SendFile {
        /// Repeated by the outcome.
        id: ActionId,
        /// Where to begin.
        offset_bytes: u64,
    },
    /// Open a place for a file to be received, in place of the sink before it; outcome
    /// [`SinkOpened`](super::event::ClientEvent::SinkOpened). What was received of a broken file is kept aside for a
    /// later resumption; nothing shows under the name before `KeepSink`.
    OpenSink {
        /// Repeated by the outcome.
        id: ActionId,
        /// A single name; where the order has a `tree`, a path of such names (`a/b/1.png`), whose directories are made.
        name: String,
        /// The file's size, where the server told it. No byte beyond it is kept: a transfer that brings one ends there
        /// ([`TooMuch`](super::event::MoveError::TooMuch)), so that no server fills the disk behind the user's back.
        size_bytes: Option<u64>,
        /// When it was last modified, UTC seconds, where the server told it. With the size it tells whether bytes
        /// that are there already are of this very file.
        modified_s: Option<i64>,
        /// Whether the server can go on from an offset; else the sink begins empty.
        resume: bool,
    },
    /// Receive the open sink's bytes over the data connection, to the end; outcome
    /// [`TransferEnded`](super::event::ClientEvent::TransferEnded).
    ReceiveFile {
        /// Repeated by the outcome.
        id: ActionId,
        /// Where the sink stands.
        offset_bytes: u64,
    },
    /// Give the open sink its name and time; outcome [`SinkKept`](super::event::ClientEvent::SinkKept).
    KeepSink {
        /// Repeated by the outcome.
        id: ActionId,
        /// The modification time to set, UTC seconds.
        modified_s: Option<i64>,
    },
    /// Receive a listing as [`DataReceived`](super::event::ClientEvent::DataReceived) events; outcome
    /// [`TransferEnded`](super::event::ClientEvent::TransferEnded).
    ReceiveListing {
        /// Repeated by the outcome.
        id: ActionId,
    },
    /// End that action now; its outcome follows, as failed or `Cancelled` where it was still running.
    Cancel {
        /// The action to end.
        id: ActionId,
    },
    /// Close the data listener and the data connection, whichever stands. No outcome.
    CloseData,
    /// Close the control connection, and the data side with it. No outcome.
    CloseControl,
    /// Hand the user what proves that they made this path, before anything is sent into it: whoever is cut off, be it by
    /// `kill -9`, can go on only with it. A secret, and so no note. No outcome.
    HandToken {
        /// The path.
        storage_path: String,
        /// What `SITE CLAIM` takes.
        token: Token,
    },
    /// Tell the user, where the user wants to know. No outcome.
    Note {
        /// What happened.
        note: ClientNote,
    },
    /// The call is done. The next may follow, also after a failure.
    Finished {
        /// What came of it.
        #[serde(with = "crate::wire::json::outcome")]
        outcome: Result<Summary, Failure>,
    },
    /// Close everything. The last action.
    Close,
}

/// The bytes of a [`ClientAction::SendCommand`].
#[must_use]
pub fn wire_bytes(wire: &Secret, byte_per_char: bool) -> Vec<u8> {
    if byte_per_char {
        return wire.0.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
    }
    wire.0.clone().into_bytes()
}

/// What a user may want to watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientNote {
    /// A reply came.
    Heard {
        /// It.
        reply: super::reply_reader::Heard,
    },
    /// A file begins, or goes on.
    FileBegun {
        /// Its name on the server.
        name: String,
        /// Its size, where that is known.
        size_bytes: Option<u64>,
        /// Where it goes on from.
        offset_bytes: u64,
    },
    /// The control connection, or a data connection, is secured.
    Secured {
        /// Which of the two.
        data: bool,
        /// How.
        tls: TlsInfo,
    },
    /// The path that was to be added to is there, and keeps its date although the order names one.
    DateLeftAlone {
        /// It.
        storage_path: String,
    },
    /// So many lines of the listings could not be read, and what they stand for is left out.
    LinesUnread {
        /// How many.
        lines: u64,
    },
    /// Something broke, and is tried again.
    Retrying {
        /// Which retry it is, counted from 1.
        retry: u32,
        /// How many there may be.
        retries_max: u32,
        /// After how long, milliseconds.
        after_ms: u64,
        /// What broke, for a person.
        because: String,
    },
}
