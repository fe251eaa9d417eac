use super::*;
use crate::clock::{Clock, ManualClock};
use crate::storage::durability::Durability;
use crate::storage::local::LocalStorage;
use mayfly_core::action::{Direction, StorageRequest, Translation, UploadBase};
use mayfly_core::event::StorageOutcome;
use mayfly_core::path::VirtualPath;
use std::io::{Read, Write};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::thread;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const ID: ActionId = ActionId(7);

/// A session's data side over a storage of its own.
struct Rig {
    root: tempfile::TempDir,
    clock: Arc<ManualClock>,
    storage: SessionStorage,
    data: DataSide,
    /// The rate of its transfers.
    bytes_per_s: Option<NonZeroU64>,
}

impl Rig {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Now { monotonic_ms: 0, utc_s: 1_900_000_000 }));
        let local = LocalStorage::open(root.path(), Durability::None, clock.clone()).unwrap();
        let storage = SessionStorage::new(Arc::new(local));
        Self { root, clock, storage, data: DataSide::new(SocketAddr::new(HERE, 21), [].into()), bytes_per_s: None }
    }

    fn listen(&mut self) -> SocketAddr {
        match self.data.listen(ID, HERE, None) {
            Event::DataListening { id: ID, outcome: Ok(port) } => SocketAddr::new(HERE, port),
            other => panic!("{other:?}"),
        }
    }

    /// A data connection; the peer's end.
    fn connection(&mut self) -> TcpStream {
        let address = self.listen();
        assert_eq!(self.data.accept(ID, Some(HERE)), None);
        let peer = TcpStream::connect(address).unwrap();
        assert_eq!(self.end(), Event::DataConnected { id: ID, outcome: Ok(()) });
        peer
    }

    fn open_read(&mut self, bytes: &[u8], offset_bytes: u64) {
        std::fs::write(self.root.path().join("f"), bytes).unwrap();
        let path = VirtualPath::parse("/f").unwrap();
        self.store(StorageRequest::OpenRead { path, offset_bytes, end_bytes: None });
    }

    fn open_write(&mut self) {
        let path = VirtualPath::parse("/f").unwrap();
        self.store(StorageRequest::OpenWrite { path, base: UploadBase::Empty, announced_bytes: None, quota: None });
    }

    fn publish(&mut self) -> Vec<u8> {
        self.store(StorageRequest::Publish { replace: false, judged: Vec::new(), expiry_s: None });
        std::fs::read(self.root.path().join("f")).unwrap()
    }

    fn store(&mut self, request: StorageRequest) -> StorageOutcome {
        self.storage.execute(request).unwrap()
    }

    fn transfer(&mut self, direction: Direction, translation: Translation) {
        let terms = Terms { direction, translation, deflate: None, bytes_per_s: self.bytes_per_s };
        let begun = self.data.transfer(ID, terms, &mut self.storage, self.clock.now());
        assert_eq!(begun, None);
    }

    /// What the session hears next, waiting as its loop does.
    fn end(&mut self) -> Event {
        loop {
            match self.data.advance(&mut self.storage, self.clock.now()) {
                Advance::Told(event) => return event,
                Advance::Moved => {}
                Advance::Blocked => {
                    let mut fds = [self.data.interest().unwrap()];
                    rustix::event::poll(&mut fds, None).unwrap();
                }
            }
        }
    }

    fn ended(&mut self) -> (u64, Result<(), TransferError>) {
        match self.end() {
            Event::TransferEnded { id: ID, wire_bytes, outcome, .. } => (wire_bytes, outcome),
            other => panic!("{other:?}"),
        }
    }
}

fn read_all(mut peer: TcpStream) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

#[test]
fn a_stranger_is_turned_away_and_the_peer_still_gets_in() {
    let mut rig = Rig::new();
    let address = rig.listen();
    assert_eq!(rig.data.accept(ID, Some(HERE)), None);
    // The whole of 127.0.0.0/8 is this host, so that a stranger can be had.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stranger = TcpStream::from(socket);
    assert!(matches!(rig.data.advance(&mut rig.storage, rig.clock.now()), Advance::Blocked));
    assert_eq!(stranger.read(&mut [0]).unwrap_or(0), 0);
    let _peer = TcpStream::connect(address).unwrap();
    assert_eq!(rig.end(), Event::DataConnected { id: ID, outcome: Ok(()) });
    assert!(TcpStream::connect(address).is_err(), "the listener is closed once the peer is in");
}

#[test]
fn an_active_connection_comes_from_our_own_address() {
    let mut rig = Rig::new();
    let peer = TcpListener::bind((HERE, 0)).unwrap();
    assert_eq!(rig.data.connect(ID, peer.local_addr().unwrap(), HERE, None), None);
    assert_eq!(rig.end(), Event::DataConnected { id: ID, outcome: Ok(()) });
    assert_eq!(peer.accept().unwrap().1.ip(), HERE);
}

#[test]
fn a_file_is_sent_from_its_offset_to_its_end() {
    let mut rig = Rig::new();
    let file = pattern(3 << 20);
    rig.open_read(&file, 5);
    let peer = read_all(rig.connection());
    rig.transfer(Direction::Send, Translation::Image);
    assert_eq!(rig.ended(), ((3 << 20) - 5, Ok(())));
    assert_eq!(rig.data.close(&mut rig.storage), None);
    assert_eq!(peer.join().unwrap(), &file[5..]);
}

#[test]
fn type_a_sends_and_stores_line_ends() {
    let mut rig = Rig::new();
    // Long enough that line ends meet the borders of chunks.
    let (local, wire) = ("line\n".repeat(200_000), "line\r\n".repeat(200_000));
    rig.open_read(local.as_bytes(), 0);
    let peer = read_all(rig.connection());
    rig.transfer(Direction::Send, Translation::Ascii);
    assert_eq!(rig.ended(), (wire.len() as u64, Ok(())));
    rig.data.close(&mut rig.storage);
    assert_eq!(peer.join().unwrap(), wire.as_bytes());

    std::fs::remove_file(rig.root.path().join("f")).unwrap();
    rig.open_write();
    let mut peer = rig.connection();
    rig.transfer(Direction::Receive, Translation::Ascii);
    let sent = wire.clone();
    let sender = thread::spawn(move || peer.write_all(sent.as_bytes()).unwrap());
    assert_eq!(rig.ended(), (wire.len() as u64, Ok(())));
    sender.join().unwrap();
    assert_eq!(rig.publish(), local.as_bytes());
}

#[test]
fn an_upload_ends_with_the_stream_and_is_handed_back() {
    let mut rig = Rig::new();
    rig.open_write();
    let mut peer = rig.connection();
    rig.transfer(Direction::Receive, Translation::Image);
    let file = pattern(1 << 20);
    let sent = file.clone();
    let sender = thread::spawn(move || peer.write_all(&sent).unwrap());
    assert_eq!(rig.ended(), (1 << 20, Ok(())));
    sender.join().unwrap();
    assert_eq!(rig.publish(), file);
}

#[test]
fn a_reset_is_no_end_of_file() {
    let mut rig = Rig::new();
    rig.open_write();
    let mut peer = rig.connection();
    rig.transfer(Direction::Receive, Translation::Image);
    peer.write_all(b"half").unwrap();
    socket2::SockRef::from(&peer).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(peer);
    assert_eq!(rig.ended().1, Err(TransferError::ConnectionLost));
    rig.store(StorageRequest::Discard);
}

#[test]
fn a_cancelled_transfer_tells_how_far_it_came_and_hands_the_upload_back() {
    let mut rig = Rig::new();
    rig.open_write();
    let mut peer = rig.connection();
    rig.transfer(Direction::Receive, Translation::Image);
    peer.write_all(b"four").unwrap();
    assert!(matches!(rig.data.advance(&mut rig.storage, rig.clock.now()), Advance::Moved));
    let cancelled =
        Event::TransferEnded { id: ID, wire_bytes: 4, file_bytes: None, outcome: Err(TransferError::Cancelled) };
    assert_eq!(rig.data.cancel(ActionId(8), &mut rig.storage), None);
    assert_eq!(rig.data.cancel(ID, &mut rig.storage), Some(cancelled));
    assert_eq!(rig.data.cancel(ID, &mut rig.storage), None);
    assert_eq!(rig.publish(), b"four");
}

#[test]
fn progress_is_due_once_a_second_where_bytes_have_moved() {
    let mut rig = Rig::new();
    rig.open_write();
    let mut peer = rig.connection();
    rig.transfer(Direction::Receive, Translation::Image);
    assert_eq!((rig.data.progress_due_ms(), rig.data.take_progress(rig.clock.now())), (None, None));
    rig.clock.advance(std::time::Duration::from_millis(999));
    for wire_bytes in 1..3 {
        peer.write_all(b"a").unwrap();
        assert!(matches!(rig.data.advance(&mut rig.storage, rig.clock.now()), Advance::Moved));
        assert!(matches!(rig.data.advance(&mut rig.storage, rig.clock.now()), Advance::Blocked));
        // The second byte's second begins when the first was told of.
        let due_ms = [1000, 1999][usize::try_from(wire_bytes).unwrap() - 1];
        assert_eq!(rig.data.progress_due_ms(), Some(due_ms));
        let told = Event::TransferProgress { id: ID, wire_bytes, file_bytes: None };
        assert_eq!(rig.data.take_progress(rig.clock.now()), Some(told));
        assert_eq!(rig.data.progress_due_ms(), None);
    }
}

#[test]
fn a_rate_is_kept_each_way_by_the_server_s_clock() {
    // Goal: no byte goes before it is due, and what waits for that is not waited for in any other way.
    const RATE: u64 = 1000;
    let file = pattern(4000);
    for direction in [Direction::Send, Direction::Receive] {
        let mut rig = Rig::new();
        rig.clock.advance(std::time::Duration::from_secs(1000));
        rig.bytes_per_s = NonZeroU64::new(RATE);
        let mut peer = match direction {
            Direction::Send => {
                rig.open_read(&file, 0);
                rig.connection()
            }
            Direction::Receive => {
                rig.open_write();
                rig.connection()
            }
        };
        if direction == Direction::Receive {
            peer.write_all(&file).unwrap();
            peer.shutdown(std::net::Shutdown::Write).unwrap();
        }
        rig.transfer(direction, Translation::Image);
        let begun_ms = rig.clock.now().monotonic_ms;
        let outcome = loop {
            match rig.data.advance(&mut rig.storage, rig.clock.now()) {
                Advance::Told(Event::TransferEnded { wire_bytes, outcome, .. }) => break (wire_bytes, outcome),
                Advance::Told(other) => panic!("{other:?}"),
                Advance::Moved => {}
                Advance::Blocked => match rig.data.paced_until_ms() {
                    Some(due_ms) => {
                        assert!(rig.data.interest().is_none());
                        let now_ms = rig.clock.now().monotonic_ms;
                        rig.clock.advance(std::time::Duration::from_millis(due_ms - now_ms));
                    }
                    None => drop(rustix::event::poll(&mut [rig.data.interest().unwrap()], None).unwrap()),
                },
            }
            let progress = rig.data.take_progress(rig.clock.now());
            if let Some(Event::TransferProgress { wire_bytes, .. }) = progress {
                let since_ms = rig.clock.now().monotonic_ms - begun_ms;
                assert!(wire_bytes <= RATE * (since_ms + 250) / 1000, "{wire_bytes} bytes after {since_ms} ms");
            }
        };
        assert_eq!(outcome, (4000, Ok(())));
        assert!(rig.clock.now().monotonic_ms - begun_ms >= 3750, "{direction:?}");
    }
}
