//! A connection as the client uses it, in clear or through TLS. Nothing here waits: what cannot go on is `WouldBlock`.

use super::interest::Interest;
use super::tls::fault_of;
use crate::net;
use mayfly_core::client::event::TlsFault;
use mayfly_core::event::TlsInfo;
use rustls::client::ClientConnection;
use rustls::{Error, HandshakeKind};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

/// See the module.
#[derive(Debug)]
pub(super) enum Stream {
    Clear(TcpStream),
    Secured(Box<Secured>),
}

/// A connection with TLS, from the handshake on.
#[derive(Debug)]
pub(super) struct Secured {
    stream: TcpStream,
    tls: ClientConnection,
    /// Whether `close_notify` is on its way.
    parted: bool,
}

impl Stream {
    /// Sends a part of it; how much.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(bytes),
            Self::Secured(secured) => secured.write(bytes),
        }
    }

    /// Receives; 0 is an end in order.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(bytes),
            Self::Secured(secured) => secured.read(bytes),
        }
    }

    /// Says that all is sent; false: it has not left yet.
    pub(super) fn finish(&mut self) -> io::Result<bool> {
        let Self::Secured(secured) = self else { return Ok(true) };
        secured.part();
        match secured.flush() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            flushed => flushed.map(|()| true),
        }
    }

    /// Ends it in order. What follows on it is thrown away.
    pub(super) fn end(&mut self) {
        // A peer that is gone already makes this fail, and then there is nobody to be orderly for.
        let _ = self.finish();
        match self {
            Self::Clear(stream) => net::end_data(stream),
            Self::Secured(secured) => {
                let _ = secured.stream.shutdown(Shutdown::Write);
                secured.take_in();
            }
        }
    }

    /// The connection underneath.
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Clear(stream) => stream,
            Self::Secured(secured) => &secured.stream,
        }
    }

    /// The connection, where nothing stands between it and the file.
    pub(super) fn clear(&self) -> Option<&TcpStream> {
        match self {
            Self::Clear(stream) => Some(stream),
            Self::Secured(_) => None,
        }
    }

    /// What to wait for before reading goes on, or writing if `sends`.
    pub(super) fn interest(&self, sends: bool) -> Interest<'_> {
        match self {
            Self::Clear(stream) if sends => Interest::writable(stream),
            Self::Clear(stream) => Interest::readable(stream),
            Self::Secured(secured) => Interest {
                readable: !sends,
                writable: sends || secured.tls.wants_write(),
                ..Interest::readable(&secured.stream)
            },
        }
    }
}

impl Secured {
    /// Nothing has been said yet.
    pub(super) fn begin(stream: TcpStream, tls: ClientConnection) -> Self {
        Self { stream, tls, parted: false }
    }

    /// Goes on with the handshake; how it ended, once it has.
    pub(super) fn shake_hands(&mut self) -> Result<Option<TlsInfo>, TlsFault> {
        loop {
            match self.flush() {
                Err(error) if is_for_later(&error) => return Ok(None),
                Err(error) => return Err(lost_or_wrong(&error)),
                Ok(()) if !self.tls.is_handshaking() => return Ok(Some(self.info())),
                Ok(()) => {}
            }
            match self.receive() {
                Err(error) if is_for_later(&error) => return Ok(None),
                Err(error) => return Err(lost_or_wrong(&error)),
                Ok(0) => return Err(TlsFault::Lost),
                Ok(_) => {}
            }
        }
    }

    /// What to wait for before the handshake goes on.
    pub(super) fn interest(&self) -> Interest<'_> {
        Interest { writable: self.tls.wants_write(), ..Interest::readable(&self.stream) }
    }

    fn info(&self) -> TlsInfo {
        let cipher = self.tls.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let protocol = match self.tls.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLS",
        };
        TlsInfo {
            protocol: protocol.to_owned(),
            cipher: cipher.unwrap_or("unknown").to_owned(),
            resumed: self.tls.handshake_kind() == Some(HandshakeKind::Resumed),
            certificate: None,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush()?;
        // Tickets, which further connections need, and perhaps the alert that says why this one ends. What stays unread
        // would in the end make the close a reset.
        match self.receive() {
            Err(error) if !is_for_later(&error) => return Err(error),
            _ => {}
        }
        let taken = self.tls.writer().write(bytes)?;
        match self.flush() {
            Err(error) if !is_for_later(&error) => Err(error),
            _ => Ok(taken),
        }
    }

    // Without close_notify whoever sits between could have cut off the rest: rustls calls that `UnexpectedEof`.
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            self.receive()?;
            // An answer to what came; where there is no room for it now, there is later.
            match self.flush() {
                Err(error) if !is_for_later(&error) => return Err(error),
                _ => {}
            }
        }
    }

    /// Takes what has come, once.
    fn receive(&mut self) -> io::Result<usize> {
        let read = self.tls.read_tls(&mut self.stream)?;
        if let Err(error) = self.tls.process_new_packets() {
            // The server shall hear why.
            let _ = self.flush();
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        Ok(read)
    }

    /// Takes in what the server has sent at the end: tickets, which the next connection needs, and its own end. What
    /// stays unread makes the close a reset.
    pub(super) fn take_in(&mut self) {
        for _ in 0..PARTING_READS_MAX {
            match self.receive() {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    fn part(&mut self) {
        if !std::mem::replace(&mut self.parted, true) {
            self.tls.send_close_notify();
        }
    }

    /// Sends what waits; `WouldBlock` where there is no room for all of it.
    fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.stream)?;
        }
        Ok(())
    }
}

/// What TLS says of a connection that broke; none where the connection was lost.
pub(super) fn tls_fault(error: &io::Error) -> Option<TlsFault> {
    error.get_ref()?.downcast_ref::<Error>().map(fault_of)
}

fn lost_or_wrong(error: &io::Error) -> TlsFault {
    tls_fault(error).unwrap_or(TlsFault::Lost)
}

/// A few tickets and the end.
const PARTING_READS_MAX: usize = 16;

pub(super) fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
