//! STAT of a path and MLST: what stands there, over the control connection.

use super::state::{Deed, Doing, Flow, Purpose, Reading, Subject};
use super::view::{ListingForm, entry_of};
use super::{Session, access, refuse};
use crate::action::StorageRequest;
use crate::error::StorageError;
use crate::limits;
use crate::listing;
use crate::path::VirtualPath;
use crate::record::{Entry, FileKind, PathState, RecordAt};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow::Break;

/// STAT of a directory, so far.
#[derive(Debug)]
pub(super) struct Status {
    lines: Vec<String>,
    way: Vec<RecordAt>,
}

impl Session {
    pub(super) fn mlst(&mut self, argument: String) -> Flow {
        let path = self.looked_up(&argument, text::FACTS_FAILED)?;
        self.check(path, Purpose::Mlst { argument })
    }

    pub(super) fn mlst_checked(&self, now: Now, path: &VirtualPath, state: &PathState, argument: &str) -> Flow {
        let info = access::living(now, state, text::FACTS_FAILED)?;
        self.permit(Right::List, &state.records)?;
        if matches!(info.kind, FileKind::Other | FileKind::Link) {
            return Break(Reply::new(550, text::FACTS_FAILED));
        }
        let view = self.view(now, ListingForm::Facts, &state.records);
        let line = listing::fact_line(&self.facts(&view, info, None), path.as_str());
        let shown = if argument.is_empty() { path.as_str() } else { argument };
        Break(Reply::block(250, format!("Listing {shown}"), [line].into(), text::END))
    }

    pub(super) fn stat(&mut self, argument: &str) -> Flow {
        let path = self.looked_up(argument, text::FACTS_FAILED)?;
        self.check(path, Purpose::Stat)
    }

    /// STAT of a path: a file's line, or the directory's, over the control connection.
    pub(super) fn stat_checked(&mut self, now: Now, subject: Subject, state: PathState) -> Flow {
        let info = access::living(now, &state, text::FACTS_FAILED)?;
        self.permit(Right::List, &state.records)?;
        match info.kind {
            FileKind::Directory => {
                let request = self.opening_of(&subject.path);
                let status = Status { lines: Vec::new(), way: state.records };
                self.change(Doing { subject, deed: Deed::OpenStatus(status) }, request)
            }
            FileKind::File => {
                let line = listing::list_line(&entry_of(&subject.path, info), now);
                Break(status_reply(text::STATUS_FOLLOWS, [line].into()))
            }
            FileKind::Other | FileKind::Link => Break(Reply::new(550, text::FACTS_FAILED)),
        }
    }

    pub(super) fn status_opened(
        &mut self,
        subject: Subject,
        status: Status,
        outcome: Result<(), StorageError>,
    ) -> Flow {
        match outcome {
            Ok(()) => self.read_listing(Reading::Status { path: subject.path, status }),
            Err(error) => Break(refuse::storage(error, text::FACTS_FAILED)),
        }
    }

    pub(super) fn status_listed(
        &mut self,
        now: Now,
        path: VirtualPath,
        mut status: Status,
        outcome: Result<(Vec<Entry>, bool), StorageError>,
    ) -> Flow {
        let (reply, end) = match outcome {
            Ok((entries, end)) => {
                let view = self.view(now, ListingForm::Long, &status.way);
                let room = limits::STAT_LINES_MAX.saturating_sub(status.lines.len());
                let mut lines = entries.iter().filter_map(|entry| self.line(&view, entry));
                status.lines.extend(lines.by_ref().take(room).map(|line| line.trim_end().to_string()));
                let is_cut = lines.next().is_some();
                match (end, is_cut) {
                    (true, false) => (status_reply(text::STATUS_FOLLOWS, status.lines), true),
                    (end, true) => (status_reply(text::STATUS_CUT, status.lines), end),
                    (false, false) => return self.read_listing(Reading::Status { path, status }),
                }
            }
            Err(error) => (refuse::storage(error, text::FACTS_FAILED), false),
        };
        if end {
            return Break(reply);
        }
        let subject = Subject { path, tries: 0 };
        self.change(Doing { subject, deed: Deed::Tidy(reply) }, StorageRequest::CloseListing)
    }
}

/// What is to be known of the lines stands before them, for the JSON form has no line after them.
fn status_reply(first: &'static str, lines: Vec<String>) -> Reply {
    Reply::block(213, first, lines, text::STATUS_END)
}
