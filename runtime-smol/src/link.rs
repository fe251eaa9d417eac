//! One data connection, in clear or through TLS.

use crate::watch::Watch;
use async_io::{Async, Timer};
use futures_lite::future::{or, poll_fn};
use mayfly_core::error::{TlsError, TransferError};
use mayfly_core::event::TlsInfo;
use mayfly_std::net::{PARTING, discard_input, end_data};
use mayfly_std::tls::{TlsStream, tls_error};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::task::{Context, Poll, ready};

/// See the module.
pub(crate) struct Link {
    stream: Async<TcpStream>,
    tls: Option<Tls>,
}

/// What goes through TLS.
struct Tls {
    stream: TlsStream,
    /// An end without `close_notify` is none.
    needs_close_notify: bool,
    /// What was to be sent was not: the peer must not take its end for the end of all.
    is_cut: bool,
}

impl Link {
    /// A connection in clear.
    pub(crate) fn new(stream: Async<TcpStream>) -> Self {
        Self { stream, tls: None }
    }

    /// Its socket, where it is in clear: the kernel may send to it.
    pub(crate) fn clear(&self) -> Option<&Async<TcpStream>> {
        self.tls.is_none().then_some(&self.stream)
    }

    /// Makes the handshake; from then on all goes through `stream`.
    pub(crate) async fn secure(
        &mut self,
        stream: TlsStream,
        needs_close_notify: bool,
        watch: &Watch,
    ) -> Result<TlsInfo, TlsError> {
        let mut tls = Tls { stream, needs_close_notify, is_cut: false };
        let made = tls.attempt(&self.stream, watch, Wants::Either, TlsStream::handshake).await;
        let info = made.ok_or(TlsError::Cancelled)?.map_err(|error| {
            tracing::debug!(%error, "a data connection was not secured");
            tls_error(&error)
        })?;
        self.tls = Some(tls);
        Ok(info)
    }

    /// Sends some of these bytes.
    pub(crate) async fn write(&mut self, bytes: &[u8], watch: &Watch) -> Result<usize, TransferError> {
        let written = match &mut self.tls {
            None => watch.retry(&self.stream, Async::poll_writable, |mut socket| socket.write(bytes)).await,
            Some(tls) => tls.attempt(&self.stream, watch, Wants::Either, |tls, socket| tls.write(socket, bytes)).await,
        };
        written.ok_or(TransferError::Cancelled)?.map_err(|_| TransferError::ConnectionLost)
    }

    /// Sees to it that all of what was written has been sent.
    pub(crate) async fn flush(&mut self, watch: &Watch) -> Result<(), TransferError> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let sent = tls.attempt(&self.stream, watch, Wants::Either, TlsStream::flush).await;
        sent.ok_or(TransferError::Cancelled)?.map_err(|_| TransferError::ConnectionLost)
    }

    /// Reads what is there, once; nothing at the end. A second look might take an error (a reset) off the socket whose
    /// place in the stream is after these bytes.
    pub(crate) async fn read(&mut self, room: &mut [u8], watch: &Watch) -> Result<usize, TransferError> {
        let read = match &mut self.tls {
            None => watch.retry(&self.stream, Async::poll_readable, |mut socket| socket.read(room)).await,
            Some(tls) => {
                let step = |tls: &mut TlsStream, socket: &TcpStream| {
                    // What TLS itself has to answer, such as a new key; whether it went is seen when it is waited for.
                    let _ = tls.flush(socket);
                    tls.read(socket, room)
                };
                tls.attempt(&self.stream, watch, Wants::Input, step).await
            }
        };
        let tolerates_cut = self.tls.as_ref().is_some_and(|tls| !tls.needs_close_notify);
        match read.ok_or(TransferError::Cancelled)? {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof && tolerates_cut => Ok(0),
            Err(_) => Err(TransferError::ConnectionLost),
        }
    }

    /// What was to be sent has not been, and will not be.
    pub(crate) fn cut(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.is_cut = true;
        }
    }

    /// Says that all is sent, and gives the peer a moment to close its side; see [`PARTING`].
    pub(crate) async fn part(&mut self) {
        let stream = &self.stream;
        let tls = &mut self.tls;
        let closed = async move {
            if poll_fn(|cx| poll_end(stream, tls, cx)).await.is_err() {
                return;
            }
            end_data(stream.get_ref());
            while discard_input(stream.get_ref()).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
                if stream.readable().await.is_err() {
                    break;
                }
            }
        };
        let patience = async {
            Timer::after(PARTING).await;
        };
        or(closed, patience).await;
    }

    /// As [`Link::poll_close`], without waiting; whether nothing is left to say.
    pub(crate) fn close_at_once(&mut self) -> bool {
        let blocks = match &mut self.tls {
            Some(Tls { stream, is_cut: false, .. }) => {
                stream.end(self.stream.get_ref()).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
            }
            _ => false,
        };
        if !blocks {
            end_data(self.stream.get_ref());
        }
        !blocks
    }

    /// Ends it in order: the peer reads all that was sent, and then the end. Ready once nothing is left to say.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What fails here fails because the peer is gone.
        let _ = ready!(poll_end(&self.stream, &mut self.tls, cx));
        end_data(self.stream.get_ref());
        Poll::Ready(())
    }
}

/// RFC 8446 6.1: `close_notify` says that nothing was cut off.
fn poll_end(stream: &Async<TcpStream>, tls: &mut Option<Tls>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    match tls {
        Some(tls) if !tls.is_cut => tls.poll(stream, cx, Wants::Either, &mut TlsStream::end),
        _ => Poll::Ready(Ok(())),
    }
}

impl Tls {
    /// As [`Watch::retry`].
    async fn attempt<T>(
        &mut self,
        stream: &Async<TcpStream>,
        watch: &Watch,
        wants: Wants,
        mut step: impl FnMut(&mut TlsStream, &TcpStream) -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        let mut watched = |tls: &mut TlsStream, socket: &TcpStream| {
            let outcome = step(tls, socket);
            if outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
                watch.set_drained(true);
            }
            outcome
        };
        poll_fn(|cx| {
            if watch.is_cancelled() {
                return Poll::Ready(None);
            }
            self.poll(stream, cx, wants, &mut watched).map(Some)
        })
        .await
    }

    /// Tries `step`, and waits for the socket where it would block. What TLS has decrypted already makes no socket
    /// readable, and the reactor may forget an event: each poll tries anew.
    fn poll<T>(
        &mut self,
        stream: &Async<TcpStream>,
        cx: &mut Context<'_>,
        wants: Wants,
        step: &mut impl FnMut(&mut TlsStream, &TcpStream) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            match step(&mut self.stream, stream.get_ref()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.poll_ready(stream, cx, wants))?;
                }
                // The peer has sent much that is no data; everybody else gets a turn.
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                result => return Poll::Ready(result),
            }
        }
    }

    /// Ready once the socket is, for what TLS wants of it.
    fn poll_ready(&self, stream: &Async<TcpStream>, cx: &mut Context<'_>, wants: Wants) -> Poll<io::Result<()>> {
        let writes = self.stream.wants_write();
        if writes && let Poll::Ready(ready) = stream.poll_writable(cx) {
            return Poll::Ready(ready);
        }
        if writes && wants == Wants::Either { Poll::Pending } else { stream.poll_readable(cx) }
    }
}

/// What a step waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// Input, whatever TLS has to send besides.
    Input,
    /// What TLS has to send; where that is nothing, input.
    Either,
}
