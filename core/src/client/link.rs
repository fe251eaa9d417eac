//! The control connection: made, logged in over, read from, and lost.

use super::action::{ClientAction, ClientNote};
use super::call::Connect;
use super::connect::Login;
use super::desk::Awaited;
use super::event::{ClientEvent, ControlEnds, Fault};
use super::failure::{Failure, FailureKind, Hint};
use super::reply_reader::{Class, Heard, ReplyError, ReplyReader};
use super::server::Server;
use super::step::Input;
use super::summary::Summary;
use super::{Client, Link, Running, Stage};
use crate::record::Token;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

impl Client {
    pub(super) fn open(&mut self) {
        let Some(Connect { host, port, .. }) = self.login.clone() else {
            return self.finish(Err(Failure::new(FailureKind::CannotConnect, "connect comes first")));
        };
        self.desk.ask(Awaited::Control, |id| ClientAction::OpenControl { id, host, port });
        self.desk.wait(self.desk.settings.connect_ms_max);
        self.stage = Stage::Opening;
    }

    pub(super) fn on_control_connected(&mut self, outcome: Result<ControlEnds, Fault>) {
        match (outcome, self.login.clone()) {
            (Ok(ends), Some(connect)) => {
                let server = Server::new(ends, self.desk.now, self.desk.settings.active);
                self.link = Some(Link { reader: ReplyReader::default(), server });
                self.stage = Stage::Login(Login::new(connect));
                self.step(Input::Start);
            }
            (Ok(_), None) => self.hang_up(),
            (Err(fault), _) => self.on_unconnected(FailureKind::CannotConnect, &fault.0),
        }
    }

    pub(super) fn on_unconnected(&mut self, kind: FailureKind, why: &str) {
        let port = self.login.as_ref().map_or(0, |connect| connect.port);
        let host = if self.host().contains(':') { format!("[{}]", self.host()) } else { self.host().to_owned() };
        let failure = Failure::new(kind, format!("cannot connect to {host}:{port}: {why}"));
        // What never worked is a wrong address rather than a passing trouble.
        let again = self.was_up || self.retries > 0 || self.desk.settings.retry_first;
        self.deal_with(failure, again);
    }

    pub(super) fn on_control_received(&mut self, bytes: &[u8]) {
        if let Some(link) = &mut self.link {
            link.reader.push(bytes);
        }
        while !self.refuses_injected()
            && let Some(link) = &mut self.link
        {
            match link.reader.next_reply() {
                Ok(Some(reply)) => self.on_reply(reply),
                Ok(None) => return,
                Err(ReplyError::Malformed(line)) => {
                    self.protocol_failure(format!("{} does not speak FTP: {line:?}", self.host()), None);
                }
                Err(ReplyError::TooLong) => {
                    self.protocol_failure(format!("{} sends a reply without end", self.host()), None);
                }
            }
        }
    }

    pub(super) fn on_reply(&mut self, reply: Heard) {
        self.desk.note(ClientNote::Heard { reply: showable(&reply) });
        // RFC 959 4.2.2: 421 may answer any command, and comes unasked when the server shuts down.
        if reply.code == 421 && !matches!(self.stage, Stage::Quitting) {
            let what = format!("{} closes the connection", self.host());
            return self.lose(Failure::by_reply(FailureKind::CannotConnect, what, reply).with_hint(Hint::NotNow));
        }
        let preliminary = reply.class() == Class::Preliminary;
        match &self.stage {
            Stage::Login(_) | Stage::Asked | Stage::Representing { .. } | Stage::Quitting if preliminary => {}
            Stage::Representing { .. } => {
                if let Stage::Representing { code, then } = core::mem::replace(&mut self.stage, Stage::Asked) {
                    self.on_represented(code, *then, reply);
                }
            }
            Stage::Login(_) | Stage::Asked => self.step(Input::Reply(reply)),
            Stage::Data(job) if job.expects_reply() => {
                self.with_job(|job, desk, server| job.on_reply(desk, server, reply));
            }
            Stage::Quitting => self.end(Ok(Summary::Quit)),
            // What was not asked for would be taken for the next answer.
            Stage::Idle | Stage::Pausing => self.hang_up(),
            _ => self.protocol_failure(format!("{} answers what was not asked", self.host()), Some(reply)),
        }
    }

    pub(super) fn on_timeout(&mut self) {
        if self.desk.deadline_ms.is_none_or(|deadline_ms| self.desk.now.monotonic_ms < deadline_ms) {
            return;
        }
        let silent = Failure::new(FailureKind::TimedOut, format!("{} does not answer", self.host()));
        match &mut self.stage {
            Stage::Pausing => self.start(),
            Stage::Data(job) => {
                if !job.on_timeout(&mut self.desk) {
                    self.lose(silent);
                }
            }
            Stage::Quitting => self.end(Ok(Summary::Quit)),
            Stage::Opening if !self.was_up && self.retries == 0 => {
                self.give_up(silent, self.desk.settings.retry_first);
            }
            Stage::Idle | Stage::Ended => self.desk.wait_for_host(),
            _ => self.lose(silent),
        }
    }

    pub(super) fn lost(&self) -> Failure {
        Failure::new(FailureKind::CannotConnect, format!("the connection to {} was lost", self.host()))
    }

    /// The control connection is gone, or no good any more.
    pub(super) fn lose(&mut self, failure: Failure) {
        if let (Stage::Data(job), Some(Running::Work(work))) = (&self.stage, &mut self.call)
            && job.has_begun()
        {
            work.note_begun();
        }
        self.leave(failure, true);
    }

    /// Leaves the connection, with a failure where something was awaited.
    pub(super) fn leave(&mut self, failure: Failure, again: bool) {
        match self.stage {
            Stage::Idle | Stage::Pausing | Stage::Draining { .. } => self.hang_up(),
            Stage::Quitting => self.end(Ok(Summary::Quit)),
            _ => self.give_up(failure, again),
        }
    }

    pub(super) fn protocol_failure(&mut self, what: String, reply: Option<Heard>) {
        self.leave(Failure { reply, ..Failure::new(FailureKind::Protocol, what) }, false);
    }

    /// Leaves the connection. What is outstanding ends before the failure is dealt with.
    pub(super) fn give_up(&mut self, failure: Failure, again: bool) {
        self.hang_up();
        if self.desk.cancel() {
            self.desk.wait_for_host();
            self.stage = Stage::Draining { failure, again };
            return;
        }
        self.deal_with(failure, again);
    }

    pub(super) fn on_drained(&mut self, event: &ClientEvent) {
        if let ClientEvent::ControlConnected { outcome: Ok(_), .. } = event {
            self.desk.push(ClientAction::CloseControl);
        }
        if let Stage::Draining { failure, again } = core::mem::replace(&mut self.stage, Stage::Idle) {
            self.deal_with(failure, again);
        }
    }

    pub(super) fn deal_with(&mut self, failure: Failure, again: bool) {
        if again { self.back_off(failure) } else { self.finish(Err(failure)) }
    }

    pub(super) fn hang_up(&mut self) {
        if self.link.take().is_some() {
            self.desk.push(ClientAction::CloseControl);
        }
    }

    pub(super) fn host(&self) -> &str {
        self.login.as_ref().map_or("the server", |connect| &connect.host)
    }
}

/// A reply as it may be shown: the answer to SITE TOKEN is a secret.
fn showable(reply: &Heard) -> Heard {
    let is_token = reply.code == 213 && Token::parse(reply.text().trim()).is_some();
    if is_token { Heard { code: reply.code, lines: ["<secret>".to_owned()].into() } } else { reply.clone() }
}
