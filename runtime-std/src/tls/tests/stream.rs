//! One connection, with peers of all kinds.

use super::client::Client;
use super::{Ground, TlsStream, TlsVersion, pair, shake_hands, wait_for};
use crate::tls::tls_error;
use mayfly_core::action::Direction;
use mayfly_core::error::TlsError;
use rustix::event::{PollFd, PollFlags};
use rustls::version::{TLS12, TLS13};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;

/// Reads to the end; what came, and how it ended.
fn read_all(stream: &mut TlsStream, socket: &TcpStream) -> (Vec<u8>, Result<(), ErrorKind>) {
    let (mut all, mut room) = (Vec::new(), vec![0; 100_000]);
    loop {
        match wait_for(stream, socket, |stream, socket| stream.read(socket, &mut room)) {
            Ok(0) => return (all, Ok(())),
            Ok(bytes) => all.extend_from_slice(&room[..bytes]),
            Err(error) => return (all, Err(error.kind())),
        }
    }
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

#[test]
fn what_the_client_sends_comes_whole_and_its_end_is_seen() {
    for version in [&TLS12, &TLS13] {
        let ground = Ground::new();
        let (socket, peer) = pair();
        let sent = pattern(1_000_000);
        let mut client = Client::new(&ground, version).stream(peer);
        let bytes = sent.clone();
        let client = thread::spawn(move || {
            client.write_all(&bytes).unwrap();
            client.conn.send_close_notify();
            client.flush().unwrap();
        });
        let mut stream = ground.server.session().data(Direction::Receive).unwrap();
        shake_hands(&mut stream, &socket).unwrap();
        assert!(read_all(&mut stream, &socket) == (sent, Ok(())));
        client.join().unwrap();
    }
}

#[test]
fn an_upload_s_client_is_left_no_ticket_unread() {
    // Otherwise its close is a reset, and what is on its way is lost (seen with curl and Net::FTP).
    let ground = Ground::new();
    let mut ends = Vec::new();
    for direction in [Direction::Receive, Direction::Send] {
        let (socket, peer) = pair();
        let mut client = Client::new(&ground, &TLS13).stream(peer.try_clone().unwrap());
        let client = thread::spawn(move || {
            client.write_all(b"x").unwrap();
            client.conn.send_close_notify();
            client.flush().unwrap();
        });
        let mut stream = ground.server.session().data(direction).unwrap();
        shake_hands(&mut stream, &socket).unwrap();
        assert_eq!(read_all(&mut stream, &socket).0, b"x");
        client.join().unwrap();
        peer.set_nonblocking(true).unwrap();
        ends.push(peer.peek(&mut [0; 1]).map_err(|error| error.kind()));
    }
    assert_eq!(ends, [Err(ErrorKind::WouldBlock), Ok(1)]);
}

#[test]
fn what_was_cut_is_told_from_what_has_ended() {
    let ground = Ground::new();
    for version in [&TLS12, &TLS13] {
        let (socket, peer) = pair();
        let mut client = Client::new(&ground, version).stream(peer);
        let client = thread::spawn(move || {
            client.write_all(b"half").unwrap();
            client.flush().unwrap();
            client.sock.shutdown(Shutdown::Write).unwrap();
            client
        });
        let mut stream = ground.server.session().data(Direction::Receive).unwrap();
        shake_hands(&mut stream, &socket).unwrap();
        assert_eq!(read_all(&mut stream, &socket), (b"half".to_vec(), Err(ErrorKind::UnexpectedEof)));
        drop(client.join().unwrap());
    }
}

#[test]
fn a_reset_behind_the_last_bytes_is_no_end() {
    // Goal: where an end without close_notify is taken for one, a reset still is none.
    let ground = Ground::new();
    let (socket, peer) = pair();
    let mut client = Client::new(&ground, &TLS13).stream(peer);
    let client = thread::spawn(move || {
        client.write_all(b"half").unwrap();
        client.flush().unwrap();
        client
    });
    let mut stream = ground.server.session().data(Direction::Receive).unwrap();
    shake_hands(&mut stream, &socket).unwrap();
    let client = client.join().unwrap();
    let first = wait_for(&mut stream, &socket, |stream, socket| stream.read(socket, &mut [0; 2]));
    assert_eq!(first.unwrap(), 2);
    // The rest is decrypted already, and the reset waits at the socket.
    socket2::SockRef::from(&client.sock).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(client);
    rustix::event::poll(&mut [PollFd::new(&socket, PollFlags::RDHUP)], None).unwrap();
    let (bytes, end) = read_all(&mut stream, &socket);
    assert_eq!((bytes.as_slice(), end), (&b"lf"[..], Err(ErrorKind::ConnectionReset)));
}

#[test]
fn a_client_that_does_not_read_bounds_what_is_taken() {
    let ground = Ground::new();
    let (socket, peer) = pair();
    let mut client = Client::new(&ground, &TLS13).stream(peer);
    let client = thread::spawn(move || {
        client.write_all(b"x").unwrap();
        client
    });
    let mut stream = ground.server.session().data(Direction::Send).unwrap();
    shake_hands(&mut stream, &socket).unwrap();
    let mut client = client.join().unwrap();
    let chunk = pattern(300_000);
    let mut sent = Vec::new();
    let blocked = loop {
        match stream.write(&socket, &chunk) {
            Ok(bytes) => {
                assert!(bytes <= 64 * 1024, "{bytes}");
                sent.extend_from_slice(&chunk[..bytes]);
            }
            Err(error) => break error.kind(),
        }
    };
    assert_eq!((blocked, stream.wants_write()), (ErrorKind::WouldBlock, true));
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap();
        all
    });
    wait_for(&mut stream, &socket, TlsStream::end).unwrap();
    wait_for(&mut stream, &socket, TlsStream::end).unwrap();
    assert!(reader.join().unwrap() == sent);
}

#[test]
fn very_many_small_records_come_without_another_word_from_the_client() {
    // Goal: nothing stays behind decrypted, or half decrypted, when the socket has nothing more to say.
    let ground = Ground::new();
    let (socket, peer) = pair();
    let mut client = Client::new(&ground, &TLS13).stream(peer);
    let client = thread::spawn(move || {
        for _ in 0..20_000 {
            client.write_all(b"NOOP\r\n").unwrap();
        }
        client
    });
    let mut stream = ground.server.session().control().unwrap();
    shake_hands(&mut stream, &socket).unwrap();
    let mut bytes = 0;
    while bytes < 20_000 * 6 {
        bytes += wait_for(&mut stream, &socket, |stream, socket| stream.read(socket, &mut [0; 4096])).unwrap();
    }
    let client = client.join().unwrap();
    let left = stream.read(&socket, &mut [0; 1]).map_err(|error| error.kind());
    assert_eq!(left, Err(ErrorKind::WouldBlock));
    drop(client);
}

#[test]
fn a_handshake_may_come_byte_by_byte() {
    let ground = Ground::new();
    for version in [&TLS12, &TLS13] {
        let (socket, peer) = pair();
        let (near, far) = pair();
        let client = Client::new(&ground, version).run(far);
        let slow = thread::spawn(move || trickle(&near, &peer));
        let mut stream = ground.server.session().control().unwrap();
        assert!(!shake_hands(&mut stream, &socket).unwrap().resumed);
        stream.end(&socket).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.join().unwrap().unwrap(), b"");
        slow.join().unwrap();
    }
}

/// Carries bytes between two sockets one at a time, until the server ends.
fn trickle(mut client: &TcpStream, mut server: &TcpStream) {
    client.set_nonblocking(false).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut reader, mut writer) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let mut byte = [0];
        while reader.read(&mut byte).is_ok_and(|bytes| bytes == 1) && writer.write_all(&byte).is_ok() {}
    });
    std::io::copy(&mut server, &mut client).unwrap();
    client.shutdown(Shutdown::Both).unwrap();
}

#[test]
fn what_is_no_tls_or_ends_early_is_told_apart() {
    let ground = Ground::new();
    for (bytes, expected) in [
        (&b"USER anonymous\r\n"[..], TlsError::Handshake),
        (b"GET / HTTP/1.0\r\n\r\n", TlsError::Handshake),
        (&[0x80, 0x2e, 1, 3, 1], TlsError::Handshake),
        (&[22, 3, 1], TlsError::ConnectionLost),
        (b"", TlsError::ConnectionLost),
    ] {
        let (socket, mut peer) = pair();
        peer.write_all(bytes).unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        let mut stream = ground.server.session().control().unwrap();
        let error = shake_hands(&mut stream, &socket).unwrap_err();
        assert_eq!(tls_error(&error), expected, "{bytes:?}: {error}");
    }
}

#[test]
fn an_older_version_than_allowed_is_refused() {
    let ground = Ground::with(|files| files.version_min = TlsVersion::V1_3);
    for (version, is_let_in) in [(&TLS12, false), (&TLS13, true)] {
        let (socket, peer) = pair();
        let client = Client::new(&ground, version).run(peer);
        let mut stream = ground.server.session().control().unwrap();
        let outcome = shake_hands(&mut stream, &socket).map_err(|error| tls_error(&error));
        assert_eq!(outcome.as_ref().err(), (!is_let_in).then_some(&TlsError::Handshake));
        let _ = stream.end(&socket);
        drop(socket);
        assert_eq!(client.join().unwrap().is_ok(), is_let_in);
    }
}
