//! LIST, NLST, MLSD over the data connection, and STAT of a directory over control; both in batches.

use super::state::{Awaited, Deed, Doing, Flow, Purpose, Reading, Subject};
use super::transfer::{Kind, Transfer};
use super::{Session, access, quirk, refuse};
use crate::action::{Action, StorageRequest};
use crate::error::{StorageError, TransferError};
use crate::expiry::{self, Judgement};
use crate::limits;
use crate::listing::{self, FactType};
use crate::path::{RESERVED_PREFIX, VirtualPath};
use crate::record::{Entry, EntryRecord, FileInfo, FileKind, PathState, Record, RecordAt};
use crate::time::Now;
use crate::user::{Right, Rights};
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow::Break;

/// What is particular to a listing.
#[derive(Debug)]
pub(super) struct Listing {
    /// Which form.
    pub(super) form: ListingForm,
    /// The argument as written.
    argument: Option<String>,
    /// It was looked up in a second place already.
    is_second: bool,
    /// What is listed, where it is one file.
    single: Option<Entry>,
    /// The directory is open in the storage.
    pub(super) is_open: bool,
    /// Bytes of the batches that were sent.
    pub(super) sent_bytes: u64,
}

/// The form of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListingForm {
    /// LIST.
    Long,
    /// NLST.
    Names,
    /// MLSD.
    Facts,
}

/// STAT of a directory, so far.
#[derive(Debug)]
pub(super) struct Status {
    lines: Vec<String>,
    way: Vec<RecordAt>,
}

/// What decides about a listing's lines.
struct View {
    now: Now,
    form: ListingForm,
    expiry_s: Option<i64>,
    rights: Rights,
}

impl Session {
    pub(super) fn list(&mut self, form: ListingForm, argument: Option<String>) -> Flow {
        self.need_setup()?;
        let shown = argument.clone().unwrap_or_default();
        let path = self.looked_up(&shown, text::LISTING_FAILED)?;
        let listing = Listing { form, argument, is_second: false, single: None, is_open: false, sent_bytes: 0 };
        let transfer = Transfer::new(Kind::Listing(listing), path.clone(), shown);
        self.check(path, Purpose::Transfer(transfer))
    }

    pub(super) fn listing_checked(&mut self, now: Now, mut transfer: Box<Transfer>, state: PathState) -> Flow {
        let Kind::Listing(listing) = &mut transfer.kind else {
            return Break(transfer.broken());
        };
        if expiry::judge(&state, now) == Judgement::Missing
            && let Some(path) = self.second_place(listing)
        {
            listing.is_second = true;
            return self.check(path, Purpose::Transfer(transfer));
        }
        let info = access::living(now, &state, text::LISTING_FAILED)?;
        self.permit(Right::List, &state.records)?;
        listing.single = match info.kind {
            FileKind::Directory => None,
            FileKind::File if listing.form != ListingForm::Facts => Some(entry_of(&transfer.path, info)),
            // RFC 3659 7.2.1: 501 where MLSD is asked about what is not a directory.
            FileKind::File => return Break(Reply::new(501, text::LISTING_FAILED).with_detail(text::NOT_DIRECTORY)),
            FileKind::Other => return Break(Reply::new(550, text::LISTING_FAILED)),
        };
        transfer.way = state.records;
        self.connect(now, transfer)
    }

    fn second_place(&self, listing: &Listing) -> Option<VirtualPath> {
        if listing.is_second || listing.form == ListingForm::Facts {
            return None;
        }
        let place = &self.place;
        quirk::second_place(listing.argument.as_deref()?, &place.directory, place.last_argument.as_deref())
    }

    /// The data connection stands.
    pub(super) fn open_listing(&mut self, now: Now, transfer: Box<Transfer>) -> Flow {
        if let Kind::Listing(Listing { single: Some(entry), form, .. }) = &transfer.kind {
            let view = self.view(now, *form, &transfer.way);
            let text = self.line(&view, entry).unwrap_or_default();
            return self.begin_listing(now, transfer, text);
        }
        let subject = Subject { path: transfer.path.clone(), tries: 0 };
        let request = self.opening_of(&subject.path);
        self.change(Doing { subject, deed: Deed::OpenListing(transfer) }, request)
    }

    fn opening_of(&self, path: &VirtualPath) -> StorageRequest {
        let sort_entries_max = self.settings.listing_sort_entries_max;
        StorageRequest::OpenListing { path: path.clone(), sort_entries_max }
    }

    pub(super) fn listing_opened(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        outcome: Result<(), StorageError>,
    ) -> Flow {
        if let Err(error) = outcome {
            let reply = refuse::storage(error, text::LISTING_FAILED);
            return self.abandon(now, transfer, Some(reply));
        }
        if let Kind::Listing(listing) = &mut transfer.kind {
            listing.is_open = true;
        }
        if transfer.interrupt.is_some() {
            return self.abandon(now, transfer, None);
        }
        self.begin_listing(now, transfer, String::new())
    }

    /// The 150, and the first text where there is some already.
    fn begin_listing(&mut self, now: Now, mut transfer: Box<Transfer>, text: String) -> Flow {
        if transfer.is_expired(now) {
            let reply = transfer.expired();
            return self.abandon(now, transfer, Some(reply));
        }
        self.begin(now, &mut transfer, &Reply::new(150, text::LISTING_COMES));
        self.send_or_go_on(now, transfer, text)
    }

    fn send_or_go_on(&mut self, now: Now, mut transfer: Box<Transfer>, text: String) -> Flow {
        if !text.is_empty() {
            transfer.moved_ms = now.monotonic_ms;
            let id = self.fresh_id();
            self.push(Action::SendData { id, text });
            return Session::wait_for(id, Awaited::Ended(transfer));
        }
        if matches!(&transfer.kind, Kind::Listing(listing) if listing.is_open) {
            return self.read_listing(Reading::Transfer(transfer));
        }
        self.push(Action::CloseData);
        Break(Reply::new(226, text::LISTING_SENT))
    }

    fn read_listing(&mut self, reading: Reading) -> Flow {
        let entries_max = limits::LISTING_BATCH_ENTRIES;
        self.ask(StorageRequest::ReadListing { entries_max }, Awaited::Listed(reading))
    }

    pub(super) fn listed(
        &mut self,
        now: Now,
        reading: Reading,
        outcome: Result<(Vec<Entry>, bool), StorageError>,
    ) -> Flow {
        match reading {
            Reading::Transfer(transfer) => self.batch_listed(now, transfer, outcome),
            Reading::Status { path, status } => self.status_listed(now, path, status, outcome),
        }
    }

    fn batch_listed(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        outcome: Result<(Vec<Entry>, bool), StorageError>,
    ) -> Flow {
        let Ok((entries, end)) = outcome else {
            return self.abandon(now, transfer, Some(Reply::new(451, text::FILE_READ_FAILED)));
        };
        let Kind::Listing(listing) = &mut transfer.kind else {
            return self.abandon(now, transfer, None);
        };
        listing.is_open = !end;
        let form = listing.form;
        if transfer.interrupt.is_some() {
            return self.abandon(now, transfer, None);
        }
        let view = self.view(now, form, &transfer.way);
        let text = entries.iter().filter_map(|entry| self.line(&view, entry)).collect();
        self.send_or_go_on(now, transfer, text)
    }

    /// A batch has gone out.
    pub(super) fn listing_sent(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        wire_bytes: u64,
        outcome: Result<(), TransferError>,
    ) -> Flow {
        let Kind::Listing(listing) = &mut transfer.kind else {
            return self.abandon(now, transfer, None);
        };
        listing.sent_bytes = listing.sent_bytes.saturating_add(wire_bytes);
        transfer.wire_bytes = listing.sent_bytes;
        let cut = transfer.interrupt.is_some() && listing.is_open;
        if outcome.is_err() || cut {
            return self.abandon(now, transfer, None);
        }
        self.send_or_go_on(now, transfer, String::new())
    }

    /// What a listing below this way shows now.
    fn view(&self, now: Now, form: ListingForm, way: &[RecordAt]) -> View {
        View { now, form, expiry_s: expiry::effective(way), rights: self.rights_at(way) }
    }

    /// The line of one entry, with its end; none where it is not shown.
    fn line(&self, view: &View, entry: &Entry) -> Option<String> {
        let record = match &entry.record {
            EntryRecord::None => None,
            EntryRecord::Read(record) if expiry::is_expired(record.expiry_s, view.now.utc_s) => return None,
            EntryRecord::Read(record) => Some(record),
            EntryRecord::Unreadable => return None,
        };
        if entry.info.kind == FileKind::Other || entry.name.starts_with(RESERVED_PREFIX) {
            return None;
        }
        Some(match view.form {
            ListingForm::Long => format!("{}\r\n", listing::list_line(entry, view.now)),
            ListingForm::Names => format!("{}\r\n", entry.name),
            ListingForm::Facts => format!("{} {}\r\n", self.facts(view, &entry.info, record), entry.name),
        })
    }

    fn facts(&self, view: &View, info: &FileInfo, record: Option<&Record>) -> String {
        let expiry_s = expiry::earlier(view.expiry_s, record.and_then(|record| record.expiry_s));
        let is_own = record.is_some_and(|record| self.owns(record));
        let rights = if is_own { Rights::ALL } else { view.rights };
        let fact_type = if info.kind == FileKind::Directory { FactType::Directory } else { FactType::File };
        listing::facts(info, &perm(info.kind, rights), fact_type, expiry_s)
    }

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
        let view = self.view(now, ListingForm::Facts, &state.records);
        let line = format!("{} {path}", self.facts(&view, info, None));
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
                Break(status_reply([line].into(), text::STATUS_END))
            }
            FileKind::Other => Break(Reply::new(550, text::FACTS_FAILED)),
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

    fn status_listed(
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
                    (true, false) => (status_reply(status.lines, text::STATUS_END), true),
                    (end, true) => (status_reply(status.lines, text::STATUS_CUT), end),
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

fn status_reply(lines: Vec<String>, last: &'static str) -> Reply {
    Reply::block(213, text::STATUS_FOLLOWS, lines, last)
}

fn entry_of(path: &VirtualPath, info: &FileInfo) -> Entry {
    Entry { name: path.name().to_string(), info: info.clone(), record: EntryRecord::None }
}

/// The `perm` fact (RFC 3659 7.5.5): what these rights let one do with it.
fn perm(kind: FileKind, rights: Rights) -> String {
    let of_directory: &[(char, Right)] = &[
        ('c', Right::Write),
        ('d', Right::Delete),
        ('f', Right::Rename),
        ('l', Right::List),
        ('m', Right::Write),
        ('p', Right::Delete),
    ];
    let of_file: &[(char, Right)] = &[
        ('a', Right::Overwrite),
        ('d', Right::Delete),
        ('f', Right::Rename),
        ('r', Right::Read),
        ('w', Right::Overwrite),
    ];
    let letters = if kind == FileKind::Directory { of_directory } else { of_file };
    let mut perm: String =
        letters.iter().filter(|(_, right)| rights.allow(*right)).map(|(letter, _)| *letter).collect();
    if kind == FileKind::Directory {
        // Whoever knows the name may enter.
        perm.push('e');
    }
    perm
}
