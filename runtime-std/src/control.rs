//! The control connection of one session: replies out, bytes in, without waiting, and an end that loses no reply.

use crate::connection::Connection;
use crate::net;
use crate::tls::{TlsStream, tls_error};
use mayfly_core::action::ActionId;
use mayfly_core::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};
use tracing::debug;

/// See the module.
pub(crate) struct Control {
    stream: Connection,
    /// The handshake that is under way, and what it needs once all in clear has gone out.
    securing: Option<(ActionId, Option<TlsStream>)>,
    /// What TLS has decrypted may not have been read yet.
    may_hold: bool,
    /// Replies that the peer has not taken yet.
    unsent: Vec<u8>,
    /// Whether the peer has closed its side, or the connection broke.
    ended: bool,
}

impl Control {
    /// An accepted connection, set up and non-blocking.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream: Connection::new(stream), securing: None, may_hold: false, unsent: Vec::new(), ended: false }
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

    /// `Action::StartTls`: the handshake follows what is still to be sent in clear.
    pub(crate) fn secure(&mut self, id: ActionId, tls: TlsStream) {
        self.securing = Some((id, Some(tls)));
    }

    /// Goes on with the handshake; its outcome, once there is one.
    pub(crate) fn shake_hands(&mut self) -> Option<Event> {
        let (id, tls) = self.securing.as_mut().filter(|_| self.unsent.is_empty())?;
        let id = *id;
        if let Some(tls) = tls.take() {
            self.stream.agree(tls);
        }
        let outcome = match self.stream.handshake(true) {
            Err(error) if is_for_later(&error) => return None,
            outcome => outcome,
        };
        self.securing = None;
        self.may_hold = outcome.is_ok();
        let outcome = outcome.map_err(|error| {
            debug!(%error, "the TLS handshake of a control connection failed");
            tls_error(&error)
        });
        Some(Event::TlsStarted { id, outcome })
    }

    /// Sends what the peer takes now.
    pub(crate) fn flush(&mut self) {
        let mut sent = 0;
        let outcome = loop {
            if sent == self.unsent.len() {
                break self.stream.flush();
            }
            match self.stream.write(&self.unsent[sent..]) {
                Ok(bytes) => sent += bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        if outcome.is_err_and(|error| !is_for_later(&error)) {
            // Nobody will read them; what the peer sent before it went is still to be read.
            sent = self.unsent.len();
        }
        self.unsent.drain(..sent);
    }

    /// Whether the peer takes its replies.
    pub(crate) fn has_room(&self) -> bool {
        self.unsent.len() < net::REPLY_BYTES_WAITING_MAX
    }

    /// Whether there may be bytes to read that poll does not tell of.
    pub(crate) fn may_hold(&self, wants_input: bool) -> bool {
        self.may_hold && wants_input && !self.ended && self.has_room()
    }

    /// What to wait for: bytes, where the session wants them and the peer reads its replies; room for replies.
    pub(crate) fn interest(&self, wants_input: bool) -> Option<PollFd<'_>> {
        let flags = if self.securing.is_some() && self.unsent.is_empty() {
            self.stream.flags(true)
        } else {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, wants_input && !self.ended && self.has_room());
            flags.set(PollFlags::OUT, !self.unsent.is_empty() || self.stream.has_unsent());
            flags
        };
        (!flags.is_empty()).then(|| PollFd::new(self.stream.socket(), flags))
    }

    /// Looks whether the connection broke, which nobody sees while the session wants no input: lines that wait are not
    /// carried out for a peer that is gone.
    pub(crate) fn look(&mut self) {
        if net::is_broken(self.stream.socket()) {
            self.unsent.clear();
            self.ended = true;
        }
    }

    /// Reads what has come, at most a few lines; none where nothing has, or the connection has ended.
    pub(crate) fn read(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; net::CONTROL_READ_BYTES];
        let outcome = self.stream.read(&mut buffer);
        self.may_hold = outcome.is_ok() && self.stream.is_secured();
        match outcome {
            Ok(0) => self.ended = true,
            Ok(bytes) => return Some(buffer[..bytes].to_vec()),
            Err(error) if is_for_later(&error) => {}
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
        if self.unsent.is_empty() {
            // A reply that was cut must not look whole.
            while self.stream.end().is_err_and(|error| is_for_later(&error)) && self.wait(PollFlags::OUT, until) {}
        }
        // Input left unread would turn the close into a reset, which may overtake the last reply.
        let socket = self.stream.socket();
        let closed = socket.shutdown(Shutdown::Write);
        while closed.is_ok() && !self.ended && Self::is_open(net::discard_input(socket)) {
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
        let mut fds = [PollFd::new(self.stream.socket(), flags)];
        !left.is_zero() && rustix::event::poll(&mut fds, Some(&timeout)).is_ok_and(|ready| ready > 0)
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Below a second, for `wait` counts nanoseconds alone.
const CLOSE_MAX: Duration = Duration::from_millis(900);
