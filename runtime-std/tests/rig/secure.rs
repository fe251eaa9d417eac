//! A peer that speaks TLS, and the server's certificate.

use super::{PATIENCE, Rig};
use mayfly_std::settings::ServeOptions;
use mayfly_std::tls::{ClientCertificates, TlsFiles, TlsServer, TlsVersion, make};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

pub(crate) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A certificate in this directory, and the settings that go with it.
pub(crate) fn certify(options: &mut ServeOptions, directory: &Path) -> TlsServer {
    let made = make::self_signed(&["localhost".to_owned()], 30).unwrap();
    let files = TlsFiles {
        certificate: directory.join("cert.pem"),
        key: directory.join("key.pem"),
        version_min: TlsVersion::V1_2,
        client_certificates: ClientCertificates::None,
        client_authority: None,
    };
    fs::create_dir_all(directory).unwrap();
    fs::write(&files.certificate, made.certificate).unwrap();
    fs::write(&files.key, made.key.as_bytes()).unwrap();
    let server = TlsServer::load(files).unwrap();
    options.tls = Some(server.clone());
    options.session.tls = Some(mayfly_core::settings::TlsRules::default());
    server
}

/// A client that trusts this certificate, with the sessions of one control connection.
pub(crate) fn trusting(certificate: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    Arc::new(config.with_no_client_auth())
}

/// A peer whose control connection is secured.
pub(crate) struct SecurePeer {
    pub(crate) control: BufReader<Stream>,
    config: Arc<ClientConfig>,
}

impl SecurePeer {
    /// AUTH TLS.
    pub(crate) fn connect(address: SocketAddr, config: Arc<ClientConfig>) -> Self {
        let mut clear = super::Peer::connect(address);
        assert_eq!(clear.line(), "220 Welcome to the FTP Server");
        clear.ask("AUTH TLS", "234 Proceed with negotiation.");
        let control = secured(&config, clear.control.into_inner());
        Self { control: BufReader::new(control), config }
    }

    /// One that begins with TLS, behind what is said in clear before it.
    pub(crate) fn connect_at_once(address: SocketAddr, before: &str, config: &Arc<ClientConfig>) -> Self {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.write_all(before.as_bytes()).unwrap();
        Self { control: BufReader::new(secured(config, socket)), config: Arc::clone(config) }
    }

    /// One that is logged in and has private data connections.
    pub(crate) fn user(rig: &Rig, config: &Arc<ClientConfig>) -> Self {
        let mut peer = Self::connect(rig.address, Arc::clone(config));
        peer.ask("USER anonymous", "331 Please specify the password.");
        peer.ask("PASS guest@example.org", "230 Login successful.");
        peer.ask("PBSZ 0", "200 PBSZ set to 0.");
        peer.ask("PROT P", "200 PROT now Private.");
        peer
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.control.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    /// The next line, without its end; empty once the server has ended, with `close_notify`.
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

    /// Opens a data connection by EPSV; its handshake comes after the 150.
    pub(crate) fn passive(&mut self) -> TcpStream {
        self.say("EPSV");
        let reply = self.line();
        let port =
            reply.strip_prefix("229 ").and_then(|rest| rest.split("|||").nth(1)?.split('|').next()?.parse().ok());
        let address = self.control.get_ref().sock.peer_addr().unwrap().ip();
        TcpStream::connect(SocketAddr::new(address, port.expect(&reply))).unwrap()
    }

    /// Makes the handshake of a data connection.
    pub(crate) fn secured(&self, data: TcpStream) -> Stream {
        secured(&self.config, data)
    }
}

fn secured(config: &Arc<ClientConfig>, socket: TcpStream) -> Stream {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let connection = ClientConnection::new(Arc::clone(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    stream
}

/// What came, and whether its end was said.
pub(crate) fn all_secured(mut data: Stream) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let is_whole = data.read_to_end(&mut bytes).is_ok();
    (bytes, is_whole)
}
