//! DELE, SIZE, MDTM, MFMT, ALLO.

use super::state::{Deed, Doing, Flow, Purpose, Subject};
use super::{Session, access, refuse};
use crate::action::{StorageRequest, Translation};
use crate::date;
use crate::error::StorageError;
use crate::expiry::{self, Judgement};
use crate::path::VirtualPath;
use crate::record::PathState;
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::format;
use alloc::string::ToString;
use core::ops::ControlFlow::{Break, Continue};

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
        let request = StorageRequest::RemoveFile { path: subject.path.clone() };
        self.change(Doing { subject, deed: Deed::RemoveFile }, request)
    }

    pub(super) fn file_removed(&mut self, subject: Subject, outcome: Result<(), StorageError>) -> Flow {
        match outcome {
            Ok(()) => {
                self.forget_broken(&subject.path);
                Break(Reply::new(250, text::DELE_OK))
            }
            Err(error) => self.start_over(subject, Purpose::Dele, error),
        }
    }

    pub(super) fn size(&mut self, argument: &str) -> Flow {
        let path = self.looked_up(argument, text::SIZE_FAILED)?;
        // RFC 3659 4: the size is that of the bytes on the wire, which nobody knows before they are translated.
        if self.data.translation == Translation::Ascii {
            return Break(Reply::new(550, text::SIZE_FAILED).with_detail(text::SIZE_IS_BINARY));
        }
        self.check(path, Purpose::Size)
    }

    /// DESIGN 5: the published file's, else the partial's to whoever may resume it.
    pub(super) fn size_checked(&self, now: Now, path: &VirtualPath, state: &PathState) -> Flow {
        if expiry::judge(state, now) == Judgement::Missing
            && let Some(partial) = self.partial_shown(path, state)
        {
            return Break(Reply::new(213, partial.size_bytes.to_string()));
        }
        let info = access::living_file(now, state, text::SIZE_FAILED)?;
        self.permit_knowing(state)?;
        Break(Reply::new(213, info.size_bytes.to_string()))
    }

    pub(super) fn mdtm(&mut self, argument: &str) -> Flow {
        let path = self.looked_up(argument, text::MDTM_FAILED)?;
        self.check(path, Purpose::Mdtm)
    }

    pub(super) fn mdtm_checked(&self, now: Now, state: &PathState) -> Flow {
        let info = access::living_file(now, state, text::MDTM_FAILED)?;
        self.permit_knowing(state)?;
        Break(Reply::new(213, date::time_val(info.modified_s)))
    }

    /// Whoever may list or read may know how large and how old a file is.
    fn permit_knowing(&self, state: &PathState) -> Flow<()> {
        let rights = self.rights_at(&state.records);
        if rights.allow(Right::List) || rights.allow(Right::Read) { Continue(()) } else { Break(refuse::denied()) }
    }

    pub(super) fn mfmt(&mut self, argument: &str, modified_s: i64) -> Flow {
        let path = self.looked_up(argument, text::MFMT_FAILED)?;
        self.check(path, Purpose::Mfmt { modified_s })
    }

    pub(super) fn mfmt_checked(&mut self, now: Now, subject: Subject, state: &PathState, modified_s: i64) -> Flow {
        access::living_file(now, state, text::MFMT_FAILED)?;
        self.permit(Right::Overwrite, &state.records)?;
        let request = StorageRequest::SetTimes { path: subject.path.clone(), modified_s };
        self.change(Doing { subject, deed: Deed::SetTimes { modified_s } }, request)
    }

    pub(super) fn times_set(&mut self, subject: Subject, modified_s: i64, outcome: Result<(), StorageError>) -> Flow {
        match outcome {
            // draft-somers-ftp-mfxx 3.1: the facts as they stand now, and the path.
            Ok(()) => Break(Reply::new(213, format!("Modify={}; {}", date::time_val(modified_s), subject.path))),
            Err(error) => self.start_over(subject, Purpose::Mfmt { modified_s }, error),
        }
    }

    /// The space will be needed in the working directory, so that is what is asked about.
    pub(super) fn allo(&mut self, size_bytes: u64) -> Flow {
        self.check(self.place.directory.clone(), Purpose::Allo { size_bytes })
    }

    pub(super) fn allo_checked(&mut self, now: Now, subject: Subject, state: &PathState, size_bytes: u64) -> Flow {
        access::living_directory(now, state, text::ALLO_FAILED)?;
        let request = StorageRequest::ReserveSpace { path: subject.path.clone(), size_bytes };
        self.change(Doing { subject, deed: Deed::Reserve { size_bytes } }, request)
    }

    pub(super) fn reserved(&mut self, size_bytes: u64, outcome: Result<(), StorageError>) -> Reply {
        match outcome {
            Ok(()) => {
                self.data.announced_bytes = Some(size_bytes);
                Reply::new(200, text::ALLO_OK)
            }
            Err(error) => refuse::storage(error, text::ALLO_FAILED),
        }
    }
}
