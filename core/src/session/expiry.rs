//! SETEXPIRY, SITE EXPIRY, SITE TOKEN, SITE CLAIM.

use super::state::{Deed, Doing, Flow, Purpose, Subject};
use super::{Session, access};
use crate::action::{Note, PathChange, StorageRequest};
use crate::date::{self, DateError, ExpiryDate};
use crate::error::StorageError;
use crate::expiry::{self, Judgement, Limit};
use crate::path::VirtualPath;
use crate::record::{FileKind, PathState, Record, Token};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::format;
use alloc::string::ToString;
use core::ops::ControlFlow::{Break, Continue};

impl Session {
    /// SETEXPIRY, and SITE EXPIRY with or without a date.
    pub(super) fn expiry(&mut self, now: Now, site: bool, argument: &str, date: Option<&str>) -> Flow {
        let Some(date) = date else {
            let path = self.named(argument, text::EXPIRY_UNKNOWN)?;
            return self.check(path, Purpose::AskExpiry);
        };
        let date = match ExpiryDate::parse(date, now) {
            Ok(date) => date,
            Err(DateError::Malformed) => return Break(Reply::new(501, text::DATE_MALFORMED)),
            Err(DateError::Past) => return Break(Reply::new(501, text::DATE_PAST)),
        };
        let path = self.named(argument, text::EXPIRY_FAILED)?;
        self.check(path, Purpose::SetExpiry { site, date })
    }

    pub(super) fn set_expiry_checked(
        &mut self,
        now: Now,
        subject: Subject,
        state: &PathState,
        site: bool,
        date: ExpiryDate,
    ) -> Flow {
        // An expired path is never extended: it is refused here.
        let record = self.own_record(now, &subject.path, state, text::EXPIRY_FAILED)?;
        self.permit(Right::Expiry, &state.records)?;
        let above = expiry::above(&state.records, &subject.path);
        let expiry_s = match expiry::allowed(date, self.expiry_rules(), above, now) {
            Ok(expiry_s) => expiry_s,
            Err(limit) => return Break(beyond(limit)),
        };
        let judged = record.clone();
        let request = StorageRequest::SetExpiry { path: subject.path.clone(), judged, expiry_s };
        self.change(Doing { subject, deed: Deed::SetExpiry { site, date, expiry_s } }, request)
    }

    pub(super) fn expiry_set(
        &mut self,
        subject: Subject,
        site: bool,
        date: ExpiryDate,
        expiry_s: Option<i64>,
        outcome: Result<(), StorageError>,
    ) -> Flow {
        if let Err(error) = outcome {
            return self.start_over(subject, Purpose::SetExpiry { site, date }, error);
        }
        self.notify(PathChange::Expires { path: subject.path.clone(), expiry_s });
        self.note(Note::ExpirySet { path: subject.path, expiry_s });
        // The seed's 000; 200 for clients that hold it for no final reply.
        Break(Reply::new(if site { 200 } else { 0 }, text::EXPIRY_SET))
    }

    pub(super) fn ask_expiry_checked(&self, now: Now, path: &VirtualPath, state: &PathState) -> Flow {
        // Of a file, which nobody dates, it tells when that goes.
        if !matches!(expiry::judge(state, now), Judgement::Live(info) if info.kind == FileKind::File) {
            storage_path(now, path, state, text::EXPIRY_UNKNOWN)?;
        }
        self.permit(Right::List, &state.records)?;
        let expiry_s = expiry::effective_of(state);
        Break(Reply::new(213, expiry_s.map_or_else(|| text::NEVER.to_string(), date::time_val)))
    }

    pub(super) fn site_token(&mut self, argument: &str) -> Flow {
        let path = self.named(argument, text::TOKEN_FAILED)?;
        self.check(path, Purpose::Token)
    }

    pub(super) fn token_checked(&mut self, now: Now, path: &VirtualPath, state: &PathState) -> Flow {
        let token = self.own_record(now, path, state, text::TOKEN_FAILED)?.token;
        self.note(Note::TokenTold { path: path.clone() });
        Break(Reply::new(213, token.to_string()))
    }

    pub(super) fn site_claim(&mut self, argument: &str, token: &str) -> Flow {
        let path = self.named(argument, text::CLAIM_FAILED)?;
        self.check(path, Purpose::Claim { token: Token::parse(token) })
    }

    pub(super) fn claim_checked(
        &mut self,
        now: Now,
        path: &VirtualPath,
        state: &PathState,
        token: Option<Token>,
    ) -> Flow {
        let record = storage_path(now, path, state, text::CLAIM_FAILED)?;
        // A malformed token is as wrong as a wrong one.
        if !token.is_some_and(|token| token.matches(&record.token)) {
            return Break(Reply::new(550, text::CLAIM_FAILED).with_detail(text::WRONG_TOKEN));
        }
        self.claim(record.token);
        self.note(Note::Claimed { path: path.clone() });
        Break(Reply::new(200, text::CLAIM_OK))
    }

    /// The path that an argument names; one that nobody may name is refused as one that is not there.
    fn named(&self, argument: &str, failure: &'static str) -> Flow<VirtualPath> {
        match self.resolve(argument) {
            Ok(path) => Continue(path),
            Err(_) => Break(no_storage_path(failure)),
        }
    }

    /// The record of a storage path that is the session's own, made or claimed.
    fn own_record<'a>(
        &self,
        now: Now,
        path: &VirtualPath,
        state: &'a PathState,
        failure: &'static str,
    ) -> Flow<&'a Record> {
        let record = storage_path(now, path, state, failure)?;
        if self.owns(record) {
            return Continue(record);
        }
        Break(Reply::new(550, failure).with_detail(text::NOT_OWNED))
    }
}

/// The record of a directory that a client made, and that lives.
fn storage_path<'a>(now: Now, path: &VirtualPath, state: &'a PathState, failure: &'static str) -> Flow<&'a Record> {
    if expiry::judge(state, now) == Judgement::Missing {
        return Break(no_storage_path(failure));
    }
    let info = access::living(now, state, failure)?;
    match expiry::own(&state.records, path) {
        Some(record) if info.kind == FileKind::Directory => Continue(record),
        _ => Break(Reply::new(550, failure).with_detail(text::NOT_STORAGE_PATH)),
    }
}

fn no_storage_path(failure: &'static str) -> Reply {
    Reply::new(550, failure).with_detail(text::INVALID_STORAGE_PATH)
}

/// DESIGN 4: never silently clamped, so the detail names the limit.
fn beyond(limit: Limit) -> Reply {
    let reply = Reply::new(550, text::EXPIRY_FAILED);
    match limit {
        Limit::Latest(latest_s) => reply.with_detail(format!("Latest expiry_date is {}", date::time_val(latest_s))),
        Limit::MustExpire => reply.with_detail(text::MUST_EXPIRE),
    }
}
