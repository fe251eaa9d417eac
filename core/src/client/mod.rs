//! The client side of FTP, as a state machine of the same shape as [`Session`](crate::session::Session). Dispatches
//! only; each call has its file.
//!
//! ```
//! use mayfly_core::client::action::ClientAction;
//! use mayfly_core::client::call::{Call, ClientSettings, Connect, Tls};
//! use mayfly_core::client::event::{ClientEvent, ControlEnds};
//! use mayfly_core::client::Client;
//! use mayfly_core::time::Now;
//! use mayfly_core::wire::command::Secret;
//!
//! let now = Now { monotonic_ms: 0, utc_s: 1_798_761_600 };
//! let mut client = Client::new(ClientSettings::default());
//! let call = Call::Connect(Connect {
//!     host: "ftp.example.org".into(),
//!     port: 21,
//!     user: "anonymous".into(),
//!     password: Secret("guest".into()),
//!     account: None,
//!     once: false,
//!     tls: Tls::None,
//! });
//! client.handle(now, ClientEvent::Call { call })?;
//! // The law: drain every action before the next event.
//! let Some(ClientAction::OpenControl { id, .. }) = client.poll_action() else { panic!() };
//! assert_eq!(client.poll_action(), None);
//!
//! // The driver finds the host and connects; then bytes go both ways.
//! let ends = ControlEnds { peer: "192.0.2.1:21".parse()?, local: "192.0.2.7:50000".parse()? };
//! client.handle(now, ClientEvent::ControlConnected { id, outcome: Ok(ends) })?;
//! assert_eq!(client.poll_action(), None);
//! client.handle(now, ClientEvent::ControlReceived { bytes: b"220 Welcome to the FTP Server\r\n".to_vec() })?;
//! let sent = core::iter::from_fn(|| client.poll_action()).find_map(|action| match action {
//!     ClientAction::SendCommand { shown, .. } => Some(shown),
//!     _ => None,
//! });
//! assert_eq!(sent.as_deref(), Some("OPTS UTF8 ON"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod action;
pub mod call;
mod connect;
mod data;
mod desk;
mod download;
pub mod event;
pub mod failure;
mod link;
pub mod listing;
mod names;
mod order;
mod place;
mod redate;
pub mod reply_reader;
mod run;
mod secure;
mod server;
mod step;
pub mod summary;
mod tally;
mod upload;
mod view;
mod walk;

#[cfg(test)]
mod tests;

use crate::action::ActionId;
use crate::error::Misuse;
use crate::time::Now;
use crate::wire::command::TypeCode;
use action::ClientAction;
use alloc::boxed::Box;
use call::{ClientSettings, Connect};
use connect::Login;
use data::DataJob;
use desk::{Awaited, Desk};
use event::ClientEvent;
use failure::Failure;
use reply_reader::ReplyReader;
use server::Server;
use step::{Input, Next, Step};

/// A client: one call after the other, over one control connection at a time, which is made anew when it was lost.
#[derive(Debug)]
pub struct Client {
    desk: Desk,
    login: Option<Connect>,
    link: Option<Link>,
    call: Option<Running>,
    stage: Stage,
    versions: secure::Versions,
    /// Whether any login has succeeded.
    was_up: bool,
    /// Retries since the last headway.
    retries: u32,
    retries_in_call: u32,
    /// The furthest file and offset that data were moved from.
    headway: (usize, u64),
}

/// A control connection.
#[derive(Debug)]
struct Link {
    reader: ReplyReader,
    server: Server,
}

/// The call that is being carried out.
#[derive(Debug)]
enum Running {
    Connect,
    Work(Box<dyn Step + Send>),
    Quit,
}

/// What is awaited.
#[derive(Debug)]
enum Stage {
    /// The next call.
    Idle,
    /// A control connection.
    Opening,
    /// The login's next reply.
    Login(Login),
    /// The reply to the call's command.
    Asked,
    /// The reply to TYPE, before the step that needs it.
    Representing { code: TypeCode, then: Box<Next> },
    /// The host's outcome for the call.
    Host,
    /// What comes of a data connection.
    Data(DataJob),
    /// The end of a pause.
    Pausing,
    /// The outcome of what was cancelled; then the failure is dealt with.
    Draining { failure: Failure, again: bool },
    /// The reply to QUIT.
    Quitting,
    /// Nothing any more.
    Ended,
}

impl Client {
    /// A client that is not connected yet: its first event is `Call::Connect`.
    #[must_use]
    pub fn new(settings: ClientSettings) -> Self {
        Self {
            desk: Desk::new(settings),
            login: None,
            link: None,
            call: None,
            stage: Stage::Idle,
            versions: secure::Versions::All,
            was_up: false,
            retries: 0,
            retries_in_call: 0,
            headway: (0, 0),
        }
    }

    /// Takes one event.
    ///
    /// # Errors
    /// [`Misuse`], where the driver broke the contract; the client is unchanged then.
    pub fn handle(&mut self, now: Now, event: ClientEvent) -> Result<(), Misuse> {
        self.check(&event)?;
        self.desk.now = now;
        if let Some(link) = &mut self.link {
            link.server.now = now;
        }
        if awaited(&event).is_some() {
            self.desk.settle();
            if let Stage::Draining { .. } = self.stage {
                self.on_drained(&event);
                return Ok(());
            }
        }
        self.dispatch(event);
        Ok(())
    }

    /// The next action; drain to `None` after every `handle`.
    pub fn poll_action(&mut self) -> Option<ClientAction> {
        self.desk.next_action()
    }

    /// When to send [`ClientEvent::Timeout`], on the monotonic clock, milliseconds; none: not before another event.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.desk.deadline_ms
    }

    fn check(&self, event: &ClientEvent) -> Result<(), Misuse> {
        if !self.desk.is_drained() {
            return Err(Misuse::ActionsUndrained);
        }
        if matches!(self.stage, Stage::Ended) {
            return Err(Misuse::Closed);
        }
        match event {
            ClientEvent::Call { .. } if self.call.is_some() => Err(Misuse::OutOfOrder),
            ClientEvent::TransferProgress { id, .. } | ClientEvent::DataReceived { id, .. } => {
                self.desk.check(*id, Awaited::Transfer)
            }
            _ => awaited(event).map_or(Ok(()), |(id, kind)| self.desk.check(id, kind)),
        }
    }

    fn dispatch(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Call { call } => self.begin(call),
            ClientEvent::ControlConnected { outcome, .. } => self.on_control_connected(outcome),
            ClientEvent::TlsStarted { outcome, .. } => self.on_tls_started(outcome),
            ClientEvent::ControlReceived { bytes } => self.on_control_received(&bytes),
            ClientEvent::ControlClosed => self.lose(self.lost()),
            ClientEvent::ControlBroke { fault } => self.on_control_broke(fault),
            ClientEvent::SourceOpened { outcome, .. } => self.step(Input::Source(outcome)),
            ClientEvent::SinkOpened { outcome, .. } => self.step(Input::Sink(outcome)),
            ClientEvent::SinkKept { outcome, .. } => self.step(Input::Kept(outcome)),
            ClientEvent::DataListening { outcome, .. } => {
                self.with_job(|job, desk, server| job.on_listening(desk, server, outcome));
            }
            ClientEvent::DataConnected { outcome, .. } => {
                self.with_job(|job, desk, server| job.on_connected(desk, server, outcome));
            }
            ClientEvent::DataReceived { bytes, .. } => {
                self.with_job(|job, desk, _| job.on_received(desk, &bytes));
            }
            ClientEvent::TransferProgress { wire_bytes, .. } => self.with_job(|job, desk, _| {
                job.on_progress(desk, wire_bytes);
                None
            }),
            ClientEvent::TransferEnded { wire_bytes, outcome, .. } => {
                self.with_job(|job, desk, _| job.on_ended(desk, wire_bytes, outcome));
            }
            ClientEvent::Timeout => self.on_timeout(),
            ClientEvent::Interrupt => self.interrupt(),
        }
    }
}

/// The action whose outcome an event is.
fn awaited(event: &ClientEvent) -> Option<(ActionId, Awaited)> {
    Some(match event {
        ClientEvent::ControlConnected { id, .. } => (*id, Awaited::Control),
        ClientEvent::TlsStarted { id, .. } => (*id, Awaited::Secured),
        ClientEvent::DataListening { id, .. } => (*id, Awaited::Listening),
        ClientEvent::DataConnected { id, .. } => (*id, Awaited::Connected),
        ClientEvent::SourceOpened { id, .. } => (*id, Awaited::Source),
        ClientEvent::SinkOpened { id, .. } => (*id, Awaited::Sink),
        ClientEvent::SinkKept { id, .. } => (*id, Awaited::Kept),
        ClientEvent::TransferEnded { id, .. } => (*id, Awaited::Transfer),
        _ => return None,
    })
}
