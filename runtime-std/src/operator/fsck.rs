//! `fsck`: records and the server's own names against what is on the disk.

use super::error::OperatorError;
use super::{OpenRoot, RootArgs, now, output, sweep};
use crate::exit::Exit;
use crate::log::{json_string, shown};
use crate::storage::Storage as _;
use crate::storage::local::LocalStorage;
use crate::storage::survey::finding::{Finding, Kind, Mended, Remedy};
use crate::storage::survey::{Item, PathRow, Survey};
use clap::Args;
use mayfly_core::date;
use mayfly_core::error::StorageError;
use mayfly_core::expiry;
use mayfly_core::path::VirtualPath;
use std::fmt::Write as _;
use std::io::Write;

/// How.
#[derive(Debug, Args)]
pub(crate) struct FsckArgs {
    /// Mend what is safe to mend; a record that cannot be read never is
    #[arg(long)]
    repair: bool,
    /// One JSON object a line: kind, path, detail, bytes, remedy, mended
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    root: RootArgs,
}

#[derive(Default)]
struct Totals {
    paths: u64,
    left: u64,
    mended: u64,
    remarks: u64,
}

pub(super) fn run(args: &FsckArgs) -> Result<Exit, OperatorError> {
    let root = OpenRoot::find(&args.root)?;
    let storage = if args.repair { Some(root.storage()?) } else { None };
    let mends = storage.as_ref().map(|_| Remedy::Repair);
    let now_s = now().utc_s;
    let mut survey = Survey::begin(&root.path, &VirtualPath::root(), now_s, mends)
        .map_err(|error| root.unreadable(error))?
        .thorough();
    let mut out = output();
    let mut totals = Totals::default();
    let failed = |error| OperatorError::Storage { path: "/".to_owned(), error };
    while let Some(item) = survey.next().map_err(failed)? {
        let finding = match item {
            Item::Found(finding) => Some(finding),
            Item::Path(row) => {
                totals.paths += 1;
                standing(&row, now_s)
            }
        };
        if let Some(mut finding) = finding {
            if let Some(storage) = &storage {
                mend(&mut finding, storage, now_s);
            }
            totals.count(&finding);
            let line = if args.json { json(&finding) } else { text(&finding) };
            writeln!(out, "{line}")?;
        }
    }
    if !args.json {
        let Totals { paths, left, mended, remarks } = totals;
        writeln!(out, "{paths} storage paths; findings: {left} left, {mended} mended; {remarks} remarks")?;
    }
    out.flush()?;
    Ok(if totals.left == 0 { Exit::Done } else { Exit::Findings })
}

impl Totals {
    fn count(&mut self, finding: &Finding) {
        let counter = match (&finding.mended, finding.kind.remedy()) {
            (Mended::Done, _) => &mut self.mended,
            (_, Remedy::Nobody) => &mut self.remarks,
            _ => &mut self.left,
        };
        *counter += 1;
    }
}

/// A path that has expired, and that no server took away in time.
fn standing(row: &PathRow, now_s: i64) -> Option<Finding> {
    let expiry_s = row.record.as_ref()?.expiry_s?;
    let is_late = expiry::is_expired(Some(expiry_s), now_s.saturating_sub(LATE_S));
    (is_late && !row.is_beneath_expired).then(|| Finding {
        kind: Kind::Expired,
        path: row.path.to_string(),
        detail: Some(date::rfc3339(expiry_s)),
        bytes: row.bytes,
        mended: Mended::Not,
    })
}

/// What the walk itself does not do.
fn mend(finding: &mut Finding, storage: &LocalStorage, now_s: i64) {
    let outcome = match finding.kind {
        Kind::Expired => move_away(finding, storage, now_s),
        Kind::TrashLeft => sweep::empty_trash(storage).map(drop).map_err(|error| error.to_string()),
        _ => return,
    };
    finding.mended = outcome.map_or_else(Mended::Failed, |()| Mended::Done);
}

fn move_away(finding: &Finding, storage: &LocalStorage, now_s: i64) -> Result<(), String> {
    let path = VirtualPath::parse(&finding.path).map_err(|_| "no client can name it".to_owned())?;
    let state = storage.check(&path).map_err(|error| format!("{error:?}"))?;
    let expiry_s = expiry::own(&state.records, &path).and_then(|record| record.expiry_s);
    match expiry_s
        .filter(|_| expiry::is_expired(expiry_s, now_s))
        .map(|expiry_s| storage.move_to_trash(&path, expiry_s))
    {
        // Somebody was faster.
        None | Some(Ok(()) | Err(StorageError::NotFound | StorageError::Changed)) => Ok(()),
        Some(Err(error)) => Err(format!("{error:?}")),
    }
}

fn text(finding: &Finding) -> String {
    let Finding { kind, path, detail, bytes, mended } = finding;
    let mut line = format!("{:<17}  {}: {}", kind.name(), shown(path), kind.meaning());
    let mut push = |text: &str| {
        line.push_str("; ");
        line.push_str(&shown(text));
    };
    if let Some(detail) = detail {
        push(detail);
    }
    if *bytes > 0 {
        push(&format!("{bytes} bytes"));
    }
    match mended {
        Mended::Done => push("mended"),
        Mended::Failed(why) => push(&format!("not mended: {why}")),
        Mended::Not => {
            if let Some(hint) = hint(*kind, path) {
                push(&hint);
            }
        }
    }
    line
}

/// What the operator may do about it.
fn hint(kind: Kind, path: &str) -> Option<String> {
    match kind {
        Kind::RecordDamaged => Some(format!("`paths extend {path} DATE --replace-damaged` writes a new one")),
        _ if matches!(kind.remedy(), Remedy::Reaper | Remedy::Repair) => Some("--repair mends it".to_owned()),
        _ => None,
    }
}

fn json(finding: &Finding) -> String {
    let Finding { kind, path, detail, bytes, mended } = finding;
    let quoted = |text: &str| {
        let mut out = String::new();
        json_string(&mut out, text).expect("a String takes everything");
        out
    };
    let detail = detail.as_deref().map_or_else(|| "null".to_owned(), quoted);
    let remedy = match kind.remedy() {
        Remedy::Reaper => "reaper",
        Remedy::Repair => "repair",
        Remedy::Operator => "operator",
        Remedy::Nobody => "none",
    };
    let is_mended = *mended == Mended::Done;
    let mut line = format!("{{\"kind\":\"{}\",\"path\":{},\"detail\":{detail}", kind.name(), quoted(path));
    write!(line, ",\"bytes\":{bytes},\"remedy\":\"{remedy}\",\"mended\":{is_mended}")
        .expect("a String takes everything");
    if let Mended::Failed(why) = mended {
        write!(line, ",\"failed\":{}", quoted(why)).expect("a String takes everything");
    }
    line.push('}');
    line
}

/// How long after its date a path may still stand before a server that runs would have taken it away, seconds.
const LATE_S: i64 = 60;
