//! The JSON forms of what a client's host says and hears about listings and trees, pinned: within a version fields are
//! only added.

use mayfly_core::client::action::{ClientAction, wire_bytes};
use mayfly_core::client::call::Call;
use mayfly_core::client::event::ClientEvent;
use mayfly_core::client::listing::parse_line;
use mayfly_core::client::summary::{Listed, ListedEntry, Summary};

#[test]
fn calls_of_trees_keep_their_forms_and_take_the_older_ones() {
    for (json, written) in [
        (r#"{"name":"list","path":"scans"}"#, r#"{"name":"list","path":"scans","recursive":false}"#),
        (
            r#"{"name":"download","storage_path":"scans","files":["a/b"]}"#,
            r#"{"name":"download","storage_path":"scans","files":["a/b"],"tree":false}"#,
        ),
    ] {
        let call: Call = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&call).unwrap(), written);
    }
    let upload = r#"{"name":"upload","storage_path":"scans","files":["a"],"expiry_date":null,"add":false}"#;
    let Call::Upload(order) = serde_json::from_str(upload).unwrap() else { panic!("it is an upload") };
    assert!(order.directories.is_empty() && order.token.is_none());
    let event = format!(r#"{{"event":"call","call":{upload}}}"#);
    assert!(serde_json::from_str::<ClientEvent>(&event).is_ok());
}

#[test]
fn what_was_listed_keeps_its_form() {
    let line = "-rw-r--r--   1 ftp      ftp          2745 Dec 24  2026 1.png";
    let entries = [ListedEntry::from(parse_line(line, 0).unwrap())].into();
    let listed = Summary::Listed(Listed { entries, refused: Vec::new() });
    let json = concat!(
        r#"{"done":"listed","entries":[{"name":"1.png","directory":false,"size_bytes":2745,"kind":"file","#,
        r#""modified_s":1798070400,"modified_exact":false}],"refused":[]}"#,
    );
    assert_eq!(serde_json::to_string(&listed).unwrap(), json);
    assert_eq!(serde_json::from_str::<Summary>(json).unwrap(), listed);
    let older = r#"{"name":"1.png","directory":false,"size_bytes":2745}"#;
    assert_eq!(serde_json::from_str::<ListedEntry>(older).unwrap().size_bytes, Some(2745));
}

#[test]
fn a_command_says_only_where_it_must_that_its_characters_are_bytes() {
    for (json, bytes) in [
        (r#"{"action":"send_command","wire":"RETR ü\r\n","shown":"RETR ü"}"#, &b"RETR \xc3\xbc\r\n"[..]),
        (
            r#"{"action":"send_command","wire":"RETR ü\r\n","byte_per_char":true,"shown":"RETR \\xFC"}"#,
            b"RETR \xfc\r\n",
        ),
    ] {
        let action: ClientAction = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&action).unwrap(), json);
        let ClientAction::SendCommand { wire, byte_per_char, .. } = action else { panic!("it is a command") };
        assert_eq!(wire_bytes(&wire, byte_per_char), bytes);
    }
}
