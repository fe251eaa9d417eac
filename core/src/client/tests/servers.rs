//! Servers that lack what others have, or do it in an order of their own.

use super::*;
use crate::client::call::ListOrder;
use crate::client::summary::Viewed;

const PASSIVE: &str = "C: EPSV\nS: 229 ok (|||40001|)\nA: connect 192.0.2.1:40001 = ok\n";
const ENTERED: &str = "C: CWD scans\nS: 250 ok\n";

#[track_caller]
fn run_after_login(features: &str, calls: &[Call], script: &str) -> Result<Summary, Failure> {
    let calls: Vec<Call> = [connect()].into_iter().chain(calls.iter().cloned()).collect();
    let settings = ClientSettings { retries_max: 1, ..ClientSettings::default() };
    run(&settings, &calls, &format!("{}F: ok\n{script}", login(features)))
}

#[test]
fn a_login_takes_what_replies_it_gets() {
    let rest = "C: FEAT\nS: 500 Unknown command.\nC: TYPE I\nS: 200 ok\nF: ok";
    let opening = "A: open host:21 = ok\nS: 220 Welcome\nC: OPTS UTF8 ON\nS: 500 no\nC: USER anonymous\n";
    for login in [
        format!("{opening}S: 230 No password needed.\n{rest}"),
        format!("{opening}S: 232 Known by its certificate.\n{rest}"),
        format!("{opening}S: 331 Password\nC: PASS <secret>\nS: 202 Superfluous.\n{rest}"),
        format!(
            "{opening}S: 331-Many\nS: 331-lines\nS: 331 Password\nC: PASS <secret>\nS: 230-In\nS:  230 ?\nS: 230 In\n{rest}"
        ),
        // RFC 959 5.4: 120 says that it will take a while.
        format!("A: open host:21 = ok\nS: 120 Ready in 1 minute.\n{}", opening.replace("A: open host:21 = ok\n", ""))
            + &format!("S: 100 Looking you up\nS: 230 In\n{rest}"),
    ] {
        run(&active(), &[connect()], &login).unwrap();
    }
}

#[test]
fn utf_8_is_asked_for_again_where_it_was_too_early_before_the_login() {
    let script = "A: open host:21 = ok\nS: 220 Welcome\nC: OPTS UTF8 ON\nS: 530 Log in first.\nC: USER anonymous\nS: 230 In\n\
        C: FEAT\nS: 211-Features:\nS:  UTF8\nS: 211 End\nC: OPTS UTF8 ON\nS: 200 ok\nC: TYPE I\nS: 200 ok\nF: ok";
    run(&active(), &[connect()], script).unwrap();
}

#[test]
fn a_421_anywhere_leads_to_a_new_connection() {
    let viewed = |until: &str| {
        let all = format!("{ENTERED}{ASCII}{PASSIVE}C: LIST\nS: 150 ok\nA: receive listing = \nS: 226 ok\n");
        let at = all.find(until).unwrap_or_else(|| panic!("{until}")) + until.len();
        let cut = all[..at].replace(" = \n", "\n");
        format!("{cut}S: 421 Timeout.\nA: hang up\n! wait\n{}{all}F: ok", login("SIZE"))
    };
    for until in ["CWD scans\n", "TYPE A\n", "EPSV\n", "LIST\n", "A: receive listing = \n"] {
        run_after_login("SIZE", &[view()], &viewed(until)).unwrap();
    }
    // Between two calls it comes unasked.
    let listed = format!("{ENTERED}{ASCII}{PASSIVE}C: LIST\nS: 150 ok\nA: receive listing = \n");
    let idle =
        format!("{listed}! raw 226 ok|421 Timeout.|\nA: hang up\nF: ok\n{}{listed}S: 226 ok\nF: ok", login("SIZE"));
    run_after_login("SIZE", &[view(), view()], &idle).unwrap();
}

#[test]
fn a_transfer_may_be_announced_and_ended_in_any_way() {
    for (begin, end) in [
        ("S: 150 ok\nA: receive listing = a|\n", "S: 226 ok\n"),
        ("S: 125 Already open.\nA: receive listing = a|\n", "S: 250 Done.\n"),
        ("S: 150 ok\nA: receive listing\nS: 150 again\n! a|\n", "S: 125 and again\nS: 226 ok\n"),
        // No 150; and the last word before the data's end.
        ("S: 226 ok\nA: receive listing = a|\n", ""),
        ("S: 150 ok\nA: receive listing\nS: 226 ok\n! a|\n", ""),
        // Its replies in one piece, before or after the data.
        ("! raw 150 ok|226 ok|\nA: receive listing = a|\n", ""),
        ("S: 150-Here\nS: 226 it\nS: 150 comes\nA: receive listing = a|\n", "S: 226-Done\nS:  really\nS: 226 ok\n"),
    ] {
        let script = format!("{ENTERED}{ASCII}{PASSIVE}C: LIST\n{begin}{end}F: ok");
        let viewed = run_after_login("SIZE", &[view()], &script);
        let Ok(Summary::Viewed(Viewed { listing, .. })) = viewed else { panic!("{viewed:?}") };
        assert_eq!(listing, ["a"]);
    }
}

#[test]
fn an_upload_may_be_announced_and_ended_in_any_way() {
    let made = "C: MKD scans\nS: 257 ok\nC: CWD scans\nS: 250 ok\nA: source 0 = 3\nC: ALLO 3\nS: 202 Superfluous.\n";
    for moved in [
        "S: 125 Already open.\nA: send from 0 = 3\nS: 250 Done.\n",
        "S: 150 ok\nS: 150 ok\nA: send from 0 = 3\nS: 226 ok\n",
        "S: 150 ok\nA: send from 0\nS: 226 early\n! 3\n",
    ] {
        let script = format!("{made}{PASSIVE}C: STOR a\n{moved}F: ok");
        run_after_login("EPSV", &[upload(&["a"], None, false)], &script).unwrap();
    }
    // What ends well without a beginning has taken nothing.
    let script = format!("{made}{PASSIVE}C: STOR a\nS: 226 What?\nA: hang up\nF: Protocol");
    run_after_login("EPSV", &[upload(&["a"], None, false)], &script).unwrap_err();
}

/// The second of two files, once it was learnt how this server has it.
#[track_caller]
fn two_files(features: &str, first: &str, second: &str) {
    let script = format!("{ENTERED}{first}A: keep ? = ok\n{second}A: keep ? = ok\nF: ok");
    run_after_login(features, &[download(&["a", "b"])], &script).unwrap();
}

#[test]
fn what_a_server_does_not_have_is_asked_for_once() {
    let moved = |name: &str| format!("C: RETR {name}\nS: 150 ok\nA: receive from 0 = 7\nS: 226 ok\n");
    let pasv = "C: PASV\nS: 227 ok (192,0,2,1,156,65)\nA: connect 192.0.2.1:40001 = ok\n";
    for no_epsv in ["500 What?", "502 Not here.", "425 Cannot open.", "229 nonsense", "522 No."] {
        two_files(
            "REST STREAM",
            &format!("A: sink a of ? = 0\nC: EPSV\nS: {no_epsv}\n{pasv}{}", moved("a")),
            &format!("A: sink b of ? = 0\n{pasv}{}", moved("b")),
        );
    }
    // RFC 2389 came after SIZE and MDTM: a server without FEAT may know them.
    let no_feat = login("").replace("S: 211-Features:\nS: 211 End\n", "S: 500 What?\n");
    let script = format!(
        "{no_feat}F: ok\n{ENTERED}C: SIZE a\nS: 500 What?\nC: MDTM a\nS: 502 No.\nA: sink a of ? = 0\n{PASSIVE}{}\
         A: keep ? = ok\nA: sink b of ? = 0\n{PASSIVE}{}A: keep ? = ok\nF: ok",
        moved("a"),
        moved("b")
    );
    run(&ClientSettings::default(), &[connect(), download(&["a", "b"])], &script).unwrap();
    // A file that is not there says nothing of the command.
    let missing = "C: SIZE a\nS: 550 No such file.\nA: sink a of ? = 0\n";
    two_files("SIZE,REST STREAM", &format!("{missing}{PASSIVE}{}", moved("a")), &{
        format!("C: SIZE b\nS: 213 7\nA: sink b of 7 = 0\n{PASSIVE}{}", moved("b"))
    });
    for no_rest in ["500 What?", "502 No.", "450 Not now.", "200 Noted."] {
        two_files(
            "REST STREAM",
            &format!(
                "A: sink a of ? = 3\n{PASSIVE}C: REST 3\nS: {no_rest}\nA: sink a of ? anew = 0\n{PASSIVE}{}",
                moved("a")
            ),
            &format!("A: sink b of ? anew = 0\n{PASSIVE}{}", moved("b")),
        );
    }
}

#[test]
fn an_address_that_nobody_can_reach_is_not_believed() {
    for address in ["0,0,0,0", "10,0,0,5", "127,0,0,1", "192,168,1,65", "198,51,100,9"] {
        let script = format!(
            "{ENTERED}{ASCII}C: EPSV\nS: 500 no\nC: PASV\nS: 227 Entering Passive Mode ({address},156,65)\n\
             A: connect 192.0.2.1:40001 = ok\nC: LIST\nS: 150 ok\nA: receive listing = \nS: 226 ok\nF: ok"
        );
        run_after_login("SIZE", &[view()], &script).unwrap();
    }
}

#[test]
fn listings_are_asked_for_as_text_and_files_as_bytes() {
    let line = "-rw------- 1 ftp ftp 7 Jan 01 2020 a|";
    let listed = format!("{PASSIVE}C: LIST\nS: 150 ok\nA: receive listing = {line}\nS: 226 ok\n");
    let fetched = format!(
        "A: sink a of 7 = 0\n{PASSIVE}C: RETR a\nS: 150 ok\nA: receive from 0 = 7\nS: 226 ok\nA: keep ? = ok\n"
    );
    let size = "C: SIZE a\nS: 213 7\n";
    run_after_login(
        "SIZE,REST STREAM",
        &[download(&[])],
        &format!("{ENTERED}{ASCII}{listed}{IMAGE}{size}{fetched}F: ok"),
    )
    .unwrap();
    // Where TYPE A is refused, nothing has to be set back; where TYPE I is, nothing can be fetched.
    let refused = format!("{ENTERED}C: TYPE A\nS: 504 no\n{listed}{size}{fetched}F: ok");
    run_after_login("SIZE,REST STREAM", &[download(&[])], &refused).unwrap();
    let stuck = format!("{ENTERED}{ASCII}{listed}C: TYPE I\nS: 504 no\nF: Refused");
    run_after_login("SIZE", &[download(&[])], &stuck).unwrap_err();
    // RFC 3659 7: MLSD is the same in any type.
    let mlsd = format!("{PASSIVE}C: MLSD\nS: 150 ok\nA: receive listing = type=file; a|\nS: 226 ok\n");
    run_after_login("SIZE,MLST,REST STREAM", &[download(&[])], &format!("{ENTERED}{mlsd}{size}{fetched}F: ok"))
        .unwrap();
}

#[test]
fn where_mlsd_is_promised_and_missing_comes_list() {
    let listed = "C: LIST\nS: 150 ok\nA: receive listing = total 0|\nS: 226 ok\nF: ok";
    for mlsd in ["S: 500 What?\n", "S: 150 ok\nA: receive listing = drwxr-xr-x 2 0 0 4096 Jan 01 2020 x|\nS: 226 ok\n"]
    {
        let script = format!("{ENTERED}{PASSIVE}C: MLSD\n{mlsd}{ASCII}{PASSIVE}{listed}");
        run_after_login("MLST", &[download(&[])], &script).unwrap();
    }
    // One line that is broken costs no other, and is counted.
    let some = "S: 150 ok\nA: receive listing = type=file; a|type=fi|banner|type=dir; d|\nS: 226 ok\nF: ok";
    let list = [Call::List(ListOrder { path: "scans".to_owned(), recursive: false })];
    let listed = run_after_login("MLST", &list, &format!("{ENTERED}{PASSIVE}C: MLSD\n{some}")).unwrap();
    let Summary::Listed(listed) = listed else { panic!("{listed:?}") };
    assert_eq!((listed.entries.len(), listed.unread_lines), (2, 2));
    // A directory that is not there is no reason to try another way.
    run_after_login("MLST", &[download(&[])], &format!("{ENTERED}{PASSIVE}C: MLSD\nS: 550 no\nF: Refused"))
        .unwrap_err();
}

#[test]
fn a_half_read_listing_is_completed_by_names() {
    let script = format!(
        "{ENTERED}{ASCII}{PASSIVE}C: LIST\nS: 150 ok\n\
         A: receive listing = drwxr-xr-x 2 0 0 4096 Jan 01 2020 d|odd line|\nS: 226 ok\n{PASSIVE}C: NLST\nS: 150 ok\n\
         A: receive listing = d|./x|\nS: 226 ok\nA: sink x of ? anew = 0\n{IMAGE}{PASSIVE}C: RETR x\nS: 150 ok\n\
         A: receive from 0 = 7\nS: 226 ok\nA: keep ? = ok\nF: ok"
    );
    run_after_login("EPSV", &[download(&[])], &script).unwrap();
    let empty = format!("{ENTERED}{ASCII}{PASSIVE}C: LIST\nS: 550 No files found.\nF: ok");
    run_after_login("EPSV", &[download(&[])], &empty).unwrap();
}

#[test]
fn names_that_are_no_utf_8_are_shown_and_sent_back_as_they_are() {
    let fetched = |command: &str, image: &str| {
        format!(
            "{command}A: sink gr\\xFCn of ? anew = 0\n{image}{PASSIVE}B: RETR gr<FC>n\nS: 150 ok\nA: receive from 0 = 7\nS: 226 ok\n\
             A: keep ? = ok\nF: ok"
        )
    };
    let listed = format!(
        "{ENTERED}{ASCII}{PASSIVE}C: LIST\nS: 150 ok\n\
         A: receive listing = -rw------- 1 ftp ftp 7 Jan 01 2020 gr<FC>n|\nS: 226 ok\n"
    );
    for features in ["EPSV", "UTF8"] {
        run_after_login(features, &[download(&[])], &fetched(&listed, IMAGE)).unwrap();
    }
    // Named by the caller: on an old server it means the byte, on one that has UTF-8 it is a name like any other.
    run_after_login("EPSV", &[download(&["gr\\xFCn"])], &fetched(ENTERED, "")).unwrap();
    let refused = "A: sink gr\\xFCn of ? anew = 0\n{PASSIVE}C: RETR gr\\xFCn\nS: 550 No such file.\n";
    let letters_first = format!("{ENTERED}{}", refused.replace("{PASSIVE}", PASSIVE));
    run_after_login("UTF8", &[download(&["gr\\xFCn"])], &fetched(&letters_first, "")).unwrap();
    let never = format!("{letters_first}F: NoSuchPath");
    run_after_login("UTF8,SETEXPIRY", &[download(&["gr\\xFCn"])], &never).unwrap_err();
}
