use super::*;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

const ROOT: &str = "MAYFLY_TEST_ROOT";
const TOP: &str = "MAYFLY_TEST_TOP";

/// Killed at any moment, a server leaves all that it has acknowledged, and nothing half-done that shows.
#[test]
fn what_was_acknowledged_outlives_a_kill_and_nothing_else_shows() {
    if let Some(root) = std::env::var_os(ROOT) {
        return work(std::path::Path::new(&root), &std::env::var(TOP).unwrap());
    }
    let host = Host::new();
    for round in 0..25 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "storage::tests::kill::what_was_acknowledged_outlives_a_kill_and_nothing_else_shows"])
            .arg("--nocapture")
            .env(ROOT, host.dir.path())
            .env(TOP, format!("/p{round}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut acknowledged: Vec<String> =
            lines.by_ref().filter(|line| line.starts_with('/')).take(20 + round).collect();
        child.kill().unwrap();
        // The last line may be cut.
        acknowledged.extend(lines.filter(|line| line.ends_with('.')));
        child.wait().unwrap();
        for line in acknowledged {
            verify(&host, line.trim_end_matches('.'));
        }
    }
    host.walk(i64::MAX);
    let mut dirs = vec![host.dir.path().to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            assert!(!name.starts_with(".mayfly") || name == ".mayfly.json" || name == ".mayfly-trash", "{name} stays");
            if entry.file_type().unwrap().is_dir() && name != ".mayfly-trash" {
                dirs.push(entry.path());
            }
        }
    }
}

/// Makes paths, dates them, and puts a file into each, and says so after each.
fn work(root: &std::path::Path, top: &str) {
    let clock = Arc::new(ManualClock::new(Now { monotonic_ms: 0, utc_s: START_S }));
    let mut storage = LocalStorage::open(root, Durability::None, clock).unwrap();
    Arc::get_mut(&mut storage.disk).unwrap().named_from_bytes = 2000;
    let say = |line: &str| println_raw(&format!("{line}.\n"));
    let made = record(None);
    storage.make_directory(&at(top), &made, None, None).unwrap();
    for number in 0.. {
        let path = format!("{top}/{number}");
        let own = record(Some(100));
        storage.make_directory(&at(&path), &own, None, None).unwrap();
        say(&path);
        storage.set_expiry(&at(&path), &own, Some(START_S + 200)).unwrap();
        say(&format!("{path}/dated"));
        let judged = storage.check(&at(&path)).unwrap().records;
        for size in [1000_usize, 3000] {
            let name = format!("{path}/{size}");
            let (_, mut upload) = storage.open_write(&at(&name), UploadBase::Empty, None, None).unwrap();
            for _ in 0..10 {
                upload.write(&vec![7; size / 10]).unwrap();
            }
            upload.publish(false, &judged, None).unwrap();
            say(&name);
        }
    }
}

/// One write for each line, so that a kill cuts none in two unseen.
fn println_raw(line: &str) {
    rustix::io::write(std::io::stdout(), line.as_bytes()).unwrap();
}

fn verify(host: &Host, line: &str) {
    let mut parts = line.split('/').skip(1);
    let path = format!("/{}/{}", parts.next().unwrap(), parts.next().unwrap());
    let expiry_s = host.records(&path)[1].record.expiry_s;
    match parts.next() {
        None => assert!(expiry_s >= Some(START_S + 100), "{line}"),
        Some("dated") => assert_eq!(expiry_s, Some(START_S + 200), "{line}"),
        Some(size) => assert_eq!(host.read(line).unwrap(), vec![7; size.parse().unwrap()], "{line}"),
    }
    for size in ["1000", "3000"] {
        let target = host.storage.check(&at(&format!("{path}/{size}"))).unwrap().target;
        assert!(target.is_none_or(|info| info.size_bytes.to_string() == size), "a file shows whole or not at all");
    }
}
