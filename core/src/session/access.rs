//! What a command needs before it does anything: a path that means something, that lives, and the right to it.

use super::state::Flow;
use super::{Session, refuse};
use crate::error::StorageError;
use crate::expiry::{self, Judgement};
use crate::path::{PathError, VirtualPath};
use crate::record::{FileInfo, FileKind, PathState, Record, RecordAt};
use crate::time::Now;
use crate::user::{Account, ExpiryRules, HomeQuota, Right, Rights};
use crate::wire::reply::Reply;
use crate::wire::text;
use core::ops::ControlFlow::{Break, Continue};

impl Session {
    /// What an argument means: seen from the working directory, or from the home where it is `~` or begins with `~/`.
    /// A file of that name is `./~`.
    pub(super) fn meant(&self, argument: &str) -> Result<VirtualPath, PathError> {
        let beneath_home = argument.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        match (self.account(), beneath_home) {
            (Some(account), Some(rest)) => account.home.resolve(rest.trim_start_matches('/')),
            _ => self.place.directory.resolve(argument),
        }
    }

    /// The same, where it is there for whoever is logged in.
    pub(super) fn resolve(&self, argument: &str) -> Result<VirtualPath, Unreachable> {
        let path = self.meant(argument).map_err(|_| Unreachable::Refused)?;
        if self.sees(&path) { Ok(path) } else { Err(Unreachable::Beyond) }
    }

    /// Whether a path is there for whoever is logged in.
    pub(super) fn sees(&self, path: &VirtualPath) -> bool {
        self.account().is_none_or(|account| account.sees(path))
    }

    /// Whether there is nothing above a path for whoever is logged in; nobody removes or renames it either.
    pub(super) fn is_top(&self, path: &VirtualPath) -> bool {
        path.is_root() || self.account().is_some_and(|account| account.confined && account.home == *path)
    }

    /// The path that an argument names where something is looked up; one that nobody may name is not there.
    pub(super) fn looked_up(&self, argument: &str, failure: &'static str) -> Flow<VirtualPath> {
        match self.resolve(argument) {
            Ok(path) => Continue(path),
            Err(_) => Break(Reply::new(550, failure)),
        }
    }

    /// The path that an argument names where something is to be made.
    pub(super) fn to_be_made(&self, argument: &str, failure: &'static str) -> Flow<VirtualPath> {
        match self.resolve(argument) {
            Ok(path) => Continue(path),
            Err(Unreachable::Refused) => Break(Reply::new(553, failure).with_detail(text::NAME_REFUSED)),
            // As in a directory that is missing.
            Err(Unreachable::Beyond) => Break(refuse::storage_name(StorageError::NotFound, failure)),
        }
    }

    /// Who is logged in.
    pub(super) fn account(&self) -> Option<&Account> {
        self.login.account()
    }

    /// The quota that counts what stands at a path, where the account has one.
    pub(super) fn quota_at(&self, path: &VirtualPath) -> Option<HomeQuota> {
        self.account()?.quota_at(path)
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

/// Why an argument means nothing to whoever is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreachable {
    /// Nobody may name such a path.
    Refused,
    /// It lies beyond the home that the session is confined to.
    Beyond,
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
