//! The operator's commands, as the binaries have them: on a root with everything in it that can go wrong, and beside a
//! running server.

use mayfly_tests::ftp::Ftp;
use mayfly_tests::process::{Driver, ServerProcess};
use serde_json::{Value, json};
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

mayfly_tests::with_each_driver! {
    paths_are_listed_with_owner_size_and_dates
    a_running_server_obeys_a_new_date_at_once
    a_date_beyond_an_ancestor_is_refused_and_says_which
    what_expires_by_command_is_gone_beside_a_running_server
    a_dry_run_changes_nothing_and_a_sweep_does_what_it_said
    fsck_finds_everything_and_mends_what_is_safe
    a_damaged_record_is_replaced_only_where_that_is_asked_for
    a_root_that_is_none_is_said_with_what_to_do
}

const DAY: Duration = Duration::from_secs(86_400);

struct Storage {
    dir: TempDir,
    driver: Driver,
}

/// What a command said, and how it ended.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Storage {
    fn new(driver: Driver) -> Self {
        Self { dir: tempfile::tempdir().expect("there is room for a directory"), driver }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A storage path as a server makes one.
    fn make(&self, name: &str, owner: &str, expiry_s: Option<i64>) {
        fs::create_dir_all(self.path(name)).expect("there is room for it");
        let mut record = json!({"version": 1, "owner": owner, "created_s": 1_700_000_000, "token": "01".repeat(16)});
        if let Some(expiry_s) = expiry_s {
            record["expiry_s"] = expiry_s.into();
        }
        self.put(&format!("{name}/.mayfly.json"), record.to_string().as_bytes());
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is beneath the root")).expect("there is room for it");
        fs::write(path, bytes).expect("there is room for it");
    }

    /// The same, last written so long ago.
    fn put_old(&self, name: &str, bytes: &[u8], age: Duration) {
        self.put(name, bytes);
        self.age(name, age);
    }

    fn age(&self, name: &str, age: Duration) {
        let times = FileTimes::new().set_modified(SystemTime::now() - age);
        File::open(self.path(name)).and_then(|file| file.set_times(times)).expect("it is ours");
    }

    fn run(&self, words: &[&str]) -> Said {
        let mut command = Command::new(self.driver.binary());
        let Output { status, stdout, stderr } =
            command.args(words).arg("--root").arg(self.dir.path()).output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
        Said { code: status.code().expect("it ends by itself"), out: text(stdout), err: text(stderr) }
    }

    /// Objects, one a line, by path.
    fn objects(&self, words: &[&str]) -> Vec<Value> {
        let said = self.run(words);
        let mut objects: Vec<Value> =
            said.out.lines().map(|line| serde_json::from_str(line).expect("each line is an object")).collect();
        objects.sort_by_key(|object| object["path"].to_string());
        objects
    }

    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        walk(self.dir.path(), &mut names);
        names.sort();
        names
    }

    fn record(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.path(name).join(".mayfly.json")).expect("it has a record");
        serde_json::from_str(&text).expect("it is one")
    }
}

fn walk(dir: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(dir).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        names.push(path.display().to_string());
        if path.is_dir() && !path.is_symlink() {
            walk(&path, names);
        }
    }
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
    since.as_secs().try_into().expect("and earlier than the end of time")
}

fn paths_are_listed_with_owner_size_and_dates(driver: Driver) {
    let storage = Storage::new(driver);
    storage.make("a", "anna", Some(4_102_444_800));
    storage.make("a/sub", "anonymous", None);
    storage.make("gone", "bert", Some(1_800_000_000.min(now_s() - 10)));
    storage.make("we\u{202e}ird\n", "bert", None);
    storage.put("a/f", b"12345");
    storage.put("a/sub/g", b"123");
    storage.put("a/.mayfly-parts/h", b"not counted");
    storage.put("operators/own", b"no storage path");
    storage.make("bad", "bert", None);
    storage.put("bad/.mayfly.json", b"{");
    let listed = storage.objects(&["paths", "--json"]);
    let brief: Vec<String> = listed
        .iter()
        .map(|row| {
            let [path, owner, state] = ["path", "owner", "state"].map(|key| row[key].as_str().unwrap_or("-"));
            let [own, effective] = ["expires", "expires_effective"].map(|key| row[key].as_str().unwrap_or("-"));
            format!("{path} {owner} {state} {} {} {own} {effective}", row["size_bytes"], row["files"])
        })
        .collect();
    let gone = listed[3]["expires"].as_str().expect("it expires").to_owned();
    assert_eq!(
        brief,
        [
            "/a anna live 8 2 2100-01-01T00:00:00Z 2100-01-01T00:00:00Z".to_owned(),
            "/a/sub anonymous live 3 1 - 2100-01-01T00:00:00Z".to_owned(),
            "/bad - damaged 0 0 - -".to_owned(),
            format!("/gone bert expired 0 0 {gone} {gone}"),
            "/we\u{202e}ird\\x0a bert live 0 0 - -".to_owned(),
        ]
    );
    assert_eq!(listed[0]["created"], "2023-11-14T22:13:20Z");
    let rows = |words: &[&str]| storage.run(words).out.lines().skip(1).count();
    assert_eq!(rows(&["paths"]), 5);
    assert_eq!(rows(&["paths", "--expired"]), 1);
    assert_eq!(rows(&["paths", "--owner", "bert"]), 2);
    assert_eq!(rows(&["paths", "--expires-before", "2101-01-01"]), 3);
    assert_eq!(rows(&["paths", "--expires-before", "2020-01-01"]), 0);
    assert_eq!(rows(&["paths", "/a/sub"]), 1);
    let table = storage.run(&["paths"]).out;
    assert!(!table.contains('\u{202e}') && table.contains(r"/we\u{202e}ird\x0a"), "{table}");
    let width = table.lines().next().and_then(|header| header.find("PATH")).expect("a header");
    assert!(table.lines().skip(1).all(|line| line[width..].starts_with('/')), "{table}");
    // A nested path has its ancestor's date, also where it is looked at alone.
    assert_eq!(storage.objects(&["paths", "--json", "a/sub"])[0]["expires_effective"], "2100-01-01T00:00:00Z");
    assert_eq!(storage.run(&["paths", "nowhere"]).code, 5);
}

fn a_running_server_obeys_a_new_date_at_once(driver: Driver) {
    let storage = Storage::new(driver);
    let server = ServerProcess::start(driver, storage.dir.path(), &["--max-expiry", "10d"]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD a").code, 257);
    assert_eq!(ftp.ask("SETEXPIRY a 5d").code, 0);
    // Beyond max_expiry: an operator outranks it.
    let said = storage.run(&["paths", "extend", "/a", "2090-01-01"]);
    assert_eq!((said.code, said.out.trim()), (0, "/a expires at 2090-01-02T00:00:00Z"), "{said:?}");
    assert_eq!(ftp.ask("SITE EXPIRY a").last(), "20900102000000");
    assert_eq!(storage.run(&["paths", "never", "a"]).out.trim(), "/a never expires");
    assert_eq!(ftp.ask("SITE EXPIRY a").last(), "never");
    let record = storage.record("a");
    assert_eq!((record["owner"].as_str(), record["expiry_s"].is_null()), (Some("anonymous"), true));
    for (words, code) in [
        (&["paths", "extend", "a", "yesterday"][..], 2),
        (&["paths", "extend", "a", "2001-01-01"], 2),
        (&["paths", "extend", "b", "7d"], 5),
        (&["paths", "extend", ".mayfly-trash", "7d"], 2),
        (&["paths", "never", "/"], 7),
    ] {
        let said = storage.run(words);
        assert_eq!((said.code, said.out.as_str()), (code, ""), "{words:?}: {said:?}");
        assert!(said.err.starts_with("error: "), "{said:?}");
    }
}

fn a_date_beyond_an_ancestor_is_refused_and_says_which(driver: Driver) {
    let storage = Storage::new(driver);
    storage.make("a", "anna", Some(4_102_444_800));
    storage.make("a/b", "anna", Some(4_102_444_800));
    storage.make("a/b/c", "anna", None);
    for words in [&["paths", "extend", "a/b", "2200-01-01"][..], &["paths", "never", "a/b/c"]] {
        let said = storage.run(words);
        assert_eq!(said.code, 7, "{said:?}");
        assert!(said.err.contains("longer than /a,") && said.err.contains("2100-01-01T00:00:00Z"), "{said:?}");
    }
    assert_eq!(storage.run(&["paths", "extend", "a/b", "2100-01-01T00:00:00Z"]).code, 0, "the very instant will do");
}

fn what_expires_by_command_is_gone_beside_a_running_server(driver: Driver) {
    let storage = Storage::new(driver);
    let server = ServerProcess::start(driver, storage.dir.path(), &[]);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("MKD a").code, 257);
    assert_eq!(ftp.store("STOR a/f", b"five\n").code, 226);
    assert_eq!(storage.run(&["paths", "expire", "a"]).code, 0);
    assert!(!storage.path("a").exists(), "not by the server's next scan, but now");
    assert_eq!(fs::read_dir(storage.path(".mayfly-trash")).expect("it is there").count(), 0, "and its bytes");
    for command in ["CWD a", "SIZE a/f"] {
        assert_eq!(ftp.ask(command).last(), "Storage path expired.", "{command}");
    }
    assert_eq!(storage.run(&["paths", "extend", "a", "7d"]).code, 6);
    assert_eq!(ftp.ask("MKD a").code, 257, "the name is free");
}

fn a_dry_run_changes_nothing_and_a_sweep_does_what_it_said(driver: Driver) {
    let storage = Storage::new(driver);
    let past = now_s() - 100;
    storage.make("old", "anna", Some(past));
    storage.make("old/nested", "anna", Some(past));
    storage.put("old/nested/f", b"12345");
    storage.make("young", "anna", Some(now_s() + 1000));
    storage.put_old("young/.mayfly-parts/f", b"123", 2 * DAY);
    storage.put("young/.mayfly-parts/g", b"it may be resumed");
    storage.put(".mayfly-trash/0123/f", b"1234567");
    let before = storage.names();
    let said = storage.run(&["sweep", "--dry-run"]);
    assert_eq!((said.code, storage.names()), (0, before), "{said:?}");
    assert!(said.out.contains("would remove /old: expired at") && said.out.contains("5 bytes in 1 files"), "{said:?}");
    assert!(!said.out.contains("/old/nested:"), "it goes with the path that it is in: {said:?}");
    assert!(said.out.contains("1 expired paths (5 bytes), 2 left-overs (10 bytes)"), "{said:?}");
    let said = storage.run(&["sweep"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.contains("removed /old: ") && said.out.contains("1 expired paths (5 bytes), 1 left-overs (3 bytes)")
    );
    assert!(!storage.path("old").exists() && storage.path("young/.mayfly-parts/g").exists());
    assert!(storage.path(".mayfly-tombs/old").exists(), "a late visitor hears that it expired");
    assert!(!storage.path("young/.mayfly-parts/f").exists());
    assert_eq!(fs::read_dir(storage.path(".mayfly-trash")).expect("it is there").count(), 0);
    let said = storage.run(&["sweep"]);
    assert!(said.out.contains("0 expired paths (0 bytes), 0 left-overs (0 bytes)"), "{said:?}");
}

/// Everything that can be wrong. What `fsck` shall say of it, and who does something about it.
fn spoil(storage: &Storage) -> Vec<(&'static str, &'static str, &'static str)> {
    let past = now_s() - 1000;
    storage.make("bad", "anna", None);
    storage.put("bad/.mayfly.json", b"not JSON");
    storage.put("bad/kept", b"never deleted by itself");
    storage.make("newer", "anna", None);
    let record = storage.record("newer").to_string().replace("\"version\":1", "\"version\":2");
    storage.put("newer/.mayfly.json", record.as_bytes());
    storage.make("late", "anna", Some(past));
    storage.make("live", "anna", None);
    storage.put(".mayfly-tombs/live", format!("{{\"expiry_s\":{past}}}").as_bytes());
    storage.put(".mayfly-tombs/late", format!("{{\"expiry_s\":{past}}}").as_bytes());
    storage.put(".mayfly-tombs/ancient", b"{\"expiry_s\":1}");
    storage.put(".mayfly-tombs/broken", b"{");
    storage.put_old("live/.mayfly-tmp-0123", b"12", 2 * DAY);
    storage.put_old("live/.mayfly.json.0123", b"12", 2 * DAY);
    storage.put("live/.mayfly-tmp-4567", b"somebody is at it");
    storage.put("live/.mayfly-new-0123/.mayfly.json", b"{}");
    storage.age("live/.mayfly-new-0123", 2 * DAY);
    storage.put_old("live/.mayfly-parts/f", b"123", 2 * DAY);
    storage.put("live/.mayfly-what", b"");
    symlink("/etc/passwd", storage.path("live/link")).expect("there is room for it");
    let made = Command::new("mkfifo").arg(storage.path("live/pipe")).status().expect("coreutils are there");
    assert!(made.success());
    storage.put("live/odd\n", b"");
    vec![
        ("ancient", "old-tombstone", "reaper"),
        ("broken", "damaged-tombstone", "repair"),
        ("live", "stale-tombstone", "repair"),
        ("bad", "record-damaged", "operator"),
        ("late", "expired", "reaper"),
        (".mayfly-new-0123", "half-made", "reaper"),
        ("f", "old-partial", "reaper"),
        (".mayfly-tmp-0123", "left-over", "reaper"),
        (".mayfly-what", "unknown-reserved", "operator"),
        (".mayfly.json.0123", "left-over", "reaper"),
        ("link", "link", "none"),
        (r"odd\x0a", "odd-name", "none"),
        ("pipe", "special", "none"),
        ("newer", "record-damaged", "operator"),
    ]
}

fn fsck_finds_everything_and_mends_what_is_safe(driver: Driver) {
    let storage = Storage::new(driver);
    storage.make("fine", "anna", None);
    let said = storage.run(&["fsck"]);
    assert_eq!((said.code, said.out.trim()), (0, "1 storage paths; findings: 0 left, 0 mended; 0 remarks"), "{said:?}");
    let expected = spoil(&storage);
    let before = storage.names();
    let found = |objects: &[Value]| -> Vec<(String, String, String)> {
        let mut found: Vec<_> = objects
            .iter()
            .map(|object| {
                let field = |key: &str| object[key].as_str().expect("a text").to_owned();
                let name = field("path").rsplit('/').next().expect("a name").to_owned();
                (name, field("kind"), field("remedy"))
            })
            .collect();
        found.sort();
        found
    };
    let own = |all: &[(&str, &str, &str)]| {
        let mut all: Vec<_> = all.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect();
        all.sort();
        all
    };
    let objects = storage.objects(&["fsck", "--json"]);
    assert_eq!(found(&objects), own(&expected));
    assert!(objects.iter().all(|object| object["mended"] == false));
    let newer = objects.iter().find(|object| object["path"] == "/newer").expect("it was found");
    assert_eq!(newer["detail"], "its version is 2, and 1 is known");
    assert_eq!((storage.run(&["fsck"]).code, storage.names()), (14, before), "it only says so");
    let objects = storage.objects(&["fsck", "--json", "--repair"]);
    for object in &objects {
        let is_safe = object["remedy"] == "reaper" || object["remedy"] == "repair";
        assert_eq!(object["mended"], is_safe, "{object}");
    }
    assert!(storage.path("bad/kept").exists() && storage.path("newer").exists(), "no damaged record is deleted");
    assert!(storage.path("live/.mayfly-tmp-4567").exists() && storage.path("live/link").is_symlink());
    let left: Vec<_> = expected.into_iter().filter(|(_, _, remedy)| ["operator", "none"].contains(remedy)).collect();
    assert_eq!(found(&storage.objects(&["fsck", "--json"])), own(&left));
    assert_eq!(storage.run(&["fsck"]).code, 14);
}

fn a_damaged_record_is_replaced_only_where_that_is_asked_for(driver: Driver) {
    let storage = Storage::new(driver);
    let server = ServerProcess::start(driver, storage.dir.path(), &[]);
    storage.make("bad", "anna", None);
    storage.put("bad/.mayfly.json", b"{\"version\":1");
    storage.make("bad/inner", "anna", None);
    let mut ftp = Ftp::log_in(server.address());
    assert_eq!(ftp.ask("CWD bad").code, 451);
    for (path, hint) in [("bad", "--replace-damaged"), ("bad/inner", "fsck")] {
        let said = storage.run(&["paths", "extend", path, "7d"]);
        assert_eq!(said.code, 7, "{said:?}");
        assert!(said.err.contains(hint), "{said:?}");
    }
    assert_eq!(storage.run(&["paths", "extend", "bad/inner", "7d", "--replace-damaged"]).code, 7, "not its own");
    let said = storage.run(&["paths", "extend", "bad", "2100-01-01", "--replace-damaged", "--owner", "bert"]);
    assert_eq!(said.code, 0, "{said:?}");
    let record = storage.record("bad");
    assert_eq!((record["owner"].as_str(), record["expiry_s"].as_i64()), (Some("bert"), Some(4_102_531_200)));
    assert_ne!(record["token"], "01".repeat(16), "nobody has it");
    assert_eq!(ftp.ask("CWD bad").code, 250, "served again");
    // One of a form that is not known tells who made it all the same.
    storage.make("newer", "carl", None);
    let newer = storage.record("newer").to_string().replace("\"version\":1", "\"version\":2");
    storage.put("newer/.mayfly.json", newer.as_bytes());
    assert_eq!(storage.run(&["paths", "never", "newer", "--replace-damaged"]).code, 0);
    let record = storage.record("newer");
    assert_eq!((record["owner"].as_str(), record["version"].as_u64()), (Some("carl"), Some(1)));
    assert_eq!(record["token"], "01".repeat(16), "so its maker may claim it still");
    // Where the record is a healthy one the flag does no harm.
    assert_eq!(storage.run(&["paths", "extend", "newer", "7d", "--replace-damaged", "--owner", "eve"]).code, 0);
    assert_eq!(storage.record("newer")["owner"], "carl");
}

fn a_root_that_is_none_is_said_with_what_to_do(driver: Driver) {
    for words in [&["paths"][..], &["sweep"], &["sweep", "--dry-run"], &["fsck"], &["paths", "never", "a"]] {
        let output = Command::new(driver.binary()).args(words).args(["--root", "/nowhere"]).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(10), "{text}");
        assert!(text.contains("/nowhere") && text.contains("hint:"), "{text}");
        assert!(!Path::new("/nowhere").exists());
    }
    // The settings file names the root.
    let storage = Storage::new(driver);
    storage.make("a", "anna", None);
    let file = storage.path("mayfly.toml");
    fs::write(&file, format!("root = \"{}\"\nmax_sessions = 5\n", storage.dir.path().display()))
        .expect("there is room for it");
    let output =
        Command::new(driver.binary()).args(["paths", "--json", "--config"]).arg(&file).output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"path\":\"/a\""), "{output:?}");
}
