//! A new date for a storage path that is there: SITE CLAIM p token, where its maker comes again as nobody in particular;
//! then SETEXPIRY p date. A date that has come takes the path back.

use super::call::RedateOrder;
use super::failure::{Failure, FailureKind, Hint};
use super::place;
use super::reply_reader::{Class, Heard};
use super::server::{Known, Server};
use super::step::{Input, Next, Step};
use super::summary::{PathExpiry, Summary};
use crate::date::ExpiryDate;
use crate::wire::command::{Command, Secret};
use alloc::format;
use alloc::string::ToString;

/// A new date, as far as it has come.
#[derive(Debug)]
pub(super) struct Redate {
    order: RedateOrder,
    /// What the date was read as when it was sent. The server's word is asked for after it.
    sent: Option<PathExpiry>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Claiming,
    Dating,
    AskingDate,
}

impl Redate {
    /// A new date that has not been asked for.
    ///
    /// # Errors
    /// [`FailureKind::Unfit`], where the path or the date cannot be sent, or there is no path.
    pub(super) fn new(order: RedateOrder) -> Result<Self, Failure> {
        place::check_path(&order.storage_path)?;
        if order.storage_path.trim_matches('/').is_empty() || order.expiry_date.contains(char::is_control) {
            return Err(Failure::new(FailureKind::Unfit, "a date is set for a storage path"));
        }
        Ok(Self { order, sent: None, stage: Stage::Claiming })
    }

    fn ask(&mut self, stage: Stage, command: Command) -> Next {
        self.stage = stage;
        Next::Command(command)
    }

    fn start(&mut self, server: &Server) -> Next {
        if server.features.set_expiry == Known::No {
            return Next::Fail(Failure::new(FailureKind::ExpiryUnknown, "the server does not know SETEXPIRY"));
        }
        let path = self.order.storage_path.clone();
        match self.order.token {
            Some(token) => self.ask(Stage::Claiming, Command::SiteClaim { path, token: Secret(token.to_string()) }),
            None => self.date(server),
        }
    }

    fn date(&mut self, server: &Server) -> Next {
        let RedateOrder { storage_path: path, expiry_date, .. } = self.order.clone();
        self.sent = Some(match ExpiryDate::parse(&expiry_date, server.now) {
            Ok(ExpiryDate::At(utc_s)) => PathExpiry::At { utc_s },
            Ok(ExpiryDate::Never) => PathExpiry::Never,
            Err(_) => PathExpiry::Unknown,
        });
        self.ask(Stage::Dating, Command::Expiry { site: false, path, date: Some(expiry_date) })
    }

    fn on_claiming(&mut self, server: &Server, reply: Heard) -> Next {
        match reply.class() {
            Class::Done => self.date(server),
            _ if self.is_over(server, &reply) => self.finish(),
            _ => self.refused(FailureKind::Refused, reply, Hint::WrongToken),
        }
    }

    fn on_dating(&mut self, server: &Server, reply: Heard) -> Next {
        match reply.class() {
            Class::Done if self.has_come(server) => self.finish(),
            Class::Done => {
                self.stage = Stage::AskingDate;
                place::ask_expiry(server, &self.order.storage_path).unwrap_or_else(|| self.finish())
            }
            _ if self.is_over(server, &reply) => self.finish(),
            // RFC 959 4.2.2: unrecognized; not implemented; not for that parameter.
            _ if matches!(reply.code, 500 | 502 | 504) => {
                self.refused(FailureKind::ExpiryUnknown, reply, Hint::NotTheMaker)
            }
            _ if reply.code == 501 => self.refused(FailureKind::ExpiryRefused, reply, Hint::NotTheMaker),
            _ => self.refused(FailureKind::Refused, reply, Hint::NotTheMaker),
        }
    }

    fn refused(&self, kind: FailureKind, reply: Heard, hint: Hint) -> Next {
        let path = &self.order.storage_path;
        let kind = if reply.says("invalid storage path") { FailureKind::NoSuchPath } else { kind };
        let late = reply.says("latest expiry_date") || reply.says("must expire");
        let kind = if late { FailureKind::ExpiryRefused } else { kind };
        match place::refused(kind, &format!("cannot change the date of {path}"), reply) {
            Next::Fail(failure) if failure.kind == FailureKind::Refused => Next::Fail(failure.with_hint(hint)),
            next => next,
        }
    }

    /// Whether the date that was sent has come.
    fn has_come(&self, server: &Server) -> bool {
        matches!(self.sent, Some(PathExpiry::At { utc_s }) if utc_s <= server.now.utc_s)
    }

    /// Whether the reply to a date that had come was lost: it was taken, and now the path is gone.
    fn is_over(&self, server: &Server, reply: &Heard) -> bool {
        reply.says_expired() && self.has_come(server)
    }

    fn finish(&self) -> Next {
        let expiry = self.sent.unwrap_or_default();
        Next::Finish(Summary::Dated { storage_path: self.order.storage_path.clone(), expiry })
    }
}

impl Step for Redate {
    fn step(&mut self, server: &mut Server, input: Input) -> Next {
        match (input, self.stage) {
            (Input::Start, _) => self.start(server),
            (Input::Reply(reply), Stage::Claiming) => self.on_claiming(server, reply),
            (Input::Reply(reply), Stage::Dating) => self.on_dating(server, reply),
            (Input::Reply(reply), Stage::AskingDate) => {
                let told = place::expiry_of(&reply);
                self.sent = Some(told).filter(|told| *told != PathExpiry::Unknown).or(self.sent);
                self.finish()
            }
            _ => Next::Fail(Failure::new(FailureKind::Protocol, "a date needs no data")),
        }
    }
}
