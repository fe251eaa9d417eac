//! The server side of one control connection. Dispatches only; each concern has its file.

use crate::action::Action;
use crate::error::Misuse;
use crate::event::Event;
use crate::settings::Settings;
use crate::time::Now;
use alloc::sync::Arc;
use core::net::SocketAddr;

/// The server side of one control connection, as a state machine.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
}

impl Session {
    /// A session that has not heard of its connection yet: its first event is `Connected`.
    /// `peer` and `local` are the two ends of the control connection.
    #[must_use]
    pub fn new(settings: Arc<Settings>, peer: SocketAddr, local: SocketAddr) -> Self {
        todo!("{settings:?} {peer} {local}")
    }

    /// Takes one event.
    ///
    /// # Errors
    /// [`Misuse`], where the driver broke the contract; the session is unchanged then.
    pub fn handle(&mut self, now: Now, event: Event) -> Result<(), Misuse> {
        todo!("{now:?} {event:?} {:?}", self.settings)
    }

    /// The next action; drain to `None` after every `handle`.
    pub fn poll_action(&mut self) -> Option<Action> {
        todo!()
    }

    /// When to send [`Event::Timeout`], on the monotonic clock, milliseconds; none: not before another event.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        todo!()
    }

    /// Whether it takes more control input now. If not, stop reading the control connection until it does.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        todo!()
    }
}
