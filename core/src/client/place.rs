//! What upload, download and view have in common: going to the storage path, its date, and what a broken transfer
//! means.

use super::failure::{Failure, FailureKind, Hint};
use super::order::Trouble;
use super::reply_reader::{Class, Heard};
use super::secure;
use super::server::{Place, Server};
use super::step::Next;
use super::summary::PathExpiry;
use crate::date;
use crate::wire::command::Command;
use alloc::borrow::ToOwned;
use alloc::format;

/// Checks that a path can be sent.
///
/// # Errors
/// [`FailureKind::Unfit`].
pub(super) fn check_path(path: &str) -> Result<(), Failure> {
    if path.contains(char::is_control) {
        return Err(Failure::new(FailureKind::Unfit, format!("{path:?} is no storage path")));
    }
    Ok(())
}

/// The command that goes to the storage path, or back to it; none where the session is there already.
pub(super) fn enter(server: &Server, path: &str) -> Option<Next> {
    match &server.place {
        Place::Below { root, base } if root == path => Some(Next::Command(Command::Cwd(base.clone()))),
        _ if path.is_empty() => None,
        Place::In(there) if there == path => None,
        _ => Some(Next::Command(Command::Cwd(path.to_owned()))),
    }
}

/// Reads the answer to CWD.
///
/// # Errors
/// What to do where it is no 250.
pub(super) fn entered(server: &mut Server, path: &str, reply: Heard) -> Result<(), Next> {
    if reply.class() == Class::Done {
        server.place = Place::In(path.to_owned());
        return Ok(());
    }
    Err(refused(FailureKind::NoSuchPath, &format!("cannot enter {path}"), reply))
}

/// The command that asks when a path expires, where the server takes it.
pub(super) fn ask_expiry(server: &Server, path: &str) -> Option<Next> {
    let asks = server.features.site_expiry && !path.is_empty();
    asks.then(|| Next::Command(Command::Expiry { site: true, path: path.to_owned(), date: None }))
}

/// Reads the answer to SITE EXPIRY (DESIGN 3): `213 20261225000000`, `213 never`. Any other tells nothing.
pub(super) fn expiry_of(reply: &Heard) -> PathExpiry {
    match (reply.code, reply.text().trim()) {
        (213, "never") => PathExpiry::Never,
        (213, text) => date::parse_time_val(text).map_or(PathExpiry::Unknown, |utc_s| PathExpiry::At { utc_s }),
        _ => PathExpiry::Unknown,
    }
}

/// The number of a 213 (RFC 3659 4).
pub(super) fn size_of(reply: &Heard) -> Option<u64> {
    if reply.code != 213 {
        return None;
    }
    reply.text().trim().parse().ok()
}

/// The time in a 213 (RFC 3659 3), UTC seconds.
pub(super) fn time_of(reply: &Heard) -> Option<i64> {
    if reply.code != 213 {
        return None;
    }
    date::parse_time_val(reply.text().trim())
}

/// What follows a refusal: later it may go (4yz), or never (5yz).
pub(super) fn refused(kind: FailureKind, what: &str, reply: Heard) -> Next {
    match reply.class() {
        Class::NotNow => {
            // That the server fails now says nothing about what is there.
            let kind = if kind == FailureKind::NoSuchPath { FailureKind::Refused } else { kind };
            let failure = Failure::by_reply(kind, what, reply);
            let failed = failure.kind == FailureKind::Refused;
            Next::Again(if failed { failure.with_hint(Hint::ServerTrouble) } else { failure })
        }
        Class::Never => Next::Fail(Failure::by_reply(kind, what, reply)),
        _ => Next::Fail(Failure { reply: Some(reply), ..Failure::new(FailureKind::Protocol, what) }),
    }
}

/// What follows a transfer that did not end well. `moved`: whether any byte went over.
pub(super) fn broken(what: &str, trouble: Trouble, moved: bool) -> Next {
    let because = |fault| format!("{what}: {fault}");
    match trouble {
        Trouble::Refused(reply) | Trouble::RestartRefused(reply) => {
            let kind = if moved || reply.code == 426 { FailureKind::Partial } else { FailureKind::Refused };
            refused(kind, what, reply)
        }
        Trouble::Unconnected(fault) => {
            let what = because(format!("no data connection ({})", fault.0));
            Next::Again(Failure::new(FailureKind::CannotConnect, what))
        }
        Trouble::Unresumed(reply) => {
            let what = because("the server wants the TLS session resumed, which it was as often as it can".to_owned());
            Next::Again(Failure { reply: Some(reply), ..Failure::new(FailureKind::Tls, what) })
        }
        Trouble::Insecure(fault) => secure::not_secured(what, fault),
        Trouble::Lost => {
            Next::Again(Failure::new(FailureKind::Partial, because("the data connection broke".to_owned())))
        }
        Trouble::TooMuch => {
            let what = because("the server sends more than it told".to_owned());
            Next::Again(Failure::new(FailureKind::Protocol, what))
        }
        Trouble::Local(fault) => Next::Fail(Failure::new(FailureKind::Local, because(fault.0))),
        Trouble::ListingTooLong => {
            Next::Fail(Failure::new(FailureKind::Protocol, because("the listing is too long".to_owned())))
        }
        Trouble::OutOfTurn(reply) => {
            Next::Fail(Failure { reply: Some(reply), ..Failure::new(FailureKind::Protocol, what) })
        }
    }
}
