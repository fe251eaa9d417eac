//! The five calls where all goes well, and where the server refuses.

use super::*;
use crate::client::summary::{PathExpiry, Uploaded, Viewed};

#[track_caller]
fn run_after_login(settings: &ClientSettings, features: &str, call: Call, script: &str) -> Result<Summary, Failure> {
    run(settings, &[connect(), call], &format!("{}F: ok\n{script}", login(features)))
}

#[test]
fn active_upload_sends_the_seeds_commands_in_the_seeds_order() {
    let outcome = run_after_login(
        &active(),
        "",
        upload(&["1.png", "ü 2.png"], None, false),
        "C: MKD scans\nS: 257 \"/scans\" created\nC: CWD scans\nS: 250 Directory successfully changed.\n\
         A: source 0 = 2745\nA: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\nS: 200 PORT command successful.\n\
         C: STOR 1.png\nA: accept 192.0.2.1 = ok\nS: 150 Ok to send data.\nA: send from 0 = 2745\n\
         S: 226 Transfer complete.\n\
         A: source 1 = 0\nA: listen 192.0.2.7 = 27174\nC: PORT 192,0,2,7,106,38\nS: 200 PORT command successful.\n\
         C: STOR ü 2.png\nA: accept 192.0.2.1 = pending\nS: 150 Ok to send data.\n! ok\nA: send from 0 = 0\n\
         S: 226 Transfer complete.\nF: ok",
    );
    let Ok(Summary::Uploaded(Uploaded { storage_path, expiry, files, .. })) = outcome else { panic!("{outcome:?}") };
    assert_eq!((storage_path.as_str(), expiry), ("/scans", PathExpiry::Unknown));
    assert_eq!(files.iter().map(|file| file.size_bytes).collect::<Vec<_>>(), [2745, 0]);
}

#[test]
fn passive_upload_dates_the_path_and_checks_what_is_there() {
    let outcome = run_after_login(
        &ClientSettings::default(),
        MAYFLY,
        upload(&["1.png"], Some("2027-12-24"), false),
        "C: MKD scans\nS: 257 \"/scans\" created\nC: SITE TOKEN scans\nS: 213 000102030405060708090a0b0c0d0e0f\nT: 1\n\
         C: SETEXPIRY scans 2027-12-24\nS: 000 expiry_date set\nC: SITE EXPIRY scans\nS: 213 20271225000000\n\
         C: CWD scans\nS: 250 Directory successfully changed.\nA: source 0 = 2745\nC: ALLO 2745\nS: 200 ok\n\
         C: EPSV\nS: 229 Entering Extended Passive Mode (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: STOR 1.png\n\
         S: 150 Ok to send data.\nA: send from 0 = 2745\nS: 226 Transfer complete.\n\
         C: MFMT 20010909014640 1.png\nS: 213 Modify=20010909014640; 1.png\nC: SIZE 1.png\nS: 213 2745\nF: ok",
    );
    let Ok(Summary::Uploaded(Uploaded { expiry, token, files, .. })) = outcome else { panic!("{outcome:?}") };
    assert_eq!(expiry, PathExpiry::At { utc_s: 1_829_692_800 });
    assert_eq!(token.map(String::from).as_deref(), Some("000102030405060708090a0b0c0d0e0f"));
    assert_eq!(files[0].modified_s, Some(1_000_000_000));
}

#[test]
fn a_path_that_is_there_already_stops_the_upload_unless_it_is_to_be_added_to() {
    let exists = "C: MKD scans\nS: 550 Create directory operation failed.\n";
    let outcome = run_after_login(
        &ClientSettings::default(),
        MAYFLY,
        upload(&["1.png"], Some("7d"), false),
        &format!("{exists}C: CWD scans\nS: 250 Directory successfully changed.\nF: PathExists"),
    );
    assert_eq!(format!("{}", outcome.unwrap_err()), "scans is there already: 550 Create directory operation failed.");
    run_after_login(
        &ClientSettings::default(),
        MAYFLY,
        upload(&["1.png"], Some("7d"), false),
        &format!("{exists}C: CWD scans\nS: 550 Failed to change directory.\nF: Refused"),
    )
    .unwrap_err();
}

/// From the opened source to the end of the call.
const SENT: &str = "A: source 0 = 3\nA: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\nS: 200 ok\n\
    C: STOR 1.png\nA: accept 192.0.2.1 = ok\nS: 150 Ok to send data.\nA: send from 0 = 3\n\
    S: 226 Transfer complete.\nC: MFMT 20010909014640 1.png\nS: 213 ok\nC: SIZE 1.png\nS: 213 3\nF: ok";

#[test]
fn a_path_that_is_added_to_keeps_its_date() {
    let sent = SENT.replace("= 3\nA: listen", "= 3\nC: SIZE 1.png\nS: 550 Could not get file size.\nA: listen");
    let found = format!("C: SITE EXPIRY scans\nS: 213 never\nC: CWD scans\nS: 250 ok\n{sent}");
    for date in [None, Some("7d")] {
        let outcome = run_after_login(&active(), MAYFLY, upload(&["1.png"], date, true), &found);
        let Ok(Summary::Uploaded(Uploaded { expiry, .. })) = outcome else { panic!("{outcome:?}") };
        assert_eq!(expiry, PathExpiry::Never);
    }
}

#[test]
fn what_is_added_to_no_living_path_is_sent_only_with_a_date() {
    for (detail, kind) in [("Storage path expired", "PathExpired"), ("Invalid storage path", "NoSuchPath")] {
        let sought = format!(
            "C: SITE EXPIRY scans\nS: 550 Cannot tell the expiry date.\nC: CWD scans\n\
             S: 550-Failed to change directory.\nS: 550 {detail}.\n"
        );
        let undated = run_after_login(&active(), MAYFLY, upload(&["1.png"], None, true), &format!("{sought}F: {kind}"));
        assert!(undated.unwrap_err().advice().contains("--expires"));
        let dated = format!(
            "C: SITE TOKEN scans\nS: 213 000102030405060708090a0b0c0d0e0f\nC: SETEXPIRY scans 7d\n\
             S: 000 expiry_date set\nC: SITE EXPIRY scans\nS: 213 20271225000000\nC: CWD scans\nS: 250 ok\n{SENT}"
        );
        let order = || upload(&["1.png"], Some("7d"), true);
        let made = format!("{sought}C: MKD scans\nS: 257 \"/scans\" created\n{dated}");
        run_after_login(&active(), MAYFLY, order(), &made).unwrap();
        // Nobody knows whose path is found after the reply to MKD was lost, nor whether it has a date.
        let lost = format!(
            "{sought}C: MKD scans\n! close\nA: hang up\n! wait\n{}C: MKD scans\nS: 550 Create directory operation \
             failed.\nC: CWD scans\nS: 250 ok\nF: PathExists",
            login(MAYFLY)
        );
        run_after_login(&active(), MAYFLY, order(), &lost).unwrap_err();
    }
    let later = "C: CWD scans\nS: 450 Busy.\n! wait\nC: CWD scans\nS: 530 No.\nF: LoginRefused";
    run_after_login(&active(), "SETEXPIRY", upload(&["1.png"], Some("7d"), true), later).unwrap_err();
}

#[test]
fn a_plain_server_gets_no_file_that_was_to_expire() {
    let stopped =
        run_after_login(&ClientSettings::default(), PLAIN, upload(&["1.png"], Some("7d"), false), "F: ExpiryUnknown");
    assert!(stopped.unwrap_err().what.contains("SETEXPIRY"));
}

#[test]
fn a_server_without_feat_is_asked_and_the_path_removed_when_it_does_not_know_dates() {
    let greeting = "A: open host:21 = ok\nS: 220 Welcome\nC: OPTS UTF8 ON\nS: 501 Option not understood.\n\
        C: USER anonymous\nS: 230 Login successful.\nC: FEAT\nS: 500 Unknown command.\nC: TYPE I\nS: 200 ok\nF: ok\n";
    let script = |reply| {
        format!(
            "{greeting}C: MKD scans\nS: 257 \"/scans\" created\nC: SETEXPIRY scans 7d\nS: {reply}\nC: RMD scans\n\
             S: 250 Remove directory operation successful.\n"
        )
    };
    let calls = [connect(), upload(&["1.png"], Some("7d"), false)];
    let unknown = format!("{}F: ExpiryUnknown", script("500 Unknown command."));
    run(&ClientSettings::default(), &calls, &unknown).unwrap_err();
    let refused = format!("{}F: ExpiryRefused", script("550 At most 2027-01-02T00:00:00Z."));
    run(&ClientSettings::default(), &calls, &refused).unwrap_err();
}

#[test]
fn download_lists_resumes_by_size_and_keeps_the_time() {
    let outcome = run_after_login(
        &ClientSettings::default(),
        MAYFLY,
        download(&[]),
        "C: CWD scans\nS: 250 ok\nC: EPSV\nS: 229 ok (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: MLSD\n\
         S: 150 Here comes the directory listing.\n\
         A: receive listing = type=cdir; .|type=file; a|type=dir; sub|type=file; ../b|type=file; a|\n\
         S: 226 Directory send OK.\n\
         C: SIZE a\nS: 213 2745\nC: MDTM a\nS: 213 20010909014640\nA: sink a of 2745 = 45\nC: EPSV\n\
         S: 229 ok (|||40002|)\nA: connect 192.0.2.1:40002 = ok\nC: REST 45\nS: 350 Restarting.\nC: RETR a\n\
         S: 150 Opening BINARY mode data connection for a (2745 bytes).\nA: receive from 45 = 2700\n\
         S: 226 Transfer complete.\nA: keep 1000000000 = ok\nF: Partial",
    );
    let failure = outcome.unwrap_err();
    assert_eq!(failure.refused[0].name, "\"../b\"", "a name that leads out is never opened");
    assert_eq!((failure.done[0].name.as_str(), failure.done[0].size_bytes), ("a", 2745));
}

#[test]
fn download_from_a_plain_server_lists_the_long_way() {
    run_after_login(
        &ClientSettings::default(),
        PLAIN,
        download(&[]),
        "C: CWD scans\nS: 250 ok\nC: TYPE A\nS: 200 ok\nC: EPSV\nS: 229 ok (|||40001|)\n\
         A: connect 192.0.2.1:40001 = ok\nC: LIST\n\
         S: 150 Here comes the directory listing.\nA: receive listing = odd listing|\nS: 226 Directory send OK.\n\
         C: EPSV\nS: 229 ok (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: NLST\nS: 150 ok\n\
         A: receive listing = a|\nS: 226 ok\nC: TYPE I\nS: 200 ok\nC: SIZE a\nS: 213 0\nC: MDTM a\nS: 213 20010909014640\n\
         A: sink a of 0 = 0\nC: EPSV\nS: 229 ok (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: RETR a\nS: 150 ok\n\
         A: receive from 0 = 0\nS: 226 ok\nA: keep 1000000000 = ok\nF: ok",
    )
    .unwrap();
}

#[test]
fn active_download_of_named_files_goes_on_after_one_is_refused() {
    let outcome = run_after_login(
        &active(),
        "",
        download(&["sub/1.png", "2.png"]),
        "C: CWD scans\nS: 250 ok\nA: sink 1.png of ? anew = 0\nA: listen 192.0.2.7 = 27173\n\
         C: PORT 192,0,2,7,106,37\nS: 200 ok\nC: RETR sub/1.png\nA: accept 192.0.2.1\nS: 550 Failed to open file.\n\
         A: sink 2.png of ? anew = 0\nA: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\nS: 200 ok\n\
         C: RETR 2.png\nA: accept 192.0.2.1 = ok\nS: 150 ok\nA: receive from 0\nS: 226 Transfer complete.\n\
         ! 2745\nA: keep ? = ok\nF: Partial",
    );
    assert_eq!(outcome.unwrap_err().refused[0].name, "sub/1.png");
}

#[test]
fn an_expired_path_is_told_from_one_that_never_was() {
    for (detail, kind) in [("Storage path expired", "PathExpired"), ("Invalid storage path", "NoSuchPath")] {
        let enter = format!("C: CWD scans\nS: 550-Failed to change directory.\nS: 550 {detail}.\nF: {kind}");
        run_after_login(&active(), "", download(&["a"]), &enter).unwrap_err();
        run_after_login(&active(), "", view(), &enter).unwrap_err();
        let inside = format!(
            "C: CWD scans\nS: 250 ok\nC: SIZE a\nS: 550-Could not get file size.\nS: 550 {detail}.\n{}F: {kind}",
            if kind == "PathExpired" {
                ""
            } else {
                "C: MDTM a\nS: 550 no\nA: sink a of ? = 0\nA: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\n\
                 S: 200 ok\nC: RETR a\nA: accept 192.0.2.1\nS: 550 Failed to open file.\n"
            }
        );
        run_after_login(&active(), PLAIN, download(&["a"]), &inside).unwrap_err();
    }
}

#[test]
fn view_lists_the_path_by_its_name_where_paths_expire() {
    let line = "-rw-------    1 ftp      ftp          2745 Jan 01 12:00 1.png";
    let viewed = run_after_login(
        &active(),
        MAYFLY,
        view(),
        &format!(
            "C: SITE EXPIRY scans\nS: 213 20271225000000\nC: CWD scans\nS: 250 ok\nA: listen 192.0.2.7 = 27173\n\
             C: PORT 192,0,2,7,106,37\nS: 200 ok\nC: LIST scans\nA: accept 192.0.2.1 = ok\n\
             S: 150 Here comes the directory listing.\nA: receive listing = {line}|\nS: 226 Directory send OK.\nF: ok"
        ),
    );
    let Ok(Summary::Viewed(Viewed { listing, entries, expiry })) = viewed else { panic!("{viewed:?}") };
    assert_eq!((listing, entries[0].size_bytes), ([line.to_owned()].into(), Some(2745)));
    assert_eq!(expiry, PathExpiry::At { utc_s: 1_829_692_800 });
    let plain = "C: CWD scans\nS: 250 ok\nC: TYPE A\nS: 504 no\nC: EPSV\nS: 229 ok (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: LIST\n\
        S: 150 ok\nA: receive listing = \nS: 226 ok\nF: ok";
    run_after_login(&ClientSettings::default(), PLAIN, view(), plain).unwrap();
}

#[test]
fn later_calls_find_their_path_and_quit_ends_the_client() {
    let list = "A: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\nS: 200 ok\n";
    let shown = "A: accept 192.0.2.1 = ok\nS: 150 ok\nA: receive listing = \nS: 226 ok\nF: ok\n";
    let calls = [connect(), view(), view(), Call::Quit];
    let script = format!(
        "{}F: ok\nC: CWD scans\nS: 250 ok\n{list}C: LIST scans\n{shown}C: CWD /scans\nS: 250 ok\n{list}C: LIST /scans\n\
         {shown}C: QUIT\nS: 221 Goodbye.\nA: hang up\nA: end\nF: ok",
        login("SETEXPIRY")
    );
    run(&active(), &calls, &script).unwrap();
    // A plain server's login directory need not be the root: a new login leads back to it.
    let script = format!(
        "{login}F: ok\nC: CWD scans\nS: 250 ok\n{ASCII}{list}C: LIST\n{shown}A: hang up\n{login}C: CWD scans\n\
         S: 250 ok\n{ASCII}{list}\
         C: LIST\n{shown}C: QUIT\n! close\nA: hang up\nA: end\nF: ok",
        login = login("SIZE")
    );
    run(&active(), &calls, &script).unwrap();
}

#[test]
fn a_login_is_refused_by_the_servers_words() {
    let user = "A: open host:21 = ok\nS: 220 Welcome\nC: OPTS UTF8 ON\nS: 200 ok\nC: USER anonymous\n";
    let refused = format!("{user}S: 530 This server knows no strangers.\nA: hang up\nF: LoginRefused");
    let failure = run(&active(), &[connect()], &refused).unwrap_err();
    assert_eq!(format!("{failure}"), "host does not let anonymous in: 530 This server knows no strangers.");
    let password = format!("{user}S: 331 ok\nC: PASS <secret>\nS: 530 Login incorrect.\nA: hang up\nF: LoginRefused");
    run(&active(), &[connect()], &password).unwrap_err();
    let account = format!("{user}S: 332 Need account.\nA: hang up\nF: LoginRefused");
    run(&active(), &[connect()], &account).unwrap_err();
    run(&active(), &[connect()], "A: open host:21 = Connection refused\nF: CannotConnect").unwrap_err();
}

#[test]
fn an_account_is_said_where_it_is_asked_for() {
    let Call::Connect(nobody) = connect() else { unreachable!("it connects") };
    let account = Some(Secret("accounts".to_owned()));
    let call = || Call::Connect(Connect { account: account.clone(), ..nobody.clone() });
    let user = "A: open host:21 = ok\nS: 220 Welcome\nC: OPTS UTF8 ON\nS: 200 ok\nC: USER anonymous\n";
    let rest = "S: 230 ok\nC: FEAT\nS: 502 no\nC: TYPE I\nS: 200 ok\nF: ok";
    for asked in ["", "S: 331 ok\nC: PASS <secret>\n"] {
        run(&active(), &[call()], &format!("{user}{asked}S: 332 ok\nC: ACCT <secret>\n{rest}")).unwrap();
    }
    let refused = format!("{user}S: 332 ok\nC: ACCT <secret>\nS: 530 no\nA: hang up\nF: LoginRefused");
    run(&active(), &[call()], &refused).unwrap_err();
    let again = format!("{user}S: 332 ok\nC: ACCT <secret>\nS: 332 more\nA: hang up\nF: LoginRefused");
    run(&active(), &[call()], &again).unwrap_err();
}

#[test]
fn a_line_end_in_a_password_begins_no_other_command() {
    let Call::Connect(nobody) = connect() else { unreachable!("it connects") };
    let bad = || Secret("x\r\nDELE a".to_owned());
    for connect in [
        Connect { user: bad().0, ..nobody.clone() },
        Connect { password: bad(), ..nobody.clone() },
        Connect { account: Some(bad()), ..nobody },
    ] {
        let failure = run(&active(), &[Call::Connect(connect)], "F: Unfit").unwrap_err();
        assert!(!failure.what.contains("DELE"));
    }
}

#[test]
fn names_that_cannot_be_sent_or_stored_are_refused_before_anything_is_sent() {
    let bad = |call| run(&active(), &[connect(), call], &format!("{}F: ok\nF: Unfit", login("")));
    for name in ["a\r\nDELE b", "/a/b", "a//b", "a/../b", "", ".."] {
        bad(upload(&[name], None, false)).unwrap_err();
    }
    bad(upload(&["a", "a"], None, false)).unwrap_err();
    bad(download(&["x/a", "y/a"])).unwrap_err();
    bad(download(&["a\n"])).unwrap_err();
    bad(Call::View { storage_path: "a\r\nDELE b".to_owned() }).unwrap_err();
}

#[test]
fn a_failure_says_what_helps() {
    let advice = |call, script: &str| run_after_login(&active(), "SIZE", call, script).unwrap_err().advice();
    let refused = "C: MKD scans\nS: 550-Create directory operation failed.\nS: 550 Invalid storage path.\n\
        C: CWD scans\nS: 550 no\nF: Refused";
    assert!(advice(upload(&["a"], None, false), refused).contains("parent"));
    let file = "C: CWD scans\nS: 550 no\nC: SIZE scans\nS: 213 7\nF: NoSuchPath";
    assert!(advice(view(), file).contains("without the file"));
    assert!(!advice(view(), &file.replace("213 7", "550 no")).contains("without the file"));
    let no_path = "C: CWD scans\nS: 550 no\nF: NoSuchPath";
    assert!(advice(download(&[]), no_path).contains("files come behind it"));
    assert!(advice(download(&["a"]), no_path).contains("files come behind it"));
    let settings = ClientSettings { retries_max: 0, ..active() };
    let unreadable = format!("{}F: ok\nC: CWD scans\nS: 451 Record unreadable.\nF: Refused", login("SIZE"));
    let failure = run(&settings, &[connect(), view()], &unreadable).unwrap_err();
    assert!(failure.advice().contains("trouble"));
    let full = "A: open host:21 = ok\nS: 421 Too many users.\nA: hang up\nF: CannotConnect";
    assert!(run(&settings, &[connect()], full).unwrap_err().advice().contains("later"));
    let taken = "C: CWD scans\nS: 250 ok\nA: source 0 = 3\nC: SIZE a\nS: 213 4\nA: listen 192.0.2.7 = 27173\n\
        C: PORT 192,0,2,7,106,37\nS: 200 ok\nC: STOR a\nA: accept 192.0.2.1\nS: 553-Could not create file.\n\
        S: 553 File exists.\nF: Refused";
    assert!(advice(upload(&["a"], None, true), taken).contains("another name"));
}

#[test]
fn what_never_worked_is_tried_again_only_where_that_is_wanted() {
    let settings = |retry_first| ClientSettings { retries_max: 1, retry_first, ..ClientSettings::default() };
    run(&settings(false), &[connect()], "A: open host:21 = refused\nF: CannotConnect").unwrap_err();
    let twice = "A: open host:21 = refused\n! wait 500\nA: open host:21 = refused\nF: CannotConnect";
    run(&settings(true), &[connect()], twice).unwrap_err();
    let silent = "A: open host:21\n! wait\n! wait 500\nA: open host:21\n! wait\nF: TimedOut";
    run(&settings(true), &[connect()], silent).unwrap_err();
}
