//! Whether a server's certificate is good, and what is said of one that is not.

use super::{TlsOptions, certificates};
use mayfly_core::client::event::{Fault, TlsFault};
use mayfly_core::date;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, InvalidMessage, RootCertStore, SignatureScheme};
use std::sync::Arc;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What judges a server's certificate.
pub(super) fn verifier(
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Fault> {
    let algorithms = provider.signature_verification_algorithms;
    if options.insecure {
        return Ok(Arc::new(Judge { algorithms, trust: Trust::Anybody }));
    }
    let mut roots = RootCertStore::empty();
    let known = if let Some(path) = &options.ca {
        certificates(path)?
    } else {
        // What of the host's list cannot be read is left out: others in it may do.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Vec::new()
    };
    roots.add_parsable_certificates(known.iter().cloned());
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    let chain = chain.map_err(|_| match &options.ca {
        Some(path) => Fault(format!("there is no certificate of use in {}", path.display())),
        None => Fault(NO_ROOTS.to_owned()),
    })?;
    Ok(Arc::new(Judge { algorithms, trust: Trust::Chain { chain, known } }))
}

#[derive(Debug)]
struct Judge {
    algorithms: WebPkiSupportedAlgorithms,
    trust: Trust,
}

#[derive(Debug)]
enum Trust {
    Anybody,
    /// Whom the authorities vouch for, and the `known` themselves.
    Chain {
        chain: Arc<WebPkiServerVerifier>,
        known: Vec<CertificateDer<'static>>,
    },
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.trust {
            Trust::Anybody => Ok(ServerCertVerified::assertion()),
            // Who makes a certificate for a server alone often makes it an authority's (openssl req -x509), which no
            // server may show by the rules; but here the user has named this very one.
            Trust::Chain { known, .. } if known.contains(shown) => {
                check_validity(shown, now)?;
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            Trust::Chain { chain, .. } => chain.verify_server_cert(shown, intermediates, name, ocsp, now),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, shown, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, shown, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn check_validity(shown: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (_, certificate) = X509Certificate::from_der(shown).map_err(|_| CertificateError::BadEncoding)?;
    let now_s = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = certificate.validity();
    if now_s > validity.not_after.timestamp() {
        let not_after = UnixTime::since_unix_epoch(seconds(validity.not_after.timestamp()));
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    if now_s < validity.not_before.timestamp() {
        let not_before = UnixTime::since_unix_epoch(seconds(validity.not_before.timestamp()));
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    Ok(())
}

fn seconds(since_epoch_s: i64) -> std::time::Duration {
    std::time::Duration::from_secs(u64::try_from(since_epoch_s).unwrap_or(0))
}

/// What went wrong, and for whom to mend.
pub(in super::super) fn fault_of(error: &Error) -> TlsFault {
    match error {
        Error::InvalidCertificate(wrong) => certificate_fault(wrong),
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            TlsFault::NoTls
        }
        Error::AlertReceived(alert) => TlsFault::Failed(Fault(format!("the server refuses it: {alert:?}"))),
        other => TlsFault::Failed(Fault(fit(&other.to_string()))),
    }
}

fn certificate_fault(wrong: &CertificateError) -> TlsFault {
    let day = |at: &UnixTime| date::rfc3339(i64::try_from(at.as_secs()).unwrap_or(i64::MAX));
    match wrong {
        // An authority's certificate that a server shows as its own is one that it has made itself.
        CertificateError::UnknownIssuer | CertificateError::Other(_) => {
            TlsFault::Untrusted(Fault("nobody who is trusted here vouches for its certificate".to_owned()))
        }
        // One of the same name that is trusted has another key: what a server has made itself was made anew.
        CertificateError::BadSignature | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            let what =
                "nobody who is trusted here vouches for its certificate; one of that name is trusted, with another key";
            TlsFault::Untrusted(Fault(what.to_owned()))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let good_for = if presented.is_empty() {
                "no name".to_owned()
            } else {
                presented.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ")
            };
            let what = format!("its certificate is good for {good_for}, and not for {}", expected.to_str());
            TlsFault::WrongName(Fault(fit(&what)))
        }
        CertificateError::NotValidForName => {
            TlsFault::WrongName(Fault("its certificate is good for another name".to_owned()))
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            TlsFault::OutOfDate(Fault(format!("its certificate has expired, at {}", day(not_after))))
        }
        CertificateError::Expired => TlsFault::OutOfDate(Fault("its certificate has expired".to_owned())),
        CertificateError::NotValidYetContext { not_before, .. } => {
            TlsFault::OutOfDate(Fault(format!("its certificate is not valid before {}", day(not_before))))
        }
        CertificateError::NotValidYet => TlsFault::OutOfDate(Fault("its certificate is not valid yet".to_owned())),
        other => TlsFault::Untrusted(Fault(fit(&format!("its certificate is not good: {other}")))),
    }
}

/// A name without what kind it is: `localhost` of `DnsName("localhost")`.
fn plain(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.map_or(name, |inner| inner.trim_matches('"'))
}

/// A certificate's words are a stranger's, and may be long.
fn fit(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { '?' } else { c }).collect()
}

const SHOWN_CHARS_MAX: usize = 300;
const NO_ROOTS: &str =
    "this host has no list of whom to trust (it comes with the package ca-certificates); --ca names one";
