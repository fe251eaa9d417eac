//! A look into a directory, or into all of the tree below it: MLSD where the server knows it, else LIST, else NLST.

use super::action::ClientNote;
use super::failure::{Failure, FailureKind, Refusal};
use super::listing::{self, Entry, EntryKind};
use super::names;
use super::order::{DataOrder, Moved, Trouble, What};
use super::place;
use super::reply_reader::{Class, Heard};
use super::server::{Known, Place, Server};
use super::step::{Input, Next, Step};
use super::summary::{Listed, ListedEntry, Summary};
use crate::limits;
use crate::listing::options::ListingRequest;
use crate::wire::command::Command;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A walk, as far as it has come.
#[derive(Debug)]
pub(super) struct Walk {
    /// Where it begins, in the caller's words.
    root: String,
    recursive: bool,
    /// Where the root is, as PWD said; without that no directory below it is entered.
    base: Base,
    /// Directories that are still to be listed, the next one last, as paths below the root.
    pending: Vec<String>,
    listings: usize,
    /// The `unique` facts of directories.
    uniques: BTreeMap<String, String>,
    /// What a LIST told that held lines beyond reading.
    half_read: Vec<Entry>,
    listed: Listed,
    stage: Stage,
}

#[derive(Debug)]
enum Base {
    Unasked,
    Unknown,
    At(String),
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Into the root, or back to it.
    Entering,
    AskingBase,
    Descending,
    Listing(Form),
}

/// How a directory is listed; each form stands in for the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Machine,
    Long,
    Names,
}

impl Walk {
    /// A walk that has not begun.
    ///
    /// # Errors
    /// [`FailureKind::Unfit`], where the path cannot be sent.
    pub(super) fn new(root: String, recursive: bool) -> Result<Self, Failure> {
        place::check_path(&root)?;
        let (pending, stage) = ([String::new()].into(), Stage::Entering);
        let (uniques, half_read, listed) = (BTreeMap::new(), Vec::new(), Listed::default());
        Ok(Self { root, recursive, base: Base::Unasked, pending, listings: 0, uniques, half_read, listed, stage })
    }

    /// The next step after `input`; none: the walk is done, and the session is in its root.
    pub(super) fn walk(&mut self, server: &mut Server, input: Input) -> Option<Next> {
        match (input, self.stage) {
            (Input::Start, _) => self.enter(server),
            (Input::Reply(reply), Stage::AskingBase) => {
                self.base = names::base_of(&reply).map_or(Base::Unknown, Base::At);
                self.go_on(server)
            }
            (Input::Reply(reply), Stage::Descending) => self.on_descended(server, reply),
            (Input::Reply(reply), _) => match place::entered(server, &self.root, reply) {
                Ok(()) => self.go_on(server),
                Err(next) => Some(next),
            },
            (Input::Data(moved), Stage::Listing(form)) => self.on_listed(server, form, moved),
            _ => Some(Next::Fail(Failure::new(FailureKind::Protocol, "a look needs no file"))),
        }
    }

    /// What was found.
    pub(super) fn take(&mut self) -> Listed {
        core::mem::take(&mut self.listed)
    }

    /// How many listings came; a measure of headway.
    pub(super) fn listings(&self) -> usize {
        self.listings
    }

    fn enter(&mut self, server: &mut Server) -> Option<Next> {
        self.stage = Stage::Entering;
        place::enter(server, &self.root).or_else(|| self.go_on(server))
    }

    fn go_on(&mut self, server: &mut Server) -> Option<Next> {
        let Some(directory) = self.pending.last() else {
            // Whoever walks goes on from the root.
            let is_below = matches!(server.place, Place::Below { .. });
            return if is_below { self.enter(server) } else { None };
        };
        if server.features.machine_listing == Known::Yes {
            let below = Some(directory.clone()).filter(|directory| !directory.is_empty());
            return self.list(Form::Machine, below);
        }
        match &self.base {
            _ if directory.is_empty() => self.list(Form::Long, None),
            Base::Unasked => {
                self.stage = Stage::AskingBase;
                Some(Next::Command(Command::Pwd))
            }
            Base::At(base) => {
                // LIST takes options and patterns, and some servers read a blank as the path's end: no name is safe in
                // its argument.
                self.stage = Stage::Descending;
                server.place = Place::Below { root: self.root.clone(), base: base.clone() };
                Some(Next::Command(Command::Cwd(names::join(base, directory))))
            }
            Base::Unknown => {
                let below = Some(directory.clone());
                self.list(Form::Long, below)
            }
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "every way on says whether the walk is done")]
    fn list(&mut self, form: Form, path: Option<String>) -> Option<Next> {
        self.stage = Stage::Listing(form);
        let command = match form {
            Form::Machine => Command::Mlsd(path),
            Form::Long => Command::List(ListingRequest::of(path.as_deref())),
            Form::Names => Command::Nlst(ListingRequest::of(path.as_deref())),
        };
        Some(Next::Data(DataOrder { command, what: What::List, offset_bytes: 0, file: self.listings }))
    }

    fn on_descended(&mut self, server: &mut Server, reply: Heard) -> Option<Next> {
        match reply.class() {
            Class::Done => self.list(Form::Long, None),
            Class::Never if !reply.says_expired() => self.pass_over(server, Some(reply)),
            _ => Some(place::refused(FailureKind::NoSuchPath, &self.cannot("enter"), reply)),
        }
    }

    fn on_listed(&mut self, server: &mut Server, form: Form, moved: Moved) -> Option<Next> {
        let text = listing::text(&moved.listing);
        server.listed_bytes |= core::str::from_utf8(&moved.listing).is_err();
        let entries = match moved.outcome {
            Ok(_) => self.read(server, form, &text),
            Err(Trouble::Refused(reply)) => return self.on_refused(server, form, reply),
            Err(trouble) => return Some(place::broken(&self.cannot("list"), trouble, false)),
        };
        match entries {
            Ok(entries) => self.keep(server, entries),
            Err(Form::Names) => {
                let below = self.pending.last().filter(|below| !below.is_empty() && matches!(self.base, Base::Unknown));
                let below = below.cloned();
                self.list(Form::Names, below)
            }
            Err(_) => self.go_on(server),
        }
    }

    /// Reads a listing.
    ///
    /// # Errors
    /// The form to ask for instead, where this one holds what nobody can read.
    fn read(&mut self, server: &mut Server, form: Form, text: &str) -> Result<Vec<Entry>, Form> {
        match form {
            Form::Machine => {
                let lines = listing::lines(text).count();
                let entries: Vec<Entry> = listing::lines(text).filter_map(listing::parse_facts).collect();
                if entries.is_empty() && lines > 0 {
                    server.features.machine_listing = Known::No;
                    return Err(Form::Long);
                }
                // One that is broken costs no other; a long listing would tell less of all of them.
                self.listed.unread_lines += (lines - entries.len()) as u64;
                Ok(entries)
            }
            Form::Long => {
                let read = listing::parse(text, server.now.utc_s);
                if read.unread.is_empty() {
                    return Ok(read.entries);
                }
                self.half_read = read.entries;
                Err(Form::Names)
            }
            Form::Names => {
                let told = core::mem::take(&mut self.half_read);
                // Some servers repeat the directory before each name.
                let names = listing::lines(text).map(names::last_component);
                Ok(names.map(|name| described(&told, name)).collect())
            }
        }
    }

    fn on_refused(&mut self, server: &mut Server, form: Form, reply: Heard) -> Option<Next> {
        match reply.code {
            500..=504 if form == Form::Machine => {
                server.features.machine_listing = Known::No;
                self.go_on(server)
            }
            // Some servers have no other word for an empty directory.
            450 | 550 if form == Form::Names || reply.says("no files") => self.keep(server, Vec::new()),
            _ if self.listings > 0 && reply.class() == Class::Never && !reply.says_expired() => {
                self.pass_over(server, Some(reply))
            }
            _ => Some(place::broken(&self.cannot("list"), Trouble::Refused(reply), false)),
        }
    }

    /// Keeps the entries of the directory at hand, and goes on with the next.
    fn keep(&mut self, server: &mut Server, entries: Vec<Entry>) -> Option<Next> {
        self.listings += 1;
        let directory = self.pending.pop().unwrap_or_default();
        let (mut seen, mut below) = (BTreeSet::new(), Vec::new());
        for entry in entries.into_iter().filter(|entry| !matches!(entry.name.as_str(), "." | ".." | "")) {
            if !names::is_plain(&entry.name) {
                self.refuse(format!("{:?}", entry.name), FailureKind::Local, None);
            } else if seen.insert(entry.name.clone()) {
                let path = names::join(&directory, &entry.name);
                if self.recursive && entry.kind == EntryKind::Directory && self.may_descend(&path, &entry) {
                    below.push(path.clone());
                }
                self.listed.entries.push(ListedEntry::from(Entry { name: path, ..entry }));
            }
        }
        if self.listed.entries.len() > limits::CLIENT_TREE_ENTRIES_MAX {
            let what = format!("{}: more than {} entries", self.root, limits::CLIENT_TREE_ENTRIES_MAX);
            return Some(Next::Fail(Failure::new(FailureKind::Protocol, what)));
        }
        self.pending.extend(below.into_iter().rev());
        self.go_on(server)
    }

    /// Whether a directory is one of a tree, rather than one of a ring: some servers show a link to a directory as a
    /// directory.
    fn may_descend(&mut self, path: &str, entry: &Entry) -> bool {
        if names::parents(path).count() >= limits::PATH_DEPTH_MAX {
            self.refuse(path.to_owned(), FailureKind::Protocol, None);
            return false;
        }
        let Some(unique) = &entry.unique else { return true };
        if names::parents(path).any(|parent| self.uniques.get(parent) == Some(unique)) {
            return false;
        }
        self.uniques.insert(path.to_owned(), unique.clone());
        true
    }

    fn pass_over(&mut self, server: &mut Server, reply: Option<Heard>) -> Option<Next> {
        let directory = self.pending.pop().unwrap_or_default();
        self.refuse(directory, FailureKind::Refused, reply);
        self.go_on(server)
    }

    fn refuse(&mut self, name: String, kind: FailureKind, reply: Option<Heard>) {
        self.listed.refused.push(Refusal { name, kind, reply });
    }

    fn cannot(&self, what: &str) -> String {
        let below = self.pending.last().map_or("", String::as_str);
        format!("cannot {what} {}", names::join(&self.root, below).trim_end_matches('/'))
    }
}

/// A call that is nothing but a walk.
impl Step for Walk {
    fn step(&mut self, server: &mut Server, input: Input) -> Next {
        self.walk(server, input).unwrap_or_else(|| {
            let listed = self.take();
            let note = unread(&listed);
            told(note, Next::Finish(Summary::Listed(listed)))
        })
    }
}

/// What the user shall hear of lines that could not be read.
pub(super) fn unread(listed: &Listed) -> Option<ClientNote> {
    (listed.unread_lines > 0).then_some(ClientNote::LinesUnread { lines: listed.unread_lines })
}

/// The same after this was told.
pub(super) fn told(note: Option<ClientNote>, next: Next) -> Next {
    match note {
        Some(note) => Next::Noting(note, Box::new(next)),
        None => next,
    }
}

/// What a LIST told of a name.
fn described(told: &[Entry], name: &str) -> Entry {
    told.iter().find(|entry| entry.name == name).cloned().unwrap_or_else(|| Entry::named(name))
}
