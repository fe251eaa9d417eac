//! What the blocking and the async client share: the core's client with its sockets and files. A driver goes on as far
//! as it can without waiting for the network; how to wait is all that a runtime adds.

use super::control::Control;
use super::data::{Advance, DataSide};
use super::interest::Interest;
use super::limit::RateLimit;
use super::options::ClientOptions;
use super::sink::{Destination, Identity, OpenSink};
use super::source::{OpenSource, Source};
use super::tls::{self, TlsOptions, TlsSetup};
use super::transfer::Transfer;
use crate::clock::Clock;
use crate::stop::{self, Stop};
use mayfly_core::action::ActionId;
use mayfly_core::client::Client as Machine;
use mayfly_core::client::action::{ClientAction, ClientNote, wire_bytes};
use mayfly_core::client::call::{Call, ClientSettings};
use mayfly_core::client::event::{ClientEvent, Fault, MoveError, TlsFault};
use mayfly_core::client::failure::{Failure, FailureKind};
use mayfly_core::client::summary::Summary;
use mayfly_core::record::Token;
use mayfly_core::time::Now;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

/// A client's state machine with the sockets and files that it acts on.
pub struct Driver {
    machine: Machine,
    settings: ClientSettings,
    limit: Option<RateLimit>,
    /// None: by the host's list, once it is needed.
    tls: Option<TlsSetup>,
    /// The control connection's.
    tls_session: Option<tls::Session>,
    clock: Arc<dyn Clock>,
    watch: Option<Watcher>,
    interrupt: Interrupter,
    /// Whether the machine has heard of the interrupt.
    interrupted: bool,
    control: Control,
    data: DataSide,
    sources: Vec<Source>,
    destination: Destination,
    source: Option<OpenSource>,
    sink: Option<OpenSink>,
    /// Outcomes that were there at once.
    events: VecDeque<ClientEvent>,
    outcome: Option<Result<Summary, Failure>>,
}

/// Who watches a client.
pub type Watcher = Box<dyn FnMut(Sight<'_>) + Send>;

/// What there is to watch.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Sight<'a> {
    /// A command was sent; the password in it is hidden.
    Sent(&'a str),
    /// What the client has to tell.
    Noted(&'a ClientNote),
    /// This path was made, and this proves who made it; nothing has been sent into it yet. A secret.
    Token {
        /// The path.
        storage_path: &'a str,
        /// Its token.
        token: Token,
    },
    /// So many bytes went over the data connection.
    Moved {
        /// Since the transfer began.
        wire_bytes: u64,
    },
    /// The transfer has ended, well or not.
    Ended,
}

/// How far a [`Driver`] has come.
#[derive(Debug)]
pub enum Step {
    /// It can go on at once; somebody else may go first.
    GoOn,
    /// Nothing can go on before one of [`Driver::interests`] is ready or [`Driver::wait_for`] has passed.
    Wait,
    /// The call is finished.
    Finished(Result<Summary, Failure>),
}

/// Ends a client's call from another thread: at once, and the client with it.
#[derive(Clone, Debug)]
pub struct Interrupter(Arc<Stop>);

impl Interrupter {
    /// One that no client heeds.
    ///
    /// # Errors
    /// The system's: no descriptor is left.
    pub(crate) fn new() -> io::Result<Self> {
        Stop::new().map(|stop| Self(Arc::new(stop)))
    }

    /// Ends the call that runs, or else the next one, as [`FailureKind::Interrupted`].
    pub fn interrupt(&self) {
        self.0.end();
    }

    pub(super) fn word(&self) -> BorrowedFd<'_> {
        self.0.word()
    }

    pub(super) fn is_raised(&self) -> bool {
        self.0.stage() != stop::Stage::Serving
    }
}

impl Driver {
    /// A driver without connection or call.
    ///
    /// # Errors
    /// The system's: no descriptor is left.
    pub fn new(options: ClientOptions) -> io::Result<Self> {
        Ok(Self::with_interrupter(options, Interrupter::new()?))
    }

    /// Another one like it, for another connection: with its settings, its limit, and what ends its calls.
    #[must_use]
    pub fn mate(&self, watch: Option<Watcher>) -> Self {
        let (settings, limit, tls) = (self.settings.clone(), self.limit.clone(), self.tls.clone());
        let options = ClientOptions { settings, clock: Arc::clone(&self.clock), watch, limit, tls };
        Self::with_interrupter(options, self.interrupter())
    }

    fn with_interrupter(options: ClientOptions, interrupt: Interrupter) -> Self {
        let ClientOptions { settings, clock, watch, limit, tls } = options;
        Self {
            machine: Machine::new(settings.clone()),
            settings,
            limit: limit.clone(),
            tls,
            tls_session: None,
            clock,
            watch,
            interrupt,
            interrupted: false,
            control: Control::None,
            data: DataSide::new(limit),
            sources: Vec::new(),
            destination: Destination::StandardOutput,
            source: None,
            sink: None,
            events: VecDeque::new(),
            outcome: None,
        }
    }

    /// What ends its calls from another thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.interrupt.clone()
    }

    /// Begins a call, which [`Driver::step`] then carries out. `sources` are the files of an upload, in the call's
    /// order; `destination` is where a download goes.
    pub fn begin(&mut self, call: Call, sources: &[Source], destination: Option<&Destination>) {
        self.sources = sources.to_vec();
        if let Some(destination) = destination {
            self.destination = destination.clone();
        }
        self.events.push_back(ClientEvent::Call { call });
    }

    /// Goes on with the call. May block on local files and on looking up a host's name, never on a peer.
    pub fn step(&mut self) -> Step {
        for _ in 0..EVENTS_PER_STEP {
            if let Some(outcome) = self.outcome.take() {
                // A part is given its time now, that the next download may go on from it.
                self.sink = None;
                self.source = None;
                return Step::Finished(outcome);
            }
            if !self.advance() {
                return Step::Wait;
            }
        }
        Step::GoOn
    }

    /// What to wait for; see [`Step::Wait`].
    pub fn interests(&self) -> impl Iterator<Item = Interest<'_>> {
        let word = Interest { fd: self.interrupt.word(), readable: true, writable: false };
        let word = Some(word).filter(|_| !self.interrupted);
        [self.control.interest(), self.data.interest(), word].into_iter().flatten()
    }

    /// How long to wait at most; none: until an interest is ready.
    #[must_use]
    pub fn wait_for(&self) -> Option<Duration> {
        let now_ms = self.clock.now().monotonic_ms;
        let due = [self.deadline(), self.control.deadline_ms(), self.data.deadline_ms()].into_iter().flatten().min();
        let due = due.map(|due_ms| Duration::from_millis(due_ms.saturating_sub(now_ms)));
        [due, self.clock.look_again_after()].into_iter().flatten().min()
    }

    /// Takes one step; says whether there was one to take.
    fn advance(&mut self) -> bool {
        let now = self.clock.now();
        let event = self.events.pop_front().or_else(|| self.interruption()).or_else(|| self.control.advance(now));
        if let Some(event) = event {
            self.tell(now, event);
            return true;
        }
        let mut received = Vec::new();
        let (advance, ended) = self.data.advance(now, &mut received);
        self.take_back(ended);
        match advance {
            Advance::Moved(wire_bytes) => self.see(Sight::Moved { wire_bytes }),
            Advance::Told(event) => self.tell(now, event),
            Advance::Blocked if self.deadline().is_some_and(|due_ms| due_ms <= now.monotonic_ms) => {
                self.tell(now, ClientEvent::Timeout);
            }
            Advance::Blocked => return false,
        }
        true
    }

    /// When the machine is due. While standard input has nothing to send, or a limit holds the transfer back, the peer
    /// keeps nobody waiting.
    fn deadline(&self) -> Option<u64> {
        self.machine.deadline().filter(|_| !self.data.awaits_source() && self.data.deadline_ms().is_none())
    }

    fn interruption(&mut self) -> Option<ClientEvent> {
        let raised = !self.interrupted && self.interrupt.is_raised();
        self.interrupted |= raised;
        raised.then_some(ClientEvent::Interrupt)
    }

    fn tell(&mut self, now: Now, event: ClientEvent) {
        if let Err(misuse) = self.machine.handle(now, event) {
            let what = format!("the client can do no more: {misuse}");
            self.outcome = Some(Err(Failure::new(FailureKind::Interrupted, what)));
        }
        while let Some(action) = self.machine.poll_action() {
            self.perform(action, now);
        }
    }

    fn perform(&mut self, action: ClientAction, now: Now) {
        let event = match action {
            ClientAction::OpenControl { id, host, port } => self.control.open(id, &host, port, now),
            ClientAction::StartTls { id, host, at_most_12 } => self.secure_control(id, &host, at_most_12),
            ClientAction::SecureData { id, host } => {
                let session = self.tls_session.as_ref().ok_or(TlsFault::Lost);
                self.data.secure(id, session.and_then(|session| session.connect(&host)))
            }
            ClientAction::SendCommand { wire, byte_per_char, shown } => {
                self.see(Sight::Sent(&shown));
                self.control.send(&wire_bytes(&wire, byte_per_char));
                None
            }
            ClientAction::ListenData { id, local } => Some(self.data.listen(id, local, self.local())),
            ClientAction::AcceptData { id, peer } => self.data.accept(id, peer),
            ClientAction::ConnectData { id, peer, local } => self.data.connect(id, peer, local, self.local()),
            ClientAction::OpenSource { id, file } => Some(self.open_source(id, file)),
            ClientAction::OpenSink { id, name, size_bytes, modified_s, resume } => {
                Some(self.open_sink(id, Identity { name, size_bytes, modified_s }, resume))
            }
            ClientAction::SendFile { id, offset_bytes } => {
                let source = self.source.take();
                self.transfer(id, source.map(|source| Transfer::send(source, offset_bytes)), now)
            }
            ClientAction::ReceiveFile { id, .. } => {
                let sink = self.sink.take();
                self.transfer(id, sink.map(Transfer::receive), now)
            }
            ClientAction::ReceiveListing { id } => self.transfer(id, Some(Transfer::listing()), now),
            ClientAction::KeepSink { id, modified_s } => {
                let keep = |sink: &mut OpenSink| sink.keep(modified_s);
                let outcome = self.sink.as_mut().map_or_else(|| Err(Fault("nothing is open".to_owned())), keep);
                Some(ClientEvent::SinkKept { id, outcome })
            }
            ClientAction::Cancel { id } => self.cancel(id),
            ClientAction::CloseData => {
                self.data.close();
                None
            }
            ClientAction::CloseControl => {
                self.data.part();
                self.tls_session = None;
                self.control.close()
            }
            ClientAction::HandToken { storage_path, token } => {
                self.see(Sight::Token { storage_path: &storage_path, token });
                None
            }
            ClientAction::Note { note } => {
                self.see(Sight::Noted(&note));
                None
            }
            ClientAction::Finished { outcome } => {
                self.outcome = Some(outcome);
                None
            }
            _ => {
                self.close();
                None
            }
        };
        self.events.extend(event);
    }

    /// Each control connection has TLS sessions of its own, which its data connections resume.
    fn secure_control(&mut self, id: ActionId, host: &str, at_most_12: bool) -> Option<ClientEvent> {
        let setup = match self.tls.take() {
            Some(setup) => Ok(setup),
            None => TlsSetup::load(&TlsOptions::default()),
        };
        let connection = setup.map_err(TlsFault::Local).and_then(|setup| {
            let session = self.tls.insert(setup).for_session(at_most_12);
            self.tls_session.insert(session).connect(host)
        });
        self.control.secure(id, connection)
    }

    fn open_source(&mut self, id: ActionId, file: u32) -> ClientEvent {
        self.source = None;
        let source = usize::try_from(file).ok().and_then(|file| self.sources.get(file));
        let opened = source.map_or_else(|| Err(Fault("there is no such file".to_owned())), Source::open);
        let outcome = opened.map(|source| self.source.insert(source).info());
        ClientEvent::SourceOpened { id, outcome }
    }

    fn open_sink(&mut self, id: ActionId, identity: Identity, resume: bool) -> ClientEvent {
        let opened = OpenSink::open(&self.destination, identity, resume, self.sink.take());
        let outcome = opened.map(|sink| self.sink.insert(sink).written_bytes());
        ClientEvent::SinkOpened { id, outcome }
    }

    fn transfer(&mut self, id: ActionId, transfer: Option<Transfer>, now: Now) -> Option<ClientEvent> {
        let Some(transfer) = transfer else {
            let outcome = Err(MoveError::Local(Fault("nothing is open".to_owned())));
            return Some(ClientEvent::TransferEnded { id, wire_bytes: 0, outcome });
        };
        self.data.transfer(id, transfer, now);
        None
    }

    fn cancel(&mut self, id: ActionId) -> Option<ClientEvent> {
        if let Some(event) = self.control.cancel(id) {
            return Some(event);
        }
        let (event, ended) = self.data.cancel(id)?;
        self.take_back(ended);
        Some(event)
    }

    fn take_back(&mut self, ended: Option<Transfer>) {
        let Some(ended) = ended else { return };
        self.see(Sight::Moved { wire_bytes: ended.wire_bytes() });
        self.see(Sight::Ended);
        let (source, sink) = ended.finish();
        self.source = source.or(self.source.take());
        self.sink = sink.or(self.sink.take());
    }

    fn close(&mut self) {
        if let Some((_, ended)) = self.data.cancel_any() {
            self.take_back(ended);
        }
        self.data.close();
        self.data.part();
        // Nothing waits for an outcome any more.
        let _ = self.control.close();
    }

    fn local(&self) -> SocketAddr {
        self.control.local().unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
    }

    fn see(&mut self, sight: Sight<'_>) {
        if let Some(watch) = &mut self.watch {
            watch(sight);
        }
    }
}

/// So many chunks of at most 256 KiB go before others may.
const EVENTS_PER_STEP: usize = 16;
