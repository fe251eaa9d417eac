//! The JSON forms of what a client's host says and hears, pinned letter by letter: within a version fields are only added
//! (DESIGN 2).

use mayfly_core::client::action::{ClientAction, wire_bytes};
use mayfly_core::client::call::Call;
use mayfly_core::client::event::ClientEvent;
use mayfly_core::client::failure::Failure;
use mayfly_core::client::listing::parse_line;
use mayfly_core::client::summary::{Listed, ListedEntry, Summary};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Each line reads, and writes itself again.
#[track_caller]
fn stand<T: Serialize + DeserializeOwned>(lines: &[&str]) {
    for line in lines {
        let value: T = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(serde_json::to_string(&value).expect("it was read from JSON"), *line);
    }
}

#[test]
fn actions() {
    stand::<ClientAction>(&[
        r#"{"action":"open_control","id":1,"host":"ftp.example","port":21}"#,
        r#"{"action":"send_command","wire":"PASS x\r\n","shown":"PASS <secret>"}"#,
        r#"{"action":"start_tls","id":2,"host":"ftp.example"}"#,
        r#"{"action":"start_tls","id":2,"host":"ftp.example","at_most_12":true}"#,
        r#"{"action":"secure_data","id":3,"host":"ftp.example"}"#,
        r#"{"action":"note","note":{"note":"secured","data":true,"tls":{"protocol":"TLSv1.3","cipher":"x","resumed":true}}}"#,
        r#"{"action":"listen_data","id":2,"local":"192.0.2.1"}"#,
        r#"{"action":"accept_data","id":3,"peer":"192.0.2.7"}"#,
        r#"{"action":"connect_data","id":4,"peer":"[2001:db8::7]:50000","local":"2001:db8::1"}"#,
        r#"{"action":"open_source","id":5,"file":0}"#,
        r#"{"action":"send_file","id":6,"offset_bytes":0}"#,
        r#"{"action":"open_sink","id":7,"name":"a/1.png","size_bytes":2745,"modified_s":null,"resume":true}"#,
        r#"{"action":"receive_file","id":8,"offset_bytes":5}"#,
        r#"{"action":"keep_sink","id":9,"modified_s":7}"#,
        r#"{"action":"receive_listing","id":10}"#,
        r#"{"action":"cancel","id":10}"#,
        r#"{"action":"close_data"}"#,
        r#"{"action":"close_control"}"#,
        r#"{"action":"hand_token","storage_path":"/a","token":"00112233445566778899aabbccddeeff"}"#,
        r#"{"action":"note","note":{"note":"file_begun","name":"1.png","size_bytes":null,"offset_bytes":0}}"#,
        r#"{"action":"note","note":{"note":"lines_unread","lines":2}}"#,
        r#"{"action":"note","note":{"note":"date_left_alone","storage_path":"/a"}}"#,
        r#"{"action":"note","note":{"note":"retrying","retry":1,"retries_max":5,"after_ms":500,"because":"lost"}}"#,
        r#"{"action":"finished","outcome":{"ok":{"done":"connected","welcome":"Welcome"}}}"#,
        r#"{"action":"finished","outcome":{"ok":{"done":"quit"}}}"#,
        r#"{"action":"close"}"#,
    ]);
}

#[test]
fn events() {
    stand::<ClientEvent>(&[
        r#"{"event":"call","call":{"name":"view","storage_path":"/a"}}"#,
        r#"{"event":"call","call":{"name":"quit"}}"#,
        r#"{"event":"control_connected","id":1,"outcome":{"ok":{"peer":"192.0.2.7:21","local":"192.0.2.1:40000"}}}"#,
        r#"{"event":"control_received","text":"220 Hello\r\n"}"#,
        r#"{"event":"control_received","hex":"ff"}"#,
        r#"{"event":"control_closed"}"#,
        r#"{"event":"tls_started","id":2,"outcome":{"ok":{"protocol":"TLSv1.2","cipher":"x","resumed":false}}}"#,
        r#"{"event":"tls_started","id":2,"outcome":{"err":{"untrusted":"unknown issuer"}}}"#,
        r#"{"event":"tls_started","id":2,"outcome":{"err":"no_tls"}}"#,
        r#"{"event":"control_broke","fault":{"failed":"CertificateRequired"}}"#,
        r#"{"event":"data_listening","id":2,"outcome":{"ok":40001}}"#,
        r#"{"event":"data_connected","id":3,"outcome":{"ok":null}}"#,
        r#"{"event":"data_connected","id":3,"outcome":{"err":"refused"}}"#,
        r#"{"event":"source_opened","id":5,"outcome":{"ok":{"size_bytes":1,"modified_s":null,"rewindable":true}}}"#,
        r#"{"event":"sink_opened","id":7,"outcome":{"ok":5}}"#,
        r#"{"event":"sink_kept","id":9,"outcome":{"ok":null}}"#,
        r#"{"event":"data_received","id":10,"text":"1.png\r\n"}"#,
        r#"{"event":"transfer_progress","id":8,"wire_bytes":5}"#,
        r#"{"event":"transfer_ended","id":8,"wire_bytes":5,"outcome":{"err":"connection_lost"}}"#,
        r#"{"event":"transfer_ended","id":8,"wire_bytes":5,"outcome":{"err":"too_much"}}"#,
        r#"{"event":"transfer_ended","id":8,"wire_bytes":5,"outcome":{"err":{"local":"disk full"}}}"#,
        r#"{"event":"timeout"}"#,
        r#"{"event":"interrupt"}"#,
    ]);
}

#[test]
fn calls() {
    stand::<Call>(&[
        r#"{"name":"connect","host":"::1","port":21,"user":"me","password":"x","account":null,"once":false}"#,
        r#"{"name":"connect","host":"a","port":2121,"user":"me","password":"x","account":"books","once":true}"#,
        r#"{"name":"redate","storage_path":"a","expiry_date":"now","token":"00112233445566778899aabbccddeeff"}"#,
        r#"{"name":"connect","host":"a","port":990,"user":"me","password":"x","account":null,"once":false,"tls":"implicit"}"#,
        concat!(
            r#"{"name":"upload","storage_path":"a","files":["b/1"],"directories":["c"],"expiry_date":"7d","add":true,"#,
            r#""token":"00112233445566778899aabbccddeeff","standing":"made"}"#,
        ),
        concat!(
            r#"{"name":"upload","storage_path":"a","files":[],"directories":[],"expiry_date":null,"add":false,"#,
            r#""token":null,"standing":"found"}"#,
        ),
    ]);
}

#[test]
fn summaries_and_failures() {
    let done = r#"{"name":"1.png","size_bytes":2745,"modified_s":null}"#;
    let uploaded = format!(
        r#"{{"done":"uploaded","storage_path":"/a","expiry":{{"expires":"at","utc_s":7}},"token":null,"files":[{done}]}}"#
    );
    let dated = r#"{"done":"dated","storage_path":"/a","expiry":{"expires":"at","utc_s":7}}"#;
    let viewed = r#"{"done":"viewed","listing":["x"],"entries":[],"expiry":{"expires":"never"}}"#;
    let downloaded = format!(r#"{{"done":"downloaded","files":[{done}]}}"#);
    stand::<Summary>(&[&uploaded, viewed, &downloaded, dated]);
    let failure = format!(
        concat!(
            r#"{{"kind":"partial","what":"upload broke","reply":null,"done":[{}],"#,
            r#""refused":[{{"name":"2.png","kind":"refused","reply":null}}],"hint":null,"#,
            r#""token":"00112233445566778899aabbccddeeff"}}"#,
        ),
        done
    );
    stand::<Failure>(&[&failure]);
    // What an older host wrote.
    let older = r#"{"kind":"tls","what":"x","reply":null,"done":[],"refused":[]}"#;
    let older: Failure = serde_json::from_str(older).unwrap();
    assert!(older.hint.is_none() && older.token.is_none());
    let older = r#"{"name":"connect","host":"a","port":21,"user":"me","password":"x"}"#;
    let Call::Connect(older) = serde_json::from_str(older).unwrap() else { panic!("it connects") };
    assert!(older.account.is_none() && !older.once);
}

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
    let listed = Summary::Listed(Listed { entries, ..Listed::default() });
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
