//! What an outcome leads to: one table over every pair of what is awaited and what comes.

use super::state::{Awaited, Checking, Deed, Doing, Drawing, Flow, Purpose, Reading, State, Subject, Wait};
use super::transfer::Moved;
use super::{Outcome, Session, refuse};
use crate::action::{Action, ActionId, StorageRequest};
use crate::error::{Misuse, StorageError};
use crate::event::StorageOutcome;
use crate::limits;
use crate::path::VirtualPath;
use crate::record::{PathState, Token};
use crate::time::Now;
use alloc::boxed::Box;
use core::ops::ControlFlow::{Break, Continue};

impl Session {
    /// One step on. What is awaited comes back where the outcome is of another kind.
    pub(super) fn step(&mut self, now: Now, awaited: Awaited, outcome: Outcome) -> Result<Flow, Box<Awaited>> {
        use Outcome::{Connected, Drawn, Ended, Listening, Secured, Stored, Verified};
        use StorageOutcome::{Done, Listed, Opened, Published, Read, Room, State};
        Ok(match (awaited, outcome) {
            (Awaited::State(checking), Stored(Ok(State(state)))) => self.checked(now, checking, Ok(state)),
            (Awaited::State(checking), Stored(Err(error))) => self.checked(now, checking, Err(error)),
            (Awaited::Done(doing), Stored(Ok(Done))) => self.done(now, doing, Ok(())),
            (Awaited::Done(doing), Stored(Err(error))) => self.done(now, doing, Err(error)),
            (Awaited::Opened(transfer), Stored(Ok(Opened(info)))) => self.opened(now, transfer, Ok(info)),
            (Awaited::Opened(transfer), Stored(Err(error))) => self.opened(now, transfer, Err(error)),
            (Awaited::Published(transfer), Stored(Ok(Published(info)))) => self.published(now, transfer, Ok(info)),
            (Awaited::Published(transfer), Stored(Err(error))) => self.published(now, transfer, Err(error)),
            (Awaited::Walked(reading), Stored(outcome)) if reading.awaits(&outcome) => match reading {
                Reading::Transfer(transfer) => self.listing_walked(now, transfer, outcome),
                Reading::Status(status) => self.status_walked(now, *status, outcome),
            },
            (Awaited::WorkListed(work), Stored(Ok(Listed { entries, end }))) => {
                self.tree_listed(now, work, Ok((entries, end)))
            }
            (Awaited::WorkListed(work), Stored(Err(error))) => self.tree_listed(now, work, Err(error)),
            (Awaited::WorkOpened(work), Stored(Ok(Opened(info)))) => self.work_opened(now, work, Ok(info)),
            (Awaited::WorkOpened(work), Stored(Err(error))) => self.work_opened(now, work, Err(error)),
            (Awaited::WorkRead(work), Stored(Ok(Read { result, .. }))) => self.work_read(now, work, Ok(result)),
            (Awaited::WorkRead(work), Stored(Err(error))) => self.work_read(now, work, Err(error)),
            (Awaited::WorkPublished(work), Stored(Ok(Published(info)))) => self.comb_published(work, Ok(info)),
            (Awaited::WorkPublished(work), Stored(Err(error))) => self.comb_published(work, Err(error)),
            (Awaited::Room, Stored(Ok(Room { free_bytes }))) => Self::room_known(Ok(free_bytes)),
            (Awaited::Room, Stored(Err(error))) => Self::room_known(Err(error)),
            (Awaited::Drawn(drawing), Drawn(bytes)) => match *drawing {
                Drawing::Making(making) => self.made_with(now, making, Token(bytes)),
                Drawing::Naming(naming) => self.name_drawn(naming, bytes),
            },
            (Awaited::Listening { extended }, Listening(outcome)) => Break(self.listening(extended, outcome)),
            (Awaited::Connected(transfer), Connected(outcome)) => self.connected(now, transfer, outcome),
            (Awaited::Secured(transfer), Secured(outcome)) => self.data_secured(now, transfer, outcome),
            (Awaited::Verified(verifying), Verified(outcome)) => self.verified(*verifying, outcome),
            (Awaited::Ended(transfer), Ended(moved, outcome)) => self.transfer_ended(now, transfer, moved, outcome),
            (awaited, _) => return Err(Box::new(awaited)),
        })
    }

    /// A path was checked.
    fn checked(&mut self, now: Now, checking: Checking, outcome: Result<PathState, StorageError>) -> Flow {
        let Checking { subject, purpose } = checking;
        match (outcome, purpose) {
            (Ok(state), purpose) => self.judged(now, subject, purpose, state),
            // It has something open that is to be closed first.
            (Err(error), Purpose::Again(transfer)) => self.transfer_checked_again(now, transfer, Err(error)),
            (Err(error), purpose) => Break(refuse::storage(error, purpose.failure())),
        }
    }

    fn judged(&mut self, now: Now, subject: Subject, purpose: Purpose, state: PathState) -> Flow {
        match purpose {
            Purpose::Cwd { argument } => self.cwd_checked(now, subject.path, &state, argument),
            Purpose::Cdup => self.cdup_checked(now, subject.path, &state),
            Purpose::Mkd { token } => self.mkd_checked(now, subject, token, &state),
            Purpose::MkdParent { child, token } => self.mkd_parent_checked(now, child, token, &state),
            Purpose::Rmd => self.rmd_checked(now, subject, &state),
            Purpose::Dele => self.dele_checked(now, subject, &state),
            Purpose::Rnfr => self.rnfr_checked(now, subject.path, &state),
            Purpose::RntoSource { to } => self.rnto_source_checked(now, subject, state, to),
            Purpose::RntoTarget { from, source } => self.rnto_target_checked(now, subject.path, state, from, source),
            Purpose::Size => self.size_checked(now, &subject.path, &state),
            Purpose::Mdtm { other } => self.mdtm_checked(now, &state, other),
            Purpose::SetFacts(setting) => self.facts_checked(now, subject, &state, setting),
            Purpose::Room => self.avbl_checked(now, subject, &state),
            Purpose::Work(work) => self.work_checked(now, work, &state),
            Purpose::Allo { size_bytes } => self.allo_checked(now, subject, &state, size_bytes),
            Purpose::Mlst { argument } => self.mlst_checked(now, &subject.path, &state, &argument),
            Purpose::Stat(lookup) => self.stat_checked(now, subject.path, lookup, &state),
            Purpose::SetExpiry { site, date } => self.set_expiry_checked(now, subject, &state, site, date),
            Purpose::AskExpiry => self.ask_expiry_checked(now, &subject.path, &state),
            Purpose::Token => self.token_checked(now, &subject.path, &state),
            Purpose::Claim { token } => self.claim_checked(now, &subject.path, &state, token),
            Purpose::Transfer(transfer) => self.transfer_checked(now, subject, transfer, state),
            Purpose::Again(transfer) => self.transfer_checked_again(now, transfer, Ok(state)),
        }
    }

    /// The storage has changed something, or opened or closed a listing.
    fn done(&mut self, now: Now, doing: Doing, outcome: Result<(), StorageError>) -> Flow {
        let Doing { subject, deed } = doing;
        match deed {
            Deed::Make { token, expiry_s, replaces } => self.made(subject, token, expiry_s, replaces, outcome),
            Deed::RemoveDirectory => self.directory_removed(subject, outcome),
            Deed::RemoveFile => self.file_removed(subject, outcome),
            Deed::Rename { to, expiry_s } => self.renamed(subject, to, expiry_s, outcome),
            Deed::SetFacts(setting) => self.facts_set(subject, setting, outcome),
            Deed::SetExpiry { site, date, expiry_s } => self.expiry_set(subject, site, date, expiry_s, outcome),
            Deed::Reserve { size_bytes } => Break(self.reserved(size_bytes, outcome)),
            Deed::Keep { unique, reply } => self.kept(subject.path, unique, reply, outcome),
            Deed::OpenTree(work) => self.tree_opened(now, work, outcome),
            Deed::RemovePart(work) => self.part_removed(&subject.path, work, outcome),
            Deed::ForgetUpload(reply) => self.forget_upload(subject, reply),
            Deed::Tidy(reply) => Break(reply),
        }
    }

    /// Bytes have moved.
    pub(super) fn progressed(&mut self, now: Now, id: ActionId, moved: Moved) -> Result<(), Misuse> {
        let State::Busy(wait) = &mut self.state else { return Err(Misuse::UnknownId(id)) };
        match wait.as_mut() {
            Wait::For { id: expected, outcome } if *expected == id => match outcome {
                Awaited::Ended(transfer) => {
                    transfer.progress(now, moved);
                    Ok(())
                }
                _ => Err(Misuse::WrongOutcome(id)),
            },
            _ => Err(Misuse::UnknownId(id)),
        }
    }

    pub(super) fn wait_for(id: ActionId, outcome: Awaited) -> Flow {
        Continue(Wait::For { id, outcome })
    }

    /// Asks the storage, and waits for its answer.
    pub(super) fn ask(&mut self, request: StorageRequest, outcome: Awaited) -> Flow {
        let id = self.fresh_id();
        self.push(Action::Storage { id, request });
        Self::wait_for(id, outcome)
    }

    /// Has the storage change something, or open or close a listing.
    pub(super) fn change(&mut self, doing: Doing, request: StorageRequest) -> Flow {
        self.ask(request, Awaited::Done(doing))
    }

    /// Has a path checked.
    pub(super) fn check(&mut self, path: VirtualPath, purpose: Purpose) -> Flow {
        self.check_subject(Subject { path, tries: 0 }, purpose)
    }

    fn check_subject(&mut self, subject: Subject, purpose: Purpose) -> Flow {
        let request = StorageRequest::CheckExpiry { path: subject.path.clone() };
        self.ask(request, Awaited::State(Checking { subject, purpose }))
    }

    /// Starts a command over where what it had judged has changed, so often and no more; else says why it failed.
    pub(super) fn start_over(&mut self, subject: Subject, purpose: Purpose, error: StorageError) -> Flow {
        if error != StorageError::Changed || subject.tries >= limits::RETRIES_MAX {
            return Break(refuse::storage(error, purpose.failure()));
        }
        self.check_subject(Subject { tries: subject.tries + 1, ..subject }, purpose)
    }
}
