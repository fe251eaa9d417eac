//! What is on the disk for good before a reply says so: the order of the system calls of the real binaries.
//!
//! A power loss cannot be had here. What decides about one is this order: a file system keeps what was synced, and of the
//! rest any part. So where the bytes were synced before the name was given, whatever stands under the name is whole; where
//! the directory was synced before the reply went out, the name stands too (`full`); and a record is never half written,
//! for its new form was synced under another name. With `data` a name may be lost, and with `none` bytes too, as it says.

use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, ServerProcess, wait_until};
use mayfly_tests::traced::{Moment, Traced};

mayfly_tests::with_each_driver! {
    none_waits_for_no_disk
    data_syncs_the_bytes_before_the_name
    full_syncs_the_name_before_226
    a_dated_file_is_synced_with_its_date
    a_record_is_on_the_disk_before_000
    a_path_and_its_record_are_on_the_disk_before_257
}

const CALLS: &str =
    "pwrite64,write,writev,sendto,sendmsg,fdatasync,fsync,linkat,rename,renameat,renameat2,fsetxattr,mkdirat";

/// What a server does while this session goes on.
fn traced(driver: Driver, flags: &[&str], session: impl FnOnce(&mut Ftp)) -> Vec<Moment> {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let server = ServerProcess::start(driver, root.path(), flags);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD p").code, 257);
    let traced = Traced::begin(&server, CALLS);
    session(&mut ftp);
    // What it has said it has done; what it does next is of no interest.
    wait_until("the server to hear", || ftp.ask("NOOP").code == 200);
    traced.end()
}

fn stored(driver: Driver, flags: &[&str]) -> Vec<Moment> {
    traced(driver, flags, |ftp| assert_eq!(ftp.store("STOR p/f", b"these are its bytes").code, 226))
}

/// Where the first such call ends, or begins.
#[track_caller]
fn at(moments: &[Moment], is_end: bool, calls: &[&str], part: &str) -> usize {
    let is_it = |moment: &Moment| {
        moment.is_end == is_end && calls.contains(&moment.call.as_str()) && moment.text.contains(part)
    };
    let found = moments.iter().position(is_it);
    found.unwrap_or_else(|| panic!("no {calls:?} with {part:?} in {moments:#?}"))
}

/// Each ends before the next begins.
#[track_caller]
fn follow(moments: &[Moment], steps: &[(&[&str], &str)]) {
    let mut from = 0;
    for (calls, part) in steps {
        let begun = from + at(&moments[from..], false, calls, part);
        from = begun + at(&moments[begun..], true, calls, part);
    }
}

const WRITE: &[&str] = &["pwrite64", "write", "writev"];
const SAY: &[&str] = &["write", "writev", "sendto", "sendmsg"];
const RENAME: &[&str] = &["rename", "renameat", "renameat2"];

fn none_waits_for_no_disk(driver: Driver) {
    let moments = stored(driver, &["--durability", "none"]);
    follow(&moments, &[(WRITE, "these are its bytes"), (&["linkat"], "\"f\""), (SAY, "226 ")]);
    assert!(!moments.iter().any(|moment| ["fsync", "fdatasync"].contains(&moment.call.as_str())), "{moments:#?}");
}

fn data_syncs_the_bytes_before_the_name(driver: Driver) {
    let moments = stored(driver, &[]);
    follow(&moments, &[(WRITE, "these are its bytes"), (&["fdatasync"], ""), (&["linkat"], "\"f\""), (SAY, "226 ")]);
}

fn full_syncs_the_name_before_226(driver: Driver) {
    let moments = stored(driver, &["--durability", "full"]);
    follow(
        &moments,
        &[
            (WRITE, "these are its bytes"),
            (&["fdatasync"], ""),
            (&["linkat"], "\"f\""),
            (&["fsync"], "/p>"),
            (SAY, "226 "),
        ],
    );
}

fn a_dated_file_is_synced_with_its_date(driver: Driver) {
    let moments = stored(driver, &["--keep", "1d", "--durability", "full"]);
    follow(
        &moments,
        &[
            (WRITE, "these are its bytes"),
            (&["fsetxattr"], "user.mayfly.expiry"),
            (&["fsync"], ""),
            (&["linkat"], "\"f\""),
            (&["fsync"], "/p>"),
            (SAY, "226 "),
        ],
    );
    assert!(!moments.iter().any(|moment| moment.call == "fdatasync"), "which may leave a date out: {moments:#?}");
}

fn a_record_is_on_the_disk_before_000(driver: Driver) {
    // Whatever is said of uploads, a date is promised.
    let moments = traced(driver, &["--durability", "none"], |ftp| assert_eq!(ftp.ask("SETEXPIRY p 7d").code, 0));
    follow(
        &moments,
        &[
            (WRITE, "expiry_s"),
            (&["fsync"], ".mayfly.json."),
            (RENAME, "\".mayfly.json\""),
            (&["fsync"], "/p>"),
            (SAY, "000 "),
        ],
    );
}

fn a_path_and_its_record_are_on_the_disk_before_257(driver: Driver) {
    let moments = traced(driver, &["--durability", "none"], |ftp| assert_eq!(ftp.ask("MKD p/q").code, 257));
    follow(
        &moments,
        &[
            (&["mkdirat"], ".mayfly-new-"),
            (WRITE, "created_s"),
            (&["fsync"], ".mayfly.json."),
            (RENAME, "\".mayfly.json\""),
            (&["fsync"], ".mayfly-new-"),
            (RENAME, "\"q\""),
            (&["fsync"], "/p>"),
            (SAY, "257 "),
        ],
    );
}
