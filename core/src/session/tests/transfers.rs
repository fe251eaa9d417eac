//! Transfers: each way out of each step, with nothing left open.

use super::host::{Host, START_S, at, directory, file, info, missing};
use crate::action::{Action, Direction, StorageRequest, Translation, UploadBase};
use crate::error::{NetError, StorageError, TransferError};
use crate::event::{Event, StorageOutcome};
use crate::record::{Entry, EntryRecord, FileKind, Partial, PathState};
use crate::settings::Settings;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

fn opened(size_bytes: u64) -> StorageOutcome {
    StorageOutcome::Opened(info(FileKind::File, size_bytes))
}

fn published() -> StorageOutcome {
    StorageOutcome::Published(info(FileKind::File, 5))
}

/// An upload into an own path, with its 150 out.
fn uploading(commands: &[&str], state: PathState) -> Host {
    let mut host = Host::with_port(Settings::default());
    host.made("a", 1);
    host.lines(commands);
    host.state(state);
    host.stored(Ok(opened(0)));
    host.connected(Ok(()));
    assert_eq!(host.take_replies().last().unwrap(), "150 Ok to send data.");
    host
}

fn own() -> Vec<crate::record::RecordAt> {
    vec![at(1, 1, Some(START_S + 100))]
}

#[test]
fn a_transfer_without_a_set_up_asks_for_one() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["RETR f", "STOR f", "LIST"]);
    host.says(&["425 Use PORT or PASV first."; 3]);
}

#[test]
fn a_set_up_serves_one_transfer_and_survives_a_refusal() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["RETR missing"]);
    host.state(missing(vec![]));
    host.says(&["550 Failed to open file."]);
    host.lines(&["RETR f"]);
    host.state(file(5, vec![]));
    host.connected(Err(NetError::Unreachable));
    host.says(&["425 Failed to establish connection."]);
    host.lines(&["RETR f"]);
    host.says(&["425 Use PORT or PASV first."]);
}

#[test]
fn a_path_that_is_revoked_before_the_150_is_not_sent() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["RETR f"]);
    host.state(file(5, vec![at(1, 1, None)]));
    host.pass_ms(2);
    host.connected(Ok(()));
    host.checks("/f");
    host.state(file(5, vec![at(1, 1, Some(START_S))]));
    host.says(&["550-Failed to open file.", "550 Storage path expired."]);
    assert_eq!(host.data_closed, 1);
}

#[test]
fn abor_before_the_150_leaves_nothing_open() {
    // Before the path is judged.
    let mut host = Host::with_port(Settings::default());
    host.lines(&["RETR f", "ABOR"]);
    host.state(file(5, vec![]));
    host.says(&["426 Failure writing network stream.", "226 ABOR successful."]);
    // While the data connection is awaited.
    let mut host = Host::with_port(Settings::default());
    host.lines(&["STOR f", "ABOR"]);
    host.state(missing(vec![]));
    host.says(&["426 Failure reading network stream.", "226 ABOR successful."]);
    let mut host = Host::with_port(Settings::default());
    host.lines(&["STOR f"]);
    host.state(missing(vec![]));
    host.stored(Ok(opened(0)));
    host.lines(&["ABOR"]);
    host.connected(Err(NetError::Cancelled));
    assert_eq!(host.request(), &StorageRequest::Discard);
    host.done();
    host.says(&["426 Failure reading network stream.", "226 ABOR successful."]);
}

#[test]
fn an_upload_is_published_with_what_was_judged() {
    let mut host = uploading(&["STOR a/f"], missing(own()));
    host.transferred(5, Ok(()));
    assert_eq!(host.request(), &StorageRequest::Publish { replace: true, judged: own() });
    host.stored(Ok(published()));
    host.says(&["226 Transfer complete."]);
    assert_eq!(host.data_closed, 1);
}

#[test]
fn an_upload_that_ends_after_the_date_is_refused() {
    for (seconds, reply) in [(99, "226 Transfer complete."), (100, "550 Storage path expired.")] {
        let mut host = uploading(&["STOR a/f"], missing(own()));
        host.pass_ms(seconds * 1000);
        host.transferred(5, Ok(()));
        if seconds == 99 {
            host.stored(Ok(published()));
        } else {
            assert_eq!(host.request(), &StorageRequest::Discard);
            host.done();
        }
        assert_eq!(host.take_replies().last().unwrap(), reply);
    }
    // By the storage's clock it had come already.
    let mut host = uploading(&["STOR a/f"], missing(own()));
    host.transferred(5, Ok(()));
    host.stored(Err(StorageError::Expired));
    host.says(&["550-Could not create file.", "550 Storage path expired."]);
}

#[test]
fn an_upload_is_judged_anew_where_a_record_changed() {
    let mut host = uploading(&["STOR a/f"], missing(own()));
    host.transferred(5, Ok(()));
    host.stored(Err(StorageError::Changed));
    let extended = vec![at(1, 1, Some(START_S + 500))];
    host.state(missing(extended.clone()));
    assert_eq!(host.request(), &StorageRequest::Publish { replace: true, judged: extended });
    host.stored(Err(StorageError::Changed));
    host.state(missing(vec![at(1, 1, Some(START_S))]));
    assert_eq!(host.request(), &StorageRequest::Discard);
    host.done();
    host.says(&["550-Could not create file.", "550 Storage path expired."]);
}

#[test]
fn publishing_is_tried_so_often_and_no_more() {
    let mut host = uploading(&["STOR a/f"], missing(own()));
    host.transferred(5, Ok(()));
    while !matches!(host.request(), StorageRequest::KeepPartial) {
        host.stored(Err(StorageError::Changed));
        host.state(missing(own()));
    }
    host.done();
    host.says(&["450-Could not create file.", "450 Storage path is busy."]);
}

#[test]
fn of_two_appends_the_second_is_kept_aside() {
    let mut host = uploading(&["APPE a/f"], file(3, own()));
    host.transferred(5, Ok(()));
    host.stored(Err(StorageError::Changed));
    host.state(file(9, own()));
    assert_eq!(host.request(), &StorageRequest::KeepPartial);
    host.done();
    host.says(&["450-Could not create file.", "450 Storage path is busy."]);
}

#[test]
fn a_broken_upload_is_kept_and_can_be_resumed_by_its_maker() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["STOR f"]);
    host.state(missing(vec![]));
    host.stored(Ok(opened(0)));
    host.connected(Ok(()));
    host.transferred(3, Err(TransferError::ConnectionLost));
    assert_eq!(host.request(), &StorageRequest::KeepPartial);
    host.done();
    host.says(&["150 Ok to send data.", "426 Failure reading network stream."]);
    let state = || PathState { partial: Some(Partial { size_bytes: 3 }), ..PathState::default() };
    host.lines(&["SIZE f"]);
    host.state(state());
    host.says(&["213 3"]);
    host.lines(&["PORT 192,0,2,7,200,1", "REST 4", "STOR f"]);
    host.state(state());
    assert_eq!(host.take_replies().last().unwrap(), "554 Restart position is beyond the end of the file.");
    host.lines(&["REST 3", "STOR f"]);
    host.state(state());
    match host.request() {
        StorageRequest::OpenWrite { base, .. } => assert_eq!(base, &UploadBase::Partial { keep_bytes: Some(3) }),
        request => panic!("{request:?}"),
    }
}

#[test]
fn a_partial_in_another_path_of_the_same_name_is_not_its_makers() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["STOR a/f"]);
    host.state(missing(vec![at(1, 8, None)]));
    host.stored(Ok(opened(0)));
    host.connected(Ok(()));
    host.transferred(3, Err(TransferError::ConnectionLost));
    host.done();
    host.take_replies();
    for (token, reply) in [(8, "213 3"), (9, "550 Could not get file size.")] {
        let partial = Some(Partial { size_bytes: 3 });
        host.lines(&["SIZE a/f"]);
        host.state(PathState { partial, ..missing(vec![at(1, token, None)]) });
        host.says(&[reply]);
    }
}

#[test]
fn a_strangers_partial_is_not_seen() {
    let mut host = Host::with_port(Settings::default());
    let state = || PathState { partial: Some(Partial { size_bytes: 3 }), ..PathState::default() };
    host.lines(&["SIZE f"]);
    host.state(state());
    host.says(&["550 Could not get file size."]);
    host.lines(&["APPE f"]);
    host.state(state());
    match host.request() {
        StorageRequest::OpenWrite { base, .. } => assert_eq!(base, &UploadBase::Empty),
        request => panic!("{request:?}"),
    }
}

#[test]
fn an_upload_that_brought_nothing_is_forgotten() {
    let mut host = uploading(&["STOR a/f"], missing(own()));
    host.transferred(0, Err(TransferError::ConnectionLost));
    assert_eq!(host.request(), &StorageRequest::Discard);
    host.done();
    host.says(&["426 Failure reading network stream."]);
}

#[test]
fn fewer_bytes_than_announced_are_broken() {
    let allo = |host: &mut Host| {
        host.lines(&["ALLO 10"]);
        host.state(directory(vec![]));
        host.done();
    };
    for (bytes, whole) in [(9, false), (10, true)] {
        let mut host = Host::with_port(Settings::default());
        allo(&mut host);
        host.lines(&["STOR f"]);
        host.state(missing(vec![]));
        host.stored(Ok(opened(0)));
        host.connected(Ok(()));
        host.transferred(bytes, Ok(()));
        assert_eq!(matches!(host.request(), StorageRequest::Publish { .. }), whole);
        assert_eq!(matches!(host.request(), StorageRequest::KeepPartial), !whole);
    }
}

#[test]
fn a_full_disk_leaves_nothing() {
    for (error, reply) in [
        (StorageError::NoSpace, "452 Insufficient storage space."),
        (StorageError::QuotaExceeded, "552 Quota exceeded."),
        (StorageError::FileTooLarge, "552 File too large."),
        (StorageError::Failed, "451 Failure writing to local file."),
    ] {
        let mut host = uploading(&["STOR a/f"], missing(own()));
        host.transferred(5, Err(TransferError::Storage(error)));
        assert_eq!(host.request(), &StorageRequest::Discard);
        host.done();
        host.says(&[reply]);
    }
}

#[test]
fn an_end_of_data_that_answers_a_cancel_is_no_whole_file() {
    let mut host = uploading(&["STOR a/f"], missing(own()));
    host.lines(&["ABOR"]);
    host.transferred(5, Ok(()));
    assert_eq!(host.request(), &StorageRequest::KeepPartial);
    host.done();
    host.says(&["426 Failure reading network stream.", "226 ABOR successful."]);
}

#[test]
fn abor_while_publishing_comes_too_late() {
    let mut host = uploading(&["STOR a/f"], missing(own()));
    host.transferred(5, Ok(()));
    host.lines(&["ABOR"]);
    host.stored(Ok(published()));
    host.says(&["226 Transfer complete.", "226 ABOR successful."]);
}

#[test]
fn hanging_up_breaks_an_upload_and_keeps_what_came() {
    let mut host = uploading(&["STOR a/f", "NOOP"], missing(own()));
    host.lines(&["PWD"]);
    host.event(Event::ControlClosed);
    assert_eq!(host.cancelled.len(), 1);
    host.transferred(5, Err(TransferError::Cancelled));
    assert_eq!(host.request(), &StorageRequest::KeepPartial);
    assert!(!host.closed);
    host.done();
    assert!(host.closed);
}

#[test]
fn no_transfer_begins_once_the_peer_has_hung_up() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["CWD a", "RETR f"]);
    host.event(Event::ControlClosed);
    host.state(directory(vec![]));
    host.says(&["250 Directory successfully changed.", "425 Failed to establish connection."]);
    assert!(host.closed);
}

#[test]
fn uploads_need_a_date_where_policy_says_so() {
    let settings = Settings { require_expiry: true, ..Settings::default() };
    let mut host = Host::with_port(settings);
    host.lines(&["STOR a/f"]);
    host.state(missing(vec![at(1, 9, None)]));
    host.says(&["553-Could not create file.", "553 Storage path has no expiry_date."]);
    host.lines(&["STOR a/f"]);
    host.state(missing(vec![at(1, 9, Some(START_S + 1))]));
    assert!(matches!(host.request(), StorageRequest::OpenWrite { .. }));
}

#[test]
fn a_listing_goes_out_in_batches_and_leaves_out_what_is_not_to_be_seen() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["NLST"]);
    host.state(directory(vec![]));
    host.connected(Ok(()));
    host.done();
    host.says(&["150 Here comes the directory listing."]);
    let entry = |name: &str, kind, record| Entry { name: name.to_owned(), info: info(kind, 1), record };
    let dead = EntryRecord::Read(super::host::record(1, Some(START_S)));
    let entries = vec![
        entry("dead", FileKind::Directory, dead),
        entry("f", FileKind::File, EntryRecord::None),
        entry("link", FileKind::Other, EntryRecord::None),
        entry("spoilt", FileKind::Directory, EntryRecord::Unreadable),
        entry(".mayfly-x", FileKind::File, EntryRecord::None),
    ];
    host.stored(Ok(StorageOutcome::Listed { entries, end: false }));
    match host.take_open() {
        (id, Action::SendData { text, .. }) => {
            assert_eq!(text, "f\r\n");
            host.event(Event::TransferEnded { id, wire_bytes: 3, outcome: Ok(()) });
        }
        (_, action) => panic!("{action:?}"),
    }
    assert_eq!(host.request(), &StorageRequest::ReadListing { entries_max: 256 });
    host.stored(Ok(StorageOutcome::Listed { entries: vec![], end: true }));
    host.says(&["226 Directory send OK."]);
    assert_eq!(host.data_closed, 1);
}

#[test]
fn a_listing_that_breaks_is_closed() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["NLST"]);
    host.state(directory(vec![]));
    host.connected(Ok(()));
    host.done();
    let entries = vec![Entry { name: String::from("f"), info: info(FileKind::File, 1), record: EntryRecord::None }];
    host.stored(Ok(StorageOutcome::Listed { entries, end: false }));
    host.lines(&["ABOR"]);
    host.transferred(0, Err(TransferError::Cancelled));
    assert_eq!(host.request(), &StorageRequest::CloseListing);
    host.done();
    host.says(&[
        "150 Here comes the directory listing.",
        "426 Failure writing network stream.",
        "226 ABOR successful.",
    ]);
}

#[test]
fn data_connections_come_only_from_and_go_only_to_the_peer() {
    let mut host = Host::logged_in(Settings::default());
    for (line, reply) in [
        ("PORT 192,0,2,8,200,1", "500 Illegal PORT command."),
        ("PORT 192,0,2,7,3,255", "500 Illegal PORT command."),
        ("EPRT |1|192.0.2.8|6000|", "500 Illegal EPRT command."),
        ("EPRT |1|192.0.2.7|6000|", "200 EPRT command successful. Consider using EPSV."),
        ("EPSV 2", "522 Network protocol not supported, use (1)"),
    ] {
        host.lines(&[line]);
        host.says(&[reply]);
    }
    host.lines(&["PASV"]);
    let (id, _) = host.take_open();
    host.event(Event::DataListening { id, outcome: Ok(40_001) });
    host.says(&["227 Entering Passive Mode (192,0,2,1,156,65)."]);
    host.lines(&["LIST"]);
    host.state(directory(vec![]));
    match &host.open[0].1 {
        Action::AcceptData { peer, .. } => assert_eq!(format!("{peer}"), "192.0.2.7"),
        action => panic!("{action:?}"),
    }
}

#[test]
fn after_epsv_all_there_is_only_epsv() {
    // RFC 2428 4.
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["EPSV ALL", "PORT 192,0,2,7,200,1", "EPRT |1|192.0.2.7|6000|", "PASV"]);
    let only = "501 Only EPSV is allowed after EPSV ALL.";
    host.says(&["200 EPSV ALL ok.", only, only, only]);
    host.lines(&["EPSV"]);
    let (id, _) = host.take_open();
    host.event(Event::DataListening { id, outcome: Ok(40_001) });
    host.says(&["229 Entering Extended Passive Mode (|||40001|)"]);
}

#[test]
fn a_listener_that_is_not_wanted_any_more_is_closed() {
    for line in ["PORT 192,0,2,7,200,1", "ABOR"] {
        let mut host = Host::logged_in(Settings::default());
        host.lines(&["EPSV"]);
        let (id, _) = host.take_open();
        host.event(Event::DataListening { id, outcome: Ok(40_001) });
        host.lines(&[line]);
        assert_eq!(host.data_closed, 1, "{line}");
    }
}

#[test]
fn type_a_translates_and_does_not_resume() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["TYPE A", "REST 3", "RETR f"]);
    assert_eq!(host.take_replies().last().unwrap(), "550 No support for resume of ASCII transfer.");
    host.lines(&["RETR f"]);
    host.state(file(5, vec![]));
    host.connected(Ok(()));
    host.stored(Ok(opened(5)));
    host.says(&["150 Opening ASCII mode data connection for f (5 bytes)."]);
    match &host.open[0].1 {
        Action::Transfer { direction, translation, .. } => {
            assert_eq!((*direction, *translation), (Direction::Send, Translation::Ascii));
        }
        action => panic!("{action:?}"),
    }
}

#[test]
fn rest_holds_for_the_next_transfer_only() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["REST 3", "PWD", "RETR f"]);
    host.state(file(5, vec![]));
    host.connected(Ok(()));
    match host.request() {
        StorageRequest::OpenRead { offset_bytes, .. } => assert_eq!(*offset_bytes, 0),
        request => panic!("{request:?}"),
    }
    let mut host = Host::with_port(Settings::default());
    host.lines(&["REST 5", "PORT 192,0,2,7,200,2", "RETR f"]);
    host.state(file(5, vec![]));
    host.connected(Ok(()));
    match host.request() {
        StorageRequest::OpenRead { offset_bytes, .. } => assert_eq!(*offset_bytes, 5),
        request => panic!("{request:?}"),
    }
    let mut host = Host::with_port(Settings::default());
    host.lines(&["REST 6", "RETR f"]);
    host.state(file(5, vec![]));
    assert_eq!(host.take_replies().last().unwrap(), "554 Restart position is beyond the end of the file.");
}
