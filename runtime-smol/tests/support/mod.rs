//! A server of this driver in the test's own process, and a peer that speaks to it over real sockets.

#![expect(clippy::unwrap_used, reason = "a test ends where its peer fails")]

use mayfly_smol::{Server, ServerHandle};
use mayfly_std::clock::SystemClock;
use mayfly_std::settings::ServeOptions;
use mayfly_std::start::{Serve as _, ServeHandle as _};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longer than anything here takes; a test that waits for something that never comes fails then.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; it ends with its value.
pub(crate) struct Running {
    pub(crate) handle: ServerHandle,
    address: SocketAddr,
    thread: Option<JoinHandle<io::Result<()>>>,
    _root: tempfile::TempDir,
}

impl Running {
    pub(crate) fn start(options: ServeOptions) -> Self {
        let root = tempfile::tempdir().unwrap();
        let listen = vec![(Ipv4Addr::LOCALHOST, 0).into()];
        let options = ServeOptions { listen, root: root.path().to_owned(), ..options };
        let server = Server::bind(&options, Arc::new(SystemClock)).unwrap();
        let (handle, address) = (server.handle(), server.local_addresses()[0]);
        let thread = Some(thread::spawn(|| server.run()));
        Self { handle, address, thread, _root: root }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn accepts(&self) -> bool {
        TcpStream::connect(self.address).is_ok()
    }

    pub(crate) fn connect(&self) -> Peer {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Peer { control: BufReader::with_capacity(Peer::BUFFER_BYTES, stream) }
    }

    pub(crate) fn log_in(&self) -> Peer {
        let mut peer = self.connect();
        peer.expect("220");
        for (line, code) in [("USER anonymous", "331"), ("PASS guest", "230")] {
            peer.ask(line, code);
        }
        peer
    }

    /// Waits until it has ended.
    pub(crate) fn join(mut self) {
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.shut_down();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A client's control connection.
pub(crate) struct Peer {
    control: BufReader<TcpStream>,
}

impl Peer {
    /// What a peer itself holds in memory.
    pub(crate) const BUFFER_BYTES: usize = 512;

    pub(crate) fn send(&mut self, bytes: &str) {
        self.control.get_mut().write_all(bytes.as_bytes()).unwrap();
    }

    /// A second hold on the control connection, to write to while this one reads.
    pub(crate) fn clone_control(&self) -> TcpStream {
        self.control.get_ref().try_clone().unwrap()
    }

    /// One line, without its end; empty once the server has closed.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.control.read_line(&mut line).unwrap();
        line.trim_end_matches("\r\n").to_owned()
    }

    /// The last line of the next reply, which begins like this.
    pub(crate) fn expect(&mut self, begin: &str) -> String {
        loop {
            let line = self.line();
            let digits = line.len() > 3 && line.as_bytes()[..3].iter().all(u8::is_ascii_digit);
            if line.is_empty() || (digits && line.as_bytes()[3] == b' ') {
                assert!(line.starts_with(begin), "{line:?} instead of {begin:?}");
                return line;
            }
        }
    }

    pub(crate) fn ask(&mut self, line: &str, begin: &str) -> String {
        self.send(&format!("{line}\r\n"));
        self.expect(begin)
    }

    /// PASV, and the data connection.
    pub(crate) fn passive(&mut self) -> TcpStream {
        let reply = self.ask("PASV", "227");
        let numbers: Vec<u16> =
            reply.split(|c: char| !c.is_ascii_digit()).skip(1).filter_map(|number| number.parse().ok()).collect();
        let port = numbers[4] * 256 + numbers[5];
        data(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap())
    }

    /// PORT, and where the server will connect.
    pub(crate) fn active(&mut self) -> TcpListener {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let reply = self.ask(&format!("PORT 127,0,0,1,{},{}", port / 256, port % 256), "200");
        assert_eq!(reply, "200 PORT command successful. Consider using PASV.");
        listener
    }

    pub(crate) fn store(&mut self, name: &str, bytes: &[u8]) {
        let mut stream = self.passive();
        self.ask(&format!("STOR {name}"), "150");
        stream.write_all(bytes).unwrap();
        drop(stream);
        self.expect("226");
    }

    pub(crate) fn retrieve(&mut self, name: &str) -> Vec<u8> {
        let stream = self.passive();
        self.ask(&format!("RETR {name}"), "150");
        let bytes = read_all(stream);
        self.expect("226");
        bytes
    }
}

pub(crate) fn data(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(crate) fn read_all(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Bytes that show when any of them is lost, doubled or moved.
pub(crate) fn pattern(bytes: usize) -> Vec<u8> {
    (0u32..).flat_map(u32::to_le_bytes).take(bytes).collect()
}
