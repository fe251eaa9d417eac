//! STAT of a path and MLST: what stands there, over the control connection.

use super::lookup::{Found, Lookup};
use super::state::{Awaited, Deed, Doing, Flow, Purpose, Reading, Subject};
use super::view::{ListingForm, entry_of};
use super::walk::Walk;
use super::work::Stop;
use super::{Session, access, refuse};
use crate::action::StorageRequest;
use crate::error::StorageError;
use crate::event::StorageOutcome;
use crate::expiry;
use crate::limits;
use crate::listing::options::{ListingOptions, ListingRequest};
use crate::path::VirtualPath;
use crate::record::{Entry, FileKind, PathState, RecordAt};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow::Break;

/// STAT of a directory, so far.
#[derive(Debug)]
pub(super) struct Status {
    path: VirtualPath,
    walk: Box<Walk>,
    lines: Vec<String>,
    /// Why it is being ended early: what it goes through may be long, and hold few names that are meant.
    pub(super) stop: Option<Stop>,
}

impl Status {
    /// Whether this is the kind of outcome that it waits for.
    pub(super) fn awaits(&self, outcome: &Result<StorageOutcome, StorageError>) -> bool {
        self.walk.awaits(outcome)
    }
}

impl Session {
    pub(super) fn mlst(&mut self, argument: String) -> Flow {
        let path = self.looked_up(&argument, text::FACTS_FAILED)?;
        self.check(path, Purpose::Mlst { argument })
    }

    pub(super) fn mlst_checked(&self, now: Now, path: &VirtualPath, state: &PathState, argument: &str) -> Flow {
        let info = access::living(now, state, text::FACTS_FAILED)?;
        self.permit(Right::List, &state.records)?;
        if info.kind == FileKind::Other {
            return Break(Reply::new(550, text::FACTS_FAILED));
        }
        let entry = entry_of(path.as_str(), info, expiry::own(&state.records, path));
        let form = ListingForm::Facts(self.facts);
        let line = self.single(now, form, ListingOptions::default(), &entry, path, &state.records);
        let shown = if argument.is_empty() { path.as_str() } else { argument };
        Break(Reply::block(250, format!("Listing {shown}"), [without_end(&line)].into(), text::END))
    }

    /// The line of what stands at a path, with its end.
    pub(super) fn single(
        &self,
        now: Now,
        form: ListingForm,
        options: ListingOptions,
        entry: &Entry,
        path: &VirtualPath,
        way: &[RecordAt],
    ) -> String {
        let form = if form == ListingForm::Names && options.long { ListingForm::Long } else { form };
        let view = self.view(now, form, &path.parent(), expiry::above(way, path));
        let view = view.with(String::new(), options.classify);
        let mut line = String::new();
        if path.is_root() {
            // It is nobody's entry.
            view.push_directory(crate::listing::facts::Place::Entry, &entry.info, &entry.name, &mut line);
        } else if view.shows(entry) {
            self.push_entry(&view, entry, &mut line);
        }
        line
    }

    pub(super) fn stat(&mut self, request: ListingRequest) -> Flow {
        let mut lookup = Box::new(Lookup::new(ListingForm::Long, request, text::FACTS_FAILED));
        let path = self.first_place(&mut lookup)?;
        self.check(path, Purpose::Stat(lookup))
    }

    /// STAT of a path: a file's line, or the directory's, over the control connection.
    pub(super) fn stat_checked(
        &mut self,
        now: Now,
        path: VirtualPath,
        mut lookup: Box<Lookup>,
        state: &PathState,
    ) -> Flow {
        match self.found(now, &mut lookup, path.clone(), state)? {
            Found::Elsewhere(path) => self.check(path, Purpose::Stat(lookup)),
            Found::Single(entry, options) => {
                let line = self.single(now, lookup.form, options, &entry, &path, &state.records);
                Break(status_reply(text::STATUS_FOLLOWS, [without_end(&line)].into()))
            }
            Found::Walk(walk) => self.status_on(now, Status { path, walk, lines: Vec::new(), stop: None }),
        }
    }

    pub(super) fn status_walked(
        &mut self,
        now: Now,
        mut status: Status,
        outcome: Result<StorageOutcome, StorageError>,
    ) -> Flow {
        if let Err(error) = self.walked(now, &mut status.walk, outcome) {
            return self.end_status(status, refuse::storage(error, text::FACTS_FAILED));
        }
        if let Some(stop) = status.stop {
            return self.end_status(status, stop.reply(text::FACTS_FAILED));
        }
        let text = status.walk.take_text();
        let room = limits::STAT_LINES_MAX.saturating_sub(status.lines.len());
        let mut lines = text.lines();
        status.lines.extend(lines.by_ref().take(room).map(ToString::to_string));
        if lines.next().is_some() {
            let lines = core::mem::take(&mut status.lines);
            return self.end_status(status, status_reply(text::STATUS_CUT, lines));
        }
        self.status_on(now, status)
    }

    fn status_on(&mut self, now: Now, mut status: Status) -> Flow {
        match self.walk_on(now, &mut status.walk) {
            Some(request) => self.ask(request, Awaited::Walked(Reading::Status(Box::new(status)))),
            None if status.walk.is_cut => Break(status_reply(text::STATUS_LEFT_OUT, status.lines)),
            None => Break(status_reply(text::STATUS_FOLLOWS, status.lines)),
        }
    }

    fn end_status(&mut self, status: Status, reply: Reply) -> Flow {
        if !status.walk.is_open() {
            return Break(reply);
        }
        let subject = Subject { path: status.path, tries: 0 };
        self.change(Doing { subject, deed: Deed::Tidy(reply) }, StorageRequest::CloseListing)
    }
}

fn without_end(line: &str) -> String {
    line.trim_end_matches(['\r', '\n']).to_string()
}

/// What is to be known of the lines stands before them, for the JSON form has no line after them.
fn status_reply(first: &'static str, lines: Vec<String>) -> Reply {
    Reply::block(213, first, lines, text::STATUS_END)
}
