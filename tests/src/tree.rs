//! Trees of small files with all that makes clients stumble: odd names, old and young times, empty files and folders.

use crate::noise;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What any client can name. A path with a slash at its end is an empty folder.
pub const PLAIN: [&str; 6] = ["a.txt", "b.txt", "data.bin", "empty", "deep/er/leaf.txt", "deep/none/"];

/// Names that a shell, a pattern, an option or a code page could mistake.
pub const ODD: [&str; 6] =
    ["-dash.txt", "[x].txt", "star*.txt", "some blanks.txt", "Grüße – 日本.txt", "deep/with blanks/ä [1].txt"];

/// The length of `data.bin`.
pub const DATA_BYTES: usize = (3 << 20) + 7;

/// 2019-06-15T12:34:56Z, when all files were last modified that do not lie in a folder `deep`.
pub const OLD_S: u64 = 1_560_602_096;

/// [`OLD_S`] as a time of the system.
#[must_use]
pub fn old() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(OLD_S)
}

/// How exactly modification times are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// To the second.
    Seconds,
    /// As `ls -l` shows them: old ones to the day, young ones to the minute.
    OfList,
    /// The copy has the time at which it was made.
    New,
}

/// Writes a tree.
///
/// # Panics
/// Where it cannot.
pub fn plant(folder: &Path, paths: &[&str]) {
    for path in paths {
        let file = folder.join(path);
        if path.ends_with('/') {
            fs::create_dir_all(file).expect("the folder is ours");
            continue;
        }
        fs::create_dir_all(file.parent().expect("it lies in the folder")).expect("the folder is ours");
        fs::write(&file, content(path)).expect("there is room");
        let time = Duration::from_secs(if path.starts_with("deep/") { young_s() } else { OLD_S });
        let opened = File::options().write(true).open(&file).expect("it was just made");
        opened.set_modified(SystemTime::UNIX_EPOCH + time).expect("it is ours");
    }
}

/// What the file of this path holds.
#[must_use]
pub fn content(path: &str) -> Vec<u8> {
    match path {
        "empty" => Vec::new(),
        "data.bin" => noise(DATA_BYTES),
        _ => format!("This is {path}.\r\nWith both\nline ends, and a NUL: \0").into_bytes(),
    }
}

/// The day before yesterday at noon: `ls -l` shows it with hours and minutes.
///
/// # Panics
/// Where the clock stands before 1970.
#[must_use]
pub fn young_s() -> u64 {
    const DAY_S: u64 = 86_400;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is set").as_secs();
    // At 12:34:56, so that each part of the time can be wrong.
    now / DAY_S * DAY_S - 2 * DAY_S + 45_296
}

/// The visible files and folders below a folder, by path; `None` for folders.
///
/// # Panics
/// Where they cannot be read.
#[must_use]
pub fn found(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    collect(folder, "", &mut all);
    all
}

fn collect(folder: &Path, prefix: &str, all: &mut BTreeMap<String, Option<Vec<u8>>>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let entry = entry.expect("the folder can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(".mayfly") {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().expect("it is there").is_dir() {
            collect(&entry.path(), &format!("{path}/"), all);
            all.insert(path + "/", None);
        } else {
            all.insert(path, Some(fs::read(entry.path()).expect("it can be read")));
        }
    }
}

/// Compares two trees: names, bytes and times.
///
/// # Panics
/// Where they differ.
pub fn assert_same(expected: &Path, got: &Path, times: Times) {
    let [wanted, had] = [expected, got].map(found);
    assert_eq!(had.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "the names in {}", got.display());
    for (path, bytes) in wanted {
        assert!(had[&path] == bytes, "{path} in {} has other bytes", got.display());
        if bytes.is_some() {
            assert_time(&expected.join(&path), &got.join(&path), times);
        }
    }
}

/// Compares the modification times of two files.
///
/// # Panics
/// Where they differ.
pub fn assert_time(expected: &Path, got: &Path, times: Times) {
    let [wanted, had] = [expected, got].map(modified_s);
    let grain = match times {
        Times::Seconds => 1,
        Times::OfList if wanted == OLD_S => 86_400,
        Times::OfList => 60,
        Times::New => {
            assert!(had > young_s() + 60, "{} has no new time: {had}", got.display());
            return;
        }
    };
    assert_eq!(had / grain * grain, wanted / grain * grain, "the time of {}, to {grain} s", got.display());
}

/// When a file was last modified, in seconds since 1970.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn modified_s(file: &Path) -> u64 {
    let modified = fs::metadata(file).and_then(|metadata| metadata.modified());
    let modified = modified.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    modified.duration_since(SystemTime::UNIX_EPOCH).expect("no file is older").as_secs()
}
