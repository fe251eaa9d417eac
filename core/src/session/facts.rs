//! Times and permission bits: MDTM, MFMT, MFCT, MFF (draft-somers-ftp-mfxx), SITE UTIME, SITE CHMOD.

use super::state::{Deed, Doing, Flow, Purpose, Subject};
use super::{Session, access, quirk, refuse};
use crate::action::{NewFacts, Note, StorageRequest};
use crate::date;
use crate::error::StorageError;
use crate::expiry::{self, Judgement};
use crate::path::VirtualPath;
use crate::record::{FileKind, PathState};
use crate::time::Now;
use crate::user::Right;
use crate::wire::command::facts;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::format;
use alloc::string::{String, ToString};
use core::ops::ControlFlow::{Break, Continue};

/// Facts that a command sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    facts: NewFacts,
    by: By,
}

/// The command that does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// MDTM with a time.
    Mdtm,
    /// MFMT.
    Mfmt,
    /// MFCT.
    Mfct,
    /// MFF.
    Mff,
    /// SITE UTIME.
    SiteUtime,
    /// SITE CHMOD.
    SiteChmod,
}

impl Setting {
    /// What its command says when it fails.
    pub(super) fn failure(&self) -> &'static str {
        match self.by {
            By::Mfmt | By::Mdtm => text::MFMT_FAILED,
            By::Mfct | By::Mff | By::SiteUtime | By::SiteChmod => text::FACTS_NOT_SET,
        }
    }

    fn reply(&self, path: &VirtualPath) -> Reply {
        match self.by {
            // draft 3.1, 4.1, 5.1: the facts as they stand now, and the path.
            By::Mfmt | By::Mfct | By::Mff => Reply::new(213, format!("{} {path}", facts::written(&self.facts))),
            By::Mdtm => Reply::new(213, text::MDTM_SET),
            By::SiteUtime => Reply::new(200, text::UTIME_OK),
            By::SiteChmod => Reply::new(200, text::CHMOD_OK),
        }
    }

    fn request(&self, path: VirtualPath) -> StorageRequest {
        match self.facts {
            NewFacts { modified_s: Some(modified_s), accessed_s: None, created_s: None, mode: None } => {
                StorageRequest::SetTimes { path, modified_s }
            }
            facts => StorageRequest::SetFacts { path, facts },
        }
    }
}

impl Session {
    pub(super) fn mdtm(&mut self, argument: &str) -> Flow {
        let path = self.looked_up(argument, text::MDTM_FAILED)?;
        let time_first = quirk::time_before_path(argument);
        // Where no path has such a name, it is not one.
        let other = time_first.and_then(|(modified_s, path)| Some((modified_s, self.resolve(path).ok()?)));
        self.check(path, Purpose::Mdtm { other })
    }

    pub(super) fn mdtm_checked(&mut self, now: Now, state: &PathState, other: Option<(i64, VirtualPath)>) -> Flow {
        if expiry::judge(state, now) == Judgement::Missing
            && let Some((modified_s, path)) = other
        {
            let facts = NewFacts { modified_s: Some(modified_s), ..NewFacts::default() };
            return self.check(path, Purpose::SetFacts(Setting { facts, by: By::Mdtm }));
        }
        let info = access::living_file(now, state, text::MDTM_FAILED)?;
        self.permit_knowing(state)?;
        Break(Reply::new(213, date::time_val(info.modified_s)))
    }

    /// Whoever may list or read may know how large and how old a file is.
    pub(super) fn permit_knowing(&self, state: &PathState) -> Flow<()> {
        let rights = self.rights_at(&state.records);
        if rights.allow(Right::List) || rights.allow(Right::Read) { Continue(()) } else { Break(refuse::denied()) }
    }

    pub(super) fn set_facts(&mut self, by: By, facts: NewFacts, argument: &str) -> Flow {
        let setting = Setting { facts, by };
        if facts.mode.is_some() && !self.settings.chmod {
            return Break(refuse::denied());
        }
        let path = self.looked_up(argument, setting.failure())?;
        self.check(path, Purpose::SetFacts(setting))
    }

    pub(super) fn facts_checked(
        &mut self,
        now: Now,
        subject: Subject,
        state: &PathState,
        mut setting: Setting,
    ) -> Flow {
        let is_directory = self.may_set(now, &subject.path, state, &setting)?;
        // The server itself must not lose its way to what it keeps: its owner reads and writes, and enters.
        let kept = if is_directory { 0o700 } else { 0o600 };
        setting.facts.mode = setting.facts.mode.map(|mode| mode | kept);
        let request = setting.request(subject.path.clone());
        self.change(Doing { subject, deed: Deed::SetFacts(setting) }, request)
    }

    /// Facts of files are for whoever may overwrite them; of a directory its maker sets the mode, and nobody the times.
    fn may_set(&self, now: Now, path: &VirtualPath, state: &PathState, setting: &Setting) -> Flow<bool> {
        let info = access::living(now, state, setting.failure())?;
        let NewFacts { modified_s, accessed_s, created_s, .. } = setting.facts;
        let sets_times = [modified_s, accessed_s, created_s].iter().any(Option::is_some);
        if info.kind == FileKind::Directory && !sets_times {
            let is_own = expiry::own(&state.records, path).is_some_and(|record| self.owns(record));
            return if is_own { Continue(true) } else { Break(refuse::denied()) };
        }
        access::living_file(now, state, setting.failure())?;
        self.permit(Right::Overwrite, &state.records)?;
        Continue(false)
    }

    pub(super) fn facts_set(&mut self, subject: Subject, setting: Setting, outcome: Result<(), StorageError>) -> Flow {
        match outcome {
            Ok(()) => {
                self.note(Note::FactsSet { path: subject.path.clone(), facts: facts::written(&setting.facts) });
                Break(setting.reply(&subject.path))
            }
            Err(error) => self.start_over(subject, Purpose::SetFacts(setting), error),
        }
    }

    /// The line of FEAT (draft 5.2): the facts that can be set.
    pub(super) fn mff_feature(&self) -> String {
        if self.settings.chmod { "MFF Modify;Create;UNIX.mode;" } else { "MFF Modify;Create;" }.to_string()
    }
}
