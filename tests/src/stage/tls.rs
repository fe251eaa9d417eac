//! TLS as transcripts have it.

use crate::transcript::script::TlsSetup;
use mayfly_core::event::TlsInfo;

/// What a handshake comes to where none is made in earnest.
pub(super) fn agreed(setup: &TlsSetup, resumed: bool) -> TlsInfo {
    let (protocol, cipher) = if setup.at_most_12 {
        ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
    } else {
        ("TLSv1.3", "TLS13_AES_256_GCM_SHA384")
    };
    let certificate = setup.certificate.as_ref().map(|name| format!("CN={name}"));
    TlsInfo { protocol: protocol.to_owned(), cipher: cipher.to_owned(), resumed, certificate }
}
