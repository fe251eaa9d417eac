//! Uploads: published whole, kept aside, or forgotten.

use super::host::{Host, START_S, at, directory, file, info, missing};
use crate::action::{StorageRequest, UploadBase};
use crate::error::{StorageError, TransferError};
use crate::event::{Event, StorageOutcome};
use crate::record::{FileInfo, FileKind, Partial, PathState};
use crate::settings::Settings;
use alloc::vec;
use alloc::vec::Vec;

/// What `opened(0)` is told from others by.
const UNIQUE: &str = "0";

fn opened(size_bytes: u64) -> StorageOutcome {
    StorageOutcome::Opened(info(FileKind::File, size_bytes))
}

fn partial(unique: &str) -> Partial {
    Partial { size_bytes: 3, unique: unique.into() }
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
fn an_upload_is_published_with_what_was_judged() {
    let mut host = uploading(&["STOR a/f"], missing(own()));
    host.transferred(5, Ok(()));
    assert_eq!(host.request(), &StorageRequest::Publish { replace: true, judged: own(), expiry_s: None });
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
    assert_eq!(host.request(), &StorageRequest::Publish { replace: true, judged: extended, expiry_s: None });
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
    let state = || PathState { partial: Some(partial(UNIQUE)), ..PathState::default() };
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
fn a_partial_that_took_the_place_of_ones_own_is_not_ones_own() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["STOR f"]);
    host.state(missing(vec![]));
    host.stored(Ok(opened(0)));
    host.connected(Ok(()));
    host.transferred(3, Err(TransferError::ConnectionLost));
    host.done();
    host.take_replies();
    for (unique, reply) in [(UNIQUE, "213 3"), ("another", "550 Could not get file size.")] {
        host.lines(&["SIZE f"]);
        host.state(PathState { partial: Some(partial(unique)), ..PathState::default() });
        host.says(&[reply]);
    }
    // It comes between the check and the opening.
    host.lines(&["PORT 192,0,2,7,200,1", "REST 3", "STOR f"]);
    host.state(PathState { partial: Some(partial(UNIQUE)), ..PathState::default() });
    host.take_replies();
    let others = FileInfo { unique: "another".into(), ..info(FileKind::File, 3) };
    host.stored(Ok(StorageOutcome::Opened(others)));
    assert_eq!(host.request(), &StorageRequest::Discard);
    host.done();
    host.says(&["450-Could not create file.", "450 Storage path is busy."]);
}

#[test]
fn a_strangers_partial_is_not_seen() {
    let mut host = Host::with_port(Settings::default());
    let state = || PathState { partial: Some(partial(UNIQUE)), ..PathState::default() };
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
