//! Transfers: each way out of each step, with nothing left open.

use super::host::{Host, START_S, at, directory, file, info, missing};
use crate::action::{Action, Direction, StorageRequest, Translation};
use crate::error::{NetError, TransferError};
use crate::event::{Event, StorageOutcome};
use crate::limits;
use crate::record::{Entry, EntryRecord, FileKind};
use crate::settings::Settings;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;

fn opened(size_bytes: u64) -> StorageOutcome {
    StorageOutcome::Opened(info(FileKind::File, size_bytes))
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
    // Gone with its use: what follows goes to the default data port, where this client does not listen.
    host.lines(&["RETR f"]);
    host.state(file(5, vec![]));
    host.connected(Err(NetError::Unreachable));
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
fn no_transfer_begins_once_the_peer_has_hung_up() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["CWD a", "RETR f"]);
    host.event(Event::ControlClosed);
    host.state(directory(vec![]));
    host.says(&["250 Directory successfully changed.", "425 Failed to establish connection."]);
    assert!(host.closed);
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
        entry("link", FileKind::Link, EntryRecord::None),
        entry("socket", FileKind::Other, EntryRecord::None),
        entry("spoilt", FileKind::Directory, EntryRecord::Unreadable),
        entry(".mayfly-x", FileKind::File, EntryRecord::None),
        entry("no\nline", FileKind::File, EntryRecord::None),
    ];
    host.stored(Ok(StorageOutcome::Listed { entries, end: false }));
    let more = StorageRequest::ReadListing { entries_max: limits::LISTING_BATCH_ENTRIES };
    assert_eq!(host.request(), &more);
    // As much as is worth a write goes out before the rest is read.
    let name = "x".repeat(limits::LISTING_TEXT_BYTES);
    host.stored(Ok(StorageOutcome::Listed {
        entries: vec![entry(&name, FileKind::File, EntryRecord::None)],
        end: false,
    }));
    let expected = format!("f\r\nlink\r\nno\\x0aline\r\n{name}\r\n");
    assert_eq!(sent(&mut host), expected);
    assert_eq!(host.request(), &more);
    host.stored(Ok(StorageOutcome::Listed { entries: vec![entry("z", FileKind::File, EntryRecord::None)], end: true }));
    assert_eq!(sent(&mut host), "z\r\n");
    host.says(&["226 Directory send OK."]);
    assert_eq!(host.data_closed, 1);
}

/// What a listing sends next; it goes out whole.
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

#[test]
fn a_listing_that_breaks_is_closed() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["NLST"]);
    host.state(directory(vec![]));
    host.connected(Ok(()));
    host.done();
    let name = "x".repeat(limits::LISTING_TEXT_BYTES);
    let entries = vec![Entry { name, info: info(FileKind::File, 1), record: EntryRecord::None }];
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
    host.lines(&["REST 3", "HELP", "RETR f"]);
    host.state(file(5, vec![]));
    host.connected(Ok(()));
    match host.request() {
        StorageRequest::OpenRead { offset_bytes, .. } => assert_eq!(*offset_bytes, 0),
        request => panic!("{request:?}"),
    }
    let mut host = Host::with_port(Settings::default());
    host.lines(&["REST 5", "FEAT", "PORT 192,0,2,7,200,2", "RETR f"]);
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
