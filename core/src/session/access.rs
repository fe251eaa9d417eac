//! What a command needs before it does anything: a path that means something, that lives, and the right to it.

use super::state::Flow;
use super::{Session, refuse};
use crate::expiry::{self, Judgement};
use crate::path::VirtualPath;
use crate::record::{FileInfo, FileKind, PathState, Record, RecordAt};
use crate::time::Now;
use crate::user::{Account, ExpiryRules, Right, Rights};
use crate::wire::reply::Reply;
use crate::wire::text;
use core::ops::ControlFlow::{Break, Continue};

impl Session {
    /// The path that an argument names where something is looked up; one that nobody may name is not there.
    pub(super) fn looked_up(&self, argument: &str, failure: &'static str) -> Flow<VirtualPath> {
        match self.place.directory.resolve(argument) {
            Ok(path) => Continue(path),
            Err(_) => Break(Reply::new(550, failure)),
        }
    }

    /// The path that an argument names where something is to be made.
    pub(super) fn to_be_made(&self, argument: &str, failure: &'static str) -> Flow<VirtualPath> {
        match self.place.directory.resolve(argument) {
            Ok(path) => Continue(path),
            Err(_) => Break(Reply::new(553, failure).with_detail(text::NAME_REFUSED)),
        }
    }

    /// Who is logged in.
    pub(super) fn account(&self) -> Option<&Account> {
        self.login.account()
    }

    /// What the session may do at a path with these records on the way.
    pub(super) fn rights_at(&self, way: &[RecordAt]) -> Rights {
        self.account().map_or(Rights::NONE, |account| account.rights_at(&self.claims, way))
    }

    /// Whether the storage path of this record is the session's own.
    pub(super) fn owns(&self, record: &Record) -> bool {
        self.account().is_some_and(|account| account.owns(&self.claims, record))
    }

    /// What holds of the expiry of the paths that it makes.
    pub(super) fn expiry_rules(&self) -> ExpiryRules {
        self.account().map_or_else(ExpiryRules::default, |account| account.expiry.over(&self.settings))
    }

    /// Lets go on whoever has the right.
    pub(super) fn permit(&self, right: Right, way: &[RecordAt]) -> Flow<()> {
        if self.rights_at(way).allow(right) { Continue(()) } else { Break(refuse::denied()) }
    }
}

/// What stands at a path that was checked, where it lives.
pub(super) fn living<'a>(now: Now, state: &'a PathState, failure: &'static str) -> Flow<&'a FileInfo> {
    match expiry::judge(state, now) {
        Judgement::Live(info) => Continue(info),
        Judgement::Missing => Break(Reply::new(550, failure)),
        Judgement::Expired => Break(refuse::expired(failure)),
    }
}

/// The same for a command that wants a file.
pub(super) fn living_file<'a>(now: Now, state: &'a PathState, failure: &'static str) -> Flow<&'a FileInfo> {
    let info = living(now, state, failure)?;
    match info.kind {
        FileKind::File => Continue(info),
        FileKind::Directory => Break(Reply::new(550, failure).with_detail(text::IS_DIRECTORY)),
        FileKind::Other | FileKind::Link => Break(Reply::new(550, failure)),
    }
}

/// The same for a command that wants a directory.
pub(super) fn living_directory(now: Now, state: &PathState, failure: &'static str) -> Flow<()> {
    match living(now, state, failure)?.kind {
        FileKind::Directory => Continue(()),
        _ => Break(Reply::new(550, failure).with_detail(text::NOT_DIRECTORY)),
    }
}
