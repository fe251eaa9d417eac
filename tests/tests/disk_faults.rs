//! File systems that run full, turn read-only or fail half-way beneath the real binaries: right replies, the session
//! lives, no debris, and nothing acknowledged or promised is half done.

use mayfly_tests::failing::Failing;
use mayfly_tests::ftp::{Ftp, Reply};
use mayfly_tests::process::{Driver, ServerProcess, wait_until};
use mayfly_tests::small_disk::SmallDisk;
use mayfly_tests::{kernel, noise};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;
use std::io::Write;
use std::net::Shutdown;
use std::path::Path;
use std::process::Command;

mayfly_tests::with_each_driver! {
    a_disk_that_runs_full_refuses_and_goes_on
    a_disk_without_inodes_refuses_and_goes_on
    a_full_disk_keeps_nothing_from_expiring
    a_read_only_disk_refuses_and_goes_on
    an_upload_meets_an_error_half_way
    an_upload_meets_an_error_at_its_end
    what_a_failed_sync_may_have_lost_is_not_gone_on_with
    a_name_that_is_not_surely_on_the_disk_is_one_name
    a_date_meets_an_error
    a_download_and_a_listing_meet_an_error
    names_meet_an_error
    the_reaper_meets_an_error
    a_record_that_is_none_hinders_nobody_else
}

const MIB: usize = 1024 * 1024;

fn a_disk_that_runs_full_refuses_and_goes_on(driver: Driver) {
    let disk = SmallDisk::mount("size=4m");
    let (server, mut ftp) = serve(driver, disk.path());
    let date = dated(&mut ftp);
    let (old, large) = (noise(64 * 1024), noise(6 * MIB));
    assert_eq!(ftp.store("STOR p/old", &old).code, 226);
    let before = names(disk.path());

    // Announced, it is refused before the first byte; else while it comes.
    assert_eq!(ftp.ask(&format!("ALLO {}", large.len())).code, 452);
    for command in ["STOR p/new", "STOR p/old", "APPE p/old", "STOU"] {
        assert_eq!(store(&mut ftp, command, &large).code, 452, "{command}");
        assert_goes_on(&mut ftp, disk.path(), &before);
    }
    assert!(ftp.retrieve("p/old") == old, "it is not as it was");

    let ballast = disk.fill();
    let before = names(disk.path());
    for command in ["STOR p/new", "STOR p/old", "APPE p/old"] {
        assert_eq!(store(&mut ftp, command, b"a little").code, 452, "{command}");
        assert_goes_on(&mut ftp, disk.path(), &before);
    }
    assert_eq!(ftp.ask("ALLO 1").code, 452);
    for command in ["MKD q", "MKD p/q", "SETEXPIRY p 2d", "SETEXPIRY p never"] {
        assert_eq!(ftp.ask(command).code, 452, "{command}");
        assert_goes_on(&mut ftp, disk.path(), &before);
        assert_eq!(ftp.ask("SITE EXPIRY p").lines, [date.as_str()], "after {command}");
    }
    assert!(ftp.retrieve("p/old") == old, "it is not as it was");
    // What makes room is let.
    assert_eq!(ftp.ask("RNFR p/old").code, 350);
    assert_eq!(ftp.ask("RNTO p/renamed").code, 250);
    assert_eq!(ftp.ask("DELE p/renamed").code, 250);
    assert_eq!(ftp.store("STOR p/old", &old).code, 226);

    // The same on a server that knows it from the disk alone.
    server.kill();
    let (_server, mut again) = serve(driver, disk.path());
    assert_eq!(again.ask("SITE EXPIRY p").lines, [date.as_str()]);
    fs::remove_file(ballast).expect("it is ours");
    assert_eq!(again.ask("MKD q").code, 257);
    assert_eq!(again.store("STOR q/new", &large[..MIB]).code, 226);
    assert_eq!(again.ask("SETEXPIRY q 2d").code, 0);
    assert!(again.retrieve("q/new") == large[..MIB], "it is not what was sent");
    assert_clean(driver, disk.path());
}

fn a_disk_without_inodes_refuses_and_goes_on(driver: Driver) {
    let disk = SmallDisk::mount("size=4m,nr_inodes=64");
    let (_server, mut ftp) = serve(driver, disk.path());
    let date = dated(&mut ftp);
    assert_eq!(ftp.store("STOR p/old", b"old").code, 226);
    let taken = disk.take_inodes();
    let before = names(disk.path());
    for command in ["STOR p/new", "STOR p/old", "APPE p/old"] {
        assert_eq!(store(&mut ftp, command, b"a little").code, 452, "{command}");
        assert_goes_on(&mut ftp, disk.path(), &before);
    }
    for command in ["MKD q", "SETEXPIRY p 2d"] {
        assert_eq!(ftp.ask(command).code, 452, "{command}");
        assert_goes_on(&mut ftp, disk.path(), &before);
    }
    assert_eq!(ftp.ask("SITE EXPIRY p").lines, [date.as_str()]);
    assert_eq!(ftp.retrieve("p/old"), b"old");
    fs::remove_dir_all(taken).expect("it is ours");
    assert_eq!(ftp.store("STOR p/new", b"a little").code, 226);
    assert_eq!(ftp.ask("MKD q").code, 257);
    assert_clean(driver, disk.path());
}

fn a_full_disk_keeps_nothing_from_expiring(driver: Driver) {
    let disk = SmallDisk::mount("size=4m");
    let (server, mut ftp) = serve(driver, disk.path());
    let date = dated(&mut ftp);
    let bytes = noise(MIB);
    assert_eq!(ftp.ask("MKD short").code, 257);
    assert_eq!(ftp.store("STOR short/file", &bytes).code, 226);
    assert_eq!(ftp.ask("SETEXPIRY short 3s").code, 0);
    let _ballast = disk.fill();
    assert_eq!(store(&mut ftp, "STOR p/new", &bytes).code, 452);
    let _ = server.wait_for_log("\"path expired\"");
    assert_eq!(ftp.ask("CWD short").code, 550);
    assert!(!disk.path().join("short").exists(), "its name is there still");
    let _ = server.wait_for_log("trash emptied");
    // What the reaper has freed is enough, less the page that something else may have taken.
    assert_eq!(ftp.store("STOR p/new", &bytes[..MIB - 64 * 1024]).code, 226);
    assert_eq!(ftp.ask("SITE EXPIRY p").lines, [date.as_str()]);
    assert_clean(driver, disk.path());
}

fn a_read_only_disk_refuses_and_goes_on(driver: Driver) {
    let disk = SmallDisk::mount("size=4m");
    let (server, mut ftp) = serve(driver, disk.path());
    let date = dated(&mut ftp);
    assert_eq!(ftp.store("STOR p/old", b"old").code, 226);
    assert_eq!(ftp.ask("MKD short").code, 257);
    assert_eq!(ftp.store("STOR short/file", b"file").code, 226);
    assert_eq!(ftp.ask("SETEXPIRY short 2s").code, 0);
    let before = names(disk.path());
    disk.set_read_only(true);
    for command in ["STOR p/new", "STOR p/old", "APPE p/old"] {
        assert_eq!(store(&mut ftp, command, b"a little").code, 550, "{command}");
        assert_goes_on(&mut ftp, disk.path(), &before);
    }
    for command in ["MKD q", "SETEXPIRY p 2d", "DELE p/old", "RMD p"] {
        assert_eq!(ftp.ask(command).code, 550, "{command}");
        assert_goes_on(&mut ftp, disk.path(), &before);
    }
    assert_eq!(ftp.ask("RNFR p/old").code, 350);
    assert_eq!(ftp.ask("RNTO p/renamed").code, 550);
    assert_eq!(ftp.ask("SITE EXPIRY p").lines, [date.as_str()]);
    assert_eq!(ftp.retrieve("p/old"), b"old");
    // It cannot go, and cannot be read either.
    let _ = server.wait_for_log("the reaper failed at a step");
    let reply = ftp.ask("SIZE short/file");
    assert_eq!((reply.code, reply.last()), (550, "Storage path expired."));
    assert_eq!(names(disk.path()), before);

    disk.set_read_only(false);
    let _ = server.wait_for_log("\"path expired\"");
    assert!(!disk.path().join("short").exists(), "its name is there still");
    assert_eq!(ftp.store("STOR p/new", b"a little").code, 226);
    assert_eq!(ftp.ask("SETEXPIRY p 2d").code, 0);
    assert_clean(driver, disk.path());
}

fn an_upload_meets_an_error_half_way(driver: Driver) {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let (server, mut ftp) = serve(driver, root.path());
    let _date = dated(&mut ftp);
    assert_eq!(ftp.store("STOR p/old", b"old").code, 226);
    let (before, bytes) = (names(root.path()), noise(2 * MIB));
    for (error, code) in [("EIO", 451), ("EROFS", 550), ("ENOSPC", 452), ("EDQUOT", 552), ("EFBIG", 552)] {
        for name in ["p/new", "p/old"] {
            let mut data = ftp.data();
            assert_eq!(ftp.ask(&format!("STOR {name}")).code, 150);
            data.write_all(&bytes[..MIB]).expect("the server takes it");
            wait_until("the server to read it", || {
                kernel::has_read(data.peer_addr().expect("it stands"), data.local_addr().expect("it stands"))
            });
            let failing = Failing::begin(&server, "pwrite64", error);
            // It may be closed before all is sent.
            let _ = data.write_all(&bytes[MIB..]);
            let _ = data.shutdown(Shutdown::Write);
            assert_eq!(ftp.reply().code, code, "{error}, {name}");
            failing.end();
            assert_goes_on(&mut ftp, root.path(), &before);
        }
    }
    assert_eq!(ftp.retrieve("p/old"), b"old");
    for name in ["p/new", "p/old"] {
        assert_eq!(ftp.store(&format!("STOR {name}"), &bytes).code, 226);
        assert!(ftp.retrieve(name) == bytes, "it is not what was sent");
    }
    assert_clean(driver, root.path());
}

fn an_upload_meets_an_error_at_its_end(driver: Driver) {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let (server, mut ftp) = serve(driver, root.path());
    let _date = dated(&mut ftp);
    assert_eq!(ftp.store("STOR p/old", b"old").code, 226);
    let before = names(root.path());
    for calls in ["fdatasync,fsync", "linkat", "flock"] {
        for command in ["STOR p/new", "STOR p/old", "APPE p/old"] {
            let failing = Failing::begin(&server, calls, "EIO");
            assert_eq!(store(&mut ftp, command, b"new").code, 451, "{calls}, {command}");
            failing.end();
            assert_goes_on(&mut ftp, root.path(), &before);
        }
    }
    let failing = Failing::begin(&server, "renameat,renameat2", "EIO");
    assert_eq!(store(&mut ftp, "STOR p/old", b"new").code, 451);
    failing.end();
    assert_goes_on(&mut ftp, root.path(), &before);
    assert_eq!(ftp.retrieve("p/old"), b"old");
    assert_eq!(ftp.store("STOR p/old", b"new").code, 226);
    assert_eq!(ftp.retrieve("p/old"), b"new");
    assert_clean(driver, root.path());
}

/// The kernel tells a failed sync once, and drops what it could not write: the next one would succeed.
fn what_a_failed_sync_may_have_lost_is_not_gone_on_with(driver: Driver) {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let (server, mut ftp) = serve(driver, root.path());
    let _date = dated(&mut ftp);
    let before = names(root.path());
    let bytes = noise(MIB);
    // Broken off, and kept.
    assert_eq!(ftp.ask(&format!("ALLO {MIB}")).code, 200);
    assert_eq!(store(&mut ftp, "STOR p/new", &bytes[..MIB / 2]).code, 426);
    assert_eq!(ftp.ask("SIZE p/new").lines, [format!("213 {}", MIB / 2)]);
    let failing = Failing::begin(&server, "fdatasync,fsync", "EIO");
    assert_eq!(ftp.ask(&format!("REST {}", MIB / 2)).code, 350);
    assert_eq!(store(&mut ftp, "STOR p/new", &bytes[MIB / 2..]).code, 451);
    failing.end();
    assert_eq!(ftp.ask("SIZE p/new").code, 550);
    assert_goes_on(&mut ftp, root.path(), &before);
    assert_eq!(ftp.store("STOR p/new", &bytes).code, 226);
    assert!(ftp.retrieve("p/new") == bytes, "it is not what was sent");
    assert_clean(driver, root.path());
}

/// Where the name is to be durable too and is not, that is said; what stands is whole, and has no other name.
fn a_name_that_is_not_surely_on_the_disk_is_one_name(driver: Driver) {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let flags = ["--anonymous-rights", "all", "--durability", "full"];
    let server = ServerProcess::start(driver, root.path(), &flags);
    let mut ftp = Ftp::log_in(server.address());
    let _date = dated(&mut ftp);
    // The folder for what is kept is there, so that nothing else hinders it.
    fs::create_dir(root.path().join("p/.mayfly-parts")).expect("there is room");
    let before = names(root.path());
    let failing = Failing::begin(&server, "fsync", "EIO");
    assert_eq!(store(&mut ftp, "STOR p/new", b"new").code, 451);
    failing.end();
    let added: Vec<_> = names(root.path()).into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(added, ["p/new"]);
    assert_eq!(ftp.store("STOR p/new", b"newer").code, 226);
    assert_eq!(ftp.retrieve("p/new"), b"newer");
    assert_clean(driver, root.path());
}

fn a_date_meets_an_error(driver: Driver) {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let (server, mut ftp) = serve(driver, root.path());
    let date = dated(&mut ftp);
    let before = names(root.path());
    for calls in ["fsync", "renameat,renameat2", "flock"] {
        for (error, code) in [("EIO", 451), ("EROFS", 550), ("ENOSPC", 452)] {
            let failing = Failing::begin(&server, calls, error);
            for command in ["SETEXPIRY p 2d", "SETEXPIRY p never", "MKD q"] {
                if calls != "flock" || !command.starts_with("MKD") {
                    assert_eq!(ftp.ask(command).code, code, "{calls}, {error}, {command}");
                }
            }
            failing.end();
            assert_goes_on(&mut ftp, root.path(), &before);
            assert_eq!(ftp.ask("SITE EXPIRY p").lines, [date.as_str()], "{calls}, {error}");
        }
    }
    assert_eq!(ftp.ask("SETEXPIRY p 2999-12-31T23:59:58Z").code, 0);
    assert_eq!(ftp.ask("MKD q").code, 257);
    server.kill();
    let (_server, mut again) = serve(driver, root.path());
    assert_eq!(again.ask("SITE EXPIRY p").lines, ["213 29991231235958"]);
    assert_clean(driver, root.path());
}

fn a_download_and_a_listing_meet_an_error(driver: Driver) {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let (server, mut ftp) = serve(driver, root.path());
    let bytes = noise(MIB);
    assert_eq!(ftp.ask("MKD p").code, 257);
    assert_eq!(ftp.store("STOR p/a", &bytes).code, 226);
    let before = names(root.path());
    for (calls, command) in [("sendfile,pread64", "RETR p/a"), ("getdents64", "NLST p"), ("getdents64", "MLSD p")] {
        let failing = Failing::begin(&server, calls, "EIO");
        let got = ftp.try_fetch(command).expect("the session lives");
        assert_eq!(got.map(|bytes| bytes.len()).map_err(|reply| reply.code), Err(451), "{command}");
        failing.end();
        assert_goes_on(&mut ftp, root.path(), &before);
        assert!(ftp.try_fetch(command).expect("the session lives").is_ok(), "{command}");
    }
    assert!(ftp.retrieve("p/a") == bytes, "it is not what was sent");
}

fn names_meet_an_error(driver: Driver) {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let (server, mut ftp) = serve(driver, root.path());
    assert_eq!(ftp.ask("MKD p").code, 257);
    assert_eq!(ftp.ask("MKD p/empty").code, 257);
    assert_eq!(ftp.store("STOR p/a", b"a").code, 226);
    let before = names(root.path());
    let failing = Failing::begin(&server, "unlinkat,renameat,renameat2,mkdirat", "EIO");
    for command in ["DELE p/a", "RMD p/empty", "MKD q"] {
        assert_eq!(ftp.ask(command).code, 451, "{command}");
    }
    assert_eq!(ftp.ask("RNFR p/a").code, 350);
    assert_eq!(ftp.ask("RNTO p/b").code, 451);
    failing.end();
    assert_goes_on(&mut ftp, root.path(), &before);
    for (command, code) in [("DELE p/a", 250), ("RMD p/empty", 250), ("MKD q", 257)] {
        assert_eq!(ftp.ask(command).code, code, "{command}");
    }
    assert_clean(driver, root.path());
}

fn the_reaper_meets_an_error(driver: Driver) {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let (server, mut ftp) = serve(driver, root.path());
    // It can be moved away in vain, and it can be moved away and not be deleted.
    for (calls, stays) in [("renameat,renameat2", true), ("unlinkat", false)] {
        let name = if stays { "first" } else { "second" };
        assert_eq!(ftp.ask(&format!("MKD {name}")).code, 257);
        assert_eq!(ftp.store(&format!("STOR {name}/file"), b"file").code, 226);
        assert_eq!(ftp.ask(&format!("SETEXPIRY {name} 2s")).code, 0);
        let failing = Failing::begin(&server, calls, "EIO");
        let failures = if stays { 1 } else { 2 };
        let _ = server.wait_for_logs(failures, |line| line.contains("the reaper failed at a step"));
        let reply = ftp.ask(&format!("SIZE {name}/file"));
        assert_eq!((reply.code, reply.last()), (550, "Storage path expired."));
        assert_eq!(root.path().join(name).exists(), stays, "{calls}");
        assert_eq!(ftp.ask("NOOP").code, 200);
        failing.end();
        wait_until("the name to go", || !root.path().join(name).exists());
        wait_until("the trash to be empty", || {
            names(root.path()).iter().all(|name| !name.starts_with(".mayfly-trash/"))
        });
    }
    assert_clean(driver, root.path());
}

/// Its path is refused by whatever way, nothing waits for it, and all else is as ever.
fn a_record_that_is_none_hinders_nobody_else(driver: Driver) {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let (_server, mut ftp) = serve(driver, root.path());
    let record = root.path().join("p/.mayfly.json");
    assert_eq!(ftp.ask("MKD p").code, 257);
    assert_eq!(ftp.store("STOR p/a", b"a").code, 226);
    assert_eq!(ftp.ask("MKD other").code, 257);
    let kept = fs::read(&record).expect("it is there");
    let fifo = |path: &Path| mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("we may");
    let stand_ins: [&dyn Fn(&Path); 4] = [
        &fifo,
        &|path| fs::write(path, noise(MIB)).expect("there is room"),
        &|path| fs::create_dir(path).expect("there is room"),
        &|path| fs::write(path, &kept[..kept.len() / 2]).expect("there is room"),
    ];
    for (number, put) in stand_ins.iter().enumerate() {
        fs::remove_file(&record).or_else(|_| fs::remove_dir(&record)).expect("it is there");
        put(&record);
        for command in ["CWD p", "SIZE p/a", "MLST p", "DELE p/a", "RMD p", "MKD p/q", "SETEXPIRY p 2d", "RNFR p/a"] {
            assert_eq!(ftp.ask(command).code, 451, "stand-in {number}, {command}");
        }
        assert_eq!(store(&mut ftp, "STOR p/b", b"b").code, 451, "stand-in {number}");
        for command in ["RETR p/a", "NLST p"] {
            let got = ftp.try_fetch(command).expect("the session lives");
            assert_eq!(got.map_err(|reply| reply.code), Err(451), "stand-in {number}, {command}");
        }
        assert!(ftp.try_fetch("NLST").expect("the session lives").is_ok(), "stand-in {number}");
        assert_eq!(store(&mut ftp, "STOR other/b", b"b").code, 226, "stand-in {number}");
        assert_eq!(ftp.ask("NOOP").code, 200);
        assert_eq!(fsck(driver, root.path()), Some(FOUND), "stand-in {number}");
    }
    fs::write(&record, &kept).expect("there is room");
    assert_eq!(ftp.retrieve("p/a"), b"a");
    assert_clean(driver, root.path());
}

fn serve(driver: Driver, root: &Path) -> (ServerProcess, Ftp) {
    let server = ServerProcess::start(driver, root, &["--anonymous-rights", "all"]);
    let ftp = Ftp::log_in(server.address());
    (server, ftp)
}

/// Makes a path with a date; how the server tells that.
fn dated(ftp: &mut Ftp) -> String {
    assert_eq!(ftp.ask("MKD p").code, 257);
    assert_eq!(ftp.ask("SETEXPIRY p 2998-12-31T23:59:58Z").code, 0);
    let reply = ftp.ask("SITE EXPIRY p");
    assert_eq!(reply.lines, ["213 29981231235958"]);
    reply.lines[0].clone()
}

/// Uploads as far as the server takes it; the last reply.
fn store(ftp: &mut Ftp, command: &str, bytes: &[u8]) -> Reply {
    let mut data = ftp.data();
    let reply = ftp.ask(command);
    if reply.code != 150 {
        return reply;
    }
    // The server closes it when it has no room for more.
    let _ = data.write_all(bytes);
    let _ = data.shutdown(Shutdown::Write);
    ftp.reply()
}

/// The session lives, and nothing stands on the disk that did not before.
fn assert_goes_on(ftp: &mut Ftp, root: &Path, before: &[String]) {
    assert_eq!(ftp.ask("NOOP").code, 200);
    assert_eq!(names(root), before);
}

fn assert_clean(driver: Driver, root: &Path) {
    assert_eq!(fsck(driver, root), Some(0), "fsck finds something: {:?}", names(root));
}

fn fsck(driver: Driver, root: &Path) -> Option<i32> {
    let mut fsck = Command::new(driver.binary());
    fsck.args(["fsck", "--root"]).arg(root).output().expect("it runs").status.code()
}

/// All names beneath the root, sorted, but for the server's own folders while they are empty.
fn names(root: &Path) -> Vec<String> {
    let (mut names, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it can be read") {
            let entry = entry.expect("it can be read");
            let path = entry.path();
            if entry.file_type().expect("it can be read").is_dir() {
                folders.push(path.clone());
                let is_own = entry.file_name().as_encoded_bytes().starts_with(b".mayfly-");
                if is_own && fs::read_dir(&path).expect("it can be read").next().is_none() {
                    continue;
                }
            }
            let name = path.strip_prefix(root).expect("it is beneath");
            names.push(name.to_str().expect("a test's names are UTF-8").to_owned());
        }
    }
    names.sort();
    names
}

/// What `fsck` ends with where it has found something.
const FOUND: i32 = 14;
