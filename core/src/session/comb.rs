//! COMB: parts that were uploaded apart become one file. The servers that brought it have it thus:
//! `COMB "target" "part" "part"`; what stands under the target's name stays in front, and the parts are removed. Here
//! the target shows whole or not at all, and the parts go only then.

use super::state::{Awaited, Deed, Doing, Flow, Subject};
use super::work::{Kind, Work};
use super::{Session, access, refuse};
use crate::action::{Note, ReadingPurpose, StorageRequest, UploadBase};
use crate::error::StorageError;
use crate::expiry;
use crate::path::VirtualPath;
use crate::record::{FileInfo, PathState, RecordAt};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;
use core::ops::ControlFlow::Break;

/// A COMB under way.
#[derive(Debug)]
pub(super) struct Comb {
    parts: Vec<Part>,
    /// How many parts the running stage is through with.
    done: usize,
    stage: Stage,
    /// All parts together.
    size_bytes: u64,
    base: UploadBase,
    /// Whether a file that stands there may be replaced.
    replace: bool,
    /// The records on the way to the target, as judged.
    way: Vec<RecordAt>,
    /// The date of its own that the new file gets, and that of the one that it replaces.
    expiry_s: Option<i64>,
    replaced_s: Option<i64>,
    /// Whether a part is left, because it has changed since it was read.
    left: bool,
}

#[derive(Debug)]
struct Part {
    path: VirtualPath,
    /// Tells the file that was read from another that takes its name; empty: it was not opened yet.
    unique: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The target is being checked.
    Target,
    /// The parts are.
    Parts,
    /// The new file is being opened.
    Opening,
    /// The parts are being read into it.
    Reading,
    /// It is published: the parts are being removed.
    Removing,
}

impl Comb {
    /// Whether the new file is open.
    pub(super) fn has_upload(&self) -> bool {
        self.stage == Stage::Reading
    }

    /// Whether it is the new file's name that is in question.
    pub(super) fn makes_name(&self) -> bool {
        self.stage == Stage::Opening
    }

    /// Whether it was a part that was opened; else it is the new file.
    pub(super) fn opened(&mut self, info: &FileInfo) -> bool {
        if self.stage == Stage::Opening {
            self.stage = Stage::Reading;
            return false;
        }
        if let Some(part) = self.done.checked_sub(1).and_then(|at| self.parts.get_mut(at)) {
            part.unique.clone_from(&info.unique);
        }
        true
    }

    fn next(&mut self) -> Option<&Part> {
        let part = self.parts.get(self.done);
        self.done += 1;
        part
    }

    fn reply(&self) -> Reply {
        let reply = Reply::new(250, text::COMB_OK);
        if self.left { reply.with_detail(text::PARTS_LEFT) } else { reply }
    }
}

impl Session {
    pub(super) fn comb(&mut self, target: &str, parts: &[String]) -> Flow {
        let target = self.to_be_made(target, text::COMB_FAILED)?;
        let mut found: Vec<Part> = Vec::with_capacity(parts.len());
        for part in parts {
            let path = self.looked_up(part, text::COMB_FAILED)?;
            // Each is read once and removed once.
            if path == target || found.iter().any(|part| part.path == path) {
                return Break(Reply::new(501, text::PART_TWICE));
            }
            found.push(Part { path, unique: String::new() });
        }
        let comb = Comb {
            parts: found,
            done: 0,
            stage: Stage::Target,
            size_bytes: 0,
            base: UploadBase::Empty,
            replace: false,
            way: Vec::new(),
            expiry_s: None,
            replaced_s: None,
            left: false,
        };
        self.check_for(target.clone(), Work::new(Kind::Comb(comb), target))
    }

    pub(super) fn comb_checked(&mut self, now: Now, mut work: Box<Work>, state: &PathState) -> Flow {
        let Kind::Comb(comb) = &mut work.kind else { return Break(Reply::new(451, text::COMB_FAILED)) };
        if comb.stage == Stage::Target {
            if self.may_upload(now, &work.path, state, text::COMB_FAILED)?.is_some() {
                comb.base = UploadBase::Published { keep_bytes: None };
            }
            comb.expiry_s = expiry::of_file(&self.settings, &work.path, &state.records, now);
            comb.replaced_s = state.target.as_ref().and_then(|info| info.expiry_s);
            comb.replace = self.rights_at(&state.records).allow(Right::Overwrite);
            comb.way.clone_from(&state.records);
            comb.stage = Stage::Parts;
            work.touches(&state.records);
        } else {
            let info = access::living_file(now, state, text::COMB_FAILED)?;
            self.permit(Right::Read, &state.records)?;
            self.permit(Right::Delete, &state.records)?;
            comb.size_bytes = comb.size_bytes.saturating_add(info.size_bytes);
            work.touches_found(state);
        }
        self.next_part(work)
    }

    /// The next part's turn, in whichever stage; after the last the next stage.
    pub(super) fn next_part(&mut self, mut work: Box<Work>) -> Flow {
        let Kind::Comb(comb) = &mut work.kind else { return Break(Reply::new(451, text::COMB_FAILED)) };
        let stage = comb.stage;
        if let Some(part) = comb.next() {
            let (path, unique) = (part.path.clone(), part.unique.clone());
            return match stage {
                Stage::Target | Stage::Parts | Stage::Opening => self.check_for(path, work),
                Stage::Reading => self.open_reading(path, (0, None), ReadingPurpose::Append, work),
                Stage::Removing => {
                    let request = StorageRequest::RemoveFile { path: path.clone(), unique: Some(unique) };
                    self.change(Doing { subject: Subject { path, tries: 0 }, deed: Deed::RemovePart(work) }, request)
                }
            };
        }
        comb.done = 0;
        match stage {
            Stage::Target | Stage::Parts | Stage::Opening => {
                comb.stage = Stage::Opening;
                let (base, announced_bytes) = (comb.base, Some(comb.size_bytes));
                let path = work.path.clone();
                let quota = self.quota_at(&path);
                let request = StorageRequest::OpenWrite { path, base, announced_bytes, quota };
                self.ask(request, Awaited::WorkOpened(work))
            }
            Stage::Reading => {
                let (judged, expiry_s) = (mem::take(&mut comb.way), comb.expiry_s);
                let request = StorageRequest::Publish { replace: comb.replace, judged, expiry_s };
                self.ask(request, Awaited::WorkPublished(work))
            }
            Stage::Removing => {
                let (bytes, reply) = (comb.size_bytes, comb.reply());
                self.note(Note::Combined { path: work.path.clone(), bytes });
                Break(reply)
            }
        }
    }

    pub(super) fn comb_published(&mut self, mut work: Box<Work>, outcome: Result<FileInfo, StorageError>) -> Flow {
        match outcome {
            Ok(info) => {
                self.forget_broken(&work.path);
                if let Kind::Comb(comb) = &mut work.kind {
                    self.notify_dated(&work.path, info.expiry_s, comb.replaced_s);
                    comb.stage = Stage::Removing;
                }
                // What came to stop it came too late.
                work.stop = None;
                self.next_part(work)
            }
            // It is open still; another file or another date stands there now.
            Err(StorageError::Changed) => self.end_work(*work, refuse::busy(text::COMB_FAILED)),
            Err(error) => Break(refuse::storage_name(error, text::COMB_FAILED)),
        }
    }

    pub(super) fn part_removed(
        &mut self,
        path: &VirtualPath,
        mut work: Box<Work>,
        outcome: Result<(), StorageError>,
    ) -> Flow {
        match (outcome, &mut work.kind) {
            (Ok(()), _) => {
                self.forget_broken(path);
                self.note(Note::Removed { path: path.clone() });
            }
            (Err(StorageError::NotFound), _) => {}
            (Err(_), Kind::Comb(comb)) => comb.left = true,
            (Err(_), _) => {}
        }
        self.next_part(work)
    }
}
