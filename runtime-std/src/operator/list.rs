//! `paths`: every storage path, as a table or as JSON.

use super::error::OperatorError;
use super::{OpenRoot, RootArgs, named, now, output};
use crate::exit::Exit;
use crate::log::{json_string, shown};
use crate::storage::survey::{Item, PathRow, Survey};
use clap::Args;
use mayfly_core::date::{self, DateError, ExpiryDate};
use mayfly_core::expiry;
use mayfly_core::time::Now;
use std::fmt::Write as _;
use std::io::{self, Write};

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only this path and those beneath it
    path: Option<String>,
    /// One JSON object a line.
    #[arg(long, help = JSON_HELP)]
    json: bool,
    /// Only those that have expired
    #[arg(long)]
    expired: bool,
    /// Only those of this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Only those that expire before this date, which has the forms of SETEXPIRY
    #[arg(long, value_name = "DATE")]
    expires_before: Option<String>,
    #[command(flatten)]
    root: RootArgs,
}

/// Of each line. Dates are RFC 3339; `expires` is a path's own, `expires_effective` the earliest of it and its ancestors'.
const JSON_HELP: &str =
    "One JSON object a line: path, owner, size_bytes, files, created, expires, expires_effective, state; null is never";

pub(super) fn run(args: &ListArgs) -> Result<Exit, OperatorError> {
    let now = now();
    let before_s = args.expires_before.as_deref().map(|text| instant(text, now)).transpose()?;
    let root = OpenRoot::find(&args.root)?;
    let start = named(args.path.as_deref().unwrap_or("/"))?;
    let mut survey = match Survey::begin(&root.path, &start, now.utc_s, None) {
        Err(error) if !start.is_root() && error.kind() == io::ErrorKind::NotFound => {
            return Err(OperatorError::Missing { path: start.to_string() });
        }
        outcome => outcome.map_err(|error| root.unreadable(error))?,
    };
    let mut out = output();
    if !args.json {
        writeln!(out, "{}", HEADER.trim_end())?;
    }
    let failed = |error| OperatorError::Storage { path: start.to_string(), error };
    while let Some(item) = survey.next().map_err(failed)? {
        let Item::Path(row) = item else { continue };
        let is_of_owner = args.owner.as_ref().is_none_or(|owner| row.owner() == Some(owner));
        let is_in_time = before_s.is_none_or(|before_s| row.effective_s.is_some_and(|at_s| at_s < before_s));
        if is_of_owner && is_in_time && (!args.expired || row.is_expired(now)) {
            let line = if args.json { json(&row, now) } else { text(&row, now) };
            writeln!(out, "{line}")?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// A date to compare with: one of the past will do.
fn instant(text: &str, now: Now) -> Result<i64, OperatorError> {
    let then = |error| match error {
        DateError::Past => ExpiryDate::parse(text, Now { utc_s: 0, ..now }),
        _ => Err(error),
    };
    match ExpiryDate::parse(text, now).or_else(then) {
        Ok(ExpiryDate::At(at_s)) => Ok(at_s),
        Ok(_) => Ok(i64::MAX),
        Err(error) => Err(OperatorError::Date { text: text.to_owned(), error }),
    }
}

impl PathRow {
    fn owner(&self) -> Option<&String> {
        self.record.as_ref().map(|record| &record.owner)
    }

    fn own_s(&self) -> Option<i64> {
        self.record.as_ref().and_then(|record| record.expiry_s)
    }

    fn is_expired(&self, now: Now) -> bool {
        expiry::is_expired(self.effective_s, now.utc_s)
    }

    fn state(&self, now: Now) -> &'static str {
        match self.record {
            None => "damaged",
            Some(_) if self.is_expired(now) => "expired",
            Some(_) => "live",
        }
    }
}

/// The path comes last, for it alone may be of any length; so the columns stand without knowing what is to come.
const HEADER: &str = "STATE    EXPIRES               EFFECTIVELY           CREATED                       BYTES      FILES  OWNER             PATH";

/// One line of the table. What is effectively so is shown where it differs.
fn text(row: &PathRow, now: Now) -> String {
    let own_s = row.own_s();
    let date = |at_s: Option<i64>| at_s.map_or_else(|| "never".to_owned(), date::rfc3339);
    let (expires, created, owner) = match &row.record {
        Some(record) => (date(own_s), date::rfc3339(record.created_s), shown(&record.owner)),
        None => ("?".to_owned(), "?".to_owned(), "?".into()),
    };
    let effectively = if row.effective_s == own_s { "-".to_owned() } else { date(row.effective_s) };
    let (state, path) = (row.state(now), row.path.as_str());
    let PathRow { bytes, files, .. } = row;
    format!(
        "{state:<7}  {expires:<20}  {effectively:<20}  {created:<20}  {bytes:>13}  {files:>9}  {owner:<16}  {}",
        shown(path)
    )
}

/// One object. Dates are RFC 3339, and null is never; what cannot be told of a damaged record is null too.
fn json(row: &PathRow, now: Now) -> String {
    let mut line = String::from("{\"path\":");
    let write_text = |line: &mut String, text: &str| json_string(line, text).expect("a String takes everything");
    write_text(&mut line, row.path.as_str());
    line.push_str(",\"owner\":");
    match row.owner() {
        Some(owner) => write_text(&mut line, owner),
        None => line.push_str("null"),
    }
    let date =
        |at_s: Option<i64>| at_s.map_or_else(|| "null".to_owned(), |at_s| format!("\"{}\"", date::rfc3339(at_s)));
    let created = date(row.record.as_ref().map(|record| record.created_s));
    let (expires, effective, state) = (date(row.own_s()), date(row.effective_s), row.state(now));
    let PathRow { bytes, files, .. } = row;
    write!(
        line,
        ",\"size_bytes\":{bytes},\"files\":{files},\"created\":{created},\"expires\":{expires},\
         \"expires_effective\":{effective},\"state\":\"{state}\"}}"
    )
    .expect("a String takes everything");
    line
}
