//! One connection of a client: a socket, TLS over it where the transcript says so, and what was read too early.

use super::{PATIENCE, said};
use crate::stage::{Amount, Fault};
use crate::transcript::script::{Closing, Handshake};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, Stream};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    read: Vec<u8>,
}

impl Connection {
    pub(super) fn to(address: SocketAddr) -> Result<Self, Fault> {
        Self::new(TcpStream::connect_timeout(&address, PATIENCE).map_err(said)?)
    }

    pub(super) fn new(stream: TcpStream) -> Result<Self, Fault> {
        stream.set_read_timeout(Some(PATIENCE)).map_err(said)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(said)?;
        stream.set_nodelay(true).map_err(said)?;
        Ok(Self { stream, tls: None, read: Vec::new() })
    }

    /// Makes a TLS handshake, with these bytes along with its end, and tells of which kind it was; one that is broken
    /// leaves a connection that the server has closed.
    pub(super) fn secure(
        &mut self,
        config: &Arc<ClientConfig>,
        handshake: Handshake,
        along: &[u8],
    ) -> Result<Option<HandshakeKind>, Fault> {
        if !self.read.is_empty() || self.tls.is_some() {
            return Err("the connection is not at a handshake".to_owned());
        }
        if handshake == Handshake::Broken {
            self.stream.write_all(NO_TLS).map_err(said)?;
            return self.discard_to_end().map(|()| None);
        }
        let server = ServerName::IpAddress(self.stream.peer_addr().map_err(said)?.ip().into());
        let mut tls = ClientConnection::new(Arc::clone(config), server).map_err(said)?;
        tls.writer().write_all(along).map_err(said)?;
        while tls.is_handshaking() || tls.wants_write() {
            tls.complete_io(&mut self.stream).map_err(|error| format!("the TLS handshake: {error}"))?;
        }
        let kind = tls.handshake_kind();
        self.tls = Some(Box::new(tls));
        Ok(kind)
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.tls {
            None => self.stream.write_all(bytes).map_err(said),
            Some(tls) => {
                let mut stream = Stream::new(tls.as_mut(), &mut self.stream);
                stream.write_all(bytes).and_then(|()| stream.flush()).map_err(said)
            }
        }
    }

    /// Reads so much; less at the end.
    pub(super) fn take(&mut self, amount: Amount) -> Result<Vec<u8>, Fault> {
        let mut looked = 0;
        loop {
            let enough = match amount {
                Amount::Bytes(count) => (self.read.len() >= count).then_some(count),
                Amount::Any => (!self.read.is_empty()).then_some(1),
                Amount::Line => {
                    let end = self.read[looked..].iter().position(|byte| *byte == b'\n');
                    end.map(|end| looked + end + 1)
                }
            };
            if let Some(count) = enough {
                return Ok(self.read.drain(..count).collect());
            }
            looked = self.read.len();
            let mut chunk = [0; 16 * 1024];
            match self.receive(&mut chunk) {
                Ok(0) => return Ok(std::mem::take(&mut self.read)),
                Ok(count) => self.read.extend(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(std::mem::take(&mut self.read)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(format!("nothing came in {} s", PATIENCE.as_secs()));
                }
                // TLS's own word for an end without a close_notify.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Err("the server's end has no close_notify".to_owned());
                }
                Err(error) => return Err(said(error)),
            }
        }
    }

    /// Reads to an end without `close_notify`.
    pub(super) fn take_to_cut(&mut self) -> Result<(), Fault> {
        let mut chunk = [0; 16 * 1024];
        loop {
            match self.receive(&mut chunk) {
                Ok(0) => return Err("the server says that this was all".to_owned()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(said(error)),
            }
        }
    }

    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.read(buffer),
            Some(tls) => Stream::new(tls.as_mut(), &mut self.stream).read(buffer),
        }
    }

    /// A server that was sent nonsense says so in TLS's words, which a client in clear cannot read.
    fn discard_to_end(&mut self) -> Result<(), Fault> {
        let mut chunk = [0; 1024];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(said(error)),
            }
        }
    }

    /// Says that nothing more will come; the server may be gone already.
    pub(super) fn end(&mut self) {
        self.notify();
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    pub(super) fn close(mut self, closing: Closing) -> Result<(), Fault> {
        match closing {
            Closing::Orderly => self.notify(),
            Closing::Truncated => {}
            Closing::Reset => {
                rustix::net::sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO)).map_err(said)?;
            }
        }
        Ok(())
    }

    fn notify(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            // It fails where the server has gone.
            let _ = tls.write_tls(&mut self.stream);
        }
    }
}

/// No TLS record begins like this.
const NO_TLS: &[u8] = b"NOOP, for I know no TLS\r\n";
