//! A driver behind real sockets on loopback, with a clock that stands still until the transcript moves it.

mod connection;

use super::core::START;
use super::watched_clock::WatchedClock;
use super::{Amount, Fault, Stage, settings};
use crate::certificates::Certificates;
use crate::ftp::{bound, connect_from, listen_beside};
use crate::transcript::script::{Closing, DiskStep, Handshake, SessionNumber, Setup, TlsSetup};
use connection::Connection;
use mayfly_std::clock::Clock;
use mayfly_std::settings::ServeOptions;
use mayfly_std::start::{Serve, ServeHandle};
use mayfly_std::tls::{ClientCertificates, TlsFiles, TlsServer, TlsVersion};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustls::client::Resumption;
use rustls::{ClientConfig, HandshakeKind};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{fs, iter, thread};

/// How long anything may take that must come at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// The stage.
pub struct NetStage<S: Serve> {
    root: tempfile::TempDir,
    clock: Arc<WatchedClock>,
    options: ServeOptions,
    tls: TlsSetup,
    server: Running<S>,
    sessions: BTreeMap<SessionNumber, NetSession>,
    left_open: Vec<Connection>,
}

/// A server in its thread.
struct Running<S: Serve> {
    handle: S::Handle,
    address: SocketAddr,
    ended: Receiver<io::Result<()>>,
}

/// One client.
struct NetSession {
    control: Connection,
    listener: Option<TcpListener>,
    /// Where it listens or has listened, so that nobody else does once it no more does.
    port: Option<TcpStream>,
    data: Option<Connection>,
    /// With the TLS sessions that its connections share.
    tls: Arc<ClientConfig>,
}

impl<S: Serve + Send + 'static> NetStage<S> {
    /// Starts a server on an empty root.
    ///
    /// # Errors
    /// A setting that is none, or the system's.
    pub fn new(setup: &Setup) -> Result<Self, Fault> {
        let root = tempfile::tempdir().map_err(said)?;
        let clock = Arc::new(WatchedClock::new(START));
        let (session, limits) = settings::read(setup)?;
        let address: IpAddr = if setup.ipv6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        let mut options = ServeOptions {
            listen: vec![SocketAddr::new(address, 0)],
            listen_tls: setup.tls.implicit.then(|| SocketAddr::new(address, 0)).into_iter().collect(),
            tls: setup.has_tls().then(certificate).transpose()?,
            root: root.path().to_owned(),
            session,
            max_sessions: limits.sessions,
            max_sessions_per_address: limits.sessions_per_address,
            users: limits.users,
            login_queue: limits.login_queue,
            ..ServeOptions::default()
        };
        // By a clock that stands still, a minute's worth would have to last for ever.
        options.door.connections_per_minute = 0;
        let server = Running::start(&options, &clock)?;
        Ok(Self {
            root,
            clock,
            options,
            tls: setup.tls.clone(),
            server,
            sessions: BTreeMap::new(),
            left_open: Vec::new(),
        })
    }

    fn session(&mut self, number: SessionNumber) -> Result<&mut NetSession, Fault> {
        self.sessions.get_mut(&number).ok_or_else(|| format!("session {number} is not connected"))
    }

    /// Lets the server take notice of all that was sent.
    fn settle(&self) -> Result<(), Fault> {
        let connections = self.sessions.values().flat_map(|session| iter::once(&session.control).chain(&session.data));
        let ends = connections.map(|Connection { stream, .. }| Ok((stream.peer_addr()?, stream.local_addr()?)));
        // A connection that the server has closed has no other end any more.
        let ends: Vec<_> = ends.filter_map(|ends: io::Result<_>| ends.ok()).collect();
        self.clock.settle(&ends, PATIENCE)
    }

    fn on_disk(&self, path: &[u8]) -> PathBuf {
        self.root.path().join(OsStr::from_bytes(path.strip_prefix(b"/").unwrap_or(path)))
    }
}

impl<S: Serve + Send + 'static> Running<S> {
    fn start(options: &ServeOptions, clock: &Arc<WatchedClock>) -> Result<Self, Fault> {
        let server = S::bind(options, Arc::clone(clock) as Arc<dyn Clock>).map_err(said)?;
        let handle = server.handle();
        // Where there is one that begins with TLS, it is behind the other.
        let address = *server.local_addresses().last().ok_or("the server listens nowhere")?;
        let (ends, ended) = channel();
        thread::Builder::new().spawn(move || ends.send(server.run())).map_err(said)?;
        Ok(Self { handle, address, ended })
    }

    fn end(&self) -> Result<(), Fault> {
        self.handle.shut_down();
        let ended = self.ended.recv_timeout(PATIENCE).map_err(|_| "the server does not end when told to")?;
        ended.map_err(|error| format!("the server ended with {error}"))
    }
}

impl<S: Serve + Send + 'static> Stage for NetStage<S> {
    fn set_utc(&mut self, utc_s: i64) -> Result<(), Fault> {
        self.settle()?;
        self.clock.hands().set_utc(utc_s);
        Ok(())
    }

    fn pass(&mut self, by: Duration) -> Result<(), Fault> {
        self.settle()?;
        self.clock.hands().advance(by);
        Ok(())
    }

    fn connect(&mut self, number: SessionNumber) -> Result<(), Fault> {
        let address = self.server.address;
        let control = Connection::new(connect_from(address.ip(), address).map_err(said)?)?;
        let certificates = Certificates::of_this_process();
        let tls = certificates.client_config(self.tls.at_most_12, self.tls.certificate.as_deref());
        self.sessions
            .insert(number, NetSession { control, listener: None, port: None, data: None, tls: Arc::new(tls) });
        Ok(())
    }

    fn send(&mut self, number: SessionNumber, bytes: &[u8]) -> Result<(), Fault> {
        self.session(number)?.control.send(bytes)
    }

    fn line(&mut self, number: SessionNumber) -> Result<Option<Vec<u8>>, Fault> {
        let line = self.session(number)?.control.take(Amount::Line)?;
        if line.is_empty() { Ok(None) } else { super::without_crlf(line).map(Some) }
    }

    fn secure(&mut self, number: SessionNumber, handshake: Handshake, along: &[u8]) -> Result<(), Fault> {
        let session = self.session(number)?;
        let tls = Arc::clone(&session.tls);
        session.control.secure(&tls, handshake, along).map(drop)
    }

    fn close(&mut self, number: SessionNumber, closing: Closing) -> Result<(), Fault> {
        let session = self.sessions.remove(&number).ok_or("it is not connected")?;
        // Its data connection is closed by a step of its own, or not at all.
        self.left_open.extend(session.data);
        session.control.close(closing)
    }

    fn data_listen(&mut self, number: SessionNumber) -> Result<SocketAddr, Fault> {
        let session = self.session(number)?;
        let here = session.control.stream.local_addr().map_err(said)?;
        let port = bound(here.ip()).map_err(said)?;
        let address = port.local_addr().map_err(said)?;
        session.listener = Some(listen_beside(&port).map_err(said)?);
        session.port = Some(port);
        session.data = None;
        Ok(address)
    }

    fn data_listen_default(&mut self, number: SessionNumber) -> Result<(), Fault> {
        let session = self.session(number)?;
        // Two cannot listen there.
        session.listener = None;
        session.listener = Some(listen_beside(&session.control.stream).map_err(said)?);
        session.data = None;
        Ok(())
    }

    fn data_unlisten(&mut self, number: SessionNumber) -> Result<(), Fault> {
        self.session(number)?.listener = None;
        Ok(())
    }

    fn data_connect(&mut self, number: SessionNumber, port: u16) -> Result<(), Fault> {
        let address = SocketAddr::new(self.server.address.ip(), port);
        let connection = Connection::to(address)?;
        self.session(number)?.data = Some(connection);
        Ok(())
    }

    fn data_stranger(&mut self, _number: SessionNumber, port: u16) -> Result<(), Fault> {
        let to = SocketAddr::new(self.server.address.ip(), port);
        let mut stranger = connect_as_stranger(Ipv4Addr::new(127, 0, 0, 2), to)?;
        match stranger.read(&mut [0]) {
            Ok(0) => Ok(()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(()),
            Ok(_) => Err("a stranger was served".to_owned()),
            Err(error) => Err(said(error)),
        }
    }

    fn data_secure(&mut self, number: SessionNumber, handshake: Handshake) -> Result<(), Fault> {
        let session = self.session(number)?;
        let mut tls = Arc::clone(&session.tls);
        if handshake == Handshake::Anew {
            Arc::make_mut(&mut tls).resumption = Resumption::in_memory_sessions(1);
        }
        let kind = session.data()?.secure(&tls, handshake, b"")?;
        let is_due = match handshake {
            Handshake::Proper => kind == Some(HandshakeKind::Resumed),
            Handshake::Anew => kind != Some(HandshakeKind::Resumed),
            Handshake::Broken => true,
        };
        if is_due { Ok(()) } else { Err(format!("the data connection's handshake was {kind:?}")) }
    }

    fn data_send(&mut self, number: SessionNumber, bytes: &[u8]) -> Result<(), Fault> {
        self.session(number)?.data()?.send(bytes)
    }

    fn data_receive(&mut self, number: SessionNumber, amount: Amount) -> Result<Vec<u8>, Fault> {
        self.session(number)?.data()?.take(amount)
    }

    fn data_cut(&mut self, number: SessionNumber) -> Result<(), Fault> {
        self.session(number)?.data()?.take_to_cut()?;
        self.data_close(number, Closing::Orderly)
    }

    fn data_close(&mut self, number: SessionNumber, closing: Closing) -> Result<(), Fault> {
        let session = self.session(number)?;
        session.data()?;
        session.data.take().map_or(Ok(()), |data| data.close(closing))
    }

    fn disk(&mut self, step: &DiskStep) -> Result<(), Fault> {
        match step {
            DiskStep::MakeDirectory(path) => fs::create_dir(self.on_disk(path)).map_err(said),
            DiskStep::Put(path, bytes) => fs::write(self.on_disk(path), bytes).map_err(said),
            DiskStep::Link(path, target) => symlink(OsStr::from_bytes(target), self.on_disk(path)).map_err(said),
            DiskStep::Holds(path, bytes) => super::same_content(fs::read(self.on_disk(path)).ok(), bytes),
            DiskStep::Lacks(path) => wait_until_gone(&self.on_disk(path)),
            DiskStep::Spoil(path) => spoil_record(&self.on_disk(path)),
            DiskStep::Room(_) | DiskStep::FileLimit(_) => Err("only the fake disk has bounds of its own".to_owned()),
        }
    }

    fn shut_down(&mut self) -> Result<(), Fault> {
        self.server.handle.shut_down();
        Ok(())
    }

    fn restart(&mut self) -> Result<(), Fault> {
        self.sessions.clear();
        self.left_open.clear();
        self.server.end()?;
        self.server = Running::start(&self.options, &self.clock)?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Fault> {
        for (number, mut session) in std::mem::take(&mut self.sessions) {
            session.data = None;
            session.control.end();
            let unread = session.control.take(Amount::Line)?;
            if !unread.is_empty() {
                return Err(format!("session {number}: nobody expected {}", String::from_utf8_lossy(&unread)));
            }
        }
        self.server.end()
    }
}

impl NetSession {
    /// The data connection; in active mode the server's is taken when it is first needed.
    fn data(&mut self) -> Result<&mut Connection, Fault> {
        if self.data.is_none() {
            let listener = self.listener.as_ref().ok_or("there is no data connection")?;
            wait_readable(listener)?;
            let (stream, _) = listener.accept().map_err(said)?;
            self.data = Some(Connection::new(stream)?);
        }
        self.data.as_mut().ok_or_else(|| "there is no data connection".to_owned())
    }
}

fn certificate() -> Result<TlsServer, Fault> {
    let certificates = Certificates::of_this_process();
    let files = TlsFiles {
        certificate: certificates.server.clone(),
        key: certificates.server_key.clone(),
        version_min: TlsVersion::V1_2,
        client_certificates: ClientCertificates::Ask,
        client_authority: Some(certificates.authority.clone()),
    };
    TlsServer::load(files).map_err(said)
}

#[expect(clippy::needless_pass_by_value, reason = "a function for map_err")]
fn said(error: impl ToString) -> Fault {
    error.to_string()
}

fn wait_readable(listener: &TcpListener) -> Result<(), Fault> {
    let patience = Timespec::try_from(PATIENCE).map_err(said)?;
    match rustix::event::poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&patience)).map_err(said)? {
        0 => Err(format!("no data connection came in {} s", PATIENCE.as_secs())),
        _ => Ok(()),
    }
}

/// Connects from another of this host's addresses.
fn connect_as_stranger(from: Ipv4Addr, to: SocketAddr) -> Result<TcpStream, Fault> {
    let stream = connect_from(from, to).map_err(said)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(said)?;
    Ok(stream)
}

fn wait_until_gone(path: &Path) -> Result<(), Fault> {
    let deadline = Instant::now() + PATIENCE;
    while path.symlink_metadata().is_ok() {
        if Instant::now() > deadline {
            return Err(format!("{} still stands after {} s", path.display(), PATIENCE.as_secs()));
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Overwrites the record inside a storage path: the only file there that begins with the reserved prefix.
fn spoil_record(directory: &Path) -> Result<(), Fault> {
    for entry in fs::read_dir(directory).map_err(said)? {
        let entry = entry.map_err(said)?;
        let reserved = entry.file_name().to_string_lossy().starts_with(mayfly_core::path::RESERVED_PREFIX);
        if reserved && entry.file_type().map_err(said)?.is_file() {
            return fs::write(entry.path(), "{ no record").map_err(said);
        }
    }
    Err(format!("{} holds no record", directory.display()))
}
