//! Room: ALLO and AVBL.

use super::state::{Awaited, Deed, Doing, Flow, Purpose, Subject};
use super::{Session, access, refuse};
use crate::action::StorageRequest;
use crate::error::StorageError;
use crate::record::PathState;
use crate::time::Now;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::string::ToString;
use core::ops::ControlFlow::Break;

impl Session {
    /// The space will be needed in the working directory, so that is what is asked about.
    pub(super) fn allo(&mut self, size_bytes: u64) -> Flow {
        self.check(self.place.directory.clone(), Purpose::Allo { size_bytes })
    }

    pub(super) fn allo_checked(&mut self, now: Now, subject: Subject, state: &PathState, size_bytes: u64) -> Flow {
        access::living_directory(now, state, text::ALLO_FAILED)?;
        let quota = self.quota_at(&subject.path);
        let request = StorageRequest::ReserveSpace { path: subject.path.clone(), size_bytes, quota };
        self.change(Doing { subject, deed: Deed::Reserve { size_bytes } }, request)
    }

    pub(super) fn reserved(&mut self, size_bytes: u64, outcome: Result<(), StorageError>) -> Reply {
        match outcome {
            Ok(()) => {
                self.data.next().announced_bytes = Some(size_bytes);
                Reply::new(200, text::ALLO_OK)
            }
            Err(error) => refuse::storage(error, text::ALLO_FAILED),
        }
    }

    /// AVBL (draft-peterson-streamlined-ftp-command-extensions-10 4).
    pub(super) fn avbl(&mut self, argument: &str) -> Flow {
        let path = self.looked_up(argument, text::AVBL_FAILED)?;
        self.check(path, Purpose::Room)
    }

    pub(super) fn avbl_checked(&mut self, now: Now, subject: Subject, state: &PathState) -> Flow {
        access::living_directory(now, state, text::AVBL_FAILED)?;
        self.permit_knowing(state)?;
        let quota = self.quota_at(&subject.path);
        self.ask(StorageRequest::AskRoom { path: subject.path, quota }, Awaited::Room)
    }

    pub(super) fn room_known(outcome: Result<u64, StorageError>) -> Flow {
        Break(match outcome {
            Ok(free_bytes) => Reply::new(213, free_bytes.to_string()),
            Err(error) => refuse::storage(error, text::AVBL_FAILED),
        })
    }
}
