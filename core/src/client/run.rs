//! Carrying out a call: begun, asked for its next step, tried again after a pause, finished.

use super::action::{ClientAction, ClientNote};
use super::call::{Call, ClientSettings};
use super::connect::check;
use super::data::DataJob;
use super::desk::{Awaited, Desk};
use super::download::Download;
use super::failure::{Failure, FailureKind};
use super::order::{DataOrder, Moved, What};
use super::redate::Redate;
use super::reply_reader::{Class, Heard};
use super::secure;
use super::server::{Known, Place, Server};
use super::step::{Input, Next, Step};
use super::summary::Summary;
use super::upload::Upload;
use super::view::View;
use super::walk::Walk;
use super::{Client, Link, Running, Stage};
use crate::limits;
use crate::wire::command::{Command, TypeCode};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};

impl Client {
    pub(super) fn begin(&mut self, call: Call) {
        (self.retries, self.retries_in_call, self.headway) = (0, 0, (0, 0));
        let work = match call {
            Call::Connect(connect) => {
                self.hang_up();
                if let Err(failure) = check(&connect) {
                    return self.finish(Err(failure));
                }
                self.login = Some(connect);
                self.call = Some(Running::Connect);
                return self.open();
            }
            Call::Quit => return self.quit(),
            Call::Upload(mut order) => {
                if order.standing.is_none() || !self.is_in(&order.storage_path) {
                    self.relocate(&mut order.storage_path);
                }
                Upload::new(order).map(boxed)
            }
            Call::Download(mut order) => {
                if !self.is_in(&order.storage_path) {
                    self.relocate(&mut order.storage_path);
                }
                Download::new(order).map(boxed)
            }
            Call::List(mut order) => {
                self.relocate(&mut order.path);
                Walk::new(order.path, order.recursive).map(boxed)
            }
            Call::Redate(mut order) => {
                self.relocate(&mut order.storage_path);
                Redate::new(order).map(boxed)
            }
            Call::View { mut storage_path } => {
                self.relocate(&mut storage_path);
                View::new(storage_path).map(boxed)
            }
        };
        match work {
            Ok(work) => {
                self.call = Some(Running::Work(work));
                self.start();
            }
            Err(failure) => self.finish(Err(failure)),
        }
    }

    /// Whether the session is there, by the words of the call before: one share of a tree after the other.
    fn is_in(&self, path: &str) -> bool {
        matches!(&self.link, Some(Link { server: Server { place: Place::In(there), .. }, .. }) if there == path)
    }

    /// A relative path is meant from the directory of the login, which an earlier call may have left.
    pub(super) fn relocate(&mut self, path: &mut String) {
        let Some(Link { server, .. }) = &mut self.link else { return };
        if server.place == Place::Login {
            return;
        }
        server.place = Place::Elsewhere;
        if path.starts_with('/') {
            return;
        }
        // Where paths expire, the login's directory is the root. Elsewhere only a new login leads back to it.
        match server.features.set_expiry {
            Known::Yes => path.insert(0, '/'),
            _ => self.hang_up(),
        }
    }

    pub(super) fn quit(&mut self) {
        self.call = Some(Running::Quit);
        if self.link.is_none() {
            return self.end(Ok(Summary::Quit));
        }
        self.desk.send(&Command::Quit);
        self.stage = Stage::Quitting;
    }

    /// Starts the call's work, or goes on with it: over the connection that stands, or a new one.
    pub(super) fn start(&mut self) {
        match (&self.link, &self.call) {
            (None, _) | (_, Some(Running::Connect)) => self.open(),
            _ => self.step(Input::Start),
        }
    }

    /// Tells the login or the call, and does what it wants next.
    pub(super) fn step(&mut self, input: Input) {
        let Some(Link { server, .. }) = &mut self.link else { return };
        if let Stage::Login(login) = &mut self.stage {
            let next = login.step(server, input);
            return self.go_on_with_login(next);
        }
        if let Some(Running::Work(work)) = &mut self.call {
            let next = work.step(server, input);
            self.go_on(next);
        }
    }

    pub(super) fn go_on_with_login(&mut self, next: Next) {
        match next {
            Next::Finish(summary) => {
                self.was_up = true;
                match self.call {
                    Some(Running::Work(_)) => {
                        self.stage = Stage::Asked;
                        self.step(Input::Start);
                    }
                    _ => self.finish(Ok(summary)),
                }
            }
            Next::Command(command) => self.desk.send(&command),
            Next::Secure => self.secure_control(),
            Next::Again(failure) => self.lose(failure),
            Next::Fail(failure) => {
                self.hang_up();
                self.finish(Err(failure));
            }
            _ => self.desk.wait(self.desk.settings.reply_ms_max),
        }
    }

    pub(super) fn go_on(&mut self, next: Next) {
        let Some(Link { server, .. }) = &mut self.link else { return };
        let desk = &mut self.desk;
        desk.names_are_bytes = server.names_are_bytes();
        if let Some(code) = represented_for(server, &next) {
            desk.send(&Command::Type(code));
            self.stage = Stage::Representing { code, then: Box::new(next) };
            return;
        }
        self.stage = match next {
            Next::Command(command) => {
                desk.send(&command);
                Stage::Asked
            }
            Next::Listen | Next::Secure => Stage::Asked,
            Next::Data(order) => {
                let reached = (order.file, order.offset_bytes);
                if reached > self.headway {
                    (self.headway, self.retries) = (reached, 0);
                }
                Stage::Data(DataJob::begin(order, desk, server))
            }
            Next::OpenSource(file) => {
                desk.ask(Awaited::Source, |id| ClientAction::OpenSource { id, file });
                desk.wait_for_host();
                Stage::Host
            }
            Next::OpenSink { name, size_bytes, modified_s, resume } => {
                let open = |id| ClientAction::OpenSink { id, name, size_bytes, modified_s, resume };
                desk.ask(Awaited::Sink, open);
                desk.wait_for_host();
                Stage::Host
            }
            Next::KeepSink { modified_s } => {
                desk.ask(Awaited::Kept, |id| ClientAction::KeepSink { id, modified_s });
                desk.wait_for_host();
                Stage::Host
            }
            Next::Finish(summary) => return self.finish(Ok(summary)),
            Next::Noting(note, then) => {
                desk.note(note);
                return self.go_on(*then);
            }
            Next::HandToken { storage_path, token, then } => {
                desk.push(ClientAction::HandToken { storage_path, token });
                return self.go_on(*then);
            }
            Next::Fail(failure) => return self.finish(Err(failure)),
            Next::Again(failure) => return self.back_off(failure),
        };
    }

    /// The reply to TYPE.
    pub(super) fn on_represented(&mut self, code: TypeCode, then: Next, reply: Heard) {
        let Some(Link { server, .. }) = &mut self.link else { return };
        match (reply.class(), code) {
            (Class::Done, _) => server.represented = code,
            (_, TypeCode::Ascii) => server.takes_ascii = false,
            // Whatever would be moved now could be garbled.
            _ => {
                let failure = Failure::by_reply(FailureKind::Refused, "the server moves no plain bytes", reply);
                return self.finish(Err(failure));
            }
        }
        self.go_on(then);
    }

    pub(super) fn with_job(&mut self, tell: impl FnOnce(&mut DataJob, &mut Desk, &mut Server) -> Option<Moved>) {
        let (Stage::Data(job), Some(link)) = (&mut self.stage, &mut self.link) else { return };
        if let Some(moved) = tell(job, &mut self.desk, &mut link.server) {
            let moved = secure::blame_resumption(&link.server, moved);
            self.step(Input::Data(moved));
        }
    }

    pub(super) fn back_off(&mut self, failure: Failure) {
        let ClientSettings { retries_max, back_off_ms, back_off_ms_max, .. } = self.desk.settings;
        let once = matches!(self.call, Some(Running::Connect)) && self.login.as_ref().is_some_and(|login| login.once);
        if once || self.retries >= retries_max || self.retries_in_call >= limits::CLIENT_RETRIES_MAX {
            return self.finish(Err(failure));
        }
        let after_ms = back_off_ms.checked_shl(self.retries).unwrap_or(u64::MAX).min(back_off_ms_max);
        self.renew_session();
        self.retries += 1;
        self.retries_in_call += 1;
        let because = failure.to_string();
        self.desk.note(ClientNote::Retrying { retry: self.retries, retries_max, after_ms, because });
        self.desk.wait(after_ms);
        self.stage = Stage::Pausing;
    }

    pub(super) fn finish(&mut self, outcome: Result<Summary, Failure>) {
        let outcome = match (outcome, &self.call) {
            (Err(failure), Some(Running::Work(work))) => Err(work.blame(failure)),
            (outcome, _) => outcome,
        };
        // After these nobody knows which reply comes next.
        if let Err(Failure { kind: FailureKind::Protocol | FailureKind::TimedOut, .. }) = &outcome {
            self.hang_up();
        }
        self.desk.wait_for_host();
        self.stage = Stage::Idle;
        self.call = None;
        self.desk.push(ClientAction::Finished { outcome });
    }

    pub(super) fn interrupt(&mut self) {
        let interrupted = Failure::new(FailureKind::Interrupted, "interrupted".to_owned());
        if self.call.is_some() {
            return self.end(Err(interrupted));
        }
        self.hang_up();
        self.stage = Stage::Ended;
        self.desk.push(ClientAction::Close);
    }

    pub(super) fn end(&mut self, outcome: Result<Summary, Failure>) {
        self.hang_up();
        self.finish(outcome);
        self.stage = Stage::Ended;
        self.desk.push(ClientAction::Close);
    }
}

/// The representation that has to be asked for before this step (RFC 959 3.1.1). A listing is text, and there are servers
/// that send it in their own character set unless they are asked for ASCII; a file is bytes, and so is its SIZE.
fn represented_for(server: &Server, next: &Next) -> Option<TypeCode> {
    let wanted = match next {
        Next::Data(DataOrder { command: Command::List(_) | Command::Nlst(_), .. }) => {
            let foreign = server.features.set_expiry != Known::Yes && server.takes_ascii;
            return (foreign && server.represented != TypeCode::Ascii).then_some(TypeCode::Ascii);
        }
        Next::Data(DataOrder { what: What::Send { .. } | What::Receive { .. }, .. })
        | Next::Command(Command::Size(_)) => TypeCode::Image,
        _ => return None,
    };
    (server.represented != wanted).then_some(wanted)
}

fn boxed(work: impl Step + Send + 'static) -> Box<dyn Step + Send> {
    Box::new(work)
}
