//! One connection secured with TLS, over a socket that does not block.

use super::client_certificate;
use super::resumption::DataSessions;
use mayfly_core::error::TlsError;
use mayfly_core::event::TlsInfo;
use rustls::{HandshakeKind, ProtocolVersion, ServerConnection};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// The server's side of a TLS connection. The socket is the caller's: it is lent to each call, and must not block.
///
/// Each call tries; where it says [`ErrorKind::WouldBlock`], wait for [`TlsStream::wait`] and call again. Bytes that were
/// decrypted already make no socket readable: wait for bytes only once [`TlsStream::read`] has said `WouldBlock`.
///
/// It holds at most the limit in bytes that go out (`UNSENT_BYTES_MAX`), and a few records, 16 KiB each, of those that
/// came.
pub struct TlsStream {
    connection: Box<ServerConnection>,
    /// A data connection's, until its handshake is complete.
    sessions: Option<Arc<DataSessions>>,
    /// Why nothing more can be read, once what came before it was.
    failed: Option<io::Error>,
    /// The end was said to the peer.
    is_ended: bool,
}

/// What a socket must be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Bytes to read.
    Readable,
    /// Room for bytes to write.
    Writable,
}

impl TlsStream {
    pub(super) fn new(mut connection: ServerConnection, sessions: Option<Arc<DataSessions>>) -> Self {
        connection.set_buffer_limit(Some(UNSENT_BYTES_MAX));
        Self { connection: Box::new(connection), sessions, failed: None, is_ended: false }
    }

    /// Goes on with the handshake; once this is `Ok`, it is complete and all of it has been sent. [`tls_error`] tells the
    /// core what a failure was.
    ///
    /// # Errors
    /// `WouldBlock` and `Interrupted`: call again; `InvalidData`: what came is no TLS, or the two have nothing in common;
    /// `UnexpectedEof` and whatever else the system says: the connection is lost.
    pub fn handshake(&mut self, socket: &TcpStream) -> io::Result<TlsInfo> {
        for _ in 0..RECORDS_MAX {
            self.flush(socket)?;
            if !self.connection.is_handshaking() {
                let info = self.info();
                if let Some(sessions) = self.sessions.take() {
                    sessions.settle(info.resumed);
                }
                return Ok(info);
            }
            acknowledge_at_once(socket);
            if self.receive(socket)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Err(ErrorKind::Interrupted.into())
    }

    /// Reads what came, as much of it as there is room for; 0: the peer has said that this was all (`close_notify`).
    ///
    /// # Errors
    /// `WouldBlock`: nothing has come yet; `Interrupted`: call again, soon: the peer has sent much that is not data;
    /// `UnexpectedEof`: the connection has ended without `close_notify`, so what came may have been cut; `InvalidData`: what
    /// came is not what TLS allows; else the system's.
    pub fn read(&mut self, socket: &TcpStream, room: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut bytes = 0;
        for _ in 0..RECORDS_MAX {
            match self.connection.reader().read(&mut room[bytes..]) {
                // The end, which is told once all before it was.
                Ok(0) => return Ok(bytes),
                Ok(more) => bytes += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => match self.receive(socket) {
                    Ok(_) => {}
                    Err(error) if bytes > 0 => {
                        // A system says that a connection was reset only once; after that it looks like an end.
                        self.failed = Some(error).filter(|error| !is_for_later(error));
                        return Ok(bytes);
                    }
                    Err(error) => return Err(error),
                },
                // An end without `close_notify`, which is told again.
                Err(_) if bytes > 0 => return Ok(bytes),
                Err(error) => return Err(error),
            }
        }
        if bytes > 0 { Ok(bytes) } else { Err(ErrorKind::Interrupted.into()) }
    }

    /// Takes bytes to send; tells how many. They are sent by this and later calls of [`TlsStream::write`],
    /// [`TlsStream::flush`] and [`TlsStream::end`].
    ///
    /// # Errors
    /// `WouldBlock`: it takes no more before the peer has taken what was sent; else the system's.
    pub fn write(&mut self, socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        self.flush(socket)?;
        let taken = self.connection.writer().write(bytes)?;
        match self.flush(socket) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    /// Sends what was taken; once this is `Ok`, all of it.
    ///
    /// # Errors
    /// `WouldBlock`: the peer must take some first; else the system's.
    pub fn flush(&mut self, mut socket: &TcpStream) -> io::Result<()> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Tells the peer that this was all (`close_notify`), behind whatever was taken to send; the socket's own end is the
    /// caller's. It may be called again until it is `Ok`; the peer hears it once.
    ///
    /// # Errors
    /// As [`TlsStream::flush`].
    pub fn end(&mut self, socket: &TcpStream) -> io::Result<()> {
        if !self.is_ended {
            self.is_ended = true;
            self.connection.send_close_notify();
        }
        self.flush(socket)
    }

    /// What the socket must be waited for after a call has said `WouldBlock`.
    #[must_use]
    pub fn wait(&self) -> Wait {
        if self.connection.wants_write() { Wait::Writable } else { Wait::Readable }
    }

    /// Whether bytes wait to be sent.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        self.connection.wants_write()
    }

    /// How the connection is secured, once the handshake is complete.
    #[must_use]
    pub fn info(&self) -> TlsInfo {
        let connection = &self.connection;
        let protocol = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "",
        };
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or_default();
        TlsInfo {
            protocol: protocol.to_owned(),
            // The library puts the version into the names of TLS 1.3's suites, the registry does not.
            cipher: suite.replacen("TLS13_", "TLS_", 1),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
            certificate: connection
                .peer_certificates()
                .and_then(<[_]>::first)
                .and_then(|certificate| client_certificate::subject(certificate)),
        }
    }

    /// Reads a piece from the socket and takes its records apart; how many bytes it was, 0 at the end.
    fn receive(&mut self, mut socket: &TcpStream) -> io::Result<usize> {
        let bytes = self.connection.read_tls(&mut socket)?;
        if let Err(error) = self.connection.process_new_packets() {
            // The peer may learn why; where it does not take that at once, it sees the connection end.
            let _ = self.flush(socket);
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        Ok(bytes)
    }
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("info", &self.info())
            .field("is_ended", &self.is_ended)
            .finish_non_exhaustive()
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// A client that sends the last of its handshake in two pieces (`GnuTLS`) keeps the second back until the first is
/// acknowledged, 40 ms as a rule: a long time for each small file, and long enough for wget to wait no more for the
/// ticket that its data connections are to show.
fn acknowledge_at_once(socket: &TcpStream) {
    // Where it fails, a client is slower.
    let _ = rustix::net::sockopt::set_tcp_quickack(socket, true);
}

/// What the core is told of a handshake that has failed.
#[must_use]
pub fn tls_error(error: &io::Error) -> TlsError {
    if error.kind() == ErrorKind::InvalidData { TlsError::Handshake } else { TlsError::ConnectionLost }
}

/// Bytes that a peer may leave unread before no more are taken.
const UNSENT_BYTES_MAX: usize = 64 * 1024;
/// Pieces read from a socket in one call, 4 KiB each, so that nobody else waits long for a peer that sends much.
const RECORDS_MAX: usize = 64;
