//! A server on real sockets and a peer that speaks to it line by line.

pub(crate) mod secure;

use mayfly_std::clock::{Clock, SystemClock};
use mayfly_std::listen::{Server, ServerHandle};
use mayfly_std::settings::ServeOptions;
use mayfly_std::start::{Serve, ServeHandle};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Rig {
    pub(crate) root: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    /// The last of its addresses: where clients begin with TLS, if there is such.
    pub(crate) last_address: SocketAddr,
    pub(crate) handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Rig {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {}, Arc::new(SystemClock))
    }

    pub(crate) fn start_with(set: impl FnOnce(&mut ServeOptions), clock: Arc<dyn Clock>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut options = ServeOptions {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            root: root.path().join("storage"),
            ..ServeOptions::default()
        };
        set(&mut options);
        let server = Server::bind(&options, clock).unwrap();
        let (addresses, handle) = (server.local_addresses(), server.handle());
        let (address, last_address) = (addresses[0], addresses[addresses.len() - 1]);
        Self { root, address, last_address, handle, thread: Some(thread::spawn(move || server.run())) }
    }

    pub(crate) fn peer(&self) -> Peer {
        let mut peer = Peer::connect(self.address);
        assert_eq!(peer.line(), "220 Welcome to the FTP Server");
        peer
    }

    /// A peer that is logged in.
    pub(crate) fn user(&self) -> Peer {
        let mut peer = self.peer();
        peer.ask("USER anonymous", "331 Please specify the password.");
        peer.ask("PASS guest@example.org", "230 Login successful.");
        peer
    }

    /// The bytes of a published file.
    pub(crate) fn stored(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.root.path().join("storage").join(path))
    }

    pub(crate) fn store(&self, path: &str, bytes: &[u8]) {
        std::fs::write(self.root.path().join("storage").join(path), bytes).unwrap();
    }

    /// Waits for the server to end by itself.
    pub(crate) fn join(&mut self) -> io::Result<()> {
        self.thread.take().map_or(Ok(()), |thread| thread.join().unwrap())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.handle.shut_down();
        let ended = self.join();
        assert!(thread::panicking() || ended.is_ok(), "{ended:?}");
    }
}

pub(crate) struct Peer {
    pub(crate) control: BufReader<TcpStream>,
}

impl Peer {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let control = TcpStream::connect(address).unwrap();
        control.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { control: BufReader::new(control) }
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.control.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    /// The next line, without its end; empty once the server has closed.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.control.read_line(&mut line).unwrap();
        assert!(line.is_empty() || line.ends_with("\r\n"), "{line:?}");
        line.trim_end().to_owned()
    }

    pub(crate) fn ask(&mut self, line: &str, reply: &str) {
        self.say(line);
        assert_eq!(self.line(), reply, "to {line}");
    }

    /// Opens a data connection by EPSV.
    pub(crate) fn passive(&mut self) -> TcpStream {
        self.say("EPSV");
        let reply = self.line();
        let port =
            reply.strip_prefix("229 ").and_then(|rest| rest.split("|||").nth(1)?.split('|').next()?.parse().ok());
        let address = SocketAddr::new(self.control.get_ref().peer_addr().unwrap().ip(), port.expect(&reply));
        TcpStream::connect(address).unwrap()
    }

    /// Announces a port for the server to connect to.
    pub(crate) fn active(&mut self) -> TcpListener {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = format!("PORT 127,0,0,1,{},{}", port >> 8, port & 0xff);
        self.ask(&line, "200 PORT command successful. Consider using PASV.");
        listener
    }

    /// Uploads by EPSV.
    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) {
        let mut data = self.passive();
        self.ask(&format!("STOR {name}"), "150 Ok to send data.");
        data.write_all(bytes).unwrap();
        drop(data);
        assert_eq!(self.line(), "226 Transfer complete.");
    }
}

pub(crate) fn all_of(mut data: TcpStream) -> Vec<u8> {
    data.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = Vec::new();
    data.read_to_end(&mut bytes).unwrap();
    bytes
}
