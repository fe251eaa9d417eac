//! What the settings of TLS may look like, and the server's TLS that comes of them.

use super::file::{self, File, SettingsError};
use super::table::{Chosen, Given};
use super::values::Form;
use crate::tls::{ClientCertificates, TlsFiles, TlsServer, TlsVersion};
use mayfly_core::settings::{RequireTls, TlsRules};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// A PEM file, or none.
#[derive(Clone, Debug)]
pub(crate) struct PemFile(pub(crate) Option<PathBuf>);

impl Form for PemFile {
    fn form() -> String {
        "the name of a PEM file, or \"none\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "" => None,
            "none" => Some(Self(None)),
            name => Some(Self(Some(PathBuf::from(name)))),
        }
    }
}

/// Where to listen for connections that begin with TLS. A port that is left out is 990.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImplicitAddress(pub(crate) SocketAddr);

impl Form for ImplicitAddress {
    fn form() -> String {
        "an address and port such as \"0.0.0.0:990\" or \"[::]:990\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        let bare = || text.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        text.parse().ok().or_else(|| Some(SocketAddr::new(bare()?, crate::net::IMPLICIT_TLS_PORT))).map(Self)
    }
}

impl Form for RequireTls {
    fn form() -> String {
        "\"none\", \"login\" or \"data\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::Nothing),
            "login" => Some(Self::Login),
            "data" => Some(Self::Data),
            _ => None,
        }
    }
}

impl Form for TlsVersion {
    fn form() -> String {
        "\"1.2\" or \"1.3\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "1.2" => Some(Self::V1_2),
            "1.3" => Some(Self::V1_3),
            _ => None,
        }
    }
}

impl Form for ClientCertificates {
    fn form() -> String {
        "\"none\", \"ask\" or \"require\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "ask" => Some(Self::Ask),
            "require" => Some(Self::Require),
            _ => None,
        }
    }
}

/// How the core uses TLS; none: there is no certificate.
pub(super) fn rules(chosen: &Chosen) -> Option<TlsRules> {
    chosen.tls_cert.0.is_some().then_some(TlsRules {
        require: chosen.require_tls,
        require_resumption: chosen.tls_require_resumption,
        require_close_notify: chosen.tls_require_close_notify,
    })
}

/// The files that the settings name; none: there is no certificate.
pub(super) fn files(chosen: &Chosen) -> Option<TlsFiles> {
    Some(TlsFiles {
        certificate: chosen.tls_cert.0.clone()?,
        key: chosen.tls_key.0.clone().unwrap_or_default(),
        version_min: chosen.tls_min_version,
        client_certificates: chosen.tls_client_certificates,
        client_authority: chosen.tls_client_ca.0.clone(),
    })
}

/// Whether a setting stands without one that it needs: its name, whether a flag gave it, and what is wrong.
pub(super) fn hold(chosen: &Chosen, flags: &Given, config: Option<&File>) -> Result<(), SettingsError> {
    let (has_certificate, has_key) = (chosen.tls_cert.0.is_some(), chosen.tls_key.0.is_some());
    let asks = chosen.tls_client_certificates != ClientCertificates::None;
    let conflict = |name, by_flag, problem| Err(file::conflict(config, name, by_flag, problem));
    if has_certificate && !has_key {
        return conflict("tls_cert", flags.tls_cert.is_some(), "tls_key must name the file with its private key");
    }
    if has_key && !has_certificate {
        return conflict("tls_key", flags.tls_key.is_some(), "tls_cert must name the file with its certificate");
    }
    if !has_certificate && chosen.require_tls != RequireTls::Nothing {
        return conflict("require_tls", flags.require_tls.is_some(), "it needs tls_cert and tls_key");
    }
    if !has_certificate && flags_or_file_listen_tls(flags, config) {
        return conflict("listen_tls", flags.listen_tls.is_some(), "it needs tls_cert and tls_key");
    }
    if asks && chosen.tls_client_ca.0.is_none() {
        let by_flag = flags.tls_client_certificates.is_some();
        return conflict("tls_client_certificates", by_flag, "tls_client_ca must name those who sign them");
    }
    if !asks && chosen.tls_client_ca.0.is_some() {
        let problem = "tls_client_certificates must be \"ask\" or \"require\", or nobody is asked";
        return conflict("tls_client_ca", flags.tls_client_ca.is_some(), problem);
    }
    Ok(())
}

fn flags_or_file_listen_tls(flags: &Given, config: Option<&File>) -> bool {
    let given = flags.listen_tls.as_ref().or_else(|| config.and_then(|file| file.given.listen_tls.as_ref()));
    given.is_some_and(|addresses| !addresses.is_empty())
}

/// Reads the files.
pub(super) fn load(files: Option<TlsFiles>) -> Result<Option<TlsServer>, SettingsError> {
    files.map(TlsServer::load).transpose().map_err(SettingsError::Tls)
}
