//! View (seed): CWD p, then LIST p.

use super::failure::{Failure, FailureKind, Hint};
use super::listing;
use super::order::{DataOrder, Moved, Trouble, What};
use super::place;
use super::reply_reader::Heard;
use super::server::{Known, Server};
use super::step::{Input, Next, Step};
use super::summary::{ListedEntry, PathExpiry, Summary, Viewed};
use crate::listing::options::ListingRequest;
use crate::wire::command::Command;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

/// A look at a storage path, as far as it has come.
#[derive(Debug)]
pub(super) struct View {
    storage_path: String,
    expiry: PathExpiry,
    /// The answer to CWD, while it is looked whether the path is a file's.
    unentered: Option<Failure>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    AskingDate,
    Entering,
    /// There is no such path: is it a file's?
    Probing,
    /// `by_name`: LIST p, else LIST alone.
    Listing {
        by_name: bool,
    },
}

impl View {
    /// A look that has not begun.
    ///
    /// # Errors
    /// [`FailureKind::Unfit`], where the path cannot be sent.
    pub(super) fn new(storage_path: String) -> Result<Self, Failure> {
        place::check_path(&storage_path)?;
        Ok(Self { storage_path, expiry: PathExpiry::Unknown, unentered: None, stage: Stage::AskingDate })
    }

    fn enter(&mut self, server: &Server) -> Next {
        self.stage = Stage::Entering;
        place::enter(server, &self.storage_path).unwrap_or_else(|| self.list_as_seed(server))
    }

    // The seed lists the path that it has just entered by its name, and a server of that kind knows what is meant. To
    // any other it would be a path inside that path.
    fn list_as_seed(&mut self, server: &Server) -> Next {
        let by_name = !self.storage_path.is_empty() && server.features.set_expiry.may_be();
        self.list(by_name)
    }

    fn list(&mut self, by_name: bool) -> Next {
        self.stage = Stage::Listing { by_name };
        let path = by_name.then(|| self.storage_path.clone());
        Next::Data(DataOrder {
            command: Command::List(ListingRequest::of(path.as_deref())),
            what: What::List,
            offset_bytes: 0,
            file: 0,
        })
    }

    fn on_listed(&mut self, server: &Server, by_name: bool, moved: Moved) -> Next {
        let unsure = by_name && server.features.set_expiry == Known::Perhaps;
        match moved.outcome {
            Ok(_) if unsure && moved.listing.is_empty() => return self.list(false),
            Ok(_) => {}
            Err(Trouble::Refused(reply)) if unsure && !reply.says_expired() => return self.list(false),
            Err(trouble) => {
                let path = if self.storage_path.is_empty() { "/" } else { &self.storage_path };
                return place::broken(&format!("cannot list {path}"), trouble, false);
            }
        }
        let text = listing::text(&moved.listing);
        let entries = listing::parse(&text, server.now.utc_s).entries;
        Next::Finish(Summary::Viewed(Viewed {
            listing: listing::lines(&text).map(str::to_owned).collect(),
            entries: entries.into_iter().map(ListedEntry::from).collect(),
            expiry: self.expiry,
        }))
    }

    fn on_reply(&mut self, server: &mut Server, reply: Heard) -> Next {
        if self.stage == Stage::AskingDate {
            self.expiry = place::expiry_of(&reply);
            return self.enter(server);
        }
        if let Some(failure) = self.unentered.take() {
            let is_file = place::size_of(&reply).is_some();
            return Next::Fail(if is_file { failure.with_hint(Hint::FileNotPath) } else { failure });
        }
        match place::entered(server, &self.storage_path, reply) {
            Ok(()) => self.list_as_seed(server),
            Err(Next::Fail(failure))
                if failure.kind == FailureKind::NoSuchPath && server.features.size == Known::Yes =>
            {
                self.unentered = Some(failure);
                self.stage = Stage::Probing;
                Next::Command(Command::Size(self.storage_path.clone()))
            }
            Err(next) => next,
        }
    }
}

impl Step for View {
    fn step(&mut self, server: &mut Server, input: Input) -> Next {
        match (input, self.stage) {
            (Input::Start, _) => {
                self.stage = Stage::AskingDate;
                let there = place::enter(server, &self.storage_path).is_none();
                let ask = place::ask_expiry(server, &self.storage_path).filter(|_| !there);
                ask.unwrap_or_else(|| self.enter(server))
            }
            (Input::Reply(reply), _) => self.on_reply(server, reply),
            (Input::Data(moved), Stage::Listing { by_name }) => self.on_listed(server, by_name, moved),
            _ => Next::Fail(Failure::new(FailureKind::Protocol, "a look needs no file".to_owned())),
        }
    }
}
