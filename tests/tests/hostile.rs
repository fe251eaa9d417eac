//! What hostile clients can do to either driver: little, for a bounded time, and nothing to the others. The same with a
//! thousand of them is among `tests/run --full`.

use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, PATIENCE, ServerProcess, wait_until};
use mayfly_tests::vitals::{cpu_s, descriptors, limit_descriptors, memory_kib};
use mayfly_tests::with_each_driver;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn serve(driver: Driver, flags: &[&str]) -> (tempfile::TempDir, ServerProcess) {
    let root = tempfile::tempdir().expect("there is room");
    File::create(root.path().join("endless")).and_then(|file| file.set_len(1 << 40)).expect("a hole takes no room");
    let server = ServerProcess::start(driver, root.path(), flags);
    (root, server)
}

/// More than the systems of both ends hold together.
const TAKEN_BYTES_MAX: usize = 64 << 20;

/// Sends without reading, until neither end's system takes any more, or more was taken than both can hold; how much.
fn flood(stream: &TcpStream, line: &str) -> usize {
    let lines = line.repeat(1000);
    let mut stream = stream;
    stream.set_nonblocking(true).expect("it stands");
    let (mut sent, mut taken) = (0, Instant::now());
    while taken.elapsed() < Duration::from_millis(300) && sent < TAKEN_BYTES_MAX {
        match stream.write(lines.as_bytes()) {
            Ok(bytes) => (sent, taken) = (sent + bytes, Instant::now()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    sent
}

fn whoever_sends_a_byte_now_and_then_has_the_time_to_log_in_and_no_more(driver: Driver) {
    let (_root, server) = serve(driver, &["--login-time", "1s"]);
    let mut slow = TcpStream::connect(server.address()).expect("it listens");
    slow.set_read_timeout(Some(Duration::from_millis(50))).expect("it is not zero");
    let (began, mut said) = (Instant::now(), Vec::new());
    loop {
        assert!(began.elapsed() < PATIENCE, "it is still there");
        // Once the server has closed, this fails, and the next read tells.
        let _ = slow.write_all(b"N");
        let mut piece = [0; 256];
        match slow.read(&mut piece) {
            Ok(0) => break,
            Ok(bytes) => said.extend_from_slice(&piece[..bytes]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("421 Timeout."), "{said}");
    assert!(began.elapsed() >= Duration::from_millis(950));
}

fn whoever_reads_no_replies_costs_little_and_is_sent_away(driver: Driver) {
    let (_root, server) = serve(driver, &["--idle-timeout", "2s"]);
    let mut honest = Ftp::log_in(server.address());
    let before = memory_kib(server.id());
    let deaf = Ftp::log_in(server.address());
    let sent = flood(deaf.stream(), "HELP\r\n");
    assert_eq!(honest.ask("NOOP").code, 200);
    let (mut cpu, mut still) = (cpu_s(server.id()), 0);
    wait_until("the server to be at rest", || {
        let grown = memory_kib(server.id()).private.saturating_sub(before.private);
        assert!(grown < 4096, "{grown} KiB for {sent} bytes of HELP");
        let now = cpu_s(server.id());
        still = if now > cpu { 0 } else { still + 1 };
        cpu = now;
        still == 50
    });
    let line = server.wait_for_log("\"idle\"");
    assert!(line.contains("session ended"), "{line}");
}

fn whoever_takes_or_sends_no_data_is_broken_off(driver: Driver) {
    let flags = ["--stall-timeout", "1s", "--data-connect-timeout", "1s"];
    let (_root, server) = serve(driver, &flags);
    let mut ftp = Ftp::log_in(server.address());
    let unread = ftp.data();
    assert_eq!(ftp.ask("RETR endless").code, 150);
    assert_eq!(ftp.reply().code, 426, "a download that nobody reads");
    drop(unread);
    let silent = ftp.data();
    assert_eq!(ftp.ask("STOR silent").code, 150);
    assert_eq!(ftp.reply().code, 426, "an upload that says nothing");
    drop(silent);
    assert_eq!(ftp.ask("EPSV").code, 229);
    assert_eq!(ftp.ask("STOR alone").code, 425, "a data connection that does not come");
    assert_eq!(ftp.ask("NOOP").code, 200);
}

fn no_file_grows_beyond_the_largest_that_is_taken(driver: Driver) {
    let (root, server) = serve(driver, &["--file-size-max", "1KiB"]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.store("STOR whole", &[7; 1024]).code, 226);
    assert_eq!(ftp.store("STOR large", &[7; 1025]).code, 552);
    assert_eq!((ftp.ask("ALLO 1024").code, ftp.ask("ALLO 1025").code), (200, 552));
    assert_eq!(ftp.retrieve("whole"), [7; 1024]);
    assert!(!root.path().join("large").exists());
}

fn lines_that_wait_are_not_carried_out_for_a_peer_that_is_gone(driver: Driver) {
    let (_root, server) = serve(driver, &["--data-connect-timeout", "1s"]);
    let mut gone = Ftp::log_in(server.address());
    // Each STOR waits for its data connection: two hundred would take longer than anybody has patience for here.
    gone.send("EPSV\r\nSTOR x\r\n".repeat(200).as_bytes());
    assert_eq!(gone.reply().code, 229);
    rustix::net::sockopt::set_socket_linger(gone.stream(), Some(Duration::ZERO)).expect("it stands");
    drop(gone);
    let line = server.wait_for_log("session ended");
    assert!(line.contains("closed by peer"), "{line}");
}

fn without_descriptors_sessions_live_and_accepting_recovers_without_a_spin(driver: Driver) {
    let (root, server) = serve(driver, &[]);
    let id = server.id();
    std::fs::write(root.path().join("small"), "bytes").expect("there is room");
    let mut ftp = Ftp::log_in(server.address());
    // What the first transfer brings into being once is there.
    assert_eq!(ftp.retrieve("small"), b"bytes");
    let _data = ftp.data();
    limit_descriptors(id, Some(descriptors(id)));
    // A free number below the bound may be left by what has just ended; it is soon taken.
    let waiting: Vec<TcpStream> =
        (0..8).map(|_| TcpStream::connect(server.address()).expect("the system accepts")).collect();
    let _ = server.wait_for_log("accepting pauses");
    let (began, cpu_before) = (Instant::now(), cpu_s(id));
    let mut answered = 0;
    wait_until("a second to pass", || {
        assert_eq!(ftp.ask("NOOP").code, 200);
        answered += 1;
        began.elapsed() >= Duration::from_secs(1)
    });
    let cpu = cpu_s(id) - cpu_before;
    assert!(cpu < 0.5, "{cpu} s of a second, for {answered} NOOPs");
    let code = ftp.ask("RETR small").code;
    assert!((400..500).contains(&code), "{code}");
    // That has given a descriptor or two back, so these may succeed.
    for command in ["EPSV", "SIZE small", "MKD made"] {
        assert_ne!(ftp.ask(command).code, 421, "{command}");
    }
    assert_eq!(ftp.ask("NOOP").code, 200);
    limit_descriptors(id, None);
    for stream in waiting {
        let mut late = Ftp::over(stream);
        assert_eq!(late.reply().code, 220, "it waited, and is let in");
    }
    assert_eq!(ftp.retrieve("small"), b"bytes");
}

with_each_driver! {
    whoever_sends_a_byte_now_and_then_has_the_time_to_log_in_and_no_more
    whoever_reads_no_replies_costs_little_and_is_sent_away
    whoever_takes_or_sends_no_data_is_broken_off
    no_file_grows_beyond_the_largest_that_is_taken
    lines_that_wait_are_not_carried_out_for_a_peer_that_is_gone
    without_descriptors_sessions_live_and_accepting_recovers_without_a_spin
}
