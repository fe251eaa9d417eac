//! A secured control connection that breaks while replies wait to be sent.

#[expect(dead_code, reason = "the other tests need more of it")]
mod support;
#[path = "support/tls.rs"]
mod tls;

use mayfly_core::settings::{Settings, TlsRules};
use mayfly_std::settings::ServeOptions;
use mayfly_std::start::ServeHandle as _;
use std::io::Write as _;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use support::{PATIENCE, Running};

#[test]
fn replies_that_can_go_nowhere_keep_no_thread_busy() {
    // Goal: whoever asks for much, reads nothing and breaks the connection holds up neither others nor a shut down.
    let (certificate, key) = tls::certificate();
    let mut session = Settings::default();
    session.tls = Some(TlsRules::default());
    let server =
        Running::start(ServeOptions { session, tls: Some(tls::server(&certificate, &key)), ..ServeOptions::default() });
    let config = tls::client(&certificate);
    for _ in 0..PEERS {
        let mut peer = tls::log_in(&server, &config);
        let stream = peer.get_mut();
        stream.sock.set_write_timeout(Some(UNMOVED)).expect("the socket stands");
        let flood = "HELP\r\n".repeat(1000);
        while stream.write_all(flood.as_bytes()).is_ok() {}
        socket2::SockRef::from(&stream.sock).set_linger(Some(Duration::ZERO)).expect("the socket stands");
    }
    let (ended, end) = channel();
    server.handle.shut_down();
    thread::spawn(move || {
        server.join();
        ended.send(())
    });
    assert!(end.recv_timeout(PATIENCE).is_ok(), "the server goes on");
}

/// More than one, so that no thread is left where each keeps one busy.
const PEERS: usize = 2;
/// The server takes no more lines once nothing has moved for so long.
const UNMOVED: Duration = Duration::from_millis(500);
