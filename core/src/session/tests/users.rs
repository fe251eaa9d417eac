//! Named users: who is asked about, and what the answers come to.

use super::host::Host;
use crate::action::{Action, Direction, Proof};
use crate::error::{LoginError, StorageError};
use crate::event::{Event, TlsInfo};
use crate::path::VirtualPath;
use crate::settings::{Settings, TlsRules};
use crate::user::{Account, Rights};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use core::num::NonZeroU64;

fn settings() -> Settings {
    Settings { named_users: true, ..Settings::default() }
}

impl Host {
    #[track_caller]
    fn verified(&mut self, outcome: Result<Account, LoginError>) {
        let (id, action) = self.take_open();
        assert!(matches!(action, Action::VerifyLogin { .. }), "{action:?}");
        self.event(Event::LoginVerified { id, outcome: outcome.map(Box::new) });
    }
}

#[test]
fn a_named_user_begins_at_home() {
    let mut host = Host::greeted(settings());
    host.lines(&["USER anna", "PASS sesame"]);
    host.says(&["331 Please specify the password."]);
    match &host.open[0].1 {
        Action::VerifyLogin { user, proof: Proof::Password { password }, peer, .. } => {
            assert_eq!((user.as_str(), password.0.as_str()), ("anna", "sesame"));
            assert_eq!(*peer, "192.0.2.7".parse::<core::net::IpAddr>().unwrap());
        }
        action => panic!("{action:?}"),
    }
    let mut account = Account::new("anna".to_owned(), Rights::ALL);
    account.home = VirtualPath::parse("/home/anna").unwrap();
    host.verified(Ok(account));
    host.says(&["230 Login successful."]);
    host.lines(&["PWD"]);
    host.says(&["257 \"/home/anna\" is the current directory"]);
}

#[test]
fn whoever_is_refused_waits_and_nobody_is_told_why() {
    let mut host = Host::greeted(settings());
    host.lines(&["USER anna", "PASS wrong"]);
    host.take_replies();
    host.verified(Err(LoginError::Refused));
    host.says(&[]);
    host.time_out();
    host.says(&["530 Login incorrect."]);
}

#[test]
fn how_long_a_password_took_to_be_checked_does_not_show() {
    let mut host = Host::greeted(settings());
    host.lines(&["USER anna", "PASS wrong"]);
    host.take_replies();
    let came_ms = host.now.monotonic_ms;
    host.now.monotonic_ms += 200;
    host.verified(Err(LoginError::Refused));
    assert_eq!(host.session.deadline(), Some(came_ms + Settings::default().login_delay_ms));
}

#[test]
fn a_login_that_cannot_be_checked_ends_the_session() {
    for error in [LoginError::Busy, LoginError::Failed] {
        let mut host = Host::greeted(settings());
        host.lines(&["USER anna", "PASS sesame"]);
        host.take_replies();
        host.verified(Err(error));
        host.says(&["421 Logins cannot be checked now, please try later."]);
        assert!(host.closed);
    }
}

#[test]
fn an_anonymous_client_is_asked_about_nowhere() {
    let mut host = Host::greeted(settings());
    host.log_in();
    assert!(host.open.is_empty());
}

#[test]
fn each_account_has_its_own_rate_and_anonymous_clients_the_settings_rate() {
    let rates = (NonZeroU64::new(7), NonZeroU64::new(8));
    let (anonymous_upload_bytes_per_s, anonymous_download_bytes_per_s) = rates;
    let paced = Settings { anonymous_upload_bytes_per_s, anonymous_download_bytes_per_s, ..settings() };
    let rates_of = |host: &Host| [Direction::Receive, Direction::Send].map(|way| host.session.bytes_per_s(way));
    let mut host = Host::greeted(paced.clone());
    assert_eq!(rates_of(&host), [None, None]);
    host.log_in();
    assert_eq!(rates_of(&host), [rates.0, rates.1]);

    let mut host = Host::greeted(paced);
    host.lines(&["USER anna", "PASS sesame"]);
    let mut account = Account::new("anna".to_owned(), Rights::ALL);
    account.upload_bytes_per_s = NonZeroU64::new(9);
    host.verified(Ok(account));
    assert_eq!(rates_of(&host), [NonZeroU64::new(9), None]);
}

#[test]
fn whatever_is_said_the_storage_is_asked_about_nothing_beyond_a_confined_home() {
    // DESIGN 7: with a confined home, what lies outside is as if it were not there, so nothing is even looked at.
    let mut host = Host::greeted(settings());
    host.lines(&["USER otto", "PASS sesame"]);
    let mut account = Account::new("otto".to_owned(), Rights::ALL);
    account.home = VirtualPath::parse("/home/otto").unwrap();
    account.confined = true;
    host.verified(Ok(account));
    host.lines(&["PORT 192,0,2,7,200,1"]);
    let commands = [
        "CWD {}",
        "MKD {}",
        "RMD {}",
        "DELE {}",
        "SIZE {}",
        "MDTM {}",
        "MDTM 20200101000000 {}",
        "MFMT 20200101000000 {}",
        "MFCT 20200101000000 {}",
        "MFF modify=20200101000000; {}",
        "SITE CHMOD 644 {}",
        "SITE UTIME 20200101000000 {}",
        "MLST {}",
        "MLSD {}",
        "STAT {}",
        "LIST {}",
        "LIST -R {}",
        "LIST -d {}",
        "NLST {}",
        "NLST {}/*",
        "NLST */{}",
        "HASH {}",
        "XCRC {}",
        "AVBL {}",
        "DSIZ {}",
        "SETEXPIRY {} 7d",
        "SITE EXPIRY {}",
        "SITE EXPIRY {} 7d",
        "SITE TOKEN {}",
        "SITE CLAIM {} 00112233445566778899aabbccddeeff",
        "RNFR {}",
        "RETR {}",
        "STOR {}",
        "APPE {}",
        "STOU {}",
        "COMB {} f",
        "COMB f {}",
        "CDUP",
        "ALLO 1",
    ];
    let paths = [
        "/",
        "/other",
        "..",
        "../other",
        "../../other",
        "a/../../x",
        "~/..",
        "~/../x",
        "/home",
        "/home/ottokar",
        "other",
    ];
    let mut asked = 0;
    for (command, path) in commands.iter().flat_map(|command| paths.iter().map(move |path| (command, path))) {
        let line = command.replace("{}", path);
        host.lines(&[&line]);
        while let Some((id, action)) = host.open.pop() {
            let said = serde_json::to_value(&action).unwrap();
            let named = ["path", "from", "to"].into_iter().filter_map(|key| said["request"][key].as_str());
            for named in named {
                asked += 1;
                assert!(named == "/home/otto" || named.starts_with("/home/otto/"), "{line}: {said}");
            }
            host.event(match action {
                Action::Storage { .. } => Event::Stored { id, outcome: Err(StorageError::NotFound) },
                Action::DrawRandom { .. } => Event::RandomDrawn { id, bytes: [7; 16] },
                action => panic!("{action:?}"),
            });
        }
        assert!(!host.take_replies().is_empty(), "{line}");
    }
    assert!(asked > 39, "{asked}");
}

#[test]
fn whom_the_certificate_names_needs_no_password_and_anybody_else_does() {
    // RFC 4217 5.2: 232 where the certificate does; else 331, and the password is asked for as ever.
    let mut host = Host::greeted(Settings { tls: Some(TlsRules::default()), ..settings() });
    host.lines(&["AUTH TLS"]);
    host.take_replies();
    let (id, _) = host.take_open();
    let tls = TlsInfo { certificate: Some("CN=carl".to_owned()), ..TlsInfo::default() };
    host.event(Event::TlsStarted { id, outcome: Ok(tls) });
    host.lines(&["USER anonymous", "USER anna"]);
    host.says(&["331 Please specify the password."]);
    let proof = match &host.open[0].1 {
        Action::VerifyLogin { user, proof, .. } if user == "anna" => proof.clone(),
        action => panic!("{action:?}"),
    };
    assert_eq!(proof, Proof::Certificate { subject: "CN=carl".to_owned() });
    host.verified(Err(LoginError::Refused));
    host.says(&["331 Please specify the password."]);
    host.lines(&["PASS sesame"]);
    assert!(matches!(&host.open[0].1, Action::VerifyLogin { proof: Proof::Password { .. }, .. }));
    host.verified(Err(LoginError::Refused));
    host.time_out();
    host.says(&["530 Login incorrect."]);
    host.lines(&["USER carl"]);
    host.verified(Ok(Account::new("carl".to_owned(), Rights::ALL)));
    host.says(&["232 Login successful."]);
    host.lines(&["SITE WHOAMI"]);
    host.says(&["200 carl"]);
}
