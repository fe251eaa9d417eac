//! Listings that go through more than one directory: what is asked of the storage, and what is left open in none.

use super::host::{Host, START_S, directory, info, missing, record};
use crate::action::{Action, ListingDetail, StorageRequest};
use crate::error::StorageError;
use crate::event::{Event, StorageOutcome};
use crate::limits;
use crate::listing::options::ListingOrder;
use crate::path::VirtualPath;
use crate::record::{Entry, EntryRecord, FileKind};
use crate::settings::Settings;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

fn named(name: &str, kind: FileKind) -> Entry {
    Entry { name: name.to_owned(), info: info(kind, 1), record: EntryRecord::None }
}

fn listed(entries: Vec<Entry>, end: bool) -> StorageOutcome {
    StorageOutcome::Listed { entries, end }
}

fn opening(path: &str, detail: ListingDetail) -> StorageRequest {
    StorageRequest::OpenListing {
        path: VirtualPath::parse(path).unwrap(),
        sort_entries_max: 10_000,
        order: ListingOrder::default(),
        detail,
    }
}

/// What was sent, where that is what is under way.
#[track_caller]
fn sent(host: &mut Host) -> String {
    match host.take_open() {
        (id, Action::SendData { text, .. }) => {
            let wire_bytes = text.len() as u64;
            host.event(Event::TransferEnded { id, wire_bytes, file_bytes: None, outcome: Ok(()) });
            text
        }
        (_, action) => panic!("{action:?}"),
    }
}

/// `NLST -R` of the root, which is open.
fn begun() -> Host {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["NLST -R"]);
    // There is no file of that name.
    host.checks("/-R");
    host.state(missing(vec![]));
    host.checks("/");
    host.state(directory(vec![]));
    host.connected(Ok(()));
    host.done();
    host.says(&["150 Here comes the directory listing."]);
    host
}

#[test]
fn a_tree_is_read_one_directory_within_the_other() {
    let mut host = begun();
    let dead = Entry { record: EntryRecord::Read(record(1, Some(START_S))), ..named("dead", FileKind::Directory) };
    host.stored(Ok(listed(vec![named("a", FileKind::Directory), named("f", FileKind::File), dead.clone()], true)));
    // The directories alone, once more.
    assert_eq!(host.request(), &opening("/", ListingDetail::Directories));
    host.done();
    assert_eq!(host.request(), &StorageRequest::ReadListing { entries_max: limits::LISTING_BATCH_DIRECTORIES });
    host.stored(Ok(listed(vec![named("a", FileKind::Directory), dead], false)));
    assert_eq!(host.request(), &opening("/a", ListingDetail::Names));
    host.done();
    host.stored(Ok(listed(vec![named("g", FileKind::File)], true)));
    // No directory in there, so no second look; the first one goes on.
    assert_eq!(host.request(), &StorageRequest::ReadListing { entries_max: limits::LISTING_BATCH_DIRECTORIES });
    host.stored(Ok(listed(vec![named("gone", FileKind::Directory)], true)));
    assert_eq!(host.request(), &opening("/gone", ListingDetail::Names));
    host.stored(Err(StorageError::NotFound));
    assert_eq!(sent(&mut host), ".:\r\na\r\nf\r\n\r\n./a:\r\na/g\r\n");
    host.says(&["226 Directory send OK."]);
}

#[test]
fn what_cannot_be_opened_beneath_is_left_out_and_said() {
    let mut host = begun();
    host.stored(Ok(listed(vec![named("a", FileKind::Directory)], true)));
    host.done();
    host.stored(Ok(listed(vec![named("a", FileKind::Directory)], true)));
    host.stored(Err(StorageError::Denied));
    assert_eq!(sent(&mut host), ".:\r\na\r\n");
    host.says(&["226-Directory send OK.", "226 Some directories are left out."]);
}

#[test]
fn what_cannot_be_read_to_its_end_ends_the_listing() {
    let mut host = begun();
    host.stored(Ok(listed(vec![named("a", FileKind::Directory)], true)));
    host.done();
    host.stored(Ok(listed(vec![named("a", FileKind::Directory)], false)));
    host.done();
    host.stored(Err(StorageError::Failed));
    assert_eq!(host.request(), &StorageRequest::CloseListing);
    host.done();
    host.says(&["451 Failure reading local file."]);
}

#[test]
fn an_abort_closes_every_directory_that_is_open() {
    let mut host = begun();
    host.stored(Ok(listed(vec![named("a", FileKind::Directory)], true)));
    host.done();
    host.stored(Ok(listed(vec![named("a", FileKind::Directory)], false)));
    host.lines(&["ABOR"]);
    // The opening comes to its end first.
    host.done();
    assert_eq!(host.request(), &StorageRequest::CloseListing);
    host.done();
    host.says(&["426 Failure writing network stream.", "226 ABOR successful."]);
}

#[test]
fn a_pattern_searches_so_many_directories_and_no_more() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["NLST */*"]);
    // As a name, then as a pattern.
    host.checks("/*/*");
    host.state(missing(vec![]));
    host.checks("/");
    host.state(directory(vec![]));
    host.connected(Ok(()));
    assert_eq!(host.request(), &opening("/", ListingDetail::Directories));
    host.done();
    let mut searched = 0;
    while host.request() != &StorageRequest::CloseListing {
        match host.request() {
            StorageRequest::ReadListing { entries_max: limits::LISTING_BATCH_DIRECTORIES } => {
                let names =
                    (0..limits::LISTING_BATCH_DIRECTORIES).map(|n| named(&format!("d{n}"), FileKind::Directory));
                host.stored(Ok(listed(names.collect(), false)));
            }
            StorageRequest::ReadListing { .. } => host.stored(Ok(listed(vec![], true))),
            _ => {
                searched += 1;
                host.done();
            }
        }
    }
    assert_eq!(searched, limits::GLOB_DIRECTORIES_MAX);
    host.done();
    host.says(&[
        "150 Here comes the directory listing.",
        "226-Directory send OK.",
        "226 Some directories are left out.",
    ]);
}

#[test]
fn a_pattern_looks_at_so_many_names_and_no_more() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["NLST */../*.png"]);
    host.checks("/*.png");
    host.state(missing(vec![]));
    host.checks("/");
    host.state(directory(vec![]));
    host.connected(Ok(()));
    host.done();
    let mut looked_at = 0;
    while host.request() != &StorageRequest::CloseListing {
        match host.request() {
            StorageRequest::ReadListing { entries_max: limits::LISTING_BATCH_DIRECTORIES } => {
                looked_at += u64::from(limits::LISTING_BATCH_DIRECTORIES);
                let names =
                    (0..limits::LISTING_BATCH_DIRECTORIES).map(|n| named(&format!("d{n}"), FileKind::Directory));
                host.stored(Ok(listed(names.collect(), false)));
            }
            // As many as a test has patience for.
            StorageRequest::ReadListing { .. } => {
                looked_at += 100_000;
                host.stored(Ok(listed(vec![named("", FileKind::File); 100_000], true)));
            }
            StorageRequest::CheckExpiry { .. } => host.state(directory(vec![])),
            _ => host.done(),
        }
    }
    assert!((limits::GLOB_NAMES_MAX..limits::GLOB_NAMES_MAX + 200_000).contains(&looked_at), "{looked_at}");
    host.done();
    host.says(&[
        "150 Here comes the directory listing.",
        "226-Directory send OK.",
        "226 Some directories are left out.",
    ]);
}

/// STAT of a tree, while its first directory is read.
fn status_begun() -> Host {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["STAT -R /"]);
    // As a name, then as options and a path.
    host.checks("/-R ");
    host.state(missing(vec![]));
    host.checks("/");
    host.state(directory(vec![]));
    host.done();
    host
}

#[test]
fn a_status_hears_abor_a_hang_up_and_a_shut_down_between_its_steps() {
    let mut host = status_begun();
    host.lines(&["NOOP", "ABOR"]);
    host.says(&[]);
    host.stored(Ok(listed(vec![named("a", FileKind::Directory)], false)));
    assert_eq!(host.request(), &StorageRequest::CloseListing);
    host.done();
    host.says(&["426 Command aborted.", "450 Command dropped by ABOR.", "226 ABOR successful."]);

    let mut host = status_begun();
    host.event(Event::ControlClosed);
    host.stored(Ok(listed(vec![named("a", FileKind::Directory)], false)));
    assert_eq!(host.request(), &StorageRequest::CloseListing);

    let mut host = status_begun();
    host.event(Event::ShutDown);
    host.stored(Ok(listed(vec![named("a", FileKind::Directory)], false)));
    assert_eq!(host.request(), &StorageRequest::CloseListing);
}

#[test]
fn a_status_that_grows_too_long_is_cut_and_closed() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["STAT /"]);
    host.state(directory(vec![]));
    host.done();
    let names = (0..=limits::STAT_LINES_MAX).map(|name| named(&format!("{name}"), FileKind::File));
    host.stored(Ok(listed(names.collect(), false)));
    assert_eq!(host.request(), &StorageRequest::CloseListing);
    host.done();
    let lines = host.take_replies();
    assert_eq!(lines.len(), limits::STAT_LINES_MAX + 2);
    assert_eq!(lines[0], "213-Status of the first names follows, LIST shows all:");
}

#[test]
fn a_choice_of_facts_shows_in_feat() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["OPTS MLST size;unique;"]);
    host.says(&["200 MLST OPTS size;unique;"]);
    host.lines(&["FEAT"]);
    let features = host.take_replies();
    let line = " MLST type;size*;modify;create;perm;unique*;UNIX.mode;UNIX.owner;UNIX.group;X.expiry;";
    assert!(features.iter().any(|feature| feature == line), "{features:?}");
}

/// A pattern that is dear to match gets small batches, so that no other session waits for it.
#[test]
fn a_costly_pattern_is_matched_in_small_batches() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&[&format!("NLST {}", "*a".repeat(100))]);
    host.state(missing(vec![]));
    host.state(directory(vec![]));
    host.connected(Ok(()));
    host.done();
    assert_eq!(host.request(), &StorageRequest::ReadListing { entries_max: 81 });
}
