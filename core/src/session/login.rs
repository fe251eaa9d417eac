//! USER and PASS, and what needs a login.

use super::Session;
use super::data::Setup;
use super::state::{Awaited, End, Flow, Verifying, Wait};
use crate::action::{Action, LoginMethod, Note, Proof};
use crate::error::LoginError;
use crate::record::ANONYMOUS;
use crate::time::Now;
use crate::user::Account;
use crate::wire::command::Secret;
use crate::wire::command::row::{Login as Access, Row};
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::mem;
use core::ops::ControlFlow::{Break, Continue};

/// Who the session is logged in as, or how far it is on the way there.
#[derive(Debug)]
pub(super) enum Login {
    /// Nobody yet.
    Out {
        /// The last USER, until its PASS.
        user: Option<String>,
        /// When it must be done, on the monotonic clock, milliseconds.
        until_ms: u64,
    },
    /// This account; boxed, for whoever is not logged in yet is small.
    In(Box<Account>),
}

impl Login {
    /// Whether a user is named and the password is to come.
    pub(super) fn awaits_password(&self) -> bool {
        matches!(self, Self::Out { user: Some(_), .. })
    }

    /// The account, where there is one.
    pub(super) fn account(&self) -> Option<&Account> {
        match self {
            Self::Out { .. } => None,
            Self::In(account) => Some(account),
        }
    }
}

impl Session {
    /// Refuses what needs a login, before one.
    pub(super) fn admit(&self, row: &Row) -> Flow<()> {
        let open = row.login == Access::NotNeeded || self.account().is_some();
        if open { Continue(()) } else { Break(Reply::new(530, text::LOGIN_REQUIRED)) }
    }

    pub(super) fn user(&mut self, now: Now, name: String) -> Flow {
        self.need_tls_to_log_in()?;
        let certificate = self.channel.certificate().filter(|_| self.settings.named_users).map(ToOwned::to_owned);
        match (&mut self.login, certificate) {
            // RFC 4217 5.2: whom the certificate names needs no password.
            (Login::Out { user, .. }, Some(subject)) if owner_of(&name) != ANONYMOUS => {
                *user = Some(name.clone());
                self.verify(now, name, Proof::Certificate { subject })
            }
            (Login::Out { user, .. }, _) => {
                *user = Some(name);
                Break(Reply::new(331, text::SPECIFY_PASSWORD))
            }
            (Login::In(account), _) if account.name == owner_of(&name) => Break(Reply::new(331, text::ANY_PASSWORD)),
            (Login::In(account), _) if account.name == ANONYMOUS => Break(Reply::new(530, text::NO_CHANGE_FROM_GUEST)),
            (Login::In(_), _) => Break(Reply::new(530, text::NO_CHANGE_TO_OTHER)),
        }
    }

    /// Any password does for an anonymous client, so it is not even looked at.
    pub(super) fn pass(&mut self, now: Now, password: Secret) -> Flow {
        let Login::Out { user, .. } = &mut self.login else {
            return Break(Reply::new(230, text::ALREADY_LOGGED_IN));
        };
        let Some(user) = mem::take(user) else {
            return Break(Reply::new(503, text::USER_FIRST));
        };
        match self.settings.anonymous_rights {
            Some(rights) if owner_of(&user) == ANONYMOUS => Break(self.let_in(user, Account::anonymous(rights), 230)),
            _ if self.settings.named_users && owner_of(&user) != ANONYMOUS => {
                self.verify(now, user, Proof::Password { password })
            }
            _ => self.login_failed(now, user),
        }
    }

    fn verify(&mut self, now: Now, user: String, proof: Proof) -> Flow {
        let id = self.fresh_id();
        let by_certificate = matches!(proof, Proof::Certificate { .. });
        self.push(Action::VerifyLogin { id, user: user.clone(), proof, peer: self.peer.ip() });
        Session::wait_for(id, Awaited::Verified(Box::new(Verifying { user, by_certificate, began: now })))
    }

    pub(super) fn verified(&mut self, verifying: Verifying, outcome: Result<Box<Account>, LoginError>) -> Flow {
        match outcome {
            // RFC 4217 5.2: 232 says that no password is needed.
            Ok(account) => {
                Break(self.let_in(verifying.user, *account, if verifying.by_certificate { 232 } else { 230 }))
            }
            Err(LoginError::Refused) if verifying.by_certificate => Break(Reply::new(331, text::SPECIFY_PASSWORD)),
            // Counted from when the password came: how long it took to be checked does not show.
            Err(LoginError::Refused) => self.login_failed(verifying.began, verifying.user),
            Err(LoginError::Busy | LoginError::Failed) => {
                self.ending = Some(End::Logins);
                Break(Reply::new(421, text::LOGIN_UNAVAILABLE))
            }
        }
    }

    fn let_in(&mut self, user: String, account: Account, code: u16) -> Reply {
        let method = match code {
            232 => LoginMethod::Certificate,
            _ if account.name == ANONYMOUS => LoginMethod::Anonymous,
            _ => LoginMethod::Password,
        };
        self.place.directory = account.home.clone();
        self.login = Login::In(Box::new(account));
        self.note(Note::LoggedIn { user, method });
        Reply::new(code, text::LOGIN_SUCCESSFUL)
    }

    /// ACCT: who is logged in needs no account, and before that it is out of order (RFC 959 5.4: 202, 503).
    pub(super) fn acct(&self) -> Reply {
        match self.login {
            Login::In(_) => Reply::new(202, text::ACCOUNT_SUPERFLUOUS),
            Login::Out { .. } => Reply::new(503, text::USER_FIRST),
        }
    }

    /// REIN (RFC 959 4.1.1): all is as it was after the greeting, but for what belongs to the connection. What is named
    /// here stays, and failed logins are among it, or the bound on them would be none; all else is new.
    pub(super) fn rein(&mut self, now: Now) -> Reply {
        // RFC 4217 11 would have the connection fall back to clear, and whoever sits between could ask for that.
        if self.channel.is_secured() {
            return Reply::new(503, text::NO_REIN_UNDER_TLS);
        }
        self.begin_anew(now);
        Reply::new(220, text::READY_AGAIN)
    }

    /// All that was said counts no more.
    pub(super) fn begin_anew(&mut self, now: Now) {
        if self.data.setup == Setup::Passive {
            self.push(Action::CloseData);
        }
        if self.account().is_some() {
            self.note(Note::LoggedOut);
        }
        let fresh = Self::new(Arc::clone(&self.settings), self.peer, self.local);
        let old = mem::replace(self, fresh);
        self.own = old.own;
        self.channel = old.channel;
        self.state = old.state;
        self.ending = old.ending;
        self.actions = old.actions;
        self.last_id = old.last_id;
        self.input = old.input;
        self.form = old.form;
        self.entry = old.entry;
        self.failed_logins = old.failed_logins;
        self.failed_elsewhere = old.failed_elsewhere;
        self.ends_ms = old.ends_ms;
        self.reply_room = old.reply_room;
        self.resumes = old.resumes;
        self.expect_login(now);
    }

    /// From now on the time to log in runs.
    pub(super) fn expect_login(&mut self, now: Now) {
        self.since_ms = now.monotonic_ms;
        let until_ms = now.monotonic_ms.saturating_add(self.settings.login_ms_max);
        self.login = Login::Out { user: None, until_ms };
    }

    /// An unknown user and a wrong password look the same and take the same: a delay that doubles each time, also where
    /// the peer comes again.
    fn login_failed(&mut self, now: Now, user: String) -> Flow {
        self.note(Note::LoginFailed { user });
        let failed_before = self.failed_logins.saturating_add(self.failed_elsewhere.into());
        let doubled = 1_u64.checked_shl(failed_before).unwrap_or(u64::MAX);
        let delay_ms = self.settings.login_delay_ms.saturating_mul(doubled).min(self.settings.login_delay_ms_max);
        self.failed_logins = self.failed_logins.saturating_add(1);
        if self.failed_logins >= self.settings.login_attempts_max {
            self.ending = Some(End::Logins);
        }
        let at_ms = now.monotonic_ms.saturating_add(delay_ms);
        Continue(Wait::Until { at_ms, reply: Reply::new(530, text::LOGIN_INCORRECT) })
    }
}

/// RFC 1635 2: `ftp` means the anonymous user too. Names are compared without regard to case, as clients send both.
fn owner_of(name: &str) -> &str {
    let anonymous = name.eq_ignore_ascii_case(ANONYMOUS) || name.eq_ignore_ascii_case("ftp");
    if anonymous { ANONYMOUS } else { name }
}
