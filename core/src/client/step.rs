//! What passes between the client and the call that it carries out: a call is asked for its next step, and told what
//! came of it.

use super::action::ClientNote;
use super::event::{Fault, SourceInfo, TlsFault};
use super::failure::Failure;
use super::order::{DataOrder, Moved};
use super::reply_reader::Heard;
use super::server::Server;
use super::summary::Summary;
use crate::event::TlsInfo;
use crate::record::Token;
use crate::wire::command::Command;
use alloc::boxed::Box;
use alloc::string::String;

/// What a call wants next.
#[derive(Debug)]
pub(super) enum Next {
    /// Send this; its final reply comes back.
    Command(Command),
    /// Wait for a reply that comes by itself.
    Listen,
    /// Secure the control connection.
    Secure,
    /// Set up a data connection and move something over it.
    Data(DataOrder),
    /// Open that file of the upload.
    OpenSource(u32),
    /// Open a place for a file of the download.
    OpenSink { name: String, size_bytes: Option<u64>, modified_s: Option<i64>, resume: bool },
    /// Give the received file its name.
    KeepSink { modified_s: Option<i64> },
    /// Tell the user this, then go on.
    Noting(ClientNote, Box<Next>),
    /// Hand the caller what proves that it made the path, then go on.
    HandToken { storage_path: String, token: Token, then: Box<Next> },
    /// The call is done.
    Finish(Summary),
    /// The call has failed.
    Fail(Failure),
    /// Try again after a pause, from `Input::Start`; fail with this when that has been tried often enough.
    Again(Failure),
}

/// What a call is told.
#[derive(Debug)]
pub(super) enum Input {
    /// Begin, or go on after a pause or over a new connection.
    Start,
    /// The final reply to the command.
    Reply(Heard),
    /// Whether the control connection is secured.
    Secured(Result<TlsInfo, TlsFault>),
    /// The data connection has done its work, or not.
    Data(Moved),
    /// What is to be sent.
    Source(Result<SourceInfo, Fault>),
    /// How many bytes of the file are there already.
    Sink(Result<u64, Fault>),
    /// Whether the file stands under its name.
    Kept(Result<(), Fault>),
}

/// One of the calls, as far as it has come.
pub(super) trait Step: core::fmt::Debug {
    /// The next step after `input`.
    fn step(&mut self, server: &mut Server, input: Input) -> Next;

    /// The connection was lost after the server said that it begins with the data.
    fn note_begun(&mut self) {}

    /// Adds to a failure what was done before it.
    fn blame(&self, failure: Failure) -> Failure {
        failure
    }
}
