//! A new date for a path that is there.

use super::*;
use crate::client::call::RedateOrder;
use crate::client::summary::PathExpiry;
use crate::record::Token;

/// A call for `scans`, with the token of the tests where it is `proven`.
pub(super) fn redate(date: &str, proven: bool) -> Call {
    let token = Token::parse("000102030405060708090a0b0c0d0e0f").filter(|_| proven);
    Call::Redate(RedateOrder { storage_path: "scans".to_owned(), expiry_date: date.to_owned(), token })
}

fn one_try() -> ClientSettings {
    ClientSettings { retries_max: 0, ..ClientSettings::default() }
}

#[track_caller]
fn after_login(settings: &ClientSettings, call: Call, script: &str) -> Result<Summary, Failure> {
    run(settings, &[connect(), call], &format!("{}F: ok\n{script}", login(MAYFLY)))
}

const CLAIM: &str = "C: SITE CLAIM scans <secret>\n";
const EXPIRED: &str = "S: 550-Failed.\nS: 550 Storage path expired.\n";

#[test]
fn its_maker_gives_a_path_another_date() {
    let extend = "C: SETEXPIRY scans 7d\nS: 000 expiry_date set\nC: SITE EXPIRY scans\nS: 213 20270108000000\nF: ok";
    let told = Summary::Dated { storage_path: "scans".to_owned(), expiry: PathExpiry::At { utc_s: 1_799_366_400 } };
    let claimed = format!("{CLAIM}S: 200 claimed\n{extend}");
    assert_eq!(after_login(&one_try(), redate("7d", true), &claimed).as_ref(), Ok(&told));
    // A named user is known already.
    assert_eq!(after_login(&one_try(), redate("7d", false), extend), Ok(told));
}

#[test]
fn a_date_that_has_come_takes_the_path_back() {
    let revoke = "C: SETEXPIRY scans now\nS: 000 expiry_date set\nF: ok";
    after_login(&one_try(), redate("now", false), revoke).unwrap();
    // The reply was lost, and the second try finds the path gone.
    let settings = ClientSettings { retries_max: 1, ..one_try() };
    let lost = format!(
        "{CLAIM}S: 200 claimed\nC: SETEXPIRY scans now\n! close\nA: hang up\n! wait 500\n{}{CLAIM}{EXPIRED}F: ok",
        login(MAYFLY)
    );
    after_login(&settings, redate("now", true), &lost).unwrap();
    // But whose date had come before is told.
    after_login(&one_try(), redate("now", true), &format!("{CLAIM}{EXPIRED}F: PathExpired")).unwrap_err();
}

#[test]
fn each_refusal_is_told_apart() {
    let advice = |call, script: &str| after_login(&one_try(), call, script).unwrap_err().advice();
    let wrong = format!("{CLAIM}S: 550-SITE CLAIM command failed.\nS: 550 Wrong token.\nF: Refused");
    assert!(advice(redate("7d", true), &wrong).contains("another path's"));
    let gone = format!("{CLAIM}S: 550-SITE CLAIM command failed.\nS: 550 Invalid storage path.\nF: NoSuchPath");
    assert!(advice(redate("7d", true), &gone).contains("check the name"));
    let set = "C: SETEXPIRY scans 7d\n";
    let foreign = format!("{set}S: 550-Setting expiry_date failed.\nS: 550 Storage path not owned.\nF: Refused");
    assert!(advice(redate("7d", false), &foreign).contains("token"));
    let late = format!("{set}S: 550-failed.\nS: 550 Latest expiry_date is 20270101000000.\nF: ExpiryRefused");
    assert!(advice(redate("7d", false), &late).contains("limit"));
    after_login(&one_try(), redate("7d", false), &format!("{set}S: 501 Invalid expiry_date.\nF: ExpiryRefused"))
        .unwrap_err();
    after_login(&one_try(), redate("7d", false), &format!("{set}S: 451 no\nF: Refused")).unwrap_err();
    let plain = format!("{}F: ok\nF: ExpiryUnknown", login(PLAIN));
    run(&one_try(), &[connect(), redate("7d", true)], &plain).unwrap_err();
}

#[test]
fn what_no_server_can_date_is_not_sent() {
    for (path, date) in [("", "7d"), ("/", "7d"), ("a\r\nDELE b", "7d"), ("a", "7d\r\nDELE b")] {
        let (storage_path, expiry_date) = (path.to_owned(), date.to_owned());
        let call = Call::Redate(RedateOrder { storage_path, expiry_date, token: None });
        after_login(&one_try(), call, "F: Unfit").unwrap_err();
    }
}
