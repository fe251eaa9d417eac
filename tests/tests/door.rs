//! Who is let in by either driver: denied networks, addresses that connect too often or guess passwords, and that what was
//! guessed over one connection counts for the next.

use mayfly_tests::ftp::{Ftp, connect_from};
use mayfly_tests::process::{Driver, PATIENCE, ServerProcess};
use mayfly_tests::with_each_driver;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

/// The whole of 127.0.0.0/8 is this host, so that visitors from several addresses can be had.
const ONE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

fn serve(driver: Driver, flags: &[&str]) -> (tempfile::TempDir, ServerProcess) {
    let root = tempfile::tempdir().expect("there is room");
    let server = ServerProcess::start(driver, root.path(), flags);
    (root, server)
}

fn connect(server: &ServerProcess, from: Ipv4Addr) -> TcpStream {
    connect_from(from, server.address()).expect("the server listens")
}

/// A connection and the code that it is greeted with.
fn greeted(server: &ServerProcess, from: Ipv4Addr) -> (Ftp, u16) {
    let mut ftp = Ftp::over(connect(server, from));
    let code = ftp.reply().code;
    (ftp, code)
}

/// The users of the transcripts, readable for its owner alone as the server wants it.
fn users_file() -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("there is room");
    file.write_all(include_bytes!("../src/stage/users.toml")).expect("there is room");
    file
}

/// A login that fails; how long its answer took.
fn fail(ftp: &mut Ftp) -> Duration {
    assert_eq!(ftp.ask("USER root").code, 331);
    let asked = Instant::now();
    assert_eq!(ftp.ask("PASS guess").code, 530);
    // The server reads its clock in whole milliseconds.
    asked.elapsed() + Duration::from_millis(2)
}

fn a_denied_network_hears_nothing_and_the_log_names_it_once(driver: Driver) {
    let (_root, server) = serve(driver, &["--allow-from", "127.0.0.0/8", "--deny-from", "127.0.0.2/32"]);
    for _ in 0..3 {
        let mut said = Vec::new();
        let mut stranger = connect(&server, ONE);
        stranger.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        // A reset is as good.
        let _ = stranger.read_to_end(&mut said);
        assert!(said.is_empty(), "{said:?}");
    }
    assert_eq!(greeted(&server, OTHER).1, 220);
    let told = server.wait_for_logs(1, |line| line.contains("turned away"));
    assert!(told.len() == 1 && told[0].contains("127.0.0.2"), "{told:?}");
}

fn whoever_connects_too_often_hears_421_and_others_get_in(driver: Driver) {
    let (_root, server) = serve(driver, &["--connections-per-minute", "3"]);
    let codes: Vec<u16> = (0..4).map(|_| greeted(&server, ONE).1).collect();
    assert_eq!(codes, [220, 220, 220, 421]);
    assert_eq!(greeted(&server, OTHER).1, 220);
}

fn guesses_count_over_connections_and_then_ban(driver: Driver) {
    let flags = ["--ban-after", "4", "--login-delay", "50ms", "--login-delay-max", "150ms"];
    let (_root, server) = serve(driver, &flags);
    let mut early = greeted(&server, ONE).0;
    let mut first = greeted(&server, ONE).0;
    assert!(fail(&mut first) >= Duration::from_millis(50));
    assert!(fail(&mut first) >= Duration::from_millis(100));
    drop(first);
    let mut second = greeted(&server, ONE).0;
    assert!(fail(&mut second) >= Duration::from_millis(150), "the delay goes on where it was, up to its bound");
    assert!(fail(&mut early) >= Duration::from_millis(50));
    let (mut banned, code) = greeted(&server, ONE);
    assert!(code == 421 && banned.is_closed());
    assert_eq!(greeted(&server, OTHER).1, 220);
    let line = server.wait_for_log("banned: too many logins have failed");
    assert!(line.contains("127.0.0.2"), "{line}");
}

fn nobody_goes_on_guessing_over_a_connection_from_before_the_ban(driver: Driver) {
    let users = users_file();
    let (_root, server) = serve(
        driver,
        &["--users", users.path().to_str().expect("it is ASCII"), "--ban-after", "1", "--login-delay", "0s"],
    );
    let (mut early, mut guesser) = (greeted(&server, ONE).0, greeted(&server, ONE).0);
    fail(&mut guesser);
    assert_eq!(early.ask("USER anna").code, 331);
    assert_eq!(early.ask("PASS sesame").code, 421, "not even the right password");
    let mut other = greeted(&server, OTHER).0;
    assert_eq!(other.ask("USER anna").code, 331);
    assert_eq!(other.ask("PASS sesame").code, 230);
}

fn nobody_who_is_trusted_is_banned(driver: Driver) {
    let flags = ["--ban-after", "1", "--login-delay", "0s", "--trusted-from", "127.0.0.2", "--login-attempts", "9"];
    let (_root, server) = serve(driver, &flags);
    let mut ftp = greeted(&server, ONE).0;
    for _ in 0..5 {
        fail(&mut ftp);
    }
    assert_eq!(greeted(&server, ONE).1, 220);
}

with_each_driver! {
    a_denied_network_hears_nothing_and_the_log_names_it_once
    whoever_connects_too_often_hears_421_and_others_get_in
    guesses_count_over_connections_and_then_ban
    nobody_goes_on_guessing_over_a_connection_from_before_the_ban
    nobody_who_is_trusted_is_banned
}
