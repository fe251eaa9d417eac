//! The directories of an upload: made below the storage path, each after the one above it.

use super::super::call::UploadOrder;
use super::super::failure::FailureKind;
use super::super::listing::{self, EntryKind};
use super::super::names;
use super::super::place;
use super::super::reply_reader::{Class, Heard};
use super::super::server::{Known, Place, Server};
use super::super::step::Next;
use super::{Stage, Upload};
use crate::wire::command::Command;
use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Which directories there must be, and how far that has come.
#[derive(Debug)]
pub(super) struct Directories {
    /// Each after the one above it.
    all: Vec<String>,
    /// How many are done with.
    done: usize,
    /// Those that there are not, with the server's words.
    refused: BTreeMap<String, Heard>,
}

impl Directories {
    /// Those that an order names, those above them and those above its files.
    pub(super) fn of(order: &UploadOrder) -> Self {
        let named = order.directories.iter().map(String::as_str);
        let above = order.files.iter().chain(&order.directories).flat_map(|name| names::parents(name));
        let all: BTreeSet<&str> = if order.standing.is_some() { BTreeSet::new() } else { named.chain(above).collect() };
        Self { all: all.into_iter().map(str::to_owned).collect(), done: 0, refused: BTreeMap::new() }
    }

    pub(super) fn contain(&self, path: &str) -> bool {
        self.all.binary_search_by(|directory| directory.as_str().cmp(path)).is_ok()
    }

    /// Why there is no directory for this file or directory to stand in, if there is none.
    pub(super) fn refusal_above(&self, path: &str) -> Option<&Heard> {
        if self.refused.is_empty() {
            return None;
        }
        names::parents(path).find_map(|parent| self.refused.get(parent))
    }

    /// The one at hand.
    fn next(&mut self) -> Option<&String> {
        while self.all.get(self.done).is_some_and(|next| self.refusal_above(next).is_some()) {
            self.done += 1;
        }
        self.all.get(self.done)
    }
}

impl Upload {
    /// The session is in the storage path: makes the next directory, or goes on with the files.
    pub(super) fn go_on_inside(&mut self, server: &Server) -> Next {
        match self.directories.next().cloned() {
            Some(directory) => self.ask(Stage::MakingDirectory, Command::Mkd(directory)),
            None => self.go_on_with_file(server),
        }
    }

    fn directory(&self) -> String {
        self.directories.all.get(self.directories.done).cloned().unwrap_or_default()
    }

    fn directory_done(&mut self, server: &Server) -> Next {
        self.directories.done += 1;
        self.go_on_inside(server)
    }

    fn directory_refused(&mut self, server: &Server, reply: Heard) -> Next {
        let directory = self.directory();
        self.tally.add_refused(directory.clone(), FailureKind::Refused, Some(reply.clone()));
        self.directories.refused.insert(directory, reply);
        self.directory_done(server)
    }

    pub(super) fn on_making_directory(&mut self, server: &Server, reply: Heard) -> Next {
        match reply.class() {
            Class::Done => self.directory_done(server),
            // RFC 959, appendix II: 521 says that it is there; others say so in words.
            Class::Never if reply.code == 521 || reply.says("already exists") => self.directory_done(server),
            Class::Never if reply.says_expired() || matches!(reply.code, 530 | 532 | 552) => self.no_directory(reply),
            // It may be there all the same: by an earlier run, or because only the reply to MKD was lost.
            Class::Never if server.features.machine_listing == Known::Yes => {
                let probe = Command::Mlst(Some(self.directory()));
                self.ask(Stage::LookingForDirectory(reply), probe)
            }
            Class::Never => self.ask(Stage::AskingWhere(reply), Command::Pwd),
            _ => self.no_directory(reply),
        }
    }

    fn no_directory(&self, reply: Heard) -> Next {
        place::refused(FailureKind::Refused, &format!("cannot make {}", self.directory()), reply)
    }

    pub(super) fn on_looking_for_directory(&mut self, server: &Server, made: Heard, reply: &Heard) -> Next {
        // RFC 3659 7.2: the facts stand on the line in the middle, after a blank.
        let facts = reply.lines.get(1).map(|line| line.strip_prefix(' ').unwrap_or(line));
        let kind = facts.and_then(listing::parse_facts).map(|entry| entry.kind);
        if reply.class() == Class::Done && kind == Some(EntryKind::Directory) {
            return self.directory_done(server);
        }
        self.directory_refused(server, made)
    }

    pub(super) fn on_asking_where(&mut self, server: &mut Server, made: Heard, reply: &Heard) -> Next {
        let Some(base) = names::base_of(reply) else {
            // Nothing leads back from there. Each file will tell by itself whether its directory is there.
            return self.directory_done(server);
        };
        server.place = Place::Below { root: self.storage_path(), base };
        let probe = Command::Cwd(self.directory());
        self.ask(Stage::EnteringDirectory(made), probe)
    }

    pub(super) fn on_entering_directory(&mut self, server: &mut Server, made: Heard, reply: &Heard) -> Next {
        if reply.class() == Class::Done {
            self.directories.done += 1;
            return self.enter(server);
        }
        server.place = Place::In(self.storage_path());
        self.directory_refused(server, made)
    }
}
