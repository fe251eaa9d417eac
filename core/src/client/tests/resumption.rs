//! Broken transfers go on; what is refused for now is tried again, and never for ever.

use super::*;

const TOKEN: &str = "000102030405060708090a0b0c0d0e0f";
const MADE: &str = "C: MKD scans\nS: 257 \"/scans\" created\nC: SITE TOKEN scans\n\
    S: 213 000102030405060708090a0b0c0d0e0f\nC: SITE EXPIRY scans\nS: 213 never\nC: CWD scans\nS: 250 ok\n";
const ACTIVE: &str = "A: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\nS: 200 ok\n";
const STOR: &str = "C: STOR a\nA: accept 192.0.2.1 = ok\nS: 150 Ok to send data.\n";
const STAMPED: &str = "S: 226 Transfer complete.\nC: MFMT 20010909014640 a\nS: 213 ok\nC: SIZE a\nS: 213 1000\nF: ok";

#[track_caller]
fn upload_a(add: bool, script: &str) -> Result<Summary, Failure> {
    let calls = [connect(), upload(&["a"], None, add)];
    run(&active(), &calls, &format!("{}F: ok\n{script}", login(MAYFLY)))
}

/// A new login, the claim to the path, and the way into it.
fn back() -> String {
    let login = login(MAYFLY);
    format!(
        "! wait\n{login}C: SITE CLAIM scans <secret>\nS: 200 ok\nC: SITE EXPIRY scans\nS: 213 never\nC: CWD scans\nS: 250 ok\n"
    )
}

#[test]
fn an_upload_whose_connection_is_lost_claims_its_path_and_goes_on_where_it_broke() {
    upload_a(
        false,
        &format!(
            "{MADE}A: source 0 = 1000\n{ACTIVE}{STOR}A: send from 0\n! close\nA: hang up\n{}C: SIZE a\nS: 213 400\n{ACTIVE}\
             C: REST 400\nS: 350 ok\n{STOR}A: send from 400 = 600\n{STAMPED}",
            back()
        ),
    )
    .unwrap();
    assert_eq!(TOKEN.len(), 32);
}

#[test]
fn a_data_connection_that_breaks_alone_needs_no_new_login() {
    upload_a(
        false,
        &format!(
            "{MADE}A: source 0 = 1000\n{ACTIVE}{STOR}A: send from 0 = 300 lost\nS: 426 Failure reading network stream.\n\
             ! wait\nC: SIZE a\nS: 213 300\n{ACTIVE}C: REST 300\nS: 350 ok\n{STOR}A: send from 300 = 700\n{STAMPED}"
        ),
    )
    .unwrap();
}

#[test]
fn a_226_for_a_part_is_not_believed() {
    upload_a(
        false,
        &format!(
            "{MADE}A: source 0 = 1000\n{ACTIVE}{STOR}A: send from 0 = 1000\nS: 226 Transfer complete.\n\
             C: MFMT 20010909014640 a\nS: 213 ok\nC: SIZE a\nS: 213 999\n! wait\nC: SIZE a\nS: 213 999\n{ACTIVE}\
             C: REST 999\nS: 350 ok\n{STOR}A: send from 999 = 1\n{STAMPED}"
        ),
    )
    .unwrap();
}

#[test]
fn a_server_that_does_not_restart_gets_the_file_from_its_beginning() {
    let broke = format!("{MADE}A: source 0 = 1000\n{ACTIVE}{STOR}A: send from 0 = 300 lost\nS: 426 broken\n! wait\n");
    for there in ["213 300", "213 2000", "550 no such file"] {
        let rest = if there == "213 300" { format!("{ACTIVE}C: REST 300\nS: 502 no\n") } else { String::new() };
        upload_a(false, &format!("{broke}C: SIZE a\nS: {there}\n{rest}{ACTIVE}{STOR}A: send from 0 = 1000\n{STAMPED}"))
            .unwrap();
    }
}

#[test]
fn a_file_that_was_there_before_is_never_gone_on_from() {
    upload_a(
        true,
        &format!(
            "C: SITE EXPIRY scans\nS: 213 never\nC: CWD scans\nS: 250 ok\n\
             A: source 0 = 1000\nC: SIZE a\nS: 213 77\nC: MDTM a\nS: 213 20010909014640\n{ACTIVE}{STOR}\
             A: send from 0 = 300 lost\nS: 426 broken\n! wait\n\
             {ACTIVE}{STOR}A: send from 0 = 1000\n{STAMPED}"
        ),
    )
    .unwrap();
}

#[test]
fn a_file_that_an_earlier_run_brought_over_is_not_sent_again() {
    let before = "C: SITE EXPIRY scans\nS: 213 never\nC: CWD scans\nS: 250 ok\n\
        A: source 0 = 1000\nC: SIZE a\nS: 213 1000\nC: MDTM a\n";
    upload_a(true, &format!("{before}S: 213 20010909014640\nF: ok")).unwrap();
    let other = format!("{before}S: 213 20010909014641\n{ACTIVE}{STOR}A: send from 0 = 1000\n{STAMPED}");
    upload_a(true, &other).unwrap();
}

#[test]
fn a_part_that_an_earlier_run_left_is_gone_on_with() {
    let before = "C: SITE EXPIRY scans\nS: 213 never\nC: CWD scans\nS: 250 ok\n\
        A: source 0 = 1000\nC: SIZE a\nS: 213 400\nC: MDTM a\nS: 550 Could not get file modification time.\n";
    let rest = format!("{ACTIVE}C: REST 400\nS: 350 ok\n{STOR}A: send from 400 = 600\n{STAMPED}");
    upload_a(true, &format!("{before}{rest}")).unwrap();
    // Elsewhere nobody knows what a shorter file is.
    let add = upload(&["a"], None, true);
    let elsewhere = format!(
        "{}F: ok\nC: CWD scans\nS: 250 ok\nA: source 0 = 1000\nC: SIZE a\nS: 213 400\n\
         {ACTIVE}{STOR}A: send from 0 = 1000\nS: 226 ok\nC: SIZE a\nS: 213 1000\nF: ok",
        login("SIZE,MDTM,REST STREAM")
    );
    run(&active(), &[connect(), add], &elsewhere).unwrap();
}

#[test]
fn a_pipe_cannot_be_sent_twice() {
    upload_a(
        false,
        &format!(
            "{MADE}A: source 0 = pipe\n{ACTIVE}{STOR}A: send from 0 = 300 lost\nS: 426 broken\n! wait\nF: Partial"
        ),
    )
    .unwrap_err();
}

#[test]
fn a_source_that_fails_ends_the_upload() {
    let failure = upload_a(
        false,
        &format!(
            "{MADE}A: source 0 = 1000\n{ACTIVE}{STOR}A: send from 0 = 300 Input/output error\nS: 426 broken\nF: Local"
        ),
    );
    assert_eq!(failure.unwrap_err().what, "a broke off: Input/output error");
    upload_a(false, &format!("{MADE}A: source 0 = Permission denied\nF: Local")).unwrap_err();
}

#[test]
fn a_4yz_is_tried_again_with_growing_pauses_and_a_5yz_never() {
    let settings = ClientSettings { retries_max: 2, ..active() };
    let calls = [connect(), view()];
    let asked = format!("{ACTIVE}C: LIST\nA: accept 192.0.2.1\nS: 450 busy\n");
    let script = format!(
        "{}F: ok\nC: CWD scans\nS: 250 ok\n{ASCII}{asked}! wait 500\n{asked}! wait 1000\n{asked}F: Refused",
        login("SIZE")
    );
    run(&settings, &calls, &script).unwrap_err();
    let refused =
        format!("{}F: ok\nC: CWD scans\nS: 250 ok\n{ASCII}{}F: Refused", login("SIZE"), asked.replace("450", "550"));
    run(&settings, &calls, &refused).unwrap_err();
}

#[test]
fn a_full_disk_is_told_as_such() {
    let settings = ClientSettings { retries_max: 0, ..ClientSettings::default() };
    let calls = [connect(), upload(&["a"], None, false)];
    let before = format!("{}F: ok\n{MADE}A: source 0 = 1000\nC: ALLO 1000\n", login(MAYFLY));
    run(&settings, &calls, &format!("{before}S: 552 Quota exceeded.\nF: NoSpace")).unwrap_err();
    let during = format!(
        "{before}S: 202 no need\nC: EPSV\nS: 229 (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: STOR a\nS: 150 ok\n\
         A: send from 0\nS: 452 Insufficient storage.\nF: NoSpace"
    );
    run(&settings, &calls, &during).unwrap_err();
}

#[test]
fn a_download_goes_on_after_its_connection_was_lost() {
    let calls = [connect(), download(&["a"])];
    let asked = "C: CWD scans\nS: 250 ok\nC: SIZE a\nS: 213 1000\nC: MDTM a\nS: 213 20010909014640\n";
    let retr = "C: RETR a\nA: accept 192.0.2.1 = ok\nS: 150 ok\n";
    let login = login(MAYFLY);
    let script = format!(
        "{login}F: ok\n{asked}A: sink a of 1000 = 0\n{ACTIVE}{retr}A: receive from 0\nS: 421 Shutting down.\nA: hang up\n\
         ! wait\n{login}{asked}A: sink a of 1000 = 400\n{ACTIVE}C: REST 400\nS: 350 ok\n{retr}A: receive from 400 = 500\n\
         S: 226 Transfer complete.\n! wait\nC: SIZE a\nS: 213 1000\nC: MDTM a\nS: 213 20010909014640\n\
         A: sink a of 1000 = 900\n{ACTIVE}C: REST 900\nS: 350 ok\n{retr}A: receive from 900 = 100\n\
         S: 226 Transfer complete.\nA: keep 1000000000 = ok\nF: ok"
    );
    run(&active(), &calls, &script).unwrap();
}

#[test]
fn a_whole_part_needs_no_transfer() {
    let script = format!(
        "{}F: ok\nC: CWD scans\nS: 250 ok\nC: SIZE a\nS: 213 1000\nC: MDTM a\nS: 213 20010909014640\n\
         A: sink a of 1000 = 1000\nA: keep 1000000000 = disk full\nF: Local",
        login(MAYFLY)
    );
    run(&active(), &[connect(), download(&["a"])], &script).unwrap_err();
}

#[test]
fn a_connection_that_cannot_be_made_again_ends_the_call() {
    let settings = ClientSettings { retries_max: 2, ..active() };
    let script = format!(
        "{}F: ok\nC: CWD scans\n! close\nA: hang up\n! wait\nA: open host:21 = Connection refused\n! wait\n\
         A: open host:21 = Connection refused\nF: CannotConnect",
        login("")
    );
    run(&settings, &[connect(), view()], &script).unwrap_err();
    let begun = format!(
        "{}F: ok\n{MADE}A: source 0 = 1000\n{ACTIVE}{STOR}A: send from 0\n! close\nA: hang up\n! wait\n\
         A: open host:21 = Connection refused\n! wait\nA: open host:21 = Connection refused\nF: Partial",
        login(MAYFLY)
    );
    run(&settings, &[connect(), upload(&["a"], None, false)], &begun).unwrap_err();
}

#[test]
fn a_greeting_of_421_is_tried_again() {
    let busy = "A: open host:21 = ok\nS: 421 Too many connections.\nA: hang up\n! wait\n";
    run(&active(), &[connect()], &format!("{busy}{busy}{}F: ok", login(""))).unwrap();
    let Call::Connect(order) = connect() else { unreachable!("it connects") };
    let once = Call::Connect(Connect { once: true, ..order });
    run(&active(), &[once], &format!("{}F: CannotConnect", busy.replace("! wait\n", ""))).unwrap_err();
}
