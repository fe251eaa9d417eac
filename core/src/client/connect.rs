//! Connect (seed): 220, OPTS UTF8 ON, USER, PASS; then what the client must know: FEAT, TYPE I.

use super::call::Connect;
use super::failure::{Failure, FailureKind};
use super::reply_reader::{Class, Heard};
use super::server::{Features, Known, Server};
use super::step::{Input, Next, Step};
use super::summary::Summary;
use crate::wire::command::{Command, Secret, TypeCode};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

/// A login, over a control connection that has just been made.
#[derive(Debug)]
pub(super) struct Login {
    as_whom: Connect,
    welcome: String,
    /// Whether the server took OPTS UTF8.
    speaks_utf8: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Greeting,
    Utf8,
    User,
    Password,
    Account,
    Features,
    /// OPTS UTF8 once more: before the login it was too early.
    Utf8Again,
    Image,
}

/// Checks that what names the user can be sent: a line end in it would begin another command.
///
/// # Errors
/// [`FailureKind::Unfit`], which repeats none of it.
pub(super) fn check(as_whom: &Connect) -> Result<(), Failure> {
    let Connect { user, password, account, .. } = as_whom;
    let secrets = [Some(password), account.as_ref()].into_iter().flatten().map(|secret| secret.0.as_str());
    if secrets.chain([user.as_str()]).any(|text| text.contains(['\r', '\n', '\0'])) {
        return Err(Failure::new(FailureKind::Unfit, "a line end can stand in no user name, password or account"));
    }
    Ok(())
}

impl Login {
    pub(super) fn new(as_whom: Connect) -> Self {
        Self { as_whom, welcome: String::new(), speaks_utf8: false, stage: Stage::Greeting }
    }

    fn ask(&mut self, stage: Stage) -> Next {
        self.stage = stage;
        Next::Command(match stage {
            Stage::Greeting => return Next::Listen,
            Stage::Utf8 | Stage::Utf8Again => Command::OptsUtf8(true),
            Stage::User => Command::User(self.as_whom.user.clone()),
            Stage::Password => Command::Pass(self.as_whom.password.clone()),
            Stage::Account => Command::Acct(self.as_whom.account.clone().unwrap_or(Secret(String::new()))),
            Stage::Features => Command::Feat,
            Stage::Image => Command::Type(TypeCode::Image),
        })
    }

    fn on_reply(&mut self, server: &mut Server, reply: Heard) -> Next {
        match (self.stage, reply.class()) {
            (Stage::Greeting, Class::Done) => {
                reply.text().clone_into(&mut self.welcome);
                self.ask(Stage::Utf8)
            }
            (Stage::Greeting, _) => self.refuse(FailureKind::CannotConnect, reply),
            // Names are sent as UTF-8 whatever the server says to that (RFC 2640 2.2).
            (Stage::Utf8, class) => {
                self.speaks_utf8 = class == Class::Done;
                self.ask(Stage::User)
            }
            (Stage::User, Class::GoOn) if reply.code == 331 => self.ask(Stage::Password),
            // RFC 959 5.4: 332 may answer either of the two; RFC 1123 4.1.2.13 wants a client that can say an account.
            (Stage::User | Stage::Password, Class::GoOn) if reply.code == 332 && self.as_whom.account.is_some() => {
                self.ask(Stage::Account)
            }
            (Stage::User | Stage::Password | Stage::Account, Class::Done) => self.ask(Stage::Features),
            (Stage::User | Stage::Password | Stage::Account, _) => self.refuse(FailureKind::LoginRefused, reply),
            (Stage::Features, class) => {
                if class == Class::Done {
                    server.features = Features::read(&reply);
                }
                let again = server.features.utf8 == Known::Yes && !self.speaks_utf8;
                self.ask(if again { Stage::Utf8Again } else { Stage::Image })
            }
            (Stage::Utf8Again, _) => self.ask(Stage::Image),
            // RFC 959 3.1.1: a session begins in TYPE A elsewhere. Sizes are checked where that is refused.
            (Stage::Image, _) => Next::Finish(Summary::Connected { welcome: self.welcome.clone() }),
        }
    }

    fn refuse(&self, kind: FailureKind, reply: Heard) -> Next {
        let class = reply.class();
        let what = match self.stage {
            Stage::Greeting => format!("{} does not serve now", self.as_whom.host),
            _ => format!("{} does not let {} in", self.as_whom.host, self.as_whom.user),
        };
        let failure = Failure::by_reply(kind, what, reply);
        if class == Class::NotNow { Next::Again(failure) } else { Next::Fail(failure) }
    }
}

impl Step for Login {
    fn step(&mut self, server: &mut Server, input: Input) -> Next {
        match input {
            Input::Start => self.ask(Stage::Greeting),
            Input::Reply(reply) => self.on_reply(server, reply),
            _ => Next::Fail(Failure::new(FailureKind::Protocol, "the login needs no data".to_owned())),
        }
    }
}
