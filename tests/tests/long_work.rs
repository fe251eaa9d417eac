//! Commands that read a whole file without a data connection: right over many steps, and never in anybody's way.

use mayfly_tests::ftp::Ftp;
use mayfly_tests::noise;
use mayfly_tests::process::{Driver, ServerProcess, run};
use std::fs::{self, File};
use std::process::Command;
use tempfile::TempDir;

mayfly_tests::with_each_driver! {
    digests_are_those_of_the_host_s_own_tools
    a_size_in_ascii_is_what_is_sent
    parts_become_one_file
    abor_is_heard_and_others_are_served_meanwhile
    who_hangs_up_is_worked_for_no_more
    a_server_that_is_told_to_stop_does_not_wait_for_it
}

/// More than one step takes, and no multiple of it.
const SEVERAL_STEPS: usize = 17_000_001;
/// A file without blocks, which no machine reads through within a test.
const ENDLESS_BYTES: u64 = 1 << 40;
const LARGE_BYTES: u64 = 1 << 29;

struct Served {
    dir: TempDir,
    process: ServerProcess,
}

impl Served {
    fn new(driver: Driver) -> Self {
        let dir = tempfile::tempdir().expect("there is room for a directory");
        let process = ServerProcess::start(driver, dir.path(), &["--anonymous-rights", "all"]);
        Self { dir, process }
    }

    fn endless(driver: Driver) -> Self {
        let served = Self::new(driver);
        let file = File::create(served.dir.path().join("endless")).expect("it can be made");
        file.set_len(ENDLESS_BYTES).expect("the file system has sparse files");
        served
    }

    fn ftp(&self) -> Ftp {
        Ftp::log_in(self.process.address())
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.dir.path().join(name), bytes).expect("there is room for it");
    }
}

fn digests_are_those_of_the_host_s_own_tools(driver: Driver) {
    let served = Served::new(driver);
    served.put("f", &noise(SEVERAL_STEPS));
    let mut ftp = served.ftp();
    for (tool, algorithm, verb) in [
        ("sha256sum", "SHA-256", "XSHA256"),
        ("sha512sum", "SHA-512", "XSHA512"),
        ("sha1sum", "SHA-1", "XSHA1"),
        ("md5sum", "MD5", "XMD5"),
    ] {
        let told = run(Command::new(tool).arg(served.dir.path().join("f"))).succeeded().stdout;
        let digest = told.split(' ').next().expect("the digest comes first");
        assert_eq!(ftp.ask(&format!("OPTS HASH {algorithm}")).code, 200);
        let last = SEVERAL_STEPS - 1;
        assert_eq!(ftp.ask("HASH f").last(), format!("{algorithm} 0-{last} {digest} f"));
        assert_eq!(ftp.ask(&format!("{verb} f")).last(), digest.to_uppercase());
    }
}

fn a_size_in_ascii_is_what_is_sent(driver: Driver) {
    let served = Served::new(driver);
    let mut bytes = noise(SEVERAL_STEPS);
    // The line end at the border of two steps, too.
    bytes[(16 << 20) - 1] = b'\r';
    bytes[16 << 20] = b'\n';
    served.put("f", &bytes);
    let mut ftp = served.ftp();
    assert_eq!(ftp.ask("TYPE A").code, 200);
    let size = ftp.ask("SIZE f");
    assert_eq!((size.code, size.last()), (213, &*ftp.retrieve("f").len().to_string()));
}

fn parts_become_one_file(driver: Driver) {
    let served = Served::new(driver);
    let whole = noise(SEVERAL_STEPS);
    let (first, rest) = whole.split_at(100_000);
    served.put("one", first);
    served.put("two", rest);
    let mut ftp = served.ftp();
    assert_eq!(ftp.ask("COMB whole one two").code, 250);
    assert!(fs::read(served.dir.path().join("whole")).expect("it is there") == whole);
    let left = fs::read_dir(served.dir.path()).expect("the root is there");
    let names: Vec<_> = left.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    assert!(!names.iter().any(|name| name == "one" || name == "two"), "{names:?}");
}

fn abor_is_heard_and_others_are_served_meanwhile(driver: Driver) {
    let served = Served::endless(driver);
    // The disk must have room for it, as COMB asks first; little of it will be written.
    let file = File::create(served.dir.path().join("large")).expect("it can be made");
    file.set_len(LARGE_BYTES).expect("the file system has sparse files");
    let mut busy = served.ftp();
    let mut other = served.ftp();
    for line in ["HASH endless", "XCRC \"endless\" 0 1000000000000", "COMB whole large"] {
        assert_eq!(busy.ask(&format!("NOOP\r\n{line}")).code, 200);
        for _ in 0..3 {
            assert_eq!(other.ask("NOOP").code, 200);
        }
        busy.say("PWD");
        busy.say("ABOR");
        let replies = [(); 3].map(|()| busy.reply().code);
        assert_eq!(replies, [426, 450, 226], "{line}");
        assert_eq!(busy.ask("PWD").code, 257);
    }
    assert_eq!(busy.ask("SIZE whole").code, 550);
    assert_eq!(busy.ask("SIZE endless").last(), ENDLESS_BYTES.to_string());
}

fn who_hangs_up_is_worked_for_no_more(driver: Driver) {
    let served = Served::endless(driver);
    let mut ftp = served.ftp();
    assert_eq!(ftp.ask("NOOP\r\nHASH endless").code, 200);
    drop(ftp);
    let end = served.process.wait_for_log("session ended");
    assert!(end.contains("closed by peer"), "{end}");
}

fn a_server_that_is_told_to_stop_does_not_wait_for_it(driver: Driver) {
    let mut served = Served::endless(driver);
    let mut ftp = served.ftp();
    // In one write: once the one is answered, the other has begun.
    assert_eq!(ftp.ask("NOOP\r\nHASH endless").code, 200);
    served.process.terminate();
    assert_eq!([(); 2].map(|()| ftp.reply().code), [450, 421]);
    assert!(served.process.wait().success());
}
