//! Our clients as people run them: whole trees, several files at a time, limits, deaths, passwords, exit codes.

#![expect(clippy::unwrap_used, reason = "a test")]

use mayfly_tests::impostor::{Guise, Impostor};
use mayfly_tests::peers::{Peer, PeerProcess};
use mayfly_tests::process::{Driver, Ran, ServerProcess, run, wait_until};
use mayfly_tests::tree::{self, ODD, PLAIN, Times};
use mayfly_tests::{files, noise};
use rustix::process::{Pid, Signal};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

mayfly_tests::with_each_driver! {
    some_hundred_files_go_up_and_come_down
    a_tree_goes_to_a_plain_server_and_comes_back
    a_download_that_was_killed_goes_on
    an_upload_that_was_killed_or_interrupted_goes_on
    a_rate_is_kept_by_all_jobs_together
    a_server_that_takes_fewer_connections_gets_fewer
    no_name_of_a_server_leads_out_of_the_directory
    names_and_passwords_come_from_netrc
    each_exit_code_is_what_it_says
    no_error_repeats_a_password
}

const MIB: usize = 1 << 20;

fn some_hundred_files_go_up_and_come_down(client: Driver) {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("photos");
    plant(&source);
    symlink("/etc/passwd", source.join("link")).unwrap();
    for driver in [Driver::Std, Driver::Smol] {
        let root = tempfile::tempdir().unwrap();
        let server = ServerProcess::start(driver, root.path(), &[]);
        let url = format!("ftp://{}/scans", server.address());
        let up = ["upload", "-r", "--jobs", "8", "--expires", "7d", path(&source), &url];
        let ran = mayfly(client, &up).succeeded();
        assert!(ran.stdout.starts_with(&format!("{url}\nexpires ")), "{}", ran.stdout);
        assert!(ran.stderr.contains("link is left out: a link, which is not followed"), "{}", ran.stderr);
        assert_same(&source, &root.path().join("scans/photos"));
        let to = folder.path().join(driver.name());
        let down = ["download", "-r", "--jobs", "8", &url, "--to", path(&to)];
        let ran = mayfly(client, &down).succeeded();
        assert_eq!(ran.stdout.lines().count(), FILES + PLAIN.len() + ODD.len() - 1, "each file has its line");
        assert_same(&source, &to.join("photos"));
        // Again: nothing moves, and what was lost here comes back.
        let lost = to.join("photos/many/d/e/7");
        fs::remove_file(&lost).unwrap();
        let ran = mayfly(client, &[&down[..], &["-v"]].concat()).succeeded();
        assert_eq!(ran.stderr.matches("> RETR").count(), 1, "{}", ran.stderr);
        assert_same(&source, &to.join("photos"));
        let ran = mayfly(client, &["upload", "-r", "-v", "--add", "--jobs", "8", path(&source), &url]).succeeded();
        assert!(!ran.stderr.contains("> STOR"), "{}", ran.stderr);
        assert_eq!(ran.stderr.matches("MKD scans").count(), 0, "{}", ran.stderr);
    }
}

fn a_tree_goes_to_a_plain_server_and_comes_back(client: Driver) {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("photos");
    plant(&source);
    // It does not list what is hidden.
    fs::rename(source.join("many/.c"), source.join("many/c")).unwrap();
    let server = PeerProcess::start(Peer::Vsftpd);
    let url = format!("ftp://{}/scans", server.address());
    let contents = format!("{}/", source.display());
    let _ = mayfly(client, &["upload", "-r", "--jobs", "4", &contents, &url]).succeeded();
    let to = folder.path().join("out");
    let _ = mayfly(client, &["download", "-r", "--jobs", "4", &url, "--to", path(&to)]).succeeded();
    // It keeps no times.
    for copy in [server.root().join("scans"), to] {
        assert!(tree::found(&source) == tree::found(&copy), "{} differs", copy.display());
    }
}

fn a_download_that_was_killed_goes_on(client: Driver) {
    let (root, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(root.path().join("scans")).unwrap();
    for name in ["one", "two"] {
        fs::write(root.path().join("scans").join(name), noise(8 * MIB)).unwrap();
    }
    let server = ServerProcess::start(Driver::Std, root.path(), &[]);
    let url = format!("ftp://{}/scans", server.address());
    let down = ["download", "-r", "--jobs", "2", &url, "--to", path(to.path())];
    let mut child = begin(client, &[&down[..], &["--limit-rate", "4M"]].concat());
    let part = |name: &str| to.path().join(format!(".{name}.mayfly-part"));
    let begun = |name: &str| fs::metadata(part(name)).is_ok_and(|metadata| metadata.len() > MIB as u64 / 2);
    wait_until("both files to be under way", || begun("one") && begun("two"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!to.path().join("one").exists() && !to.path().join("two").exists());
    let ran = mayfly(client, &[&down[..], &["-v"]].concat()).succeeded();
    assert_eq!(ran.stderr.matches("> REST ").count(), 2, "{}", ran.stderr);
    files::assert_same(&root.path().join("scans"), to.path());
}

fn an_upload_that_was_killed_or_interrupted_goes_on(client: Driver) {
    let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = folder.path().join("in");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("large"), noise(8 * MIB)).unwrap();
    fs::write(source.join("small"), b"small").unwrap();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    fs::File::options().write(true).open(source.join("small")).unwrap().set_modified(modified).unwrap();
    let contents = format!("{}/", source.display());
    let server = ServerProcess::start(Driver::Smol, root.path(), &[]);
    for (path, signal) in [("killed", Signal::KILL), ("interrupted", Signal::INT)] {
        let url = format!("ftp://{}/{path}", server.address());
        // With the limit the small file is through before the large one.
        let up = ["upload", "-r", "-v", "--jobs", "2", "--limit-rate", "1M", &contents, &url];
        let child = begin(client, &up);
        let scans = root.path().join(path);
        // Until it has its time too it is not through: the next run would send it again, and may not.
        let is_through = || fs::metadata(scans.join("small")).is_ok_and(|small| small.modified().unwrap() == modified);
        wait_until("the small file to be there", is_through);
        wait_until("some of the large one to be there", || receives(server.id(), root.path()));
        rustix::process::kill_process(Pid::from_child(&child), signal).unwrap();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!scans.join("large").exists(), "a part never stands under the name");
        let again = ["upload", "-r", "-v", "--jobs", "2", "--add", &contents, &url];
        if signal == Signal::KILL {
            let ran = mayfly(client, &again).succeeded();
            assert!(!ran.stderr.contains("> STOR small") && ran.stderr.contains("> STOR large"), "{}", ran.stderr);
        } else {
            assert_eq!(ended.status.code(), Some(130), "{said}");
            let token = said.lines().find_map(|line| line.split_once("--token ")?.1.split(' ').next()).unwrap();
            wait_until("the server to keep the part", || scans.join(".mayfly-parts/large").exists());
            let ran = mayfly(client, &[&again[..], &["--token", token]].concat()).succeeded();
            assert_eq!(ran.stderr.matches("> REST ").count(), 1, "{}", ran.stderr);
        }
        files::assert_same(&source, &scans);
    }
}

/// Whether the server holds bytes below `root` that have no name yet.
fn receives(server: u32, root: &Path) -> bool {
    let mut open = fs::read_dir(format!("/proc/{server}/fd")).unwrap().flatten();
    open.any(|fd| {
        let nameless = fs::read_link(fd.path())
            .is_ok_and(|to| to.starts_with(root) && to.to_string_lossy().ends_with(" (deleted)"));
        nameless && fs::metadata(fd.path()).is_ok_and(|found| found.is_file() && found.len() > 0)
    })
}

fn a_rate_is_kept_by_all_jobs_together(client: Driver) {
    let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let names: Vec<String> = (0..4).map(|number| path(&folder.path().join(number.to_string())).to_owned()).collect();
    for name in &names {
        fs::write(name, noise(128 * 1024)).unwrap();
    }
    let server = ServerProcess::start(Driver::Std, root.path(), &[]);
    let url = format!("ftp://{}/scans", server.address());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // 512 KiB at 384 KiB/s.
    let limited = ["--jobs", "4", "--limit-rate", "384k"];
    let out = folder.path().join("out");
    for arguments in [[&["upload"], &names[..], &[&url]].concat(), vec!["download", &url, "--to", path(&out)]] {
        let began = Instant::now();
        let _ = mayfly(client, &[&arguments[..], &limited].concat()).succeeded();
        assert!(began.elapsed() >= Duration::from_millis(1330), "{:?}", began.elapsed());
    }
    files::assert_same(&root.path().join("scans"), &out);
}

fn a_server_that_takes_fewer_connections_gets_fewer(client: Driver) {
    let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = folder.path().join("photos");
    plant(&source);
    let server = ServerProcess::start(Driver::Smol, root.path(), &["--max-sessions-per-address", "2"]);
    let url = format!("ftp://{}/scans", server.address());
    let ran = mayfly(client, &["upload", "-r", "--jobs", "8", path(&source), &url]).succeeded();
    assert_eq!(ran.stderr.matches("one connection less: 127.0.0.1 ").count(), 6, "{}", ran.stderr);
    assert_same(&source, &root.path().join("scans/photos"));
}

fn no_name_of_a_server_leads_out_of_the_directory(client: Driver) {
    let evil =
        ["../evil", "..", ".", "/evil", "a/../../evil", "./evil", "deep/evil", "evil\u{1b}[2J", "evil\u{7f}", " "];
    let listed = |kind: &str, name: &str| format!("type={kind};size=4; {name}\r\n");
    let files: String = evil.iter().map(|name| listed("file", name)).collect();
    let folders: String = ["../evildir", "/evildir", "..", "evildir\u{1}"].map(|name| listed("dir", name)).concat();
    let server = Impostor::start(Guise {
        listing: format!("{files}{folders}{}{}", listed("file", "good"), listed("dir", "ring")),
        // A tree without end.
        listing_below: format!("{}{}", listed("dir", "ring"), listed("file", "..")),
        ..Guise::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a/b/out");
    let url = format!("ftp://{}/x", server.address());
    let ran = mayfly(client, &["download", "-r", "--jobs", "2", &url, "--to", path(&to)]);
    assert_eq!(ran.status.code(), Some(8), "{}", ran.stderr);
    assert_eq!(fs::read(to.join("good")).unwrap(), b"loot");
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\u{1}'), "{:?}", ran.stderr);
    let found: Vec<String> = tree::found(folder.path()).into_keys().collect();
    assert!(found.iter().all(|name| !name.contains("evil")), "{found:?}");
    assert!(server.heard().len() < 1000, "a ring has an end: {}", server.heard().len());
    assert!(!Path::new("/evil").exists() && !Path::new("/evildir").exists());
}

fn names_and_passwords_come_from_netrc(client: Driver) {
    let server = Impostor::start(Guise { password: Some("pass word\"1"), ..Guise::default() });
    let folder = tempfile::tempdir().unwrap();
    let netrc = folder.path().join(".netrc");
    let lines = "machine other login no password no\nmachine 127.0.0.1\n login ann\n password \"pass word\\\"1\"\n";
    fs::write(&netrc, lines).unwrap();
    let url = format!("ftp://{}/", server.address());
    let view = |arguments: &[&str], home: &Path, variable: &str| {
        let mut command = Command::new(client.binary());
        command.args(["view", "-v"]).args(arguments).env("HOME", home).env("NETRC", variable);
        let silent = without_terminal(&mut command);
        (silent.status.code(), silent.stderr)
    };
    let nowhere = Path::new("/nonexistent");
    fs::set_permissions(&netrc, fs::Permissions::from_mode(0o600)).unwrap();
    // The impostor has no LIST: that is refused once the password was right.
    for (code, said) in [
        view(&[&url], folder.path(), ""),
        view(&[&url], nowhere, path(&netrc)),
        view(&["--netrc-file", path(&netrc), &url], nowhere, ""),
    ] {
        assert_eq!(code, Some(7), "{said}");
        assert!(
            said.contains("> USER ann") && said.contains("> PASS <secret>") && !said.contains("pass word"),
            "{said}"
        );
    }
    let (code, said) = view(&["--no-netrc", &url], folder.path(), "");
    assert!(code == Some(4) && said.contains("> USER anonymous"), "{said}");
    let (code, said) = view(&["--netrc-file", "/nonexistent/netrc", &url], folder.path(), "");
    assert_eq!(code, Some(10), "{said}");
    let before = server.heard().len();
    fs::set_permissions(&netrc, fs::Permissions::from_mode(0o640)).unwrap();
    let (code, said) = view(&[&url], folder.path(), "");
    assert!(code == Some(4) && said.contains("others can read it"), "{said}");
    assert_eq!(server.heard().len(), before, "nothing was sent");
}

fn each_exit_code_is_what_it_says(client: Driver) {
    let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = ServerProcess::start(Driver::Std, root.path(), &[]);
    let url = |path: &str| format!("ftp://{}/{path}", server.address());
    let (file, vast) = (folder.path().join("file"), folder.path().join("vast"));
    fs::write(&file, b"x").unwrap();
    // A hole, larger than any disk on which this runs.
    fs::File::create(&vast).unwrap().set_len(15 << 40).unwrap();
    let at = |address: SocketAddr| format!("ftp://{address}/x");
    let silent = Impostor::start(Guise { greeting: None, ..Guise::default() });
    let web = Impostor::start(Guise { greeting: Some("HTTP/1.1 400 Bad Request"), ..Guise::default() });
    let strict = Impostor::start(Guise { password: Some("never"), ..Guise::default() });
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let expect = |code: i32, arguments: &[&str]| {
        let ran = mayfly(client, &[arguments, &["--retries", "0", "--timeout", "2s"]].concat());
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {}", ran.stderr);
    };
    let to = folder.path().join("out");
    expect(0, &["upload", path(&file), &url("scans")]);
    expect(2, &["upload", path(&file), "ftp://[fe80::1%25eth0]/x"]);
    expect(2, &["download", &url("scans"), "--jobs", "17"]);
    expect(2, &["download", &url("scans"), "--limit-rate", "0"]);
    expect(3, &["view", &at(free)]);
    expect(4, &["view", &at(strict.address())]);
    expect(5, &["view", &url("nowhere")]);
    expect(5, &["download", "-r", &url("scans"), "gone", "--to", path(&to)]);
    expect(6, &["upload", path(&file), &url("past"), "--expires", "now"]);
    expect(6, &["view", &url("past")]);
    expect(7, &["upload", "-r", path(folder.path()), &url("scans")]);
    expect(8, &["download", "-r", &url("scans"), "gone", "file", "--to", path(&to)]);
    expect(9, &["upload", path(&vast), &url("vast")]);
    expect(9, &["upload", "--jobs", "2", path(&file), path(&vast), &url("vast 2")]);
    expect(10, &["upload", "-r", "/nonexistent", &url("none")]);
    expect(11, &["view", &at(web.address()).replace("ftp:", "ftps:")]);
    expect(12, &["view", &at(silent.address())]);
    expect(13, &["view", &at(web.address())]);
}

fn no_error_repeats_a_password(client: Driver) {
    for url in ["ftp://me:hunter2@host:99999/x", "ftp://me:hunter2@[::1%25lo]/x", "ftpz://me:hunter2@host/x"] {
        let ran = mayfly(client, &["view", url]);
        assert_eq!(ran.status.code(), Some(2), "{}", ran.stderr);
        assert!(!ran.stderr.contains("hunter2") && ran.stderr.contains("me:<secret>@"), "{}", ran.stderr);
    }
}

/// Of [`plant`], besides the odd ones.
const FILES: usize = 240;

/// Odd names, some hundred files, hidden ones, an empty folder in an empty one.
fn plant(folder: &Path) {
    tree::plant(folder, &PLAIN);
    tree::plant(folder, &ODD);
    let many: Vec<String> =
        (0..FILES).map(|number| format!("many/{}/{number}", ["a", "b", ".c", "d/e"][number % 4])).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    tree::plant(folder, &many);
    fs::create_dir_all(folder.join("nothing/in here")).unwrap();
}

fn assert_same(expected: &Path, got: &Path) {
    let link = expected.join("link");
    let target = fs::read_link(&link).ok();
    if target.is_some() {
        fs::remove_file(&link).unwrap();
    }
    tree::assert_same(expected, got, Times::Seconds);
    if let Some(target) = target {
        symlink(target, link).unwrap();
    }
}

fn mayfly(client: Driver, arguments: &[&str]) -> Ran {
    run(Command::new(client.binary()).args(arguments).env("NETRC", "/nonexistent"))
}

fn begin(client: Driver, arguments: &[&str]) -> Child {
    let mut command = Command::new(client.binary());
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// There is nobody to ask for a password.
fn without_terminal(command: &mut Command) -> Ran {
    let mut alone = Command::new("setsid");
    alone.arg("--wait").arg(command.get_program()).args(command.get_args());
    alone.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    run(&mut alone)
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
