//! The threaded driver under TLS, where a script of commands and replies does not see it: what is heard meanwhile, how
//! connections end, what a reload changes.

use crate::rig::secure::{SecurePeer, all_secured, certify, trusting};
use crate::rig::{Peer, Rig, all_of};
use mayfly_std::clock::SystemClock;
use mayfly_std::settings::ServeOptions;
use mayfly_std::start::ServeHandle as _;
use rustls::ClientConfig;
use std::io::Write as _;
use std::net::Shutdown;
use std::sync::Arc;

/// Larger than all socket buffers on the way, so that a transfer stands still while the peer does not read.
const LARGE_BYTES: usize = 32 << 20;

fn start() -> (Rig, Arc<ClientConfig>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = None;
    let rig = Rig::start_with(
        |options| {
            let server = certify(options, directory.path());
            config = Some(trusting(&server.files().certificate));
        },
        Arc::new(SystemClock),
    );
    (rig, config.unwrap(), directory)
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

#[test]
fn a_large_file_goes_up_and_down() {
    let (rig, config, _directory) = start();
    let mut peer = SecurePeer::user(&rig, &config);
    let file = pattern(LARGE_BYTES);
    let data = peer.passive();
    peer.ask("STOR large", "150 Ok to send data.");
    let mut data = peer.secured(data);
    data.write_all(&file).unwrap();
    data.conn.send_close_notify();
    data.flush().unwrap();
    // Some clients wait for the server's own end before they look for the reply.
    assert_eq!(all_secured(data), (Vec::new(), true));
    assert_eq!(peer.line(), "226 Transfer complete.");
    assert!(rig.stored("large").unwrap() == file);
    let data = peer.passive();
    peer.ask("RETR large", &format!("150 Opening BINARY mode data connection for large ({LARGE_BYTES} bytes)."));
    let (bytes, is_whole) = all_secured(peer.secured(data));
    assert!(is_whole && bytes == file);
    assert_eq!(peer.line(), "226 Transfer complete.");
    peer.ask("QUIT", "221 Goodbye.");
    assert_eq!(peer.line(), "", "the end is said on the control connection too");
}

#[test]
fn many_commands_in_one_record_are_all_answered() {
    // Goal: what was decrypted together with the first of them is not left until the peer speaks again.
    let (rig, config, _directory) = start();
    let mut peer = SecurePeer::connect(rig.address, config);
    for _ in 0..5 {
        peer.control.get_mut().write_all("NOOP\r\n".repeat(2_500).as_bytes()).unwrap();
        for _ in 0..2_500 {
            assert_eq!(peer.line(), "200 NOOP ok.");
        }
    }
}

#[test]
fn noop_and_abor_are_heard_during_a_transfer_and_what_is_cut_does_not_look_whole() {
    let (rig, config, _directory) = start();
    rig.store("large", &vec![1; LARGE_BYTES]);
    let mut peer = SecurePeer::user(&rig, &config);
    let data = peer.passive();
    peer.say("RETR large");
    assert!(peer.line().starts_with("150 "));
    let data = peer.secured(data);
    peer.ask("NOOP", "200 NOOP ok.");
    peer.say("ABOR");
    assert!(peer.line().starts_with("426 "));
    assert!(peer.line().starts_with("226 "));
    let (bytes, is_whole) = all_secured(data);
    assert!(!is_whole && bytes.len() < LARGE_BYTES);
    peer.ask("NOOP", "200 NOOP ok.");
}

#[test]
fn abor_and_a_hang_up_are_heard_during_a_handshake() {
    let (rig, config, _directory) = start();
    rig.store("f", b"hello");
    let mut peer = SecurePeer::user(&rig, &config);
    let data = peer.passive();
    peer.say("RETR f");
    assert!(peer.line().starts_with("150 "));
    peer.ask("NOOP", "200 NOOP ok.");
    peer.say("ABOR");
    assert!(peer.line().starts_with("426 "));
    assert!(peer.line().starts_with("226 "));
    assert_eq!(all_of(data), b"");
    let data = peer.passive();
    peer.say("STOR g");
    assert!(peer.line().starts_with("150 "));
    data.shutdown(Shutdown::Write).unwrap();
    assert_eq!(peer.line(), "425 Failed to secure the data connection.");
    let data = peer.passive();
    peer.say("STOR g");
    assert!(peer.line().starts_with("150 "));
    drop(peer);
    assert_eq!(all_of(data), b"", "the session has ended");
    assert!(rig.stored("g").is_err());
}

#[test]
fn a_listing_that_is_read_late_ends_as_one_that_is_whole() {
    let (rig, config, _directory) = start();
    let names: Vec<String> = (0..30_000).map(|number| format!("{number:0200}")).collect();
    for name in &names {
        rig.store(name, b"");
    }
    let mut peer = SecurePeer::user(&rig, &config);
    let data = peer.passive();
    peer.ask("NLST", "150 Here comes the directory listing.");
    let data = peer.secured(data);
    // Everything on the way is full by now.
    peer.ask("NOOP", "200 NOOP ok.");
    let (bytes, is_whole) = all_secured(data);
    assert_eq!((String::from_utf8(bytes).unwrap().lines().count(), is_whole), (names.len(), true));
    assert_eq!(peer.line(), "226 Directory send OK.");
    let data = peer.passive();
    peer.ask("NLST nothing*", "150 Here comes the directory listing.");
    assert_eq!(all_secured(peer.secured(data)), (Vec::new(), true), "so does an empty one");
    assert_eq!(peer.line(), "226 Directory send OK.");
}

#[test]
fn a_reload_gives_new_sessions_the_new_certificate_and_drops_nobody() {
    let (rig, config, directory) = start();
    rig.store("f", b"hello");
    let mut old = SecurePeer::user(&rig, &config);
    let mut options = ServeOptions::default();
    let server = certify(&mut options, &directory.path().join("new"));
    rig.handle.reload(&options);
    let mut new = SecurePeer::user(&rig, &trusting(&server.files().certificate));
    rig.handle.reload(&ServeOptions::default());
    let mut newest = rig.peer();
    newest.ask("AUTH TLS", "502 TLS is not available here.");
    for peer in [&mut old, &mut new] {
        let data = peer.passive();
        peer.ask("RETR f", "150 Opening BINARY mode data connection for f (5 bytes).");
        assert_eq!(all_secured(peer.secured(data)), (b"hello".to_vec(), true));
        assert_eq!(peer.line(), "226 Transfer complete.");
    }
}

#[test]
fn whoever_says_nothing_in_a_handshake_does_not_hold_a_shut_down_up() {
    let (mut rig, config, _directory) = start();
    let mut silent = rig.peer();
    silent.ask("AUTH TLS", "234 Proceed with negotiation.");
    let mut peer = SecurePeer::connect(rig.address, config);
    // The client is through with a handshake of TLS 1.3 before the server is.
    peer.ask("NOOP", "200 NOOP ok.");
    rig.handle.shut_down();
    rig.join().unwrap();
    assert_eq!(peer.line(), "421 Server shutting down.");
    assert_eq!(peer.line(), "");
    assert_eq!(silent.line(), "");
}

#[test]
fn what_follows_auth_in_clear_in_a_packet_of_its_own_is_no_tls() {
    let (rig, ..) = start();
    let mut peer = rig.peer();
    peer.ask("AUTH TLS", "234 Proceed with negotiation.");
    peer.say("USER anonymous");
    // What comes is TLS's own complaint, if anything; no reply is given.
    let rest = all_of(std::mem::replace(&mut peer, Peer::connect(rig.address)).control.into_inner());
    assert!(rest.len() <= 7 && !rest.starts_with(b"331"), "{rest:?}");
}

#[test]
fn a_proxy_s_header_comes_before_tls() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = None;
    let rig = Rig::start_with(
        |options| {
            let server = certify(options, directory.path());
            config = Some(trusting(&server.files().certificate));
            options.listen_tls = vec!["127.0.0.1:0".parse().unwrap()];
            options.proxy_from = vec!["127.0.0.1/32".parse().unwrap()];
        },
        Arc::new(SystemClock),
    );
    let config = config.unwrap();
    let header = "PROXY TCP4 192.0.2.7 192.0.2.1 4000 990\r\n";
    let mut peer = SecurePeer::connect_at_once(rig.last_address, header, &config);
    assert_eq!(peer.line(), "220 Welcome to the FTP Server");
    peer.ask("USER anonymous", "331 Please specify the password.");
    peer.ask("PASS guest@example.org", "230 Login successful.");
    peer.ask("QUIT", "221 Goodbye.");
}
