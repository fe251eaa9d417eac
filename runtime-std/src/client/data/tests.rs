//! The client's data side over real sockets.

use super::*;
use crate::client::sink::{Destination, Identity, OpenSink};
use crate::client::source::Source;
use rustix::event::{PollFd, PollFlags};
use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::thread;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const CONTROL: SocketAddr = SocketAddr::new(LOOPBACK, 21);
const ID: ActionId = ActionId(7);
const NOW: Now = Now { monotonic_ms: 0, utc_s: 0 };

/// A data side that is connected to a server, and the server's end.
fn connected() -> (DataSide, TcpStream) {
    let listener = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let mut data = DataSide::default();
    assert!(data.connect(ID, listener.local_addr().unwrap(), LOOPBACK, CONTROL).is_none());
    let (server, _) = listener.accept().unwrap();
    assert_eq!(finish(&mut data).0, ClientEvent::DataConnected { id: ID, outcome: Ok(()) });
    (data, server)
}

/// Goes on until the action has ended.
fn finish(data: &mut DataSide) -> (ClientEvent, Option<Transfer>) {
    loop {
        match data.advance(NOW, &mut Vec::new()) {
            (Advance::Told(event @ ClientEvent::TransferProgress { .. }), _) => panic!("{event:?}"),
            (Advance::Told(event), ended) => return (event, ended),
            (Advance::Moved(_), _) => {}
            (Advance::Blocked, _) => {
                let interest = data.interest().expect("what is blocked waits for something");
                let flags = if interest.writable { PollFlags::OUT } else { PollFlags::IN };
                rustix::event::poll(&mut [PollFd::from_borrowed_fd(interest.fd, flags)], None).unwrap();
            }
        }
    }
}

fn sent(bytes: &[u8], offset_bytes: u64, shrink: bool) -> (ClientEvent, std::io::Result<Vec<u8>>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    std::fs::write(&path, bytes).unwrap();
    let source = Source::file(&path).unwrap().open().unwrap();
    if shrink {
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }
    let (mut data, mut server) = connected();
    let received = thread::spawn(move || {
        let mut all = Vec::new();
        server.read_to_end(&mut all).map(|_| all)
    });
    data.transfer(ID, Transfer::send(source, offset_bytes), NOW);
    let (event, ended) = finish(&mut data);
    assert!(ended.is_some_and(|ended| ended.finish().0.is_some()), "the source comes back");
    data.close();
    (event, received.join().unwrap())
}

#[test]
fn a_file_is_sent_from_its_offset_and_ends_in_order() {
    let bytes: Vec<u8> = (0..3_000_017_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    for offset in [0, 5, bytes.len()] {
        let (event, received) = sent(&bytes, offset as u64, false);
        let wire_bytes = (bytes.len() - offset) as u64;
        assert_eq!(event, ClientEvent::TransferEnded { id: ID, wire_bytes, outcome: Ok(()) });
        assert!(received.unwrap() == bytes[offset..]);
    }
}

#[test]
fn a_file_that_shrinks_is_never_taken_for_whole() {
    let (event, received) = sent(&[7; 1000], 0, true);
    let ClientEvent::TransferEnded { wire_bytes: 500, outcome: Err(MoveError::Local(_)), .. } = event else {
        panic!("{event:?}")
    };
    assert_eq!(received.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_cancelled_upload_is_reset_and_a_download_keeps_what_came() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a"), [0; 10]).unwrap();
    let source = Source::file(dir.path().join("a")).unwrap().open().unwrap();
    let (mut data, mut server) = connected();
    data.transfer(ID, Transfer::send(source, 0), NOW);
    let (event, _) = data.cancel(ID).unwrap();
    assert_eq!(event, ClientEvent::TransferEnded { id: ID, wire_bytes: 0, outcome: Err(MoveError::Cancelled) });
    assert_eq!(server.read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);

    let (mut data, mut server) = connected();
    let identity = Identity { name: "b".to_owned(), size_bytes: Some(9), modified_s: Some(7) };
    let to = Destination::Directory(dir.path().to_owned());
    data.transfer(ID, Transfer::receive(OpenSink::open(&to, identity, true, None).unwrap()), NOW);
    server.write_all(b"half").unwrap();
    while !matches!(data.advance(NOW, &mut Vec::new()), (Advance::Moved(4), _)) {}
    let (_, ended) = data.cancel(ID).unwrap();
    assert_eq!(ended.and_then(|ended| ended.finish().1).map(|sink| sink.written_bytes()), Some(4));
}

#[test]
fn strangers_are_closed_and_the_server_gets_in() {
    let mut data = DataSide::default();
    let ClientEvent::DataListening { outcome: Ok(port), .. } = data.listen(ID, LOOPBACK, CONTROL) else {
        panic!("no listener")
    };
    assert!(data.accept(ID, LOOPBACK).is_none());
    let stranger = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    stranger.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
    stranger.connect(&SocketAddr::new(LOOPBACK, port).into()).unwrap();
    let _server = TcpStream::connect((LOOPBACK, port)).unwrap();
    assert_eq!(finish(&mut data).0, ClientEvent::DataConnected { id: ID, outcome: Ok(()) });
    assert_eq!(TcpStream::from(stranger).read(&mut [0; 1]).unwrap_or(0), 0);
}

#[test]
fn a_refused_connection_is_told() {
    let listener = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut data = DataSide::default();
    let event = data.connect(ID, address, LOOPBACK, CONTROL).unwrap_or_else(|| finish(&mut data).0);
    assert!(matches!(event, ClientEvent::DataConnected { outcome: Err(_), .. }), "{event:?}");
}
