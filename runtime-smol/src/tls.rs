//! The TLS of one session: that of the server until it begins, then its own.

use mayfly_core::action::Direction;
use mayfly_std::tls::{TlsServer, TlsSession, TlsStream};
use std::io::{self, ErrorKind};

/// See the module.
pub(crate) enum Tls {
    /// There is none.
    None,
    /// It has not begun.
    Server(TlsServer),
    /// That of the control connection, whose data connections resume it.
    Session(TlsSession),
}

impl Tls {
    /// With the certificate that is in force as the session begins.
    pub(crate) fn new(server: Option<TlsServer>) -> Self {
        server.map_or(Self::None, Self::Server)
    }

    /// The control connection's stream.
    pub(crate) fn control(&mut self) -> io::Result<TlsStream> {
        if let Self::Server(server) = self {
            *self = Self::Session(server.session());
        }
        self.session()?.control()
    }

    /// The stream of a data connection over which bytes will go this way.
    pub(crate) fn data(&self, direction: Direction) -> io::Result<TlsStream> {
        self.session()?.data(direction)
    }

    fn session(&self) -> io::Result<&TlsSession> {
        match self {
            Self::Session(session) => Ok(session),
            Self::None | Self::Server(_) => Err(ErrorKind::Unsupported.into()),
        }
    }
}
