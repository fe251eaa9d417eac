//! STOU, and uploads that are judged again before their 150.

use super::host::{Host, at, file, info, missing};
use crate::action::StorageRequest;
use crate::error::StorageError;
use crate::event::{Event, StorageOutcome};
use crate::limits;
use crate::record::FileKind;
use crate::settings::Settings;
use alloc::vec;

fn draw(host: &mut Host, byte: u8) {
    let (id, _) = host.take_open();
    host.event(Event::RandomDrawn { id, bytes: [byte; 16] });
}

fn opened() -> StorageOutcome {
    StorageOutcome::Opened(info(FileKind::File, 0))
}

#[test]
fn a_name_that_somebody_has_is_drawn_anew_and_never_replaced() {
    let mut host = Host::with_port(Settings::default());
    // Its own path: there it may overwrite, but STOU does not.
    host.made("a", 1);
    host.lines(&["STOU a/f"]);
    draw(&mut host, 0x0a);
    host.checks("/a/f.0a0a0a0a0a0a");
    host.state(file(1, vec![at(1, 1, None)]));
    draw(&mut host, 0x0b);
    host.checks("/a/f.0b0b0b0b0b0b");
    host.state(missing(vec![at(1, 1, None)]));
    host.stored(Ok(opened()));
    host.connected(Ok(()));
    host.take_replies();
    host.transferred(5, Ok(()));
    let way = vec![at(1, 1, None)];
    assert_eq!(host.request(), &StorageRequest::Publish { replace: false, judged: way, expiry_s: None });
    host.stored(Ok(StorageOutcome::Published(info(FileKind::File, 5))));
    host.says(&["226 Transfer complete (FILE: a/f.0b0b0b0b0b0b)."]);
}

#[test]
fn names_are_drawn_so_often_and_no_more() {
    let mut host = Host::with_port(Settings::default());
    host.lines(&["STOU"]);
    for _ in 0..=limits::RETRIES_MAX {
        draw(&mut host, 1);
        host.checks("/stou.010101010101");
        host.state(file(1, vec![]));
    }
    assert_eq!(host.take_replies().len(), 2, "553 and why");
}

#[test]
fn an_upload_is_judged_again_where_its_data_connection_was_long_in_coming() {
    for (seconds, reply) in [(9, "150 Ok to send data."), (10, "550 Storage path expired.")] {
        let mut host = Host::with_port(Settings::default());
        host.made("a", 1);
        host.lines(&["STOR a/f"]);
        let dated = vec![at(1, 1, Some(super::host::START_S + 10))];
        host.state(missing(vec![at(1, 1, None)]));
        host.stored(Ok(opened()));
        host.take_replies();
        host.pass_ms(seconds * 1000);
        host.connected(Ok(()));
        host.checks("/a/f");
        host.state(missing(dated));
        if seconds == 10 {
            assert_eq!((host.request(), host.data_closed), (&StorageRequest::Discard, 1));
            host.done();
        }
        assert_eq!(host.take_replies().last().unwrap(), reply);
    }
}

#[test]
fn a_directory_that_goes_during_an_upload_is_a_550() {
    for error in [StorageError::NotFound, StorageError::NotDirectory] {
        let mut host = Host::with_port(Settings::default());
        host.made("a", 1);
        host.lines(&["STOR a/f"]);
        host.state(missing(vec![at(1, 1, None)]));
        host.stored(Ok(opened()));
        host.connected(Ok(()));
        host.transferred(5, Ok(()));
        host.stored(Err(StorageError::Changed));
        host.state(missing(vec![]));
        host.stored(Err(error));
        let replies = host.take_replies();
        assert!(replies.last().unwrap().starts_with("550 "), "{replies:?}");
    }
}
