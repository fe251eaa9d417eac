//! LIST, NLST, MLSD over the data connection, in batches.

use super::state::{Awaited, Deed, Doing, Flow, Purpose, Reading, Subject};
use super::transfer::{Kind, Moved, Transfer};
use super::view::{ListingForm, entry_of};
use super::{Session, access, quirk, refuse};
use crate::action::{Action, StorageRequest};
use crate::error::{StorageError, TransferError};
use crate::expiry::{self, Judgement};
use crate::limits;
use crate::path::VirtualPath;
use crate::record::{Entry, FileKind, PathState};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::string::String;
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
    /// The batches that were sent.
    pub(super) sent: Moved,
    /// The last piece was sent that there is in MODE Z.
    is_ended: bool,
}

impl Session {
    pub(super) fn list(&mut self, form: ListingForm, argument: Option<String>) -> Flow {
        self.need_setup()?;
        let shown = argument.clone().unwrap_or_default();
        let path = self.looked_up(&shown, text::LISTING_FAILED)?;
        let listing = Listing {
            form,
            argument,
            is_second: false,
            single: None,
            is_open: false,
            sent: Moved::default(),
            is_ended: false,
        };
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
            FileKind::Other | FileKind::Link => return Break(Reply::new(550, text::LISTING_FAILED)),
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

    pub(super) fn opening_of(&self, path: &VirtualPath) -> StorageRequest {
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
            return self.send_piece(transfer, text, false);
        }
        match &mut transfer.kind {
            Kind::Listing(listing) if listing.is_open => return self.read_listing(Reading::Transfer(transfer)),
            Kind::Listing(listing) if self.data.deflate.is_some() && !listing.is_ended => {
                listing.is_ended = true;
                return self.send_piece(transfer, text, true);
            }
            _ => {}
        }
        self.push(Action::CloseData);
        Break(Reply::new(226, text::LISTING_SENT))
    }

    fn send_piece(&mut self, transfer: Box<Transfer>, text: String, last: bool) -> Flow {
        let id = self.fresh_id();
        self.push(Action::SendData { id, text, deflate: self.data.deflate, last });
        Session::wait_for(id, Awaited::Ended(transfer))
    }

    pub(super) fn read_listing(&mut self, reading: Reading) -> Flow {
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
            Reading::Tree(work) => self.tree_listed(now, work, outcome),
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
        moved: Moved,
        outcome: Result<(), TransferError>,
    ) -> Flow {
        let Kind::Listing(listing) = &mut transfer.kind else {
            return self.abandon(now, transfer, None);
        };
        listing.sent = listing.sent.and(moved);
        transfer.moved = listing.sent;
        let cut = transfer.interrupt.is_some() && listing.is_open;
        if outcome.is_err() || cut {
            return self.abandon(now, transfer, None);
        }
        self.send_or_go_on(now, transfer, String::new())
    }
}
