//! What a certificate says: whose it is, and from when to when it holds.

use rustls::pki_types::CertificateDer;
use std::fmt::Write as _;
use std::path::Path;
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The subject of a certificate, as RFC 4514 writes it: the most special part first, as in `CN=scanner 1,O=Example,C=CH`.
/// Two certificates of one authority with different subjects never read the same, for whatever has a meaning in this form
/// is escaped. None: it has none, or it cannot be read.
pub(super) fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let text = written(certificate.subject());
    (!text.is_empty()).then_some(text)
}

/// Why clients will refuse a certificate of ours on that day, UTC seconds; none: its dates are right.
pub(super) fn misdated(path: &Path, chain: &[CertificateDer<'_>], now_s: i64) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(chain.first()?).ok()?;
    let (validity, path) = (certificate.validity(), path.display());
    if now_s > validity.not_after.timestamp() {
        Some(format!("tls_cert {path}: it expired on {}; clients will refuse it", date(validity.not_after)))
    } else if now_s < validity.not_before.timestamp() {
        Some(format!("tls_cert {path}: it holds only from {} on; clients will refuse it", date(validity.not_before)))
    } else {
        None
    }
}

fn date(time: ASN1Time) -> String {
    mayfly_core::date::rfc3339(time.timestamp())
}

/// RFC 4514 2.1: the last of the sequence comes first.
fn written(name: &X509Name<'_>) -> String {
    let parts: Vec<String> =
        name.iter_rdn().map(|part| part.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

/// RFC 4514 2.3: those of its table by name, others by their number and in hex.
fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let number = attribute.attr_type().to_id_string();
    let name = NAMES.iter().find(|(of, _)| *of == number).map(|(_, name)| *name);
    if let (Some(name), Ok(value)) = (name, attribute.as_str()) {
        return format!("{name}={}", escaped(value));
    }
    let value = attribute.attr_value().data;
    value.iter().fold(format!("{number}=#"), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// RFC 4514 2.4.
fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut text = String::new();
    for (at, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => text.extend(['\\', character]),
            ' ' if at == 0 || at == last => text.extend(['\\', ' ']),
            '#' if at == 0 => text.push_str("\\#"),
            control if control.is_control() => {
                for byte in control.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a string does not fail.
                    let _ = write!(text, "\\{byte:02X}");
                }
            }
            other => text.push(other),
        }
    }
    text
}

/// The table of RFC 4514 3, and the mail address that many certificates bear.
const NAMES: [(&str, &str); 10] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_is_escaped() {
        for (value, expected) in [
            ("scanner 1", "scanner 1"),
            ("a,O=b", "a\\,O=b"),
            (" x ", "\\ x\\ "),
            ("#1", "\\#1"),
            ("\u{7}\u{9b}", "\\07\\C2\\9B"),
            ("Zürich+\"", "Zürich\\+\\\""),
            (" ", "\\ "),
        ] {
            assert_eq!(escaped(value), expected, "{value:?}");
        }
    }
}
