//! What the session tells its driver to do. An action carries all that it needs; one with an outcome carries an `id`,
//! which its outcome event repeats.

mod note;
mod storage;

pub use note::{LoginMethod, Note, NotedCommand};
pub use storage::{ListingDetail, NewFacts, ReadingPurpose, StorageRequest, UploadBase};

use crate::path::VirtualPath;
use crate::wire::command::Secret;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU64;
use serde::{Deserialize, Serialize};

/// Names one outstanding action; never used twice in a session, below 2^53.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub u64);

/// What the driver must do, in the order of `poll_action`.
///
/// At most one storage action and one data action (listen, accept, connect, transfer, send) are outstanding at a time.
/// Each action with an id gets exactly one outcome, a cancelled one too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Send these bytes on the control connection. Replies that are due together leave in one write.
    SendReply {
        /// The reply code, for logs.
        code: u16,
        /// The whole reply in the form that is due (text or JSON), with its line ends.
        wire: String,
    },
    /// Ask or change the storage; outcome [`crate::event::Event::Stored`].
    Storage {
        /// Repeated by the outcome.
        id: ActionId,
        /// What to do there.
        request: StorageRequest,
    },
    /// Draw 128 bits fit for a secret; outcome [`crate::event::Event::RandomDrawn`].
    DrawRandom {
        /// Repeated by the outcome.
        id: ActionId,
    },
    /// Check who a peer says it is against the operator's users; outcome [`crate::event::Event::LoginVerified`]. A user
    /// that is not known and a proof that does not hold cost the same and answer the same.
    VerifyLogin {
        /// Repeated by the outcome.
        id: ActionId,
        /// The name that the peer gave.
        user: String,
        /// What it has shown.
        proof: Proof,
        /// The client's address, for users who may come from some alone.
        peer: IpAddr,
    },
    /// Secure the control connection with TLS, as its server (RFC 4217 4), once every reply so far has gone out; outcome
    /// [`crate::event::Event::TlsStarted`]. Whatever is sent and received from then on goes through TLS.
    StartTls {
        /// Repeated by the outcome.
        id: ActionId,
    },
    /// Secure the data connection that stands with TLS, as its server (RFC 4217 9, 12); outcome
    /// [`crate::event::Event::TlsStarted`].
    SecureData {
        /// Repeated by the outcome.
        id: ActionId,
        /// Which way bytes will go: a client that only sends would leave TLS 1.3 tickets unread, which makes its close a
        /// reset, so it must be sent none.
        direction: Direction,
        /// Whether an upload that ends without `close_notify` counts as broken: `TransferError::ConnectionLost`.
        needs_close_notify: bool,
    },
    /// Open a listening data socket (PASV, EPSV), in place of any earlier one; outcome
    /// [`crate::event::Event::DataListening`].
    ListenData {
        /// Repeated by the outcome.
        id: ActionId,
        /// The address to listen on: the control connection's own.
        local: IpAddr,
        /// The ports to choose from, at random; none: any.
        ports: Option<PortRange>,
    },
    /// Take the first connection that comes from `peer` on the listening socket, close any other, then close the
    /// listener; outcome [`crate::event::Event::DataConnected`].
    AcceptData {
        /// Repeated by the outcome.
        id: ActionId,
        /// The only address that may connect.
        peer: IpAddr,
        /// Whether any other address may connect as well (FXP).
        #[serde(default, skip_serializing_if = "is_default")]
        any_host: bool,
    },
    /// Connect to the peer's data port (PORT, EPRT); outcome [`crate::event::Event::DataConnected`].
    ConnectData {
        /// Repeated by the outcome.
        id: ActionId,
        /// Where to connect.
        peer: SocketAddr,
        /// The address to connect from: the control connection's own.
        local: IpAddr,
        /// The port to connect from; any where it cannot be had. None: any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        local_port: Option<u16>,
    },
    /// Close the data listener and the data connection, whichever stands, with an orderly end. No outcome.
    CloseData,
    /// Move a file's bytes over the data connection, to the end; outcome [`crate::event::Event::TransferEnded`],
    /// [`crate::event::Event::TransferProgress`] in between.
    Transfer {
        /// Repeated by the outcome.
        id: ActionId,
        /// Which way.
        direction: Direction,
        /// What happens to the bytes on the way.
        translation: Translation,
        /// MODE Z: the data connection carries one zlib stream (RFC 1950) of the translated bytes; sent at this level.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deflate: Option<DeflateLevel>,
        /// The most bytes over the data connection in a second; none: no bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes_per_s: Option<NonZeroU64>,
    },
    /// Send this text (a piece of a listing) over the data connection; outcome
    /// [`crate::event::Event::TransferEnded`].
    SendData {
        /// Repeated by the outcome.
        id: ActionId,
        /// The text, with its line ends.
        text: String,
        /// MODE Z: all pieces together are one zlib stream, so what deflates lives as long as the data connection.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deflate: Option<DeflateLevel>,
        /// It is the last piece: what deflates ends its stream with it, and TLS says `close_notify` behind it before the
        /// outcome. Said in MODE Z and over TLS alone, where the text may be empty then.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        last: bool,
    },
    /// Send these bytes on the control connection, in order with the replies: Telnet's own talk (RFC 854).
    SendTelnet {
        /// The bytes. JSON: `hex`, for they are not UTF-8.
        #[serde(flatten, with = "crate::wire::json::bytes")]
        bytes: Vec<u8>,
    },
    /// End that data action now; its outcome follows, as `Cancelled` where it was still running.
    Cancel {
        /// The action to end.
        id: ActionId,
    },
    /// Tell the reaper. No outcome.
    Notify {
        /// What has changed.
        change: PathChange,
    },
    /// Write this to the log. No outcome.
    Note {
        /// What happened.
        note: Note,
        /// The command that it tells of; none: it is of the session itself, or of its dialogue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<NotedCommand>,
    },
    /// Send what is pending, then close the control connection and all that the session holds. The last action.
    Close,
}

/// What a peer shows to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Proof {
    /// PASS.
    Password {
        /// What came with it.
        password: Secret,
    },
    /// The certificate that the control connection's handshake has verified.
    Certificate {
        /// As `TlsInfo::certificate` has it.
        subject: String,
    },
}

/// Which way a transfer goes, seen from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the file that `OpenRead` opened to the peer.
    Send,
    /// From the peer into the upload that `OpenWrite` opened.
    Receive,
}

/// What happens to the bytes on the way (RFC 959 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Translation {
    /// TYPE I: none; the kernel may move them.
    Image,
    /// TYPE A: through [`crate::ascii`].
    Ascii,
}

/// How much work goes into making MODE Z's stream small: 0 (none, it is only framed) to 9 (most).
///
/// ```
/// use mayfly_core::action::DeflateLevel;
/// assert_eq!(DeflateLevel::new(9).map(DeflateLevel::level), Some(9));
/// assert_eq!(DeflateLevel::new(10), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct DeflateLevel(u8);

impl DeflateLevel {
    /// A level from 0 to 9.
    #[must_use]
    pub fn new(level: u8) -> Option<Self> {
        (level <= 9).then_some(Self(level))
    }

    /// The level, 0 to 9.
    #[must_use]
    pub fn level(self) -> u8 {
        self.0
    }
}

/// The level that draft-preston-ftpext-deflate-04 (3.3.2) recommends.
impl Default for DeflateLevel {
    fn default() -> Self {
        Self(7)
    }
}

impl TryFrom<u8> for DeflateLevel {
    type Error = &'static str;

    fn try_from(level: u8) -> Result<Self, Self::Error> {
        Self::new(level).ok_or("a level is a number from 0 to 9")
    }
}

impl From<DeflateLevel> for u8 {
    fn from(level: DeflateLevel) -> Self {
        level.0
    }
}

/// Ports from `first` to `last`, both included; `first <= last`, and no port below 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRange {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

/// What the reaper must hear of at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PathChange {
    /// A storage path has this expiry from now on (none: never).
    Expires {
        /// The storage path.
        path: VirtualPath,
        /// UTC seconds.
        expiry_s: Option<i64>,
    },
    /// A path, and all beneath it, is gone.
    Removed {
        /// The path.
        path: VirtualPath,
    },
    /// A path, and all beneath it, has another name.
    Renamed {
        /// The old one.
        from: VirtualPath,
        /// The new one.
        to: VirtualPath,
    },
    /// The trash holds something new.
    Trashed,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
