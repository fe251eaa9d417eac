//! Habits that a machine can see.

use mayfly_tests::transcript;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The core knows no clock, no file, no socket, no thread and no unsafe code.
#[test]
fn the_core_is_pure() {
    let banned = [
        "std::",
        "extern crate std",
        "unsafe ",
        "unsafe{",
        "SystemTime",
        "Instant",
        "now_utc",
        "TcpStream",
        "UdpSocket",
        "thread::",
        "env!(",
        "File::",
    ];
    let mut found = Vec::new();
    for file in tracked().filter(|file| file.starts_with("core/src") && is_rust(file)) {
        for (number, line) in read(&file).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            found.extend(
                banned
                    .iter()
                    .filter(|word| code.contains(**word))
                    .map(|word| format!("{}:{}: {word}", file.display(), number + 1)),
            );
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    let root = read(Path::new("core/src/lib.rs"));
    for attribute in ["#![no_std]", "#![forbid(unsafe_code)]"] {
        assert!(root.contains(attribute), "core/src/lib.rs lacks {attribute}");
    }
}

/// No code but these modules' does what the compiler cannot check, and each such place says why it is sound.
#[test]
fn unsafe_code_stands_in_named_modules_alone() {
    // Counts what an idle session costs: an allocator cannot be written otherwise.
    let named = ["runtime-smol/tests/support/counting.rs"];
    // In halves, so that this file is not found.
    let word = ["uns", "afe"].concat();
    let (mut listed, mut strays) = (Vec::new(), Vec::new());
    for file in tracked().filter(|file| is_rust(file)) {
        let text = read(&file);
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let begins = |next: &str| code.contains(&format!("{word} {next}"));
            // A function only passes on what its caller promises.
            let is_sound_alone = begins("fn ");
            if !is_sound_alone && !["{", "impl ", "extern ", "trait "].into_iter().any(begins) {
                continue;
            }
            let place = format!("{}:{}: {}", file.display(), at + 1, line.trim());
            let above = lines[..at].iter().rev().take_while(|line| !line.trim().is_empty()).take(8);
            let says_why = is_sound_alone || above.chain([line]).any(|line| line.contains("// SAFETY: "));
            if !named.iter().any(|named| file == Path::new(named)) || !says_why {
                strays.push(place.clone());
            }
            listed.push(place);
        }
    }
    assert!(strays.is_empty(), "not in a named module, or without a `// SAFETY:` comment:\n{}", strays.join("\n"));
    let text = format!("unsafe code, all of it in tests:\n{}\n", listed.join("\n"));
    io::stderr().write_all(text.as_bytes()).expect("standard error stands");
}

/// Nothing that could do I/O comes into the core by way of a dependency.
#[test]
fn the_core_depends_on_four_crates() {
    let manifest = read(Path::new("core/Cargo.toml"));
    let section = manifest.split("\n[dependencies]\n").nth(1).expect("it has dependencies");
    let names = section.lines().take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty());
    let names: Vec<&str> = names.map(|line| line.split(['.', ' ', '=']).next().unwrap_or_default()).collect();
    assert_eq!(names, ["nom", "serde", "serde_json", "time"]);
    assert!(!manifest.contains("[build-dependencies]") && !manifest.contains("[target."), "nor by another way");
}

/// What was to be done later is done, or is an issue.
#[test]
fn nothing_is_left_behind() {
    // In halves, so that this file is not found.
    let markers = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["X", "XX"],
        ["todo", "!("],
        ["unimplemented", "!("],
        ["dbg", "!("],
        ["#[ign", "ore"],
    ];
    let markers = markers.map(|halves| halves.concat());
    let found = search(|line| markers.iter().any(|marker| line.contains(marker.as_str())));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What is tracked speaks of no machine.
#[test]
fn no_path_of_a_machine_is_written_down() {
    let above = root().parent().map(|above| format!("{}/", above.display())).unwrap_or_default();
    let home = env::var("HOME").map(|home| format!("{home}/")).unwrap_or_default();
    // Each machine has a root and a folder for temporary files.
    let paths: Vec<&String> =
        [&above, &home].into_iter().filter(|path| path.len() > 2 && Path::new(path) != env::temp_dir()).collect();
    let found = search(|line| paths.iter().any(|path| line.contains(path.as_str())));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Each crate obeys the workspace's lints, and none names a version of its own.
#[test]
fn each_crate_follows_the_workspace() {
    for crate_name in ["core", "runtime-std", "runtime-smol", "tests"] {
        let manifest = read(&Path::new(crate_name).join("Cargo.toml"));
        assert!(manifest.contains("[lints]\nworkspace = true"), "{crate_name} does not obey the workspace's lints");
        let own = manifest.lines().find(|line| line.contains("= \"") && line.starts_with(|c: char| c.is_lowercase()));
        let own = own.filter(|line| !line.starts_with("name") && !line.starts_with("description"));
        let own = own.filter(|line| !line.starts_with("rust-version") && !line.starts_with("doc"));
        assert_eq!(own, None, "{crate_name}: versions stand once, in the workspace");
    }
}

/// A corpus that no target reads, and a target without a corpus, prove nothing.
#[test]
fn each_corpus_has_its_target() {
    let names = |folder: &str| {
        let files = tracked().filter(|file| file.starts_with(folder));
        let mut names: Vec<String> = files
            .filter_map(|file| file.components().nth(2).map(|name| name.as_os_str().to_string_lossy().into_owned()))
            .map(|name| name.trim_end_matches(".rs").to_owned())
            .collect();
        names.dedup();
        names
    };
    assert_eq!(names("fuzz/corpus"), names("fuzz/fuzz_targets"));
}

/// A transcript's first line begins with its file's name, and there are enough of them.
#[test]
fn transcripts_are_named_after_their_files() {
    let scripts = transcript::all().expect("they can be read");
    for script in &scripts {
        let name = script.path.file_stem().unwrap_or_default().to_string_lossy();
        assert!(script.lines[0].starts_with(&format!("# {name}: ")), "{}: {}", script.path.display(), script.lines[0]);
        assert!(script.lines[0].ends_with('.'), "{} names no source", script.path.display());
    }
    assert!(scripts.len() >= 60, "{} transcripts", scripts.len());
}

/// Not a law: where to look for a file that has two duties.
#[test]
fn the_ten_longest_files_are_shown() {
    let mut lengths: Vec<(usize, PathBuf)> =
        tracked().filter(|file| is_rust(file)).map(|file| (read(&file).lines().count(), file)).collect();
    lengths.sort_by(|a, b| b.cmp(a));
    let lines: Vec<String> =
        lengths.iter().take(10).map(|(lines, file)| format!("{lines:6} {}\n", file.display())).collect();
    // Straight to standard error: the test harness keeps what a test that passes prints.
    let text = format!("the ten longest files, in lines:\n{}", lines.concat());
    io::stderr().write_all(text.as_bytes()).expect("standard error stands");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

fn tracked() -> impl Iterator<Item = PathBuf> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git runs");
    assert!(listed.status.success(), "git does not know this folder");
    let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    let files: Vec<PathBuf> = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    // A file that was removed is tracked until the removal is committed.
    files.into_iter().filter(|file| root().join(file).exists())
}

fn is_rust(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "rs")
}

fn read(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(root().join(file)).expect("it is tracked")).into_owned()
}

/// Lines of tracked text for which this is so; corpora are bytes of any kind.
fn search(is_it: impl Fn(&str) -> bool) -> Vec<String> {
    let files = tracked().filter(|file| !file.starts_with("fuzz/corpus"));
    let found = files.flat_map(|file| {
        let text = read(&file);
        let found = text.lines().enumerate().filter(|(_, line)| is_it(line));
        found.map(|(number, line)| format!("{}:{}: {line}", file.display(), number + 1)).collect::<Vec<_>>()
    });
    found.collect()
}
