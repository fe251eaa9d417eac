//! USER and PASS, and what needs a login.

use super::Session;
use super::state::{End, Flow, Wait};
use crate::action::Note;
use crate::record::ANONYMOUS;
use crate::time::Now;
use crate::user::Account;
use crate::wire::command::row::{Login as Access, Row};
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::string::String;
use core::mem;
use core::ops::ControlFlow::{Break, Continue};

/// Who the session is logged in as, or how far it is on the way there.
#[derive(Debug)]
pub(super) enum Login {
    /// Nobody yet.
    Out {
        /// The last USER, until its PASS.
        user: Option<String>,
        /// Logins that failed.
        failures: u32,
        /// When it must be done, on the monotonic clock, milliseconds.
        until_ms: u64,
    },
    /// This account.
    In(Account),
}

impl Login {
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

    pub(super) fn user(&mut self, name: String) -> Reply {
        match &mut self.login {
            Login::Out { user, .. } => {
                *user = Some(name);
                Reply::new(331, text::SPECIFY_PASSWORD)
            }
            Login::In(account) if account.name == owner_of(&name) => Reply::new(331, text::ANY_PASSWORD),
            Login::In(account) if account.name == ANONYMOUS => Reply::new(530, text::NO_CHANGE_FROM_GUEST),
            Login::In(_) => Reply::new(530, text::NO_CHANGE_TO_OTHER),
        }
    }

    /// Any password does for an anonymous client, so it is not even looked at.
    pub(super) fn pass(&mut self, now: Now) -> Flow {
        let Login::Out { user, .. } = &mut self.login else {
            return Break(Reply::new(230, text::ALREADY_LOGGED_IN));
        };
        let Some(user) = mem::take(user) else {
            return Break(Reply::new(503, text::USER_FIRST));
        };
        match self.settings.anonymous_rights {
            Some(rights) if owner_of(&user) == ANONYMOUS => {
                self.login = Login::In(Account::anonymous(rights));
                self.note(Note::LoggedIn { user });
                Break(Reply::new(230, text::LOGIN_SUCCESSFUL))
            }
            _ => self.login_failed(now, user),
        }
    }

    /// An unknown user and a wrong password look the same and take the same: a delay that doubles each time.
    fn login_failed(&mut self, now: Now, user: String) -> Flow {
        self.note(Note::LoginFailed { user });
        let Login::Out { failures, .. } = &mut self.login else {
            return Break(Reply::new(530, text::LOGIN_INCORRECT));
        };
        let doubled = 1_u64.checked_shl(*failures).unwrap_or(u64::MAX);
        *failures = failures.saturating_add(1);
        if *failures >= self.settings.login_attempts_max {
            self.ending = Some(End::Logins);
        }
        let at_ms = now.monotonic_ms.saturating_add(self.settings.login_delay_ms.saturating_mul(doubled));
        Continue(Wait::Until { at_ms, reply: Reply::new(530, text::LOGIN_INCORRECT) })
    }
}

/// RFC 1635 2: `ftp` means the anonymous user too. Names are compared without regard to case, as clients send both.
fn owner_of(name: &str) -> &str {
    let anonymous = name.eq_ignore_ascii_case(ANONYMOUS) || name.eq_ignore_ascii_case("ftp");
    if anonymous { ANONYMOUS } else { name }
}
