//! Deaths and restarts of the real binaries: what was promised holds, and what was not finished is not there.

#![expect(clippy::unwrap_used, reason = "a test")]

use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, ServerProcess, wait_until};
use mayfly_tests::{kernel, noise};
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod std_driver { $(#[test] fn $name() { super::$name(super::Driver::Std); })* }
        mod smol_driver { $(#[test] fn $name() { super::$name(super::Driver::Smol); })* }
    };
}

on_both!(
    killed_during_an_upload_it_leaves_nothing_under_the_name,
    killed_during_a_large_upload_it_leaves_it_resumable,
    killed_during_an_announced_upload_it_leaves_it_resumable,
    killed_right_after_226_it_has_the_file,
    killed_right_after_000_it_has_the_date,
    a_path_is_gone_in_time,
    a_path_whose_date_passed_while_nothing_ran_is_gone_in_time,
    killed_while_it_deletes_it_goes_on_at_the_next_start,
    sigterm_ends_the_idle_at_once_and_a_transfer_at_its_end,
);

const MIB: usize = 1024 * 1024;

fn killed_during_an_upload_it_leaves_nothing_under_the_name(driver: Driver) {
    let root = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD p").code, 257);
    let mut data = ftp.data();
    assert_eq!(ftp.ask("STOR p/a").code, 150);
    data.write_all(&noise(MIB)).unwrap();
    wait_until("the server to read it", || has_read(&data));
    server.kill();
    assert!(!root.path().join("p/a").exists());

    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("SIZE p/a").code, 550);
    assert_eq!(ftp.store("STOR p/a", b"whole").code, 226);
    assert_eq!(fs::read(root.path().join("p/a")).unwrap(), b"whole");
}

fn killed_during_a_large_upload_it_leaves_it_resumable(driver: Driver) {
    resumes_after_kill(driver, None, 66 * MIB);
}

fn killed_during_an_announced_upload_it_leaves_it_resumable(driver: Driver) {
    resumes_after_kill(driver, Some("ALLO 67108864"), 8 * MIB);
}

/// From 64 MiB on, announced or received, an upload outlives the server.
fn resumes_after_kill(driver: Driver, announce: Option<&str>, sent: usize) {
    let root = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD p").code, 257);
    let token = ftp.ask("SITE TOKEN p").last().to_owned();
    let whole = noise(if announce.is_some() { 64 * MIB } else { sent + MIB });
    if let Some(line) = announce {
        assert_eq!(ftp.ask(line).code, 200);
    }
    let mut data = ftp.data();
    assert_eq!(ftp.ask("STOR p/a").code, 150);
    data.write_all(&whole[..sent]).unwrap();
    wait_until("the server to read it", || has_read(&data));
    server.kill();
    assert!(!root.path().join("p/a").exists());

    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("SIZE p/a").code, 550, "a stranger does not see it");
    assert_eq!(ftp.ask(&format!("SITE CLAIM p {token}")).code, 200);
    let kept: usize = ftp.ask("SIZE p/a").last().parse().unwrap();
    assert!(kept > 0 && kept <= sent, "{kept} bytes were kept of {sent}");
    assert_eq!(ftp.ask(&format!("REST {kept}")).code, 350);
    assert_eq!(ftp.store("STOR p/a", &whole[kept..]).code, 226);
    assert!(fs::read(root.path().join("p/a")).unwrap() == whole, "it is not what was sent");
}

fn killed_right_after_226_it_has_the_file(driver: Driver) {
    let root = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(driver, root.path(), &["--durability", "full"]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD p").code, 257);
    let bytes = noise(MIB);
    assert_eq!(ftp.store("STOR p/a", &bytes).code, 226);
    server.kill();

    let server = ServerProcess::start(driver, root.path(), &[]);
    assert!(Ftp::log_in(server.address()).retrieve("p/a") == bytes, "it is not what was sent");
}

fn killed_right_after_000_it_has_the_date(driver: Driver) {
    let root = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD p").code, 257);
    assert_eq!(ftp.ask("SETEXPIRY p 2999-12-31T23:59:58Z").code, 0);
    server.kill();

    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("SITE EXPIRY p").lines, ["213 29991231235958"]);
    assert_eq!(ftp.ask("CWD p").code, 250);
}

/// Access ends with the second; the name is gone within two, and the bytes right after.
fn a_path_is_gone_in_time(driver: Driver) {
    let root = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD p").code, 257);
    assert_eq!(ftp.ask("MKD p/deep").code, 257);
    assert_eq!(ftp.store("STOR p/deep/a", &noise(MIB)).code, 226);
    assert_eq!(ftp.ask("SETEXPIRY p 3s").code, 0);
    let expiry = expiry_of(&mut ftp, "p");
    assert_eq!(ftp.ask("CWD p/deep").code, 250);
    let mut visitor = Ftp::log_in(server.address());

    // A look that began before the date may still succeed; none that began after it.
    wait_until("the date", || {
        let late = utc() >= expiry;
        let code = ftp.ask("SIZE a").code;
        assert!(!late || code == 550, "it is still readable after its date");
        late
    });
    for (session, command) in [(&mut ftp, "RETR a"), (&mut visitor, "CWD /p")] {
        if command.starts_with("RETR") {
            drop(session.data());
        }
        let reply = session.ask(command);
        assert_eq!((reply.code, reply.last()), (550, "Storage path expired."));
    }
    gone_in_time(root.path(), expiry);
    let reply = visitor.ask("CWD p");
    assert_eq!((reply.code, reply.last()), (550, "Storage path expired."));
}

fn a_path_whose_date_passed_while_nothing_ran_is_gone_in_time(driver: Driver) {
    let root = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD p").code, 257);
    assert_eq!(ftp.store("STOR p/a", &noise(MIB)).code, 226);
    assert_eq!(ftp.ask("SETEXPIRY p 2s").code, 0);
    let expiry = expiry_of(&mut ftp, "p");
    server.kill();
    wait_until("the date", || utc() > expiry);
    assert!(root.path().join("p/a").exists(), "nothing runs that could have taken it");

    let server = ServerProcess::start(driver, root.path(), &[]);
    let started = utc();
    let reply = Ftp::log_in(server.address()).ask("CWD p");
    assert_eq!((reply.code, reply.last()), (550, "Storage path expired."));
    gone_in_time(root.path(), started);
}

fn killed_while_it_deletes_it_goes_on_at_the_next_start(driver: Driver) {
    let root = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(driver, root.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD p").code, 257);
    for number in 0..20_000 {
        fs::write(root.path().join(format!("p/{number}")), b"").unwrap();
    }
    fs::write(root.path().join("p/large"), noise(MIB)).unwrap();
    assert_eq!(ftp.ask("SETEXPIRY p now").code, 0);
    wait_until("the name to go", || !root.path().join("p").exists());
    server.kill();

    let server = ServerProcess::start(driver, root.path(), &[]);
    let reply = Ftp::log_in(server.address()).ask("CWD p");
    assert_eq!((reply.code, reply.last()), (550, "Storage path expired."));
    let trash = root.path().join(".mayfly-trash");
    wait_until("the trash to be empty", || fs::read_dir(&trash).map_or(true, |mut entries| entries.next().is_none()));
}

fn sigterm_ends_the_idle_at_once_and_a_transfer_at_its_end(driver: Driver) {
    let root = tempfile::tempdir().unwrap();
    let mut server = ServerProcess::start(driver, root.path(), &[]);
    let mut idle = Ftp::log_in(server.address());
    let mut busy = Ftp::log_in(server.address());
    assert_eq!(busy.ask("MKD p").code, 257);
    let mut data = busy.data();
    assert_eq!(busy.ask("STOR p/a").code, 150);
    data.write_all(b"one").unwrap();
    server.terminate();
    assert_eq!(idle.reply().code, 421);
    assert!(idle.is_closed());
    data.write_all(b"two").unwrap();
    drop(data);
    assert_eq!(busy.reply().code, 226);
    assert_eq!(busy.reply().code, 421);
    assert!(busy.is_closed());
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(fs::read(root.path().join("p/a")).unwrap(), b"onetwo");
}

/// Whether the server has read all that was sent to it.
fn has_read(data: &TcpStream) -> bool {
    kernel::has_read(data.peer_addr().unwrap(), data.local_addr().unwrap())
}

fn utc() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// The date of a path, since the epoch.
fn expiry_of(ftp: &mut Ftp, path: &str) -> Duration {
    let reply = ftp.ask(&format!("SITE EXPIRY {path}"));
    let expiry_s = mayfly_core::date::parse_time_val(reply.last()).expect("it has a date");
    Duration::from_secs(u64::try_from(expiry_s).unwrap())
}

/// The name goes within two seconds of `since`, and no byte of its files is left soon after.
fn gone_in_time(root: &Path, since: Duration) {
    wait_until("the name to go", || !root.join("p").exists());
    let lag = utc().saturating_sub(since);
    assert!(lag < Duration::from_secs(2), "the name went {lag:?} late");
    let began = Instant::now();
    wait_until("the bytes to go", || largest_file(root) < MIB as u64);
    eprintln!("name gone {lag:?} after the date, bytes {:?} after that", began.elapsed());
}

fn largest_file(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let sizes = entries.filter_map(Result::ok).map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => largest_file(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.max().unwrap_or(0)
}
