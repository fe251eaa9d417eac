//! One session in its thread: feeds the core what happens, does what it says, and waits for both connections at once.

use crate::admission::Permit;
use crate::control::Control;
use crate::data::{Advance, DataSide};
use crate::log::SessionLog;
use crate::shared::Shared;
use crate::stop::Stage;
use crate::storage::execute::SessionStorage;
use crate::tls::{TlsServer, TlsSession, TlsStream};
use crate::transfer::Terms;
use crate::verification::Verification;
use mayfly_core::action::{Action, ActionId, Direction, StorageRequest};
use mayfly_core::error::{LoginError, Misuse, TlsError};
use mayfly_core::event::Event;
use mayfly_core::network::Network;
use mayfly_core::session::Session;
use mayfly_core::time::Now;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// One session, with all that it holds.
pub(crate) struct Worker<'a> {
    shared: &'a Shared,
    session: Session,
    control: Control,
    data: DataSide,
    storage: SessionStorage,
    /// A login that is being checked.
    verification: Option<Verification>,
    log: SessionLog,
    /// What its TLS is made of; none: there is none.
    tls: Option<TlsServer>,
    /// Its TLS, from the control connection's on.
    secured: Option<TlsSession>,
    /// Its place among the counted sessions.
    permit: Option<Permit>,
    /// Events that the session has not heard yet.
    events: VecDeque<Event>,
    /// What it has heard of the shut down.
    stage: Stage,
    told_control_closed: bool,
    /// What it has heard of the room for replies.
    told_room: bool,
    /// None once a step of long work is done: whoever speaks meanwhile is heard before the next.
    patience: Patience,
    /// Chunks that moved since the control connection closed.
    chunks_after_close: u32,
    closing: bool,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        session: Session,
        control: Control,
        (socket, proxies): (SocketAddr, Arc<[Network]>),
        log: SessionLog,
        (tls, permit): (Option<TlsServer>, Option<Permit>),
    ) -> Self {
        Self {
            shared,
            session,
            control,
            data: DataSide::new(socket, proxies),
            storage: SessionStorage::new(shared.storage()),
            verification: None,
            log,
            tls,
            secured: None,
            permit,
            events: VecDeque::new(),
            stage: Stage::default(),
            told_control_closed: false,
            told_room: true,
            patience: Patience::Whole,
            chunks_after_close: 0,
            closing: false,
        }
    }

    /// Serves it to its end; this is what it hears first.
    pub(crate) fn run(mut self, first: Event) {
        if let Err(misuse) = self.serve(first) {
            self.log.fault(&misuse);
        }
        self.log.end(self.shared.now());
        // An upload that is still open goes the way that its storage keeps for a session that died.
        drop(self.storage);
        self.control.close(self.shared.stop().stage() == Stage::Cut);
    }

    fn serve(&mut self, first: Event) -> Result<(), Misuse> {
        self.feed(first, self.shared.now())?;
        while !self.closing {
            let now = self.shared.now();
            let room = self.control.has_room();
            if self.told_room != room {
                self.told_room = room;
                self.feed(Event::ReplyRoom { room }, now)?;
            } else if self.patience == Patience::None {
                self.patience = Patience::Whole;
                self.wait(now, Patience::None);
            } else if let Some(event) = self.events.pop_front() {
                self.feed(event, now)?;
            } else if self.data.progress_due_ms().is_some_and(|due_ms| due_ms <= now.monotonic_ms) {
                self.events.extend(self.data.take_progress(now));
            } else if self.session.deadline().is_some_and(|deadline| deadline <= now.monotonic_ms) {
                self.control.look();
                self.feed(Event::Timeout, now)?;
            } else {
                self.wait(now, Patience::Whole);
            }
        }
        Ok(())
    }

    /// One event, one full drain; replies leave together.
    fn feed(&mut self, event: Event, now: Now) -> Result<(), Misuse> {
        self.session.handle(now, event)?;
        while let Some(action) = self.session.poll_action() {
            self.execute(action, now);
        }
        self.control.flush();
        Ok(())
    }

    fn execute(&mut self, action: Action, now: Now) {
        let outcome = match action {
            Action::SendReply { wire, .. } => {
                self.control.queue(wire.as_bytes());
                None
            }
            Action::Storage { id, request } => Some(self.store(id, request)),
            Action::DrawRandom { id } => self.draw_random(id),
            Action::VerifyLogin { id, .. } if !self.may_log_in(now) => {
                Some(Event::LoginVerified { id, outcome: Err(LoginError::Busy) })
            }
            Action::VerifyLogin { id, user, proof, peer } => {
                self.verification = Verification::begin(id, self.shared.verifier().verify(user, proof, peer));
                let failed = Event::LoginVerified { id, outcome: Err(LoginError::Failed) };
                self.verification.is_none().then_some(failed)
            }
            Action::StartTls { id } => self.start_tls(id),
            Action::SecureData { id, direction, needs_close_notify } => {
                self.secure_data(id, direction, needs_close_notify)
            }
            Action::ListenData { id, local, ports } => Some(self.data.listen(id, local, ports)),
            Action::AcceptData { id, peer, any_host } => self.data.accept(id, (!any_host).then_some(peer)),
            Action::ConnectData { id, peer, local, local_port } => self.data.connect(id, peer, local, local_port),
            Action::CloseData => self.data.close(&mut self.storage),
            Action::Transfer { id, direction, translation, deflate, bytes_per_s } => {
                let terms = Terms { direction, translation, deflate, bytes_per_s };
                self.data.transfer(id, terms, &mut self.storage, now)
            }
            Action::SendData { id, text, deflate, last } => self.data.send(id, (text, deflate, last), now),
            Action::SendTelnet { bytes } => {
                self.control.queue(&bytes);
                None
            }
            Action::Cancel { id } => self.data.cancel(id, &mut self.storage),
            Action::Notify { change } => {
                self.shared.reaper().notify(change);
                None
            }
            Action::Note { note, command } => {
                self.log.note(&note, command.as_ref());
                if let Some(permit) = &self.permit {
                    permit.hear(&note, now);
                }
                None
            }
            Action::Close => {
                self.closing = true;
                // Before the last reply goes out: a peer that has read it finds room for its next session.
                self.permit = None;
                self.data.close(&mut self.storage)
            }
            other => {
                self.log.fault(&format_args!("this driver does not know {other:?}"));
                self.closing = true;
                None
            }
        };
        self.events.extend(outcome);
    }

    fn may_log_in(&self, now: Now) -> bool {
        self.permit.as_ref().is_none_or(|permit| permit.may_log_in(now))
    }

    fn store(&mut self, id: ActionId, request: StorageRequest) -> Event {
        // The disk may take its time; what is due already must not wait for it.
        self.control.flush();
        if request.is_step() {
            self.patience = Patience::None;
        }
        Event::Stored { id, outcome: self.storage.execute(request) }
    }

    fn start_tls(&mut self, id: ActionId) -> Option<Event> {
        let session = self.tls.as_ref().map(TlsServer::session);
        match self.stream(session.as_ref().map(TlsSession::control)) {
            Ok(stream) => {
                self.secured = session;
                self.control.secure(id, stream);
                None
            }
            Err(error) => Some(Event::TlsStarted { id, outcome: Err(error) }),
        }
    }

    fn secure_data(&mut self, id: ActionId, direction: Direction, needs_close_notify: bool) -> Option<Event> {
        match self.stream(self.secured.as_ref().map(|session| session.data(direction))) {
            Ok(stream) => self.data.secure(id, stream, needs_close_notify),
            Err(error) => Some(Event::TlsStarted { id, outcome: Err(error) }),
        }
    }

    fn stream(&self, made: Option<io::Result<TlsStream>>) -> Result<TlsStream, TlsError> {
        let stream = made.ok_or(TlsError::Unavailable)?;
        stream.map_err(|error| {
            self.log.fault(&error);
            TlsError::Unavailable
        })
    }

    fn draw_random(&mut self, id: ActionId) -> Option<Event> {
        let mut bytes = [0; 16];
        match getrandom::fill(&mut bytes) {
            Ok(()) => Some(Event::RandomDrawn { id, bytes }),
            Err(error) => {
                // A guessable secret would be worse than no session.
                self.log.fault(&error);
                self.closing = true;
                None
            }
        }
    }

    /// Waits until something happens, or only looks whether something has; and finds out what.
    fn wait(&mut self, now: Now, patience: Patience) {
        let paced_until_ms = self.data.paced_until_ms();
        let is_paced = paced_until_ms.is_some_and(|due_ms| due_ms > now.monotonic_ms);
        if self.control.has_ended() && !self.told_control_closed && !is_paced {
            return self.look_at_data_before_close();
        }
        let ready = self.poll(match patience {
            Patience::Whole => self.time_left(now),
            Patience::None => Some(Duration::ZERO),
        });
        if ready.stop {
            self.hear_stop();
        }
        if ready.data || self.data.is_busy() || paced_until_ms.is_some() {
            self.advance_data();
        }
        if ready.login {
            self.hear_verification();
        }
        if ready.control {
            self.control.flush();
            self.events.extend(self.control.shake_hands());
            if self.session.wants_input() && !self.told_control_closed {
                self.hear_control();
            }
        }
    }

    fn hear_verification(&mut self) {
        if let Some(event) = self.verification.as_mut().and_then(Verification::outcome) {
            self.verification = None;
            self.events.push_back(event);
        }
    }

    /// Reads control input. It may be a STAT, which tells how far a transfer is.
    fn hear_control(&mut self) {
        if let Some(bytes) = self.control.read() {
            self.events.extend(self.data.take_progress(self.shared.now()));
            self.events.push_back(Event::ControlReceived { bytes });
        }
    }

    /// A peer may send a file, close the data connection and then the control connection: the upload is whole. So what
    /// has come in is taken before the session hears that control is gone.
    fn look_at_data_before_close(&mut self) {
        let is_idle = self.data.interest().is_none() && self.data.paced_until_ms().is_none();
        let is_blocked = is_idle || self.advance_data();
        if self.data.paced_until_ms().is_some() {
            return;
        }
        self.chunks_after_close += 1;
        if is_blocked || self.chunks_after_close > CHUNKS_AFTER_CLOSE_MAX {
            self.told_control_closed = true;
            self.events.push_back(Event::ControlClosed);
        }
    }

    /// Tells whether the data connection must be waited for.
    fn advance_data(&mut self) -> bool {
        match self.data.advance(&mut self.storage, self.shared.now()) {
            Advance::Blocked => return true,
            Advance::Moved => {}
            Advance::Told(event) => self.events.push_back(event),
        }
        false
    }

    fn hear_stop(&mut self) {
        let stage = self.shared.stop().stage();
        if self.stage == Stage::Serving {
            self.events.push_back(Event::ShutDown);
        }
        if stage == Stage::Cut && !self.told_control_closed {
            self.told_control_closed = true;
            self.events.push_back(Event::ControlClosed);
        }
        self.stage = stage;
    }

    /// Waits so long at most; none: until something happens.
    fn poll(&self, patience: Option<Duration>) -> Ready {
        let wants_input = self.session.wants_input() && !self.told_control_closed;
        let interests = [
            self.shared.stop().interest(self.stage),
            self.control.interest(wants_input),
            self.data.interest(),
            self.verification.as_ref().map(Verification::interest),
        ];
        // What TLS has decrypted already makes no socket readable.
        let may_hold = self.control.may_hold(wants_input);
        let patience = if may_hold { Some(Duration::ZERO) } else { patience };
        let mut which = [false; 4];
        let mut fds: Vec<PollFd<'_>> = interests.iter().flatten().cloned().collect();
        let timeout = patience.map(|patience| Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        });
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {
                let mut polled = fds.iter();
                for (ready, _) in which.iter_mut().zip(&interests).filter(|(_, interest)| interest.is_some()) {
                    *ready = polled.next().is_some_and(|fd| fd.revents() != PollFlags::empty());
                }
            }
            Err(Errno::INTR) => {}
            // The host is short of memory for a moment; the descriptors are ours and stand.
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
        let [stop, control, data, login] = which;
        Ready { stop, control: control || may_hold, data, login }
    }

    /// How long to wait at most; none: until something happens.
    fn time_left(&self, now: Now) -> Option<Duration> {
        let due_ms = [self.session.deadline(), self.data.progress_due_ms(), self.data.paced_until_ms()];
        let due_ms = due_ms.into_iter().flatten().min();
        let until = due_ms.map(|due_ms| Duration::from_millis(due_ms.saturating_sub(now.monotonic_ms)));
        let again = self.shared.look_again_after();
        let at_once = self.data.is_busy().then_some(Duration::ZERO);
        until.into_iter().chain(again).chain(at_once).min()
    }
}

/// How long a wait may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// Until something is due.
    Whole,
    /// Not at all: there is more to do.
    None,
}

/// What a poll has found.
#[expect(clippy::struct_excessive_bools, reason = "one for each that is waited for")]
struct Ready {
    stop: bool,
    control: bool,
    data: bool,
    login: bool,
}

/// 64 MiB: more than can be on its way to us once the peer has closed.
const CHUNKS_AFTER_CLOSE_MAX: u32 = 256;
