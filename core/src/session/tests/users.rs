//! Named users: who is asked about, and what the answers come to.

use super::host::Host;
use crate::action::{Action, Direction, Proof};
use crate::error::LoginError;
use crate::event::Event;
use crate::path::VirtualPath;
use crate::settings::Settings;
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
