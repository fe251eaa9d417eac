//! Download (seed): CWD p, then each file, as a listing tells them where none are named. Before each SIZE and MDTM,
//! which tell whether a part that is there already is of this very file; after a break REST and RETR go on from there.

use super::call::DownloadOrder;
use super::event::Fault;
use super::failure::{Failure, FailureKind, Hint, Refusal, kind_of};
use super::listing::EntryKind;
use super::names;
use super::order::{DataOrder, Moved, Trouble, What};
use super::place;
use super::reply_reader::{Class, Heard};
use super::server::{Known, Server};
use super::step::{Input, Next, Step};
use super::summary::{FileDone, Listed, Summary};
use super::tally::Tally;
use super::walk::{self, Walk};
use crate::wire::command::Command;
use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A download, as far as it has come.
#[derive(Debug)]
pub(super) struct Download {
    storage_path: String,
    /// Whether the files keep their paths.
    tree: bool,
    /// What finds the files, where none are named and they are not found yet.
    walk: Option<Walk>,
    /// How many listings that took.
    listings: usize,
    /// The files as the server knows them.
    files: Vec<String>,
    /// The file at hand, counted from 0.
    file: usize,
    current: Current,
    /// Whether bytes of it may have come.
    begun: bool,
    /// The size that more came than.
    exceeded_bytes: Option<u64>,
    tally: Tally,
    stage: Stage,
}

/// What the server says of the file at hand.
#[derive(Clone, Copy, Debug, Default)]
struct Current {
    size_bytes: Option<u64>,
    modified_s: Option<i64>,
    offset_bytes: u64,
    received_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Entering,
    Walking,
    AskingSize,
    AskingTime,
    OpeningSink,
    Moving,
    KeepingSink,
}

impl Download {
    /// A download that has not begun.
    ///
    /// # Errors
    /// [`FailureKind::Local`], where two files would have one name here, or one could have none.
    pub(super) fn new(order: DownloadOrder) -> Result<Self, Failure> {
        let unfit = |what: String| Err(Failure::new(FailureKind::Unfit, what));
        let DownloadOrder { storage_path, files, tree } = order;
        place::check_path(&storage_path)?;
        let mut local_names = BTreeSet::new();
        for file in &files {
            let name = if tree { file } else { names::last_component(file) };
            if !names::is_below(name) || file.contains(char::is_control) {
                return unfit(format!("{file:?} cannot be the name of a file"));
            }
            if !local_names.insert(name) {
                return unfit(format!("two files would have the name {name}"));
            }
        }
        let walk = if files.is_empty() { Some(Walk::new(storage_path.clone(), tree)?) } else { None };
        let (current, tally, stage) = (Current::default(), Tally::default(), Stage::Entering);
        Ok(Self {
            storage_path,
            tree,
            walk,
            listings: 0,
            files,
            file: 0,
            current,
            begun: false,
            exceeded_bytes: None,
            tally,
            stage,
        })
    }

    fn ask(&mut self, stage: Stage, command: Command) -> Next {
        self.stage = stage;
        Next::Command(command)
    }

    fn walk(&mut self, server: &mut Server, input: Input) -> Next {
        self.stage = Stage::Walking;
        let Some(walk) = &mut self.walk else { return self.begin_file(server) };
        if let Some(next) = walk.walk(server, input) {
            return advised(next);
        }
        let listed = walk.take();
        let note = walk::unread(&listed);
        let Listed { entries, refused, .. } = listed;
        for Refusal { name, kind, reply } in refused {
            self.tally.add_refused(name, kind, reply);
        }
        // A link may lead to a file: whoever fetches it finds out.
        let files = entries.into_iter().filter(|entry| !matches!(entry.kind, EntryKind::Directory | EntryKind::Other));
        self.files = files.map(|entry| entry.name).collect();
        self.listings = walk.listings();
        self.walk = None;
        walk::told(note, self.begin_file(server))
    }

    fn name(&self) -> String {
        self.files.get(self.file).cloned().unwrap_or_default()
    }

    /// What the file is called here.
    fn local_name(&self) -> String {
        let name = self.name();
        if self.tree { name } else { names::last_component(&name).to_owned() }
    }

    fn begin_file(&mut self, server: &Server) -> Next {
        self.current = Current::default();
        if self.file >= self.files.len() {
            return match self.tally.conclude() {
                Ok(files) => Next::Finish(Summary::Downloaded { files }),
                Err(failure) => Next::Fail(failure),
            };
        }
        if server.features.size.may_be() {
            return self.ask(Stage::AskingSize, Command::Size(self.name()));
        }
        self.ask_time(server)
    }

    fn ask_time(&mut self, server: &Server) -> Next {
        if server.features.modification_time.may_be() {
            return self.ask(Stage::AskingTime, Command::Mdtm(self.name()));
        }
        self.open_sink(server)
    }

    fn open_sink(&mut self, server: &Server) -> Next {
        self.stage = Stage::OpeningSink;
        Next::OpenSink {
            name: self.local_name(),
            size_bytes: self.current.size_bytes,
            modified_s: self.current.modified_s,
            resume: server.features.restart.may_be(),
        }
    }

    fn on_sink(&mut self, outcome: Result<u64, Fault>) -> Next {
        match outcome {
            // A file that grew meanwhile has another size now; else the server does not tell the truth.
            Ok(_) if self.exceeded_bytes.is_some() && self.exceeded_bytes == self.current.size_bytes => {
                let what = format!("{}: the server sends more than the size that it tells", self.name());
                Next::Fail(Failure::new(FailureKind::Protocol, what))
            }
            Ok(offset_bytes) => {
                self.current.offset_bytes = offset_bytes;
                self.current.received_bytes = offset_bytes;
                if offset_bytes > 0 && self.current.size_bytes == Some(offset_bytes) {
                    return self.keep();
                }
                self.receive()
            }
            Err(fault) => self.local_failure(&fault),
        }
    }

    fn local_failure(&self, fault: &Fault) -> Next {
        let what = format!("cannot write {}: {}", self.local_name(), fault.0);
        Next::Fail(Failure::new(FailureKind::Local, what))
    }

    fn receive(&mut self) -> Next {
        self.stage = Stage::Moving;
        let name = self.name();
        Next::Data(DataOrder {
            command: Command::Retr(name.clone()),
            what: What::Receive { name, size_bytes: self.current.size_bytes },
            offset_bytes: self.current.offset_bytes,
            file: self.listings + self.file,
        })
    }

    fn on_moved(&mut self, server: &mut Server, moved: Moved) -> Next {
        self.begun |= moved.begun;
        match moved.outcome {
            Ok(_) => {
                self.current.received_bytes = self.current.offset_bytes + moved.wire_bytes;
                self.check()
            }
            Err(Trouble::RestartRefused(_)) => {
                server.features.restart = Known::No;
                self.open_sink(server)
            }
            Err(Trouble::Refused(reply)) if reply.class() == Class::Never && !moved.begun => {
                self.on_refused(server, reply)
            }
            Err(trouble) => {
                if let Trouble::TooMuch = trouble {
                    self.exceeded_bytes = self.current.size_bytes;
                }
                place::broken(&format!("{} broke off", self.name()), trouble, moved.wire_bytes > 0)
            }
        }
    }

    fn on_refused(&mut self, server: &mut Server, reply: Heard) -> Next {
        let kind = kind_of(FailureKind::NoSuchPath, &reply);
        if kind == FailureKind::NoSuchPath && server.may_mean_bytes(&self.name()) {
            // No such name in letters: then it was meant in bytes.
            server.listed_bytes = true;
            return self.begin_file(server);
        }
        if kind != FailureKind::NoSuchPath {
            return Next::Fail(Failure::by_reply(kind, format!("cannot fetch {}", self.name()), reply));
        }
        self.tally.add_refused(self.name(), kind, Some(reply));
        self.file += 1;
        (self.begun, self.exceeded_bytes) = (false, None);
        self.begin_file(server)
    }

    fn check(&mut self) -> Next {
        match self.current.size_bytes {
            Some(size) if size != self.current.received_bytes => {
                let came = self.current.received_bytes;
                let what = format!("{}: {came} of {size} bytes came", self.name());
                Next::Again(Failure::new(FailureKind::Partial, what))
            }
            _ => self.keep(),
        }
    }

    fn keep(&mut self) -> Next {
        self.stage = Stage::KeepingSink;
        Next::KeepSink { modified_s: self.current.modified_s }
    }

    fn on_kept(&mut self, server: &Server, outcome: Result<(), Fault>) -> Next {
        if let Err(fault) = outcome {
            return self.local_failure(&fault);
        }
        let Current { received_bytes: size_bytes, modified_s, .. } = self.current;
        self.tally.add_done(FileDone { name: self.name(), size_bytes, modified_s });
        self.file += 1;
        (self.begun, self.exceeded_bytes) = (false, None);
        self.begin_file(server)
    }

    fn on_reply(&mut self, server: &mut Server, reply: Heard) -> Next {
        match self.stage {
            Stage::AskingSize if reply.says_expired() => self.on_refused(server, reply),
            Stage::AskingSize => {
                server.features.size.learn(&reply);
                self.current.size_bytes = place::size_of(&reply);
                self.ask_time(server)
            }
            Stage::AskingTime => {
                server.features.modification_time.learn(&reply);
                self.current.modified_s = place::time_of(&reply);
                self.open_sink(server)
            }
            _ => match place::entered(server, &self.storage_path, reply) {
                Ok(()) => self.begin_file(server),
                Err(next) => advised(next),
            },
        }
    }
}

/// Other clients take URLs of files: who gives one here shall learn where the file's name belongs.
fn advised(next: Next) -> Next {
    match next {
        Next::Fail(failure) if failure.kind == FailureKind::NoSuchPath => {
            Next::Fail(failure.with_hint(Hint::NoPathToFetchFrom))
        }
        next => next,
    }
}

impl Step for Download {
    fn step(&mut self, server: &mut Server, input: Input) -> Next {
        match (input, self.stage) {
            (input @ Input::Start, _) if self.walk.is_some() => self.walk(server, input),
            (input, Stage::Walking) => self.walk(server, input),
            (Input::Start, _) => {
                self.stage = Stage::Entering;
                place::enter(server, &self.storage_path).unwrap_or_else(|| self.begin_file(server))
            }
            (Input::Reply(reply), _) => self.on_reply(server, reply),
            (Input::Data(moved), _) => self.on_moved(server, moved),
            (Input::Sink(outcome), _) => self.on_sink(outcome),
            (Input::Kept(outcome), _) => self.on_kept(server, outcome),
            (Input::Source(_) | Input::Secured(_), _) => {
                Next::Fail(Failure::new(FailureKind::Local, "a download has no source".to_owned()))
            }
        }
    }

    fn note_begun(&mut self) {
        self.begun = true;
    }

    fn blame(&self, failure: Failure) -> Failure {
        self.tally.blame(failure, self.begun)
    }
}
