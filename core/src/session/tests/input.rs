//! Pipelining and its bounds.

use super::host::{Host, file, missing};
use crate::error::TransferError;
use crate::event::{Event, StorageOutcome};
use crate::limits;
use crate::record::FileKind;
use crate::settings::Settings;
use alloc::format;
use alloc::string::String;
use alloc::vec;

fn downloading() -> Host {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["RETR f"]);
    host.state(file(5, vec![]));
    host.connected(Ok(()));
    host.stored(Ok(StorageOutcome::Opened(super::host::info(FileKind::File, 5))));
    host.says(&["150 Opening BINARY mode data connection for f (5 bytes)."]);
    host
}

#[test]
fn during_a_transfer_some_are_answered_and_the_rest_wait() {
    let mut host = downloading();
    let (id, _) = host.open[0];
    host.event(Event::TransferProgress { id, wire_bytes: 3, file_bytes: None });
    host.lines(&["PWD", "NOOP", "STAT", "QUIT"]);
    let replies = host.take_replies();
    assert_eq!(replies[0], "200 NOOP ok.");
    assert!(replies.contains(&String::from(" Sending /f, 3 bytes so far")), "{replies:?}");
    assert_eq!(replies.last().unwrap(), "211 End of status");
    host.transferred(5, Ok(()));
    host.says(&["226 Transfer complete.", "257 \"/\" is the current directory", "221 Goodbye."]);
    assert!(host.closed);
}

#[test]
fn abor_jumps_the_queue_and_drops_it() {
    let mut host = downloading();
    host.lines(&["PWD", "{\"Request Command\":\"PWD\",\"Request Argument\":\"\"}", "ABOR", "SYST"]);
    host.says(&[]);
    assert_eq!(host.cancelled.len(), 1);
    host.transferred(2, Err(TransferError::Cancelled));
    host.says(&[
        "426 Failure writing network stream.",
        "450 Command dropped by ABOR.",
        "{\"Response Code\":450,\"Response Argument\":\"Command dropped by ABOR.\",\"Response Message\":\"\"}",
        "226 ABOR successful.",
        "215 UNIX Type: L8",
    ]);
}

#[test]
fn a_second_abor_waits_its_turn() {
    let mut host = downloading();
    host.lines(&["ABOR", "ABOR"]);
    assert_eq!(host.cancelled.len(), 1);
    host.transferred(2, Err(TransferError::Cancelled));
    host.says(&["426 Failure writing network stream.", "226 ABOR successful.", "226 ABOR successful."]);
}

#[test]
fn what_follows_a_transfer_in_the_same_packet_is_not_answered_before_its_150() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["RETR f", "NOOP"]);
    host.says(&[]);
    host.state(missing(vec![]));
    host.says(&["550 Failed to open file.", "200 NOOP ok."]);
}

#[test]
fn a_full_queue_wants_no_more_input() {
    let mut host = downloading();
    let lines_max = usize::try_from(Settings::default().lines_queued_max).unwrap();
    for _ in 0..lines_max {
        assert!(host.session.wants_input());
        host.lines(&["PWD"]);
    }
    assert!(!host.session.wants_input());
    host.transferred(5, Ok(()));
    assert_eq!(host.take_replies().len(), 1 + lines_max);
    assert!(host.session.wants_input());
}

#[test]
fn the_queue_is_bounded_in_bytes_too() {
    let mut host = downloading();
    let long = format!("CWD {}", "x".repeat(8_000));
    host.lines(&[&long]);
    assert!(host.session.wants_input());
    host.lines(&[&long]);
    host.lines(&[&long]);
    assert!(!host.session.wants_input());
}

#[test]
fn more_lines_than_an_event_has_room_for_are_carried_out_at_once() {
    let mut host = Host::logged_in(Settings::default());
    let count = 3 * limits::ACTIONS_PER_EVENT_MAX;
    let bytes = b"NOOP\r\n".repeat(count);
    let mut actions = host.try_event(Event::ControlReceived { bytes }).unwrap();
    let mut events = 1;
    loop {
        assert!(actions <= limits::ACTIONS_PER_EVENT_MAX);
        if host.session.deadline() > Some(host.now.monotonic_ms) {
            break;
        }
        actions = host.try_event(Event::Timeout).unwrap();
        events += 1;
    }
    assert_eq!(host.take_replies().len(), count);
    assert_eq!(events, 7);
}

#[test]
fn a_peer_that_takes_no_replies_has_no_more_of_them_made_and_is_idle() {
    // Goal: input of a few bytes is not worked off into replies that nobody takes; what has begun ends.
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["SIZE f", "PWD", "PWD"]);
    host.event(Event::ReplyRoom { room: false });
    host.state(missing(vec![]));
    host.says(&["550 Could not get file size."]);
    host.event(Event::Timeout);
    host.says(&[]);
    host.event(Event::ReplyRoom { room: true });
    host.says(&["257 \"/\" is the current directory", "257 \"/\" is the current directory"]);
    host.event(Event::ReplyRoom { room: false });
    host.lines(&["PWD"]);
    host.says(&[]);
    host.now.monotonic_ms = host.session.deadline().unwrap();
    host.event(Event::Timeout);
    host.says(&["421 Timeout."]);
    assert!(host.closed);
}

#[test]
fn during_a_transfer_too_nothing_is_answered_without_room_and_the_transfer_ends() {
    let mut host = downloading();
    host.event(Event::ReplyRoom { room: false });
    host.lines(&["NOOP", "PWD"]);
    host.says(&[]);
    host.transferred(5, Ok(()));
    host.says(&["226 Transfer complete."]);
    host.event(Event::ReplyRoom { room: true });
    host.says(&["200 NOOP ok.", "257 \"/\" is the current directory"]);
}

#[test]
fn a_line_too_long_is_refused_and_the_session_goes_on() {
    let mut host = Host::logged_in(Settings::default());
    let long = "x".repeat(limits::LINE_BYTES_MAX + 1);
    host.lines(&[&long, "NOOP"]);
    host.says(&["500 Line too long.", "200 NOOP ok."]);
    // It is answered in the form that it came in.
    host.lines(&[&format!("{{\"Request Command\":\"{long}\"}}"), "NOOP"]);
    let broken = "{\"Response Code\":500,\"Response Argument\":\"Line too long.\",\"Response Message\":\"\"}";
    host.says(&[broken, "200 NOOP ok."]);
}

#[test]
fn telnet_options_are_refused_at_once_and_between_lines() {
    // RFC 1123 3.2.1.
    let mut host = Host::logged_in(Settings::default());
    host.event(Event::ControlReceived { bytes: b"\xff\xfd\x01NO\xff\xfb\x03OP\r\n".to_vec() });
    host.says(&["200 NOOP ok."]);
    assert_eq!(host.telnet, b"\xff\xfc\x01\xff\xfe\x03");
    host.event(Event::ReplyRoom { room: false });
    host.event(Event::ControlReceived { bytes: b"\xff\xfd\x01".to_vec() });
    assert_eq!(host.telnet.len(), 6);
    host.event(Event::ReplyRoom { room: true });
    assert_eq!(host.telnet.len(), 9);
}
