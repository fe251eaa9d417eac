//! TLS at the client's side: whom it trusts, and who it is (RFC 4217).

mod sessions;
mod trust;

use super::source::fault;
use super::{Failure, FailureKind};
use mayfly_core::client::event::{Fault, TlsFault};
use rustls::client::{ClientConfig, ClientConnection, Resumption, WantsClientCert};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ConfigBuilder, SupportedProtocolVersion};
use sessions::Sessions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
pub(super) use trust::fault_of;

/// Whom a client trusts, and who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// PEM file with the certificates of those whom it trusts, in place of the host's list. A server's own certificate may
    /// stand there too.
    pub ca: Option<PathBuf>,
    /// Whether it takes any certificate of any server. Then nobody knows who is at the other end.
    pub insecure: bool,
    /// What it shows to a server that asks who it is.
    pub certificate: Option<ClientCertificate>,
}

/// A client's own certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM file with the certificate and those that lead to its authority.
    pub chain: PathBuf,
    /// PEM file with its private key; it may be the same file.
    pub key: PathBuf,
}

/// The same, read and ready for any number of connections.
#[derive(Clone, Debug)]
pub struct TlsSetup {
    base: Arc<ClientConfig>,
    /// The same without TLS 1.3.
    at_most_12: Arc<ClientConfig>,
}

impl TlsSetup {
    /// Reads the files that the options name, or the host's list of authorities.
    ///
    /// # Errors
    /// [`FailureKind::Local`]: a file cannot be read, or holds nothing of use.
    pub fn read(options: &TlsOptions) -> Result<Self, Failure> {
        Self::load(options).map_err(|fault| Failure::new(FailureKind::Local, fault.0))
    }

    pub(super) fn load(options: &TlsOptions) -> Result<Self, Fault> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = trust::verifier(options, &provider)?;
        let config = |versions: &[&'static SupportedProtocolVersion]| {
            let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
            let builder = builder.with_protocol_versions(versions).map_err(|error| Fault(error.to_string()))?;
            let builder = builder.dangerous().with_custom_certificate_verifier(Arc::clone(&verifier));
            let config = match &options.certificate {
                None => builder.with_no_client_auth(),
                Some(certificate) => certificate.used_by(builder)?,
            };
            Ok(Arc::new(config))
        };
        Ok(Self { base: config(&[&TLS13, &TLS12])?, at_most_12: config(&[&TLS12])? })
    }

    /// What a control connection and its data connections have in common: TLS sessions that no other has part in, so that
    /// no handshake with somebody else takes their place.
    pub(super) fn for_session(&self, at_most_12: bool) -> Session {
        let mut config = ClientConfig::clone(if at_most_12 { &self.at_most_12 } else { &self.base });
        config.resumption = Resumption::store(Arc::new(Sessions::default()));
        Session(Arc::new(config))
    }
}

impl ClientCertificate {
    fn used_by(&self, builder: ConfigBuilder<ClientConfig, WantsClientCert>) -> Result<ClientConfig, Fault> {
        let cannot_use = |why: &dyn std::fmt::Display| Fault(format!("cannot use {}: {why}", self.key.display()));
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| cannot_use(&said(&error)))?;
        builder.with_client_auth_cert(certificates(&self.chain)?, key).map_err(|error| cannot_use(&error))
    }
}

/// One control session's way to secure connections.
#[derive(Clone, Debug)]
pub(super) struct Session(Arc<ClientConfig>);

impl Session {
    /// The client's end of a connection to that host.
    pub(super) fn connect(&self, host: &str) -> Result<ClientConnection, TlsFault> {
        // A name may be written with the root's dot; certificates never are.
        let name = ServerName::try_from(host.strip_suffix('.').unwrap_or(host).to_owned());
        let name =
            name.map_err(|_| TlsFault::WrongName(Fault(format!("no certificate is good for the name {host}"))))?;
        ClientConnection::new(Arc::clone(&self.0), name).map_err(|error| fault_of(&error))
    }
}

/// All certificates in a file.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let cannot_read = |why: &dyn std::fmt::Display| Fault(format!("cannot read {}: {why}", path.display()));
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| cannot_read(&said(&error)))?;
    if read.is_empty() { Err(cannot_read(&"there is no PEM certificate in it")) } else { Ok(read) }
}

/// Why there is nothing of use in a PEM file.
fn said(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => fault(error).0,
        pem::Error::NoItemsFound => "there is no PEM key in it".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_without_certificates_is_told_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let told = |options: &TlsOptions| TlsSetup::read(options).unwrap_err();
        let ca = TlsOptions { ca: Some(path.clone()), ..TlsOptions::default() };
        let gone = told(&ca);
        assert!(gone.kind == FailureKind::Local && gone.what.contains("ca.pem"), "{gone}");
        fs::write(&path, "no certificate").unwrap();
        assert!(told(&ca).what.contains("no PEM certificate"));
        let key = ClientCertificate { chain: path.clone(), key: path };
        let no_key = told(&TlsOptions { insecure: true, certificate: Some(key), ..TlsOptions::default() });
        assert!(no_key.what.contains("no PEM key"), "{no_key}");
    }

    #[test]
    fn a_name_that_no_certificate_has_is_never_connected_to() {
        let options = TlsOptions { insecure: true, ..TlsOptions::default() };
        let session = TlsSetup::read(&options).unwrap().for_session(false);
        for host in ["ftp.example.org", "ftp.example.org.", "192.0.2.1", "2001:db8::1"] {
            assert!(session.connect(host).is_ok(), "{host}");
        }
        assert!(matches!(session.connect("a b"), Err(TlsFault::WrongName(_))));
    }
}
