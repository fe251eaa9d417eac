//! What is asked of a data connection, and what came of it.

use super::event::{Fault, TlsFault};
use super::reply_reader::Heard;
use crate::wire::command::Command;
use alloc::string::String;
use alloc::vec::Vec;

/// What shall be moved.
#[derive(Clone, Debug)]
pub(super) struct DataOrder {
    /// STOR, RETR, LIST or their like.
    pub(super) command: Command,
    pub(super) what: What,
    /// Where a file goes on; anything but 0 needs REST.
    pub(super) offset_bytes: u64,
    /// Which file of the call it is, counted from 0.
    pub(super) file: usize,
}

/// What a data connection carries.
#[derive(Clone, Debug)]
pub(super) enum What {
    Send { name: String, size_bytes: Option<u64> },
    Receive { name: String, size_bytes: Option<u64> },
    List,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Moved {
    /// Whether the server said that it begins.
    pub(super) begun: bool,
    /// Bytes over the data connection.
    pub(super) wire_bytes: u64,
    /// What `What::List` brought.
    pub(super) listing: Vec<u8>,
    /// The reply that ended it well, or why it did not end so.
    pub(super) outcome: Result<Heard, Trouble>,
}

/// Why nothing, or not all, was moved.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server's final word.
    Refused(Heard),
    /// The server does not go on from an offset.
    RestartRefused(Heard),
    /// No data connection could be had in any way.
    Unconnected(Fault),
    /// The server refused a data connection that resumes no TLS session, and none is left to be resumed.
    Unresumed(Heard),
    /// The data connection could not be secured.
    Insecure(TlsFault),
    /// The data connection was lost.
    Lost,
    /// More came than the server told.
    TooMuch,
    /// The file's side failed.
    Local(Fault),
    /// The listing is longer than anybody needs.
    ListingTooLong,
    /// The server answered out of turn.
    OutOfTurn(Heard),
}

impl DataOrder {
    /// Whether bytes go to the server.
    pub(super) fn sends(&self) -> bool {
        matches!(self.what, What::Send { .. })
    }
}
