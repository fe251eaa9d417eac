//! The lines that a walk shows.

use super::{Frame, Pass, Stage, Walk};
use crate::expiry::{self, Judgement};
use crate::listing;
use crate::listing::facts::Place;
use crate::record::{Entry, FileKind, PathState};
use crate::session::Session;
use crate::session::view::{ListingForm, View, entry_of};
use crate::time::Now;
use crate::user::Right;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

impl Walk {
    /// The line that stands above what `-R` shows of a directory.
    pub(super) fn push_header(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        if !self.options.recursive || frame.level.is_some() {
            return;
        }
        if self.has_lines {
            self.text.push_str("\r\n");
        }
        let written = [self.base.as_str(), frame.written.as_str()].concat();
        let written = if written.len() > 1 { written.trim_end_matches('/') } else { &written };
        if self.base.is_empty() {
            self.text.push_str(if written.is_empty() { "." } else { "./" });
        }
        listing::push_name(&mut self.text, written);
        self.text.push_str(":\r\n");
        self.has_lines = true;
    }

    /// What stands before the names of a directory.
    fn prefix_of(&self, frame: &Frame) -> String {
        match self.form {
            // RFC 1123 4.1.2.7: the names must serve as they are as arguments of RETR.
            ListingForm::Names => [self.base.as_str(), frame.written.as_str()].concat(),
            // A header says where they are.
            ListingForm::Long if frame.depth > 0 => String::new(),
            ListingForm::Long => frame.written.clone(),
            ListingForm::Facts(_) => String::new(),
        }
    }
}

impl Session {
    /// `.` and `..`: those of `-a`, and those of RFC 3659 7.5.1, where the root has nothing above it.
    pub(super) fn push_dots(&self, now: Now, walk: &mut Walk) {
        let is_facts = matches!(walk.form, ListingForm::Facts(_));
        let Some(frame) = walk.frames.last().filter(|frame| frame.level.is_none()) else { return };
        let Some(itself) = frame.info.as_ref().filter(|_| walk.options.all || is_facts) else { return };
        let mut text = mem::take(&mut walk.text);
        let view = self.view_of(now, walk, frame);
        view.push_directory(Place::Itself, itself, ".", &mut text);
        let is_top = self.is_top(&frame.path);
        let way_above = if is_top { &frame.way[..] } else { expiry::above(&frame.way, &frame.path) };
        let has_above = !(is_facts && is_top);
        // Where it may not be listed, nothing is told of it.
        if has_above && self.rights_at(way_above).allow(Right::List) {
            let around = walk.frames.len().checked_sub(2).and_then(|at| walk.frames.get(at));
            let above = around.and_then(|frame| frame.info.as_ref()).or(walk.above.as_ref());
            let directory = if is_top { frame.path.clone() } else { frame.path.parent() };
            let view = self.view(now, walk.form, &directory, way_above);
            let view = view.with(walk.prefix_of(frame), walk.options.classify);
            view.push_directory(Place::Parent, above.unwrap_or(itself), "..", &mut text);
        }
        walk.text = text;
        walk.has_lines = true;
    }

    pub(super) fn entries_read(&self, now: Now, walk: &mut Walk, entries: Vec<Entry>, end: bool) {
        let mut text = mem::take(&mut walk.text);
        walk.looked_at += entries.len() as u64;
        let Some(frame) = walk.frames.last() else { return };
        let view = self.view_of(now, walk, frame);
        let glob = frame.level.and_then(|level| walk.steps.get(level)).map(|step| &step.glob);
        let is_meant = |entry: &Entry| glob.is_none_or(|glob| glob.matches(&entry.name)) && view.shows(entry);
        let mut has_directories = false;
        let mut found = VecDeque::new();
        for entry in entries.into_iter().filter(is_meant) {
            let is_directory = entry.info.kind == FileKind::Directory;
            if frame.pass == Pass::Show {
                has_directories |= is_directory;
                self.push_entry(&view, &entry, &mut text);
            } else if is_directory {
                found.push_back(entry);
            }
        }
        walk.has_lines |= !text.is_empty();
        walk.text = text;
        let Some(frame) = walk.frames.last_mut() else { return };
        frame.stage = if end { Stage::Read } else { Stage::Open };
        frame.has_directories |= has_directories;
        frame.pending = found;
    }

    /// What a pattern's plain components lead to was looked at: it is gone through, or shown where they are the last.
    pub(super) fn looked(&self, now: Now, walk: &mut Walk, state: PathState) {
        let Some(mut frame) = walk.frames.pop() else { return };
        let Judgement::Live(info) = expiry::judge(&state, now) else { return };
        if !self.rights_at(&state.records).allow(Right::List) {
            return;
        }
        if frame.level.is_some() {
            if info.kind == FileKind::Directory {
                frame.way = state.records;
                frame.stage = Stage::Closed;
                walk.frames.push(frame);
            }
            return;
        }
        let way_above = expiry::above(&state.records, &frame.path);
        let written = frame.written.trim_end_matches('/');
        let entry = entry_of(written, info, expiry::own(&state.records, &frame.path));
        let prefix = if walk.form == ListingForm::Names { walk.base.clone() } else { String::new() };
        let view = self.view(now, walk.form, &frame.path.parent(), way_above);
        let view = view.with(prefix, walk.options.classify);
        if view.shows(&entry) {
            self.push_entry(&view, &entry, &mut walk.text);
            walk.has_lines = true;
        }
    }

    /// What is shown of the entries of a directory.
    fn view_of(&self, now: Now, walk: &Walk, frame: &Frame) -> View {
        self.view(now, walk.form, &frame.path, &frame.way).with(walk.prefix_of(frame), walk.options.classify)
    }
}
