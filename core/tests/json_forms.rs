//! The JSON forms of the boundary, letter by letter: other languages rely on them, and within a schema version fields
//! are only added (DESIGN 2).

use mayfly_core::action::Action;
use mayfly_core::event::Event;
use mayfly_core::reaper::{ReaperAction, ReaperEvent};
use mayfly_core::settings::Settings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// Each line reads, and writes itself again.
#[track_caller]
fn stand<T: Serialize + DeserializeOwned + PartialEq + Debug>(lines: &[String]) {
    let read = |line: &str| serde_json::from_str::<T>(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    for line in lines {
        let value = read(line);
        assert_eq!(serde_json::to_string(&value).expect("it was read from JSON"), *line);
        // A later version may say more.
        let more = line.strip_suffix('}').map(|open| format!("{open},\"later\":[1]}}")).expect("it is an object");
        assert_eq!(read(&more), value, "{more}");
    }
}

fn lines(texts: &[&str]) -> Vec<String> {
    let filled = |text: &str| {
        text.replace("RECORD_AT", RECORD_AT).replace("RECORD", RECORD).replace("INFO", INFO).replace("QUOTA", QUOTA)
    };
    texts.iter().map(|text| filled(text)).collect()
}

#[test]
fn actions() {
    stand::<Action>(&lines(&[
        r#"{"action":"send_reply","code":200,"wire":"200 NOOP ok.\r\n"}"#,
        r#"{"action":"draw_random","id":1}"#,
        r#"{"action":"listen_data","id":2,"local":"192.0.2.1","ports":{"first":40000,"last":40100}}"#,
        r#"{"action":"listen_data","id":2,"local":"2001:db8::1","ports":null}"#,
        r#"{"action":"accept_data","id":3,"peer":"192.0.2.7"}"#,
        r#"{"action":"connect_data","id":4,"peer":"[2001:db8::7]:50000","local":"2001:db8::1"}"#,
        r#"{"action":"accept_data","id":3,"peer":"192.0.2.7","any_host":true}"#,
        r#"{"action":"connect_data","id":4,"peer":"192.0.2.7:50000","local":"192.0.2.1","local_port":20}"#,
        r#"{"action":"close_data"}"#,
        r#"{"action":"start_tls","id":5}"#,
        r#"{"action":"secure_data","id":5,"direction":"receive","needs_close_notify":true}"#,
        r#"{"action":"verify_login","id":5,"user":"me","proof":{"proof":"password","password":"sesame"},"peer":"192.0.2.7"}"#,
        r#"{"action":"verify_login","id":5,"user":"me","proof":{"proof":"certificate","subject":"CN=me"},"peer":"::1"}"#,
        r#"{"action":"transfer","id":5,"direction":"send","translation":"image"}"#,
        r#"{"action":"transfer","id":5,"direction":"receive","translation":"ascii"}"#,
        r#"{"action":"transfer","id":5,"direction":"receive","translation":"ascii","deflate":9}"#,
        r#"{"action":"send_data","id":6,"text":"1.png\r\n"}"#,
        r#"{"action":"send_data","id":6,"text":"1.png\r\n","deflate":6}"#,
        r#"{"action":"send_data","id":6,"text":"","deflate":6,"last":true}"#,
        r#"{"action":"send_telnet","hex":"fffc01"}"#,
        r#"{"action":"cancel","id":6}"#,
        r#"{"action":"notify","change":{"change":"expires","path":"/a","expiry_s":7}}"#,
        r#"{"action":"notify","change":{"change":"removed","path":"/a"}}"#,
        r#"{"action":"notify","change":{"change":"renamed","from":"/a","to":"/b"}}"#,
        r#"{"action":"notify","change":{"change":"trashed"}}"#,
        r#"{"action":"note","note":{"note":"logged_in","user":"anonymous"}}"#,
        r#"{"action":"note","note":{"note":"login_failed","user":"me"}}"#,
        r#"{"action":"note","note":{"note":"expiry_set","path":"/a","expiry_s":null}}"#,
        r#"{"action":"note","note":{"note":"made","path":"/a"}}"#,
        r#"{"action":"note","note":{"note":"removed","path":"/a"}}"#,
        r#"{"action":"note","note":{"note":"renamed","from":"/a","to":"/b"}}"#,
        r#"{"action":"note","note":{"note":"made","path":"/a"},"command":{"name":"MKD","code":257,"took_ms":3}}"#,
        r#"{"action":"note","note":{"note":"removed","path":"/a"},"command":{"name":"COMB"}}"#,
        r#"{"action":"note","note":{"note":"logged_in","user":"me","method":"certificate"}}"#,
        r#"{"action":"note","note":{"note":"logged_out"}}"#,
        r#"{"action":"note","note":{"note":"listed","path":"/a","wire_bytes":1,"took_ms":2,"code":226}}"#,
        r#"{"action":"note","note":{"note":"hashed","path":"/a"}}"#,
        r#"{"action":"note","note":{"note":"combined","path":"/a","bytes":9}}"#,
        r#"{"action":"note","note":{"note":"facts_set","path":"/a","facts":"UNIX.mode=0644;"}}"#,
        r#"{"action":"note","note":{"note":"token_told","path":"/a"}}"#,
        r#"{"action":"note","note":{"note":"claimed","path":"/a"}}"#,
        r#"{"action":"note","note":{"note":"refused","reason":"Please login with USER and PASS"}}"#,
        r#"{"action":"note","note":{"note":"refused","path":"/a","reason":"Permission denied"}}"#,
        r#"{"action":"note","note":{"note":"address_refused","address":"198.51.100.9:25"}}"#,
        r#"{"action":"note","note":{"note":"asked","command":"PASS <secret>"}}"#,
        r#"{"action":"note","note":{"note":"answered","code":230,"text":"Login successful."}}"#,
        r#"{"action":"note","note":{"note":"client_named","name":"x 1.0"}}"#,
        r#"{"action":"note","note":{"note":"ending","reason":"quit"}}"#,
        r#"{"action":"close"}"#,
    ]));
    let transferred = r#"{"note":"transferred","direction":"send","path":"/f","wire_bytes":1,"took_ms":2,"code":226}"#;
    stand::<Action>(&[format!(r#"{{"action":"note","note":{transferred}}}"#)]);
    let deflated = transferred.replace("1,", r#"1,"file_bytes":9,"#);
    stand::<Action>(&[format!(r#"{{"action":"note","note":{deflated}}}"#)]);
}

#[test]
fn settings() {
    // Those of an older host lack what came later.
    let mut settings = serde_json::to_value(Settings::default()).expect("it is plain data");
    let all = settings.clone();
    let fields = settings.as_object_mut().expect("it is an object");
    for later in ["passive_addresses", "active_port", "epsv_only", "fxp_users", "keep"] {
        assert!(fields.remove(later).is_some(), "{later}");
    }
    assert_eq!(serde_json::from_value::<Settings>(settings).ok(), Some(Settings::default()));
    for (name, value) in [
        ("passive_addresses", r#"[{"clients":"10.0.0.0/8","address":"10.0.0.1"},{"clients":"::/0","address":null}]"#),
        ("active_port", r#""data""#),
        ("epsv_only", r#"["192.0.2.0/24","2001:db8::/32"]"#),
        ("fxp_users", r#"["me"]"#),
        ("keep", r#"[{"path":"/scans","life_s":7}]"#),
    ] {
        let mut settings = all.clone();
        settings[name] = serde_json::from_str(value).expect("it is JSON");
        let read: Settings = serde_json::from_value(settings.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::to_value(read).expect("it is plain data"), settings);
    }
}

#[test]
fn storage_requests() {
    let requests = lines(&[
        r#"{"request":"check_expiry","path":"/"}"#,
        r#"{"request":"set_expiry","path":"/a","judged":RECORD,"expiry_s":8}"#,
        r#"{"request":"make_directory","path":"/a","record":RECORD,"replaces":null}"#,
        r#"{"request":"make_directory","path":"/a","record":RECORD,"replaces":null,"quota":{"home":"/","files":9}}"#,
        r#"{"request":"remove_directory","path":"/a","judged":RECORD}"#,
        r#"{"request":"remove_file","path":"/a/f"}"#,
        r#"{"request":"remove_file","path":"/a/f","unique":"1g2"}"#,
        r#"{"request":"rename","from":"/a","to":"/b","replace":false,"judged_from":[RECORD_AT],"judged_to":[]}"#,
        r#"{"request":"rename","from":"/a","to":"/b","replace":false,"judged_from":[],"judged_to":[],"expiry_s":7,"quota":QUOTA}"#,
        r#"{"request":"open_read","path":"/f","offset_bytes":9007199254740991}"#,
        r#"{"request":"open_read","path":"/f","offset_bytes":1,"end_bytes":3}"#,
        r#"{"request":"open_write","path":"/f","base":"empty","announced_bytes":null}"#,
        r#"{"request":"open_write","path":"/f","base":{"published":{"keep_bytes":null}},"announced_bytes":5}"#,
        r#"{"request":"open_write","path":"/f","base":{"partial":{"keep_bytes":3}},"announced_bytes":null}"#,
        r#"{"request":"open_write","path":"/f","base":"empty","announced_bytes":null,"quota":QUOTA}"#,
        r#"{"request":"reserve_space","path":"/","size_bytes":5}"#,
        r#"{"request":"reserve_space","path":"/","size_bytes":5,"quota":QUOTA}"#,
        r#"{"request":"publish","replace":true,"judged":[RECORD_AT]}"#,
        r#"{"request":"publish","replace":true,"judged":[],"expiry_s":7}"#,
        r#"{"request":"keep_partial"}"#,
        r#"{"request":"discard"}"#,
        r#"{"request":"set_times","path":"/f","modified_s":-1}"#,
        r#"{"request":"open_listing","path":"/","sort_entries_max":10000}"#,
        r#"{"request":"open_listing","path":"/","sort_entries_max":0,"order":{"by":"modified","reversed":true},"detail":"creation"}"#,
        r#"{"request":"open_listing","path":"/","sort_entries_max":0,"order":{"by":"size","reversed":false},"detail":"names"}"#,
        r#"{"request":"open_listing","path":"/","sort_entries_max":0,"detail":"directories"}"#,
        r#"{"request":"read_listing","entries_max":256}"#,
        r#"{"request":"close_listing"}"#,
        r#"{"request":"set_facts","path":"/f","facts":{"modified_s":1,"accessed_s":null,"created_s":-1,"mode":420}}"#,
        r#"{"request":"ask_room","path":"/"}"#,
        r#"{"request":"ask_room","path":"/","quota":QUOTA}"#,
        r#"{"request":"open_reading","path":"/f","offset_bytes":0,"length_bytes":null,"purpose":{"digest":"sha256"}}"#,
        r#"{"request":"open_reading","path":"/f","offset_bytes":1,"length_bytes":2,"purpose":{"digest":"crc32"}}"#,
        r#"{"request":"open_reading","path":"/f","offset_bytes":0,"length_bytes":null,"purpose":"ascii_size"}"#,
        r#"{"request":"open_reading","path":"/f","offset_bytes":0,"length_bytes":null,"purpose":"append"}"#,
        r#"{"request":"read_on","bytes_max":16777216}"#,
        r#"{"request":"close_reading"}"#,
    ]);
    let within = |request: &String| format!(r#"{{"action":"storage","id":1,"request":{request}}}"#);
    stand::<Action>(&requests.iter().map(within).collect::<Vec<_>>());
}

#[test]
fn events() {
    stand::<Event>(&lines(&[
        r#"{"event":"connected","admission":"welcome"}"#,
        r#"{"event":"connected","admission":"too_many_sessions"}"#,
        r#"{"event":"connected","admission":"too_many_from_address"}"#,
        r#"{"event":"connected","admission":"shutting_down"}"#,
        r#"{"event":"connected","admission":"too_often"}"#,
        r#"{"event":"connected","admission":"banned"}"#,
        r#"{"event":"connected","admission":"denied"}"#,
        r#"{"event":"connected","admission":"welcome","failed_logins":3}"#,
        r#"{"event":"control_closed"}"#,
        r#"{"event":"random_drawn","id":1,"bytes":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,255]}"#,
        r#"{"event":"login_verified","id":1,"outcome":{"ok":{"name":"me","rights":"all","home":"/","confined":false,"expiry":{}}}}"#,
        r#"{"event":"login_verified","id":1,"outcome":{"ok":{"name":"me","rights":"none","home":"/me","confined":true,"expiry":{"default":{"seconds":60},"max":"unbounded","required":true},"quota":{"bytes":7,"files":8},"upload_bytes_per_s":9,"download_bytes_per_s":10}}}"#,
        r#"{"event":"login_verified","id":1,"outcome":{"err":"refused"}}"#,
        r#"{"event":"login_verified","id":1,"outcome":{"err":"busy"}}"#,
        r#"{"event":"login_verified","id":1,"outcome":{"err":"failed"}}"#,
        r#"{"event":"data_listening","id":1,"outcome":{"ok":40000}}"#,
        r#"{"event":"data_listening","id":1,"outcome":{"err":"no_port"}}"#,
        r#"{"event":"data_connected","id":1,"outcome":{"ok":null}}"#,
        r#"{"event":"data_connected","id":1,"outcome":{"err":"unreachable"}}"#,
        r#"{"event":"data_connected","id":1,"outcome":{"err":"cancelled"}}"#,
        r#"{"event":"data_connected","id":1,"outcome":{"err":"failed"}}"#,
        r#"{"event":"transfer_progress","id":1,"wire_bytes":2}"#,
        r#"{"event":"transfer_progress","id":1,"wire_bytes":2,"file_bytes":3}"#,
        r#"{"event":"transfer_ended","id":1,"wire_bytes":2,"outcome":{"ok":null}}"#,
        r#"{"event":"transfer_ended","id":1,"wire_bytes":2,"file_bytes":3,"outcome":{"ok":null}}"#,
        r#"{"event":"transfer_ended","id":1,"wire_bytes":2,"outcome":{"err":"corrupt"}}"#,
        r#"{"event":"transfer_ended","id":1,"wire_bytes":2,"outcome":{"err":"connection_lost"}}"#,
        r#"{"event":"transfer_ended","id":1,"wire_bytes":2,"outcome":{"err":"cancelled"}}"#,
        r#"{"event":"transfer_ended","id":1,"wire_bytes":2,"outcome":{"err":{"storage":"no_space"}}}"#,
        r#"{"event":"timeout"}"#,
        r#"{"event":"shut_down"}"#,
    ]));
}

#[test]
fn storage_outcomes() {
    let outcomes = lines(&[
        r#"{"ok":{"outcome":"done"}}"#,
        r#"{"ok":{"outcome":"state","records":[RECORD_AT],"target":INFO,"tombstone":null,"partial":{"size_bytes":4,"unique":"1g3"}}}"#,
        r#"{"ok":{"outcome":"state","records":[],"target":null,"tombstone":{"expiry_s":5},"partial":null}}"#,
        r#"{"ok":{"outcome":"opened","kind":"file","size_bytes":4,"modified_s":5,"unique":"1g2"}}"#,
        r#"{"ok":{"outcome":"opened","kind":"link","size_bytes":4,"modified_s":5,"unique":"1g2","mode":493,"created_s":-6}}"#,
        r#"{"ok":{"outcome":"published","kind":"file","size_bytes":4,"modified_s":5,"unique":"1g2"}}"#,
        r#"{"ok":{"outcome":"published","kind":"file","size_bytes":4,"modified_s":5,"unique":"1g2","expiry_s":7}}"#,
        r#"{"err":{"over_quota":{"counts":"bytes","used":9,"limit":9}}}"#,
        r#"{"err":{"over_quota":{"counts":"files","used":9,"limit":9}}}"#,
        r#"{"ok":{"outcome":"room","free_bytes":4096}}"#,
        r#"{"ok":{"outcome":"read","read_bytes":16777216,"result":null}}"#,
        r#"{"ok":{"outcome":"read","read_bytes":1,"result":{"result":"digest","hex":"e8b7be43"}}}"#,
        r#"{"ok":{"outcome":"read","read_bytes":1,"result":{"result":"ascii_size","wire_bytes":2}}}"#,
        r#"{"ok":{"outcome":"read","read_bytes":1,"result":{"result":"appended"}}}"#,
        r#"{"ok":{"outcome":"listed","entries":[{"name":"a","info":INFO,"record":"none"}],"end":false}}"#,
        r#"{"ok":{"outcome":"listed","entries":[{"name":"a","info":INFO,"record":{"read":RECORD}}],"end":true}}"#,
        r#"{"ok":{"outcome":"listed","entries":[{"name":"a","info":INFO,"record":"unreadable"}],"end":true}}"#,
    ]);
    let errors = [
        "not_found",
        "exists",
        "not_directory",
        "is_directory",
        "not_empty",
        "denied",
        "no_space",
        "quota_exceeded",
        "file_too_large",
        "read_only",
        "name_too_long",
        "changed",
        "expired",
        "record_unreadable",
        "offset_beyond_end",
        "busy",
        "unsupported",
        "failed",
    ];
    let errors = errors.map(|error| format!(r#"{{"err":"{error}"}}"#));
    let within = |outcome: &String| format!(r#"{{"event":"stored","id":1,"outcome":{outcome}}}"#);
    stand::<Event>(&outcomes.iter().chain(&errors).map(within).collect::<Vec<_>>());
}

#[test]
fn the_reapers() {
    let read =
        r#"{"request":"read_records","restart":true,"records_max":512,"tombstones_before_s":1,"partials_before_s":2}"#;
    stand::<ReaperAction>(&[format!(r#"{{"action":"storage","id":1,"request":{read}}}"#)]);
    stand::<ReaperAction>(&lines(&[
        r#"{"action":"storage","id":1,"request":{"request":"move_to_trash","path":"/a","expiry_s":5}}"#,
        r#"{"action":"storage","id":1,"request":{"request":"empty_trash","entries_max":256}}"#,
        r#"{"action":"note","note":{"note":"expired","path":"/a","expiry_s":5,"lag_s":0,"backlog":1}}"#,
        r#"{"action":"note","note":{"note":"emptied","bytes":7}}"#,
        r#"{"action":"note","note":{"note":"held_back","leap_s":7200,"hold_s":3600}}"#,
        r#"{"action":"note","note":{"note":"failed","path":null,"error":"denied"}}"#,
        r#"{"action":"note","note":{"note":"failed","path":"/a","error":"read_only","untold":9}}"#,
    ]));
    stand::<ReaperEvent>(&lines(&[
        r#"{"event":"started"}"#,
        r#"{"event":"changed","change":{"change":"trashed"}}"#,
        r#"{"event":"done","id":1,"outcome":{"ok":{"outcome":"done"}}}"#,
        r#"{"event":"done","id":1,"outcome":{"ok":{"outcome":"records","found":[["/a",5]],"end":true}}}"#,
        r#"{"event":"done","id":1,"outcome":{"ok":{"outcome":"emptied","entries":1,"bytes":2,"end":false}}}"#,
        r#"{"event":"done","id":1,"outcome":{"err":"changed"}}"#,
        r#"{"event":"timeout"}"#,
    ]));
}

const RECORD: &str =
    r#"{"version":1,"owner":"anonymous","created_s":1,"expiry_s":7,"token":"00112233445566778899aabbccddeeff"}"#;
const RECORD_AT: &str =
    r#"{"depth":1,"record":{"version":1,"owner":"me","created_s":1,"token":"00112233445566778899aabbccddeeff"}}"#;
const QUOTA: &str = r#"{"home":"/ann","bytes":5,"files":6}"#;
const INFO: &str = r#"{"kind":"directory","size_bytes":0,"modified_s":-5,"unique":"1g2"}"#;

/// CSID tells the package's own version.
#[test]
fn the_version_is_the_package_s() {
    assert_eq!(mayfly_core::VERSION, env!("CARGO_PKG_VERSION"));
}
