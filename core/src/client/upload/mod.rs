//! Upload (seed): MKD p, SETEXPIRY p date, CWD p; then each file. After a break: SITE CLAIM p, CWD p, SIZE f, and on
//! from there. What is to be added to a path looks for it first: CWD p, and MKD p only where it is not there.

mod directories;
mod file;

use super::action::ClientNote;
use super::call::{Standing, UploadOrder};
use super::event::SourceInfo;
use super::failure::{Failure, FailureKind, Hint, kind_of};
use super::names;
use super::place;
use super::reply_reader::{Class, Heard};
use super::server::{Known, Place, Server};
use super::step::{Input, Next, Step};
use super::summary::{PathExpiry, Summary, Uploaded};
use super::tally::Tally;
use crate::date::ExpiryDate;
use crate::record::Token;
use crate::wire::command::{Command, Secret};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use directories::Directories;

/// An upload, as far as it has come.
#[derive(Debug)]
pub(super) struct Upload {
    order: UploadOrder,
    path: Path,
    token: Option<Token>,
    /// The path's name in the 257.
    named: Option<String>,
    expiry: PathExpiry,
    /// The directories to make below the path.
    directories: Directories,
    /// The file at hand, counted from 0.
    file: usize,
    current: Current,
    tally: Tally,
    stage: Stage,
}

/// How the storage path stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    Unmade,
    /// Made by this call, and its date set where that was asked for.
    Made {
        dated: bool,
    },
    /// There already, and welcome.
    Found,
}

/// The file at hand.
#[derive(Debug, Default)]
struct Current {
    source: Option<SourceInfo>,
    /// Whether the server may hold bytes of it.
    begun: bool,
    /// Whether a file of that name was there before; none where that is not known yet. Its bytes are not ours to go
    /// on from.
    there_before: Option<bool>,
    offset_bytes: u64,
    /// Bytes that the server should hold in the end.
    sent_bytes: u64,
    modified_s: Option<i64>,
}

#[derive(Debug)]
enum Stage {
    /// Is the path that is to be added to there?
    Seeking,
    Making,
    /// MKD failed: is the path there?
    Probing(Heard),
    AskingToken,
    Claiming,
    Dating,
    /// The path that could not be dated is removed.
    Unmaking(Failure),
    AskingDate,
    Entering,
    MakingDirectory,
    /// A directory's MKD failed: what does MLST say of it?
    LookingForDirectory(Heard),
    /// The same without MLST: where is the storage path, so that one can come back?
    AskingWhere(Heard),
    /// Is it there to be entered?
    EnteringDirectory(Heard),
    Opening,
    /// Is a file of that name there before the first byte is sent?
    Looking,
    /// It is, and of the same size: of the same time too? Or shorter: is it a part?
    LookingCloser {
        there_bytes: u64,
    },
    /// How much is there after a break?
    Resuming,
    Announcing,
    Moving,
    Stamping,
    Checking,
}

impl Upload {
    /// An upload that has not begun.
    ///
    /// # Errors
    /// [`FailureKind::Unfit`], where a name cannot be sent or stands twice.
    pub(super) fn new(order: UploadOrder) -> Result<Self, Failure> {
        let unfit = |what: String| Err(Failure::new(FailureKind::Unfit, what));
        if order.storage_path.is_empty() {
            return unfit("an upload needs a storage path".to_owned());
        }
        place::check_path(&order.storage_path)?;
        let directories = Directories::of(&order);
        let mut seen = BTreeSet::new();
        for name in order.files.iter().chain(&order.directories) {
            if !names::is_below(name) {
                return unfit(format!("{name:?} cannot be the name of a file"));
            }
        }
        for name in &order.files {
            if directories.contain(name) || !seen.insert(name) {
                return unfit(format!("two files would have the name {name}"));
            }
        }
        let path = match order.standing {
            None => Path::Unmade,
            Some(Standing::Made) => Path::Made { dated: false },
            Some(Standing::Found) => Path::Found,
        };
        Ok(Self {
            path,
            token: order.token,
            order,
            named: None,
            expiry: PathExpiry::Unknown,
            directories,
            file: 0,
            current: Current::default(),
            tally: Tally::default(),
            stage: Stage::Making,
        })
    }

    fn ask(&mut self, stage: Stage, command: Command) -> Next {
        self.stage = stage;
        Next::Command(command)
    }

    fn storage_path(&self) -> String {
        self.order.storage_path.clone()
    }

    fn start(&mut self, server: &Server) -> Next {
        if self.order.expiry_date.is_some() && server.features.set_expiry == Known::No {
            let what = "the server does not know SETEXPIRY; nothing was sent";
            return Next::Fail(Failure::new(FailureKind::ExpiryUnknown, what));
        }
        let inside = server.place == Place::In(self.storage_path());
        match (&self.token, self.path) {
            (_, Path::Unmade) if !self.order.add => self.ask(Stage::Making, Command::Mkd(self.storage_path())),
            (_, Path::Made { .. } | Path::Found) if inside => self.go_on_inside(server),
            (Some(token), _) if server.features.site_claim => {
                let token = Secret(token.to_string());
                self.ask(Stage::Claiming, Command::SiteClaim { path: self.storage_path(), token })
            }
            _ => self.date(server),
        }
    }

    fn on_seeking(&mut self, server: &mut Server, reply: Heard) -> Next {
        let path = &self.order.storage_path;
        match reply.class() {
            Class::Done => {
                server.place = Place::In(path.clone());
                self.path = Path::Found;
                self.go_on_found(server)
            }
            Class::Never if !matches!(reply.code, 530 | 532) && self.order.expiry_date.is_some() => {
                // It is made as any other, so that it never stays without its date: not even where the reply to MKD
                // is lost, after which it would be found.
                self.order.add = false;
                self.expiry = PathExpiry::Unknown;
                self.ask(Stage::Making, Command::Mkd(self.storage_path()))
            }
            Class::Never => {
                let failure = Failure::by_reply(FailureKind::NoSuchPath, format!("cannot add to {path}"), reply);
                let gone = matches!(failure.kind, FailureKind::NoSuchPath | FailureKind::PathExpired);
                Next::Fail(if gone { failure.with_hint(Hint::NothingToAddTo) } else { failure })
            }
            _ => place::refused(FailureKind::NoSuchPath, &format!("cannot add to {path}"), reply),
        }
    }

    fn go_on_found(&mut self, server: &Server) -> Next {
        let then = self.go_on_inside(server);
        match self.order.expiry_date {
            Some(_) => Next::Noting(ClientNote::DateLeftAlone { storage_path: self.storage_path() }, Box::new(then)),
            None => then,
        }
    }

    fn on_making(&mut self, server: &Server, reply: Heard) -> Next {
        match reply.class() {
            Class::Done => {
                self.path = Path::Made { dated: false };
                self.named = names::quoted(reply.text());
                if server.features.site_token && server.features.site_claim {
                    return self.ask(Stage::AskingToken, Command::SiteToken(self.storage_path()));
                }
                self.date(server)
            }
            Class::Never if kind_of(FailureKind::Refused, &reply) != FailureKind::Refused => self.cannot_make(reply),
            Class::Never => {
                let probe = Command::Cwd(self.storage_path());
                self.ask(Stage::Probing(reply), probe)
            }
            _ => self.cannot_make(reply),
        }
    }

    fn cannot_make(&self, reply: Heard) -> Next {
        let no_parent = reply.says("invalid storage path") || reply.says("no such file or directory");
        match place::refused(FailureKind::Refused, &format!("cannot make {}", self.order.storage_path), reply) {
            Next::Fail(failure) if no_parent => Next::Fail(failure.with_hint(Hint::NoParent)),
            next => next,
        }
    }

    fn on_probing(&mut self, server: &mut Server, made: Heard, reply: &Heard) -> Next {
        if reply.class() != Class::Done {
            return self.cannot_make(made);
        }
        server.place = Place::Elsewhere;
        let what = format!("{} is there already", self.order.storage_path);
        Next::Fail(Failure { reply: Some(made), ..Failure::new(FailureKind::PathExists, what) })
    }

    fn date(&mut self, server: &Server) -> Next {
        match &self.order.expiry_date {
            Some(date) if self.path == Path::Made { dated: false } => {
                let date = Some(date.clone());
                self.ask(Stage::Dating, Command::Expiry { site: false, path: self.storage_path(), date })
            }
            _ => self.ask_date(server),
        }
    }

    fn on_dating(&mut self, server: &Server, reply: Heard) -> Next {
        let date = self.order.expiry_date.as_deref().unwrap_or_default();
        match reply.class() {
            Class::Done => {
                self.path = Path::Made { dated: true };
                self.expiry = match ExpiryDate::parse(date, server.now) {
                    Ok(ExpiryDate::At(utc_s)) => PathExpiry::At { utc_s },
                    Ok(ExpiryDate::Never) => PathExpiry::Never,
                    Err(_) => PathExpiry::Unknown,
                };
                self.ask_date(server)
            }
            Class::Never => {
                // RFC 959 4.2.2: unrecognized; not implemented; not for that parameter.
                let unknown = matches!(reply.code, 500 | 502 | 504);
                let kind = if unknown { FailureKind::ExpiryUnknown } else { FailureKind::ExpiryRefused };
                let failure = Failure::by_reply(kind, format!("cannot set the expiry date {date}"), reply);
                // So that the same path may be made with a better date, and nothing eternal stays.
                self.ask(Stage::Unmaking(failure), Command::Rmd(self.storage_path()))
            }
            _ => place::refused(FailureKind::ExpiryRefused, &format!("cannot set the expiry date {date}"), reply),
        }
    }

    fn ask_date(&mut self, server: &Server) -> Next {
        self.stage = Stage::AskingDate;
        place::ask_expiry(server, &self.order.storage_path).unwrap_or_else(|| self.enter(server))
    }

    fn enter(&mut self, server: &Server) -> Next {
        self.stage = if self.path == Path::Unmade { Stage::Seeking } else { Stage::Entering };
        match place::enter(server, &self.order.storage_path) {
            Some(next) => next,
            None if self.path == Path::Unmade => {
                self.path = Path::Found;
                self.go_on_found(server)
            }
            None => self.go_on_inside(server),
        }
    }

    fn finish(&mut self) -> Next {
        match self.tally.conclude() {
            Ok(files) => Next::Finish(Summary::Uploaded(Uploaded {
                storage_path: self.named.clone().unwrap_or_else(|| self.storage_path()),
                expiry: self.expiry,
                token: self.token,
                files,
            })),
            Err(failure) => Next::Fail(failure),
        }
    }

    fn on_reply(&mut self, server: &mut Server, reply: Heard) -> Next {
        match core::mem::replace(&mut self.stage, Stage::Making) {
            Stage::Seeking => self.on_seeking(server, reply),
            Stage::Probing(made) => self.on_probing(server, made, &reply),
            Stage::AskingToken => {
                self.token = Token::parse(reply.text().trim()).filter(|_| reply.code == 213);
                let (then, storage_path) = (self.date(server), self.storage_path());
                match self.token {
                    Some(token) => Next::HandToken { storage_path, token, then: Box::new(then) },
                    None => then,
                }
            }
            Stage::Claiming => self.date(server),
            Stage::Dating => self.on_dating(server, reply),
            Stage::Unmaking(failure) => Next::Fail(failure),
            Stage::AskingDate => {
                match place::expiry_of(&reply) {
                    PathExpiry::Unknown => {}
                    told => self.expiry = told,
                }
                self.enter(server)
            }
            Stage::Entering => match place::entered(server, &self.order.storage_path, reply) {
                Ok(()) => self.go_on_inside(server),
                Err(next) => next,
            },
            Stage::MakingDirectory => self.on_making_directory(server, reply),
            Stage::LookingForDirectory(made) => self.on_looking_for_directory(server, made, &reply),
            Stage::AskingWhere(made) => self.on_asking_where(server, made, &reply),
            Stage::EnteringDirectory(made) => self.on_entering_directory(server, made, &reply),
            Stage::Looking => self.on_looking(server, &reply),
            Stage::LookingCloser { there_bytes } => self.on_looking_closer(server, there_bytes, &reply),
            Stage::Resuming => self.on_resuming(server, &reply),
            Stage::Announcing => self.on_announcing(server, reply),
            Stage::Stamping => self.on_stamping(server, &reply),
            Stage::Checking => self.on_checking(server, &reply),
            Stage::Making | Stage::Opening | Stage::Moving => self.on_making(server, reply),
        }
    }
}

impl Step for Upload {
    fn step(&mut self, server: &mut Server, input: Input) -> Next {
        match input {
            Input::Start => self.start(server),
            Input::Reply(reply) => self.on_reply(server, reply),
            Input::Data(moved) => self.on_moved(server, moved),
            Input::Source(outcome) => self.on_source(server, outcome),
            Input::Sink(_) | Input::Kept(_) | Input::Secured(_) => {
                Next::Fail(Failure::new(FailureKind::Local, "an upload has no sink".to_owned()))
            }
        }
    }

    fn note_begun(&mut self) {
        self.current.begun = true;
    }

    fn blame(&self, failure: Failure) -> Failure {
        let made = matches!(self.path, Path::Made { .. });
        let token = self.token.filter(|_| made).map(Box::new);
        let failure = Failure { token, ..self.tally.blame(failure, self.current.begun) };
        let dated = self.path == Path::Made { dated: true };
        if dated && failure.kind == FailureKind::PathExpired { failure.with_hint(Hint::DateIsNow) } else { failure }
    }
}
