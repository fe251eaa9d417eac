//! Commands on paths: rights, expiry, and what is told to the reaper. Texts and codes are the transcripts' business.

use super::host::{Host, START_S, at, directory, file, missing, record};
use crate::action::{Note, PathChange, StorageRequest};
use crate::error::StorageError;
use crate::event::{Event, StorageOutcome};
use crate::path::VirtualPath;
use crate::record::{PathState, Tombstone};
use crate::settings::Settings;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

fn path(text: &str) -> VirtualPath {
    VirtualPath::parse(text).unwrap()
}

fn dead() -> PathState {
    directory(vec![at(1, 9, Some(START_S))])
}

#[test]
fn every_command_on_an_expired_path_says_so() {
    // DESIGN 4: 550 with the detail, whatever the command; by record and by tombstone.
    let commands = [
        "CWD a",
        "RETR a/f",
        "STOR a/f",
        "APPE a/f",
        "LIST a",
        "NLST a",
        "MLSD a",
        "MLST a/f",
        "SIZE a/f",
        "MDTM a/f",
        "DELE a/f",
        "RMD a",
        "RNFR a/f",
        "STAT a",
        "MKD a/b",
        "SETEXPIRY a 7d",
        "SITE EXPIRY a 7d",
        "SITE EXPIRY a",
        "SITE TOKEN a",
        "SITE CLAIM a 00",
        "MFMT 20300101000000 a/f",
    ];
    let tombstone = Some(Tombstone { expiry_s: START_S - 5 });
    for command in commands {
        for state in [dead(), PathState { tombstone, ..PathState::default() }] {
            let mut host = Host::with_port(Settings::default());
            host.lines(&[command]);
            host.state(state.clone());
            if !host.open.is_empty() {
                // MKD asks whose tombstone it is.
                host.checks("/a");
                host.state(state.clone());
            }
            let replies = host.take_replies();
            assert_eq!(replies.len(), 2, "{command}: {replies:?}");
            assert!(replies[0].starts_with("550-"), "{command}: {replies:?}");
            assert_eq!(replies[1], "550 Storage path expired.", "{command}");
        }
    }
}

#[test]
fn an_unreadable_record_decides_nothing() {
    for command in ["CWD a", "RETR a/f", "STOR a/f", "LIST a", "SIZE a", "MKD a", "RMD a", "SETEXPIRY a never"] {
        let mut host = Host::with_port(Settings::default());
        host.lines(&[command]);
        host.stored(Err(StorageError::RecordUnreadable));
        let replies = host.take_replies();
        assert!(replies[0].starts_with("451-"), "{command}: {replies:?}");
        assert!(host.open.is_empty());
    }
}

#[test]
fn mkd_replaces_what_expired_and_tells_the_reaper() {
    let settings = Settings { default_expiry_s: Some(60), ..Settings::default() };
    let mut host = Host::logged_in(settings);
    host.lines(&["MKD a"]);
    host.state(dead());
    let (id, _) = host.take_open();
    host.event(Event::RandomDrawn { id, bytes: [1; 16] });
    let expected = StorageRequest::MakeDirectory {
        path: path("/a"),
        record: record(1, Some(START_S + 60)),
        replaces: Some(record(9, Some(START_S))),
        quota: None,
    };
    assert_eq!(host.request(), &expected);
    host.done();
    host.says(&["257 \"/a\" created"]);
    let expires = PathChange::Expires { path: path("/a"), expiry_s: Some(START_S + 60) };
    assert_eq!(host.changes, [PathChange::Trashed, expires]);
}

#[test]
fn mkd_of_a_tombstone_succeeds_where_the_parent_lives() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["MKD a/b"]);
    host.state(PathState { tombstone: Some(Tombstone { expiry_s: 1 }), ..PathState::default() });
    host.checks("/a");
    host.state(directory(vec![at(1, 9, None)]));
    let (id, _) = host.take_open();
    host.event(Event::RandomDrawn { id, bytes: [1; 16] });
    host.done();
    host.says(&["257 \"/a/b\" created"]);
    assert_eq!(host.changes, []);
}

#[test]
fn mkd_that_loses_a_race_looks_again() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["MKD a"]);
    host.state(missing(vec![]));
    let (id, _) = host.take_open();
    host.event(Event::RandomDrawn { id, bytes: [1; 16] });
    host.stored(Err(StorageError::Exists));
    host.state(directory(vec![at(1, 9, None)]));
    host.says(&["550 Create directory operation failed."]);
}

#[test]
fn quotes_in_a_257_are_doubled() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["CWD a\"b"]);
    host.state(directory(vec![]));
    host.lines(&["PWD"]);
    host.says(&["250 Directory successfully changed.", "257 \"/a\"\"b\" is the current directory"]);
}

#[test]
fn cdup_climbs_to_the_nearest_ancestor_that_lives() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["CWD a/b/c/d"]);
    host.state(directory(vec![]));
    host.lines(&["CDUP"]);
    host.checks("/a/b/c");
    host.state(dead());
    host.checks("/a/b");
    host.state(PathState::default());
    host.checks("/a");
    host.state(directory(vec![]));
    host.lines(&["PWD", "CDUP", "PWD"]);
    let replies = host.take_replies();
    assert_eq!(replies[2], "257 \"/a\" is the current directory");
    assert_eq!(replies[4], "257 \"/\" is the current directory");
}

#[test]
fn only_the_maker_or_whoever_has_the_token_sets_an_expiry() {
    let mut host = Host::logged_in(Settings::default());
    let state = || directory(vec![at(1, 7, Some(START_S + 100))]);
    host.lines(&["SETEXPIRY a never"]);
    host.state(state());
    host.says(&["550-Failed to set expiry_date.", "550 Not your storage path."]);
    host.lines(&["SITE TOKEN a"]);
    host.state(state());
    host.says(&["550-SITE TOKEN command failed.", "550 Not your storage path."]);
    host.lines(&[&format!("SITE CLAIM a {}", "08".repeat(16))]);
    host.state(state());
    host.says(&["550-SITE CLAIM command failed.", "550 Wrong token."]);
    host.lines(&[&format!("SITE CLAIM a {}", "07".repeat(16))]);
    host.state(state());
    host.says(&["200 Storage path claimed."]);
    host.lines(&["SITE TOKEN a"]);
    host.state(state());
    host.says(&[&format!("213 {}", "07".repeat(16))]);
    host.lines(&["SETEXPIRY a now"]);
    host.state(state());
    let judged = record(7, Some(START_S + 100));
    let expected = StorageRequest::SetExpiry { path: path("/a"), judged, expiry_s: Some(START_S) };
    assert_eq!(host.request(), &expected);
    host.done();
    host.says(&["000 expiry_date set"]);
    assert_eq!(host.changes, [PathChange::Expires { path: path("/a"), expiry_s: Some(START_S) }]);
}

#[test]
fn a_date_beyond_what_an_ancestor_allows_names_the_limit() {
    let mut host = Host::logged_in(Settings::default());
    host.made("a/b", 2);
    for date in ["never", "7d"] {
        host.lines(&[&format!("SITE EXPIRY a/b {date}")]);
        host.state(directory(vec![at(1, 1, Some(START_S + 100)), at(2, 2, None)]));
        host.says(&["550-Failed to set expiry_date.", "550 Latest expiry_date is 19700112134820."]);
    }
}

#[test]
fn a_file_has_no_expiry_of_its_own() {
    let mut host = Host::logged_in(Settings::default());
    host.made("a", 1);
    host.lines(&["SETEXPIRY a/f 7d"]);
    host.state(file(1, vec![at(1, 1, None)]));
    host.says(&["550-Failed to set expiry_date.", "550 Not a storage path."]);
    host.lines(&["SETEXPIRY old 7d"]);
    host.state(directory(vec![]));
    host.says(&["550-Failed to set expiry_date.", "550 Not a storage path."]);
}

#[test]
fn a_stranger_changes_nothing_and_the_maker_anything() {
    for (command, reply) in [
        ("DELE a/f", "550 Permission denied."),
        ("RNFR a/f", "550 Permission denied."),
        ("MFMT 20300101000000 a/f", "550 Permission denied."),
    ] {
        let mut host = Host::logged_in(Settings::default());
        host.made("a", 1);
        host.lines(&[command]);
        host.state(file(1, vec![at(1, 9, None)]));
        host.says(&[reply]);
        host.lines(&[command]);
        host.state(file(1, vec![at(1, 1, None)]));
        assert_ne!(host.take_replies(), [reply]);
    }
}

#[test]
fn a_move_to_where_it_would_live_longer_is_refused() {
    let mut host = Host::logged_in(Settings::default());
    host.made("a", 1);
    let source = || file(1, vec![at(1, 1, Some(START_S + 100))]);
    host.lines(&["RNFR a/f"]);
    host.state(source());
    host.lines(&["RNTO b/f"]);
    host.checks("/a/f");
    host.state(source());
    host.checks("/b/f");
    host.state(missing(vec![at(1, 9, Some(START_S + 101))]));
    host.says(&["350 Ready for RNTO.", "553-Rename failed.", "553 It would outlive its expiry_date."]);
    host.lines(&["RNTO b/f"]);
    host.says(&["503 RNFR required first."]);
}

#[test]
fn a_rename_is_judged_anew_where_something_changed() {
    let mut host = Host::logged_in(Settings::default());
    host.made("a", 1);
    let source = || file(1, vec![at(1, 1, None)]);
    host.lines(&["RNFR a/f"]);
    host.state(source());
    host.lines(&["RNTO a/g"]);
    host.state(source());
    host.state(missing(vec![at(1, 1, None)]));
    host.stored(Err(StorageError::Changed));
    host.checks("/a/f");
    host.state(source());
    host.checks("/a/g");
    host.state(missing(vec![at(1, 1, None)]));
    host.done();
    host.says(&["350 Ready for RNTO.", "250 Rename successful."]);
    assert_eq!(host.changes, [PathChange::Renamed { from: path("/a/f"), to: path("/a/g") }]);
    let made = Note::Made { path: path("/a") };
    assert_eq!(host.notes, [made, Note::Renamed { from: path("/a/f"), to: path("/a/g") }], "once, and as it ended");
}

#[test]
fn rnto_follows_rnfr_at_once() {
    // RFC 959 4.1.3.
    for (between, reply) in [("NOOP", "200 NOOP ok."), ("FLY", "500 Unknown command.")] {
        let mut host = Host::logged_in(Settings::default());
        host.made("a", 1);
        host.lines(&["RNFR a"]);
        host.state(directory(vec![at(1, 1, None)]));
        host.lines(&[between, "RNTO b"]);
        host.says(&["350 Ready for RNTO.", reply, "503 RNFR required first."]);
    }
}

#[test]
fn a_directory_is_not_moved_into_itself() {
    let mut host = Host::logged_in(Settings::default());
    host.made("a", 1);
    host.lines(&["RNFR a"]);
    host.state(directory(vec![at(1, 1, None)]));
    host.lines(&["RNTO a/b"]);
    host.says(&["350 Ready for RNTO.", "553-Rename failed.", "553 Target lies inside the source."]);
}

#[test]
fn claims_are_bounded() {
    let mut host = Host::logged_in(Settings::default());
    for number in 0..crate::limits::CLAIMS_MAX + 3 {
        let mut token = [0; 16];
        token[..8].copy_from_slice(&number.to_le_bytes());
        host.session.claim(crate::record::Token(token));
    }
    assert_eq!(host.session.claims.len(), crate::limits::CLAIMS_MAX);
}

#[test]
fn stat_of_a_directory_is_bounded() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["STAT a"]);
    host.state(directory(vec![]));
    host.done();
    let entry = |number: usize| crate::record::Entry {
        name: format!("{number}"),
        info: super::host::info(crate::record::FileKind::File, 1),
        record: crate::record::EntryRecord::None,
    };
    let mut batches = 0;
    while matches!(host.request(), StorageRequest::ReadListing { .. }) {
        let entries = (0..256).map(entry).collect();
        host.stored(Ok(StorageOutcome::Listed { entries, end: false }));
        batches += 1;
    }
    assert_eq!(batches, 4);
    assert_eq!(host.request(), &StorageRequest::CloseListing);
    host.done();
    let replies = host.take_replies();
    assert_eq!(replies.len(), crate::limits::STAT_LINES_MAX + 2);
    assert_eq!(replies[0], "213-Status of the first names follows, LIST shows all:");
}

#[test]
fn the_dialogue_is_noted_for_whoever_asks_for_it_and_its_secrets_are_not() {
    let mut host = Host::greeted(Settings { note_dialogue: true, ..Settings::default() });
    host.lines(&["USER anonymous", "PASS hush", "PORT", "FLY", "SITE CLAIM a 0123456789abcdef0123456789abcdef"]);
    host.state(dead());
    let told: Vec<String> = host.notes.iter().map(|note| format!("{note:?}")).collect();
    let told = told.join("\n");
    for part in ["\"USER anonymous\"", "\"PASS <secret>\"", "code: 230", "\"PORT\"", "\"Unknown command.\"", "CLAIM a"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(told.contains("path expired."), "{told}");
    assert!(!told.contains("hush") && !told.contains("0123456789"), "{told}");
    let mut quiet = Host::logged_in(Settings::default());
    quiet.lines(&["NOOP"]);
    assert_eq!(quiet.notes, []);
}
