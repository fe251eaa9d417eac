//! The data side over real sockets, with a storage in memory.

mod memory;

use super::*;
use crate::pool::OnPool;
use futures_lite::future::block_on;
use mayfly_core::action::Translation;
use mayfly_core::time::Now;
use mayfly_std::clock::ManualClock;
use memory::{MemoryDownload, MemoryUpload, Sinkhole};
use std::io::{Read as _, Write as _};
use std::thread;
use std::time::Duration;

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const CONTROL: SocketAddr = SocketAddr::new(LOOPBACK, 21);
const ID: ActionId = ActionId(7);
const IMAGE: Terms = Terms { translation: Translation::Image, deflate: None };
const ASCII: Terms = Terms { translation: Translation::Ascii, deflate: None };

fn expected() -> Expected {
    Expected { peer: Some(LOOPBACK), proxies: [].into() }
}

fn outcome(data: &mut DataSide) -> Event {
    block_on(poll_fn(|cx| data.poll(cx)))
}

/// A data side that is connected, and its peer.
fn connected_pair() -> (DataSide, TcpStream) {
    let mut data = DataSide::default();
    data.listen(ID, LOOPBACK, None, CONTROL);
    let Event::DataListening { outcome: Ok(port), .. } = outcome(&mut data) else { panic!("no listener") };
    let peer = TcpStream::connect((LOOPBACK, port)).unwrap();
    data.accept(ID, expected());
    assert_eq!(outcome(&mut data), Event::DataConnected { id: ID, outcome: Ok(()) });
    (data, peer)
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0u32..).flat_map(u32::to_le_bytes).take(bytes).collect()
}

fn download(bytes: &[u8], offset_bytes: u64, by_kernel: bool) -> Held {
    let file = by_kernel.then(|| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    });
    OnPool::new(Box::new(MemoryDownload { file, bytes: bytes.to_vec(), offset_bytes }))
}

fn read_all(mut peer: TcpStream) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        all
    })
}

fn ended(wire_bytes: usize, outcome: Result<(), TransferError>) -> Event {
    Event::TransferEnded { id: ID, wire_bytes: wire_bytes as u64, file_bytes: None, outcome }
}

/// The same where the file's bytes are others.
fn translated(wire_bytes: u64, file_bytes: u64) -> Event {
    Event::TransferEnded { id: ID, wire_bytes, file_bytes: Some(file_bytes), outcome: Ok(()) }
}

#[test]
fn a_file_is_sent_from_its_offset_to_its_end() {
    // Goal: both ways of sending deliver the same bytes, over many chunks and an odd last one.
    let bytes = pattern(3 * 1024 * 1024 + 17);
    for by_kernel in [true, false] {
        let (mut data, peer) = connected_pair();
        let reader = read_all(peer);
        data.download = Some(download(&bytes, 5, by_kernel));
        data.transfer(ID, Direction::Send, IMAGE);
        assert_eq!(outcome(&mut data), ended(bytes.len() - 5, Ok(())));
        data.close();
        assert!(reader.join().unwrap() == bytes[5..], "by kernel: {by_kernel}");
    }
}

#[test]
fn an_empty_file_is_sent_and_received() {
    let (mut data, peer) = connected_pair();
    data.download = Some(download(&[], 0, true));
    data.transfer(ID, Direction::Send, IMAGE);
    assert_eq!(outcome(&mut data), ended(0, Ok(())));
    data.close();
    assert!(read_all(peer).join().unwrap().is_empty());

    let (mut data, peer) = connected_pair();
    drop(peer);
    data.upload = Some(Box::new(MemoryUpload::default()));
    data.transfer(ID, Direction::Receive, ASCII);
    assert_eq!(outcome(&mut data), ended(0, Ok(())));
}

#[test]
fn type_a_is_translated_both_ways() {
    // RFC 959 3.1.1.1: the line end on the wire is CRLF.
    for by_kernel in [true, false] {
        let (mut data, peer) = connected_pair();
        data.download = Some(download(b"one\ntwo\r\n", 0, by_kernel));
        data.transfer(ID, Direction::Send, ASCII);
        assert_eq!(outcome(&mut data), translated(10, 9));
        data.close();
        assert_eq!(read_all(peer).join().unwrap(), b"one\r\ntwo\r\n");
    }

    let (mut data, mut peer) = connected_pair();
    let upload = MemoryUpload::default();
    let bytes = Arc::clone(&upload.bytes);
    data.upload = Some(Box::new(upload));
    data.transfer(ID, Direction::Receive, ASCII);
    peer.write_all(b"one\r\ntwo\r").unwrap();
    drop(peer);
    assert_eq!(outcome(&mut data), translated(9, 8));
    assert_eq!(*bytes.lock().unwrap(), b"one\ntwo\r");
    assert!(data.upload.is_some(), "it comes back, to be published");
}

#[test]
fn texts_are_sent_one_after_the_other() {
    let (mut data, peer) = connected_pair();
    for text in ["a\r\n", "b\r\n"] {
        data.send_text(ID, Piece { text: text.to_owned(), deflate: None, last: false });
        assert_eq!(outcome(&mut data), ended(3, Ok(())));
    }
    data.close();
    assert_eq!(read_all(peer).join().unwrap(), b"a\r\nb\r\n");
}

#[test]
fn an_upload_takes_all_until_the_end() {
    let bytes = pattern(3 * 1024 * 1024 + 17);
    let (mut data, mut peer) = connected_pair();
    let upload = MemoryUpload::default();
    let stored = Arc::clone(&upload.bytes);
    data.upload = Some(Box::new(upload));
    data.transfer(ID, Direction::Receive, IMAGE);
    let sent = bytes.clone();
    let writer = thread::spawn(move || peer.write_all(&sent).unwrap());
    assert_eq!(outcome(&mut data), ended(bytes.len(), Ok(())));
    writer.join().unwrap();
    assert!(*stored.lock().unwrap() == bytes);
}

#[test]
fn a_reset_is_no_end() {
    // Goal: what came before the reset is kept, and the upload counts as broken.
    let (mut data, mut peer) = connected_pair();
    let upload = MemoryUpload::default();
    let stored = Arc::clone(&upload.bytes);
    data.upload = Some(Box::new(upload));
    data.transfer(ID, Direction::Receive, IMAGE);
    peer.write_all(b"half").unwrap();
    block_on(poll_fn(|cx| {
        assert!(data.poll(cx).is_pending());
        if stored.lock().unwrap().is_empty() { Poll::Pending } else { Poll::Ready(()) }
    }));
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    assert_eq!(outcome(&mut data), ended(4, Err(TransferError::ConnectionLost)));
    assert_eq!(*stored.lock().unwrap(), b"half");
}

#[test]
fn a_full_storage_ends_an_upload() {
    let (mut data, mut peer) = connected_pair();
    data.upload = Some(Box::new(MemoryUpload { room_bytes: Some(3), ..MemoryUpload::default() }));
    data.transfer(ID, Direction::Receive, IMAGE);
    peer.write_all(b"four").unwrap();
    assert_eq!(outcome(&mut data), ended(4, Err(TransferError::Storage(StorageError::NoSpace))));
    assert!(data.upload.is_some(), "it comes back, to be forgotten");
}

#[test]
fn cancelling_ends_whatever_waits() {
    let mut data = DataSide::default();
    data.listen(ID, LOOPBACK, None, CONTROL);
    outcome(&mut data);
    data.accept(ID, expected());
    poll_once(&mut data);
    data.cancel(ActionId(6));
    poll_once(&mut data);
    data.cancel(ID);
    assert_eq!(outcome(&mut data), Event::DataConnected { id: ID, outcome: Err(NetError::Cancelled) });

    let (mut data, _peer) = connected_pair();
    data.upload = Some(Box::new(MemoryUpload::default()));
    data.transfer(ID, Direction::Receive, IMAGE);
    poll_once(&mut data);
    data.cancel(ID);
    assert_eq!(outcome(&mut data), ended(0, Err(TransferError::Cancelled)));

    // The peer does not read, so the send waits for room; what has left is counted.
    let (mut data, _peer) = connected_pair();
    data.download = Some(download(&pattern(64 * 1024 * 1024), 0, true));
    data.transfer(ID, Direction::Send, IMAGE);
    block_on(poll_fn(|cx| {
        assert!(data.poll(cx).is_pending());
        if data.work.as_ref().unwrap().watch.is_drained() { Poll::Ready(()) } else { Poll::Pending }
    }));
    data.cancel(ID);
    let Event::TransferEnded { wire_bytes, outcome, .. } = outcome(&mut data) else { panic!("not ended") };
    assert_eq!(outcome, Err(TransferError::Cancelled));
    assert!(wire_bytes > 0 && wire_bytes < 64 * 1024 * 1024);
}

#[test]
fn strangers_are_closed_and_the_peer_gets_in() {
    // DESIGN 7: a passive connection only from the control connection's peer.
    let mut data = DataSide::default();
    data.listen(ID, LOOPBACK, None, CONTROL);
    let Event::DataListening { outcome: Ok(port), .. } = outcome(&mut data) else { panic!("no listener") };
    let stranger = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    stranger.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
    stranger.connect(&SocketAddr::new(LOOPBACK, port).into()).unwrap();
    let _peer = TcpStream::connect((LOOPBACK, port)).unwrap();
    data.accept(ID, expected());
    assert_eq!(outcome(&mut data), Event::DataConnected { id: ID, outcome: Ok(()) });
    assert_eq!(TcpStream::from(stranger).read(&mut [0; 1]).unwrap_or(0), 0);
}

#[test]
fn connecting_succeeds_or_is_refused() {
    let listener = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let mut data = DataSide::default();
    data.connect(ID, address, (LOOPBACK, None), CONTROL);
    assert_eq!(outcome(&mut data), Event::DataConnected { id: ID, outcome: Ok(()) });
    assert_eq!(listener.accept().unwrap().1.ip(), LOOPBACK);
    drop(listener);
    data.connect(ID, address, (LOOPBACK, None), CONTROL);
    assert_eq!(outcome(&mut data), Event::DataConnected { id: ID, outcome: Err(NetError::Unreachable) });
}

#[test]
fn an_upload_is_looked_at_anew_before_the_end_of_control_is_told() {
    let (mut data, mut peer) = connected_pair();
    data.upload = Some(Box::new(MemoryUpload::default()));
    data.transfer(ID, Direction::Receive, IMAGE);
    poll_once(&mut data);
    assert!(!data.may_hold_data());
    peer.write_all(b"late").unwrap();
    drop(peer);
    data.look_anew();
    assert!(data.may_hold_data());
    assert_eq!(outcome(&mut data), ended(4, Ok(())));
    assert!(!data.may_hold_data());
}

#[test]
fn progress_is_told_once_a_second_and_only_while_bytes_move() {
    let (mut data, mut peer) = connected_pair();
    data.upload = Some(Box::new(MemoryUpload::default()));
    data.transfer(ID, Direction::Receive, IMAGE);
    assert_eq!(data.progress_due_ms(), None);
    let mut send = |data: &mut DataSide, all: u64| {
        peer.write_all(b"x").unwrap();
        block_on(poll_fn(|cx| {
            assert!(data.poll(cx).is_pending());
            if data.work.as_ref().unwrap().watch.wire_bytes() == all { Poll::Ready(()) } else { Poll::Pending }
        }));
    };
    send(&mut data, 1);
    assert_eq!(data.take_due_progress(5000), Some(Event::TransferProgress { id: ID, wire_bytes: 1, file_bytes: None }));
    assert_eq!(data.progress_due_ms(), None);
    send(&mut data, 2);
    assert_eq!(data.take_due_progress(5999), None);
    assert_eq!(data.progress_due_ms(), Some(6000));
    assert_eq!(data.take_due_progress(6000), Some(Event::TransferProgress { id: ID, wire_bytes: 2, file_bytes: None }));
}

#[test]
fn a_poll_moves_one_chunk_at_most() {
    // TECH: a fast peer starves an executor unless each chunk yields.
    let bytes = pattern(8 * 1024 * 1024);
    let (mut data, peer) = connected_pair();
    let reader = read_all(peer);
    data.download = Some(download(&bytes, 0, true));
    data.transfer(ID, Direction::Send, IMAGE);
    assert_chunks(&mut data);
    data.close();
    reader.join().unwrap();

    let (mut data, mut peer) = connected_pair();
    let writer = thread::spawn(move || peer.write_all(&bytes).unwrap());
    data.upload = Some(Box::new(MemoryUpload::default()));
    data.transfer(ID, Direction::Receive, IMAGE);
    assert_chunks(&mut data);
    writer.join().unwrap();
}

fn assert_chunks(data: &mut DataSide) {
    block_on(poll_fn(|cx| {
        let before = data.work.as_ref().unwrap().watch.wire_bytes();
        let (poll, after) = match data.poll(cx) {
            Poll::Ready(Event::TransferEnded { wire_bytes, .. }) => (Poll::Ready(()), wire_bytes),
            _ => (Poll::Pending, data.work.as_ref().unwrap().watch.wire_bytes()),
        };
        assert!(after - before <= net::CHUNK_BYTES as u64, "{} bytes in one poll", after - before);
        poll
    }));
}

#[test]
fn a_probe_ticks_while_two_fast_peers_keep_one_thread_busy() {
    // Goal: with one thread for all, an endless upload and one large download after the other leave room for everybody else.
    let executor = smol::LocalExecutor::new();
    let (mut receiving, mut writer) = connected_pair();
    let writing = thread::spawn(move || while writer.write_all(&[0; 16384]).is_ok() {});
    let bytes = pattern(16 * 1024 * 1024);
    let downloads = executor.spawn(async move {
        loop {
            let (mut sending, mut reader) = connected_pair();
            thread::spawn(move || while matches!(reader.read(&mut [0; 16384]), Ok(1..)) {});
            sending.download = Some(download(&bytes, 0, true));
            sending.transfer(ID, Direction::Send, IMAGE);
            poll_fn(|cx| sending.poll(cx)).await;
        }
    });
    let upload = executor.spawn(async move {
        receiving.upload = Some(Box::new(Sinkhole));
        receiving.transfer(ID, Direction::Receive, IMAGE);
        poll_fn(|cx| receiving.poll(cx)).await
    });
    let probe = async {
        for _ in 0..200 {
            async_io::Timer::after(Duration::from_millis(1)).await;
        }
        true
    };
    let starved = async {
        async_io::Timer::after(Duration::from_secs(60)).await;
        false
    };
    assert!(block_on(executor.run(probe.or(starved))));
    drop((downloads, upload, executor));
    writing.join().unwrap();
}

fn poll_once(data: &mut DataSide) {
    let pending = async {
        poll_fn(|cx| data.poll(cx)).await;
        panic!("it has ended");
    };
    block_on(pending.or(async {}));
}

#[test]
fn a_rate_is_kept_each_way_by_the_server_s_clock_and_a_cancel_is_heard_meanwhile() {
    // Goal: an hour's transfer runs in no time by a clock moved by hand, and no byte goes before it is due.
    const RATE: u64 = 1000;
    let bytes = pattern(4000);
    let hand = Arc::new(ManualClock::new(Now { monotonic_ms: 1_000_000, utc_s: 0 }));
    let clock: Arc<dyn Clock> = hand.clone();
    for (direction, by_kernel) in [(Direction::Send, true), (Direction::Send, false), (Direction::Receive, true)] {
        let (mut data, mut peer) = connected_pair();
        data.keep_rate(NonZeroU64::new(RATE), &clock);
        match direction {
            Direction::Send => data.download = Some(download(&bytes, 0, by_kernel)),
            Direction::Receive => {
                data.upload = Some(Box::new(MemoryUpload::default()));
                peer.write_all(&bytes).unwrap();
                peer.shutdown(std::net::Shutdown::Write).unwrap();
            }
        }
        data.transfer(ID, direction, IMAGE);
        let begun_ms = hand.now().monotonic_ms;
        let event = block_on(poll_fn(|cx| {
            let poll = data.poll(cx);
            let moved = data.work.as_ref().map_or(0, |work| work.watch.wire_bytes());
            let since_ms = hand.now().monotonic_ms - begun_ms;
            assert!(moved <= RATE * (since_ms + 250) / 1000, "{moved} bytes after {since_ms} ms");
            hand.advance(Duration::from_millis(10));
            poll
        }));
        assert_eq!(event, ended(bytes.len(), Ok(())));
        assert!(hand.now().monotonic_ms - begun_ms >= 3750, "{direction:?}");
    }

    let (mut data, _peer) = connected_pair();
    data.keep_rate(NonZeroU64::new(1), &clock);
    data.download = Some(download(&bytes, 0, true));
    data.transfer(ID, Direction::Send, IMAGE);
    poll_once(&mut data);
    poll_once(&mut data);
    data.cancel(ID);
    assert_eq!(outcome(&mut data), ended(1, Err(TransferError::Cancelled)));
}
