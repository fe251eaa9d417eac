//! What RETR, STOR, APPE and the listings have in common, from the command to its one final reply.

use super::data::{DataChoices, Setup};
use super::listing::Listing;
use super::state::{Awaited, Deed, Doing, Flow, Purpose, State, Subject, Wait};
use super::upload::Upload;
use super::{Session, access, refuse};
use crate::action::{Action, Direction, Note, StorageRequest, Translation};
use crate::error::{NetError, StorageError, TransferError};
use crate::expiry;
use crate::path::VirtualPath;
use crate::record::{FileInfo, PathState, RecordAt};
use crate::time::Now;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::ControlFlow::Break;

/// A transfer command under way.
#[derive(Debug)]
pub(super) struct Transfer {
    /// What is transferred.
    pub(super) kind: Kind,
    /// The file or directory.
    pub(super) path: VirtualPath,
    /// The same as the client wrote it, for the 150.
    pub(super) shown: String,
    /// The records on the way, as last judged.
    pub(super) way: Vec<RecordAt>,
    /// The date of its own that the file has which stands there, UTC seconds.
    pub(super) own_s: Option<i64>,
    /// When they were, on the monotonic clock, milliseconds.
    pub(super) judged_ms: u64,
    /// When the running step began or last moved a byte, milliseconds.
    pub(super) moved_ms: u64,
    /// Whether its data connection goes to the client's default data port, for nothing was said.
    pub(super) is_unasked: bool,
    /// How far it is.
    pub(super) moved: Moved,
    /// Tells the open upload's file from every other.
    pub(super) unique: String,
    /// Since the 150.
    pub(super) begun: Option<Begun>,
    /// Why it is being ended early.
    pub(super) interrupt: Option<Interrupt>,
}

/// How far a transfer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    /// Bytes over the data connection.
    pub(super) wire_bytes: u64,
    /// Bytes of the file that these stand for: others in TYPE A and MODE Z.
    pub(super) file_bytes: u64,
}

impl Moved {
    /// The two together.
    pub(super) fn and(self, more: Self) -> Self {
        Self {
            wire_bytes: self.wire_bytes.saturating_add(more.wire_bytes),
            file_bytes: self.file_bytes.saturating_add(more.file_bytes),
        }
    }

    /// Bytes of the file, where they are not as many as went over the data connection.
    fn file_bytes_if_other(self) -> Option<u64> {
        (self.file_bytes != self.wire_bytes).then_some(self.file_bytes)
    }
}

/// What is transferred.
#[derive(Debug)]
pub(super) enum Kind {
    /// RETR, from this offset on, up to but without `end_bytes`.
    Download { offset_bytes: u64, end_bytes: Option<u64> },
    /// STOR, APPE.
    Upload(Upload),
    /// LIST, NLST, MLSD.
    Listing(Listing),
}

/// What holds since the 150.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    /// When that was, milliseconds.
    pub(super) at_ms: u64,
    /// When it must end because its path has expired, milliseconds.
    pub(super) drained_ms: Option<u64>,
}

/// Why a transfer is ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// ABOR.
    Abort,
    /// The control connection is gone.
    HungUp,
    /// No data connection came in time.
    Unconnected,
    /// No byte moved for too long.
    Stalled,
    /// Its path expired, and the time to drain is over.
    Drained,
}

impl Transfer {
    pub(super) fn new(kind: Kind, path: VirtualPath, shown: String) -> Box<Self> {
        Box::new(Self {
            kind,
            path,
            shown,
            way: Vec::new(),
            own_s: None,
            judged_ms: 0,
            moved_ms: 0,
            is_unasked: false,
            moved: Moved::default(),
            unique: String::new(),
            begun: None,
            interrupt: None,
        })
    }

    /// Bytes have moved.
    pub(super) fn progress(&mut self, now: Now, moved: Moved) {
        self.moved_ms = now.monotonic_ms;
        self.moved = match &self.kind {
            Kind::Listing(listing) => listing.sent.and(moved),
            Kind::Download { .. } | Kind::Upload(_) => moved,
        };
    }

    /// What its command says when it fails.
    pub(super) fn failure(&self) -> &'static str {
        match &self.kind {
            Kind::Download { .. } => text::RETR_FAILED,
            Kind::Upload(_) => text::STOR_FAILED,
            Kind::Listing(_) => text::LISTING_FAILED,
        }
    }

    /// What an open one says when its path turns out to have expired.
    pub(super) fn expired(&self) -> Reply {
        refuse::expired(self.failure())
    }

    /// Whether its path has expired by now, as it was last judged.
    pub(super) fn is_expired(&self, now: Now) -> bool {
        expiry::is_expired(self.expiry_s(), now.utc_s)
    }

    /// When that is. What an upload may replace has a date that does not concern the upload.
    fn expiry_s(&self) -> Option<i64> {
        match self.kind {
            Kind::Upload(_) => expiry::effective(&self.way),
            Kind::Download { .. } | Kind::Listing(_) => expiry::earlier(expiry::effective(&self.way), self.own_s),
        }
    }

    /// What it says when its data connection cannot be had.
    pub(super) fn unconnected(&self) -> Reply {
        Reply::new(425, if self.is_unasked { text::USE_PORT_OR_PASV } else { text::NO_CONNECTION })
    }

    /// What it says when it breaks off.
    pub(super) fn broken(&self) -> Reply {
        let reply = match self.kind {
            Kind::Upload(_) => Reply::new(426, text::READ_BROKE),
            Kind::Download { .. } | Kind::Listing(_) => Reply::new(426, text::WRITE_BROKE),
        };
        match self.interrupt {
            Some(Interrupt::Unconnected) => self.unconnected(),
            Some(Interrupt::Stalled) => reply.with_detail(text::STALLED),
            Some(Interrupt::Drained) => reply.with_detail(text::STORAGE_PATH_EXPIRED),
            Some(Interrupt::Abort | Interrupt::HungUp) | None => reply,
        }
    }
}

impl Session {
    pub(super) fn transfer_checked(
        &mut self,
        now: Now,
        subject: Subject,
        mut transfer: Box<Transfer>,
        state: PathState,
    ) -> Flow {
        if transfer.interrupt.is_some() {
            return Break(transfer.broken());
        }
        transfer.path = subject.path;
        transfer.judged_ms = now.monotonic_ms;
        match transfer.kind {
            Kind::Download { offset_bytes, end_bytes } => {
                self.download_checked(now, transfer, state, (offset_bytes, end_bytes))
            }
            Kind::Upload(upload) => self.upload_checked(now, transfer, upload, state),
            Kind::Listing(_) => self.listing_checked(now, transfer, state),
        }
    }

    /// The path of an open transfer was looked at again.
    pub(super) fn transfer_checked_again(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        outcome: Result<PathState, StorageError>,
    ) -> Flow {
        if let Kind::Upload(upload) = transfer.kind {
            return self.upload_checked_again(now, transfer, upload, outcome);
        }
        let state = match outcome {
            _ if transfer.interrupt.is_some() => return self.abandon(now, transfer, None),
            Ok(state) => state,
            Err(error) => {
                let reply = refuse::storage(error, transfer.failure());
                return self.abandon(now, transfer, Some(reply));
            }
        };
        match access::living(now, &state, transfer.failure()) {
            Flow::Break(reply) => self.abandon(now, transfer, Some(reply)),
            Flow::Continue(_) => {
                transfer.way = state.records;
                transfer.judged_ms = now.monotonic_ms;
                self.open(now, transfer)
            }
        }
    }

    /// Has the data connection made.
    pub(super) fn connect(&mut self, now: Now, mut transfer: Box<Transfer>) -> Flow {
        transfer.moved_ms = now.monotonic_ms;
        let (id, setup) = self.ask_for_data();
        transfer.is_unasked = setup == Setup::Default;
        Session::wait_for(id, Awaited::Connected(transfer))
    }

    pub(super) fn connected(&mut self, now: Now, mut transfer: Box<Transfer>, outcome: Result<(), NetError>) -> Flow {
        if transfer.interrupt.is_some() {
            return self.abandon(now, transfer, None);
        }
        if outcome.is_err() {
            let reply = transfer.unconnected();
            return self.abandon(now, transfer, Some(reply));
        }
        transfer.moved_ms = now.monotonic_ms;
        match transfer.kind {
            // DESIGN 4: admitted is what got its 150 before the instant, so what was judged earlier is judged again.
            _ if transfer.judged_ms != now.monotonic_ms => self.check(transfer.path.clone(), Purpose::Again(transfer)),
            _ => self.open(now, transfer),
        }
    }

    /// Opens what is to be sent; the data connection stands.
    fn open(&mut self, now: Now, transfer: Box<Transfer>) -> Flow {
        match transfer.kind {
            Kind::Download { offset_bytes, end_bytes } => {
                let path = transfer.path.clone();
                self.ask(StorageRequest::OpenRead { path, offset_bytes, end_bytes }, Awaited::Opened(transfer))
            }
            Kind::Listing(_) => self.open_listing(now, transfer),
            // An upload was opened before the data connection was made.
            Kind::Upload(_) => self.receive(now, transfer),
        }
    }

    pub(super) fn opened(
        &mut self,
        now: Now,
        transfer: Box<Transfer>,
        outcome: Result<FileInfo, StorageError>,
    ) -> Flow {
        match transfer.kind {
            Kind::Upload(upload) => self.upload_opened(now, transfer, upload, outcome),
            Kind::Download { .. } | Kind::Listing(_) => self.download_opened(now, transfer, outcome),
        }
    }

    /// The 150. What comes next moves bytes.
    pub(super) fn begin(&mut self, now: Now, transfer: &mut Transfer, preliminary: &Reply) {
        let expiry_s = match transfer.kind {
            Kind::Upload(_) => None,
            Kind::Download { .. } | Kind::Listing(_) => transfer.expiry_s(),
        };
        let drained_ms = expiry::drained_ms(expiry_s, self.settings.drain_ms, now);
        transfer.begun = Some(Begun { at_ms: now.monotonic_ms, drained_ms });
        transfer.moved_ms = now.monotonic_ms;
        self.reply(preliminary);
    }

    /// After the 150: bytes move, through TLS where they are to be private (RFC 4217 9: the handshake comes after 150).
    pub(super) fn proceed(&mut self, now: Now, mut transfer: Box<Transfer>) -> Flow {
        let Some(rules) = self.protects_data() else { return self.move_first(now, transfer) };
        transfer.moved_ms = now.monotonic_ms;
        let id = self.fresh_id();
        let direction = match transfer.kind {
            Kind::Upload(_) => Direction::Receive,
            Kind::Download { .. } | Kind::Listing(_) => Direction::Send,
        };
        self.push(Action::SecureData { id, direction, needs_close_notify: rules.require_close_notify });
        Session::wait_for(id, Awaited::Secured(transfer))
    }

    /// The data connection is as it is to be.
    pub(super) fn move_first(&mut self, now: Now, mut transfer: Box<Transfer>) -> Flow {
        transfer.moved_ms = now.monotonic_ms;
        match transfer.kind {
            Kind::Download { .. } => self.move_bytes(transfer, Direction::Send),
            Kind::Upload(_) => self.move_bytes(transfer, Direction::Receive),
            Kind::Listing(_) => self.send_or_go_on(now, transfer),
        }
    }

    /// Bytes move.
    fn move_bytes(&mut self, transfer: Box<Transfer>, direction: Direction) -> Flow {
        let id = self.fresh_id();
        let DataChoices { translation, deflate, .. } = self.data;
        let bytes_per_s = self.bytes_per_s(direction);
        self.push(Action::Transfer { id, direction, translation, deflate, bytes_per_s });
        Session::wait_for(id, Awaited::Ended(transfer))
    }

    pub(super) fn transfer_ended(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        moved: Moved,
        outcome: Result<(), TransferError>,
    ) -> Flow {
        match transfer.kind {
            Kind::Listing(_) => self.listing_sent(now, transfer, moved, outcome),
            Kind::Download { .. } => {
                transfer.moved = moved;
                self.download_ended(now, &transfer, outcome)
            }
            Kind::Upload(upload) => {
                transfer.moved = moved;
                self.upload_ended(now, transfer, upload, outcome)
            }
        }
    }

    /// Ends a transfer early: its data connection goes, and what it has open is closed or forgotten. Without a reply
    /// it says that it broke.
    pub(super) fn abandon(&mut self, now: Now, transfer: Box<Transfer>, reply: Option<Reply>) -> Flow {
        self.push(Action::CloseData);
        self.tidy(now, transfer, reply)
    }

    /// The same where no data connection stands.
    pub(super) fn tidy(&mut self, now: Now, transfer: Box<Transfer>, reply: Option<Reply>) -> Flow {
        let reply = reply.unwrap_or_else(|| transfer.broken());
        self.note_end(now, &transfer, reply.code);
        let request = match &transfer.kind {
            Kind::Upload(_) => StorageRequest::Discard,
            Kind::Listing(listing) if listing.is_open() => StorageRequest::CloseListing,
            Kind::Download { .. } | Kind::Listing(_) => return Break(reply),
        };
        let subject = Subject { path: transfer.path, tries: 0 };
        self.change(Doing { subject, deed: Deed::Tidy(reply) }, request)
    }

    /// A line in the log for each transfer that got its 150.
    pub(super) fn note_end(&mut self, now: Now, transfer: &Transfer, code: u16) {
        let Some(begun) = transfer.begun else { return };
        let took_ms = now.monotonic_ms.saturating_sub(begun.at_ms);
        let (path, wire_bytes) = (transfer.path.clone(), transfer.moved.wire_bytes);
        let direction = match transfer.kind {
            Kind::Download { .. } => Direction::Send,
            Kind::Upload(_) => Direction::Receive,
            Kind::Listing(_) => return self.note(Note::Listed { path, wire_bytes, took_ms, code }),
        };
        self.note(Note::Transferred {
            direction,
            path,
            wire_bytes,
            file_bytes: transfer.moved.file_bytes_if_other(),
            ascii: self.data.translation == Translation::Ascii,
            took_ms,
            code,
        });
    }

    /// The transfer that is under way.
    pub(super) fn transfer(&self) -> Option<&Transfer> {
        match &self.state {
            State::Busy(wait) => match wait.as_ref() {
                Wait::For { outcome, .. } => outcome.transfer(),
                Wait::Until { .. } => None,
            },
            State::Fresh | State::Ready | State::Securing { .. } | State::Closed => None,
        }
    }

    /// Ends the transfer that is under way, where one is and nothing has ended it yet. What is moving or connecting is
    /// cancelled; the outcome of that brings the reply.
    pub(super) fn interrupt(&mut self, why: Interrupt) -> bool {
        let State::Busy(wait) = &mut self.state else { return false };
        let Wait::For { id, outcome } = wait.as_mut() else { return false };
        let id = *id;
        let cancels = matches!(outcome, Awaited::Connected(_) | Awaited::Secured(_) | Awaited::Ended(_));
        let Some(transfer) = outcome.transfer_mut().filter(|transfer| transfer.interrupt.is_none()) else {
            return false;
        };
        transfer.interrupt = Some(why);
        if cancels {
            self.push(Action::Cancel { id });
        }
        true
    }
}
