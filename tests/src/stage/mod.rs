//! Where a transcript is played: the core alone, or a driver behind real sockets.

pub mod core;
pub mod net;
mod settings;
mod tls;
mod watched_clock;

use crate::transcript::script::{Closing, DiskStep, Handshake, SessionNumber};
use std::net::SocketAddr;
use std::time::Duration;

/// What went wrong, in words.
pub type Fault = String;

/// A server and its clients, as a transcript sees them.
///
/// # Errors
/// Each call says what went wrong, in words.
#[expect(clippy::missing_errors_doc, reason = "said once, for all")]
pub trait Stage {
    /// Sets the wall clock alone.
    fn set_utc(&mut self, utc_s: i64) -> Result<(), Fault>;

    /// Lets time pass on both clocks.
    fn pass(&mut self, by: Duration) -> Result<(), Fault>;

    /// Makes a control connection.
    fn connect(&mut self, session: SessionNumber) -> Result<(), Fault>;

    /// Sends on it.
    fn send(&mut self, session: SessionNumber, bytes: &[u8]) -> Result<(), Fault>;

    /// Its next line, without the CRLF that must end it; none: the server closed it.
    fn line(&mut self, session: SessionNumber) -> Result<Option<Vec<u8>>, Fault>;

    /// Makes its TLS handshake, after a 234; these bytes go along with its end.
    fn secure(&mut self, session: SessionNumber, handshake: Handshake, along: &[u8]) -> Result<(), Fault>;

    /// Closes it.
    fn close(&mut self, session: SessionNumber, closing: Closing) -> Result<(), Fault>;

    /// Opens a listening data socket for an active transfer.
    fn data_listen(&mut self, session: SessionNumber) -> Result<SocketAddr, Fault>;

    /// Listens on the client's default data port, its control connection's own (RFC 959 3.2).
    fn data_listen_default(&mut self, session: SessionNumber) -> Result<(), Fault>;

    /// Closes it.
    fn data_unlisten(&mut self, session: SessionNumber) -> Result<(), Fault>;

    /// Makes a passive data connection.
    fn data_connect(&mut self, session: SessionNumber, port: u16) -> Result<(), Fault>;

    /// Tries to make one from another address.
    fn data_stranger(&mut self, session: SessionNumber, port: u16) -> Result<(), Fault>;

    /// Makes the data connection's TLS handshake.
    fn data_secure(&mut self, session: SessionNumber, handshake: Handshake) -> Result<(), Fault>;

    /// Sends on the data connection.
    fn data_send(&mut self, session: SessionNumber, bytes: &[u8]) -> Result<(), Fault>;

    /// Receives on it; fewer bytes where the server ends its side.
    fn data_receive(&mut self, session: SessionNumber, amount: Amount) -> Result<Vec<u8>, Fault>;

    /// Receives what is left, up to an end that does not say that this was all, and closes it.
    fn data_cut(&mut self, session: SessionNumber) -> Result<(), Fault>;

    /// Closes it.
    fn data_close(&mut self, session: SessionNumber, closing: Closing) -> Result<(), Fault>;

    /// Does or checks something on the disk.
    fn disk(&mut self, step: &DiskStep) -> Result<(), Fault>;

    /// Tells the server to shut down.
    fn shut_down(&mut self) -> Result<(), Fault>;

    /// Ends the server and starts another on the same disk. All connections are gone.
    fn restart(&mut self) -> Result<(), Fault>;

    /// Ends everything; an error where a server did not end or still had something to say.
    fn finish(self: Box<Self>) -> Result<(), Fault>;
}

/// How much to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Up to and with the next CRLF.
    Line,
    /// So many bytes.
    Bytes(usize),
    /// Whatever comes next (one byte), to see that nothing comes.
    Any,
}

/// Takes the CRLF off that every control line ends with.
fn without_crlf(mut line: Vec<u8>) -> Result<Vec<u8>, Fault> {
    if !line.ends_with(b"\r\n") {
        return Err(format!("a line without CRLF came: {}", String::from_utf8_lossy(&line)));
    }
    line.truncate(line.len() - 2);
    Ok(line)
}

/// Compares a file's content with what a transcript expects.
fn same_content(got: Option<Vec<u8>>, expected: &[u8]) -> Result<(), Fault> {
    match got {
        None => Err("no such file stands there".to_owned()),
        Some(got) if got == expected => Ok(()),
        Some(got) => Err(format!("the file holds {} bytes, not the {} expected", got.len(), expected.len())),
    }
}
