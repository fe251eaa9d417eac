//! What a listing goes through: one directory, a tree, or all that a pattern means. At most one directory is read at a
//! time; those above it stay open in the storage, and nothing of a directory is kept but what is being shown.

mod lines;

use super::Session;
use super::view::ListingForm;
use crate::action::{ListingDetail, StorageRequest};
use crate::error::StorageError;
use crate::event::StorageOutcome;
use crate::expiry;
use crate::limits;
use crate::listing::facts::Fact;
use crate::listing::glob::PatternStep;
use crate::listing::options::{ListingOptions, SortKey};
use crate::path::VirtualPath;
use crate::record::{Entry, EntryRecord, FileInfo, RecordAt};
use crate::time::Now;
use crate::user::Right;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

/// A walk under way.
#[derive(Debug)]
pub(super) struct Walk {
    form: ListingForm,
    options: ListingOptions,
    /// What stands before every name so that it means the same seen from the working directory: `dir/`, or nothing.
    base: String,
    /// The patterns; none: all that is in the directory.
    steps: Vec<PatternStep>,
    /// The directories that are gone through, the innermost last.
    frames: Vec<Frame>,
    asked: Asked,
    /// Its first directory was opened.
    has_begun: bool,
    /// What stands above the first directory, once it was looked at.
    above: Option<FileInfo>,
    /// Directories that its patterns have led to.
    searched: u32,
    /// Names that it has read.
    looked_at: u64,
    /// Something was left out.
    pub(super) is_cut: bool,
    /// Lines that nobody has taken yet.
    text: String,
    /// There was a line already.
    has_lines: bool,
}

/// Where a walk begins.
pub(super) struct Start {
    /// The directory, which lives.
    pub(super) path: VirtualPath,
    /// How it is written: nothing, or with a slash at its end.
    pub(super) base: String,
    /// The patterns beneath it.
    pub(super) steps: Vec<PatternStep>,
    /// The records down to it.
    pub(super) way: Vec<RecordAt>,
    /// What it is.
    pub(super) info: FileInfo,
}

/// What the storage was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Open,
    Above,
    Read,
    Look,
    Close,
}

/// One directory on the walk.
#[derive(Debug)]
struct Frame {
    path: VirtualPath,
    /// How it is written beneath the walk's base: nothing, or `a/b/`.
    written: String,
    /// The records down to it.
    way: Vec<RecordAt>,
    info: Option<FileInfo>,
    /// Which pattern its names must match; none: all are meant.
    level: Option<usize>,
    /// How many directories it lies beneath the one where `-R` begins.
    depth: u32,
    pass: Pass,
    stage: Stage,
    /// It holds directories that were shown.
    has_directories: bool,
    /// Directories to be visited.
    pending: VecDeque<Entry>,
}

/// What a directory is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// Its names are shown.
    Show,
    /// Its directories are visited.
    Descend,
}

/// How far a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody knows whether it is one, or lives.
    Unseen,
    /// It is to be opened.
    Closed,
    /// It is being read.
    Open,
    /// It was read to its end.
    Read,
}

impl Walk {
    pub(super) fn new(form: ListingForm, options: ListingOptions, start: Start) -> Self {
        let level = (!start.steps.is_empty()).then_some(0);
        let mut walk = Self {
            form,
            options,
            base: start.base,
            steps: start.steps,
            frames: Vec::new(),
            asked: Asked::Nothing,
            has_begun: false,
            above: None,
            searched: 0,
            looked_at: 0,
            is_cut: false,
            text: String::new(),
            has_lines: false,
        };
        let info = Some(start.info);
        let pass = walk.pass_of(level);
        walk.frames.push(Frame { info, pass, ..Frame::new(start.path, String::new(), start.way, level) });
        walk
    }

    /// Whether it has a directory open in the storage.
    pub(super) fn is_open(&self) -> bool {
        self.frames.iter().any(|frame| frame.stage == Stage::Open)
    }

    /// Whether this is the kind of outcome that it waits for.
    pub(super) fn awaits(&self, outcome: &Result<StorageOutcome, StorageError>) -> bool {
        match outcome {
            Ok(StorageOutcome::Done) => matches!(self.asked, Asked::Open | Asked::Close),
            Ok(StorageOutcome::Listed { .. }) => self.asked == Asked::Read,
            Ok(StorageOutcome::State(_)) => matches!(self.asked, Asked::Above | Asked::Look),
            Ok(_) => false,
            Err(_) => self.asked != Asked::Nothing,
        }
    }

    /// How many bytes of lines nobody has taken yet.
    pub(super) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The lines so far, each with its end.
    pub(super) fn take_text(&mut self) -> String {
        // What comes next will be as long.
        let room = self.text.len();
        mem::replace(&mut self.text, String::with_capacity(room))
    }

    /// What is done in a directory whose names must match that pattern.
    fn pass_of(&self, level: Option<usize>) -> Pass {
        let is_last = |step: &PatternStep, level| level + 1 == self.steps.len() && step.below.is_empty();
        match level.and_then(|level| Some((self.steps.get(level)?, level))) {
            Some((step, level)) if !is_last(step, level) => Pass::Descend,
            _ => Pass::Show,
        }
    }

    fn opening_of(&self, frame: &Frame, sort_entries_max: u32) -> StorageRequest {
        let by_name = self.options.order.by == SortKey::Name;
        let detail = match (frame.pass, self.form) {
            (Pass::Descend, _) => ListingDetail::Directories,
            (Pass::Show, ListingForm::Names) if by_name => ListingDetail::Names,
            (Pass::Show, ListingForm::Facts(chosen)) if chosen.has(Fact::Create) => ListingDetail::Creation,
            (Pass::Show, _) => ListingDetail::Attributes,
        };
        StorageRequest::OpenListing { path: frame.path.clone(), sort_entries_max, order: self.options.order, detail }
    }

    /// How many entries are read at once.
    fn batch(&self) -> u32 {
        let Some(frame) = self.frames.last() else { return limits::LISTING_BATCH_ENTRIES };
        let entries_max = match frame.pass {
            Pass::Show => limits::LISTING_BATCH_ENTRIES,
            Pass::Descend => limits::LISTING_BATCH_DIRECTORIES,
        };
        let cost = frame.level.and_then(|level| self.steps.get(level)).map_or(1, |step| step.glob.cost());
        u32::try_from(limits::GLOB_BATCH_COST / cost).unwrap_or(u32::MAX).clamp(1, entries_max)
    }

    /// The records down to its first directory were read again.
    pub(super) fn judged_again(&mut self, way: &[RecordAt]) {
        if let [frame] = &mut self.frames[..] {
            frame.way = way.to_vec();
        }
    }

    /// Whether what stands above the first directory is to be shown, and so looked at.
    fn needs_above(&self) -> bool {
        let [frame] = &self.frames[..] else { return false };
        let shows = self.options.all || matches!(self.form, ListingForm::Facts(_));
        let is_begun = frame.stage == Stage::Open && frame.pass == Pass::Show;
        shows && is_begun && frame.level.is_none() && self.above.is_none()
    }

    fn looked_above(&mut self, target: Option<FileInfo>) {
        let own = self.frames.first().and_then(|frame| frame.info.clone());
        self.above = target.or(own);
    }

    fn failed(&mut self, asked: Asked, error: StorageError) -> Result<(), StorageError> {
        match asked {
            Asked::Above => self.looked_above(None),
            Asked::Close => self.frames.clear(),
            Asked::Open | Asked::Look if self.has_begun => {
                // What is gone meanwhile might as well never have been met.
                self.is_cut |= !matches!(error, StorageError::NotFound | StorageError::NotDirectory);
                self.frames.pop();
            }
            Asked::Nothing | Asked::Open | Asked::Look | Asked::Read => return Err(error),
        }
        Ok(())
    }
}

impl Frame {
    fn new(path: VirtualPath, written: String, way: Vec<RecordAt>, level: Option<usize>) -> Self {
        Self {
            path,
            written,
            way,
            info: None,
            level,
            depth: 0,
            pass: Pass::Show,
            stage: Stage::Closed,
            has_directories: false,
            pending: VecDeque::new(),
        }
    }
}

impl Session {
    /// What the storage is to be asked next; none: the walk is over.
    pub(super) fn walk_on(&self, now: Now, walk: &mut Walk) -> Option<StorageRequest> {
        let sort_entries_max = self.settings.listing_sort_entries_max;
        loop {
            let is_above_due = self.is_above_due(walk);
            let is_full = walk.searched >= limits::GLOB_DIRECTORIES_MAX || walk.looked_at >= limits::GLOB_NAMES_MAX;
            let entries_max = walk.batch();
            let frame = walk.frames.last_mut()?;
            let (asked, request) = match frame.stage {
                Stage::Unseen => (Asked::Look, StorageRequest::CheckExpiry { path: frame.path.clone() }),
                Stage::Open if is_above_due => {
                    (Asked::Above, StorageRequest::CheckExpiry { path: frame.path.parent() })
                }
                Stage::Open | Stage::Read if !frame.pending.is_empty() => {
                    if is_full && frame.depth == 0 && frame.level.is_some() {
                        walk.is_cut = true;
                        (Asked::Close, StorageRequest::CloseListing)
                    } else {
                        let entry = frame.pending.pop_front();
                        let below = entry.and_then(|entry| self.below(now, walk, entry));
                        walk.frames.extend(below);
                        continue;
                    }
                }
                Stage::Open => (Asked::Read, StorageRequest::ReadListing { entries_max }),
                Stage::Read if frame.pass == Pass::Show && frame.has_directories && walk.options.recursive => {
                    let is_deep = frame.depth >= self.settings.listing_depth_max;
                    walk.is_cut |= is_deep;
                    (frame.pass, frame.has_directories) = (Pass::Descend, false);
                    frame.stage = if is_deep { Stage::Read } else { Stage::Closed };
                    continue;
                }
                Stage::Read => {
                    walk.frames.pop();
                    continue;
                }
                Stage::Closed => {
                    let frame = walk.frames.last()?;
                    (Asked::Open, walk.opening_of(frame, sort_entries_max))
                }
            };
            walk.asked = asked;
            return Some(request);
        }
    }

    /// The storage has answered.
    ///
    /// # Errors
    /// Where the walk cannot go on: its first directory could not be opened, or one could not be read to its end.
    pub(super) fn walked(
        &self,
        now: Now,
        walk: &mut Walk,
        outcome: Result<StorageOutcome, StorageError>,
    ) -> Result<(), StorageError> {
        match (mem::replace(&mut walk.asked, Asked::Nothing), outcome) {
            (asked, Err(error)) => return walk.failed(asked, error),
            (_, Ok(StorageOutcome::Listed { entries, end })) => self.entries_read(now, walk, entries, end),
            (Asked::Above, Ok(StorageOutcome::State(state))) => {
                walk.looked_above(state.target);
                self.push_dots(now, walk);
            }
            (_, Ok(StorageOutcome::State(state))) => self.looked(now, walk, state),
            (Asked::Close, Ok(_)) => walk.frames.clear(),
            (_, Ok(_)) => self.directory_opened(now, walk),
        }
        Ok(())
    }

    fn directory_opened(&self, now: Now, walk: &mut Walk) {
        walk.has_begun = true;
        let Some(frame) = walk.frames.last_mut() else { return };
        frame.stage = Stage::Open;
        if frame.pass == Pass::Show {
            walk.push_header();
            if !self.is_above_due(walk) {
                self.push_dots(now, walk);
            }
        }
    }

    fn is_above_due(&self, walk: &Walk) -> bool {
        walk.needs_above() && !walk.frames.first().is_some_and(|frame| self.is_top(&frame.path))
    }

    /// The directory that this entry leads to; none where there is nothing for the client in it.
    fn below(&self, now: Now, walk: &mut Walk, entry: Entry) -> Option<Frame> {
        let frame = walk.frames.last()?;
        let path = frame.path.resolve(&entry.name).ok()?;
        let mut way = frame.way.clone();
        if let EntryRecord::Read(record) = entry.record {
            way.push(RecordAt { depth: path.depth(), record });
        }
        // Time has passed since it was read.
        if expiry::is_expired(expiry::effective(&way), now.utc_s) || !self.rights_at(&way).allow(Right::List) {
            return None;
        }
        let written = [frame.written.as_str(), entry.name.as_str(), "/"].concat();
        let step = frame.level.filter(|_| walk.pass_of(frame.level) == Pass::Descend);
        let Some(level) = step else {
            let (info, depth) = (Some(entry.info), frame.depth + 1);
            return Some(Frame { info, depth, ..Frame::new(path, written, way, None) });
        };
        walk.searched += 1;
        let below = walk.steps.get(level)?.below.as_str();
        let next = Some(level + 1).filter(|next| *next < walk.steps.len());
        if below.is_empty() {
            return Some(Frame { pass: walk.pass_of(next), ..Frame::new(path, written, way, next) });
        }
        let (path, written) = (path.resolve(below).ok().filter(|path| self.sees(path))?, written + below);
        Some(Frame { stage: Stage::Unseen, pass: walk.pass_of(next), ..Frame::new(path, written, way, next) })
    }
}
