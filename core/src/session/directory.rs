//! CWD, CDUP, PWD, MKD, RMD.

use super::state::{Awaited, Deed, Doing, Drawing, Flow, Making, Purpose, Subject};
use super::{Session, access, refuse};
use crate::action::{Action, Note, PathChange, StorageRequest};
use crate::error::StorageError;
use crate::expiry::{self, Judgement};
use crate::limits;
use crate::path::VirtualPath;
use crate::record::{FileKind, PathState, Record, RecordAt, Token};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::ops::ControlFlow::Break;

/// Where a session is.
#[derive(Debug)]
pub(super) struct Place {
    /// The working directory; it may have expired meanwhile.
    pub(super) directory: VirtualPath,
    /// The argument of the last CWD that succeeded.
    pub(super) last_argument: Option<String>,
}

impl Session {
    pub(super) fn pwd(&self) -> Reply {
        Reply::new(257, format!("{} is the current directory", quoted(&self.place.directory)))
    }

    pub(super) fn cwd(&mut self, argument: String) -> Flow {
        match self.resolve(&argument) {
            Ok(path) => self.check(path, Purpose::Cwd { argument }),
            Err(_) => Break(no_such_directory()),
        }
    }

    pub(super) fn cwd_checked(&mut self, now: Now, path: VirtualPath, state: &PathState, argument: String) -> Flow {
        match expiry::judge(state, now) {
            Judgement::Live(info) if info.kind == FileKind::Directory => {
                self.place = Place { directory: path, last_argument: Some(argument) };
                Break(Reply::new(250, text::CWD_OK))
            }
            Judgement::Expired => Break(refuse::expired(text::CWD_FAILED)),
            _ => Break(no_such_directory()),
        }
    }

    /// DESIGN 4: from a path that has expired, CDUP goes to the nearest ancestor that lives.
    pub(super) fn cdup(&mut self) -> Flow {
        let directory = &self.place.directory;
        let above = if self.is_top(directory) { directory.clone() } else { directory.parent() };
        self.climb_to(above)
    }

    fn climb_to(&mut self, path: VirtualPath) -> Flow {
        if self.is_top(&path) {
            return self.climbed(path);
        }
        self.check(path, Purpose::Cdup)
    }

    pub(super) fn cdup_checked(&mut self, now: Now, path: VirtualPath, state: &PathState) -> Flow {
        match expiry::judge(state, now) {
            Judgement::Live(info) if info.kind == FileKind::Directory => self.climbed(path),
            _ => self.climb_to(path.parent()),
        }
    }

    fn climbed(&mut self, path: VirtualPath) -> Flow {
        self.place = Place { directory: path, last_argument: None };
        Break(Reply::new(250, text::CWD_OK))
    }

    pub(super) fn mkd(&mut self, argument: &str) -> Flow {
        match self.resolve(argument) {
            Ok(path) if !path.is_root() => self.check(path, Purpose::Mkd { token: None }),
            _ => Break(Reply::new(550, text::MKD_FAILED)),
        }
    }

    pub(super) fn mkd_checked(&mut self, now: Now, subject: Subject, token: Option<Token>, state: &PathState) -> Flow {
        let above = expiry::above(&state.records, &subject.path);
        if expiry::is_expired(expiry::effective(above), now.utc_s) {
            return Break(refuse::expired(text::MKD_FAILED));
        }
        let own = expiry::own(&state.records, &subject.path);
        let expired = own.is_some_and(|record| expiry::is_expired(record.expiry_s, now.utc_s));
        match (&state.target, state.tombstone) {
            // DESIGN 4: MKD of a path that has expired succeeds at once, with a fresh empty one.
            (Some(_), _) if expired => self.make(now, subject, token, above, own.cloned()),
            // So does it where a file has expired by a date of its own.
            (Some(_), _) if expiry::judge_name(state, now) == Judgement::Missing => {
                self.make(now, subject, token, above, None)
            }
            (Some(_), _) => Break(Reply::new(550, text::MKD_FAILED)),
            (None, Some(_)) => {
                let parent = subject.path.parent();
                self.check(parent, Purpose::MkdParent { child: subject, token })
            }
            (None, None) => self.make(now, subject, token, above, None),
        }
    }

    /// The path has a tombstone. A tombstone answers for everything beneath it, so it is the path's own only where the
    /// parent lives.
    pub(super) fn mkd_parent_checked(
        &mut self,
        now: Now,
        subject: Subject,
        token: Option<Token>,
        state: &PathState,
    ) -> Flow {
        access::living_directory(now, state, text::MKD_FAILED)?;
        self.make(now, subject, token, &state.records, None)
    }

    fn make(
        &mut self,
        now: Now,
        subject: Subject,
        token: Option<Token>,
        above: &[RecordAt],
        replaces: Option<Record>,
    ) -> Flow {
        self.permit(Right::Write, above)?;
        let expiry_s = expiry::initial(self.expiry_rules(), above, now);
        let making = Making { subject, expiry_s, replaces };
        if let Some(token) = token {
            return self.made_with(now, making, token);
        }
        let id = self.fresh_id();
        self.push(Action::DrawRandom { id });
        Session::wait_for(id, Awaited::Drawn(Box::new(Drawing::Making(making))))
    }

    /// The token is drawn: the directory and its record are made in one step.
    pub(super) fn made_with(&mut self, now: Now, making: Making, token: Token) -> Flow {
        let Making { subject, expiry_s, replaces } = making;
        let owner = self.account().map(|account| account.name.clone()).unwrap_or_default();
        let record = Record { version: 1, owner, created_s: now.utc_s, expiry_s, token };
        let deed = Deed::Make { token, expiry_s, replaces: replaces.is_some() };
        let quota = self.quota_at(&subject.path);
        let request = StorageRequest::MakeDirectory { path: subject.path.clone(), record, replaces, quota };
        self.change(Doing { subject, deed }, request)
    }

    pub(super) fn made(
        &mut self,
        subject: Subject,
        token: Token,
        expiry_s: Option<i64>,
        replaces: bool,
        outcome: Result<(), StorageError>,
    ) -> Flow {
        match outcome {
            Ok(()) => {}
            Err(error) => {
                // Somebody made it between the check and the step: look again what stands there now.
                let error = if error == StorageError::Exists { StorageError::Changed } else { error };
                return self.start_over(subject, Purpose::Mkd { token: Some(token) }, error);
            }
        }
        self.claim(token);
        let path = subject.path;
        let text = format!("{} created", quoted(&path));
        self.note(Note::Made { path: path.clone() });
        if replaces {
            self.notify(PathChange::Trashed);
        }
        // What was replaced may still be in the reaper's index.
        if replaces || expiry_s.is_some() {
            self.notify(PathChange::Expires { path, expiry_s });
        }
        Break(Reply::new(257, text))
    }

    pub(super) fn rmd(&mut self, argument: &str) -> Flow {
        let path = self.looked_up(argument, text::RMD_FAILED)?;
        if self.is_top(&path) {
            return Break(Reply::new(550, text::RMD_FAILED));
        }
        self.check(path, Purpose::Rmd)
    }

    pub(super) fn rmd_checked(&mut self, now: Now, subject: Subject, state: &PathState) -> Flow {
        access::living_directory(now, state, text::RMD_FAILED)?;
        self.permit(Right::Delete, &state.records)?;
        let judged = expiry::own(&state.records, &subject.path).cloned();
        let request = StorageRequest::RemoveDirectory { path: subject.path.clone(), judged };
        self.change(Doing { subject, deed: Deed::RemoveDirectory }, request)
    }

    pub(super) fn directory_removed(&mut self, subject: Subject, outcome: Result<(), StorageError>) -> Flow {
        match outcome {
            Ok(()) => {
                self.note(Note::Removed { path: subject.path.clone() });
                self.notify(PathChange::Removed { path: subject.path });
                self.notify(PathChange::Trashed);
                Break(Reply::new(250, text::RMD_OK))
            }
            Err(error) => self.start_over(subject, Purpose::Rmd, error),
        }
    }

    /// Remembers a storage path as this session's own; the oldest is forgotten first.
    pub(super) fn claim(&mut self, token: Token) {
        if self.claims.contains(&token) {
            return;
        }
        if self.claims.len() >= limits::CLAIMS_MAX {
            self.claims.remove(0);
        }
        self.claims.push(token);
    }
}

fn no_such_directory() -> Reply {
    Reply::new(550, text::CWD_FAILED).with_detail(text::INVALID_STORAGE_PATH)
}

/// RFC 959 Appendix II: a path in quotes, each quote in it doubled.
fn quoted(path: &VirtualPath) -> String {
    let mut text = "\"".to_owned();
    for character in path.as_str().chars() {
        if character == '"' {
            text.push('"');
        }
        text.push(character);
    }
    text.push('"');
    text
}
