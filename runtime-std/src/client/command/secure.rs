//! How the connection is secured: the flags about TLS.

use super::super::progress::say;
use super::super::{ClientCertificate, Failure, Tls, TlsOptions, TlsSetup};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Of every client command.
#[derive(Debug, Args)]
pub(crate) struct SecureArgs {
    /// How to secure the session, data connections included; ftps:// is implicit, ftpes:// explicit, ftp:// none
    #[arg(long, value_name = "HOW", value_enum)]
    pub(super) tls: Option<How>,
    /// PEM file with the certificates to trust in place of this host's list: an authority's, or the server's own
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Take any certificate: then nobody knows who is at the other end
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,
    /// PEM file with a certificate of your own, for a server that asks for one
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// PEM file with its private key, where that stands in a file of its own
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
}

/// The values of `--tls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum How {
    /// Everything goes in clear
    None,
    /// AUTH TLS before the login, on the port of FTP
    Explicit,
    /// TLS from the first byte on, on a port of its own: 990
    Implicit,
}

impl From<How> for Tls {
    fn from(how: How) -> Self {
        match how {
            How::None => Self::None,
            How::Explicit => Self::Explicit,
            How::Implicit => Self::Implicit,
        }
    }
}

impl SecureArgs {
    /// What the files say; nothing is read where nothing is secured.
    pub(super) fn setup(&self, tls: Tls) -> Result<Option<TlsSetup>, Failure> {
        if tls.is_none() {
            return Ok(None);
        }
        if self.insecure {
            say(
                &"warning: the server's certificate is not checked; anybody may be at the other end, and read all of it",
            );
        }
        let key = |chain: &PathBuf| self.key.clone().unwrap_or_else(|| chain.clone());
        let certificate = self.cert.as_ref().map(|chain| ClientCertificate { chain: chain.clone(), key: key(chain) });
        TlsSetup::read(&TlsOptions { ca: self.ca.clone(), insecure: self.insecure, certificate }).map(Some)
    }

    /// Whether these flags ask for anything that only TLS gives.
    pub(super) fn are_idle(&self, tls: Tls) -> bool {
        tls.is_none() && (self.ca.is_some() || self.insecure || self.cert.is_some())
    }
}
