//! What is kept free on a disk, and what the reaper says of one that takes no change: real file systems beneath the real
//! binaries.

use mayfly_tests::ftp::Ftp;
use mayfly_tests::noise;
use mayfly_tests::process::{Driver, ServerProcess, wait_until};
use mayfly_tests::small_disk::SmallDisk;
use std::fs;
use std::io::Write as _;

mayfly_tests::with_each_driver! {
    uploads_leave_free_what_is_to_be_kept_free
    forty_paths_that_cannot_go_are_one_complaint
}

fn uploads_leave_free_what_is_to_be_kept_free(driver: Driver) {
    let disk = SmallDisk::mount("size=2m");
    let server = ServerProcess::start(driver, disk.path(), &["--min-free", "256KiB"]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD d").code, 257);
    assert_eq!(ftp.store("STOR d/small", &noise(1000)).code, 226);
    let free = free_bytes(&disk);
    assert_eq!(ftp.ask("AVBL").last(), (free - 256 * 1024).to_string());
    assert_eq!(ftp.ask(&format!("ALLO {}", free - 256 * 1024 + 1)).code, 452);
    let reply = ftp.try_store("STOR d/large", &noise(8 << 20));
    assert_eq!(reply.map_or_else(|_| ftp.reply().code, |reply| reply.code), 452);
    wait_until("the room to be free again", || free_bytes(&disk) == free);
    // Short of what is kept free, no upload begins; whatever is no upload goes on.
    fs::write(disk.path().join("filler"), noise(usize::try_from(free - 128 * 1024).expect("it is small")))
        .expect("there is room for it");
    let mut data = ftp.data();
    assert_eq!(ftp.ask("STOR d/more").code, 452, "before the first byte");
    drop(data.write(b"x"));
    assert_eq!(ftp.retrieve("d/small"), noise(1000));
    for (line, code) in [("MKD e", 257), ("SETEXPIRY d 1d", 0), ("DELE d/small", 250), ("AVBL", 213)] {
        assert_eq!(ftp.ask(line).code, code, "{line}");
    }
}

fn free_bytes(disk: &SmallDisk) -> u64 {
    let stat = rustix::fs::statvfs(disk.path()).expect("it stands");
    stat.f_bavail * stat.f_frsize
}

fn forty_paths_that_cannot_go_are_one_complaint(driver: Driver) {
    let disk = SmallDisk::mount("size=4m");
    let server = ServerProcess::start(driver, disk.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    for n in 0..40 {
        assert_eq!(ftp.ask(&format!("MKD short{n}")).code, 257);
        assert_eq!(ftp.ask(&format!("SETEXPIRY short{n} 2s")).code, 0);
    }
    disk.set_read_only(true);
    wait_until("the paths to expire", || ftp.ask("SIZE short39/x").last() == "Storage path expired.");
    let told = server.wait_for_log("reaper failed");
    assert!(told.contains("ReadOnly"), "{told}");
    disk.set_read_only(false);
    wait_until("the reaper to have gone on", || (0..40).all(|n| !disk.path().join(format!("short{n}")).exists()));
    let complaints = server.wait_for_logs(1, |line| line.contains("reaper failed")).len();
    assert!(complaints < 8, "{complaints} complaints");
}
