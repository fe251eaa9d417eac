//! One session of the core, driven by hand.

use super::data::Data;
use crate::stage::{Fault, tls};
use crate::transcript::script::{Handshake, TlsSetup};
use mayfly_core::action::{Action, ActionId};
use mayfly_core::error::{LoginError, TlsError};
use mayfly_core::event::Event;
use mayfly_core::reaper::ReaperEvent;
use mayfly_core::session::Session;
use mayfly_core::time::Now;
use mayfly_std::storage::Storage;
use mayfly_std::storage::execute::SessionStorage;
use mayfly_std::users::{Attempt, Users};
use std::collections::VecDeque;
use std::sync::Arc;

/// A session with all that a driver would hold for it.
pub(super) struct CoreSession {
    session: Session,
    storage: SessionStorage,
    disk: Arc<dyn Storage>,
    logins: Logins,
    pub(super) data: Data,
    events: VecDeque<Event>,
    /// What the client sent and the session did not want yet.
    input: VecDeque<Vec<u8>>,
    /// What the server sent and the client did not read yet.
    output: VecDeque<u8>,
    randoms: u8,
    /// How the client speaks TLS.
    tls: TlsSetup,
    /// The handshake that the client is to make now.
    securing: Option<ActionId>,
    closed: bool,
}

/// Who may log in, where logins are checked at all.
pub(super) struct Logins {
    pub(super) users: Option<Arc<Users>>,
    /// Not so where too many are being checked.
    pub(super) are_checked: bool,
}

/// What came of letting a session run.
pub(super) struct Settled {
    /// Whether anything happened at all.
    pub(super) moved: bool,
    /// The replies that it sent.
    pub(super) replies: Vec<String>,
}

impl CoreSession {
    pub(super) fn new(session: Session, disk: Arc<dyn Storage>, tls: TlsSetup, logins: Logins) -> Self {
        Self {
            session,
            storage: SessionStorage::new(Arc::clone(&disk)),
            disk,
            logins,
            data: Data::default(),
            events: VecDeque::new(),
            input: VecDeque::new(),
            output: VecDeque::new(),
            randoms: 0,
            tls,
            securing: None,
            closed: false,
        }
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        // Where a handshake is due, these are no TLS.
        match self.securing.take() {
            Some(id) => self.event(Event::TlsStarted { id, outcome: Err(TlsError::Handshake) }),
            None => self.input.push_back(bytes.to_vec()),
        }
    }

    /// The client makes the handshake that is due.
    pub(super) fn secure(&mut self, handshake: Handshake) -> Result<(), Fault> {
        let id = self.securing.take().ok_or("no TLS handshake is due on the control connection")?;
        let outcome = match handshake {
            Handshake::Broken => Err(TlsError::Handshake),
            Handshake::Proper | Handshake::Anew => Ok(tls::agreed(&self.tls, false)),
        };
        self.event(Event::TlsStarted { id, outcome });
        Ok(())
    }

    /// The client closes.
    pub(super) fn hang_up(&mut self) {
        self.securing = None;
        self.event(Event::ControlClosed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.session.deadline().filter(|_| !self.closed)
    }

    /// The next line; none: the server closed.
    pub(super) fn line(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let Some(end) = self.output.iter().position(|byte| *byte == b'\n') else {
            let nothing = if self.closed { Ok(None) } else { Err("nothing came".to_owned()) };
            return if self.output.is_empty() { nothing } else { Err("half a line came".to_owned()) };
        };
        let line: Vec<u8> = self.output.drain(..=end).collect();
        crate::stage::without_crlf(line).map(Some)
    }

    pub(super) fn nothing_unread(&mut self) -> Result<(), Fault> {
        match self.line() {
            Ok(Some(line)) => Err(format!("nobody expected {}", String::from_utf8_lossy(&line))),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// Runs until nothing more happens.
    pub(super) fn settle(
        &mut self,
        now: Now,
        reaper: &mut VecDeque<ReaperEvent>,
        ports: &mut u16,
    ) -> Result<Settled, Fault> {
        let mut settled = Settled { moved: false, replies: Vec::new() };
        while !self.closed
            && let Some(event) = self.next_event()
        {
            settled.moved = true;
            let told = format!("{event:?}");
            self.session.handle(now, event).map_err(|misuse| format!("the session: {misuse}, told {told}"))?;
            while let Some(action) = self.session.poll_action() {
                self.execute(action, &mut settled, reaper, ports)?;
            }
        }
        Ok(settled)
    }

    fn next_event(&mut self) -> Option<Event> {
        // The data connection is looked at before control: an upload that is whole counts as whole.
        let control_ended = matches!(self.events.front(), Some(Event::ControlClosed));
        if (control_ended || self.events.is_empty())
            && let Some(outcome) = self.data.outcome(&mut self.storage, &self.tls)
        {
            return Some(outcome);
        }
        self.events.pop_front().or_else(|| {
            let bytes = if self.session.wants_input() { self.input.pop_front() } else { None };
            bytes.map(|bytes| Event::ControlReceived { bytes })
        })
    }

    fn execute(
        &mut self,
        action: Action,
        settled: &mut Settled,
        reaper: &mut VecDeque<ReaperEvent>,
        ports: &mut u16,
    ) -> Result<(), Fault> {
        if self.closed {
            return Err(format!("after Close came {action:?}"));
        }
        match action {
            Action::SendReply { wire, .. } => {
                self.output.extend(wire.bytes());
                settled.replies.push(wire);
            }
            Action::SendTelnet { bytes } => self.output.extend(bytes),
            Action::Storage { id, request } => {
                let outcome = self.storage.execute(request);
                self.event(Event::Stored { id, outcome });
            }
            Action::DrawRandom { id } => {
                self.randoms += 1;
                self.event(Event::RandomDrawn { id, bytes: [self.randoms; 16] });
            }
            Action::VerifyLogin { id, user, proof, peer } => {
                let attempt = Attempt { user: &user, proof: &proof, peer };
                let outcome = match &self.logins {
                    Logins { are_checked: false, .. } => Err(LoginError::Busy),
                    Logins { users: None, .. } => Err(LoginError::Refused),
                    Logins { users: Some(users), .. } => users.admit(attempt, self.disk.as_ref()),
                };
                self.event(Event::LoginVerified { id, outcome });
            }
            Action::ListenData { id, ports: range, .. } => {
                *ports += 1;
                let port = range.map_or(*ports, |range| range.first);
                self.data.server_listens(port);
                self.event(Event::DataListening { id, outcome: Ok(port) });
            }
            Action::AcceptData { id, .. } => self.data.accept(id),
            Action::ConnectData { id, peer, .. } => {
                let outcome = self.data.connect(peer.port());
                self.event(Event::DataConnected { id, outcome });
            }
            Action::StartTls { id } => self.securing = Some(id),
            Action::SecureData { id, needs_close_notify, .. } => self.data.secure(id, needs_close_notify),
            Action::CloseData => self.data.server_closes(),
            Action::Transfer { id, direction, translation, deflate, .. } => {
                self.data.transfer(id, direction, (translation, deflate), &mut self.storage)?;
            }
            Action::SendData { id, text, deflate, last } => self.data.send_text(id, text, (deflate, last))?,
            Action::Cancel { id } => {
                let outcome = self.data.cancel(id, &mut self.storage);
                self.events.extend(outcome);
            }
            Action::Notify { change } => reaper.push_back(ReaperEvent::Changed { change }),
            Action::Close => {
                self.closed = true;
                self.data.server_closes();
            }
            _ => {}
        }
        Ok(())
    }
}
