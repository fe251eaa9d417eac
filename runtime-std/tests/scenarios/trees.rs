//! Whole trees, several files at a time, and no faster than is asked for.

use super::{BIG_BYTES, Bench, Harm, MODIFIED_S, Seen};
use mayfly_std::client::{Calls, ClientOptions, Destination, FailureKind, LocalTree, RateLimit, Sight, TreeOptions};
use mayfly_std::start::Serve;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// A tree goes up and comes down as it is, over several connections; what is there is not moved again.
pub(crate) fn a_tree_comes_back_as_it_went<S: Serve + Send + 'static, C: Calls>() {
    let bench = Bench::<S>::start();
    let (from, to) = (bench.dir.path().join("photos"), bench.dir.path().join("out"));
    plant(&from);
    symlink("/etc", from.join("link")).unwrap();
    let tree = LocalTree::read(&[&from]).unwrap();
    for jobs in [1, 4] {
        let path = format!("scans {jobs}");
        let seen = Arc::new(Seen::new(Harm::None));
        let mut client = bench.client::<C>(false, Some(&seen));
        let report = client.upload_tree(&tree, &path, Some("7d"), &options(jobs, &seen)).unwrap();
        assert_eq!((report.files.len(), report.skipped.len(), report.failed.len()), (FILES, 1, 0));
        assert!(report.token.is_some() && report.storage_path == format!("/{path}"));
        let made = |line: &&String| line.starts_with(&format!("MKD {path}")) || line.starts_with("SETEXPIRY");
        let sent = seen.sent.lock().unwrap().clone();
        assert_eq!(sent.iter().filter(made).count(), 2, "the path is made and dated once");
        assert_eq!(sent.iter().filter(|line| line.starts_with("USER ")).count(), jobs as usize);

        let to = to.join(jobs.to_string());
        client.download_tree(&[], &path, &to, &options(jobs, &seen)).unwrap();
        assert_same(&from, &to.join("photos"));
        assert!(to.join("photos/empty/emptier").is_dir());
        assert_eq!(client.list(&path, true).unwrap().entries.len(), FILES + DIRECTORIES + 4);

        seen.sent.lock().unwrap().clear();
        let again = client.download_tree(&[], &path, &to, &options(jobs, &seen)).unwrap();
        assert_eq!(again.files.len(), FILES);
        let add = TreeOptions { add: true, ..options(jobs, &seen) };
        assert_eq!(client.upload_tree(&tree, &path, None, &add).unwrap().files.len(), FILES);
        let sent = seen.sent.lock().unwrap().clone();
        assert!(!sent.iter().any(|line| line.starts_with("RETR") || line.starts_with("STOR")), "{sent:?}");

        // Another session replaces a file only if it shows who made the path.
        fs::write(from.join("dir 1/file 1"), b"changed").unwrap();
        let mut other = bench.client::<C>(false, Some(&seen));
        let refused = other.upload_tree(&tree, &path, None, &add).unwrap_err();
        assert_eq!((refused.failure.kind, refused.report.failed.len()), (FailureKind::Partial, 1));
        let token = TreeOptions { token: report.token, ..add };
        other.upload_tree(&tree, &path, None, &token).unwrap();
        client.download_tree(&["photos/dir 1"], &path, &to, &options(jobs, &seen)).unwrap();
        assert_eq!(fs::read(to.join("photos/dir 1/file 1")).unwrap(), b"changed");
        client.quit().unwrap();
        plant(&from);
    }
}

/// What fails costs nothing else, and each failure is told.
pub(crate) fn what_fails_costs_no_other_file<S: Serve + Send + 'static, C: Calls>() {
    let bench = Bench::<S>::start();
    let (from, to) = (bench.dir.path().join("photos"), bench.dir.path().join("out"));
    plant(&from);
    let tree = LocalTree::read(&[format!("{}/", from.display())]).unwrap();
    fs::remove_file(from.join("dir 1/file 1")).unwrap();
    let seen = Arc::new(Seen::new(Harm::None));
    let mut client = bench.client::<C>(false, Some(&seen));
    let failed = client.upload_tree(&tree, "scans", None, &options(3, &seen)).unwrap_err();
    assert_eq!((failed.failure.kind, failed.report.files.len()), (FailureKind::Partial, FILES - 1));
    assert_eq!(failed.report.failed.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["dir 1/file 1"]);
    // A file where a directory shall be, and a link that leads away.
    fs::create_dir_all(&to).unwrap();
    fs::write(to.join("dir 1"), b"in the way").unwrap();
    symlink("/etc", to.join("dir 2")).unwrap();
    let failed = client.download_tree(&[], "scans", &to, &options(3, &seen)).unwrap_err();
    assert_eq!(failed.failure.kind, FailureKind::Partial);
    assert!(failed.report.failed.iter().all(|file| file.name.starts_with("dir ")), "{:?}", failed.report.failed);
    assert_eq!(failed.report.files.len(), FILES - 2 * FILES_EACH);
    let failed = client.download_tree(&["gone", "dir 0"], "scans", &to, &options(3, &seen)).unwrap_err();
    assert_eq!((failed.report.failed.len(), failed.report.files.len()), (1, FILES_EACH));
    let nowhere = client.download_tree(&[], "nowhere", &to, &options(3, &seen)).unwrap_err();
    assert_eq!(nowhere.failure.kind, FailureKind::NoSuchPath);
    let again = client.upload_tree(&tree, "scans", None, &options(3, &seen)).unwrap_err();
    assert_eq!(again.failure.kind, FailureKind::PathExists);
    client.quit().unwrap();
}

/// Every connection is cut at once, in the midst of files: each file goes on where it broke.
pub(crate) fn a_tree_whose_connections_are_cut_goes_on<S: Serve + Send + 'static, C: Calls>() {
    let bench = Bench::<S>::start();
    let files =
        bench.files(&[("big 1", BIG_BYTES / 2), ("big 2", BIG_BYTES / 2), ("big 3", BIG_BYTES / 2), ("small", 3)]);
    let tree = LocalTree::default().with(files).unwrap();
    let cut = || Arc::new(Seen::new(Harm::Cut(Arc::clone(&bench.proxy))));
    let seen = cut();
    let mut client = bench.client::<C>(false, Some(&seen));
    assert_eq!(client.upload_tree(&tree, "scans", None, &options(3, &seen)).unwrap().files.len(), 4);
    assert!(super::resumed_at(&seen.sent.lock().unwrap()) > 0);
    let (seen, to) = (cut(), bench.dir.path().join("out"));
    let mut client = bench.client::<C>(false, Some(&seen));
    assert_eq!(client.download_tree(&[], "scans", &to, &options(3, &seen)).unwrap().files.len(), 4);
    assert!(super::resumed_at(&seen.sent.lock().unwrap()) > 0);
    bench.assert_same(&to);
}

/// What an interrupted upload has left goes on in a later session, which shows the token.
pub(crate) fn an_upload_goes_on_in_a_later_session<S: Serve + Send + 'static, C: Calls>() {
    let bench = Bench::<S>::start();
    let files = bench.files(&[("big", BIG_BYTES)]);
    let seen = Arc::new(Seen::new(Harm::None));
    let mut client = bench.client::<C>(false, Some(&seen));
    *seen.harm.lock().unwrap() = Harm::Interrupt(client.interrupter());
    let failure = client.upload(&files, "scans", None).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Interrupted);
    assert!(failure.token.is_some());
    let part = bench.dir.path().join("root/scans/.mayfly-parts/big");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !part.exists() {
        assert!(Instant::now() < deadline, "the server keeps no part");
        thread::sleep(Duration::from_millis(2));
    }
    let seen = Arc::new(Seen::new(Harm::None));
    let later = TreeOptions { add: true, token: failure.token.as_deref().copied(), ..options(1, &seen) };
    let tree = LocalTree::default().with(files).unwrap();
    bench.client::<C>(false, Some(&seen)).upload_tree(&tree, "scans", None, &later).unwrap();
    assert!(super::resumed_at(&seen.sent.lock().unwrap()) > 0);
    let to = bench.dir.path().join("out");
    bench.client::<C>(false, None).download(&[], "scans", &Destination::Directory(to.clone())).unwrap();
    bench.assert_same(&to);
}

/// All connections together keep to the limit, both ways.
pub(crate) fn a_limit_holds_for_all_together<S: Serve + Send + 'static, C: Calls>() {
    const BYTES: usize = 96 * 1024;
    let bench = Bench::<S>::start();
    let tree = LocalTree::default().with(bench.files(&[("a", BYTES), ("b", BYTES), ("c", BYTES)])).unwrap();
    // 288 KiB at 256 KiB/s.
    let limit = Some(RateLimit::new("256k".parse().unwrap()));
    let mut client = C::open(ClientOptions { limit, ..ClientOptions::default() }).unwrap();
    client.connect(&bench.remote()).unwrap();
    let seen = Arc::new(Seen::new(Harm::None));
    let to = bench.dir.path().join("out");
    let began = Instant::now();
    client.upload_tree(&tree, "scans", None, &options(3, &seen)).unwrap();
    // The client's clock counts whole milliseconds.
    let least = Duration::from_millis(1124);
    assert!(began.elapsed() >= least, "{:?}", began.elapsed());
    let began = Instant::now();
    client.download_tree(&[], "scans", &to, &options(3, &seen)).unwrap();
    // Of the time since the upload a tenth of a second may be caught up with.
    assert!(began.elapsed() + Duration::from_millis(100) >= least, "{:?}", began.elapsed());
    bench.assert_same(&to);
}

fn options(jobs: u32, seen: &Arc<Seen>) -> TreeOptions {
    let seen = Arc::clone(seen);
    let watch = move |_| {
        let seen = Arc::clone(&seen);
        Box::new(move |sight: Sight<'_>| seen.see(sight)) as mayfly_std::client::Watcher
    };
    TreeOptions { jobs, watch: Some(Box::new(watch)), ..TreeOptions::default() }
}

/// That hold files.
const DIRECTORIES: usize = 10;
const FILES_EACH: usize = 12;
const FILES: usize = DIRECTORIES * FILES_EACH;

/// Ten directories in each other's company, some hundred files, an empty directory in an empty one.
fn plant(from: &Path) {
    for directory in 0..DIRECTORIES {
        let name = if directory == 7 { ".hidden/ü".to_owned() } else { format!("dir {directory}") };
        fs::create_dir_all(from.join(&name)).unwrap();
        for file in 0..FILES_EACH {
            let path = from.join(&name).join(format!("file {file}"));
            fs::write(&path, format!("{directory} {file} ").repeat(file * 30)).unwrap();
            let modified = UNIX_EPOCH + Duration::from_secs(MODIFIED_S + file as u64);
            File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        }
    }
    fs::create_dir_all(from.join("empty/emptier")).unwrap();
}

#[track_caller]
fn assert_same(from: &Path, to: &Path) {
    let (from, to) = (contents(from), contents(to));
    assert_eq!(from.keys().collect::<Vec<_>>(), to.keys().collect::<Vec<_>>());
    assert!(from == to, "a file differs");
}

/// Every file and directory below, but links: bytes and time of files.
fn contents(folder: &Path) -> BTreeMap<String, Option<(Vec<u8>, Duration)>> {
    let mut found = BTreeMap::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                open.push((entry.path(), format!("{name}/")));
                found.insert(name, None);
            } else if metadata.is_file() {
                let modified = metadata.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
                found.insert(name, Some((fs::read(entry.path()).unwrap(), modified)));
            }
        }
    }
    found
}
