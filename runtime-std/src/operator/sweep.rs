//! `sweep`: what the reaper does, once.

use super::error::OperatorError;
use super::{OpenRoot, RootArgs, now, output};
use crate::exit::Exit;
use crate::log::shown;
use crate::storage::local::LocalStorage;
use crate::storage::survey::finding::{Finding, Kind, Mended, Remedy};
use crate::storage::survey::{Item, PathRow, Survey};
use crate::storage::{Emptied, Storage as _};
use clap::Args;
use mayfly_core::date;
use mayfly_core::error::StorageError;
use mayfly_core::expiry;
use mayfly_core::path::VirtualPath;
use std::io::Write;

/// How.
#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    root: RootArgs,
}

/// What it came to.
#[derive(Default)]
struct Totals {
    paths: u64,
    path_bytes: u64,
    others: u64,
    other_bytes: u64,
    failures: u64,
}

pub(super) fn run(args: &SweepArgs) -> Result<Exit, OperatorError> {
    let root = OpenRoot::find(&args.root)?;
    let storage = if args.dry_run { None } else { Some(root.storage()?) };
    let mends = storage.as_ref().map(|_| Remedy::Reaper);
    let now_s = now().utc_s;
    let mut survey =
        Survey::begin(&root.path, &VirtualPath::root(), now_s, mends).map_err(|error| root.unreadable(error))?;
    let mut out = output();
    let mut totals = Totals::default();
    let failed = |error| OperatorError::Storage { path: "/".to_owned(), error };
    while let Some(item) = survey.next().map_err(failed)? {
        match item {
            Item::Path(row) => sweep_path(&row, now_s, storage.as_ref(), &mut totals, &mut out)?,
            Item::Found(finding) if finding.kind.remedy() == Remedy::Reaper => {
                sweep_debris(&finding, args.dry_run, &mut totals, &mut out)?;
            }
            Item::Found(_) => {}
        }
    }
    let emptied = storage.as_ref().map(empty_trash).transpose()?;
    tell_totals(&totals, emptied, args.dry_run, &mut out)?;
    out.flush()?;
    Ok(if totals.failures == 0 { Exit::Done } else { Exit::LocalFile })
}

/// One beneath another that has expired goes with it.
fn sweep_path(
    row: &PathRow,
    now_s: i64,
    storage: Option<&LocalStorage>,
    totals: &mut Totals,
    out: &mut impl Write,
) -> Result<(), OperatorError> {
    let Some(expiry_s) = row.record.as_ref().and_then(|record| record.expiry_s) else { return Ok(()) };
    if row.is_beneath_expired || !expiry::is_expired(Some(expiry_s), now_s) {
        return Ok(());
    }
    let (path, bytes, expired) = (shown(row.path.as_str()), row.bytes, date::rfc3339(expiry_s));
    match storage.map(|storage| storage.move_to_trash(&row.path, expiry_s)) {
        None | Some(Ok(())) => {
            totals.paths += 1;
            totals.path_bytes = totals.path_bytes.saturating_add(bytes);
            let verb = if storage.is_some() { "removed" } else { "would remove" };
            writeln!(out, "{verb} {path}: expired at {expired}, {bytes} bytes in {} files", row.files)?;
        }
        // A running server was faster, or its owner was with another date.
        Some(Err(StorageError::NotFound | StorageError::Changed)) => {}
        Some(Err(error)) => {
            totals.failures += 1;
            writeln!(out, "could not remove {path}: {error:?}")?;
        }
    }
    Ok(())
}

fn sweep_debris(
    finding: &Finding,
    is_dry: bool,
    totals: &mut Totals,
    out: &mut impl Write,
) -> Result<(), OperatorError> {
    let (path, bytes, meaning) = (shown(&finding.path), finding.bytes, finding.kind.meaning());
    let verb = match &finding.mended {
        Mended::Failed(why) => {
            totals.failures += 1;
            writeln!(out, "could not remove {path}: {why}")?;
            return Ok(());
        }
        // The trash is emptied at the end, and told there.
        _ if finding.kind == Kind::TrashLeft && !is_dry => return Ok(()),
        _ if is_dry => "would remove",
        _ => "removed",
    };
    totals.others += 1;
    totals.other_bytes = totals.other_bytes.saturating_add(bytes);
    writeln!(out, "{verb} {path}: {meaning}, {bytes} bytes")?;
    Ok(())
}

fn tell_totals(
    totals: &Totals,
    emptied: Option<Emptied>,
    is_dry: bool,
    out: &mut impl Write,
) -> Result<(), OperatorError> {
    let Totals { paths, path_bytes, others, other_bytes, .. } = totals;
    let verb = if is_dry { "to remove" } else { "removed" };
    write!(out, "{verb}: {paths} expired paths ({path_bytes} bytes), {others} left-overs ({other_bytes} bytes)")?;
    match emptied {
        Some(emptied) => writeln!(out, "; trash emptied: {} names ({} bytes)", emptied.entries, emptied.bytes)?,
        None => writeln!(out)?,
    }
    Ok(())
}

/// Empties the root's trash to its end, together with a running server where there is one.
pub(super) fn empty_trash(storage: &LocalStorage) -> Result<Emptied, OperatorError> {
    let mut all = Emptied::default();
    loop {
        let emptied = storage
            .empty_trash(STEP_ENTRIES)
            .map_err(|error| OperatorError::Storage { path: "/.mayfly-trash".to_owned(), error })?;
        all.entries = all.entries.saturating_add(emptied.entries);
        all.bytes = all.bytes.saturating_add(emptied.bytes);
        if emptied.end {
            return Ok(Emptied { end: true, ..all });
        }
    }
}

const STEP_ENTRIES: u32 = 4096;
