//! A client that keeps its sessions as an FTP client does.

use super::{Ground, pair, shake_hands};
use mayfly_core::action::Direction;
use mayfly_core::event::TlsInfo;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use std::io::{self, Read as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

pub(super) type Version = &'static SupportedProtocolVersion;
pub(super) type ClientStream = StreamOwned<ClientConnection, TcpStream>;

/// One client, with the sessions of all its connections.
#[derive(Clone)]
pub(super) struct Client(Arc<ClientConfig>);

impl Client {
    pub(super) fn new(ground: &Ground, version: Version) -> Self {
        Self::with(ground, version, None)
    }

    /// One with a certificate of its own.
    pub(super) fn with(
        ground: &Ground,
        version: Version,
        own: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&ground.server.files().certificate).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match own {
            Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::in_memory_sessions(32);
        Self(Arc::new(config))
    }

    /// A stream whose handshake has not begun.
    pub(super) fn stream(&self, socket: TcpStream) -> ClientStream {
        let connection = ClientConnection::new(Arc::clone(&self.0), "localhost".try_into().unwrap()).unwrap();
        StreamOwned::new(connection, socket)
    }

    /// Shakes hands, reads until the server ends, and is gone.
    pub(super) fn run(&self, socket: TcpStream) -> JoinHandle<io::Result<Vec<u8>>> {
        let mut stream = self.stream(socket);
        thread::spawn(move || {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).map(|_| bytes)
        })
    }

    /// One connection of a session from its handshake to its end; what the server says of it. A direction: a data
    /// connection.
    pub(super) fn connect(&self, session: &super::super::TlsSession, data: Option<Direction>) -> TlsInfo {
        let (socket, peer) = pair();
        let client = self.run(peer);
        let mut stream = match data {
            Some(direction) => session.data(direction).unwrap(),
            None => session.control().unwrap(),
        };
        let info = shake_hands(&mut stream, &socket).unwrap();
        stream.end(&socket).unwrap();
        assert_eq!(client.join().unwrap().unwrap(), b"");
        info
    }
}
