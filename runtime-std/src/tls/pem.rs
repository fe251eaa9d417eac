//! Certificates and keys as files.

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{error, fmt, fs, io};

/// Why a certificate or key of the settings cannot be used. Its text names the setting, the file and what is expected.
#[derive(Debug)]
pub struct TlsFileError {
    setting: &'static str,
    path: PathBuf,
    problem: String,
    hint: &'static str,
}

impl TlsFileError {
    pub(super) fn new(setting: &'static str, path: &Path, problem: impl fmt::Display, hint: &'static str) -> Self {
        Self { setting, path: path.to_owned(), problem: problem.to_string(), hint }
    }
}

impl fmt::Display for TlsFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, path, problem, hint } = self;
        write!(f, "{setting} {}: {problem}\nhint: {hint}", path.display())
    }
}

impl error::Error for TlsFileError {}

/// The certificates of a PEM file, in its order, one at least.
pub(super) fn certificates(
    setting: &'static str,
    path: &Path,
    hint: &'static str,
) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let text = read(setting, path, hint)?;
    let all: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(TlsFileError::new(setting, path, "it holds no certificate", hint)),
        Err(error) => Err(TlsFileError::new(setting, path, error, hint)),
    }
}

/// The first private key of a PEM file.
pub(super) fn private_key(setting: &'static str, path: &Path) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    let text = read(setting, path, KEY_HINT)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsFileError::new(setting, path, "it holds no private key", KEY_HINT),
        error => TlsFileError::new(setting, path, error, KEY_HINT),
    })
}

/// Warns where anybody on the host may read the key.
pub(super) fn is_open(path: &Path) -> Option<String> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    let warning = || format!("tls_key {}: anybody on this host may read it; chmod o= would stop that", path.display());
    (mode & 0o007 != 0).then(warning)
}

fn read(setting: &'static str, path: &Path, hint: &'static str) -> Result<Vec<u8>, TlsFileError> {
    let length = fs::metadata(path).map(|of| of.len());
    let text = match length {
        Ok(length) if length > FILE_BYTES_MAX => Err(io::Error::other("it is far too large for such a file")),
        Ok(_) => fs::read(path),
        Err(error) => Err(error),
    };
    text.map_err(|error| TlsFileError::new(setting, path, error, hint))
}

pub(super) const CERTIFICATE_HINT: &str = "name a PEM file with the server's certificate first, then those between it and \
                                           its authority; `cert` makes a self-signed one";
pub(super) const KEY_HINT: &str =
    "name a PEM file with the private key of tls_cert: PKCS #8, PKCS #1 or SEC1, without a pass phrase";
pub(super) const AUTHORITY_HINT: &str = "name a PEM file with the certificates of the authorities that sign clients'";
/// Far more than all authorities of a host.
const FILE_BYTES_MAX: u64 = 16 << 20;
