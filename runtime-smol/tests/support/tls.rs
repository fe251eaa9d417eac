//! A server's certificate that trusts in itself, and clients that trust it.

#![expect(clippy::unwrap_used, reason = "a test ends where its peer fails")]

use crate::support::{PATIENCE, Running};
use mayfly_std::tls::{ClientCertificates, TlsFiles, TlsServer, TlsVersion};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use tempfile::NamedTempFile;

/// A secured control connection.
pub(crate) type Secured = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// The certificate and its key, PEM.
pub(crate) fn certificate() -> (NamedTempFile, NamedTempFile) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let file = |pem: &str| {
        let file = NamedTempFile::new().unwrap();
        fs::write(file.path(), pem).unwrap();
        file
    };
    (file(&made.cert.pem()), file(&made.signing_key.serialize_pem()))
}

pub(crate) fn server(certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> TlsServer {
    let files = TlsFiles {
        certificate: certificate.as_ref().to_owned(),
        key: key.as_ref().to_owned(),
        version_min: TlsVersion::V1_2,
        client_certificates: ClientCertificates::None,
        client_authority: None,
    };
    TlsServer::load(files).unwrap()
}

pub(crate) fn client(certificate: impl AsRef<Path>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

pub(crate) fn log_in(server: &Running, config: &Arc<ClientConfig>) -> Secured {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(b"AUTH TLS\r\n").unwrap();
    let mut clear = [0; "220 Welcome to the FTP Server\r\n234 Proceed with negotiation.\r\n".len()];
    stream.read_exact(&mut clear).unwrap();
    let name = ServerName::IpAddress(server.address().ip().into());
    let tls = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut secured = BufReader::new(StreamOwned::new(tls, stream));
    for (line, code) in [("USER anonymous", "331"), ("PASS guest", "230"), ("NOOP", "200")] {
        secured.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let mut reply = String::new();
        secured.read_line(&mut reply).unwrap();
        assert!(reply.starts_with(code), "{reply}");
    }
    secured
}
