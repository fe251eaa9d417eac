//! Certificates for tests: an authority that is made anew by each process, a server's for loopback, and clients'.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Where they lie, as an operator would name them, all PEM.
#[derive(Debug)]
pub struct Certificates {
    /// The authority that has signed all others.
    pub authority: PathBuf,
    /// The server's certificate: `localhost`, `127.0.0.1`, `::1`.
    pub server: PathBuf,
    /// Its key.
    pub server_key: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: tempfile::TempDir,
}

/// A server's certificate that is good for nothing, or for somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// It has made it itself, as an authority's.
    SelfSigned,
    /// It is another host's.
    OfAnother,
    /// It has expired.
    Expired,
}

impl Certificates {
    /// Those of this process.
    ///
    /// # Panics
    /// Where they cannot be made or written.
    #[must_use]
    pub fn of_this_process() -> &'static Self {
        static MADE: OnceLock<Certificates> = OnceLock::new();
        MADE.get_or_init(Self::make)
    }

    fn make() -> Self {
        let directory = tempfile::tempdir().expect("there is room for temporary files");
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
        params.distinguished_name.push(DnType::CommonName, "authority of the tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("the parameters are right");
        let authority = directory.path().join("authority.pem");
        write(&authority, &issuer.pem());
        let (server, server_key) = sign_server(&issuer, directory.path(), "server");
        Self { authority, server, server_key, issuer, directory }
    }

    /// Another certificate for loopback, with this common name, and its key.
    ///
    /// # Panics
    /// Where it cannot be made or written.
    #[must_use]
    pub fn another_server(&self, name: &str) -> (PathBuf, PathBuf) {
        sign_server(&self.issuer, self.directory.path(), name)
    }

    /// A client's certificate with this common name, and its key.
    ///
    /// # Panics
    /// Where it cannot be made or written.
    #[must_use]
    pub fn client(&self, name: &str) -> (PathBuf, PathBuf) {
        let purpose = ExtendedKeyUsagePurpose::ClientAuth;
        sign(&self.issuer, self.directory.path(), (name, purpose), Vec::new())
    }

    /// A certificate that no client should take, and its key.
    ///
    /// # Panics
    /// Where it cannot be made or written.
    #[must_use]
    pub fn other(&self, which: Certificate) -> (PathBuf, PathBuf) {
        static MADE: Mutex<()> = Mutex::new(());
        // One process, many tests.
        let _made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |kind: &str| self.directory.path().join(format!("{which:?}.{kind}"));
        if at("key").exists() {
            return (at("pem"), at("key"));
        }
        let names = if which == Certificate::OfAnother { ["ftp.example.org"] } else { ["127.0.0.1"] };
        let mut params = CertificateParams::new(names.map(str::to_owned)).expect("the names are good names");
        params.distinguished_name.push(DnType::CommonName, "another");
        let own = key();
        let certificate = match which {
            Certificate::SelfSigned => {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                params.self_signed(&own)
            }
            Certificate::OfAnother => params.signed_by(&own, &self.issuer),
            Certificate::Expired => {
                params.not_before = rcgen::date_time_ymd(2020, 1, 1);
                params.not_after = rcgen::date_time_ymd(2021, 1, 1);
                params.signed_by(&own, &self.issuer)
            }
        };
        write(&at("pem"), &certificate.expect("the parameters are right").pem());
        write(&at("key"), &own.serialize_pem());
        (at("pem"), at("key"))
    }

    /// What a client goes by that trusts the authority. It keeps the sessions of one control connection.
    ///
    /// # Panics
    /// Where the certificates do not fit together.
    #[must_use]
    pub fn client_config(&self, at_most_12: bool, name: Option<&str>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("the authority's certificate is one");
        let versions: &[_] = if at_most_12 { &[&TLS12] } else { &[&TLS13, &TLS12] };
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("the provider has both")
            .with_root_certificates(roots);
        let Some(name) = name else { return config.with_no_client_auth() };
        let (certificate, key) = self.client(name);
        let certificate = CertificateDer::from_pem_file(certificate).expect("it was just written");
        let key = PrivateKeyDer::from_pem_file(key).expect("it was just written");
        config.with_client_auth_cert(vec![certificate], key).expect("they belong together")
    }
}

fn sign_server(issuer: &CertifiedIssuer<'static, KeyPair>, directory: &Path, name: &str) -> (PathBuf, PathBuf) {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    sign(issuer, directory, (name, ExtendedKeyUsagePurpose::ServerAuth), names.to_vec())
}

fn sign(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    directory: &Path,
    (name, purpose): (&str, ExtendedKeyUsagePurpose),
    names: Vec<String>,
) -> (PathBuf, PathBuf) {
    let mut params = CertificateParams::new(names).expect("the names are good names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages.push(purpose);
    params.use_authority_key_identifier_extension = true;
    let own = key();
    let certificate = params.signed_by(&own, issuer).expect("the parameters are right");
    let [at, key_at] = ["pem", "key"].map(|kind| directory.join(format!("{name}.{kind}")));
    write(&at, &certificate.pem());
    write(&key_at, &own.serialize_pem());
    (at, key_at)
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}

fn write(path: &Path, pem: &str) {
    fs::write(path, pem).expect("the directory is ours");
    // A key that others may read is refused.
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::chmod(path, mode).expect("the file is ours");
}
