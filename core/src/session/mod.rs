//! The server side of one control connection. Dispatches only; each concern has its file.

mod access;
mod comb;
mod data;
mod directory;
mod dispatch;
mod download;
mod expiry;
mod facts;
mod file;
mod hash;
mod identity;
mod idle;
mod info;
mod input;
mod ledger;
mod listing;
mod login;
mod lookup;
mod quirk;
mod refuse;
mod rename;
mod size;
mod space;
mod state;
mod status;
mod step;
mod stou;
mod tls;
mod transfer;
mod tree;
mod upload;
mod view;
mod walk;
mod work;

use crate::action::{Action, ActionId, PathChange};
use crate::error::{LoginError, Misuse, NetError, StorageError, TlsError, TransferError};
use crate::event::{Event, StorageOutcome, TlsInfo};
use crate::listing::facts::FactSet;
use crate::network;
use crate::path::VirtualPath;
use crate::record::Token;
use crate::settings::Settings;
use crate::time::Now;
use crate::user::Account;
use crate::wire::command::{Command, Malformed, Request};
use crate::wire::reply::{Form, Reply};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU32;
use core::ops::ControlFlow::{Break, Continue};
use data::DataChoices;
use directory::Place;
use input::Input;
use ledger::Entry;
use login::Login;
use state::{End, Flow, State, Wait};
use tls::Channel;
use transfer::Moved;
use upload::BrokenUpload;

/// The server side of one control connection, as a state machine.
///
/// An idle one holds well under 1 KiB.
///
/// ```
/// use mayfly_core::action::Action;
/// use mayfly_core::event::{Admission, Event};
/// use mayfly_core::session::Session;
/// use mayfly_core::settings::Settings;
/// use mayfly_core::time::Now;
///
/// let peer = "192.0.2.7:4000".parse()?;
/// let local = "192.0.2.1:21".parse()?;
/// let mut session = Session::new(Settings::default().into(), peer, local);
/// let now = Now { monotonic_ms: 0, utc_s: 1_893_456_000 };
/// session.handle(now, Event::Connected { admission: Admission::Welcome, failed_logins: 0 })?;
/// while let Some(action) = session.poll_action() {
///     if let Action::SendReply { wire, .. } = action {
///         assert_eq!(wire, "220 Welcome to the FTP Server\r\n");
///     }
/// }
/// assert_eq!(session.deadline(), Some(60_000)); // the time to log in
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    peer: SocketAddr,
    local: SocketAddr,
    /// This host's own address, where `local` is a proxy's.
    own: Option<IpAddr>,
    state: State,
    /// Why it is to end once it is ready.
    ending: Option<End>,
    actions: VecDeque<Action>,
    last_id: u64,
    input: Input,
    /// The form of the command that is being carried out.
    form: Form,
    /// What the log will say of it; boxed, for an idle session is small.
    entry: Option<Box<Entry>>,
    login: Login,
    /// How the control connection is secured.
    channel: Channel,
    /// Logins that failed.
    failed_logins: u32,
    /// The same in other sessions from its address; beyond 64 doublings more make no difference.
    failed_elsewhere: u8,
    place: Place,
    data: DataChoices,
    /// What MLST and MLSD show.
    facts: FactSet,
    /// RNFR, until the next command.
    renaming: Option<VirtualPath>,
    /// The storage paths that it made or claimed.
    claims: Vec<Token>,
    /// Its own broken uploads.
    broken: Vec<BrokenUpload>,
    /// SITE IDLE; none: the operator's.
    idle_s: Option<NonZeroU32>,
    /// When the last command came or ended, on the monotonic clock, milliseconds.
    since_ms: u64,
    /// When it ends whatever it is doing, on the monotonic clock, milliseconds; the latest moment: never.
    ends_ms: u64,
    /// Whether the peer takes its replies.
    reply_room: bool,
    /// Lines are left that an event had no room for: go on at once.
    resumes: bool,
}

/// The outcome of an action, of whichever kind.
enum Outcome {
    Stored(Result<StorageOutcome, StorageError>),
    Drawn([u8; 16]),
    Listening(Result<u16, NetError>),
    Connected(Result<(), NetError>),
    Verified(Result<Box<Account>, LoginError>),
    Secured(Result<TlsInfo, TlsError>),
    Ended(Moved, Result<(), TransferError>),
}

impl Session {
    /// A session that has not heard of its connection yet: its first event is `Connected`.
    /// `peer` and `local` are the two ends of the control connection. An IPv4-mapped IPv6 address, as a dual-stack
    /// listener has it, counts as the IPv4 address.
    #[must_use]
    pub fn new(settings: Arc<Settings>, peer: SocketAddr, local: SocketAddr) -> Self {
        let input = Input::new(&settings);
        Self {
            settings,
            peer: network::unmapped(peer),
            local: network::unmapped(local),
            own: None,
            state: State::Fresh,
            ending: None,
            actions: VecDeque::new(),
            last_id: 0,
            input,
            form: Form::default(),
            entry: None,
            login: Login::Out { user: None, until_ms: u64::MAX },
            channel: Channel::Clear,
            failed_logins: 0,
            failed_elsewhere: 0,
            place: Place { directory: VirtualPath::root(), last_argument: None },
            data: DataChoices::new(),
            facts: FactSet::DEFAULT,
            renaming: None,
            claims: Vec::new(),
            broken: Vec::new(),
            idle_s: None,
            since_ms: 0,
            ends_ms: u64::MAX,
            reply_room: true,
            resumes: false,
        }
    }

    /// The same for a connection that came through a proxy: `peer` and `local` are the ends that the client sees, and
    /// `own` is this host's address, which data connections are made on.
    #[must_use]
    pub fn behind_proxy(mut self, own: IpAddr) -> Self {
        self.own = Some(own.to_canonical());
        self
    }

    /// The same for a connection that is TLS from its first byte (implicit TLS, port 990): the handshake comes before the
    /// greeting.
    #[must_use]
    pub fn with_implicit_tls(mut self) -> Self {
        // As most clients take it (MS-FTPS 3.1.5), and as whoever asks for such a listener would have it.
        self.channel = Channel::Agreed { private: true };
        self
    }

    /// Takes one event.
    ///
    /// # Errors
    /// [`Misuse`], where the driver broke the contract; the session is unchanged then.
    pub fn handle(&mut self, now: Now, event: Event) -> Result<(), Misuse> {
        if !self.actions.is_empty() {
            return Err(Misuse::ActionsUndrained);
        }
        match (&self.state, &event) {
            (State::Closed, _) => return Err(Misuse::Closed),
            (State::Fresh, Event::Connected { .. }) => {}
            (State::Fresh, _) | (_, Event::Connected { .. }) => return Err(Misuse::OutOfOrder),
            _ => {}
        }
        match event {
            Event::Connected { admission, failed_logins } => {
                self.failed_elsewhere = u8::try_from(failed_logins).unwrap_or(u8::MAX);
                self.welcome(now, admission);
            }
            Event::ControlReceived { bytes } => self.input.push(&bytes),
            Event::ControlClosed => self.hang_up(),
            Event::Timeout => self.time_out(now),
            Event::ShutDown => self.shut_down(),
            Event::ReplyRoom { room } => self.reply_room = room,
            Event::TransferProgress { id, wire_bytes, file_bytes } => {
                self.progressed(now, id, Moved { wire_bytes, file_bytes: file_bytes.unwrap_or(wire_bytes) })?;
            }
            Event::Stored { id, outcome } => self.outcome(now, id, Outcome::Stored(outcome))?,
            Event::RandomDrawn { id, bytes } => self.outcome(now, id, Outcome::Drawn(bytes))?,
            Event::LoginVerified { id, outcome } => self.outcome(now, id, Outcome::Verified(outcome))?,
            Event::TlsStarted { id, outcome } => match self.state {
                State::Securing { id: expected, greets } if expected == id => {
                    self.control_secured(now, greets, outcome);
                }
                _ => self.outcome(now, id, Outcome::Secured(outcome))?,
            },
            Event::DataListening { id, outcome } => self.outcome(now, id, Outcome::Listening(outcome))?,
            Event::DataConnected { id, outcome } => self.outcome(now, id, Outcome::Connected(outcome))?,
            Event::TransferEnded { id, wire_bytes, file_bytes, outcome } => {
                let moved = Moved { wire_bytes, file_bytes: file_bytes.unwrap_or(wire_bytes) };
                self.outcome(now, id, Outcome::Ended(moved, outcome))?;
            }
        }
        self.resumes = false;
        self.go_on(now);
        Ok(())
    }

    /// The next action; drain to `None` after every `handle`.
    pub fn poll_action(&mut self) -> Option<Action> {
        let action = self.actions.pop_front();
        if self.actions.is_empty() {
            // An idle session keeps no room for actions.
            self.actions = VecDeque::new();
        }
        action
    }

    /// When to send [`Event::Timeout`], on the monotonic clock, milliseconds; none: not before another event.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.due_ms()
    }

    /// Whether it takes more control input now. If not, stop reading the control connection until it does.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        !matches!(self.state, State::Closed | State::Securing { .. }) && self.input.has_room(&self.settings)
    }

    /// The outcome of the action that is outstanding; nothing changes where it is another's, or of another kind.
    fn outcome(&mut self, now: Now, id: ActionId, outcome: Outcome) -> Result<(), Misuse> {
        let awaited = match mem::replace(&mut self.state, State::Ready) {
            State::Busy(wait) => match *wait {
                Wait::For { id: expected, outcome } if expected == id => outcome,
                wait => {
                    self.state = State::Busy(Box::new(wait));
                    return Err(Misuse::UnknownId(id));
                }
            },
            state => {
                self.state = state;
                return Err(Misuse::UnknownId(id));
            }
        };
        match self.step(now, awaited, outcome) {
            Ok(flow) => {
                self.settle(now, flow);
                Ok(())
            }
            Err(awaited) => {
                self.state = State::Busy(Box::new(Wait::For { id, outcome: *awaited }));
                Err(Misuse::WrongOutcome(id))
            }
        }
    }

    /// A line's turn has come.
    fn begin_request(&mut self, now: Now, request: Request) {
        self.form = request.form;
        self.since_ms = now.monotonic_ms;
        self.entry_begins(now, &request);
        let flow = self.request(now, request);
        self.settle(now, flow);
    }

    /// A command waits, or has its one final reply.
    fn settle(&mut self, now: Now, flow: Flow) {
        match flow {
            Continue(wait) => {
                if let Wait::Until { reply, .. } = &wait {
                    self.entry_ends(now, reply);
                }
                self.state = State::Busy(Box::new(wait));
            }
            Break(reply) => {
                self.since_ms = now.monotonic_ms;
                self.entry_ends(now, &reply);
                self.reply(&reply);
            }
        }
    }

    fn request(&mut self, now: Now, request: Request) -> Flow {
        // RFC 959 4.1.3: RNTO follows RNFR immediately.
        if !matches!(request.command, Ok(Command::Rnto(_))) {
            self.renaming = None;
        }
        match (request.row, request.command) {
            (Some(row), Ok(command)) => {
                self.admit(row)?;
                self.data.forget_before(row);
                self.command(now, command)
            }
            (_, Err(reply)) => Break(reply),
            (None, Ok(_)) => Break(Reply::from(Malformed::UnknownCommand)),
        }
    }

    fn fresh_id(&mut self) -> ActionId {
        self.last_id += 1;
        ActionId(self.last_id)
    }

    fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    fn notify(&mut self, change: PathChange) {
        self.push(Action::Notify { change });
    }
}

#[cfg(test)]
mod tests;
