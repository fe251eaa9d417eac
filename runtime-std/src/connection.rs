//! A connection over a socket that does not block, in clear or secured with TLS.

use crate::tls::{TlsStream, Wait};
use mayfly_core::event::TlsInfo;
use rustix::event::PollFlags;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

/// See the module. Each call tries; where it says `WouldBlock`, wait for [`Connection::flags`].
#[derive(Debug)]
pub(crate) struct Connection {
    socket: TcpStream,
    layer: Layer,
    /// Something was to be moved over it.
    is_used: bool,
}

#[derive(Debug)]
enum Layer {
    Clear,
    /// Its handshake is not complete.
    Agreed(TlsStream),
    Secured {
        tls: TlsStream,
        /// What comes without `close_notify` at its end counts as cut.
        needs_close_notify: bool,
    },
}

impl Connection {
    /// In clear.
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self { socket, layer: Layer::Clear, is_used: false }
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// From now on there is TLS: [`Connection::handshake`] is to be called until it is complete.
    pub(crate) fn agree(&mut self, tls: TlsStream) {
        self.layer = Layer::Agreed(tls);
    }

    /// Something is to be moved over it; from then on its end is told with the last of that.
    pub(crate) fn set_used(&mut self) {
        self.is_used = true;
    }

    /// Tells the peer the end of a connection over which nothing was to be moved, for that was no cut.
    pub(crate) fn end_unused(&mut self) {
        if !self.is_used {
            // There is room for it, or the peer has gone.
            let _ = self.end();
        }
    }

    /// Whether what is moved goes through TLS.
    pub(crate) fn is_secured(&self) -> bool {
        matches!(self.layer, Layer::Secured { .. })
    }

    /// Goes on with the handshake.
    ///
    /// # Errors
    /// As [`TlsStream::handshake`]'s.
    pub(crate) fn handshake(&mut self, needs_close_notify: bool) -> io::Result<TlsInfo> {
        let Layer::Agreed(tls) = &mut self.layer else { return Err(ErrorKind::NotConnected.into()) };
        let info = tls.handshake(&self.socket)?;
        if let Layer::Agreed(tls) = std::mem::replace(&mut self.layer, Layer::Clear) {
            self.layer = Layer::Secured { tls, needs_close_notify };
        }
        Ok(info)
    }

    /// Reads what came; 0: the peer has ended.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match &mut self.layer {
            Layer::Clear => (&self.socket).read(room),
            Layer::Agreed(_) => Err(ErrorKind::WouldBlock.into()),
            Layer::Secured { tls, needs_close_notify } => match tls.read(&self.socket, room) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof && !*needs_close_notify => Ok(0),
                outcome => outcome,
            },
        }
    }

    /// Takes bytes to send; how many. Secured ones have gone once [`Connection::flush`] is `Ok`.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.layer {
            Layer::Clear => (&self.socket).write(bytes),
            Layer::Agreed(_) => Err(ErrorKind::WouldBlock.into()),
            Layer::Secured { tls, .. } => tls.write(&self.socket, bytes),
        }
    }

    /// Sends what was taken.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.layer {
            Layer::Clear | Layer::Agreed(_) => Ok(()),
            Layer::Secured { tls, .. } => tls.flush(&self.socket),
        }
    }

    /// Tells the peer that this was all, where TLS has a word for that: behind what was taken to send, and but once.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match &mut self.layer {
            Layer::Clear | Layer::Agreed(_) => Ok(()),
            Layer::Secured { tls, .. } => tls.end(&self.socket),
        }
    }

    /// Whether TLS has bytes that wait to be sent.
    pub(crate) fn has_unsent(&self) -> bool {
        matches!(&self.layer, Layer::Secured { tls, .. } if tls.wants_write())
    }

    /// What to wait for after a handshake, or else one that reads or writes, has said `WouldBlock`.
    pub(crate) fn flags(&self, reads: bool) -> PollFlags {
        match &self.layer {
            Layer::Agreed(tls) => match tls.wait() {
                Wait::Readable => PollFlags::IN,
                Wait::Writable => PollFlags::OUT,
            },
            Layer::Clear | Layer::Secured { .. } if reads => PollFlags::IN,
            Layer::Clear | Layer::Secured { .. } => PollFlags::OUT,
        }
    }
}
