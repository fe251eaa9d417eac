//! Long work without a data connection: it goes in steps, and what comes in between ends it.

use super::host::{Host, START_S, at, directory, file, info, missing};
use crate::action::{ReadingPurpose, StorageRequest};
use crate::digest::DigestAlgorithm;
use crate::error::StorageError;
use crate::event::{Event, ReadingResult, StorageOutcome};
use crate::limits;
use crate::record::{Entry, EntryRecord, FileKind};
use crate::settings::Settings;
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec;

fn read(read_bytes: u64, result: Option<ReadingResult>) -> StorageOutcome {
    StorageOutcome::Read { read_bytes, result }
}

fn digest() -> StorageOutcome {
    read(1, Some(ReadingResult::Digest { hex: "cbf43926".to_owned() }))
}

/// A session that is reading through a file of 5 bytes, whose path expires at that second.
fn hashing(expiry_s: Option<i64>) -> Host {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["HASH f"]);
    host.stored(Ok(StorageOutcome::State(file(5, vec![at(1, 7, expiry_s)]))));
    host.stored(Ok(StorageOutcome::Opened(info(FileKind::File, 5))));
    host
}

#[test]
fn a_digest_is_asked_for_in_bounded_steps() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["OPTS HASH CRC32", "RANG 1 3", "HASH f"]);
    host.says(&["200 CRC32", "350 Range accepted (1-3)."]);
    host.stored(Ok(StorageOutcome::State(file(5, vec![]))));
    match host.request() {
        StorageRequest::OpenReading { offset_bytes: 1, length_bytes: Some(3), purpose, .. } => {
            assert_eq!(*purpose, ReadingPurpose::Digest(DigestAlgorithm::Crc32));
        }
        other => panic!("{other:?}"),
    }
    host.stored(Ok(StorageOutcome::Opened(info(FileKind::File, 5))));
    for _ in 0..3 {
        assert_eq!(*host.request(), StorageRequest::ReadOn { bytes_max: limits::READING_STEP_BYTES });
        assert!(host.request().is_step());
        host.stored(Ok(read(1, None)));
    }
    host.stored(Ok(digest()));
    host.says(&["213 CRC32 1-3 cbf43926 f"]);
}

#[test]
fn abor_ends_it_after_the_running_step_and_drops_what_waits() {
    let mut host = hashing(None);
    host.lines(&["NOOP", "STAT", "ABOR", "PWD"]);
    host.says(&[]);
    host.stored(Ok(read(1, None)));
    assert_eq!(*host.request(), StorageRequest::CloseReading);
    host.done();
    host.says(&[
        "426 Command aborted.",
        "450 Command dropped by ABOR.",
        "450 Command dropped by ABOR.",
        "226 ABOR successful.",
        "257 \"/\" is the current directory",
    ]);
}

#[test]
fn without_abor_what_waits_is_answered_in_order() {
    let mut host = hashing(None);
    host.lines(&["NOOP", "PWD"]);
    host.stored(Ok(digest()));
    host.says(&["213 SHA-256 0-4 cbf43926 f", "200 NOOP ok.", "257 \"/\" is the current directory"]);
}

#[test]
fn nobody_is_worked_for_who_is_gone() {
    let mut host = hashing(None);
    host.event(Event::ControlClosed);
    host.stored(Ok(read(1, None)));
    assert_eq!(*host.request(), StorageRequest::CloseReading);
    host.done();
    assert!(host.closed);
}

#[test]
fn a_shut_down_does_not_wait_for_it() {
    let mut host = hashing(None);
    host.event(Event::ShutDown);
    host.stored(Ok(read(1, None)));
    host.done();
    host.says(&["450-Could not compute the hash.", "450 Server shutting down.", "421 Server shutting down."]);
    assert!(host.closed);
}

#[test]
fn a_path_that_expires_meanwhile_is_read_no_further() {
    // Goal: both sides of the border.
    let expiry_s = START_S + 2;
    let mut host = hashing(Some(expiry_s));
    host.pass_ms(1_000);
    host.stored(Ok(read(1, None)));
    assert!(host.request().is_step());
    host.pass_ms(1_000);
    host.stored(Ok(digest()));
    host.done();
    host.says(&["550-Could not compute the hash.", "550 Storage path expired."]);
}

#[test]
fn a_disk_that_fails_is_told_of() {
    let mut host = hashing(None);
    host.stored(Err(StorageError::Failed));
    host.done();
    host.says(&["451-Could not compute the hash.", "451 Local error in processing."]);
}

#[test]
fn an_aborted_comb_forgets_what_it_has_made() {
    let mut host =
        Host::logged_in(Settings { anonymous_rights: Some(crate::user::Rights::ALL), ..Settings::default() });
    host.lines(&["COMB t a b"]);
    host.stored(Ok(StorageOutcome::State(missing(vec![]))));
    for _ in 0..2 {
        host.stored(Ok(StorageOutcome::State(file(5, vec![]))));
    }
    assert!(matches!(host.request(), StorageRequest::OpenWrite { announced_bytes: Some(10), .. }));
    host.stored(Ok(StorageOutcome::Opened(info(FileKind::File, 0))));
    host.stored(Ok(StorageOutcome::Opened(info(FileKind::File, 5))));
    host.stored(Ok(read(5, Some(ReadingResult::Appended))));
    host.lines(&["ABOR"]);
    host.stored(Ok(StorageOutcome::Opened(info(FileKind::File, 5))));
    assert_eq!(*host.request(), StorageRequest::CloseReading);
    host.done();
    assert_eq!(*host.request(), StorageRequest::Discard);
    host.done();
    host.says(&["426 Command aborted.", "226 ABOR successful."]);
}

#[test]
fn a_part_that_has_changed_since_it_was_read_stays() {
    let mut host =
        Host::logged_in(Settings { anonymous_rights: Some(crate::user::Rights::ALL), ..Settings::default() });
    host.lines(&["COMB t a"]);
    host.stored(Ok(StorageOutcome::State(missing(vec![]))));
    host.stored(Ok(StorageOutcome::State(file(5, vec![]))));
    host.stored(Ok(StorageOutcome::Opened(info(FileKind::File, 0))));
    let mut part = info(FileKind::File, 5);
    part.unique = "the part".to_owned();
    host.stored(Ok(StorageOutcome::Opened(part)));
    host.stored(Ok(read(5, Some(ReadingResult::Appended))));
    host.stored(Ok(StorageOutcome::Published(info(FileKind::File, 5))));
    match host.request() {
        StorageRequest::RemoveFile { unique: Some(unique), .. } => assert_eq!(unique, "the part"),
        other => panic!("{other:?}"),
    }
    host.stored(Err(StorageError::Changed));
    host.says(&["250-Files combined.", "250 Not all parts could be removed."]);
}

#[test]
fn dsiz_looks_at_no_more_than_its_bound() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["DSIZ"]);
    host.stored(Ok(StorageOutcome::State(directory(vec![]))));
    host.done();
    let file = || Entry { name: String::from("f"), info: info(FileKind::File, 1), record: EntryRecord::None };
    let batch = limits::LISTING_BATCH_ENTRIES as usize;
    for _ in 0..=limits::TREE_ENTRIES_MAX / batch as u64 {
        assert!(host.request().is_step());
        host.stored(Ok(StorageOutcome::Listed { entries: vec![file(); batch], end: false }));
    }
    assert_eq!(*host.request(), StorageRequest::CloseListing);
    host.done();
    host.says(&["550-Could not get directory size.", "550 Too many files."]);
}

#[test]
fn dsiz_keeps_no_more_directories_in_mind_than_its_bound() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["DSIZ"]);
    host.stored(Ok(StorageOutcome::State(directory(vec![]))));
    host.done();
    let beneath =
        |name: usize| Entry { name: name.to_string(), info: info(FileKind::Directory, 0), record: EntryRecord::None };
    let entries = (0..=limits::TREE_PENDING_MAX).map(beneath).collect();
    host.stored(Ok(StorageOutcome::Listed { entries, end: true }));
    host.says(&["550-Could not get directory size.", "550 Too many files."]);
}

#[test]
fn feat_marks_the_chosen_hash_and_names_no_mode_where_none_is_set() {
    let feature = |settings: Settings, lines: &[&str], name: &str| {
        let mut host = Host::logged_in(settings);
        host.lines(lines);
        host.lines(&["FEAT"]);
        host.take_replies().into_iter().find(|line| line.trim_start().starts_with(name)).unwrap().trim().to_owned()
    };
    let hash = |lines: &[&str]| feature(Settings::default(), lines, "HASH");
    assert_eq!(hash(&[]), "HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32;");
    assert_eq!(hash(&["OPTS HASH md5"]), "HASH SHA-256;SHA-512;SHA-1;MD5*;CRC32;");
    assert_eq!(feature(Settings::default(), &[], "MFF"), "MFF Modify;Create;UNIX.mode;");
    assert_eq!(feature(Settings { chmod: false, ..Settings::default() }, &[], "MFF"), "MFF Modify;Create;");
}
