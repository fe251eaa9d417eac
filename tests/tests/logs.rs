//! What the log tells, and what it must not: secrets stay out of it, and no line is lost when it is moved away.

use mayfly_tests::ftp::{Ftp, connect_from};
use mayfly_tests::process::{Driver, ServerProcess, wait_until};
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tempfile::TempDir;

mayfly_tests::with_each_driver! {
    no_secret_comes_into_the_log
    every_deed_leaves_a_line_that_names_it
    a_stranger_at_a_data_port_is_told
    no_line_is_lost_where_logs_are_moved_away_under_load
    a_log_that_cannot_be_written_ends_no_session
    a_log_that_cannot_be_opened_stops_the_start
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("there is room for a directory")
}

/// Lines of a log of JSON.
fn entries(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The whole log, once the session has ended.
fn ended(log: &Path) -> String {
    wait_until("the session's end in the log", || read(log).contains("session ended"));
    read(log)
}

fn no_secret_comes_into_the_log(driver: Driver) {
    for format in ["json", "text"] {
        let (root, logs) = (directory(), directory());
        let log = logs.path().join("log");
        let flags = ["--log-format", format, "--log-level", "trace", "--login-delay", "0s"];
        let server = ServerProcess::start_logging_to(&log, driver, root.path(), &flags);
        let secrets = speak_secrets(&server);
        speak_json_secrets(&server);
        wait_until("the sessions' ends in the log", || read(&log).matches("session ended").count() == 2);
        let text = read(&log);
        for word in ["PASS", "<secret>", "ACCT", "SITE CLAIM", "token told"] {
            assert!(text.contains(word), "the dialogue is there, also {word}: {text}");
        }
        for secret in secrets {
            assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{secret}: {text}");
        }
    }
}

/// Says a secret in every way in which a client, or a person at one, may; the secrets.
fn speak_secrets(server: &ServerProcess) -> Vec<String> {
    let mut ftp = Ftp::connect(server.address());
    assert_eq!(ftp.reply().code, 220);
    for line in [
        "PASS hush-early",
        "USER me",
        // At the prompt for the password, without its command.
        "hushbare",
        "USER me",
        "PASS hush-wrong",
        "PAS hush-typo",
        "PASSW hush-typo-too",
        "ACCT hush-account",
        "USER anonymous",
        "PASS hush-anonymous",
        "MKD a",
    ] {
        ftp.ask(line);
    }
    let token = ftp.ask("SITE TOKEN a").last().to_owned();
    assert_eq!(ftp.ask(&format!("SITE CLAIM a {token}")).code, 200);
    assert_eq!(ftp.ask(&format!("SITE CLAIM a {}", token.to_uppercase())).code, 200);
    assert_eq!(ftp.ask("SITE CLAIM a hushhushhushhushhushhushhushhush").code, 550);
    assert_eq!(ftp.ask("QUIT").code, 221);
    vec!["hush".to_owned(), token]
}

fn speak_json_secrets(server: &ServerProcess) {
    let mut stream = TcpStream::connect(server.address()).expect("it listens");
    for line in [
        r#"{"Request Command":"USER","Request Argument":"me"}"#,
        r#"{"Request Command":"PASS","Request Argument":"hush-json"}"#,
        r#"{"Request Command":"PASS","Request Argument":"hush-broken"#,
        r#"{"Request Command":"PASSWORD","Request Argument":"hush-unknown"}"#,
        r#"{"Request Command":"hush-unknown","Request Argument":"hush"}"#,
        "QUIT",
    ] {
        stream.write_all(format!("{line}\r\n").as_bytes()).expect("it reads");
    }
    let mut replies = String::new();
    stream.read_to_string(&mut replies).expect("it closes in order");
    assert!(replies.contains("530") && replies.ends_with("221 Goodbye.\r\n"), "{replies}");
}

fn every_deed_leaves_a_line_that_names_it(driver: Driver) {
    let (root, logs) = (directory(), directory());
    let (log, transfers) = (logs.path().join("log"), logs.path().join("xferlog"));
    let xferlog = transfers.to_str().expect("a test's paths are UTF-8");
    let flags = ["--log-format", "json", "--xferlog", xferlog, "--anonymous-rights", "all"];
    let server = ServerProcess::start_logging_to(&log, driver, root.path(), &flags);
    let mut ftp = Ftp::log_in(server.address());
    for (line, code) in [("MKD a", 257), ("SETEXPIRY a 7d", 0), ("CWD a", 250), ("PORT 198,51,100,9,0,25", 500)] {
        assert_eq!(ftp.ask(line).code, code, "{line}");
    }
    assert_eq!(ftp.store("STOR f g", b"five\n").code, 226);
    assert_eq!(ftp.retrieve("f g"), b"five\n");
    for (line, code) in [
        ("MFMT 20200101000000 f g", 213),
        ("XCRC f g", 250),
        ("COMB \"h\" \"f g\"", 250),
        ("RNFR h", 350),
        ("RNTO i", 250),
        ("DELE i", 250),
        ("RETR ../.mayfly.json", 550),
        ("QUIT", 221),
    ] {
        assert_eq!(ftp.ask(line).code, code, "{line}");
    }
    let mut told = Vec::new();
    for entry in entries(&ended(&log)).iter().filter(|entry| entry["session"] == 1) {
        let field = |key: &str| entry[key].as_str().map(ToOwned::to_owned).unwrap_or_default();
        assert!(field("peer").starts_with("127.0.0.1:"), "{entry}");
        let past_login = !["session started"].contains(&field("message").as_str());
        assert_eq!(field("user"), if past_login { "anonymous" } else { "" }, "{entry}");
        let code = entry["code"].as_u64().map(|code| code.to_string()).unwrap_or_default();
        told.push(format!("{} {} {}{} {code}", field("message"), field("command"), field("path"), field("to")));
    }
    let expected = [
        "session started   ",
        "logged in PASS  230",
        "directory made MKD /a 257",
        "expiry set SETEXPIRY /a 0",
        "address refused PORT  500",
        "transfer ended STOR /a/f g 226",
        "transfer ended RETR /a/f g 226",
        "facts set MFMT /a/f g 213",
        "file hashed XCRC /a/f g 250",
        "removed COMB /a/f g 250",
        "files combined COMB /a/h 250",
        "renamed RNTO /a/i 250",
        "removed DELE /a/i 250",
        "refused RETR ../.mayfly.json 550",
        "session ended   ",
    ];
    assert_eq!(told, expected);
    let transfers = read(&transfers);
    let fields: Vec<Vec<&str>> = transfers.lines().map(|line| line.split_whitespace().skip(5).collect()).collect();
    let of = |direction| ["1", "127.0.0.1", "5", "/a/f_g", "b", "_", direction, "a", "anonymous", "ftp", "0", "*", "c"];
    assert_eq!(fields, [of("i"), of("o")]);
}

fn a_stranger_at_a_data_port_is_told(driver: Driver) {
    let root = directory();
    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    let port = ftp.ask("EPSV").last().split("|||").nth(1).and_then(|port| port.trim_end_matches("|)").parse().ok());
    let data = SocketAddr::new(server.address().ip(), port.expect("a port"));
    ftp.say("NLST");
    let _stranger = connect_from(Ipv4Addr::new(127, 0, 0, 2), data).expect("all of 127.0.0.0/8 is this host");
    let line = server.wait_for_log("a stranger came to a data port");
    let entry: Value = serde_json::from_str(&line).expect("the log is JSON");
    assert_eq!((&entry["stranger"], &entry["peer"]), (&"127.0.0.2".into(), &"127.0.0.1".into()));
}

fn no_line_is_lost_where_logs_are_moved_away_under_load(driver: Driver) {
    const CLIENTS: usize = 4;
    const UPLOADS: usize = 60;
    const MOVES: usize = 20;
    let (root, logs) = (directory(), directory());
    let (log, transfers) = (logs.path().join("log"), logs.path().join("xferlog"));
    let xferlog = transfers.to_str().expect("a test's paths are UTF-8");
    let flags = ["--log-format", "json", "--durability", "none", "--xferlog", xferlog];
    let server = ServerProcess::start_logging_to(&log, driver, root.path(), &flags);
    let is_over = AtomicBool::new(false);
    let numbered = |path: &Path, number: usize| path.with_extension(number.to_string());
    let rounds = thread::scope(|scope| {
        let uploads: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn({
                    let address = server.address();
                    move || {
                        let mut ftp = Ftp::log_in(address);
                        for upload in 0..UPLOADS {
                            assert_eq!(ftp.store(&format!("STOR {client}-{upload}"), b"x").code, 226);
                        }
                        assert_eq!(ftp.ask("QUIT").code, 221);
                    }
                })
            })
            .collect();
        let rotation = scope.spawn(|| {
            let mut rounds = 0;
            while rounds < MOVES || !is_over.load(Ordering::SeqCst) {
                for path in [&log, &transfers] {
                    fs::rename(path, numbered(path, rounds)).expect("the server has made it");
                }
                rounds += 1;
                // Either signal does; both stand where an operator may type one or a tool send the other.
                if rounds.is_multiple_of(2) {
                    server.reopen_logs();
                } else {
                    server.reload();
                }
                wait_until("the logs to be made anew", || log.exists() && transfers.exists());
            }
            rounds
        });
        for upload in uploads {
            upload.join().expect("every upload goes well");
        }
        is_over.store(true, Ordering::SeqCst);
        rotation.join().expect("the logs can be moved")
    });
    let all = |path: &Path| -> String {
        let parts: Vec<PathBuf> = (0..rounds).map(|number| numbered(path, number)).chain([path.to_owned()]).collect();
        parts.iter().map(|part| read(part)).collect()
    };
    let uploads = |text: &str| entries(text).iter().filter(|entry| entry["message"] == "transfer ended").count();
    wait_until("every session's end in the log", || all(&log).matches("session ended").count() == CLIENTS);
    assert_eq!(uploads(&all(&log)), CLIENTS * UPLOADS);
    assert_eq!(all(&transfers).lines().count(), CLIENTS * UPLOADS);
    assert!(all(&transfers).lines().all(|line| line.ends_with(" ftp 0 * c")), "none is torn");
}

fn a_log_that_cannot_be_written_ends_no_session(driver: Driver) {
    let root = directory();
    let flags = ["--xferlog", "/dev/full"];
    let server = ServerProcess::start(driver, root.path(), &flags);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.store("STOR f", b"five\n").code, 226);
    assert_eq!(ftp.store("STOR g", b"five\n").code, 226);
    assert_eq!(ftp.ask("QUIT").code, 221);
}

fn a_log_that_cannot_be_opened_stops_the_start(driver: Driver) {
    let root = directory();
    for flag in ["--log-file", "--xferlog"] {
        let mut command = std::process::Command::new(driver.binary());
        command.args(["serve", "--listen", "127.0.0.1:0", flag, "/nowhere/log", "--root"]).arg(root.path());
        let output = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("/nowhere/log") && text.contains("hint:"), "{text}");
    }
}
