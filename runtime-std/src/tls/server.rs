//! What the operator has set about TLS, and what one control connection makes of it.

use super::client_certificate;
use super::pem::{self, TlsFileError};
use super::resumption::{DataSessions, OwnSessions, TICKETS};
use super::stream::TlsStream;
use crate::clock::{Clock as _, SystemClock};
use mayfly_core::action::Direction;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion, version};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where certificates and keys lie, and what is asked of clients. A change of what the files hold comes into force when
/// the settings are read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and its authority; PEM.
    pub certificate: PathBuf,
    /// Its private key; PEM.
    pub key: PathBuf,
    /// The oldest version that is spoken.
    pub version_min: TlsVersion,
    /// Whether clients are asked for a certificate.
    pub client_certificates: ClientCertificates,
    /// Whose signature a client's certificate must bear; PEM.
    pub client_authority: Option<PathBuf>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// 1.2 (RFC 5246).
    #[default]
    V1_2,
    /// 1.3 (RFC 8446).
    V1_3,
}

/// Whether clients are asked for a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// No.
    #[default]
    None,
    /// Yes; one that has none comes in without, one that shows a wrong one does not.
    Ask,
    /// Yes, and whoever has none does not come in.
    Require,
}

/// TLS as the operator has set it, ready to serve. Clones share it.
#[derive(Clone, Debug)]
pub struct TlsServer {
    files: Arc<TlsFiles>,
    config: Arc<ServerConfig>,
    warnings: Arc<[String]>,
}

/// Two that were made of the same settings are equal, whatever the files held at the time.
impl PartialEq for TlsServer {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

impl Eq for TlsServer {}

/// The TLS of one control connection and its data connections. These resume its session and no other's, for nobody else
/// has the secrets.
#[derive(Clone, Debug)]
pub struct TlsSession {
    config: Arc<ServerConfig>,
    own: Arc<OwnSessions>,
}

impl TlsServer {
    /// Reads the files, and holds that they fit together.
    ///
    /// # Errors
    /// [`TlsFileError`]
    pub fn load(files: TlsFiles) -> Result<Self, TlsFileError> {
        let provider = Arc::new(ring::default_provider());
        let chain = pem::certificates("tls_cert", &files.certificate, pem::CERTIFICATE_HINT)?;
        let key = pem::private_key("tls_key", &files.key)?;
        let misdated = client_certificate::misdated(&files.certificate, &chain, SystemClock.now().utc_s);
        let warnings = misdated.into_iter().chain(pem::is_open(&files.key)).collect();
        let verifier = verifier(&files, &provider)?;
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions(files.version_min))
            .map_err(|error| unusable(&files.certificate, &error))?;
        let mut config = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        }
        .with_single_cert(chain, key)
        .map_err(|error| misfit(&files, &error))?;
        // Each control connection has its own.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = TICKETS;
        Ok(Self { files: Arc::new(files), config: Arc::new(config), warnings })
    }

    /// What an operator should know of the files, a line each: a certificate whose time has not come or is over, a key
    /// that anybody may read.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What it was made of.
    #[must_use]
    pub fn files(&self) -> &TlsFiles {
        &self.files
    }

    /// The TLS of a new control connection.
    #[must_use]
    pub fn session(&self) -> TlsSession {
        let own = Arc::new(OwnSessions::default());
        let mut config = ServerConfig::clone(&self.config);
        config.session_storage = Arc::clone(&own) as _;
        TlsSession { config: Arc::new(config), own }
    }
}

impl TlsSession {
    /// The control connection's stream; its handshake has not begun.
    ///
    /// # Errors
    /// The library's, which has none for settings that were loaded.
    pub fn control(&self) -> io::Result<TlsStream> {
        let connection = ServerConnection::new(Arc::clone(&self.config)).map_err(io::Error::other)?;
        Ok(TlsStream::new(connection, None))
    }

    /// A data connection's stream; its handshake has not begun.
    ///
    /// # Errors
    /// As [`TlsSession::control`].
    pub fn data(&self, direction: Direction) -> io::Result<TlsStream> {
        let sessions = Arc::new(DataSessions::new(Arc::clone(&self.own)));
        let mut config = ServerConfig::clone(&self.config);
        config.session_storage = Arc::clone(&sessions) as _;
        config.send_tls13_tickets = match direction {
            // In place of the one that it may have used up.
            Direction::Send => 1,
            // A client that only sends leaves it unread, and its close is a reset then: the upload's end would be lost.
            Direction::Receive => 0,
        };
        let connection = ServerConnection::new(Arc::new(config)).map_err(io::Error::other)?;
        Ok(TlsStream::new(connection, Some(sessions)))
    }
}

fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    match min {
        TlsVersion::V1_2 => FROM_1_2,
        TlsVersion::V1_3 => FROM_1_3,
    }
}

/// Who holds clients' certificates against the authorities; none where clients are not asked for any.
fn verifier(
    files: &TlsFiles,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsFileError> {
    let Some(path) = &files.client_authority else { return Ok(None) };
    let wrong = |error: &dyn std::fmt::Display| TlsFileError::new("tls_client_ca", path, error, pem::AUTHORITY_HINT);
    let mut authorities = RootCertStore::empty();
    for authority in pem::certificates("tls_client_ca", path, pem::AUTHORITY_HINT)? {
        authorities.add(authority).map_err(|error| wrong(&error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(provider));
    let builder = match files.client_certificates {
        ClientCertificates::None => return Ok(None),
        ClientCertificates::Ask => builder.allow_unauthenticated(),
        ClientCertificates::Require => builder,
    };
    builder.build().map(Some).map_err(|error: VerifierBuilderError| wrong(&error))
}

/// A certificate and key that the library does not take.
fn misfit(files: &TlsFiles, error: &rustls::Error) -> TlsFileError {
    match error {
        rustls::Error::InconsistentKeys(_) => TlsFileError::new(
            "tls_key",
            &files.key,
            format_args!("it is not the key of the certificate in {}", files.certificate.display()),
            pem::KEY_HINT,
        ),
        rustls::Error::InvalidCertificate(_) => unusable(&files.certificate, error),
        _ => TlsFileError::new("tls_key", &files.key, error, pem::KEY_HINT),
    }
}

fn unusable(path: &Path, error: &rustls::Error) -> TlsFileError {
    TlsFileError::new("tls_cert", path, error, pem::CERTIFICATE_HINT)
}

static FROM_1_2: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
static FROM_1_3: &[&SupportedProtocolVersion] = &[&version::TLS13];
