//! SIZE: the number of bytes that a transfer would send (RFC 3659 4).

use super::state::{Flow, Purpose};
use super::work::{Kind, Work};
use super::{Session, access};
use crate::action::{ReadingPurpose, Translation};
use crate::expiry::{self, Judgement};
use crate::path::VirtualPath;
use crate::record::PathState;
use crate::time::Now;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::string::ToString;
use core::ops::ControlFlow::Break;

impl Session {
    pub(super) fn size(&mut self, argument: &str) -> Flow {
        let path = self.looked_up(argument, text::SIZE_FAILED)?;
        match self.data.translation {
            Translation::Ascii => self.check_for(path.clone(), Work::new(Kind::AsciiSize, path)),
            _ => self.check(path, Purpose::Size),
        }
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

    /// RFC 3659 4.2: in TYPE A nobody knows the number before every byte has been translated, so that is done, up to a
    /// size. A partial has none, for what is in TYPE A cannot be resumed.
    pub(super) fn ascii_size_checked(&mut self, now: Now, mut work: Box<Work>, state: &PathState) -> Flow {
        let info = access::living_file(now, state, text::SIZE_FAILED)?;
        self.permit_knowing(state)?;
        if info.size_bytes > self.settings.ascii_size_bytes_max {
            return Break(Reply::new(550, text::SIZE_FAILED).with_detail(text::TOO_LARGE_FOR_ASCII));
        }
        work.touches_found(state);
        self.open_reading(work.path.clone(), (0, None), ReadingPurpose::AsciiSize, work)
    }
}
