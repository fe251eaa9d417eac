//! The driver at work: sessions, transfers and the end of a server over real sockets.

mod support;

use mayfly_std::settings::ServeOptions;
use mayfly_std::start::ServeHandle as _;
use std::io::{Read as _, Write as _};
use std::time::Instant;
use support::{PATIENCE, Running, data, pattern, read_all};

fn server() -> Running {
    Running::start(ServeOptions::default())
}

#[test]
fn the_seeds_dialogue_runs_over_a_real_socket() {
    // Seed: connect, Upload, view, download, quit; PORT mode throughout.
    let server = server();
    let mut peer = server.connect();
    assert_eq!(peer.line(), "220 Welcome to the FTP Server");
    for (line, reply) in [
        ("OPTS UTF8 ON", "200 Always in UTF8 mode."),
        ("USER anonymous", "331 Please specify the password."),
        ("PASS rNrKYTX9g7z3RgJRmxWuGHbeu", "230 Login successful."),
        ("MKD scans", "257 \"/scans\" created"),
        ("SETEXPIRY scans 7d", "000 expiry_date set"),
        ("CWD scans", "250 Directory successfully changed."),
    ] {
        assert_eq!(peer.ask(line, ""), reply);
    }

    let listener = peer.active();
    peer.send("STOR 1.png\r\n");
    let (mut stream, _) = listener.accept().unwrap();
    assert_eq!(peer.line(), "150 Ok to send data.");
    stream.write_all(&pattern(2745)).unwrap();
    drop(stream);
    assert_eq!(peer.line(), "226 Transfer complete.");

    let listener = peer.active();
    peer.send("RETR 1.png\r\n");
    let (stream, _) = listener.accept().unwrap();
    assert_eq!(peer.line(), "150 Opening BINARY mode data connection for 1.png (2745 bytes).");
    assert_eq!(read_all(data(stream)), pattern(2745));
    assert_eq!(peer.line(), "226 Transfer complete.");

    let listener = peer.active();
    peer.send("LIST scans\r\n");
    let (stream, _) = listener.accept().unwrap();
    assert_eq!(peer.line(), "150 Here comes the directory listing.");
    assert!(read_all(data(stream)).ends_with(b" 1.png\r\n"));
    assert_eq!(peer.line(), "226 Directory send OK.");

    assert_eq!(peer.ask("QUIT", ""), "221 Goodbye.");
    assert_eq!(peer.line(), "", "the connection is closed");
}

#[test]
fn eight_mebibytes_travel_both_ways() {
    let server = server();
    let mut peer = server.log_in();
    let bytes = pattern(8 * 1024 * 1024 + 1);
    peer.store("passive", &bytes);
    assert!(peer.retrieve("passive") == bytes);

    let listener = peer.active();
    peer.send("STOR active\r\n");
    listener.accept().unwrap().0.write_all(&bytes).unwrap();
    peer.expect("150");
    peer.expect("226");
    let listener = peer.active();
    peer.send("RETR active\r\n");
    assert!(read_all(data(listener.accept().unwrap().0)) == bytes);
    peer.expect("150");
    peer.expect("226");
}

#[test]
fn commands_are_heard_during_a_transfer() {
    // RFC 959 4.1.3: ABOR, STAT and QUIT may come while a transfer runs. Nobody reads the data here, so it cannot end.
    let server = server();
    let mut peer = server.log_in();
    peer.store("big", &pattern(64 * 1024 * 1024));
    let stream = peer.passive();
    peer.ask("RETR big", "150");
    peer.ask("NOOP", "200");
    peer.ask("STAT", "211");
    peer.ask("ABOR", "426");
    peer.expect("226");
    peer.ask("NOOP", "200");
    drop(stream);

    let mut stream = peer.passive();
    peer.ask("STOR broken", "150");
    stream.write_all(b"half").unwrap();
    peer.ask("NOOP", "200");
    peer.ask("ABOR", "426");
    peer.expect("226");
    assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0, "the data connection is closed");
}

#[test]
fn an_upload_is_whole_though_both_connections_close_at_once() {
    // DESIGN 5: the driver looks at the data first.
    let server = server();
    let mut watcher = server.log_in();
    let bytes = pattern(1024 * 1024);
    let mut peer = server.log_in();
    let mut stream = peer.passive();
    peer.ask("STOR whole", "150");
    stream.write_all(&bytes).unwrap();
    drop(stream);
    drop(peer);
    let begun = Instant::now();
    loop {
        watcher.send("SIZE whole\r\n");
        if watcher.line() == "213 1048576" {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the upload is lost");
    }
    assert!(watcher.retrieve("whole") == bytes);
}

#[test]
fn a_flood_of_commands_is_answered_one_by_one() {
    let server = server();
    let mut peer = server.log_in();
    let mut writer = peer.clone_control();
    let flood = std::thread::spawn(move || writer.write_all("NOOP\r\n".repeat(20_000).as_bytes()).unwrap());
    for _ in 0..20_000 {
        peer.expect("200");
    }
    flood.join().unwrap();
    peer.ask("QUIT", "221");
}

#[test]
fn a_full_server_says_so_and_has_room_again() {
    let server = Running::start(ServeOptions { max_sessions: 1, ..ServeOptions::default() });
    let mut first = server.log_in();
    server.connect().expect("421");
    first.ask("QUIT", "221");
    assert_eq!(first.line(), "");
    server.log_in().ask("QUIT", "221");
}

#[test]
fn a_shut_down_ends_the_idle_at_once_and_lets_a_transfer_end() {
    let server = server();
    let mut idle = server.log_in();
    let mut busy = server.log_in();
    let bytes = pattern(16 * 1024 * 1024);
    busy.store("big", &bytes);
    let stream = busy.passive();
    busy.ask("RETR big", "150");
    server.handle.shut_down();
    idle.expect("421");
    assert_eq!(idle.line(), "");
    let begun = Instant::now();
    while server.accepts() {
        assert!(begun.elapsed() < PATIENCE, "it still accepts");
    }
    assert!(read_all(stream) == bytes);
    busy.expect("226");
    busy.expect("421");
    server.join();
}

#[test]
fn a_transfer_that_does_not_end_is_cut_at_the_end_of_the_bound() {
    let server = Running::start(ServeOptions { shutdown_ms_max: 50, ..ServeOptions::default() });
    let mut peer = server.log_in();
    let _stalled = peer.passive();
    peer.ask("STOR never", "150");
    server.handle.shut_down();
    server.join();
}
