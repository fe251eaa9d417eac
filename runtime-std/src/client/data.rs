//! The client's side of data connections: listener, connection, and the one action that runs there. Nothing here waits.

use super::interest::Interest;
use super::limit::{RateLimit, Turn};
use super::source::fault;
use super::stream::{Secured, Stream};
use super::transfer::{Step, Transfer};
use crate::net;
use mayfly_core::action::ActionId;
use mayfly_core::client::event::{ClientEvent, Fault, MoveError, TlsFault};
use mayfly_core::error::NetError;
use mayfly_core::time::Now;
use rustls::client::ClientConnection;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct DataSide {
    limit: Option<RateLimit>,
    listener: Option<TcpListener>,
    stream: Option<Stream>,
    /// One that has carried all that it should, through TLS. What the server still sends on it (tickets) must not find it
    /// closed, for then it is reset, and what has not been read there yet is lost.
    parting: Option<Box<Secured>>,
    work: Option<(ActionId, Work)>,
}

#[derive(Debug)]
enum Work {
    Accept { peer: IpAddr },
    Connect { stream: TcpStream },
    Secure { secured: Box<Secured> },
    Transfer(Moving),
}

#[derive(Debug)]
struct Moving {
    transfer: Transfer,
    /// When its progress was told last.
    told_ms: u64,
    /// What it may move, where there is a limit.
    turn: Option<Turn>,
    /// Whether it waits for its turn.
    paused: bool,
}

/// What a step came to.
#[derive(Debug)]
pub(super) enum Advance {
    /// Nothing can go on before the server, or a pipe, acts.
    Blocked,
    /// So many bytes went over in all.
    Moved(u64),
    /// The client must hear of it; it may go on.
    Told(ClientEvent),
}

impl DataSide {
    pub(super) fn new(limit: Option<RateLimit>) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Listens, in place of any earlier listener.
    pub(super) fn listen(&mut self, id: ActionId, local: IpAddr, control: SocketAddr) -> ClientEvent {
        self.listener = None;
        self.part();
        let outcome = net::listen_data(local, None, control).map_err(said).map(|(listener, port)| {
            self.listener = Some(listener);
            port
        });
        ClientEvent::DataListening { id, outcome }
    }

    /// Takes the server's connection; an event where that has failed at once.
    pub(super) fn accept(&mut self, id: ActionId, peer: IpAddr) -> Option<ClientEvent> {
        if self.listener.is_none() {
            return Some(ClientEvent::DataConnected { id, outcome: Err(Fault("nothing listens".to_owned())) });
        }
        self.work = Some((id, Work::Accept { peer }));
        None
    }

    /// Connects to the server; an event where that has failed at once.
    pub(super) fn connect(
        &mut self,
        id: ActionId,
        peer: SocketAddr,
        local: IpAddr,
        control: SocketAddr,
    ) -> Option<ClientEvent> {
        self.part();
        match net::connect_data(peer, local, control) {
            Ok(stream) => {
                self.work = Some((id, Work::Connect { stream }));
                None
            }
            Err(error) => Some(ClientEvent::DataConnected { id, outcome: Err(said(error)) }),
        }
    }

    /// Begins the TLS handshake on the connection that stands; an event where that has failed at once.
    pub(super) fn secure(&mut self, id: ActionId, tls: Result<ClientConnection, TlsFault>) -> Option<ClientEvent> {
        let fault = match (tls, self.stream.take()) {
            (Ok(tls), Some(Stream::Clear(stream))) => {
                let secured = Box::new(Secured::begin(stream, tls));
                self.work = Some((id, Work::Secure { secured }));
                return None;
            }
            (Err(fault), _) => fault,
            (Ok(_), _) => TlsFault::Lost,
        };
        Some(ClientEvent::TlsStarted { id, outcome: Err(fault) })
    }

    /// Moves bytes over the connection that stands.
    pub(super) fn transfer(&mut self, id: ActionId, transfer: Transfer, now: Now) {
        let moving = Moving { transfer, told_ms: now.monotonic_ms, turn: None, paused: false };
        self.work = Some((id, Work::Transfer(moving)));
    }

    /// Ends an action. What a transfer was working on comes back beside the event.
    pub(super) fn cancel(&mut self, id: ActionId) -> Option<(ClientEvent, Option<Transfer>)> {
        match self.work.take_if(|(running, _)| *running == id)?.1 {
            Work::Accept { .. } | Work::Connect { .. } => {
                let outcome = Err(Fault("given up".to_owned()));
                Some((ClientEvent::DataConnected { id, outcome }, None))
            }
            Work::Secure { .. } => Some((ClientEvent::TlsStarted { id, outcome: Err(TlsFault::Cancelled) }, None)),
            Work::Transfer(moving) => {
                let (event, transfer) = self.ended(id, moving, Err(MoveError::Cancelled));
                Some((event, Some(transfer)))
            }
        }
    }

    /// Ends whatever action runs.
    pub(super) fn cancel_any(&mut self) -> Option<(ClientEvent, Option<Transfer>)> {
        let (id, _) = self.work.as_ref()?;
        self.cancel(*id)
    }

    /// Closes the listener and the connection.
    pub(super) fn close(&mut self) {
        self.listener = None;
        if let Some(mut stream) = self.stream.take() {
            stream.end();
        }
    }

    /// Lets go of the connection that was used last.
    pub(super) fn part(&mut self) {
        if let Some(mut secured) = self.parting.take() {
            secured.take_in();
        }
    }

    /// What to wait for before the next [`DataSide::advance`]; nothing where no action runs.
    pub(super) fn interest(&self) -> Option<Interest<'_>> {
        match &self.work.as_ref()?.1 {
            Work::Accept { .. } => self.listener.as_ref().map(Interest::readable),
            Work::Connect { stream } => Some(Interest::writable(stream)),
            Work::Secure { secured } => Some(secured.interest()),
            Work::Transfer(Moving { paused: true, .. }) => None,
            Work::Transfer(Moving { transfer, .. }) => match (transfer.awaits_source(), &self.stream) {
                (Some(source), _) => Some(Interest { fd: source, readable: true, writable: false }),
                (None, stream) => stream.as_ref().map(|stream| stream.interest(transfer.sends())),
            },
        }
    }

    /// Whether a transfer waits for its source rather than for the peer.
    pub(super) fn awaits_source(&self) -> bool {
        let Some((_, Work::Transfer(Moving { transfer, .. }))) = &self.work else { return false };
        transfer.awaits_source().is_some()
    }

    /// When to look again, though nothing came: the limit lets the transfer go on.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        match &self.work {
            Some((_, Work::Transfer(Moving { turn: Some(turn), paused: true, .. }))) => Some(turn.from_ms),
            _ => None,
        }
    }

    /// Goes on by one chunk. What a transfer that has ended was working on comes back beside the event.
    pub(super) fn advance(&mut self, now: Now, received: &mut Vec<u8>) -> (Advance, Option<Transfer>) {
        let Some((id, work)) = self.work.take() else { return (Advance::Blocked, None) };
        match work {
            Work::Accept { peer } => (self.advance_accept(id, peer), None),
            Work::Connect { stream } => (self.advance_connect(id, stream), None),
            Work::Secure { secured } => (self.advance_secure(id, secured), None),
            Work::Transfer(moving) => self.advance_transfer(id, moving, now, received),
        }
    }

    fn advance_accept(&mut self, id: ActionId, peer: IpAddr) -> Advance {
        let outcome = match self.listener.as_ref().map(TcpListener::accept) {
            Some(Ok((stream, from))) if net::admit_data(&stream, from, peer) => {
                self.listener = None;
                self.stream = Some(Stream::Clear(stream));
                Ok(())
            }
            // A stranger; or the connection went before it was taken (accept(2)).
            Some(Ok(_)) => return self.go_on_accepting(id, peer, Advance::Moved(0)),
            Some(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionAborted => {
                return self.go_on_accepting(id, peer, Advance::Moved(0));
            }
            Some(Err(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                return self.go_on_accepting(id, peer, Advance::Blocked);
            }
            Some(Err(error)) => Err(fault(&error)),
            None => Err(Fault("nothing listens".to_owned())),
        };
        Advance::Told(ClientEvent::DataConnected { id, outcome })
    }

    fn go_on_accepting(&mut self, id: ActionId, peer: IpAddr, advance: Advance) -> Advance {
        self.work = Some((id, Work::Accept { peer }));
        advance
    }

    fn advance_connect(&mut self, id: ActionId, stream: TcpStream) -> Advance {
        let outcome = match (net::connected(&stream), stream.peer_addr()) {
            (Err(error), _) => Err(said(error)),
            (Ok(()), Err(_)) => {
                self.work = Some((id, Work::Connect { stream }));
                return Advance::Blocked;
            }
            (Ok(()), Ok(_)) => {
                self.stream = Some(Stream::Clear(stream));
                Ok(())
            }
        };
        Advance::Told(ClientEvent::DataConnected { id, outcome })
    }

    fn advance_secure(&mut self, id: ActionId, mut secured: Box<Secured>) -> Advance {
        let outcome = match secured.shake_hands() {
            Ok(None) => {
                self.work = Some((id, Work::Secure { secured }));
                return Advance::Blocked;
            }
            Ok(Some(tls)) => {
                self.stream = Some(Stream::Secured(secured));
                Ok(tls)
            }
            Err(fault) => Err(fault),
        };
        Advance::Told(ClientEvent::TlsStarted { id, outcome })
    }

    fn advance_transfer(
        &mut self,
        id: ActionId,
        mut moving: Moving,
        now: Now,
        received: &mut Vec<u8>,
    ) -> (Advance, Option<Transfer>) {
        let Some(bytes_max) = self.turn(&mut moving, now) else {
            self.work = Some((id, Work::Transfer(moving)));
            return (Advance::Blocked, None);
        };
        let before = moving.transfer.wire_bytes();
        let step = match &mut self.stream {
            Some(stream) => moving.transfer.step(stream, bytes_max, received),
            None => Err(MoveError::ConnectionLost),
        };
        let wire_bytes = moving.transfer.wire_bytes();
        moving.spend(wire_bytes - before);
        let advance = match step {
            Ok(Step::Moved) if !received.is_empty() => {
                Advance::Told(ClientEvent::DataReceived { id, bytes: std::mem::take(received) })
            }
            Ok(Step::Moved) if now.monotonic_ms >= moving.told_ms.saturating_add(net::PROGRESS_EVERY_MS) => {
                moving.told_ms = now.monotonic_ms;
                Advance::Told(ClientEvent::TransferProgress { id, wire_bytes })
            }
            Ok(Step::Moved) => Advance::Moved(wire_bytes),
            Ok(Step::Blocked) => Advance::Blocked,
            Ok(Step::Ended) => {
                let (event, transfer) = self.ended(id, moving, Ok(()));
                return (Advance::Told(event), Some(transfer));
            }
            Err(error) => {
                let (event, transfer) = self.ended(id, moving, Err(error));
                return (Advance::Told(event), Some(transfer));
            }
        };
        self.work = Some((id, Work::Transfer(moving)));
        (advance, None)
    }

    /// How many bytes may move now; none: it must be waited for the turn.
    fn turn(&self, moving: &mut Moving, now: Now) -> Option<usize> {
        let Some(limit) = &self.limit else { return Some(net::CHUNK_BYTES) };
        let turn = moving.turn.get_or_insert_with(|| limit.reserve(now.monotonic_ms));
        moving.paused = now.monotonic_ms < turn.from_ms;
        let bytes_max = usize::try_from(turn.bytes).unwrap_or(net::CHUNK_BYTES);
        (!moving.paused).then_some(bytes_max)
    }

    fn ended(&mut self, id: ActionId, moving: Moving, outcome: Result<(), MoveError>) -> (ClientEvent, Transfer) {
        let Moving { transfer, turn, .. } = moving;
        if let (Some(limit), Some(turn)) = (&self.limit, turn) {
            limit.give_back(turn.bytes);
        }
        if let Some(mut stream) = self.stream.take_if(|_| transfer.sends()) {
            match outcome {
                Ok(()) => {
                    stream.end();
                    if let Stream::Secured(secured) = stream {
                        self.parting = Some(secured);
                    }
                }
                // An orderly end would say that this was all of it.
                Err(_) => drop(socket2::SockRef::from(stream.tcp()).set_linger(Some(Duration::ZERO))),
            }
        }
        (ClientEvent::TransferEnded { id, wire_bytes: transfer.wire_bytes(), outcome }, transfer)
    }
}

impl Moving {
    fn spend(&mut self, bytes: u64) {
        if let Some(turn) = &mut self.turn {
            turn.bytes = turn.bytes.saturating_sub(bytes);
        }
        self.turn = self.turn.filter(|turn| turn.bytes > 0);
    }
}

fn said(error: NetError) -> Fault {
    Fault(
        match error {
            NetError::Unreachable => "refused, or out of reach",
            NetError::NoPort => "no port is free",
            NetError::Cancelled => "given up",
            _ => "the system refuses it",
        }
        .to_owned(),
    )
}

#[cfg(test)]
mod tests;
