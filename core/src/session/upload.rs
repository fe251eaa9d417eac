//! STOR and APPE: received aside, judged again, then published whole (DESIGN 5).

use super::state::{Awaited, Deed, Doing, Flow, Purpose, Subject};
use super::transfer::{Kind, Transfer};
use super::{Session, refuse};
use crate::action::{Action, PathChange, StorageRequest, Translation, UploadBase};
use crate::error::{StorageError, TransferError};
use crate::expiry::{self, Judgement};
use crate::limits;
use crate::path::VirtualPath;
use crate::record::{FileInfo, FileKind, Partial, PathState};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::ops::ControlFlow::{Break, Continue};

/// What is particular to an upload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upload {
    /// APPE; else STOR.
    append: bool,
    /// REST.
    restart_bytes: u64,
    /// ALLO.
    pub(super) announced_bytes: Option<u64>,
    /// What it goes on from.
    base: UploadBase,
    /// Whether a file that stands there may be replaced.
    replace: bool,
    /// How often publishing was started over.
    tries: u32,
    /// STOU: how many names were drawn. Nothing is ever replaced then.
    pub(super) draws: Option<u32>,
}

/// An upload of this session that broke and was kept.
#[derive(Debug)]
pub(super) struct BrokenUpload {
    path: VirtualPath,
    /// Tells its kept part from one that another session has put in its place.
    unique: String,
}

impl Session {
    pub(super) fn stor(&mut self, append: bool, argument: String) -> Flow {
        let (restart_bytes, announced_bytes) = self.said_of_upload()?;
        // An append goes to the end, whatever REST said.
        let restart_bytes = if append { 0 } else { restart_bytes };
        self.need_whole_in_ascii(restart_bytes, None)?;
        let path = self.to_be_made(&argument, text::STOR_FAILED)?;
        let upload = Upload { append, restart_bytes, ..Upload::new(announced_bytes) };
        let transfer = Transfer::new(Kind::Upload(upload), path.clone(), argument);
        self.check(path, Purpose::Transfer(transfer))
    }

    /// What REST and ALLO said; used up by it.
    pub(super) fn said_of_upload(&mut self) -> Flow<(u64, Option<u64>)> {
        let range = self.data.take_range();
        let next = self.data.take_next();
        if range.is_some() {
            return Break(Reply::new(504, text::NO_RANGE_UPLOAD));
        }
        self.need_setup()?;
        Continue((next.restart_bytes, next.announced_bytes))
    }

    pub(super) fn upload_checked(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        upload: Upload,
        state: PathState,
    ) -> Flow {
        if let Some(naming) = upload.another_name(&transfer.shown, expiry::judge_name(&state, now)) {
            return self.draw_name(naming);
        }
        let existing = self.may_upload(now, &transfer.path, &state, text::STOR_FAILED)?;
        transfer.own_s = state.target.as_ref().and_then(|info| info.expiry_s);
        let replace = self.may_replace(upload, &state);
        let partial = self.partial_shown(&transfer.path, &state);
        let base = upload.base_among(existing, partial.as_ref())?;
        if let (UploadBase::Partial { .. }, Some(partial)) = (base, partial) {
            transfer.unique = partial.unique;
        }
        transfer.kind = Kind::Upload(Upload { base, replace, ..upload });
        transfer.way = state.records;
        let (path, announced_bytes) = (transfer.path.clone(), upload.announced_bytes);
        let quota = self.quota_at(&path);
        self.ask(StorageRequest::OpenWrite { path, base, announced_bytes, quota }, Awaited::Opened(transfer))
    }

    /// The kept part of a broken upload, where the session may know of it: whoever may overwrite it, or made it.
    pub(super) fn partial_shown(&self, path: &VirtualPath, state: &PathState) -> Option<Partial> {
        let partial = state.partial.as_ref()?;
        let is_own = self.broken.iter().any(|broken| broken.path == *path && broken.unique == partial.unique);
        let shown = is_own || self.rights_at(&state.records).allow(Right::Overwrite);
        shown.then(|| partial.clone())
    }

    /// Whether a file that stands there may be replaced. STOU replaces none, whoever asks (RFC 959 4.1.3).
    fn may_replace(&self, upload: Upload, state: &PathState) -> bool {
        upload.draws.is_none() && self.rights_at(&state.records).allow(Right::Overwrite)
    }

    /// Whether the session may put a file there, and the file that stands there now.
    pub(super) fn may_upload<'a>(
        &self,
        now: Now,
        path: &VirtualPath,
        state: &'a PathState,
        failure: &'static str,
    ) -> Flow<Option<&'a FileInfo>> {
        let existing = match expiry::judge_name(state, now) {
            Judgement::Expired => return Break(refuse::expired(failure)),
            Judgement::Missing => None,
            Judgement::Live(info) => Some(info),
        };
        match existing.map(|info| info.kind) {
            None => self.permit(Right::Write, &state.records)?,
            Some(FileKind::File) if self.rights_at(&state.records).allow(Right::Overwrite) => {}
            Some(FileKind::File) => {
                // Whoever may write nothing need not look for a free name.
                self.permit(Right::Write, &state.records)?;
                return Break(refused(failure, text::FILE_EXISTS));
            }
            Some(FileKind::Directory) => return Break(refused(failure, text::IS_DIRECTORY)),
            Some(FileKind::Other | FileKind::Link) => return Break(refused(failure, text::NAME_REFUSED)),
        }
        let expires = expiry::effective(&state.records).is_some()
            || expiry::of_file(&self.settings, path, &state.records, now).is_some();
        if self.expiry_rules().required && !expires {
            return Break(refused(failure, text::EXPIRY_REQUIRED));
        }
        Continue(existing)
    }

    pub(super) fn upload_opened(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        upload: Upload,
        outcome: Result<FileInfo, StorageError>,
    ) -> Flow {
        match outcome {
            Ok(_) if transfer.interrupt.is_some() => self.tidy(now, transfer, None),
            // Another upload has put its own kept part there since the check; its bytes are not what the peer resumes.
            Ok(info) if matches!(upload.base, UploadBase::Partial { .. }) && info.unique != transfer.unique => {
                self.tidy(now, transfer, Some(refuse::busy(text::STOR_FAILED)))
            }
            Ok(info) => {
                transfer.unique = info.unique;
                self.connect(now, transfer)
            }
            Err(error) => Break(refuse::storage_name(error, text::STOR_FAILED)),
        }
    }

    /// The data connection stands: 150, and the bytes may come.
    pub(super) fn receive(&mut self, now: Now, mut transfer: Box<Transfer>) -> Flow {
        if transfer.is_expired(now) {
            let reply = transfer.expired();
            return self.abandon(now, transfer, Some(reply));
        }
        // RFC 1123 4.1.2.9: the name that STOU chose is told in exactly this form.
        let preliminary = match transfer.kind {
            Kind::Upload(Upload { draws: Some(_), .. }) => Reply::new(150, format!("FILE: {}", transfer.shown)),
            _ => Reply::new(150, text::OK_TO_SEND),
        };
        self.begin(now, &mut transfer, &preliminary);
        self.proceed(now, transfer)
    }

    pub(super) fn upload_ended(
        &mut self,
        now: Now,
        transfer: Box<Transfer>,
        upload: Upload,
        outcome: Result<(), TransferError>,
    ) -> Flow {
        match outcome {
            // A full disk or a file-size limit: nothing half-written appears, and nothing is kept that fills it.
            Err(TransferError::Storage(error)) => {
                let reply = match error {
                    StorageError::Failed => Reply::new(451, text::FILE_WRITE_FAILED),
                    error => refuse::storage(error, text::STOR_FAILED),
                };
                self.abandon(now, transfer, Some(reply))
            }
            // What was made of it so far may be wrong already, so nobody shall resume it.
            Err(TransferError::Corrupt) => {
                let reply = transfer.broken().with_detail(text::CORRUPT_DEFLATE);
                self.abandon(now, transfer, Some(reply))
            }
            Err(TransferError::ConnectionLost | TransferError::Cancelled) => {
                self.push(Action::CloseData);
                self.keep(now, transfer, None)
            }
            // The end of the data was the answer to a cancel, so it may not be the end of the file.
            Ok(()) if transfer.interrupt.is_some() => {
                self.push(Action::CloseData);
                self.keep(now, transfer, None)
            }
            Ok(()) if self.falls_short(&transfer, upload) => {
                let reply = transfer.broken().with_detail(text::FEWER_THAN_ANNOUNCED);
                self.push(Action::CloseData);
                self.keep(now, transfer, Some(reply))
            }
            Ok(()) => {
                self.push(Action::CloseData);
                self.publish(now, transfer, upload.replace)
            }
        }
    }

    /// DESIGN 5: in TYPE I from offset 0, fewer bytes than ALLO said.
    fn falls_short(&self, transfer: &Transfer, upload: Upload) -> bool {
        self.data.translation == Translation::Image
            && upload.base == UploadBase::Empty
            && upload.announced_bytes.is_some_and(|bytes| transfer.moved.file_bytes < bytes)
    }

    fn publish(&mut self, now: Now, transfer: Box<Transfer>, replace: bool) -> Flow {
        if transfer.is_expired(now) {
            // DESIGN 4: 226 means "stored, and there".
            let reply = transfer.expired();
            return self.tidy(now, transfer, Some(reply));
        }
        let judged = transfer.way.clone();
        let expiry_s = expiry::of_file(&self.settings, &transfer.path, &judged, now);
        self.ask(StorageRequest::Publish { replace, judged, expiry_s }, Awaited::Published(transfer))
    }

    pub(super) fn published(
        &mut self,
        now: Now,
        transfer: Box<Transfer>,
        outcome: Result<FileInfo, StorageError>,
    ) -> Flow {
        let reply = match outcome {
            Ok(info) => {
                self.forget_broken(&transfer.path);
                self.notify_dated(&transfer.path, info.expiry_s, transfer.own_s);
                match transfer.kind {
                    // RFC 959 4.1.3: the reply must include the name.
                    Kind::Upload(Upload { draws: Some(_), .. }) => {
                        Reply::new(226, format!("Transfer complete (FILE: {}).", transfer.shown))
                    }
                    _ => Reply::new(226, text::TRANSFER_COMPLETE),
                }
            }
            Err(StorageError::Changed) => {
                return self.check(transfer.path.clone(), Purpose::Again(transfer));
            }
            Err(_) if transfer.is_expired(now) => transfer.expired(),
            // Its directory was removed or renamed while the bytes came: the name is as good as it was.
            Err(error @ (StorageError::NotFound | StorageError::NotDirectory)) => {
                refuse::storage(error, text::STOR_FAILED)
            }
            Err(error) => refuse::storage_name(error, text::STOR_FAILED),
        };
        self.note_end(now, &transfer, reply.code);
        Break(reply)
    }

    /// The reaper hears of a file that has a date of its own, or of one that had it and is replaced.
    pub(super) fn notify_dated(&mut self, path: &VirtualPath, expiry_s: Option<i64>, replaced_s: Option<i64>) {
        if expiry_s.is_some() || replaced_s.is_some() {
            self.notify(PathChange::Expires { path: path.clone(), expiry_s });
        }
    }

    /// Judged again once the data connection stands, for it may have been long in coming: the 150 says that bytes are
    /// welcome.
    fn receive_if_allowed(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        upload: Upload,
        outcome: Result<PathState, StorageError>,
    ) -> Flow {
        if transfer.interrupt.is_some() {
            return self.abandon(now, transfer, None);
        }
        let state = match outcome {
            Ok(state) => state,
            Err(error) => {
                let reply = refuse::storage(error, text::STOR_FAILED);
                return self.abandon(now, transfer, Some(reply));
            }
        };
        if let Break(reply) = self.may_upload(now, &transfer.path, &state, text::STOR_FAILED) {
            return self.abandon(now, transfer, Some(reply));
        }
        let replace = self.may_replace(upload, &state);
        transfer.kind = Kind::Upload(Upload { replace, ..upload });
        transfer.way = state.records;
        self.receive(now, transfer)
    }

    /// Something changed on the way while the bytes came: judged again, and published or not.
    pub(super) fn upload_checked_again(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        upload: Upload,
        outcome: Result<PathState, StorageError>,
    ) -> Flow {
        if transfer.begun.is_none() {
            return self.receive_if_allowed(now, transfer, upload, outcome);
        }
        let state = match outcome {
            Ok(state) => state,
            Err(error) => {
                let reply = refuse::storage(error, text::STOR_FAILED);
                return self.keep(now, transfer, Some(reply));
            }
        };
        if let Break(reply) = self.may_upload(now, &transfer.path, &state, text::STOR_FAILED) {
            return self.tidy(now, transfer, Some(reply));
        }
        let replace = self.may_replace(upload, &state);
        // DESIGN 5: the records are as they were, so it is the file that was copied: another one stands there now.
        let base_replaced = state.records == transfer.way && matches!(upload.base, UploadBase::Published { .. });
        if base_replaced || upload.tries >= limits::RETRIES_MAX {
            return self.keep(now, transfer, Some(refuse::busy(text::STOR_FAILED)));
        }
        transfer.kind = Kind::Upload(Upload { replace, tries: upload.tries + 1, ..upload });
        transfer.way = state.records;
        self.publish(now, transfer, replace)
    }

    /// Keeps a broken upload aside, to be resumed. One that brought nothing is forgotten, or it would take the place of
    /// what an earlier one had brought.
    fn keep(&mut self, now: Now, transfer: Box<Transfer>, reply: Option<Reply>) -> Flow {
        if transfer.moved.file_bytes == 0 {
            return self.tidy(now, transfer, reply);
        }
        let reply = reply.unwrap_or_else(|| transfer.broken());
        self.note_end(now, &transfer, reply.code);
        let unique = transfer.unique;
        let subject = Subject { path: transfer.path, tries: 0 };
        self.change(Doing { subject, deed: Deed::Keep { unique, reply } }, StorageRequest::KeepPartial)
    }

    pub(super) fn kept(
        &mut self,
        path: VirtualPath,
        unique: String,
        reply: Reply,
        outcome: Result<(), StorageError>,
    ) -> Flow {
        if outcome.is_ok() {
            self.forget_broken(&path);
            if self.broken.len() >= limits::BROKEN_UPLOADS_MAX {
                self.broken.remove(0);
            }
            self.broken.push(BrokenUpload { path, unique });
        }
        Break(reply)
    }

    /// There is no kept part of that name any more.
    pub(super) fn forget_broken(&mut self, path: &VirtualPath) {
        self.broken.retain(|broken| broken.path != *path);
    }
}

impl Upload {
    /// One that begins with nothing.
    pub(super) fn new(announced_bytes: Option<u64>) -> Self {
        let base = UploadBase::Empty;
        Self { append: false, restart_bytes: 0, announced_bytes, base, replace: false, tries: 0, draws: None }
    }

    /// What it goes on from, among what stands there. `partial` is only what this session may resume.
    fn base_among(&self, existing: Option<&FileInfo>, partial: Option<&Partial>) -> Flow<UploadBase> {
        if !self.append && self.restart_bytes == 0 {
            return Continue(UploadBase::Empty);
        }
        let keep_bytes = (!self.append).then_some(self.restart_bytes);
        match (existing, partial) {
            (Some(info), _) if self.restart_bytes <= info.size_bytes => Continue(UploadBase::Published { keep_bytes }),
            (None, Some(partial)) if self.restart_bytes <= partial.size_bytes => {
                Continue(UploadBase::Partial { keep_bytes })
            }
            (None, None) if self.append => Continue(UploadBase::Empty),
            // RFC 3659 5.4 and DESIGN 5: beyond its length.
            _ => Break(Reply::new(554, text::RESTART_BEYOND)),
        }
    }
}

fn refused(failure: &'static str, detail: &'static str) -> Reply {
    Reply::new(553, failure).with_detail(detail)
}
