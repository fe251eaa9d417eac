//! Trees: listed, fetched, and brought with their directories.

use super::*;
use crate::client::call::ListOrder;
use crate::client::call::Standing;
use crate::client::summary::Listed;

#[track_caller]
fn run_after_login(features: &str, call: Call, script: &str) -> Result<Summary, Failure> {
    run(&active(), &[connect(), call], &format!("{}F: ok\nC: CWD scans\nS: 250 ok\n{script}", login(features)))
}

fn list(recursive: bool) -> Call {
    Call::List(ListOrder { path: "scans".to_owned(), recursive })
}

/// A listing by this command, that brings this.
fn listing(command: &str, lines: &str) -> String {
    format!(
        "A: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\nS: 200 ok\nC: {command}\nA: accept 192.0.2.1 = ok\n\
         S: 150 ok\nA: receive listing = {lines}\nS: 226 ok\n"
    )
}

fn moved(command: &str, transfer: &str) -> String {
    format!(
        "A: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\nS: 200 ok\nC: {command}\nA: accept 192.0.2.1 = ok\n\
         S: 150 ok\nA: {transfer}\nS: 226 ok\n"
    )
}

fn names(listed: &Result<Summary, Failure>) -> Vec<&str> {
    let Ok(Summary::Listed(Listed { entries, .. })) = listed else { panic!("{listed:?}") };
    entries.iter().map(|entry| entry.name.as_str()).collect()
}

const SUB: &str = "drwxr-xr-x 2 ftp ftp 4096 Jan 01 2020 sub|";
const A: &str = "-rw------- 1 ftp ftp 7 Jan 01 2020 a|";

#[test]
fn a_machine_listing_needs_no_other_directory() {
    let root = listing("MLSD", "type=cdir; .|type=dir; a b|type=file;size=7; c|type=dir; d|");
    let flat = run_after_login("MLST", list(false), &format!("{root}F: ok"));
    assert_eq!(names(&flat), ["a b", "c", "d"]);
    let deeper = listing("MLSD a b", "type=dir; x|") + &listing("MLSD a b/x", "type=file; y|") + &listing("MLSD d", "");
    let tree = run_after_login("MLST", list(true), &format!("{root}{deeper}F: ok"));
    assert_eq!(names(&tree), ["a b", "c", "d", "a b/x", "a b/x/y"]);
}

#[test]
fn a_long_listing_enters_each_directory_and_comes_back() {
    let script = format!(
        "{ASCII}{}C: PWD\nS: 257 \"/home/scans\"\nC: CWD /home/scans/sub\nS: 250 ok\n{}C: CWD /home/scans/sub/sub\nS: 550 no\n\
         C: CWD /home/scans\nS: 250 ok\nF: ok",
        listing("LIST", &format!("total 8|{A}{SUB}")),
        listing("LIST", SUB)
    );
    let listed = run_after_login("SIZE", list(true), &script);
    assert_eq!(names(&listed), ["a", "sub", "sub/sub"]);
    let Ok(Summary::Listed(Listed { entries, refused, .. })) = listed else { panic!() };
    assert_eq!(refused[0].name, "sub/sub");
    assert_eq!((entries[0].size_bytes, entries[1].directory), (Some(7), true));
}

#[test]
fn where_nothing_leads_back_directories_are_listed_by_name() {
    let script = format!("{ASCII}{}C: PWD\nS: 502 no\n{}F: ok", listing("LIST", SUB), listing("LIST sub", A));
    assert_eq!(names(&run_after_login("SIZE", list(true), &script)), ["sub", "sub/a"]);
}

#[test]
fn a_break_in_a_tree_goes_on_where_it_was() {
    let script = format!(
        "{ASCII}{}C: PWD\nS: 257 \"/home/scans\"\nC: CWD /home/scans/sub\nS: 250 ok\nA: listen 192.0.2.7 = 27173\n\
         C: PORT 192,0,2,7,106,37\nS: 200 ok\nC: LIST\nA: accept 192.0.2.1\nS: 425 no\n! wait\nC: CWD /home/scans\n\
         S: 250 ok\nC: CWD /home/scans/sub\n! close\nA: hang up\n! wait\n{}C: CWD scans\nS: 250 ok\n\
         C: CWD /home/scans/sub\nS: 250 ok\n{ASCII}{}C: CWD /home/scans\nS: 250 ok\nF: ok",
        listing("LIST", SUB),
        login("SIZE"),
        listing("LIST", A)
    );
    assert_eq!(names(&run_after_login("SIZE", list(true), &script)), ["sub", "sub/a"]);
}

#[test]
fn a_ring_of_directories_ends() {
    let script = listing("MLSD", "type=dir;unique=1; a|")
        + &listing("MLSD a", "type=dir;unique=2; b|")
        + &listing("MLSD a/b", "type=dir;unique=1; a|type=dir;unique=2; b|")
        + "F: ok";
    assert_eq!(names(&run_after_login("MLST", list(true), &script)), ["a", "a/b", "a/b/a", "a/b/b"]);
    let mut path = "x".to_owned();
    let mut script = listing("MLSD", "type=dir; x|");
    for _ in 0..crate::limits::PATH_DEPTH_MAX - 1 {
        script += &listing(&format!("MLSD {path}"), "type=dir; x|");
        path += "/x";
    }
    let script = script + &listing(&format!("MLSD {path}"), "type=dir; x|") + "F: ok";
    let Ok(Summary::Listed(Listed { refused, .. })) = run_after_login("MLST", list(true), &script) else { panic!() };
    assert_eq!(refused.len(), 1);
}

#[test]
fn a_tree_is_fetched_below_its_names() {
    let download = Call::Download(DownloadOrder { storage_path: "scans".to_owned(), files: Vec::new(), tree: true });
    let script = format!(
        "{}{}C: SIZE sub/a\nS: 213 7\nA: sink sub/a of 7 = 0\n{}A: keep ? = ok\nF: ok",
        listing("MLSD", "type=dir; sub|type=OS.unix=chr-1/3; null|"),
        listing("MLSD sub", "type=file; a|"),
        moved("RETR sub/a", "receive from 0 = 7")
    );
    let outcome = run_after_login("MLST,SIZE,REST STREAM", download, &script);
    let Ok(Summary::Downloaded { files }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(files[0].name, "sub/a");
    let named = ["x/a".to_owned(), "y/a".to_owned()].into();
    let download = Call::Download(DownloadOrder { storage_path: "scans".to_owned(), files: named, tree: true });
    let fetched = |name: &str| {
        format!("A: sink {name} of ? = 0\n{}A: keep ? = ok\n", moved(&format!("RETR {name}"), "receive from 0 = 7"))
    };
    let script = format!("{}{}F: ok", fetched("x/a"), fetched("y/a"));
    run_after_login("REST STREAM", download, &script).unwrap();
}

fn upload_tree(files: &[&str], directories: &[&str], add: bool) -> Call {
    let Call::Upload(order) = upload(files, None, add) else { unreachable!("it is an upload") };
    Call::Upload(UploadOrder { directories: directories.iter().map(|&name| name.to_owned()).collect(), ..order })
}

fn sent(name: &str) -> String {
    format!("A: source 0 = 3\n{}", moved(&format!("STOR {name}"), "send from 0 = 3"))
}

#[test]
fn the_directories_of_a_tree_are_made_from_the_outermost_on() {
    let script = format!(
        "{}F: ok\nC: MKD scans\nS: 257 ok\nC: CWD scans\nS: 250 ok\nC: MKD a\nS: 257 ok\nC: MKD a/b\nS: 257 ok\nC: MKD e\n\
         S: 257 ok\nC: MKD e/f\nS: 257 ok\n{}F: ok",
        login("EPSV"),
        sent("a/b/1.png")
    );
    run(&active(), &[connect(), upload_tree(&["a/b/1.png"], &["a/b", "e/f"], false)], &script).unwrap();
    for (files, directories) in [(&["a", "a/b"][..], &[][..]), (&["a"], &["a"]), (&["a/../b"], &[]), (&["a"], &["/b"])]
    {
        let call = upload_tree(files, directories, false);
        run(&active(), &[connect(), call], &format!("{}F: ok\nF: Unfit", login(""))).unwrap_err();
    }
}

#[test]
fn a_directory_that_is_there_already_is_as_good_as_made() {
    for exists in ["521 \"/a\" directory already exists", "550 a: File already exists."] {
        let script = format!("C: MKD a\nS: {exists}\n{}F: ok", sent("a/1"));
        run_after_login("EPSV", upload_tree(&["a/1"], &[], true), &script).unwrap();
    }
    let mlst = "C: MKD a\nS: 550 Create directory operation failed.\nC: MLST a\nS: 250-Listing\n";
    let there = format!(
        "{mlst}S:  type=dir;modify=20200101000000; a\nS: 250 End\nA: source 0 = 3\nC: SIZE a/1\n\
         S: 550 no\n{}C: SIZE a/1\nS: 213 3\nF: ok",
        moved("STOR a/1", "send from 0 = 3")
    );
    run_after_login("MLST,SIZE", upload_tree(&["a/1"], &[], true), &there).unwrap();
    let file = format!("{mlst}S:  type=file; a\nS: 250 End\nF: Refused");
    let failure = run_after_login("MLST,SIZE", upload_tree(&["a/1", "a/2"], &["a/b"], true), &file).unwrap_err();
    let refused: Vec<&str> = failure.refused.iter().map(|refused| refused.name.as_str()).collect();
    assert_eq!(refused, ["a", "a/1", "a/2"]);
    let entered = format!(
        "C: MKD a\nS: 550 no\nC: PWD\nS: 257 \"/home/scans\" is here\nC: CWD a\nS: 250 ok\nC: CWD /home/scans\nS: 250 ok\n{}F: ok",
        sent("a/1")
    );
    run_after_login("EPSV", upload_tree(&["a/1"], &[], true), &entered).unwrap();
    let none = "C: MKD a\nS: 550 no\nC: PWD\nS: 257 \"/home/scans\" is here\nC: CWD a\nS: 550 no\nF: Refused";
    run_after_login("EPSV", upload_tree(&["a/1"], &[], true), none).unwrap_err();
}

#[test]
fn one_of_several_clients_shows_the_token_of_the_path() {
    let Call::Upload(order) = upload(&["a"], None, true) else { unreachable!("it is an upload") };
    let token = crate::record::Token::parse("000102030405060708090a0b0c0d0e0f");
    let call = Call::Upload(UploadOrder { token, ..order });
    let script = format!(
        "{}F: ok\nC: SITE CLAIM scans <secret>\nS: 200 ok\nC: SITE EXPIRY scans\nS: 213 never\nC: CWD scans\nS: 250 ok\n{}F: ok",
        login("SETEXPIRY,SITE EXPIRY,SITE TOKEN,SITE CLAIM"),
        sent("a")
    );
    let outcome = run(&active(), &[connect(), call], &script);
    let Ok(Summary::Uploaded(uploaded)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(uploaded.token, token);
}

#[test]
fn a_share_needs_nothing_but_its_files() {
    let share = |file: &str, standing| {
        let Call::Upload(order) = upload(&[file], None, true) else { unreachable!("it is an upload") };
        let token = crate::record::Token::parse("000102030405060708090a0b0c0d0e0f");
        Call::Upload(UploadOrder { token, standing: Some(standing), ..order })
    };
    // A further connection goes there once; and so does a server that knows no dates, where each login counts.
    let calls = [connect(), share("a/1", Standing::Made), share("a/2", Standing::Made)];
    for (features, claimed) in [
        ("EPSV", ""),
        (
            "SETEXPIRY,SITE EXPIRY,SITE TOKEN,SITE CLAIM",
            "C: SITE CLAIM scans <secret>\nS: 200 ok\nC: SITE EXPIRY scans\nS: 213 never\n",
        ),
    ] {
        let script = format!(
            "{}F: ok\n{claimed}C: CWD scans\nS: 250 ok\n{}F: ok\n{}F: ok",
            login(features),
            sent("a/1"),
            sent("a/2")
        );
        run(&active(), &calls, &script).unwrap();
    }
    // What was there is looked at first.
    let looked = format!(
        "A: source 0 = 3\nC: SIZE a/1\nS: 550 no\n{}C: SIZE a/1\nS: 213 3\nF: ok",
        moved("STOR a/1", "send from 0 = 3")
    );
    let script = format!("{}F: ok\nC: CWD scans\nS: 250 ok\n{looked}", login("SIZE"));
    run(&active(), &[connect(), share("a/1", Standing::Found)], &script).unwrap();
}
