//! Deadlines, and how a session ends.

use super::Session;
use super::input::lines_max;
use super::login::Login;
use super::state::{Awaited, End, State, Wait};
use super::transfer::{Interrupt, Transfer};
use super::work::Stop;
use crate::action::{Action, Note};
use crate::event::Admission;
use crate::limits;
use crate::time::Now;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::string::ToString;
use core::mem;

impl Session {
    pub(super) fn welcome(&mut self, now: Now, admission: Admission) {
        let refusal = match admission {
            Admission::Welcome => {
                let ends_ms = self.settings.session_ms_max.map(|span_ms| now.monotonic_ms.saturating_add(span_ms));
                self.ends_ms = ends_ms.unwrap_or(u64::MAX);
                self.expect_login(now);
                if self.channel.is_agreed() {
                    return self.secure_control(now, true);
                }
                return self.greet();
            }
            // Whoever expects TLS cannot read a refusal in clear.
            _ if self.channel.is_agreed() => return self.close("turned away"),
            Admission::Denied => return self.close("denied"),
            Admission::TooOften => text::TOO_OFTEN_FROM_ADDRESS,
            Admission::Banned => text::BANNED,
            Admission::TooManySessions => text::TOO_MANY_USERS,
            Admission::TooManyFromAddress => text::TOO_MANY_FROM_ADDRESS,
            Admission::ShuttingDown => text::SHUTTING_DOWN,
        };
        self.unasked(&Reply::new(421, refusal));
        self.close("turned away");
    }

    /// The greeting.
    pub(super) fn greet(&mut self) {
        self.state = State::Ready;
        self.unasked(&Reply::new(220, text::WELCOME));
    }

    /// The next moment at which something is due, on the monotonic clock.
    pub(super) fn due_ms(&self) -> Option<u64> {
        let of_state = match &self.state {
            State::Fresh | State::Closed => return None,
            State::Ready => self.idle_until_ms(),
            State::Securing { .. } => Some(self.secured_until_ms()),
            State::Busy(wait) => match wait.as_ref() {
                Wait::Until { at_ms, .. } => Some(*at_ms),
                Wait::For { outcome, .. } => self.overdue_ms(outcome).map(|(at_ms, _)| at_ms),
            },
        };
        let of_session = [self.login_until_ms(), self.session_until_ms()].into_iter().flatten().min();
        [of_state, of_session, self.resumes.then_some(self.since_ms)].into_iter().flatten().min()
    }

    fn login_until_ms(&self) -> Option<u64> {
        match self.login {
            Login::Out { until_ms, .. } => Some(until_ms),
            Login::In(_) => None,
        }
    }

    /// A handshake has no longer than a login, and does not outlast that of its session.
    fn secured_until_ms(&self) -> u64 {
        self.since_ms.saturating_add(self.settings.login_ms_max)
    }

    fn session_until_ms(&self) -> Option<u64> {
        (self.ends_ms != u64::MAX).then_some(self.ends_ms)
    }

    /// Before the login, its own deadline is the only one.
    fn idle_until_ms(&self) -> Option<u64> {
        self.account().map(|_| self.since_ms.saturating_add(self.idle_ms()))
    }

    /// When the transfer's running step is to be ended, and why then.
    fn overdue_ms(&self, outcome: &Awaited) -> Option<(u64, Interrupt)> {
        let after = |transfer: &Transfer, span_ms: u64| transfer.moved_ms.saturating_add(span_ms);
        let transfer = outcome.transfer().filter(|transfer| transfer.interrupt.is_none())?;
        match outcome {
            Awaited::Connected(_) | Awaited::Secured(_) => {
                let span_ms = match self.settings.data_connect_ms_max {
                    // Firewalls drop what they did not see asked for, so that a client would hang that forgot its PASV.
                    span_ms if transfer.is_unasked => span_ms.min(limits::DEFAULT_PORT_MS_MAX),
                    span_ms => span_ms,
                };
                Some((after(transfer, span_ms), Interrupt::Unconnected))
            }
            Awaited::Ended(_) => {
                let stalled_ms = after(transfer, self.settings.stall_ms_max);
                let drained_ms = transfer.begun.and_then(|begun| begun.drained_ms);
                match drained_ms {
                    Some(drained_ms) if drained_ms < stalled_ms => Some((drained_ms, Interrupt::Drained)),
                    _ => Some((stalled_ms, Interrupt::Stalled)),
                }
            }
            _ => None,
        }
    }

    /// `Timeout`. One that comes too early changes nothing.
    pub(super) fn time_out(&mut self, now: Now) {
        let is_due = |at_ms: Option<u64>| at_ms.is_some_and(|at_ms| at_ms <= now.monotonic_ms);
        let overdue = match &self.state {
            State::Busy(wait) => match wait.as_ref() {
                Wait::For { outcome, .. } => self.overdue_ms(outcome),
                Wait::Until { at_ms, .. } if is_due(Some(*at_ms)) => return self.answer_delayed(now),
                Wait::Until { .. } => None,
            },
            _ => None,
        };
        if let Some((at_ms, why)) = overdue
            && is_due(Some(at_ms))
        {
            self.interrupt(why);
        }
        let is_ready = matches!(self.state, State::Ready);
        let is_idle = is_ready && !self.resumes && is_due(self.idle_until_ms());
        let is_over = is_due(self.session_until_ms());
        match self.state {
            // Whoever expects TLS cannot read a reply in clear.
            State::Securing { .. } if is_due(self.due_ms()) => self.close("login time-out"),
            State::Securing { .. } => {}
            _ if is_idle || is_over || is_due(self.login_until_ms()) => {
                self.unasked(&Reply::new(421, text::TIMEOUT));
                self.close(match (is_idle, is_over) {
                    (true, _) => "idle",
                    (_, true) => "session time-out",
                    _ => "login time-out",
                });
            }
            _ => {}
        }
    }

    /// The answer to a failed login is due.
    fn answer_delayed(&mut self, now: Now) {
        if let State::Busy(wait) = mem::replace(&mut self.state, State::Ready)
            && let Wait::Until { reply, .. } = *wait
        {
            self.since_ms = now.monotonic_ms;
            self.reply(&reply);
        }
    }

    /// `ControlClosed`. What came before is still carried out; a transfer is not: nobody would hear of it.
    pub(super) fn hang_up(&mut self) {
        if matches!(self.state, State::Securing { .. }) {
            return self.close("closed by peer");
        }
        if self.ending.is_none() {
            self.ending = Some(End::HungUp);
        }
        if self.transfer().is_some() {
            self.interrupt(Interrupt::HungUp);
            self.input.clear(&self.settings);
        }
        if self.stop_work(Stop::HungUp) {
            self.input.clear(&self.settings);
        }
    }

    /// `ShutDown`. A command that is being carried out may end first, unless it could take long for nobody's good.
    pub(super) fn shut_down(&mut self) {
        // Nothing can be said in the midst of a handshake.
        if matches!(self.state, State::Securing { .. }) {
            return self.close("shut down");
        }
        self.stop_work(Stop::ShutDown);
        if self.ending.is_none() {
            self.ending = Some(End::ShutDown);
        }
    }

    /// Whether the session ends now, whatever lines are left.
    pub(super) fn ends_before_next_line(&self) -> bool {
        matches!(self.ending, Some(End::Quit | End::Logins | End::ShutDown))
    }

    /// The session ends: it is ready, and no line is left that is to be carried out.
    pub(super) fn end(&mut self) {
        match self.ending {
            Some(End::Quit) => self.close("quit"),
            Some(End::Logins) => self.close("too many logins"),
            Some(End::HungUp) => self.close("closed by peer"),
            Some(End::ShutDown) => {
                self.answer_shutting_down();
                self.close("shut down");
            }
            None => {}
        }
    }

    /// Each line that waits gets its reply; where none does, it is one that nobody asked for.
    fn answer_shutting_down(&mut self) {
        let reply = Reply::new(421, text::SHUTTING_DOWN);
        let first = self.input.next().map_or(self.input.last_form, |request| request.form);
        self.send(first, &reply);
        for _ in 1..lines_max(&self.settings) {
            let Some(request) = self.input.next() else { return };
            self.send(request.form, &reply);
        }
    }

    /// A reply that nobody asked for takes the last line's form.
    fn unasked(&mut self, reply: &Reply) {
        self.send(self.input.last_form, reply);
    }

    pub(super) fn close(&mut self, reason: &str) {
        self.note(Note::Ending { reason: reason.to_string() });
        self.push(Action::Close);
        self.input.clear(&self.settings);
        self.state = State::Closed;
    }
}
