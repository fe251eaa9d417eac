//! The client's end of the control connection. Nothing here waits, but for the look-up of a name.

use super::interest::Interest;
use super::source::fault;
use super::stream::{self, Secured, Stream};
use crate::net;
use mayfly_core::action::ActionId;
use mayfly_core::client::event::{ClientEvent, ControlEnds, Fault, TlsFault};
use mayfly_core::time::Now;
use rustls::client::ClientConnection;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};

/// A control connection, from the look-up of the name on.
#[derive(Debug, Default)]
pub(super) enum Control {
    #[default]
    None,
    Connecting(Connecting),
    /// The TLS handshake is going on.
    Securing(Securing),
    Open(Open),
}

/// The addresses of a host are tried one after the other.
#[derive(Debug)]
pub(super) struct Connecting {
    id: ActionId,
    left: VecDeque<SocketAddr>,
    stream: TcpStream,
    since_ms: u64,
}

#[derive(Debug)]
pub(super) struct Securing {
    id: ActionId,
    secured: Box<Secured>,
}

#[derive(Debug)]
pub(super) struct Open {
    stream: Stream,
    /// What the socket had no room for yet.
    outgoing: Vec<u8>,
}

impl Control {
    /// Looks the host up, which may block, and begins to connect; an event where that has failed at once.
    pub(super) fn open(&mut self, id: ActionId, host: &str, port: u16, now: Now) -> Option<ClientEvent> {
        *self = Self::None;
        match (host, port).to_socket_addrs() {
            Ok(addresses) => self.try_next(id, addresses.collect(), now, Fault("it has no address".to_owned())),
            Err(error) => Some(refused(id, fault(&error))),
        }
    }

    fn try_next(
        &mut self,
        id: ActionId,
        mut left: VecDeque<SocketAddr>,
        now: Now,
        mut last: Fault,
    ) -> Option<ClientEvent> {
        *self = Self::None;
        while let Some(address) = left.pop_front() {
            match begin(address) {
                Ok(stream) => {
                    *self = Self::Connecting(Connecting { id, left, stream, since_ms: now.monotonic_ms });
                    return None;
                }
                Err(error) => last = fault(&error),
            }
        }
        Some(refused(id, last))
    }

    /// Begins the TLS handshake; an event where that has failed at once.
    pub(super) fn secure(&mut self, id: ActionId, tls: Result<ClientConnection, TlsFault>) -> Option<ClientEvent> {
        let failed = |fault| Some(ClientEvent::TlsStarted { id, outcome: Err(fault) });
        let tls = match tls {
            Ok(tls) => tls,
            Err(fault) => return failed(fault),
        };
        match std::mem::take(self) {
            Self::Open(Open { stream: Stream::Clear(stream), outgoing }) if outgoing.is_empty() => {
                let secured = Box::new(Secured::begin(stream, tls));
                *self = Self::Securing(Securing { id, secured });
                None
            }
            // AUTH was answered, so it has left; and nobody secures twice.
            _ => failed(TlsFault::Lost),
        }
    }

    /// Ends an attempt to connect.
    pub(super) fn cancel(&mut self, id: ActionId) -> Option<ClientEvent> {
        let ours = matches!(self, Self::Connecting(connecting) if connecting.id == id);
        ours.then(|| {
            *self = Self::None;
            refused(id, Fault("given up".to_owned()))
        })
    }

    /// Closes it; an event where a handshake was going on.
    pub(super) fn close(&mut self) -> Option<ClientEvent> {
        match std::mem::take(self) {
            Self::Securing(Securing { id, .. }) => {
                Some(ClientEvent::TlsStarted { id, outcome: Err(TlsFault::Cancelled) })
            }
            Self::Open(mut open) => {
                // Whoever is gone needs no farewell.
                let _ = open.stream.finish();
                None
            }
            Self::None | Self::Connecting(_) => None,
        }
    }

    /// Takes a line to be sent; as much of it leaves as there is room for.
    pub(super) fn send(&mut self, line: &[u8]) {
        if let Self::Open(open) = self {
            open.outgoing.extend_from_slice(line);
            open.flush();
        }
    }

    pub(super) fn local(&self) -> Option<SocketAddr> {
        match self {
            Self::Open(open) => open.stream.tcp().local_addr().ok(),
            _ => None,
        }
    }

    /// What to wait for before the next [`Control::advance`].
    pub(super) fn interest(&self) -> Option<Interest<'_>> {
        match self {
            Self::None => None,
            Self::Connecting(connecting) => Some(Interest::writable(&connecting.stream)),
            Self::Securing(securing) => Some(securing.secured.interest()),
            Self::Open(open) => {
                let interest = open.stream.interest(false);
                Some(Interest { writable: interest.writable || !open.outgoing.is_empty(), ..interest })
            }
        }
    }

    /// When to look again, though nothing came: the next address is due.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        match self {
            Self::Connecting(connecting) if !connecting.left.is_empty() => {
                Some(connecting.since_ms.saturating_add(ADDRESS_MS_MAX))
            }
            _ => None,
        }
    }

    /// Goes on as far as it can; an event where something came of it.
    pub(super) fn advance(&mut self, now: Now) -> Option<ClientEvent> {
        match std::mem::take(self) {
            Self::None => None,
            Self::Connecting(connecting) => self.advance_connecting(connecting, now),
            Self::Securing(securing) => self.advance_securing(securing),
            Self::Open(mut open) => {
                open.flush();
                let event = open.read();
                if !matches!(event, Some(ClientEvent::ControlClosed | ClientEvent::ControlBroke { .. })) {
                    *self = Self::Open(open);
                }
                event
            }
        }
    }

    fn advance_securing(&mut self, mut securing: Securing) -> Option<ClientEvent> {
        let outcome = match securing.secured.shake_hands() {
            Ok(None) => {
                *self = Self::Securing(securing);
                return None;
            }
            Ok(Some(tls)) => {
                *self = Self::Open(Open { stream: Stream::Secured(securing.secured), outgoing: Vec::new() });
                Ok(tls)
            }
            Err(fault) => Err(fault),
        };
        Some(ClientEvent::TlsStarted { id: securing.id, outcome })
    }

    fn advance_connecting(&mut self, connecting: Connecting, now: Now) -> Option<ClientEvent> {
        let Connecting { id, ref stream, since_ms, .. } = connecting;
        match established(stream) {
            Ok(Some(ends)) => {
                *self = Self::Open(Open { stream: Stream::Clear(connecting.stream), outgoing: Vec::new() });
                Some(ClientEvent::ControlConnected { id, outcome: Ok(ends) })
            }
            Ok(None) if connecting.left.is_empty() || now.monotonic_ms < since_ms.saturating_add(ADDRESS_MS_MAX) => {
                *self = Self::Connecting(connecting);
                None
            }
            Ok(None) => self.try_next(id, connecting.left, now, Fault("no answer".to_owned())),
            Err(error) => self.try_next(id, connecting.left, now, fault(&error)),
        }
    }
}

impl Open {
    fn flush(&mut self) {
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(sent) => drop(self.outgoing.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Reading tells that the connection is gone, after what the server said last.
                Err(_) => self.outgoing.clear(),
            }
        }
    }

    fn read(&mut self) -> Option<ClientEvent> {
        let mut bytes = [0; net::CONTROL_READ_BYTES];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Some(ClientEvent::ControlClosed),
                Ok(read) => return Some(ClientEvent::ControlReceived { bytes: bytes[..read].to_vec() }),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => {
                    let broke = stream::tls_fault(&error).map(|fault| ClientEvent::ControlBroke { fault });
                    return Some(broke.unwrap_or(ClientEvent::ControlClosed));
                }
            }
        }
    }
}

fn begin(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(socket.into()),
    }
}

/// The ends of a connection that stands; none while it is being made.
fn established(stream: &TcpStream) -> io::Result<Option<ControlEnds>> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(peer) => {
            net::prepare_control(stream)?;
            Ok(Some(ControlEnds { peer, local: stream.local_addr()? }))
        }
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(None),
        Err(error) => Err(error),
    }
}

fn refused(id: ActionId, fault: Fault) -> ClientEvent {
    ClientEvent::ControlConnected { id, outcome: Err(fault) }
}

/// Time for one address to answer while others are left to try.
const ADDRESS_MS_MAX: u64 = 5000;
