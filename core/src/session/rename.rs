//! RNFR and RNTO.

use super::state::{Deed, Doing, Flow, Purpose, Subject};
use super::{Session, access, refuse};
use crate::action::{Note, PathChange, StorageRequest};
use crate::error::StorageError;
use crate::expiry::{self, Judgement};
use crate::limits;
use crate::path::VirtualPath;
use crate::record::{FileInfo, FileKind, PathState};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use core::mem;
use core::ops::ControlFlow::{Break, Continue};

impl Session {
    pub(super) fn rnfr(&mut self, argument: &str) -> Flow {
        let path = self.looked_up(argument, text::RNFR_FAILED)?;
        if self.is_top(&path) {
            return Break(Reply::new(550, text::RNFR_FAILED));
        }
        self.check(path, Purpose::Rnfr)
    }

    pub(super) fn rnfr_checked(&mut self, now: Now, path: VirtualPath, state: &PathState) -> Flow {
        self.may_rename(now, state, text::RNFR_FAILED)?;
        self.renaming = Some(path);
        Break(Reply::new(350, text::RNFR_OK))
    }

    fn may_rename(&self, now: Now, state: &PathState, failure: &'static str) -> Flow<()> {
        if matches!(access::living(now, state, failure)?.kind, FileKind::Other | FileKind::Link) {
            return Break(Reply::new(550, failure));
        }
        self.permit(Right::Rename, &state.records)
    }

    /// The source is looked at again: RNFR may be long ago.
    pub(super) fn rnto(&mut self, argument: &str) -> Flow {
        let Some(from) = mem::take(&mut self.renaming) else {
            return Break(Reply::new(503, text::RNFR_FIRST));
        };
        let to = self.to_be_made(argument, text::RNTO_FAILED)?;
        if to != from && to.is_within(&from) {
            return Break(refused(text::INTO_ITSELF));
        }
        self.check(from, Purpose::RntoSource { to })
    }

    pub(super) fn rnto_source_checked(
        &mut self,
        now: Now,
        subject: Subject,
        source: PathState,
        to: VirtualPath,
    ) -> Flow {
        self.may_rename(now, &source, text::RNTO_FAILED)?;
        self.check(to, Purpose::RntoTarget { from: subject, source })
    }

    pub(super) fn rnto_target_checked(
        &mut self,
        now: Now,
        to: VirtualPath,
        state: PathState,
        from: Subject,
        source: PathState,
    ) -> Flow {
        let existing = match expiry::judge_name(&state, now) {
            Judgement::Expired => return Break(refuse::expired(text::RNTO_FAILED)),
            Judgement::Missing => None,
            Judgement::Live(info) => Some(info),
        };
        let replace = self.may_take_name(&state, existing)?;
        let carried_s = expiry::carried(&source, &from.path);
        let is_file = source.target.as_ref().is_some_and(|info| info.kind == FileKind::File);
        let given_s = expiry::of_file(&self.settings, &to, &state.records, now).filter(|_| is_file);
        let own_s = expiry::earlier(carried_s, given_s);
        if expiry::outlives_by_move(&source, &to, &state.records, own_s) {
            return Break(refused(text::OUTLIVES));
        }
        let quota = self.quota_at(&to).filter(|quota| !from.path.is_within(&quota.home));
        let expiry_s = own_s.filter(|_| own_s != carried_s);
        let request = StorageRequest::Rename {
            from: from.path.clone(),
            to: to.clone(),
            replace,
            judged_from: source.records,
            judged_to: state.records,
            expiry_s,
            quota,
        };
        self.change(Doing { subject: from, deed: Deed::Rename { to, expiry_s } }, request)
    }

    /// Whether the session may put something under that name, and whether a file there may be replaced.
    fn may_take_name(&self, state: &PathState, existing: Option<&FileInfo>) -> Flow<bool> {
        let rights = self.rights_at(&state.records);
        match existing.map(|info| info.kind) {
            None if rights.allow(Right::Write) || rights.allow(Right::Rename) => Continue(false),
            None => Break(refuse::denied()),
            Some(FileKind::File) if rights.allow(Right::Overwrite) => Continue(true),
            Some(_) => Break(refused(text::FILE_EXISTS)),
        }
    }

    pub(super) fn renamed(
        &mut self,
        from: Subject,
        to: VirtualPath,
        expiry_s: Option<i64>,
        outcome: Result<(), StorageError>,
    ) -> Flow {
        match outcome {
            Ok(()) => {
                self.note(Note::Renamed { from: from.path.clone(), to: to.clone() });
                self.notify(PathChange::Renamed { from: from.path, to: to.clone() });
                if expiry_s.is_some() {
                    self.notify(PathChange::Expires { path: to, expiry_s });
                }
                Break(Reply::new(250, text::RNTO_OK))
            }
            Err(StorageError::Changed) if from.tries < limits::RETRIES_MAX => {
                self.start_over(from, Purpose::RntoSource { to }, StorageError::Changed)
            }
            Err(error) => Break(refuse::storage_name(error, text::RNTO_FAILED)),
        }
    }
}

fn refused(detail: &'static str) -> Reply {
    Reply::new(553, text::RNTO_FAILED).with_detail(detail)
}
