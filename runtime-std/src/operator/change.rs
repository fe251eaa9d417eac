//! `paths extend`, `paths expire`, `paths never`.

use super::error::OperatorError;
use super::{OpenRoot, RootArgs, named, now, output};
use crate::exit::Exit;
use crate::log::shown;
use crate::storage::Storage as _;
use crate::storage::local::LocalStorage;
use clap::Args;
use mayfly_core::date::{self, ExpiryDate};
use mayfly_core::error::StorageError;
use mayfly_core::expiry::{self, Judgement};
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileKind, RecordAt};
use std::io::Write as _;

/// Which path.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// The storage path, as clients name it
    path: String,
    /// Where its record cannot be read, write a new one
    #[arg(long)]
    replace_damaged: bool,
    /// The owner of a new record, where the old one does not tell [default: anonymous]
    #[arg(long, value_name = "NAME", requires = "replace_damaged")]
    owner: Option<String>,
    #[command(flatten)]
    root: RootArgs,
}

pub(super) fn extend(args: &ChangeArgs, text: &str) -> Result<Exit, OperatorError> {
    let date = ExpiryDate::parse(text, now()).map_err(|error| OperatorError::Date { text: text.to_owned(), error })?;
    Change::begin(args)?.set(date).map(|_| Exit::Done)
}

pub(super) fn never(args: &ChangeArgs) -> Result<Exit, OperatorError> {
    Change::begin(args)?.set(ExpiryDate::Never).map(|_| Exit::Done)
}

pub(super) fn expire(args: &ChangeArgs) -> Result<Exit, OperatorError> {
    let change = Change::begin(args)?;
    let Some(expiry_s) = change.set(ExpiryDate::At(now().utc_s))? else { return Ok(Exit::Done) };
    // A running server would learn of the date at its next scan only, so the name goes from here.
    match change.storage.move_to_trash(&change.path, expiry_s) {
        // The server was faster.
        Ok(()) | Err(StorageError::NotFound) => {}
        Err(error) => return Err(change.failed(error)),
    }
    super::sweep::empty_trash(&change.storage)?;
    Ok(Exit::Done)
}

struct Change<'a> {
    args: &'a ChangeArgs,
    storage: LocalStorage,
    path: VirtualPath,
}

impl<'a> Change<'a> {
    fn begin(args: &'a ChangeArgs) -> Result<Self, OperatorError> {
        let path = named(&args.path)?;
        let storage = OpenRoot::find(&args.root)?.storage()?;
        Ok(Self { args, storage, path })
    }

    /// Sets the date, and tells which it is now.
    fn set(&self, date: ExpiryDate) -> Result<Option<i64>, OperatorError> {
        let expiry_s = match date {
            ExpiryDate::At(at_s) => Some(at_s),
            _ => None,
        };
        for _ in 0..TRIES_MAX {
            match self.try_set(expiry_s)? {
                Ok(()) => {
                    self.tell(expiry_s)?;
                    return Ok(expiry_s);
                }
                // A client or another server changed it in between.
                Err(StorageError::Changed) => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        Err(self.failed(StorageError::Busy))
    }

    fn try_set(&self, expiry_s: Option<i64>) -> Result<Result<(), StorageError>, OperatorError> {
        let state = match self.storage.check(&self.path) {
            Err(StorageError::RecordUnreadable) => return self.replace(expiry_s),
            outcome => outcome.map_err(|error| self.failed(error))?,
        };
        let path = self.path.to_string();
        match expiry::judge(&state, now()) {
            Judgement::Missing => return Err(OperatorError::Missing { path }),
            Judgement::Expired => return Err(OperatorError::Expired { path }),
            Judgement::Live(info) if info.kind != FileKind::Directory => {
                return Err(OperatorError::NotStoragePath { path });
            }
            Judgement::Live(_) => {}
        }
        let Some(record) = expiry::own(&state.records, &self.path) else {
            return Err(OperatorError::NotStoragePath { path });
        };
        self.require_within(expiry::above(&state.records, &self.path), expiry_s)?;
        Ok(self.storage.set_expiry(&self.path, record, expiry_s))
    }

    /// Its record cannot be read, or one above it.
    fn replace(&self, expiry_s: Option<i64>) -> Result<Result<(), StorageError>, OperatorError> {
        let path = || self.path.to_string();
        let above = match self.storage.check(&self.path.parent()) {
            Err(StorageError::RecordUnreadable) => return Err(OperatorError::Damaged { path: path(), is_own: false }),
            outcome => outcome.map_err(|error| self.failed(error))?,
        };
        if expiry::judge(&above, now()) == Judgement::Expired {
            return Err(OperatorError::Expired { path: path() });
        }
        if !self.args.replace_damaged {
            return Err(OperatorError::Damaged { path: path(), is_own: true });
        }
        self.require_within(&above.records, expiry_s)?;
        Ok(self.storage.replace_damaged(&self.path, self.args.owner.as_deref(), expiry_s))
    }

    /// An operator outranks `max_expiry`; but nothing lives longer than what it is in.
    fn require_within(&self, above: &[RecordAt], expiry_s: Option<i64>) -> Result<(), OperatorError> {
        let first = above.iter().filter_map(|at| Some((at.record.expiry_s?, at.depth))).min();
        match first {
            Some((latest_s, depth)) if expiry_s.is_none_or(|expiry_s| expiry_s > latest_s) => {
                let (path, ancestor) = (self.path.to_string(), self.path.ancestor(depth).to_string());
                Err(OperatorError::BeyondAncestor { path, ancestor, latest_s })
            }
            _ => Ok(()),
        }
    }

    fn tell(&self, expiry_s: Option<i64>) -> Result<(), OperatorError> {
        let path = shown(self.path.as_str());
        match expiry_s {
            Some(expiry_s) => writeln!(output(), "{path} expires at {}", date::rfc3339(expiry_s))?,
            None => writeln!(output(), "{path} never expires")?,
        }
        Ok(())
    }

    fn failed(&self, error: StorageError) -> OperatorError {
        OperatorError::Storage { path: self.path.to_string(), error }
    }
}

/// How often it is judged anew where it changes under the judgement.
const TRIES_MAX: u32 = 8;
