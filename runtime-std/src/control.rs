//! The control connection of one session: replies out, bytes in, without waiting, and an end that loses no reply.

use crate::net;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// See the module.
pub(crate) struct Control {
    stream: TcpStream,
    /// Replies that the peer has not taken yet.
    unsent: Vec<u8>,
    /// Whether the peer has closed its side, or the connection broke.
    ended: bool,
}

impl Control {
    /// An accepted connection, set up and non-blocking.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, unsent: Vec::new(), ended: false }
    }

    /// Whether the peer has closed its side, or the connection broke.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Puts a reply behind the others; [`Control::flush`] sends them together.
    pub(crate) fn queue(&mut self, reply: &[u8]) {
        // Also after the peer has closed its side: it may have done so by halves, to read on.
        self.unsent.extend_from_slice(reply);
    }

    /// Sends what the peer takes now.
    pub(crate) fn flush(&mut self) {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match self.stream.write(&self.unsent[sent..]) {
                Ok(bytes) => sent += bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    // Nobody will read them; what the peer sent before it went is still to be read.
                    self.unsent.clear();
                    return;
                }
            }
        }
        self.unsent.drain(..sent);
    }

    /// Whether the peer takes its replies.
    pub(crate) fn has_room(&self) -> bool {
        self.unsent.len() < UNSENT_BYTES_MAX
    }

    /// What to wait for: bytes, where the session wants them and the peer reads its replies; room for replies.
    pub(crate) fn interest(&self, wants_input: bool) -> Option<PollFd<'_>> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, wants_input && !self.ended && self.has_room());
        flags.set(PollFlags::OUT, !self.unsent.is_empty());
        (!flags.is_empty()).then(|| PollFd::new(&self.stream, flags))
    }

    /// Reads what has come, at most a few lines; none where nothing has, or the connection has ended.
    pub(crate) fn read(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; net::CONTROL_READ_BYTES];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.ended = true,
            Ok(bytes) => return Some(buffer[..bytes].to_vec()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.ended = true,
        }
        None
    }

    /// Sends what is pending, then closes, waiting for a slow peer for a moment only, and not at all where it is
    /// `hasty`.
    pub(crate) fn close(mut self, hasty: bool) {
        let until = Instant::now() + if hasty { Duration::ZERO } else { CLOSE_MAX };
        self.flush();
        while !self.unsent.is_empty() && self.wait(PollFlags::OUT, until) {
            self.flush();
        }
        // Input left unread would turn the close into a reset, which may overtake the last reply.
        let closed = self.stream.shutdown(Shutdown::Write);
        while closed.is_ok() && !self.ended && Self::is_open(net::discard_input(&self.stream)) {
            if !self.wait(PollFlags::IN, until) {
                break;
            }
        }
    }

    fn is_open(discarded: io::Result<()>) -> bool {
        discarded.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    fn wait(&self, flags: PollFlags, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
        let mut fds = [PollFd::new(&self.stream, flags)];
        !left.is_zero() && rustix::event::poll(&mut fds, Some(&timeout)).is_ok_and(|ready| ready > 0)
    }
}

/// Replies that a peer may leave unread before the session stops reading from it, and begins no more of what it has read.
const UNSENT_BYTES_MAX: usize = 64 * 1024;
/// Below a second, for `wait` counts nanoseconds alone.
const CLOSE_MAX: Duration = Duration::from_millis(900);
