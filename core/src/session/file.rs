//! DELE.

use super::state::{Deed, Doing, Flow, Purpose, Subject};
use super::{Session, access};
use crate::action::{Note, StorageRequest};
use crate::error::StorageError;
use crate::expiry::{self, Judgement};
use crate::record::PathState;
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use core::ops::ControlFlow::Break;

impl Session {
    pub(super) fn dele(&mut self, argument: &str) -> Flow {
        let path = self.looked_up(argument, text::DELE_FAILED)?;
        self.check(path, Purpose::Dele)
    }

    pub(super) fn dele_checked(&mut self, now: Now, subject: Subject, state: &PathState) -> Flow {
        let missing = expiry::judge(state, now) == Judgement::Missing;
        // What SIZE shows, DELE removes: the kept part of a broken upload too.
        if !(missing && self.partial_shown(&subject.path, state).is_some()) {
            access::living_file(now, state, text::DELE_FAILED)?;
            self.permit(Right::Delete, &state.records)?;
        }
        let request = StorageRequest::RemoveFile { path: subject.path.clone(), unique: None };
        self.change(Doing { subject, deed: Deed::RemoveFile }, request)
    }

    pub(super) fn file_removed(&mut self, subject: Subject, outcome: Result<(), StorageError>) -> Flow {
        match outcome {
            Ok(()) => {
                self.forget_broken(&subject.path);
                self.note(Note::Removed { path: subject.path });
                Break(Reply::new(250, text::DELE_OK))
            }
            Err(error) => self.start_over(subject, Purpose::Dele, error),
        }
    }
}
