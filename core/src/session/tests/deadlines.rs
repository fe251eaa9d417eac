//! Time-outs: each side of each border.

use super::host::{Host, at, file, missing};
use crate::error::{NetError, TransferError};
use crate::event::{Admission, Event, StorageOutcome};
use crate::record::FileKind;
use crate::session::Session;
use crate::settings::Settings;
use alloc::vec;

/// One millisecond before the deadline nothing happens, at the deadline it does.
#[track_caller]
fn at_the_border(host: &mut Host) {
    let deadline_ms = host.session.deadline().unwrap();
    host.pass_ms(deadline_ms - host.now.monotonic_ms - 1);
    host.event(Event::Timeout);
    host.says(&[]);
    assert!(!host.closed && host.cancelled.is_empty());
    assert_eq!(host.session.deadline(), Some(deadline_ms));
    host.time_out();
}

#[test]
fn whoever_does_not_log_in_is_sent_away() {
    let mut host = Host::greeted(Settings::default());
    host.pass_ms(59_000);
    host.lines(&["USER anonymous"]);
    host.says(&["331 Please specify the password."]);
    assert_eq!(host.session.deadline(), Some(50_000 + 60_000));
    at_the_border(&mut host);
    host.says(&["421 Timeout."]);
    assert!(host.closed);
}

#[test]
fn whoever_is_idle_is_sent_away() {
    let mut host = Host::logged_in(Settings::default());
    host.pass_ms(299_999);
    host.lines(&["NOOP"]);
    host.says(&["200 NOOP ok."]);
    // Half a line is no command.
    host.pass_ms(100);
    host.event(Event::ControlReceived { bytes: b"NOO".to_vec() });
    assert_eq!(host.session.deadline(), Some(host.now.monotonic_ms - 100 + 300_000));
    at_the_border(&mut host);
    host.says(&["421 Timeout."]);
    assert!(host.closed);
}

#[test]
fn the_421_takes_the_last_lines_form() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["{\"Request Command\":\"NOOP\",\"Request Argument\":\"\"}"]);
    host.take_replies();
    host.time_out();
    host.says(&["{\"Response Code\":421,\"Response Argument\":\"Timeout.\",\"Response Message\":\"\"}"]);
}

#[test]
fn failed_logins_take_longer_each_time_and_then_end_the_session() {
    let mut host = Host::greeted(Settings { login_attempts_max: 3, ..Settings::default() });
    for delay_ms in [500, 1_000, 2_000] {
        host.lines(&["USER root", "PASS x"]);
        host.says(&["331 Please specify the password."]);
        assert_eq!(host.session.deadline(), Some(host.now.monotonic_ms + delay_ms));
        at_the_border(&mut host);
        host.says(&["530 Login incorrect."]);
    }
    assert!(host.closed);
}

#[test]
fn the_delay_goes_on_where_other_sessions_of_the_address_were_up_to_its_bound_also_after_rein() {
    let mut host = Host::greeted(Settings::default());
    let address = "192.0.2.7:4000".parse().unwrap();
    let settings = Settings { login_delay_ms_max: 3_000, ..Settings::default() };
    host.session = Session::new(settings.into(), address, address);
    host.event(Event::Connected { admission: Admission::Welcome, failed_logins: 1 });
    host.lines(&["REIN"]);
    host.take_replies();
    for delay_ms in [1_000, 2_000, 3_000, 3_000] {
        host.lines(&["USER root", "PASS x"]);
        host.says(&["331 Please specify the password."]);
        assert_eq!(host.session.deadline(), Some(host.now.monotonic_ms + delay_ms));
        at_the_border(&mut host);
        host.says(&["530 Login incorrect."]);
    }
    assert!(!host.closed);
}

#[test]
fn a_session_lasts_no_longer_than_it_may_whatever_it_does() {
    for busy in [false, true] {
        let settings = Settings { session_ms_max: Some(100_000), stall_ms_max: 1_000_000, ..Settings::default() };
        let mut host = Host::logged_in(settings);
        if busy {
            host.lines(&["LIST"]);
        }
        host.pass_ms(99_000);
        host.lines(&["NOOP", "REIN"]);
        host.take_replies();
        assert_eq!(host.session.deadline(), Some(host.now.monotonic_ms + 1_000));
        host.pass_ms(999);
        host.event(Event::Timeout);
        assert!(!host.closed);
        host.pass_ms(1);
        host.event(Event::Timeout);
        host.says(&["421 Timeout."]);
        assert!(host.closed);
    }
}

#[test]
fn lines_wait_while_a_failed_login_is_delayed() {
    let mut host = Host::greeted(Settings { anonymous_rights: None, ..Settings::default() });
    host.lines(&["USER anonymous", "PASS x", "NOOP"]);
    host.says(&["331 Please specify the password."]);
    host.time_out();
    host.says(&["530 Login incorrect.", "200 NOOP ok."]);
}

#[test]
fn a_data_connection_that_does_not_come_is_given_up() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["RETR f"]);
    host.state(file(5, vec![]));
    at_the_border(&mut host);
    assert_eq!(host.cancelled.len(), 1);
    assert_eq!(host.session.deadline(), None);
    host.connected(Err(NetError::Cancelled));
    host.says(&["425 Failed to establish connection."]);
    assert_eq!(host.data_closed, 1);
}

#[test]
fn a_connection_that_came_as_it_was_given_up_is_closed() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["RETR f"]);
    host.state(file(5, vec![]));
    host.time_out();
    host.connected(Ok(()));
    host.says(&["425 Failed to establish connection."]);
    assert_eq!(host.data_closed, 1);
}

fn downloading(expiry_s: Option<i64>, settings: Settings) -> Host {
    let mut host = Host::with_port(settings);
    host.lines(&["RETR f"]);
    host.state(file(5, vec![at(1, 1, expiry_s)]));
    host.connected(Ok(()));
    let info = super::host::info(FileKind::File, 5);
    host.stored(Ok(StorageOutcome::Opened(info)));
    host.says(&["150 Opening BINARY mode data connection for f (5 bytes)."]);
    host
}

#[test]
fn a_transfer_that_stalls_is_ended() {
    let mut host = downloading(None, Settings::default());
    host.pass_ms(119_999);
    let (id, _) = host.open[0];
    host.event(Event::TransferProgress { id, wire_bytes: 3, file_bytes: None });
    assert_eq!(host.session.deadline(), Some(host.now.monotonic_ms + 120_000));
    at_the_border(&mut host);
    assert_eq!(host.cancelled, [id]);
    host.transferred(3, Err(TransferError::Cancelled));
    host.says(&["426-Failure writing network stream.", "426 Data connection timed out."]);
}

#[test]
fn a_download_may_drain_so_long_after_its_path_expired() {
    let settings = Settings { drain_ms: 7_000, ..Settings::default() };
    let mut host = downloading(Some(super::host::START_S + 10), settings);
    assert_eq!(host.session.deadline(), Some(host.now.monotonic_ms + 17_000));
    at_the_border(&mut host);
    assert_eq!(host.cancelled.len(), 1);
    host.transferred(3, Err(TransferError::Cancelled));
    host.says(&["426-Failure writing network stream.", "426 Storage path expired."]);
}

#[test]
fn an_upload_is_not_cut_by_its_date_but_judged_at_its_end() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["STOR f"]);
    host.state(missing(vec![at(1, 1, Some(super::host::START_S + 10))]));
    host.stored(Ok(StorageOutcome::Opened(super::host::info(FileKind::File, 0))));
    host.connected(Ok(()));
    host.says(&["150 Ok to send data."]);
    assert_eq!(host.session.deadline(), Some(host.now.monotonic_ms + 120_000));
}
