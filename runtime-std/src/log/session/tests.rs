//! Every line of a session, letter by letter: operators' tools rely on them.

use super::*;
use crate::log::LogFormat;
use crate::log::line::tests::lines;
use mayfly_core::error::TlsError;

fn path(text: &str) -> VirtualPath {
    VirtualPath::parse(text).unwrap()
}

fn session(notes: &[(Note, Option<NotedCommand>)]) {
    let now = |monotonic_ms| Now { monotonic_ms, utc_s: 1_893_456_000 };
    let mut log = SessionLog::start(7, "192.0.2.7:4000".parse().unwrap(), now(1000));
    for (note, command) in notes {
        log.note(note, command.as_ref());
    }
    log.end(now(3500));
}

fn of(name: &str, code: Option<u16>, took_ms: u64) -> Option<NotedCommand> {
    serde_json::from_value(serde_json::json!({ "name": name, "code": code, "took_ms": took_ms })).unwrap()
}

fn tls() -> TlsInfo {
    TlsInfo {
        protocol: "TLSv1.3".to_owned(),
        cipher: "TLS13_AES_128_GCM_SHA256".to_owned(),
        certificate: Some("CN=anna".to_owned()),
        ..TlsInfo::default()
    }
}

fn transferred(direction: Direction, file_bytes: Option<u64>, code: u16) -> Note {
    let (path, wire_bytes, ascii, took_ms) = (path("/scans/1 a.png"), 2745, file_bytes.is_some(), 12);
    Note::Transferred { direction, path, wire_bytes, file_bytes, ascii, took_ms, code }
}

/// One of each.
fn notes() -> Vec<(Note, Option<NotedCommand>)> {
    let text = |text: &str| text.to_owned();
    vec![
        (Note::Secured { data: false, tls: tls() }, None),
        (Note::NotSecured { data: true, error: TlsError::Handshake }, None),
        (Note::LoginFailed { user: text("ev\u{202e}il\r\n") }, of("PASS", Some(530), 0)),
        (Note::LoggedIn { user: text("anna"), method: LoginMethod::Password }, of("PASS", Some(230), 21)),
        (Note::Made { path: path("/a") }, of("MKD", Some(257), 3)),
        (Note::ExpirySet { path: path("/a"), expiry_s: Some(1_924_304_523) }, of("SETEXPIRY", Some(0), 2)),
        (Note::ExpirySet { path: path("/a"), expiry_s: None }, of("SITE EXPIRY", Some(200), 2)),
        (transferred(Direction::Receive, None, 226), of("STOR", None, 0)),
        (transferred(Direction::Send, Some(2700), 426), of("RETR", Some(426), 13)),
        (Note::Listed { path: path("/a"), wire_bytes: 66, took_ms: 1, code: 226 }, of("MLSD", Some(226), 2)),
        (Note::Hashed { path: path("/a/f") }, of("XCRC", Some(250), 2)),
        (Note::Combined { path: path("/a/f"), bytes: 9 }, of("COMB", Some(250), 2)),
        (Note::FactsSet { path: path("/a/f"), facts: text("UNIX.mode=0644;") }, of("SITE CHMOD", Some(200), 1)),
        (Note::TokenTold { path: path("/a") }, of("SITE TOKEN", Some(213), 0)),
        (Note::Claimed { path: path("/a") }, of("SITE CLAIM", Some(200), 0)),
        (Note::Renamed { from: path("/a/f"), to: path("/a/g") }, of("RNTO", Some(250), 1)),
        (Note::Removed { path: path("/a/g") }, of("DELE", Some(250), 1)),
        (Note::Removed { path: path("/a/p") }, of("COMB", None, 0)),
        (Note::Refused { path: Some(text("/b")), reason: text("Permission denied") }, of("DELE", Some(550), 0)),
        (Note::AddressRefused { address: "198.51.100.9:25".parse().unwrap() }, of("PORT", Some(500), 0)),
        (Note::ClientNamed { name: text("web \"x\"") }, None),
        (Note::Asked { command: text("PASS <secret>") }, None),
        (Note::Answered { code: 230, text: text("Login successful.") }, None),
        (Note::Secured { data: true, tls: tls() }, None),
        (Note::LoggedOut, of("REIN", Some(220), 0)),
        (Note::Ending { reason: text("quit") }, None),
    ]
}

#[test]
fn every_note_has_its_line_of_text() {
    let expected = r#"
 INFO session started session=7 peer=192.0.2.7:4000
 INFO connection secured session=7 peer=192.0.2.7:4000 kind=control protocol=TLSv1.3 cipher=TLS13_AES_128_GCM_SHA256 resumed=false certificate="CN=anna"
 WARN connection not secured session=7 peer=192.0.2.7:4000 kind=data error=Handshake
 WARN login failed session=7 peer=192.0.2.7:4000 user="ev\u{202e}il\u{d}\u{a}" command=PASS code=530 took_ms=0
 INFO logged in session=7 peer=192.0.2.7:4000 user=anna command=PASS method=password code=230 took_ms=21
 INFO directory made session=7 peer=192.0.2.7:4000 user=anna command=MKD path=/a code=257 took_ms=3
 INFO expiry set session=7 peer=192.0.2.7:4000 user=anna command=SETEXPIRY path=/a expires=2030-12-24T01:02:03Z code=0 took_ms=2
 INFO expiry set session=7 peer=192.0.2.7:4000 user=anna command="SITE EXPIRY" path=/a expires=never code=200 took_ms=2
 INFO transfer ended session=7 peer=192.0.2.7:4000 user=anna command=STOR kind=upload path="/scans/1 a.png" bytes=2745 code=226 took_ms=12
 INFO transfer ended session=7 peer=192.0.2.7:4000 user=anna command=RETR kind=download path="/scans/1 a.png" bytes=2745 file_bytes=2700 code=426 took_ms=12
 INFO listing ended session=7 peer=192.0.2.7:4000 user=anna command=MLSD path=/a bytes=66 code=226 took_ms=1
 INFO file hashed session=7 peer=192.0.2.7:4000 user=anna command=XCRC path=/a/f code=250 took_ms=2
 INFO files combined session=7 peer=192.0.2.7:4000 user=anna command=COMB path=/a/f bytes=9 code=250 took_ms=2
 INFO facts set session=7 peer=192.0.2.7:4000 user=anna command="SITE CHMOD" path=/a/f facts="UNIX.mode=0644;" code=200 took_ms=1
 INFO token told session=7 peer=192.0.2.7:4000 user=anna command="SITE TOKEN" path=/a code=213 took_ms=0
 INFO path claimed session=7 peer=192.0.2.7:4000 user=anna command="SITE CLAIM" path=/a code=200 took_ms=0
 INFO renamed session=7 peer=192.0.2.7:4000 user=anna command=RNTO from=/a/f to=/a/g code=250 took_ms=1
 INFO removed session=7 peer=192.0.2.7:4000 user=anna command=DELE path=/a/g code=250 took_ms=1
 INFO removed session=7 peer=192.0.2.7:4000 user=anna command=COMB path=/a/p
 INFO refused session=7 peer=192.0.2.7:4000 user=anna command=DELE path=/b reason="Permission denied" code=550 took_ms=0
 WARN address refused session=7 peer=192.0.2.7:4000 user=anna command=PORT address=198.51.100.9:25 code=500 took_ms=0
 INFO client named itself session=7 peer=192.0.2.7:4000 user=anna client="web \"x\""
DEBUG asked session=7 peer=192.0.2.7:4000 user=anna command="PASS <secret>"
DEBUG answered session=7 peer=192.0.2.7:4000 user=anna text="Login successful." code=230
DEBUG connection secured session=7 peer=192.0.2.7:4000 user=anna kind=data protocol=TLSv1.3 cipher=TLS13_AES_128_GCM_SHA256 resumed=false certificate="CN=anna"
 INFO logged out session=7 peer=192.0.2.7:4000 user=anna command=REIN code=220 took_ms=0
 INFO session ended session=7 peer=192.0.2.7:4000 reason=quit took_ms=2500
"#;
    let written = lines(LogFormat::Text, || session(&notes()));
    let expected: Vec<&str> = expected.lines().skip(1).collect();
    for (line, expected) in written.iter().zip(&expected) {
        assert_eq!(line, expected);
    }
    assert_eq!(written.len(), expected.len());
}

#[test]
fn every_note_s_json_has_the_keys_of_its_text() {
    // The keys are the same, in the same order, and so are the values.
    let text = lines(LogFormat::Text, || session(&notes()));
    let json = lines(LogFormat::Json, || session(&notes()));
    assert_eq!(text.len(), json.len());
    for (text, json) in text.iter().zip(&json) {
        let entry: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap();
        let message = entry["message"].as_str().unwrap();
        assert!(text.contains(&format!("{} {message} session=7 ", entry["level"].as_str().unwrap())), "{text}: {json}");
        for (key, value) in entry.iter().filter(|(key, _)| !["level", "message"].contains(&key.as_str())) {
            let shown = match value {
                serde_json::Value::String(value) => {
                    let mut out = String::new();
                    crate::log::escape::quoted(&mut out, value).unwrap();
                    out
                }
                other => other.to_string(),
            };
            assert!(text.contains(&format!(" {key}={shown}")), "{key}={shown}: {text}");
        }
    }
}

#[test]
fn some_notes_in_json_letter_by_letter() {
    let json = lines(LogFormat::Json, || session(&notes()));
    for expected in [
        r#"{"level":"WARN","message":"login failed","session":7,"peer":"192.0.2.7:4000","user":"ev\u202eil\u000d\u000a","command":"PASS","code":530,"took_ms":0}"#,
        r#"{"level":"INFO","message":"transfer ended","session":7,"peer":"192.0.2.7:4000","user":"anna","command":"RETR","kind":"download","path":"/scans/1 a.png","bytes":2745,"file_bytes":2700,"code":426,"took_ms":12}"#,
        r#"{"level":"INFO","message":"refused","session":7,"peer":"192.0.2.7:4000","user":"anna","command":"DELE","path":"/b","reason":"Permission denied","code":550,"took_ms":0}"#,
    ] {
        assert!(json.iter().any(|line| line == expected), "{expected}\n{json:#?}");
    }
}
