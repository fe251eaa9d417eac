//! A control connection: what was read, what is still to be written, and how it ends.

use async_io::Async;
use futures_lite::future::{FutureExt as _, poll_fn};
use mayfly_std::net;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A control connection and the replies that wait for it.
pub(crate) struct Control {
    stream: Async<TcpStream>,
    replies: Vec<u8>,
    /// The last read took all that was there: wait for the reactor before the next one.
    is_drained: bool,
    /// Nothing can be sent any more.
    is_broken: bool,
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
        Self { stream, replies: Vec::new(), is_drained: false, is_broken: false, end: End::None }
    }

    /// Puts a reply behind those that wait; [`Control::poll_flush`] sends them in one write.
    pub(crate) fn queue(&mut self, wire: &[u8]) {
        // Also after the peer has closed its side: it may have done so by halves, to read on.
        if !self.is_broken {
            self.replies.extend_from_slice(wire);
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

    /// Whether the peer takes its replies.
    pub(crate) fn has_room(&self) -> bool {
        self.replies.len() < REPLY_BYTES_WAITING_MAX
    }

    /// The next bytes from the peer. Pending, too, once the connection has ended, and while the peer does not read its
    /// replies.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Vec<u8>> {
        while self.end == End::None && self.has_room() {
            // The reactor may have forgotten an event when it is asked anew, so each later poll reads first.
            if std::mem::take(&mut self.is_drained) {
                if ready!(self.stream.poll_readable(cx)).is_err() {
                    self.break_off();
                }
                continue;
            }
            match read_some(self.stream.get_ref()) {
                Ok(bytes) if bytes.is_empty() => self.end = End::Seen,
                Ok(bytes) => {
                    self.is_drained = bytes.len() < net::CONTROL_READ_BYTES;
                    return Poll::Ready(bytes);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_drained = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.break_off(),
            }
        }
        Poll::Pending
    }

    /// Sends what waits, for a bounded time or only what goes `at_once`, and closes in order.
    pub(crate) async fn close(mut self, at_once: bool) {
        let too_late = async {
            if !at_once {
                async_io::Timer::after(LAST_REPLY_TIME_MAX).await;
            }
        };
        poll_fn(|cx| self.poll_flush(cx)).or(too_late).await;
        net::end_data(self.stream.get_ref());
    }

    fn break_off(&mut self) {
        self.replies = Vec::new();
        self.is_broken = true;
        if self.end == End::None {
            self.end = End::Seen;
        }
    }
}

/// Reads onto the stack first, so that a session that waits holds no buffer.
fn read_some(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = [0; net::CONTROL_READ_BYTES];
    let bytes = stream.read(&mut buffer)?;
    Ok(buffer[..bytes].to_vec())
}

/// Bytes of replies that may wait for a peer that does not read; then its commands are no longer read either, and
/// none of those that were read is begun.
const REPLY_BYTES_WAITING_MAX: usize = 64 * 1024;
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
        while control.poll_flush(cx).is_ready() || control.replies.len() < REPLY_BYTES_WAITING_MAX {
            control.queue(line.as_bytes());
        }
        assert!(control.poll_read(cx).is_pending());
        assert!(control.replies.len() < REPLY_BYTES_WAITING_MAX + line.len());
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
