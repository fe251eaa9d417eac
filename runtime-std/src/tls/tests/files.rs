//! What start refuses, and what it says.

use super::super::{ClientCertificates, make};
use super::client::Client;
use super::{Ground, TlsServer, pair, shake_hands};
use rcgen::{BasicConstraints, CertificateParams, DnType, DnValue, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn refused(change: impl FnOnce(&Ground)) -> String {
    let ground = Ground::new();
    change(&ground);
    let error = TlsServer::load(ground.server.files().clone()).unwrap_err().to_string();
    error.replace(&ground.directory.path().display().to_string(), "DIR")
}

#[test]
fn a_file_that_will_not_do_is_named_with_what_is_expected() {
    let missing = refused(|ground| fs::remove_file(&ground.server.files().certificate).unwrap());
    assert_eq!(
        missing,
        "tls_cert DIR/cert.pem: No such file or directory (os error 2)\nhint: name a PEM file with the server's \
         certificate first, then those between it and its authority; `cert` makes a self-signed one"
    );
    let empty = refused(|ground| fs::write(&ground.server.files().certificate, "hello\n").unwrap());
    assert!(empty.starts_with("tls_cert DIR/cert.pem: it holds no certificate\nhint: "), "{empty}");
    let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let garbled = refused(|ground| fs::write(&ground.server.files().certificate, garbled).unwrap());
    assert!(garbled.starts_with("tls_cert DIR/cert.pem: invalid peer certificate: "), "{garbled}");
    let certificate_for_key = refused(|ground| {
        fs::copy(&ground.server.files().certificate, &ground.server.files().key).unwrap();
    });
    assert!(certificate_for_key.starts_with("tls_key DIR/key.pem: it holds no private key\n"), "{certificate_for_key}");
    let other_key = refused(|ground| {
        let other = make::self_signed(&["localhost".to_owned()], 1).unwrap();
        fs::write(&ground.server.files().key, other.key.as_bytes()).unwrap();
    });
    let expected = "tls_key DIR/key.pem: it is not the key of the certificate in DIR/cert.pem\nhint: name a PEM file \
                    with the private key of tls_cert: PKCS #8, PKCS #1 or SEC1, without a pass phrase";
    assert_eq!(other_key, expected);
}

/// An authority, and what it signs.
struct Authority(Issuer<'static, KeyPair>, String);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self(Issuer::new(params, key), pem)
    }

    fn sign(&self, subject: &[(DnType, &str)]) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in subject {
            params.distinguished_name.push(kind.clone(), DnValue::Utf8String((*value).to_owned()));
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

/// A server that asks for certificates of this authority.
fn asking(authority: &Authority, how: ClientCertificates) -> Ground {
    Ground::with(|files| {
        let path = files.certificate.with_file_name("ca.pem");
        fs::write(&path, &authority.1).unwrap();
        files.client_authority = Some(path);
        files.client_certificates = how;
    })
}

#[test]
fn a_client_s_certificate_is_told_by_its_subject_also_where_it_resumes() {
    let authority = Authority::new();
    let subject = [(DnType::CountryName, "CH"), (DnType::OrganizationName, "A, B"), (DnType::CommonName, "scanner 1")];
    for (version, how) in [(&TLS12, ClientCertificates::Require), (&TLS13, ClientCertificates::Ask)] {
        let ground = asking(&authority, how);
        let client = Client::with(&ground, version, Some(authority.sign(&subject)));
        let session = ground.server.session();
        let expected = Some("CN=scanner 1,O=A\\, B,C=CH");
        assert_eq!(client.connect(&session, None).certificate.as_deref(), expected);
        let data = client.connect(&session, Some(mayfly_core::action::Direction::Send));
        assert_eq!((data.certificate.as_deref(), data.resumed), (expected, true));
    }
}

#[test]
fn who_has_no_certificate_or_a_wrong_one_comes_in_only_as_far_as_it_may() {
    use ClientCertificates::{Ask, Require};
    let (authority, stranger) = (Authority::new(), Authority::new());
    let subject = [(DnType::CommonName, "scanner 1")];
    for (how, own, is_let_in) in [
        (Ask, None, true),
        (Require, None, false),
        (Ask, Some(stranger.sign(&subject)), false),
        (Require, Some(stranger.sign(&subject)), false),
        (Require, Some(authority.sign(&subject)), true),
    ] {
        let ground = asking(&authority, how);
        let (socket, peer) = pair();
        let client = Client::with(&ground, &TLS13, own).run(peer);
        let mut stream = ground.server.session().control().unwrap();
        let outcome = shake_hands(&mut stream, &socket);
        assert_eq!(outcome.is_ok(), is_let_in, "{how:?} {outcome:?}");
        let _ = stream.end(&socket);
        drop(socket);
        let _ = client.join().unwrap();
    }
}

#[test]
fn a_made_certificate_is_never_written_over_and_its_key_is_the_owner_s_alone() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("new/tls");
    let made = make::self_signed(&["ftp.example.org".to_owned(), "::1".to_owned()], 30).unwrap();
    let (certificate, key) = make::save(&made, &out).unwrap();
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(made.fingerprint.len(), 95);
    let settings = make::settings(&made, &certificate, &key);
    let read: toml::Table = toml::from_str(&settings).unwrap();
    assert_eq!(read["tls_key"].as_str(), key.to_str());
    let again = make::save(&made, &out).unwrap_err().to_string();
    assert!(again.contains("key.pem is there already, and stays as it is"), "{again}");
    fs::remove_file(&key).unwrap();
    let again = make::save(&made, &out).unwrap_err().to_string();
    assert!(again.contains("cert.pem is there already"), "{again}");
    assert!(!key.exists(), "a key that is of no use is not left behind");
    assert!(make::self_signed(&["no host \u{e9}".to_owned()], 1).is_err());
}

#[test]
fn wrong_dates_and_an_open_key_are_warned_of_with_the_date() {
    let warnings = |change: fn(&mut CertificateParams), mode| {
        let ground = Ground::new();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let files = ground.server.files().clone();
        fs::write(&files.certificate, params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        fs::set_permissions(&files.key, fs::Permissions::from_mode(mode)).unwrap();
        let text = TlsServer::load(files).unwrap().warnings().join("; ");
        text.replace(&ground.directory.path().display().to_string(), "DIR")
    };
    assert_eq!(warnings(|_| {}, 0o640), "");
    let expired = "tls_cert DIR/cert.pem: it expired on 2001-02-03T00:00:00Z; clients will refuse it";
    assert_eq!(warnings(|params| params.not_after = rcgen::date_time_ymd(2001, 2, 3), 0o600), expired);
    let early = "tls_cert DIR/cert.pem: it holds only from 2999-02-03T00:00:00Z on; clients will refuse it";
    assert_eq!(warnings(|params| params.not_before = rcgen::date_time_ymd(2999, 2, 3), 0o600), early);
    let open = "tls_key DIR/key.pem: anybody on this host may read it; chmod o= would stop that";
    assert_eq!(warnings(|_| {}, 0o644), open);
}
