//! The commands of whoever runs a server, on its root and beside it: `paths`, `sweep`, `fsck`. They go through the same
//! locks and the same durable steps as the server's own storage, so a running server need not stop for them.

mod change;
mod error;
mod fsck;
mod list;
mod sweep;

pub(crate) use change::ChangeArgs;
pub(crate) use fsck::FsckArgs;
pub(crate) use list::ListArgs;
pub(crate) use sweep::SweepArgs;

use crate::clock::{Clock as _, SystemClock};
use crate::complain::complain;
use crate::exit::Exit;
use crate::storage::durability::Durability;
use crate::storage::local::LocalStorage;
use crate::{confine, settings, storage};
use clap::{Args, Subcommand};
use error::OperatorError;
use mayfly_core::path::VirtualPath;
use mayfly_core::time::Now;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// `paths`, with one of its own commands or alone.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = OPTIONS_LAST)]
pub(crate) struct PathsArgs {
    #[command(subcommand)]
    command: Option<PathsCommand>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum PathsCommand {
    /// Give a storage path another date: later or earlier, also one that no client may set, but not beyond what a path above it has
    Extend {
        #[command(flatten)]
        change: ChangeArgs,
        /// The date, in the forms of SETEXPIRY: 2030-12-24, 2030-12-24T18:30:00+01:00, 20301224173000, 90m, 12h, 7d, P7D
        date: String,
    },
    /// Have a storage path expire now: nobody reads it from this second on, and it goes into the trash at once
    Expire {
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Have a storage path live for ever, unless a path above it expires
    Never {
        #[command(flatten)]
        change: ChangeArgs,
    },
}

const OPTIONS_LAST: &str = "\
Options stand behind the command that they are for: paths extend /scans 7d --config /etc/mayfly/mayfly.toml\n\
Run by root, all of this is done as the user that the server runs as.";

/// Which storage.
#[derive(Clone, Debug, Args)]
pub(crate) struct RootArgs {
    /// The server's settings file, which names its root
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The server's root, where the settings file does not say it [default: ./storage]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// Runs `paths`.
pub(crate) fn paths(args: &PathsArgs) -> Exit {
    ended(match &args.command {
        None => list::run(&args.list),
        Some(PathsCommand::Extend { change, date }) => change::extend(change, date),
        Some(PathsCommand::Expire { change }) => change::expire(change),
        Some(PathsCommand::Never { change }) => change::never(change),
    })
}

/// Runs `sweep`.
pub(crate) fn sweep(args: &SweepArgs) -> Exit {
    ended(sweep::run(args))
}

/// Runs `fsck`.
pub(crate) fn fsck(args: &FsckArgs) -> Exit {
    ended(fsck::run(args))
}

fn ended(outcome: Result<Exit, OperatorError>) -> Exit {
    outcome.unwrap_or_else(|error| {
        // Whoever reads a few lines and goes has seen enough.
        if error.is_broken_pipe() {
            return Exit::Done;
        }
        complain(&error);
        error.exit()
    })
}

/// A root that stands. It is never made here: a wrong name must not look like an empty storage.
struct OpenRoot {
    path: PathBuf,
    durability: Durability,
}

impl OpenRoot {
    /// Root becomes the server's user here.
    fn find(args: &RootArgs) -> Result<Self, OperatorError> {
        let (path, durability, user) = settings::storage(args.root.as_deref(), args.config.as_deref())?;
        match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() => {
                confine::become_server(&path, &storage::trash_of(&path), user.as_ref()).map_err(OperatorError::User)?;
                Ok(Self { path, durability })
            }
            Ok(_) => Err(OperatorError::Root { path, error: io::ErrorKind::NotADirectory.into() }),
            Err(error) => Err(OperatorError::Root { path, error }),
        }
    }

    /// The storage as the server has it.
    fn storage(&self) -> Result<LocalStorage, OperatorError> {
        LocalStorage::open(&self.path, self.durability, Arc::new(SystemClock)).map_err(|error| self.unreadable(error))
    }

    fn unreadable(&self, error: io::Error) -> OperatorError {
        OperatorError::Root { path: self.path.clone(), error }
    }
}

fn now() -> Now {
    SystemClock.now()
}

/// A path as clients name it, with or without its first slash.
fn named(text: &str) -> Result<VirtualPath, OperatorError> {
    VirtualPath::root().resolve(text).map_err(|_| OperatorError::NoPath { path: text.to_owned() })
}

/// Where results go: a line at a time is slow for a million of them.
fn output() -> impl Write {
    io::BufWriter::new(io::stdout().lock())
}
