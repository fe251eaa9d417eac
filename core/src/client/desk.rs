//! The client's outbox: the actions that wait to be polled, the one outcome that is due, and the deadline.

use super::action::{ClientAction, ClientNote};
use super::call::ClientSettings;
use super::names;
use crate::action::ActionId;
use crate::error::Misuse;
use crate::time::Now;
use crate::wire::command::{Command, Secret};
use alloc::collections::VecDeque;
use alloc::format;

/// Where the parts of the client put what they want done.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) settings: ClientSettings,
    pub(super) now: Now,
    /// Whether the server's names are bytes, of which those that are no UTF-8 are written `\xHH` here.
    pub(super) names_are_bytes: bool,
    /// When `Timeout` is due, monotonic milliseconds.
    pub(super) deadline_ms: Option<u64>,
    actions: VecDeque<ClientAction>,
    last_id: u64,
    pending: Option<(ActionId, Awaited)>,
}

/// What kind of outcome an action has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Control,
    Secured,
    Listening,
    Connected,
    Source,
    Sink,
    Kept,
    Transfer,
}

impl Desk {
    pub(super) fn new(settings: ClientSettings) -> Self {
        Self {
            settings,
            now: Now { monotonic_ms: 0, utc_s: 0 },
            names_are_bytes: false,
            deadline_ms: None,
            actions: VecDeque::new(),
            last_id: 0,
            pending: None,
        }
    }

    pub(super) fn is_drained(&self) -> bool {
        self.actions.is_empty()
    }

    pub(super) fn next_action(&mut self) -> Option<ClientAction> {
        self.actions.pop_front()
    }

    pub(super) fn push(&mut self, action: ClientAction) {
        self.actions.push_back(action);
    }

    pub(super) fn note(&mut self, note: ClientNote) {
        self.push(ClientAction::Note { note });
    }

    /// Sends a command; its reply is due within `reply_ms_max`.
    pub(super) fn send(&mut self, command: &Command) {
        let line = format!("{}\r\n", command.encode());
        let may_be_bytes =
            self.names_are_bytes && !matches!(command, Command::User(_) | Command::Pass(_) | Command::Acct(_));
        let as_bytes = if may_be_bytes { names::byte_per_char(&line) } else { None };
        let byte_per_char = as_bytes.is_some();
        let wire = Secret(as_bytes.unwrap_or(line));
        self.push(ClientAction::SendCommand { wire, byte_per_char, shown: format!("{command}") });
        self.wait(self.settings.reply_ms_max);
    }

    /// Hands out an action that has an outcome.
    pub(super) fn ask(&mut self, awaited: Awaited, action: impl FnOnce(ActionId) -> ClientAction) {
        self.last_id += 1;
        let id = ActionId(self.last_id);
        self.pending = Some((id, awaited));
        self.push(action(id));
    }

    /// Ends the outstanding action, if there is one; its outcome follows.
    pub(super) fn cancel(&mut self) -> bool {
        let Some((id, _)) = self.pending else { return false };
        self.push(ClientAction::Cancel { id });
        true
    }

    /// Whether an outcome of this kind and id is due.
    pub(super) fn check(&self, id: ActionId, awaited: Awaited) -> Result<(), Misuse> {
        match self.pending {
            Some((pending, kind)) if pending == id && kind == awaited => Ok(()),
            Some((pending, _)) if pending == id => Err(Misuse::WrongOutcome(id)),
            _ => Err(Misuse::UnknownId(id)),
        }
    }

    /// Takes note that the outcome is here.
    pub(super) fn settle(&mut self) {
        self.pending = None;
    }

    /// Sets the deadline to so many milliseconds from now.
    pub(super) fn wait(&mut self, ms: u64) {
        self.deadline_ms = Some(self.now.monotonic_ms.saturating_add(ms));
    }

    /// Waits without a deadline: what is awaited is the host's own.
    pub(super) fn wait_for_host(&mut self) {
        self.deadline_ms = None;
    }
}
