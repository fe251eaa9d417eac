//! A control connection: what was read, what is still to be written, and how it ends.

use mayfly_std::net;
use smol::Async;
use smol::future::{FutureExt as _, poll_fn};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A control connection and the replies that wait for it.
pub(crate) struct Control {
    stream: Async<TcpStream>,
    replies: Vec<u8>,
    /// Whether more than was read may lie in the socket. If not, only the reactor knows when to look again: a task that
    /// is woken for its transfer does not ask the kernel each time.
    may_hold_more: bool,
    /// How far it is with its end.
    pub(crate) end: End,
}

/// Whether the peer has closed its side, or the connection broke.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Not yet.
    None,
    /// Just now.
    Seen,
    /// Yes, but the session hears of it only once the data connection was looked at.
    Waits,
    /// Yes, and the session knows.
    Told,
}

impl Control {
    pub(crate) fn new(stream: Async<TcpStream>) -> Self {
        Self { stream, replies: Vec::new(), may_hold_more: false, end: End::None }
    }

    /// Puts a reply behind those that wait; [`Control::poll_flush`] sends them in one write.
    pub(crate) fn queue(&mut self, wire: &str) {
        if self.end == End::None {
            self.replies.extend_from_slice(wire.as_bytes());
        }
    }

    /// Sends what waits; ready once nothing does.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.replies.is_empty() {
            match self.stream.get_ref().write(&self.replies) {
                Ok(written) if written == self.replies.len() => self.replies = Vec::new(),
                Ok(written) => drop(self.replies.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if ready!(self.stream.poll_writable(cx)).is_err() {
                        self.break_off();
                    }
                }
                Err(_) => self.break_off(),
            }
        }
        Poll::Ready(())
    }

    /// The next bytes from the peer. Pending, too, once the connection has ended, and while the peer does not read its
    /// replies.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Vec<u8>> {
        while self.end == End::None && self.replies.len() < REPLY_BYTES_WAITING_MAX {
            if !self.may_hold_more && ready!(self.stream.poll_readable(cx)).is_err() {
                self.break_off();
                break;
            }
            self.may_hold_more = false;
            match read_some(self.stream.get_ref()) {
                Ok(bytes) if bytes.is_empty() => self.end = End::Seen,
                Ok(bytes) => {
                    self.may_hold_more = bytes.len() == READ_BYTES;
                    return Poll::Ready(bytes);
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => self.break_off(),
            }
        }
        Poll::Pending
    }

    /// Sends what waits, for a bounded time, and closes in order.
    pub(crate) async fn close(mut self) {
        let too_late = async {
            smol::Timer::after(LAST_REPLY_TIME_MAX).await;
        };
        poll_fn(|cx| self.poll_flush(cx)).or(too_late).await;
        net::end_data(self.stream.get_ref());
    }

    fn break_off(&mut self) {
        self.replies = Vec::new();
        if self.end == End::None {
            self.end = End::Seen;
        }
    }
}

/// Reads onto the stack first, so that a session that waits holds no buffer.
fn read_some(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = [0; READ_BYTES];
    let bytes = stream.read(&mut buffer)?;
    Ok(buffer[..bytes].to_vec())
}

/// Bytes that are read in one go: half of the longest line, and more than any client sends at once.
const READ_BYTES: usize = 4096;
/// Bytes of replies that may wait for a peer that does not read; then its commands are no longer read either.
const REPLY_BYTES_WAITING_MAX: usize = 64 * 1024;
/// How long a session that has ended waits for the peer to read its last reply.
const LAST_REPLY_TIME_MAX: Duration = Duration::from_secs(5);
