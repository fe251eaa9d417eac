//! A control connection: what was read, what is still to be written, and how it ends.

use async_io::Async;
use futures_lite::future::{FutureExt as _, poll_fn};
use mayfly_core::action::ActionId;
use mayfly_core::event::Event;
use mayfly_std::net;
use mayfly_std::tls::{TlsStream, Wait, tls_error};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tracing::debug;

/// A control connection and the replies that wait for it.
pub(crate) struct Control {
    stream: Async<TcpStream>,
    /// Boxed, for many sessions have none.
    tls: Option<Box<ControlTls>>,
    replies: Vec<u8>,
    /// The last read took all that was there: wait for the reactor before the next one.
    is_drained: bool,
    /// A look has found nothing to read; whoever asks takes it.
    pub(crate) ran_dry: bool,
    /// Nothing can be sent any more.
    is_broken: bool,
    /// How far it is with its end.
    pub(crate) end: End,
}

/// TLS over a control connection.
struct ControlTls {
    stream: TlsStream,
    /// The action that has asked for it, while its handshake runs.
    securing: Option<ActionId>,
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
        Self {
            stream,
            tls: None,
            replies: Vec::new(),
            is_drained: false,
            ran_dry: false,
            is_broken: false,
            end: End::None,
        }
    }

    /// Puts a reply behind those that wait; [`Control::poll_flush`] sends them in one write.
    pub(crate) fn queue(&mut self, wire: &[u8]) {
        // Also after the peer has closed its side: it may have done so by halves, to read on.
        if !self.is_broken {
            self.replies.extend_from_slice(wire);
        }
    }

    /// Once the replies so far have gone out, TLS begins.
    pub(crate) fn secure(&mut self, id: ActionId, stream: TlsStream) {
        self.tls = Some(Box::new(ControlTls { stream, securing: Some(id) }));
    }

    /// Whether a handshake runs.
    pub(crate) fn is_securing(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.securing.is_some())
    }

    /// Goes on with the handshake; ready with its outcome.
    pub(crate) fn poll_secure(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        ready!(self.poll_flush(cx));
        let Some(tls) = &mut self.tls else { return Poll::Pending };
        let Some(id) = tls.securing else { return Poll::Pending };
        let outcome = loop {
            match tls.stream.handshake(self.stream.get_ref()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let ready = match tls.stream.wait() {
                        Wait::Readable => ready!(self.stream.poll_readable(cx)),
                        Wait::Writable => ready!(self.stream.poll_writable(cx)),
                    };
                    if let Err(error) = ready {
                        break Err(error);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                outcome => break outcome,
            }
        };
        tls.securing = None;
        // What came along with the handshake's end lies decrypted, and makes no socket readable.
        self.is_drained = false;
        let outcome = outcome.map_err(|error| {
            debug!(%error, "a control connection was not secured");
            self.tls = None;
            tls_error(&error)
        });
        Poll::Ready(Event::TlsStarted { id, outcome })
    }

    /// What goes through TLS from now on.
    fn secured(&mut self) -> Option<&mut TlsStream> {
        self.tls.as_mut().filter(|tls| tls.securing.is_none()).map(|tls| &mut tls.stream)
    }

    /// Sends what waits; ready once nothing does.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.is_unsent() {
            match self.send_some() {
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

    /// Not what can go nowhere: TLS keeps it, and would have it sent for ever.
    fn is_unsent(&mut self) -> bool {
        !self.is_broken && (!self.replies.is_empty() || self.secured().is_some_and(|tls| tls.wants_write()))
    }

    /// How many bytes of replies need no more care.
    fn send_some(&mut self) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) if tls.securing.is_none() && self.replies.is_empty() => {
                tls.stream.flush(self.stream.get_ref()).map(|()| 0)
            }
            Some(tls) if tls.securing.is_none() => tls.stream.write(self.stream.get_ref(), &self.replies),
            _ => self.stream.get_ref().write(&self.replies),
        }
    }

    /// Whether the peer takes its replies.
    pub(crate) fn has_room(&self) -> bool {
        self.replies.len() < net::REPLY_BYTES_WAITING_MAX
    }

    /// The next bytes from the peer. Pending, too, once the connection has ended, and while the peer does not read its
    /// replies.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Vec<u8>> {
        while self.end == End::None && self.has_room() {
            // The reactor may have forgotten an event when it is asked anew, so each later poll reads first.
            if std::mem::take(&mut self.is_drained) {
                let Poll::Ready(readable) = self.stream.poll_readable(cx) else {
                    self.ran_dry = true;
                    return Poll::Pending;
                };
                if readable.is_err() {
                    self.break_off();
                }
                continue;
            }
            match self.read_some() {
                Ok(bytes) if bytes.is_empty() => self.end = End::Seen,
                Ok(bytes) => {
                    // What TLS has decrypted already makes no socket readable.
                    self.is_drained = self.tls.is_none() && bytes.len() < net::CONTROL_READ_BYTES;
                    return Poll::Ready(bytes);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_drained = true;
                    // What TLS itself has to answer, such as a new key.
                    let _ = self.poll_flush(cx);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // Commands are lines: one that was cut is none, so this end is as good as any.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => self.end = End::Seen,
                Err(_) => self.break_off(),
            }
        }
        Poll::Pending
    }

    /// Reads onto the stack first, so that a session that waits holds no buffer.
    fn read_some(&mut self) -> io::Result<Vec<u8>> {
        let mut buffer = [0; net::CONTROL_READ_BYTES];
        let bytes = match &mut self.tls {
            Some(tls) => tls.stream.read(self.stream.get_ref(), &mut buffer)?,
            None => self.stream.get_ref().read(&mut buffer)?,
        };
        Ok(buffer[..bytes].to_vec())
    }

    /// Sends what waits, for a bounded time or only what goes `at_once`, and closes in order.
    pub(crate) async fn close(mut self, at_once: bool) {
        let too_late = async {
            if !at_once {
                async_io::Timer::after(LAST_REPLY_TIME_MAX).await;
            }
        };
        poll_fn(|cx| self.poll_end(cx)).or(too_late).await;
        net::end_data(self.stream.get_ref());
    }

    /// Sends what waits, and that it was all (RFC 8446 6.1).
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.poll_flush(cx));
        if self.is_broken || self.is_securing() {
            return Poll::Ready(());
        }
        while let Some(tls) = &mut self.tls {
            match tls.stream.end(self.stream.get_ref()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if ready!(self.stream.poll_writable(cx)).is_err() {
                        break;
                    }
                }
                _ => break,
            }
        }
        Poll::Ready(())
    }

    /// Looks whether the connection broke, which nobody sees while the session wants no input: lines that wait are not
    /// carried out for a peer that is gone.
    pub(crate) fn look(&mut self) {
        if net::is_broken(self.stream.get_ref()) {
            self.break_off();
        }
    }

    fn break_off(&mut self) {
        self.replies = Vec::new();
        self.is_broken = true;
        if self.end == End::None {
            self.end = End::Seen;
        }
    }
}

/// How long a session that has ended waits for the peer to read its last reply.
const LAST_REPLY_TIME_MAX: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use async_io::block_on;
    use std::net::{Ipv4Addr, TcpListener};
    use std::task::Waker;

    fn pair() -> (Control, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        net::prepare_control(&stream).unwrap();
        (Control::new(Async::new(stream).unwrap()), peer)
    }

    fn read(control: &mut Control) -> Vec<u8> {
        block_on(poll_fn(|cx| control.poll_read(cx)))
    }

    #[test]
    fn whoever_wakes_the_task_what_has_come_is_read() {
        // Goal: a task that a transfer wakes all the time does not overlook a command, whatever the reactor remembers.
        let (mut control, mut peer) = pair();
        let cx = &mut Context::from_waker(Waker::noop());
        for _ in 0..100 {
            assert!(control.poll_read(cx).is_pending());
            peer.write_all(b"NOOP\r\n").unwrap();
            control.stream.get_ref().set_nonblocking(false).unwrap();
            control.stream.get_ref().peek(&mut [0; 6]).unwrap();
            control.stream.get_ref().set_nonblocking(true).unwrap();
            let polls = (0..2).map(|_| control.poll_read(cx)).find(Poll::is_ready);
            assert_eq!(polls, Some(Poll::Ready(b"NOOP\r\n".to_vec())));
        }
    }

    #[test]
    fn a_long_input_is_read_piece_by_piece() {
        let (mut control, mut peer) = pair();
        peer.write_all(&[b'x'; 2 * net::CONTROL_READ_BYTES + 1]).unwrap();
        drop(peer);
        let mut bytes = 0;
        while bytes < 2 * net::CONTROL_READ_BYTES + 1 {
            bytes += read(&mut control).len();
        }
        block_on(poll_fn(|cx| {
            assert!(control.poll_read(cx).is_pending());
            if control.end == End::Seen { Poll::Ready(()) } else { Poll::Pending }
        }));
    }

    #[test]
    fn replies_leave_together_and_nothing_is_kept() {
        let (mut control, mut peer) = pair();
        control.queue(b"150 Ok to send data.\r\n");
        control.queue(b"226 Transfer complete.\r\n");
        block_on(poll_fn(|cx| control.poll_flush(cx)));
        assert_eq!(control.replies.capacity(), 0);
        block_on(control.close(true));
        let mut all = String::new();
        peer.read_to_string(&mut all).unwrap();
        assert_eq!(all, "150 Ok to send data.\r\n226 Transfer complete.\r\n");
    }

    #[test]
    fn a_peer_that_does_not_read_its_replies_is_not_read_either() {
        let (mut control, mut peer) = pair();
        let cx = &mut Context::from_waker(Waker::noop());
        peer.write_all(b"NOOP\r\n").unwrap();
        let line = "x".repeat(4096);
        while control.poll_flush(cx).is_ready() || control.replies.len() < net::REPLY_BYTES_WAITING_MAX {
            control.queue(line.as_bytes());
        }
        assert!(control.poll_read(cx).is_pending());
        assert!(control.replies.len() < net::REPLY_BYTES_WAITING_MAX + line.len());
        let mut scrap = [0; 4096];
        while control.poll_flush(cx).is_pending() {
            assert!(peer.read(&mut scrap).unwrap() > 0);
        }
        assert_eq!(read(&mut control), b"NOOP\r\n");
    }

    #[test]
    fn a_peer_that_has_closed_its_side_alone_gets_its_replies() {
        let (mut control, mut peer) = pair();
        peer.shutdown(std::net::Shutdown::Write).unwrap();
        block_on(poll_fn(|cx| {
            assert!(control.poll_read(cx).is_pending());
            if control.end == End::Seen { Poll::Ready(()) } else { Poll::Pending }
        }));
        control.queue(b"530 Login incorrect.\r\n");
        block_on(control.close(false));
        let mut all = String::new();
        peer.read_to_string(&mut all).unwrap();
        assert_eq!(all, "530 Login incorrect.\r\n");
    }

    #[test]
    fn a_broken_connection_ends_once_and_takes_no_more_replies() {
        let (mut control, peer) = pair();
        socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
        drop(peer);
        block_on(poll_fn(|cx| {
            assert!(control.poll_read(cx).is_pending());
            if control.end == End::Seen { Poll::Ready(()) } else { Poll::Pending }
        }));
        control.queue(b"421 Timeout.\r\n");
        assert!(control.replies.is_empty());
    }
}
