//! LIST, NLST, MLSD over the data connection, in batches.

use super::lookup::{Found, Lookup};
use super::state::{Awaited, Flow, Purpose, Reading};
use super::transfer::{Kind, Moved, Transfer};
use super::view::ListingForm;
use super::walk::Walk;
use super::{Session, refuse};
use crate::action::Action;
use crate::error::{StorageError, TransferError};
use crate::event::StorageOutcome;
use crate::limits;
use crate::listing::facts::FactSet;
use crate::listing::options::ListingRequest;
use crate::record::PathState;
use crate::time::Now;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use core::ops::ControlFlow::Break;

/// What is particular to a listing.
#[derive(Debug)]
pub(super) struct Listing {
    stage: Stage,
    /// The texts that were sent.
    pub(super) sent: Moved,
    /// The last piece was sent that there is in MODE Z and over TLS.
    is_ended: bool,
}

#[derive(Debug)]
enum Stage {
    /// Its path is being looked up.
    Lookup(Lookup),
    /// It is this line.
    Single(String),
    /// It is what this walk meets.
    Walk(Box<Walk>),
}

impl Listing {
    /// Whether something is open in the storage for it.
    pub(super) fn is_open(&self) -> bool {
        matches!(&self.stage, Stage::Walk(walk) if walk.is_open())
    }

    /// Whether this is the kind of outcome that it waits for.
    pub(super) fn awaits(&self, outcome: &Result<StorageOutcome, StorageError>) -> bool {
        matches!(&self.stage, Stage::Walk(walk) if walk.awaits(outcome))
    }
}

impl Session {
    pub(super) fn opts_mlst(&mut self, chosen: FactSet) -> Reply {
        self.facts = chosen;
        // RFC 3659 7.9: the facts that were chosen, and nothing after `OPTS` where there are none.
        Reply::new(200, format!("{} {chosen}", text::FACTS_CHOSEN).trim_end().to_string())
    }

    pub(super) fn list(&mut self, form: ListingForm, request: ListingRequest) -> Flow {
        self.need_setup()?;
        let shown = request.argument().to_string();
        let mut lookup = Lookup::new(form, request, text::LISTING_FAILED);
        let path = self.first_place(&mut lookup)?;
        let listing = Listing { stage: Stage::Lookup(lookup), sent: Moved::default(), is_ended: false };
        let transfer = Transfer::new(Kind::Listing(listing), path.clone(), shown);
        self.check(path, Purpose::Transfer(transfer))
    }

    pub(super) fn listing_checked(&mut self, now: Now, mut transfer: Box<Transfer>, state: PathState) -> Flow {
        let Kind::Listing(Listing { stage, .. }) = &mut transfer.kind else { return Break(transfer.broken()) };
        let Stage::Lookup(lookup) = stage else { return Break(transfer.broken()) };
        match self.found(now, lookup, transfer.path.clone(), &state)? {
            Found::Elsewhere(path) => return self.check(path, Purpose::Transfer(transfer)),
            Found::Single(entry, options) => {
                *stage = Stage::Single(self.single(now, lookup.form, options, &entry, &transfer.path, &state.records));
            }
            Found::Walk(walk) => *stage = Stage::Walk(walk),
        }
        transfer.way = state.records;
        self.connect(now, transfer)
    }

    /// The data connection stands.
    pub(super) fn open_listing(&mut self, now: Now, mut transfer: Box<Transfer>) -> Flow {
        let Kind::Listing(listing) = &mut transfer.kind else {
            return self.abandon(now, transfer, None);
        };
        match &mut listing.stage {
            Stage::Walk(walk) => {
                walk.judged_again(&transfer.way);
                match self.walk_on(now, walk) {
                    Some(request) => self.ask(request, Awaited::Walked(Reading::Transfer(transfer))),
                    None => self.abandon(now, transfer, None),
                }
            }
            Stage::Single(_) => self.begin_listing(now, transfer),
            Stage::Lookup(_) => self.abandon(now, transfer, None),
        }
    }

    /// The storage has answered what the walk asked.
    pub(super) fn listing_walked(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        outcome: Result<StorageOutcome, StorageError>,
    ) -> Flow {
        let Kind::Listing(Listing { stage: Stage::Walk(walk), .. }) = &mut transfer.kind else {
            return self.abandon(now, transfer, None);
        };
        let outcome = self.walked(now, walk, outcome);
        let has_begun = transfer.begun.is_some();
        if let Err(error) = outcome {
            let reply = if has_begun {
                Reply::new(451, text::FILE_READ_FAILED)
            } else {
                refuse::storage(error, text::LISTING_FAILED)
            };
            return self.abandon(now, transfer, Some(reply));
        }
        if transfer.interrupt.is_some() {
            return self.abandon(now, transfer, None);
        }
        // Bytes may be long in coming where a pattern means few of many names; what is read shows that it goes on.
        transfer.moved_ms = now.monotonic_ms;
        if has_begun { self.send_or_go_on(now, transfer) } else { self.begin_listing(now, transfer) }
    }

    /// The 150.
    fn begin_listing(&mut self, now: Now, mut transfer: Box<Transfer>) -> Flow {
        if transfer.is_expired(now) {
            let reply = transfer.expired();
            return self.abandon(now, transfer, Some(reply));
        }
        self.begin(now, &mut transfer, &Reply::new(150, text::LISTING_COMES));
        self.proceed(now, transfer)
    }

    /// Sends what there is once it is worth it, reads on, or ends.
    pub(super) fn send_or_go_on(&mut self, now: Now, mut transfer: Box<Transfer>) -> Flow {
        let Kind::Listing(Listing { stage, is_ended, .. }) = &mut transfer.kind else {
            return self.abandon(now, transfer, None);
        };
        let (text, is_over, is_cut) = match stage {
            Stage::Single(line) => (core::mem::take(line), true, false),
            Stage::Walk(walk) if walk.text_bytes() >= limits::LISTING_TEXT_BYTES => (walk.take_text(), false, false),
            Stage::Walk(walk) => match self.walk_on(now, walk) {
                Some(request) => return self.ask(request, Awaited::Walked(Reading::Transfer(transfer))),
                None => (walk.take_text(), true, walk.is_cut),
            },
            Stage::Lookup(_) => return self.abandon(now, transfer, None),
        };
        let has_end = self.data.deflate.is_some() || self.protects_data().is_some();
        let is_last = is_over && has_end && !*is_ended;
        if !text.is_empty() || is_last {
            *is_ended = is_over;
            transfer.moved_ms = now.monotonic_ms;
            return self.send_piece(transfer, text, is_last);
        }
        self.push(Action::CloseData);
        self.note_end(now, &transfer, 226);
        let reply = Reply::new(226, text::LISTING_SENT);
        Break(if is_cut { reply.with_detail(text::LISTING_CUT) } else { reply })
    }

    fn send_piece(&mut self, transfer: Box<Transfer>, text: String, last: bool) -> Flow {
        let id = self.fresh_id();
        self.push(Action::SendData { id, text, deflate: self.data.deflate, last });
        Session::wait_for(id, Awaited::Ended(transfer))
    }

    /// A text has gone out.
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
        let cut = transfer.interrupt.is_some() && listing.is_open();
        if outcome.is_err() || cut {
            return self.abandon(now, transfer, None);
        }
        self.send_or_go_on(now, transfer)
    }
}
