//! Named users as an operator has them: the command `user`, the users file at start and at SIGHUP, and real clients that
//! log in.

use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, Ran, ServerProcess, run, run_fed};
use mayfly_tests::with_each_driver;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

with_each_driver! {
    users_are_added_listed_and_removed
    a_password_is_asked_for_twice_and_not_shown
    what_is_wrong_is_said_and_nothing_is_changed
    a_wrong_users_file_stops_the_start
    a_reload_brings_and_takes_users_and_a_broken_file_changes_nothing
    a_user_s_home_is_made_and_never_through_a_link
    others_are_served_while_a_password_is_checked
    who_may_copy_between_servers_and_is_nobody_is_told
    a_preset_says_what_anonymous_clients_may_do
    curl_logs_in
    lftp_logs_in
    ftplib_logs_in
}

const PASSWORD: &str = "correct horse battery";

/// A users file, a root, and somewhere for clients.
struct Place {
    driver: Driver,
    directory: tempfile::TempDir,
}

impl Place {
    fn new(driver: Driver) -> Self {
        let place = Self { driver, directory: tempfile::tempdir().expect("a directory") };
        fs::create_dir(place.root()).expect("a root");
        place
    }

    /// The same with these users, each with the arguments of `user add`.
    fn with(driver: Driver, users: &[&[&str]]) -> Self {
        let place = Self::new(driver);
        for user in users {
            let _ = place.user(&[&["add"], *user].concat(), PASSWORD).succeeded();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn root(&self) -> PathBuf {
        self.path("root")
    }

    fn users_file(&self) -> PathBuf {
        self.path("users.toml")
    }

    /// Runs `user`, with this on standard input.
    fn user(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = Command::new(self.driver.binary());
        command.arg("user").args(arguments).arg("--users").arg(self.users_file());
        run_fed(&mut command, input)
    }

    fn serve(&self) -> ServerProcess {
        let file = self.users_file();
        ServerProcess::start(self.driver, &self.root(), &["--users", text(&file)])
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a test's paths are UTF-8")
}

/// The final reply of a login.
fn log_in(server: &ServerProcess, user: &str, password: &str) -> (Ftp, u16) {
    let mut ftp = Ftp::connect(server.address());
    assert_eq!(ftp.reply().code, 220);
    let _ = ftp.ask(&format!("USER {user}"));
    let code = ftp.ask(&format!("PASS {password}")).code;
    (ftp, code)
}

fn users_are_added_listed_and_removed(driver: Driver) {
    // Goal: what the command writes is what the server reads, and no hash and no password shows.
    let place = Place::new(driver);
    let added =
        place.user(&["add", "anna", "--home", "/home/%u", "--rights", "list,read", "--quota-bytes", "1GiB"], PASSWORD);
    assert!(added.succeeded().stderr.contains("anna is added"));
    let _ = place.user(&["add", "carl", "--certificate", "CN=carl", "--no-password"], "").succeeded();
    let mode = fs::metadata(place.users_file()).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let table = place.user(&["list"], "").succeeded().stdout;
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "HOME", "RIGHTS", "LOGS", "IN", "BY"]);
    assert_eq!(rows[1], ["anna", "/home/anna", "list,read", "password"]);
    assert_eq!(rows[2], ["carl", "/", "(not", "confined)", "all", "certificate"]);
    let json = place.user(&["list", "--json"], "").succeeded().stdout;
    let listed: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(listed[0]["name"], "anna");
    assert_eq!(listed[0]["quota_bytes"], 1 << 30);
    assert_eq!((&listed[1]["has_password"], &listed[1]["certificate"]), (&false.into(), &"CN=carl".into()));
    assert!(!table.contains('$') && !json.contains('$'), "no hash shows");
    assert!(!fs::read_to_string(place.users_file()).expect("it is there").contains(PASSWORD));
    let server = place.serve();
    assert_eq!(log_in(&server, "anna", PASSWORD).1, 230);
    assert_eq!(log_in(&server, "carl", PASSWORD).1, 530);
    drop(server);
    let _ = place.user(&["passwd", "anna"], "another long password\r\nnot this").succeeded();
    let server = place.serve();
    assert_eq!(log_in(&server, "anna", PASSWORD).1, 530);
    assert_eq!(log_in(&server, "anna", "another long password").1, 230);
    drop(server);
    let _ = place.user(&["remove", "anna"], "").succeeded();
    assert_eq!(place.user(&["list"], "").succeeded().stdout.lines().count(), 2);
}

/// Runs `user add anna` on a terminal of its own, types these lines, one at each prompt, and prints what it showed.
const TERMINAL: &str = r#"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], [sys.argv[1], "user", "add", "anna", "--users", sys.argv[2]])
shown = b""
for line in sys.argv[3:]:
    asked = len(shown)
    while b": " not in shown[asked:]:
        shown += os.read(terminal, 1024)
    os.write(terminal, line.encode() + b"\n")
while True:
    try:
        more = os.read(terminal, 1024)
    except OSError:
        break
    if not more:
        break
    shown += more
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

fn a_password_is_asked_for_twice_and_not_shown(driver: Driver) {
    let place = Place::new(driver);
    let type_in = |lines: &[&str]| {
        let mut command = Command::new("python3");
        command.args(["-c", TERMINAL]).arg(driver.binary()).arg(place.users_file()).args(lines);
        run(&mut command)
    };
    let differ = type_in(&[PASSWORD, "something else"]);
    assert_eq!(differ.status.code(), Some(2), "{differ:?}");
    assert!(differ.stdout.contains("the two passwords differ"), "{differ:?}");
    assert!(!place.users_file().exists());
    let same = type_in(&[PASSWORD, PASSWORD]).succeeded();
    assert!(same.stdout.contains("New password of anna: ") && same.stdout.contains("The same again: "), "{same:?}");
    assert!(!same.stdout.contains(PASSWORD), "{same:?}");
    assert_eq!(log_in(&place.serve(), "anna", PASSWORD).1, 230);
}

fn what_is_wrong_is_said_and_nothing_is_changed(driver: Driver) {
    let place = Place::with(driver, &[&["anna"]]);
    let before = fs::read_to_string(place.users_file()).expect("it is there");
    for (arguments, input, code, said) in [
        (&["add", "anna"][..], PASSWORD, 7, "anna is there already"),
        (&["passwd", "otto"], PASSWORD, 7, "there is no user otto"),
        (&["remove", "otto"], "", 7, "there is no user otto"),
        (&["add", "otto"], "", 2, "the password is empty"),
        (&["add", "otto", "sesame"], "", 2, "unexpected argument 'sesame'"),
        (&["add", "anonymous"], PASSWORD, 2, "a user's name has 1 to 64 bytes"),
        (&["add", "otto", "--home", "here"], PASSWORD, 2, "expected a path such as"),
        (&["add", "otto", "--rights", "fly"], PASSWORD, 2, "expected a list of rights"),
        (&["add", "otto", "--max-expiry", "1d", "--default-expiry", "2d"], PASSWORD, 2, "must not lie beyond"),
    ] {
        let ran = place.user(arguments, input);
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{arguments:?}: {ran:?}");
    }
    assert_eq!(fs::read_to_string(place.users_file()).expect("it is there"), before);
    let nowhere = Place::new(driver);
    fs::remove_dir(nowhere.root()).expect("it is empty");
    assert_eq!(nowhere.user(&["list"], "").status.code(), Some(10));
}

fn a_wrong_users_file_stops_the_start(driver: Driver) {
    let place = Place::with(driver, &[&["anna"]]);
    let serve = || {
        let (file, root) = (place.users_file(), place.root());
        let mut command = Command::new(driver.binary());
        command.args(["serve", "--listen", "127.0.0.1:0", "--users", text(&file), "--root", text(&root)]);
        run(&mut command)
    };
    let right = fs::read_to_string(place.users_file()).expect("it is there");
    fs::write(place.users_file(), format!("{right}upload_rate = 0\n")).expect("it is ours");
    let wrong = serve();
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("users.toml, line 3: expected bytes a second"), "{wrong:?}");
    fs::write(place.users_file(), right).expect("it is ours");
    fs::set_permissions(place.users_file(), fs::Permissions::from_mode(0o644)).expect("it is ours");
    let exposed = serve();
    assert_eq!(exposed.status.code(), Some(2), "{exposed:?}");
    assert!(exposed.stderr.contains("chmod g-w,o= "), "{exposed:?}");
}

fn a_reload_brings_and_takes_users_and_a_broken_file_changes_nothing(driver: Driver) {
    let place = Place::with(driver, &[&["anna"]]);
    let server = place.serve();
    let (mut inside, code) = log_in(&server, "anna", PASSWORD);
    assert_eq!(code, 230);
    let _ = place.user(&["add", "otto"], PASSWORD).succeeded();
    assert_eq!(log_in(&server, "otto", PASSWORD).1, 530, "only a reload brings them");
    server.reload();
    let _ = server.wait_for_log("settings read again");
    assert_eq!(log_in(&server, "otto", PASSWORD).1, 230);
    let right = fs::read_to_string(place.users_file()).expect("it is there");
    fs::write(place.users_file(), right.replace("[user.anna]", "[user.anna]\nhome = 7")).expect("it is ours");
    server.reload();
    let told = server.wait_for_log("the settings in force stay");
    assert!(told.contains("users.toml, line 2: expected a path such as"), "{told}");
    assert_eq!(log_in(&server, "anna", PASSWORD).1, 230);
    fs::write(place.users_file(), right).expect("it is ours");
    let _ = place.user(&["remove", "anna"], "").succeeded();
    server.reload();
    let _ = server.wait_for_logs(2, |line| line.contains("settings read again"));
    assert_eq!(log_in(&server, "anna", PASSWORD).1, 530);
    assert_eq!(inside.ask("NOOP").code, 200, "who is in stays in");
}

fn a_user_s_home_is_made_and_never_through_a_link(driver: Driver) {
    let place = Place::with(driver, &[&["anna", "--home", "/home/%u"], &["otto", "--home", "/linked/otto"]]);
    let outside = place.path("outside");
    fs::create_dir(&outside).expect("a directory");
    std::os::unix::fs::symlink(&outside, place.root().join("linked")).expect("a link");
    let server = place.serve();
    let (mut ftp, code) = log_in(&server, "anna", PASSWORD);
    assert_eq!(code, 230);
    assert!(place.root().join("home/anna").is_dir());
    assert!(ftp.ask("PWD").last().contains("\"/home/anna\""));
    assert_eq!(ftp.store("STOR f", b"mine").code, 226);
    let names = fs::read_dir(place.root().join("home/anna")).expect("it is there").count();
    assert_eq!(names, 1, "a home has no record");
    let (_, code) = log_in(&server, "otto", PASSWORD);
    assert_eq!(code, 421, "no home can be had there");
    assert_eq!(fs::read_dir(outside).expect("it is there").count(), 0);
}

/// Nobody's password, and seconds of work to find that out.
const DEAR: &str = "$argon2id$v=19$m=65536,t=64,p=1$c2FsdHNhbHQ$ll/Ry5nunV83JRnQUT4xekENwrsdv0AMyBeMscQMSwY";

fn others_are_served_while_a_password_is_checked(driver: Driver) {
    // Goal: more logins are being checked than there are threads for sessions or for logins, and nobody else notices.
    let place = Place::new(driver);
    fs::write(place.users_file(), format!("[user.anna]\npassword = \"{DEAR}\"\n")).expect("a file");
    fs::set_permissions(place.users_file(), fs::Permissions::from_mode(0o600)).expect("it is ours");
    let server = place.serve();
    let mut other = Ftp::log_in(server.address());
    let waiting: Vec<Ftp> = (0..8)
        .map(|_| {
            let mut ftp = Ftp::connect(server.address());
            assert_eq!(ftp.reply().code, 220);
            assert_eq!(ftp.ask("USER anna").code, 331);
            ftp.say("PASS x");
            ftp
        })
        .collect();
    for _ in 0..100 {
        assert_eq!(other.ask("NOOP").code, 200);
    }
    assert_eq!(Ftp::log_in(server.address()).ask("NOOP").code, 200);
    for ftp in &waiting {
        ftp.stream().set_nonblocking(true).expect("it is a socket");
        let early = ftp.stream().peek(&mut [0]);
        assert!(early.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "it is still being checked");
    }
}

fn who_may_copy_between_servers_and_is_nobody_is_told(driver: Driver) {
    let place = Place::with(driver, &[&["anna"]]);
    let file = place.users_file();
    let flags = ["--users", text(&file), "--fxp-users", "anna,ghost"];
    let server = ServerProcess::start(driver, &place.root(), &flags);
    assert!(server.wait_for_log("fxp_users names somebody").contains("ghost"));
}

fn a_preset_says_what_anonymous_clients_may_do(driver: Driver) {
    let place = Place::new(driver);
    fs::write(place.root().join("f"), "theirs").expect("a file");
    let codes = |flags: &[&str]| {
        let server = ServerProcess::start(driver, &place.root(), flags);
        let mut ftp = Ftp::log_in(server.address());
        let stored = ftp.try_store("STOU", b"new").expect("the connection holds").code;
        let read = ftp.try_fetch("RETR f").expect("the connection holds").is_ok();
        let listed = ftp.try_fetch("NLST").expect("the connection holds").is_ok();
        (stored, read, listed)
    };
    assert_eq!(codes(&["--preset", "drop-box"]), (226, false, false));
    assert_eq!(codes(&["--preset", "public"]), (550, true, true));
    assert_eq!(codes(&["--preset", "drop-box", "--anonymous-rights", "read"]), (550, true, false));
}

fn curl_logs_in(driver: Driver) {
    let place = Place::with(driver, &[&["anna", "--home", "/home/%u"]]);
    let server = place.serve();
    fs::write(place.path("f"), "mine").expect("a file");
    let url = format!("ftp://{}/", server.address());
    let curl = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--max-time", "60"])
            .args(arguments)
            .current_dir(place.directory.path());
        run(&mut command)
    };
    let user = format!("anna:{PASSWORD}");
    let _ = curl(&["--user", &user, "--upload-file", "f", &url]).succeeded();
    assert_eq!(fs::read(place.root().join("home/anna/f")).expect("it is there"), b"mine");
    assert_eq!(curl(&["--user", &user, &format!("{url}f")]).succeeded().stdout, "mine");
    let refused = curl(&["--user", "anna:wrong", &url]);
    assert_eq!(refused.status.code(), Some(67), "curl's code for a login that is denied: {refused:?}");
}

fn lftp_logs_in(driver: Driver) {
    let place = Place::with(driver, &[&["anna", "--home", "/home/%u"]]);
    let server = place.serve();
    fs::write(place.path("f"), "mine").expect("a file");
    let script = format!(
        "set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 30; set ftp:ssl-allow no; \
         open -u 'anna,{PASSWORD}' ftp://{}; put f; mkdir ~/d; mv f ~/d/f; cd ~/d; pwd; cls",
        server.address()
    );
    let mut command = Command::new("lftp");
    command.args(["--norc", "-c", &script]).current_dir(place.directory.path());
    let ran = run(&mut command).succeeded();
    assert!(ran.stdout.lines().any(|line| line == "f"), "{ran:?}");
    assert_eq!(fs::read(place.root().join("home/anna/d/f")).expect("it is there"), b"mine");
}

const FTPLIB: &str = r#"
import ftplib, io, sys
host, port, password = sys.argv[1:]
session = ftplib.FTP()
session.connect(host, int(port), timeout=60)
try:
    session.login("anna", "wrong")
    raise AssertionError("a wrong password is let in")
except ftplib.error_perm as error:
    assert str(error) == "530 Login incorrect.", error
session.login("anna", password)
assert session.pwd() == "/home/anna", session.pwd()
session.storbinary("STOR f", io.BytesIO(b"mine"))
assert session.nlst() == ["f"], session.nlst()
for beyond in "/", "../..", "/home":
    try:
        session.cwd(beyond)
        raise AssertionError(beyond)
    except ftplib.error_perm:
        pass
assert session.sendcmd("SITE WHOAMI") == "200 anna"
session.quit()
"#;

fn ftplib_logs_in(driver: Driver) {
    let place = Place::with(driver, &[&["anna", "--home", "/home/%u"]]);
    let server = place.serve();
    let mut command = Command::new("python3");
    let (host, port) = (server.address().ip().to_string(), server.address().port().to_string());
    command.args(["-c", FTPLIB, &host, &port, PASSWORD]);
    let _ = run(&mut command).succeeded();
    assert_eq!(fs::read(place.root().join("home/anna/f")).expect("it is there"), b"mine");
}
