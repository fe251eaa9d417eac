//! The threaded driver on real sockets: both forms of data connection, what is heard during a transfer, ends of all
//! kinds, bounds.

#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

mod rig;
mod secured;

use mayfly_std::clock::ManualClock;
use mayfly_std::start::ServeHandle as _;
use rig::{PATIENCE, Peer, Rig, all_of};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Larger than all socket buffers on the way, so that a transfer stands still while the peer does not read.
const LARGE_BYTES: usize = 64 << 20;

#[test]
fn the_seed_s_dialogue_with_port() {
    let rig = Rig::start();
    let mut peer = rig.peer();
    peer.ask("OPTS UTF8 ON", "200 Always in UTF8 mode.");
    peer.ask("USER anonymous", "331 Please specify the password.");
    peer.ask("PASS rNrKYTX9g7z3RgJRmxWuGHbeu", "230 Login successful.");
    peer.ask("MKD scans", "257 \"/scans\" created");
    peer.ask("SETEXPIRY scans 2099-12-24", "000 expiry_date set");
    peer.ask("CWD scans", "250 Directory successfully changed.");
    let listener = peer.active();
    peer.ask("STOR 1.png", "150 Ok to send data.");
    listener.accept().unwrap().0.write_all(&[7; 2745]).unwrap();
    assert_eq!(peer.line(), "226 Transfer complete.");
    assert_eq!(rig.stored("scans/1.png").unwrap(), [7; 2745]);

    let listener = peer.active();
    peer.ask("RETR 1.png", "150 Opening BINARY mode data connection for 1.png (2745 bytes).");
    assert_eq!(all_of(listener.accept().unwrap().0), [7; 2745]);
    assert_eq!(peer.line(), "226 Transfer complete.");

    let listener = peer.active();
    peer.ask("LIST scans", "150 Here comes the directory listing.");
    let listing = String::from_utf8(all_of(listener.accept().unwrap().0)).unwrap();
    assert!(listing.ends_with(" 1.png\r\n") && listing.contains(" 2745 "), "{listing}");
    assert_eq!(peer.line(), "226 Directory send OK.");
    peer.ask("QUIT", "221 Goodbye.");
    assert_eq!(peer.line(), "");
}

#[test]
fn a_large_file_goes_up_and_down_by_passive_connections() {
    let rig = Rig::start();
    let mut peer = rig.user();
    let file: Vec<u8> = (0..LARGE_BYTES).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
    peer.put("large", &file);
    let data = peer.passive();
    peer.ask("RETR large", &format!("150 Opening BINARY mode data connection for large ({LARGE_BYTES} bytes)."));
    assert!(all_of(data) == file);
    assert_eq!(peer.line(), "226 Transfer complete.");
}

#[test]
fn abor_noop_and_stat_are_heard_during_a_transfer() {
    let rig = Rig::start();
    rig.store("large", &vec![1; LARGE_BYTES]);
    let mut peer = rig.user();
    let data = peer.passive();
    peer.say("RETR large");
    assert!(peer.line().starts_with("150 "));
    peer.say("NOOP");
    assert!(peer.line().starts_with("200 "));
    peer.say("ABOR");
    assert!(peer.line().starts_with("426 "));
    assert!(peer.line().starts_with("226 "));
    drop(data);
    peer.ask("QUIT", "221 Goodbye.");
}

#[test]
fn a_peer_that_sends_and_closes_both_has_stored_its_file() {
    let rig = Rig::start();
    let file = vec![3; 100_000];
    for round in 0..20 {
        let mut peer = rig.user();
        let mut data = peer.passive();
        peer.say(&format!("STOR whole{round}"));
        data.write_all(&file).unwrap();
        drop(data);
        drop(peer);
    }
    for round in 0..20 {
        wait_until(|| rig.stored(&format!("whole{round}")).is_ok_and(|bytes| bytes == file));
    }
}

#[test]
fn a_peer_that_closes_control_before_its_file_ends_has_stored_nothing() {
    let rig = Rig::start();
    let mut peer = rig.user();
    let mut data = peer.passive();
    peer.ask("STOR half", "150 Ok to send data.");
    data.write_all(b"half").unwrap();
    drop(peer);
    // The server ends the session, and the data connection with it.
    assert_eq!(all_of(data), b"");
    assert!(rig.stored("half").is_err());
}

#[test]
fn a_reset_upload_is_broken() {
    let rig = Rig::start();
    let mut peer = rig.user();
    let mut data = peer.passive();
    peer.ask("STOR half", "150 Ok to send data.");
    data.write_all(b"half").unwrap();
    socket2::SockRef::from(&data).set_linger(Some(Duration::ZERO)).unwrap();
    drop(data);
    assert!(peer.line().starts_with("426 "));
    assert!(rig.stored("half").is_err());
    peer.ask("QUIT", "221 Goodbye.");
}

#[test]
fn a_half_closed_control_connection_still_gets_its_replies() {
    let rig = Rig::start();
    let mut peer = rig.peer();
    peer.control.get_mut().write_all(b"SYST\r\nUSER anonymous\r\n").unwrap();
    peer.control.get_mut().shutdown(Shutdown::Write).unwrap();
    let mut rest = String::new();
    peer.control.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("331 Please specify the password.\r\n"), "{rest}");
}

#[test]
fn a_peer_that_reads_no_reply_is_not_read_from_for_ever() {
    let rig = Rig::start();
    let mut peer = rig.peer();
    let control = peer.control.get_mut();
    control.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let flood = "NOOP\r\n".repeat(10_000);
    let mut written = 0;
    let refusal = loop {
        match control.write(flood.as_bytes()) {
            Ok(bytes) => written += bytes,
            Err(error) => break error,
        }
        assert!(written < 512 << 20, "the server takes all and keeps it");
    };
    assert!(matches!(refusal.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{refusal}");
    // The others do not notice.
    rig.user().ask("QUIT", "221 Goodbye.");
}

#[test]
fn max_sessions_answers_421_and_a_quit_makes_room_at_once() {
    let rig = Rig::start_with(|options| options.max_sessions = 1, system_clock());
    for _ in 0..20 {
        let mut first = rig.peer();
        assert!(Peer::connect(rig.address).line().starts_with("421 "));
        first.ask("QUIT", "221 Goodbye.");
    }
}

#[test]
fn shut_down_sends_421_to_the_idle_and_lets_a_transfer_end() {
    let mut rig = Rig::start();
    let mut idle = rig.user();
    let mut busy = rig.user();
    let mut data = busy.passive();
    busy.ask("STOR late", "150 Ok to send data.");
    rig.handle.shut_down();
    assert!(idle.line().starts_with("421 "));
    assert_eq!(idle.line(), "");
    data.write_all(b"late").unwrap();
    drop(data);
    assert_eq!(busy.line(), "226 Transfer complete.");
    rig.join().unwrap();
    assert!(TcpStream::connect(rig.address).is_err());
    assert_eq!(rig.stored("late").unwrap(), b"late");
}

#[test]
fn shut_down_cuts_what_does_not_end_in_time() {
    let mut rig = Rig::start_with(|options| options.shutdown_ms_max = 50, system_clock());
    let mut peer = rig.user();
    let mut data = peer.passive();
    peer.ask("STOR never", "150 Ok to send data.");
    data.write_all(b"never").unwrap();
    rig.handle.shut_down();
    rig.join().unwrap();
    assert!(rig.stored("never").is_err());
}

#[test]
fn time_comes_from_the_clock_that_was_passed_in() {
    // It begins now: to a clock years ahead of the disk's, what MKD is just making would look like what a crash left.
    let utc_s = system_clock().now().utc_s;
    let clock = Arc::new(ManualClock::new(mayfly_core::time::Now { monotonic_ms: 0, utc_s }));
    let rig = Rig::start_with(|options| options.session.idle_ms_max = 300_000, clock.clone());
    let mut peer = rig.user();
    peer.ask("MKD scans", "257 \"/scans\" created");
    peer.ask("SETEXPIRY scans 60s", "000 expiry_date set");
    peer.ask("CWD scans", "250 Directory successfully changed.");
    clock.advance(Duration::from_secs(60));
    peer.ask("CWD /scans", "550-Failed to change directory.");
    assert_eq!(peer.line(), "550 Storage path expired.");
    let gone = rig.root.path().join("storage/scans");
    wait_until(|| !gone.exists());
    clock.advance(Duration::from_secs(300));
    assert!(peer.line().starts_with("421 "));
    assert_eq!(peer.line(), "");
}

fn system_clock() -> Arc<dyn mayfly_std::clock::Clock> {
    Arc::new(mayfly_std::clock::SystemClock)
}

/// What another thread does shows on the disk alone, so this looks again and again.
fn wait_until(holds: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "it never came");
        std::thread::yield_now();
    }
}
