//! The data side of one session: listener, connection, and the one action that runs there. Nothing here waits; the
//! session's loop polls for what [`DataSide::interest`] names and calls [`DataSide::advance`].

mod accept;

use crate::connection::Connection;
use crate::net;
use crate::pace::Pacer;
use crate::passage::TextOutlet;
use crate::proxy::Expected;
use crate::storage::execute::SessionStorage;
use crate::tls::{TlsStream, tls_error};
use crate::transfer::{Step, Terms, Transfer};
use accept::Acceptance;
use mayfly_core::action::{ActionId, DeflateLevel, PortRange};
use mayfly_core::error::{NetError, TlsError, TransferError};
use mayfly_core::event::Event;
use mayfly_core::network::Network;
use mayfly_core::time::Now;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tracing::debug;

/// See the module.
pub(crate) struct DataSide {
    /// The control connection's own address.
    control: SocketAddr,
    /// Whose connections begin with a header.
    proxies: Arc<[Network]>,
    listener: Option<TcpListener>,
    stream: Option<Connection>,
    /// What makes one stream of a listing's pieces.
    text: TextOutlet,
    /// What it has used of the rate that its transfers keep.
    pacer: Pacer,
    /// The rate lets nothing move before this moment, milliseconds.
    paced_until_ms: Option<u64>,
    job: Option<Job>,
    /// The last step did not move anything for want of the peer: it is to be waited for.
    is_blocked: bool,
}

/// What an [`DataSide::advance`] came to.
#[derive(Debug)]
pub(crate) enum Advance {
    /// Nothing can go on before the peer acts.
    Blocked,
    /// It goes on.
    Moved,
    /// It goes on, or has ended, and the session must hear of it.
    Told(Event),
}

struct Job {
    id: ActionId,
    work: Work,
}

enum Work {
    Accept(Acceptance),
    Connect { stream: TcpStream },
    Secure { needs_close_notify: bool },
    Transfer { transfer: Transfer, told: Told },
}

/// What the session has heard of a transfer's progress.
#[derive(Clone, Copy)]
struct Told {
    at_ms: u64,
    moved: (u64, Option<u64>),
}

impl DataSide {
    /// Nothing stands yet. `control` is the control connection's own address; connections of `proxies` begin with a
    /// header.
    pub(crate) fn new(control: SocketAddr, proxies: Arc<[Network]>) -> Self {
        Self {
            control,
            proxies,
            listener: None,
            stream: None,
            text: TextOutlet::default(),
            pacer: Pacer::default(),
            paced_until_ms: None,
            job: None,
            is_blocked: false,
        }
    }

    /// `Action::ListenData`; its outcome is there at once.
    pub(crate) fn listen(&mut self, id: ActionId, local: IpAddr, ports: Option<PortRange>) -> Event {
        self.listener = None;
        let outcome = net::listen_data(local, ports, self.control).map(|(listener, port)| {
            self.listener = Some(listener);
            port
        });
        Event::DataListening { id, outcome }
    }

    /// `Action::AcceptData`, from this address or, without one, from any; an event where it has failed at once.
    pub(crate) fn accept(&mut self, id: ActionId, peer: Option<IpAddr>) -> Option<Event> {
        if self.listener.is_none() {
            return Some(Event::DataConnected { id, outcome: Err(NetError::Failed) });
        }
        let expected = Expected { peer, proxies: Arc::clone(&self.proxies) };
        self.job = Some(Job { id, work: Work::Accept(Acceptance::new(expected)) });
        None
    }

    /// `Action::ConnectData`; an event where it has failed at once.
    pub(crate) fn connect(
        &mut self,
        id: ActionId,
        peer: SocketAddr,
        local: IpAddr,
        local_port: Option<u16>,
    ) -> Option<Event> {
        match net::connect_data_from(peer, local, local_port, self.control) {
            Ok(stream) => {
                self.job = Some(Job { id, work: Work::Connect { stream } });
                None
            }
            Err(error) => Some(Event::DataConnected { id, outcome: Err(error) }),
        }
    }

    /// `Action::SecureData`; an event where it has failed at once.
    pub(crate) fn secure(&mut self, id: ActionId, tls: TlsStream, needs_close_notify: bool) -> Option<Event> {
        let Some(stream) = &mut self.stream else {
            return Some(Event::TlsStarted { id, outcome: Err(TlsError::ConnectionLost) });
        };
        stream.agree(tls);
        self.job = Some(Job { id, work: Work::Secure { needs_close_notify } });
        None
    }

    /// `Action::Transfer`; an event where it has failed at once.
    pub(crate) fn transfer(
        &mut self,
        id: ActionId,
        terms: Terms,
        storage: &mut SessionStorage,
        now: Now,
    ) -> Option<Event> {
        match Transfer::begin(terms, storage) {
            Ok(transfer) => {
                self.begin(id, transfer, now);
                self.pacer.begin(terms.bytes_per_s);
                None
            }
            Err(error) => Some(Event::TransferEnded { id, wire_bytes: 0, file_bytes: None, outcome: Err(error) }),
        }
    }

    /// `Action::SendData`: the text, its level in MODE Z, and whether it is the last; an event where it has failed at
    /// once.
    pub(crate) fn send(
        &mut self,
        id: ActionId,
        piece: (String, Option<DeflateLevel>, bool),
        now: Now,
    ) -> Option<Event> {
        let (text, deflate, last) = piece;
        let text_bytes = text.len();
        match self.text.wire(text, deflate, last) {
            Ok(wire) => {
                self.begin(id, Transfer::begin_text(text_bytes, wire, last), now);
                None
            }
            Err(error) => Some(Event::TransferEnded { id, wire_bytes: 0, file_bytes: None, outcome: Err(error) }),
        }
    }

    /// `Action::Cancel`; no event where that action has ended before.
    pub(crate) fn cancel(&mut self, id: ActionId, storage: &mut SessionStorage) -> Option<Event> {
        let job = self.job.take_if(|job| job.id == id)?;
        self.paced_until_ms = None;
        match job.work {
            Work::Accept(_) | Work::Connect { .. } => {
                Some(Event::DataConnected { id, outcome: Err(NetError::Cancelled) })
            }
            Work::Secure { .. } => Some(Event::TlsStarted { id, outcome: Err(TlsError::Cancelled) }),
            Work::Transfer { transfer, .. } => Some(ended(id, transfer, Err(TransferError::Cancelled), storage)),
        }
    }

    /// `Action::CloseData`: the peer reads all that was sent, and then the end. An event where an action still ran.
    pub(crate) fn close(&mut self, storage: &mut SessionStorage) -> Option<Event> {
        let cancelled = self.job.as_ref().map(|job| job.id).and_then(|id| self.cancel(id, storage));
        self.listener = None;
        self.text = TextOutlet::default();
        if let Some(mut stream) = self.stream.take() {
            stream.end_unused();
            // TLS has said its end with the last byte, or a transfer was cut that must not look whole.
            net::end_data(stream.socket());
        }
        cancelled
    }

    /// What to wait for before the next [`DataSide::advance`]; nothing where no action runs.
    pub(crate) fn interest(&self) -> Option<PollFd<'_>> {
        match &self.job.as_ref()?.work {
            _ if self.paced_until_ms.is_some() => None,
            Work::Accept(acceptance) => acceptance.interest(self.listener.as_ref()),
            Work::Connect { stream } => Some(PollFd::new(stream, PollFlags::OUT)),
            Work::Secure { .. } => self.stream.as_ref().map(|stream| PollFd::new(stream.socket(), stream.flags(true))),
            Work::Transfer { transfer, .. } => {
                let flags = |stream: &Connection| stream.flags(transfer.receives());
                self.stream.as_ref().map(|stream| PollFd::new(stream.socket(), flags(stream)))
            }
        }
    }

    /// Whether the running action goes on without waiting for what [`DataSide::interest`] names.
    pub(crate) fn is_busy(&self) -> bool {
        let Some(Job { work: Work::Transfer { transfer, .. }, .. }) = &self.job else { return false };
        // What TLS has decrypted already makes no socket readable.
        let may_hold = || self.stream.as_ref().is_some_and(Connection::is_secured) && transfer.receives();
        transfer.is_busy() || (!self.is_blocked && may_hold())
    }

    /// When the running action is to be advanced, where its rate alone holds it up.
    pub(crate) fn paced_until_ms(&self) -> Option<u64> {
        self.paced_until_ms
    }

    /// When the session is due to hear that bytes have moved; none: it has heard of all.
    pub(crate) fn progress_due_ms(&self) -> Option<u64> {
        match &self.job.as_ref()?.work {
            Work::Transfer { transfer, told } if transfer.moved() != told.moved => {
                Some(told.at_ms.saturating_add(net::PROGRESS_EVERY_MS))
            }
            _ => None,
        }
    }

    /// What it has not heard of yet, due or not.
    pub(crate) fn take_progress(&mut self, now: Now) -> Option<Event> {
        self.progress_due_ms()?;
        let job = self.job.as_mut()?;
        let Work::Transfer { transfer, told } = &mut job.work else { return None };
        *told = Told { at_ms: now.monotonic_ms, moved: transfer.moved() };
        let (wire_bytes, file_bytes) = told.moved;
        Some(Event::TransferProgress { id: job.id, wire_bytes, file_bytes })
    }

    /// Goes on with the running action, by one chunk.
    pub(crate) fn advance(&mut self, storage: &mut SessionStorage, now: Now) -> Advance {
        let Some(Job { id, work }) = self.job.take() else { return Advance::Blocked };
        match work {
            Work::Accept(acceptance) => self.advance_accept(id, acceptance),
            Work::Connect { stream } => self.advance_connect(id, stream),
            Work::Secure { needs_close_notify } => self.advance_secure(id, needs_close_notify),
            Work::Transfer { transfer, told } => self.advance_transfer(id, (transfer, told), storage, now),
        }
    }

    fn begin(&mut self, id: ActionId, transfer: Transfer, now: Now) {
        let told = Told { at_ms: now.monotonic_ms, moved: (0, None) };
        self.pacer.begin(None);
        self.is_blocked = false;
        if let Some(stream) = &mut self.stream {
            stream.set_used();
        }
        self.job = Some(Job { id, work: Work::Transfer { transfer, told } });
    }

    fn advance_accept(&mut self, id: ActionId, mut acceptance: Acceptance) -> Advance {
        let Some(outcome) = acceptance.step(self.listener.as_ref()) else {
            self.job = Some(Job { id, work: Work::Accept(acceptance) });
            return Advance::Blocked;
        };
        self.listener = None;
        let outcome = outcome.map(|stream| self.stream = Some(Connection::new(stream)));
        Advance::Told(Event::DataConnected { id, outcome })
    }

    fn advance_connect(&mut self, id: ActionId, stream: TcpStream) -> Advance {
        if !is_writable(&stream) {
            self.job = Some(Job { id, work: Work::Connect { stream } });
            return Advance::Blocked;
        }
        let outcome = net::connected(&stream).map(|()| self.stream = Some(Connection::new(stream)));
        Advance::Told(Event::DataConnected { id, outcome })
    }

    fn advance_secure(&mut self, id: ActionId, needs_close_notify: bool) -> Advance {
        let Some(stream) = &mut self.stream else {
            return Advance::Told(Event::TlsStarted { id, outcome: Err(TlsError::ConnectionLost) });
        };
        let outcome = match stream.handshake(needs_close_notify) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                self.job = Some(Job { id, work: Work::Secure { needs_close_notify } });
                return Advance::Blocked;
            }
            outcome => outcome,
        };
        let outcome = outcome.map_err(|error| {
            debug!(%error, "the TLS handshake of a data connection failed");
            tls_error(&error)
        });
        Advance::Told(Event::TlsStarted { id, outcome })
    }

    fn advance_transfer(
        &mut self,
        id: ActionId,
        (mut transfer, told): (Transfer, Told),
        storage: &mut SessionStorage,
        now: Now,
    ) -> Advance {
        let room = if transfer.is_busy() { Ok(0) } else { self.pacer.room(now.monotonic_ms) };
        self.paced_until_ms = room.err();
        let (before, _) = transfer.moved();
        let step = match (&mut self.stream, room) {
            (Some(stream), Ok(bytes_max)) => transfer.step(stream, bytes_max),
            (Some(_), Err(_)) => Ok(Step::Blocked),
            (None, _) => Err(TransferError::ConnectionLost),
        };
        self.pacer.moved(transfer.moved().0.saturating_sub(before));
        self.is_blocked = matches!(step, Ok(Step::Blocked));
        let advance = match step {
            Err(error) => return Advance::Told(ended(id, transfer, Err(error), storage)),
            Ok(Step::Ended) => {
                if let Some(stream) = self.stream.as_ref().filter(|_| transfer.sends_file()) {
                    part(stream.socket());
                }
                return Advance::Told(ended(id, transfer, Ok(()), storage));
            }
            Ok(Step::Blocked) => Advance::Blocked,
            Ok(Step::Moved) => Advance::Moved,
        };
        self.job = Some(Job { id, work: Work::Transfer { transfer, told } });
        advance
    }
}

fn ended(id: ActionId, transfer: Transfer, outcome: Result<(), TransferError>, storage: &mut SessionStorage) -> Event {
    let (wire_bytes, file_bytes) = transfer.moved();
    transfer.finish(storage);
    Event::TransferEnded { id, wire_bytes, file_bytes, outcome }
}

/// All is sent; see [`net::PARTING`].
fn part(stream: &TcpStream) {
    net::end_data(stream);
    is_ready(stream, PollFlags::RDHUP, net::PARTING);
}

fn is_writable(stream: &TcpStream) -> bool {
    is_ready(stream, PollFlags::OUT, Duration::ZERO)
}

fn is_ready(stream: &TcpStream, flags: PollFlags, patience: Duration) -> bool {
    let patience = Timespec { tv_sec: 0, tv_nsec: patience.subsec_nanos().into() };
    rustix::event::poll(&mut [PollFd::new(stream, flags)], Some(&patience)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests;
