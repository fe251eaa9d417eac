//! Long work without a data connection: HASH and its like, SIZE in TYPE A, COMB, DSIZ; STAT of a path has its own file. It
//! goes in steps, so that ABOR, a closed control connection and a shut down are heard in between.

use super::comb::Comb;
use super::hash::Hash;
use super::state::{Awaited, Deed, Doing, Flow, Purpose, State, Subject, Wait};
use super::tree::Tree;
use super::{Session, hash, refuse};
use crate::action::{Note, ReadingPurpose, StorageRequest};
use crate::error::StorageError;
use crate::event::ReadingResult;
use crate::expiry;
use crate::limits;
use crate::path::VirtualPath;
use crate::record::{FileInfo, PathState, RecordAt};
use crate::time::Now;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use core::ops::ControlFlow::Break;

/// Work under way.
#[derive(Debug)]
pub(super) struct Work {
    /// What is done.
    pub(super) kind: Kind,
    /// The file or directory that it is about.
    pub(super) path: VirtualPath,
    /// When the earliest of the paths that it touches expires, UTC seconds; none: never.
    pub(super) expiry_s: Option<i64>,
    /// Why it is being ended early.
    pub(super) stop: Option<Stop>,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Kind {
    /// HASH, XCRC and so on.
    Hash(Hash),
    /// SIZE in TYPE A.
    AsciiSize,
    /// COMB.
    Comb(Comb),
    /// DSIZ.
    Tree(Tree),
}

/// Why work is ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// ABOR.
    Abort,
    /// The control connection is gone.
    HungUp,
    /// The server shuts down.
    ShutDown,
}

impl Work {
    pub(super) fn new(kind: Kind, path: VirtualPath) -> Box<Self> {
        Box::new(Self { kind, path, expiry_s: None, stop: None })
    }

    /// What its command says when it fails.
    pub(super) fn failure(&self) -> &'static str {
        match &self.kind {
            Kind::Hash(_) => text::HASH_FAILED,
            Kind::AsciiSize => text::SIZE_FAILED,
            Kind::Comb(_) => text::COMB_FAILED,
            Kind::Tree(_) => text::DSIZ_FAILED,
        }
    }

    /// The path with these records on its way is touched, too.
    pub(super) fn touches(&mut self, way: &[RecordAt]) {
        self.expiry_s = expiry::earlier(self.expiry_s, expiry::effective(way));
    }

    /// So is the file or directory that was found with them.
    pub(super) fn touches_found(&mut self, state: &PathState) {
        self.expiry_s = expiry::earlier(self.expiry_s, expiry::effective_of(state));
    }

    /// What it says where it may not go on.
    pub(super) fn halted(&self, now: Now) -> Option<Reply> {
        match self.stop {
            Some(stop) => Some(stop.reply(self.failure())),
            // DESIGN 4: no access after expiry, so also not to what has begun before.
            None if expiry::is_expired(self.expiry_s, now.utc_s) => Some(refuse::expired(self.failure())),
            None => None,
        }
    }
}

impl Stop {
    /// What the command that fails with this text says when it is ended so.
    pub(super) fn reply(self, failure: &'static str) -> Reply {
        match self {
            // RFC 959 5.4: ABOR is answered with 426 for what it ends, and 226 for itself.
            Self::Abort | Self::HungUp => Reply::new(426, text::ABORTED),
            Self::ShutDown => Reply::new(450, failure).with_detail(text::SHUTTING_DOWN),
        }
    }
}

impl Session {
    /// Has a path of the work checked.
    pub(super) fn check_for(&mut self, path: VirtualPath, work: Box<Work>) -> Flow {
        self.check(path, Purpose::Work(work))
    }

    pub(super) fn work_checked(&mut self, now: Now, work: Box<Work>, state: &PathState) -> Flow {
        if let Some(reply) = work.halted(now) {
            return Break(reply);
        }
        match work.kind {
            Kind::Hash(_) => self.hash_checked(now, work, state),
            Kind::AsciiSize => self.ascii_size_checked(now, work, state),
            Kind::Comb(_) => self.comb_checked(now, work, state),
            Kind::Tree(_) => self.tree_checked(now, work, state),
        }
    }

    /// Opens a file to be read through.
    pub(super) fn open_reading(
        &mut self,
        path: VirtualPath,
        (offset_bytes, length_bytes): (u64, Option<u64>),
        purpose: ReadingPurpose,
        work: Box<Work>,
    ) -> Flow {
        let request = StorageRequest::OpenReading { path, offset_bytes, length_bytes, purpose };
        self.ask(request, Awaited::WorkOpened(work))
    }

    /// A file was opened, to be read through or, for COMB, to be written.
    pub(super) fn work_opened(
        &mut self,
        now: Now,
        mut work: Box<Work>,
        outcome: Result<FileInfo, StorageError>,
    ) -> Flow {
        let info = match outcome {
            Ok(info) => info,
            Err(error) => return self.work_failed(*work, error),
        };
        if let Some(reply) = work.halted(now) {
            return self.end_work(*work, reply);
        }
        match &mut work.kind {
            Kind::Hash(hash) => {
                if let Break(reply) = hash.opened(&info) {
                    return self.end_work(*work, reply);
                }
            }
            Kind::Comb(comb) => {
                if !comb.opened(&info) {
                    return self.next_part(work);
                }
            }
            Kind::AsciiSize | Kind::Tree(_) => {}
        }
        self.read_on(work)
    }

    fn read_on(&mut self, work: Box<Work>) -> Flow {
        let request = StorageRequest::ReadOn { bytes_max: limits::READING_STEP_BYTES };
        self.ask(request, Awaited::WorkRead(work))
    }

    /// One step is done.
    pub(super) fn work_read(
        &mut self,
        now: Now,
        mut work: Box<Work>,
        outcome: Result<Option<ReadingResult>, StorageError>,
    ) -> Flow {
        let halted = work.halted(now);
        match (outcome, halted, &mut work.kind) {
            (Err(error), _, _) => self.work_failed(*work, error),
            (Ok(_), Some(reply), _) => self.end_work(*work, reply),
            (Ok(None), None, _) => self.read_on(work),
            (Ok(Some(ReadingResult::Digest { hex })), None, Kind::Hash(hash)) => {
                self.note(Note::Hashed { path: work.path.clone() });
                Break(hash.reply(&hex))
            }
            (Ok(Some(ReadingResult::AsciiSize { wire_bytes })), None, Kind::AsciiSize) => {
                Break(Reply::new(213, alloc::format!("{wire_bytes}")))
            }
            (Ok(Some(ReadingResult::Appended)), None, Kind::Comb(_)) => self.next_part(work),
            (Ok(Some(_)), None, _) => self.work_failed(*work, StorageError::Failed),
        }
    }

    fn work_failed(&mut self, work: Work, error: StorageError) -> Flow {
        let reply = match (&work.kind, error) {
            // draft-bryan-ftpext-hash 6: the hash of a directory is not defined.
            (Kind::Hash(hash), StorageError::IsDirectory) => hash.no_file(),
            (Kind::Hash(_), StorageError::OffsetBeyondEnd) => hash::beyond(),
            (Kind::Comb(comb), error) if comb.makes_name() => refuse::storage_name(error, work.failure()),
            _ => refuse::storage(error, work.failure()),
        };
        self.end_work(work, reply)
    }

    /// Ends it early: what it has open is closed or forgotten.
    pub(super) fn end_work(&mut self, work: Work, reply: Reply) -> Flow {
        let Work { kind, path, .. } = work;
        let subject = Subject { path, tries: 0 };
        let (deed, request) = match kind {
            Kind::Tree(_) => (Deed::Tidy(reply), StorageRequest::CloseListing),
            Kind::Comb(comb) if comb.has_upload() => (Deed::ForgetUpload(reply), StorageRequest::CloseReading),
            Kind::Hash(_) | Kind::AsciiSize | Kind::Comb(_) => (Deed::Tidy(reply), StorageRequest::CloseReading),
        };
        self.change(Doing { subject, deed }, request)
    }

    /// The reading is closed; the upload that it was for goes next.
    pub(super) fn forget_upload(&mut self, subject: Subject, reply: Reply) -> Flow {
        self.change(Doing { subject, deed: Deed::Tidy(reply) }, StorageRequest::Discard)
    }

    /// Whether work is under way.
    pub(super) fn works(&self) -> bool {
        match &self.state {
            State::Busy(wait) => match wait.as_ref() {
                Wait::For { outcome, .. } => outcome.stop().is_some(),
                Wait::Until { .. } => false,
            },
            State::Fresh | State::Ready | State::Securing { .. } | State::Closed => false,
        }
    }

    /// Ends the work that is under way after its running step, where one is and nothing has ended it yet.
    pub(super) fn stop_work(&mut self, why: Stop) -> bool {
        let State::Busy(wait) = &mut self.state else { return false };
        let Wait::For { outcome, .. } = wait.as_mut() else { return false };
        let Some(stop) = outcome.stop_mut().filter(|stop| stop.is_none()) else { return false };
        *stop = Some(why);
        true
    }
}
