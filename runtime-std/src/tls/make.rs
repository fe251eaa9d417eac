//! The `cert` command: a self-signed certificate and its key, for whoever has none of an authority.

use crate::clock::{Clock as _, SystemClock};
use crate::complain::complain;
use crate::exit::Exit;
use clap::Args;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use sha2::{Digest as _, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::{error, fmt};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// What the `cert` command is told.
#[derive(Debug, Args)]
pub struct CertArgs {
    /// Directory for the two files, cert.pem and key.pem; made if missing, and neither is ever overwritten
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Host name or address that clients connect to, again for each further one
    #[arg(long = "name", value_name = "HOST", required = true, num_args = 1..)]
    names: Vec<String>,
    /// How long it holds, in days
    #[arg(long, value_name = "N", default_value_t = 825, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
}

/// A certificate that was made.
#[derive(Debug)]
pub struct Made {
    /// The certificate; PEM.
    pub certificate: String,
    /// Its private key, PKCS #8; PEM.
    pub key: Zeroizing<String>,
    /// SHA-256 over the certificate, as clients show it: `AB:CD:..`.
    pub fingerprint: String,
}

/// Why no certificate was made.
#[derive(Debug)]
pub enum MakeError {
    /// A name is neither a host's nor an address, or the library failed.
    Certificate(rcgen::Error),
    /// The host has no room or no right for a file, or one is there already.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(error) => {
                write!(f, "no certificate can be made: {error}")?;
                f.write_str("\nhint: --name takes a host name such as ftp.example.org, or an IP address")
            }
            Self::File { path, error } if error.kind() == io::ErrorKind::AlreadyExists => {
                write!(f, "{} is there already, and stays as it is", path.display())?;
                f.write_str("\nhint: name another directory with --out, or move that file away")
            }
            Self::File { path, error } => write!(f, "cannot write {}: {error}", path.display()),
        }
    }
}

impl error::Error for MakeError {}

/// Does the `cert` command: prints the settings that name the two files, with the fingerprint as a comment.
pub(crate) fn certificate(args: &CertArgs) -> Exit {
    let made = self_signed(&args.names, args.days).and_then(|made| {
        let files = save(&made, &args.out)?;
        Ok((made, files))
    });
    let text = match made {
        Ok((made, (certificate, key))) => settings(&made, &certificate, &key),
        Err(error) => {
            complain(&error);
            return if matches!(error, MakeError::Certificate(_)) { Exit::Usage } else { Exit::LocalFile };
        }
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&error);
            Exit::LocalFile
        }
        _ => Exit::Done,
    }
}

/// A self-signed certificate of these host names and addresses, one at least, that holds from now on for so many days.
///
/// # Errors
/// [`MakeError::Certificate`]
pub fn self_signed(names: &[String], days: u32) -> Result<Made, MakeError> {
    let key = KeyPair::generate().map_err(MakeError::Certificate)?;
    let mut params = CertificateParams::new(names).map_err(MakeError::Certificate)?;
    let now = OffsetDateTime::from_unix_timestamp(SystemClock.now().utc_s).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    // A client's clock may be somewhat behind ours.
    params.not_before = now.saturating_sub(Duration::days(1));
    params.not_after = now.saturating_add(Duration::days(days.into()));
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(name) = names.first() {
        params.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key).map_err(MakeError::Certificate)?;
    let digest = Sha256::digest(certificate.der());
    let fingerprint = digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
    Ok(Made { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()), fingerprint })
}

/// Writes both files into `directory`; tells their names. Nobody but their owner may read the key.
pub(super) fn save(made: &Made, directory: &Path) -> Result<(PathBuf, PathBuf), MakeError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| MakeError::File { path, error }
    };
    fs::create_dir_all(directory).map_err(at(directory))?;
    let directory = directory.canonicalize().map_err(at(directory))?;
    let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    write_new(&key, made.key.as_bytes(), 0o600).map_err(at(&key))?;
    if let Err(error) = write_new(&certificate, made.certificate.as_bytes(), 0o644) {
        // A key that is of no use would be in the way the next time.
        let _ = fs::remove_file(&key);
        return Err(at(&certificate)(error));
    }
    Ok((certificate, key))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).inspect_err(|_| {
        // Half a file would be in the way the next time.
        let _ = fs::remove_file(path);
    })
}

pub(super) fn settings(made: &Made, certificate: &Path, key: &Path) -> String {
    let quoted = |path: &Path| toml::Value::from(path.display().to_string());
    format!(
        "# SHA-256 fingerprint: {}\ntls_cert = {}\ntls_key = {}\n",
        made.fingerprint,
        quoted(certificate),
        quoted(key)
    )
}
