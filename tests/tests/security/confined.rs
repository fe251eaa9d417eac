//! The process gives up what it does not need: as the kernel tells it, and as a client would find that had taken it over.

use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, ServerProcess, run, wait_until};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

mayfly_tests::with_each_driver! {
    a_server_becomes_another_user_for_good
    a_server_that_stays_root_keeps_the_rights_over_files_alone
    the_right_to_low_ports_is_kept_for_active_data_alone
    whoever_takes_the_server_over_gets_nowhere
    a_reload_reads_what_a_confined_server_can_read
    the_log_is_opened_anew_by_whom_the_server_became
    a_log_that_was_begun_before_the_user_was_changed_is_handed_over
    what_root_does_beside_a_server_is_done_as_the_server_s_user
    a_start_that_could_not_reload_is_refused
    what_is_made_has_the_permission_bits_that_are_set
}

/// Every system has this user, who owns nothing.
const NOBODY: &str = "65534:65534";

fn a_server_becomes_another_user_for_good(driver: Driver) {
    let ground = open_ground();
    let root = ground.path().join("storage");
    if !is_root() {
        let refused = refused(driver, &root, &["--user", "0:0"]);
        assert!(refused.contains("cannot become 0:0: only root can\nhint: "), "{refused}");
        return;
    }
    let server =
        ServerProcess::start(driver, &root, &["--user", NOBODY, "--landlock", "require", "--seccomp", "require"]);
    let told = server.wait_for_log("\"confined\"");
    for part in [
        "\"uid\":65534",
        "\"gid\":65534",
        "\"no_new_privs\":true",
        "\"landlock\":\"enforced (ABI ",
        "\"seccomp\":\"enforced (",
        "\"paths\":\"openat2\"",
        "\"umask\":\"00",
        "\"core_dumps\":false",
        "(65534:65534 07",
        "\"anonymous_rights\":\"list,read,write,expiry\"",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    work(&server);
    for status in statuses(server.id()) {
        let is = |name: &str, value: &str| assert_eq!(field(&status, name), value, "{name} of a thread");
        is("Uid", "65534\t65534\t65534\t65534");
        is("Gid", "65534\t65534\t65534\t65534");
        is("Groups", "65534");
        is("NoNewPrivs", "1");
        is("Seccomp", "2");
        for capabilities in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            is(capabilities, "0000000000000000");
        }
    }
    assert_eq!(field(&limits(server.id()), "Max core file size"), "0                    0                    bytes");
    // Only root may look into a process that is not to be dumped.
    assert_eq!(fs::metadata(format!("/proc/{}/mem", server.id())).expect("it runs").uid(), 0);
    let stored = fs::metadata(root.join("d/a")).expect("it was stored");
    assert_eq!((stored.uid(), stored.gid()), (65534, 65534));
}

fn a_server_that_stays_root_keeps_the_rights_over_files_alone(driver: Driver) {
    let ground = open_ground();
    let server = ServerProcess::start(driver, &ground.path().join("storage"), &["--user", "root"]);
    work(&server);
    // CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID: bits 0 to 4.
    let most = if is_root() { 0x1f } else { 0 };
    for status in statuses(server.id()) {
        let effective = u64::from_str_radix(field(&status, "CapEff"), 16).expect("it is a number");
        assert_eq!(effective & !most, 0, "{effective:x}");
        assert_eq!((field(&status, "NoNewPrivs"), field(&status, "Seccomp")), ("1", "2"));
    }
}

fn the_right_to_low_ports_is_kept_for_active_data_alone(driver: Driver) {
    let ground = open_ground();
    let root = ground.path().join("storage");
    let listen = if driver == Driver::Std { "127.0.77.1:21" } else { "127.0.77.2:21" };
    let flags = ["--user", NOBODY, "--active-port", "data"];
    if !is_root() {
        let refused = refused(driver, &root, &[&flags[..], &["--listen", listen]].concat());
        assert!(refused.contains("needs root or CAP_NET_BIND_SERVICE"), "{refused}");
        return;
    }
    let server = ServerProcess::start_on(driver, listen, &root, &flags);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.store("STOR a", b"text").code, 226);
    let ip = server.address().ip();
    let listener = TcpListener::bind((ip, 0)).expect("a port is free");
    // The client is where its connection comes from.
    let here = ftp.stream().local_addr().expect("it is connected").ip();
    let listener = if here == ip { listener } else { TcpListener::bind((here, 0)).expect("a port is free") };
    let port = listener.local_addr().expect("it is bound").port();
    assert_eq!(ftp.ask(&format!("EPRT |1|{here}|{port}|")).code, 200);
    assert_eq!(ftp.ask("RETR a").code, 150);
    let (_data, from) = listener.accept().expect("the server has connected");
    assert_eq!(from.port(), 20);
    assert_eq!(ftp.reply().code, 226);
    for status in statuses(server.id()) {
        assert_eq!(field(&status, "CapEff"), "0000000000000400", "CAP_NET_BIND_SERVICE is bit 10");
        assert_eq!(field(&status, "Uid"), "65534\t65534\t65534\t65534");
    }
}

fn whoever_takes_the_server_over_gets_nowhere(driver: Driver) {
    let users: &[&[&str]] = if is_root() { &[&[], &[NOBODY]] } else { &[&[]] };
    for user in users {
        let ground = open_ground();
        let [root, outside] = ["root", "outside"].map(|name| ground.path().join(name));
        for folder in [&root, &outside] {
            fs::create_dir(folder).expect("there is room");
            allow(folder, 0o777);
        }
        let canary = outside.join("canary");
        fs::write(&canary, "canary").expect("there is room");
        allow(&canary, 0o666);
        std::os::unix::fs::symlink(&canary, root.join("link")).expect("there is room");
        let name = if driver == Driver::Std { "std" } else { "smol" };
        // A try that succeeds may leave it stopped.
        let mut probe = Command::new("timeout");
        probe.args(["--signal=KILL", "30", env!("CARGO_BIN_EXE_probe"), name]).args([&root, &outside]).args(*user);
        let ran = run(&mut probe);
        let mut tries = 0;
        for line in ran.stdout.lines() {
            let (what, outcome) = line.split_once(": ").expect("each line names its try");
            let (what, outcome) = match outcome.split_once(": ") {
                Some((try_, outcome)) => ((what, try_), outcome),
                None => panic!("{line}"),
            };
            // EACCES, or EXDEV for a move into a place with more rights; EPERM.
            let expected: &[&str] = match what.0 {
                "inside" => &["done"],
                "outside" => &["13", "18"],
                _ => &["1"],
            };
            assert!(expected.contains(&outcome), "{line}, as {user:?}");
            tries += 1;
        }
        assert_eq!(tries, 32, "{}\n{}", ran.stdout, ran.stderr);
        assert_eq!(fs::read(&canary).expect("it is there still"), b"canary");
        assert_eq!(fs::read_dir(&outside).expect("it is there still").count(), 1);
    }
}

fn a_reload_reads_what_a_confined_server_can_read(driver: Driver) {
    let ground = open_ground();
    let folder = ground.path().join("settings");
    fs::create_dir(&folder).expect("there is room");
    let config = folder.join("mayfly.toml");
    fs::write(&config, "login_attempts = 3\n").expect("there is room");
    let flags = ["--config", config.to_str().expect("it is UTF-8")];
    let flags = if is_root() { [&flags[..], &["--user", NOBODY]].concat() } else { flags.to_vec() };
    let server = ServerProcess::start(driver, &ground.path().join("storage"), &flags);
    let readable = folder.canonicalize().expect("it is there");
    assert!(server.wait_for_log("\"confined\"").contains(&format!("\"readable\":\"{}\"", readable.display())));
    // As editors write: another file under the same name.
    fs::write(folder.join("new"), "anonymous_rights = \"none\"\n").expect("there is room");
    fs::rename(folder.join("new"), &config).expect("there is room");
    server.reload();
    let _read = server.wait_for_log("settings read again");
    let mut ftp = Ftp::connect(server.address());
    assert_eq!(ftp.reply().code, 220);
    assert_eq!([ftp.ask("USER anonymous").code, ftp.ask("PASS x").code], [331, 530]);
    // What confines holds until the end.
    fs::write(&config, "seccomp = \"off\"\n").expect("there is room");
    server.reload();
    let _told = server.wait_for_log("needs a restart");
    assert!(statuses(server.id()).iter().all(|status| field(status, "Seccomp") == "2"));
}

fn the_log_is_opened_anew_by_whom_the_server_became(driver: Driver) {
    let ground = open_ground();
    let folder = ground.path().join("log");
    fs::create_dir(&folder).expect("there is room");
    let log = folder.join("mayfly.log");
    let xferlog = folder.join("xferlog");
    let flags = ["--xferlog", xferlog.to_str().expect("it is UTF-8")];
    let flags = if is_root() { [&flags[..], &["--user", NOBODY]].concat() } else { flags.to_vec() };
    let root = ground.path().join("storage");
    let server = ServerProcess::start(driver, &root, &flags);
    if is_root() {
        assert_eq!(fs::metadata(&xferlog).expect("it was begun").uid(), 65534);
        std::os::unix::fs::chown(&folder, Some(65534), Some(65534)).expect("it is ours");
    }
    work(&server);
    let old = folder.join("xferlog.1");
    fs::rename(&xferlog, &old).expect("it is there");
    server.reload();
    let _read = server.wait_for_log("settings read again");
    work_again(&server);
    wait_until("the new log", || fs::read_to_string(&xferlog).is_ok_and(|text| text.lines().count() == 1));
    assert_eq!(fs::read_to_string(&old).expect("it is there still").lines().count(), 2);
    // A log of somebody else's, where the server must not write.
    if is_root() {
        fs::write(&log, "begun\n").expect("there is room");
        allow(&log, 0o600);
        let path = log.to_str().expect("it is UTF-8");
        let text = refused(driver, &root, &["--user", NOBODY, "--log-file", path]);
        assert!(text.contains("mayfly.log could not be opened anew: Permission denied"), "{text}");
    }
}

fn a_log_that_was_begun_before_the_user_was_changed_is_handed_over(driver: Driver) {
    let ground = open_ground();
    let log = ground.path().join("mayfly.log");
    let user: &[&str] = if is_root() { &["--user", NOBODY] } else { &[] };
    // At this level the first line is told before the ports are bound.
    let flags = [&["--log-level", "debug"], user].concat();
    let mut server = ServerProcess::start_logging_to(&log, driver, &ground.path().join("storage"), &flags);
    if is_root() {
        assert_eq!(fs::metadata(&log).expect("it was begun").uid(), 65534);
    }
    server.terminate();
    assert!(server.wait().success());
}

fn what_root_does_beside_a_server_is_done_as_the_server_s_user(driver: Driver) {
    if !is_root() {
        return;
    }
    let ground = open_ground();
    let root = ground.path().join("storage");
    let server = ServerProcess::start(driver, &root, &["--user", NOBODY]);
    let mut ftp = Ftp::log_in(server.address());
    for path in ["kept", "dated", "dropped", "late"] {
        assert_eq!(ftp.ask(&format!("MKD {path}")).code, 257);
        assert_eq!(ftp.store(&format!("STOR {path}/a"), b"text").code, 226);
    }
    let operator =
        |words: &[&str]| run(Command::new(driver.binary()).args(words).arg("--root").arg(&root)).succeeded().stdout;
    operator(&["paths", "never", "kept"]);
    operator(&["paths", "extend", "dated", "7d"]);
    operator(&["paths", "expire", "dropped"]);
    operator(&["sweep"]);
    for path in ["kept", "dated"] {
        assert_eq!(ftp.retrieve(&format!("{path}/a")), b"text");
        let record = fs::metadata(root.join(path).join(".mayfly.json")).expect("it has one");
        assert_eq!((record.uid(), record.gid()), (65534, 65534), "{path}");
    }
    assert_eq!(ftp.ask("CWD dropped").lines.last().map(String::as_str), Some("550 Storage path expired."));
    // The tombstones are still the server's to write.
    assert_eq!(ftp.ask("SITE EXPIRY late 1s").code, 200);
    wait_until("what expired is gone", || !root.join("late").exists());
    // A record that the server cannot read is one to root too.
    fs::set_permissions(root.join("kept/.mayfly.json"), fs::Permissions::from_mode(0o600)).expect("it is ours");
    std::os::unix::fs::chown(root.join("kept/.mayfly.json"), Some(0), Some(0)).expect("it is ours");
    let found = run(Command::new(driver.binary()).arg("fsck").arg("--root").arg(&root));
    assert_eq!(found.status.code(), Some(14), "{found:?}");
    assert!(found.stdout.contains("record-damaged     /kept: "), "{found:?}");
}

fn a_start_that_could_not_reload_is_refused(driver: Driver) {
    let ground = open_ground();
    let config = ground.path().join("mayfly.toml");
    fs::write(&config, "").expect("there is room");
    let root = ground.path().join("storage");
    let config_flags = ["--config", config.to_str().expect("it is UTF-8")];
    if is_root() {
        allow(&config, 0o600);
        let text = refused(driver, &root, &[&config_flags[..], &["--user", NOBODY]].concat());
        assert!(text.contains("a reload could not read ") && text.contains("mayfly.toml: Permission denied"), "{text}");
        // One that serves what others put there may well be.
        let server = ServerProcess::start(driver, ground.path(), &["--user", NOBODY]);
        let _told = server.wait_for_log("may not write to the root");
    }
    let text = refused(driver, &root, &["--user", "no-such-user"]);
    assert!(text.contains("cannot become no-such-user: this host has no such user\nhint: "), "{text}");
}

fn what_is_made_has_the_permission_bits_that_are_set(driver: Driver) {
    let modes = |flags: &[&str]| {
        let ground = open_ground();
        let root = ground.path().join("storage");
        let server = ServerProcess::start(driver, &root, flags);
        work(&server);
        ["d", "d/a"].map(|path| fs::metadata(root.join(path)).expect("it was made").mode() & 0o7777)
    };
    assert_eq!(modes(&["--umask", "0"]), [0o755, 0o644]);
    assert_eq!(modes(&["--umask", "077"]), [0o700, 0o600]);
    assert_eq!(modes(&["--umask", "0002", "--file-mode", "0666", "--directory-mode", "0777"]), [0o775, 0o664]);
}

/// Has every kind of thread do something: `d/a` is made and fetched.
fn work(server: &ServerProcess) {
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD d").code, 257);
    assert_eq!(ftp.ask("SETEXPIRY d 1h").code, 0);
    assert_eq!(ftp.store("STOR d/a", b"text").code, 226);
    assert_eq!(ftp.retrieve("d/a"), b"text");
}

fn work_again(server: &ServerProcess) {
    assert_eq!(Ftp::log_in(server.address()).retrieve("d/a"), b"text");
}

/// What a server that does not start says.
fn refused(driver: Driver, root: &Path, flags: &[&str]) -> String {
    // Should it start after all, it must not serve for ever.
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "30"]).arg(driver.binary());
    let listen: &[&str] = if flags.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
    let ran = run(command.arg("serve").args(listen).arg("--root").arg(root).args(flags));
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    ran.stderr
}

/// A folder that everybody may enter.
fn open_ground() -> TempDir {
    let ground = tempfile::tempdir().expect("there is room for a folder");
    allow(ground.path(), 0o755);
    ground
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

/// What the kernel tells of each thread.
fn statuses(process: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let paths = tasks.flatten().map(|task| task.path().join("status"));
    // One that has just ended tells nothing.
    let statuses: Vec<String> = paths.filter_map(|path: PathBuf| fs::read_to_string(path).ok()).collect();
    assert!(statuses.len() >= 2, "no threads");
    statuses
}

fn limits(process: u32) -> String {
    fs::read_to_string(format!("/proc/{process}/limits")).expect("it runs")
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells it");
    line.trim_start_matches(':').trim()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
