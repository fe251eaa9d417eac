//! TLS: when the handshakes come, and what is refused without them.

use super::host::{Host, file, info};
use crate::action::{Action, Note};
use crate::error::TlsError;
use crate::event::{Event, StorageOutcome, TlsInfo};
use crate::record::FileKind;
use crate::session::Session;
use crate::settings::{RequireTls, Settings, TlsRules};
use alloc::borrow::ToOwned;
use alloc::sync::Arc;
use alloc::vec;

fn settings(rules: TlsRules) -> Settings {
    Settings { tls: Some(rules), ..Settings::default() }
}

fn info_of(resumed: bool) -> TlsInfo {
    TlsInfo { protocol: "TLSv1.3".to_owned(), cipher: "TLS_AES_256_GCM_SHA384".to_owned(), resumed, certificate: None }
}

/// A session whose control connection is secured.
fn secured(settings: Settings) -> Host {
    let mut host = Host::greeted(settings);
    host.lines(&["AUTH TLS"]);
    host.says(&["234 Proceed with negotiation."]);
    host.tls_starts(Ok(info_of(false)));
    host
}

impl Host {
    #[track_caller]
    fn tls_starts(&mut self, outcome: Result<TlsInfo, TlsError>) {
        let (id, action) = self.take_open();
        assert!(matches!(action, Action::StartTls { .. } | Action::SecureData { .. }), "{action:?}");
        self.event(Event::TlsStarted { id, outcome });
    }

    /// RETR of a file up to the handshake of its data connection.
    #[track_caller]
    fn retr_private(&mut self) {
        self.lines(&["PBSZ 0", "PROT P", "PORT 192,0,2,7,200,1", "RETR f"]);
        self.take_replies();
        self.state(file(3, vec![]));
        self.connected(Ok(()));
        self.stored(Ok(StorageOutcome::Opened(info(FileKind::File, 3))));
        self.says(&["150 Opening BINARY mode data connection for f (3 bytes)."]);
    }
}

#[test]
fn without_a_certificate_there_is_no_tls() {
    let mut host = Host::greeted(Settings::default());
    host.lines(&["AUTH TLS", "PBSZ 0", "PROT P", "CCC"]);
    host.says(&[
        "502 TLS is not available here.",
        "503 Secure the connection with AUTH TLS first.",
        "503 Secure the connection with AUTH TLS first.",
        "503 Secure the connection with AUTH TLS first.",
    ]);
}

#[test]
fn input_in_clear_behind_auth_closes_the_connection() {
    // CVE-2011-0411 and its kind: what was put in clear behind AUTH must not count as sent through TLS.
    // A Telnet code that only began would swallow what is sent through TLS: a byte of it, or all.
    for input in [
        &b"AUTH TLS\r\nUSER anonymous\r\n"[..],
        b"AUTH TLS\r\nUSER",
        b"AUTH TLS\r\n\r\n",
        b"AUTH TLS\r\n\xff",
        b"AUTH TLS\r\n\xff\xfb",
        b"AUTH TLS\r\n\xff\xfa\x18",
    ] {
        let mut host = Host::greeted(settings(TlsRules::default()));
        host.event(Event::ControlReceived { bytes: input.to_vec() });
        host.says(&["234 Proceed with negotiation."]);
        assert!(host.closed, "{input:?}");
        assert!(host.open.is_empty(), "{input:?}");
    }
}

#[test]
fn a_login_in_clear_counts_no_more_after_auth() {
    let mut host = Host::logged_in(settings(TlsRules::default()));
    host.lines(&["AUTH TLS"]);
    host.says(&["234 Proceed with negotiation."]);
    assert!(!host.session.wants_input(), "the handshake is the driver's");
    host.tls_starts(Ok(info_of(false)));
    host.lines(&["PWD", "AUTH TLS", "REIN", "CCC"]);
    host.says(&[
        "530 Please login with USER and PASS.",
        "503 The connection is secured already.",
        "503 Not under TLS. Please connect again.",
        "533 The control connection stays secured.",
    ]);
}

#[test]
fn a_handshake_that_fails_or_never_ends_closes_the_connection() {
    let mut host = Host::greeted(settings(TlsRules::default()));
    host.lines(&["AUTH TLS"]);
    host.tls_starts(Err(TlsError::Handshake));
    assert!(host.closed);
    let mut host = Host::greeted(settings(TlsRules::default()));
    host.lines(&["AUTH TLS"]);
    host.take_replies();
    host.time_out();
    assert!(host.closed);
    host.says(&[]);
}

#[test]
fn implicit_tls_comes_before_the_greeting() {
    let address = |text: &str| text.parse().unwrap();
    let session =
        Session::new(Arc::new(settings(TlsRules::default())), address("192.0.2.7:4000"), address("192.0.2.1:990"));
    let mut host = Host::connected_to(session.with_implicit_tls());
    host.says(&[]);
    host.tls_starts(Ok(info_of(false)));
    host.says(&["220 Welcome to the FTP Server"]);
    assert!(host.notes.iter().any(|note| matches!(note, Note::Secured { data: false, .. })));
}

#[test]
fn what_is_required_is_refused_in_clear() {
    let rules = TlsRules { require: RequireTls::Data, ..TlsRules::default() };
    let mut host = Host::greeted(settings(rules));
    host.lines(&["USER anonymous"]);
    host.says(&["530 Please secure the connection with AUTH TLS first."]);
    let mut host = secured(settings(rules));
    host.log_in();
    host.lines(&["PROT P", "PORT 192,0,2,7,200,1", "RETR f", "PBSZ 0", "PROT C", "PROT E", "PROT P"]);
    host.says(&[
        "503 PBSZ needed before PROT.",
        "200 PORT command successful. Consider using PASV.",
        "521 Data connections must be private here. Use PROT P.",
        "200 PBSZ set to 0.",
        "534 Data connections must be private here. Use PROT P.",
        "536 Only PROT C and PROT P are supported.",
        "200 PROT now Private.",
    ]);
}

#[test]
fn a_private_data_connection_is_secured_between_150_and_the_bytes() {
    let mut host = secured(settings(TlsRules::default()));
    host.log_in();
    host.retr_private();
    host.tls_starts(Ok(info_of(true)));
    host.transferred(3, Ok(()));
    host.says(&["226 Transfer complete."]);
    assert_eq!(host.data_closed, 1);
}

#[test]
fn a_data_connection_that_is_not_secured_as_it_must_be_carries_nothing() {
    let rules = TlsRules { require_resumption: true, ..TlsRules::default() };
    let mut host = secured(settings(rules));
    host.log_in();
    host.retr_private();
    host.tls_starts(Ok(info_of(false)));
    host.says(&["522 The data connection must resume the TLS session of the control connection."]);
    host.retr_private();
    // RFC 4217 10: a negotiation that failed, or will not do, is 522.
    host.tls_starts(Err(TlsError::Handshake));
    host.says(&["522 Failed to secure the data connection."]);
    host.retr_private();
    host.tls_starts(Err(TlsError::ConnectionLost));
    host.says(&["425 Failed to secure the data connection."]);
    host.retr_private();
    host.lines(&["ABOR"]);
    assert_eq!(host.cancelled.len(), 1);
    host.tls_starts(Err(TlsError::Cancelled));
    host.says(&["426 Failure writing network stream.", "226 ABOR successful."]);
    assert!(host.open.is_empty());
}

#[test]
fn who_showed_a_certificate_shows_it_on_data_connections_too() {
    // Goal: a stranger with a certificate of their own, or with none, takes no data even where nothing must resume.
    let shown = |name: Option<&str>| TlsInfo { certificate: name.map(ToOwned::to_owned), ..info_of(false) };
    let refused = "522 The data connection must show the certificate of the control connection.";
    for (control, data, reply) in [
        (Some("CN=a"), Some("CN=a"), "226 Transfer complete."),
        (Some("CN=a"), Some("CN=b"), refused),
        (Some("CN=a"), None, refused),
        (None, Some("CN=b"), "226 Transfer complete."),
    ] {
        let mut host = Host::greeted(settings(TlsRules::default()));
        host.lines(&["AUTH TLS"]);
        host.take_replies();
        host.tls_starts(Ok(shown(control)));
        host.log_in();
        host.retr_private();
        host.tls_starts(Ok(shown(data)));
        if reply.starts_with("226") {
            host.transferred(3, Ok(()));
        }
        host.says(&[reply]);
    }
}

#[test]
fn some_have_private_data_connections_without_asking() {
    // MS-FTPS 3.1.5 for implicit TLS, the drafts before RFC 4217 for AUTH SSL and TLS-P.
    for (auth, is_private) in [("AUTH SSL", true), ("AUTH TLS-P", true), ("AUTH TLS", false), ("AUTH TLS-C", false)] {
        let mut host = Host::greeted(settings(TlsRules { require: RequireTls::Data, ..TlsRules::default() }));
        host.lines(&[auth]);
        host.take_replies();
        host.tls_starts(Ok(info_of(false)));
        host.log_in();
        host.lines(&["PORT 192,0,2,7,200,1", "RETR f"]);
        let refused = host.take_replies().iter().any(|reply| reply.starts_with("521"));
        assert_eq!(refused, !is_private, "{auth}");
    }
}

#[test]
fn what_was_asked_for_in_clear_is_not_what_is_done_in_private() {
    // Goal: whoever sits between cannot have a client's file cut, garbled or sent elsewhere by a word before AUTH.
    let mut host = Host::logged_in(settings(TlsRules::default()));
    host.lines(&["PORT 192,0,2,7,200,1", "TYPE A", "MODE Z", "REST 2", "AUTH TLS"]);
    host.take_replies();
    host.tls_starts(Ok(info_of(false)));
    host.log_in();
    host.lines(&["PBSZ 100", "PROT P", "PORT 192,0,2,7,200,1", "RETR f"]);
    host.says(&["200 PBSZ=0", "200 PROT now Private.", "200 PORT command successful. Consider using PASV."]);
    host.state(file(3, vec![]));
    host.connected(Ok(()));
    host.stored(Ok(StorageOutcome::Opened(info(FileKind::File, 3))));
    host.says(&["150 Opening BINARY mode data connection for f (3 bytes)."]);
}

#[test]
fn a_listener_from_before_auth_is_closed_by_it() {
    let mut host = Host::logged_in(settings(TlsRules::default()));
    host.lines(&["EPSV"]);
    let (id, _) = host.take_open();
    host.event(Event::DataListening { id, outcome: Ok(40_001) });
    host.lines(&["AUTH TLS"]);
    let before = host.data_closed;
    host.tls_starts(Ok(info_of(false)));
    assert_eq!(host.data_closed, before + 1);
}
