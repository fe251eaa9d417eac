//! The contract with the driver.

use super::host::{Host, directory, missing};
use crate::error::{Misuse, NetError, StorageError};
use crate::event::{Admission, Event, StorageOutcome};
use crate::record::PathState;
use crate::session::Session;
use crate::settings::Settings;
use alloc::vec;
use core::mem::size_of;

#[test]
fn events_out_of_order_are_misuse() {
    let mut host = Host::greeted(Settings::default());
    let connected = Event::Connected { admission: Admission::Welcome, failed_logins: 0 };
    assert_eq!(host.try_event(connected.clone()), Err(Misuse::OutOfOrder));
    let address = "192.0.2.7:4000".parse().unwrap();
    let mut fresh = Session::new(Settings::default().into(), address, address);
    assert_eq!(fresh.handle(host.now, Event::ControlClosed), Err(Misuse::OutOfOrder));
    assert_eq!(fresh.deadline(), None);
    assert_eq!(fresh.handle(host.now, connected), Ok(()));
}

#[test]
fn an_undrained_session_takes_no_event() {
    let mut host = Host::greeted(Settings::default());
    let noop = Event::ControlReceived { bytes: b"NOOP\r\n".to_vec() };
    host.session.handle(host.now, noop.clone()).unwrap();
    assert_eq!(host.session.handle(host.now, noop), Err(Misuse::ActionsUndrained));
    assert!(host.session.poll_action().is_some());
    assert!(host.session.poll_action().is_none());
}

#[test]
fn a_stale_doubled_or_wrong_outcome_is_misuse_and_changes_nothing() {
    let mut host = Host::logged_in(Settings::default());
    let id = crate::action::ActionId(77);
    let stored = |id, outcome| Event::Stored { id, outcome };
    assert_eq!(host.try_event(stored(id, Ok(StorageOutcome::Done))), Err(Misuse::UnknownId(id)));
    host.lines(&["CWD a"]);
    let (right, _) = host.take_open();
    assert_eq!(host.try_event(stored(id, Ok(StorageOutcome::Done))), Err(Misuse::UnknownId(id)));
    assert_eq!(host.try_event(stored(right, Ok(StorageOutcome::Done))), Err(Misuse::WrongOutcome(right)));
    let listening = Event::DataListening { id: right, outcome: Err(NetError::Failed) };
    assert_eq!(host.try_event(listening), Err(Misuse::WrongOutcome(right)));
    let progress = Event::TransferProgress { id: right, wire_bytes: 1, file_bytes: None };
    assert_eq!(host.try_event(progress), Err(Misuse::WrongOutcome(right)));
    host.event(stored(right, Ok(StorageOutcome::State(directory(vec![])))));
    host.says(&["250 Directory successfully changed."]);
    let again = stored(right, Ok(StorageOutcome::State(PathState::default())));
    assert_eq!(host.try_event(again), Err(Misuse::UnknownId(right)));
}

#[test]
fn after_close_there_is_nothing_more() {
    let mut host = Host::greeted(Settings::default());
    host.lines(&["QUIT", "NOOP"]);
    host.says(&["221 Goodbye."]);
    assert!(host.closed);
    assert_eq!(host.session.deadline(), None);
    assert!(!host.session.wants_input());
    assert_eq!(host.try_event(Event::Timeout), Err(Misuse::Closed));
}

#[test]
fn no_room_is_said_and_the_connection_closed() {
    for (admission, reply) in [
        (Admission::TooManySessions, "421 There are too many connected users, please try later."),
        (Admission::TooManyFromAddress, "421 There are too many connections from your internet address."),
        (Admission::ShuttingDown, "421 Server shutting down."),
        (Admission::TooOften, "421 There are too many new connections from your internet address."),
        (Admission::Banned, "421 Too many logins have failed from your internet address, please try later."),
    ] {
        let mut host = Host::greeted(Settings::default());
        let address = "192.0.2.7:4000".parse().unwrap();
        host.session = Session::new(Settings::default().into(), address, address);
        host.event(Event::Connected { admission, failed_logins: 0 });
        host.says(&[reply]);
        assert!(host.closed);
    }
}

#[test]
fn nothing_is_said_to_whom_the_operator_does_not_want() {
    let mut host = Host::greeted(Settings::default());
    let address = "192.0.2.7:4000".parse().unwrap();
    host.session = Session::new(Settings::default().into(), address, address);
    host.event(Event::Connected { admission: Admission::Denied, failed_logins: 0 });
    host.says(&[]);
    assert!(host.closed);
}

#[test]
fn a_step_that_finds_things_changed_starts_over_within_a_bound() {
    let mut host = Host::logged_in(Settings::default());
    host.made("a", 1);
    host.lines(&["RMD a"]);
    let mut steps = 0;
    while !host.open.is_empty() {
        host.state(directory(vec![super::host::at(1, 1, None)]));
        host.stored(Err(StorageError::Changed));
        steps += 1;
    }
    assert_eq!(steps, 1 + crate::limits::RETRIES_MAX);
    host.says(&["450-Remove directory operation failed.", "450 Storage path is busy."]);
}

#[test]
fn shut_down_lets_a_command_end_and_answers_what_waits() {
    let mut host = Host::logged_in(Settings::default());
    host.event(Event::ShutDown);
    host.says(&["421 Server shutting down."]);
    assert!(host.closed);

    let mut host = Host::logged_in(Settings::default());
    host.lines(&["CWD a", "PWD", "{\"Request Command\":\"NOOP\",\"Request Argument\":\"\"}"]);
    host.event(Event::ShutDown);
    assert!(!host.closed);
    host.state(missing(vec![]));
    let replies = host.take_replies();
    assert_eq!(replies[1..3], ["550 Invalid storage path.", "421 Server shutting down."]);
    assert!(replies[3].starts_with("{\"Response Code\":421,"), "{replies:?}");
    assert!(host.closed);
}

#[test]
fn what_came_before_the_peer_hung_up_is_still_carried_out() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["MKD a", "CWD a", "NO"]);
    host.event(Event::ControlClosed);
    host.state(missing(vec![]));
    let (id, _) = host.take_open();
    host.event(Event::RandomDrawn { id, bytes: [1; 16] });
    host.done();
    host.checks("/a");
    host.event(Event::ControlClosed);
    host.state(directory(vec![]));
    assert!(host.closed);
}

#[test]
fn an_idle_session_is_small() {
    // DESIGN 6: at most 2 KiB of user memory for an idle session, of which the driver needs some too.
    assert!(size_of::<Session>() <= 512, "{}", size_of::<Session>());
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["NOOP", "PWD", "FEAT"]);
    assert_eq!(host.session.actions.capacity(), 0);
    assert_eq!(host.session.input.held_capacity(), 0);
}
