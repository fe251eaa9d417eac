//! Connect (seed): 220, OPTS UTF8 ON, USER, PASS; then what the client must know: FEAT, TYPE I. With TLS, AUTH, PBSZ and
//! PROT come right after 220 (RFC 4217 12), so that neither name nor password ever goes in clear.

use super::call::{Connect, Tls};
use super::failure::{Failure, FailureKind, Hint};
use super::reply_reader::{Class, Heard};
use super::secure;
use super::server::{Features, Known, Server};
use super::step::{Input, Next, Step};
use super::summary::Summary;
use crate::wire::command::{Command, ProtectionLevel, Secret, TypeCode};
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
    /// TLS before the greeting.
    SecuringFirst,
    Greeting,
    /// AUTH TLS.
    Agreeing,
    Securing,
    /// PBSZ.
    Sizing,
    /// PROT P.
    Protecting,
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

    /// Whether the server has nothing to say before the handshake is done.
    pub(super) fn is_securing(&self) -> bool {
        matches!(self.stage, Stage::SecuringFirst | Stage::Securing)
    }

    fn ask(&mut self, stage: Stage) -> Next {
        self.stage = stage;
        Next::Command(match stage {
            Stage::Greeting => return Next::Listen,
            Stage::SecuringFirst | Stage::Securing => return Next::Secure,
            Stage::Agreeing => Command::Auth("TLS".to_owned()),
            // RFC 4217 9: it has to come before PROT, and TLS needs no other size.
            Stage::Sizing => Command::Pbsz(0),
            Stage::Protecting => Command::Prot(ProtectionLevel::Private),
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
                self.ask(match self.as_whom.tls {
                    Tls::None => Stage::Utf8,
                    Tls::Explicit => Stage::Agreeing,
                    Tls::Implicit => Stage::Sizing,
                })
            }
            // RFC 4217 4: 234 alone agrees; where it does not come, nothing more is said.
            (Stage::Agreeing, Class::Done) if reply.code == 234 => self.ask(Stage::Securing),
            (Stage::Sizing, Class::Done) => self.ask(Stage::Protecting),
            (Stage::Protecting, Class::Done) => {
                server.private_as = Some(self.as_whom.host.clone());
                self.ask(Stage::Utf8)
            }
            (Stage::Agreeing | Stage::Sizing | Stage::Protecting, _) => self.refuse(FailureKind::Tls, reply),
            (Stage::SecuringFirst | Stage::Securing, _) => {
                Next::Fail(Failure::new(FailureKind::Tls, "the server speaks before TLS stands"))
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
            Stage::Agreeing => format!("{} does not speak TLS here", self.as_whom.host),
            Stage::Sizing | Stage::Protecting => format!("{} does not secure data connections", self.as_whom.host),
            _ => format!("{} does not let {} in", self.as_whom.host, self.as_whom.user),
        };
        let failure = match kind {
            // 530 answers who has not logged in; it is no refusal of this user.
            FailureKind::Tls => Failure { reply: Some(reply), ..Failure::new(kind, what) }.with_hint(Hint::NoTls),
            FailureKind::LoginRefused if self.as_whom.tls.is_none() && wants_tls(&reply) => {
                Failure::by_reply(kind, what, reply).with_hint(Hint::WantsTls)
            }
            _ => Failure::by_reply(kind, what, reply),
        };
        if class == Class::NotNow { Next::Again(failure) } else { Next::Fail(failure) }
    }
}

/// Servers that let nobody in in clear say so in words of their own, with many codes.
fn wants_tls(reply: &Heard) -> bool {
    ["tls", "ssl", "encrypt", "secure"].iter().any(|word| reply.says(word))
}

impl Step for Login {
    fn step(&mut self, server: &mut Server, input: Input) -> Next {
        match input {
            Input::Start if self.as_whom.tls == Tls::Implicit => self.ask(Stage::SecuringFirst),
            Input::Start => self.ask(Stage::Greeting),
            Input::Secured(Ok(_)) if matches!(self.stage, Stage::SecuringFirst) => self.ask(Stage::Greeting),
            Input::Secured(Ok(_)) => self.ask(Stage::Sizing),
            Input::Secured(Err(fault)) => {
                secure::not_secured(&format!("cannot secure the connection to {}", self.as_whom.host), fault)
            }
            Input::Reply(reply) => self.on_reply(server, reply),
            _ => Next::Fail(Failure::new(FailureKind::Protocol, "the login needs no data".to_owned())),
        }
    }
}
