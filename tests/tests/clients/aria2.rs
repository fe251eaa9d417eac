//! aria2: one file over several connections at once, resumption, lists of files.

use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::on_both_drivers;
use mayfly_tests::process::Ran;
use mayfly_tests::tree::{self, DATA_BYTES, Times};
use mayfly_tests::{files, noise};
use std::fs;

on_both_drivers! {
    fetches_in_segments: passive active ipv6;
    resumes: passive active ipv6;
    resumes_segments: passive ipv6;
    fetches_from_a_list: passive active ipv6;
    keeps_odd_names: passive ipv6;
    tells_what_is_missing: passive ipv6;
}

const MIB: usize = 1 << 20;

fn aria2(ground: &Ground, arguments: &[&str]) -> Ran {
    let mut all = vec!["--no-conf", "--console-log-level=warn", "--max-tries=1", "--file-allocation=none"];
    all.push("--remote-time=true");
    // A 226 that comes in one piece with its 150 is not seen, and aria2 waits out its time: longer than a test may take.
    all.extend(["--timeout=600", "--connect-timeout=2"]);
    if ground.mode == Mode::Active {
        all.push("--ftp-pasv=false");
    }
    all.extend(arguments);
    ground.run("aria2c", &all)
}

/// Four connections of one file. Each is cut where the next one's segment begins.
fn fetches_in_segments(ground: &Ground) {
    files::write_repeated(&ground.root().join("large.bin"), &noise(MIB), 16);
    let flags = ["-x4", "-s4", "-k1M", "--max-download-limit=64M"];
    let _ = aria2(ground, &[&flags[..], &[&ground.url("/large.bin")]].concat()).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
    let count = ground.log_lines(4, "\"path\":\"/large.bin\"").len();
    assert!((4..=16).contains(&count), "{count} transfers");
}

fn resumes(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    fs::write(ground.home().join("data.bin"), &tree::content("data.bin")[..2_000_000]).unwrap();
    let _ = aria2(ground, &["--continue=true", &ground.url("/data.bin")]).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
    // aria2 goes on at the last whole MiB that it has.
    let bytes = ground.wire_bytes("download", "/data.bin", 1);
    assert!(bytes[0] >= DATA_BYTES as u64 - 2_000_000 && bytes[0] < DATA_BYTES as u64, "{bytes:?}");
}

/// Ended half-way, with its notes of what it has of each segment beside the file.
fn resumes_segments(ground: &Ground) {
    files::write_repeated(&ground.root().join("large.bin"), &noise(MIB), 16);
    let url = ground.url("/large.bin");
    let slowly = ["-x4", "-s4", "-k1M", "--max-download-limit=6M", "--stop=1", &url];
    let broken = aria2(ground, &slowly);
    assert!(!broken.status.success() && ground.home().join("large.bin.aria2").exists(), "{broken:?}");
    let _ = aria2(ground, &["-x4", "-s4", "-k1M", &url]).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
}

fn fetches_from_a_list(ground: &Ground) {
    let names: Vec<String> = (0..6).map(|number| format!("folder-{}/file-{number}", number % 3)).collect();
    tree::plant(ground.root(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let entries = names.iter().map(|name| format!("{}\n  out={name}\n", ground.url(&format!("/{name}"))));
    let list = ground.home().join("list");
    fs::write(&list, entries.collect::<String>()).unwrap();
    let _ = aria2(ground, &["--input-file=list", "--max-concurrent-downloads=4"]).succeeded();
    fs::remove_file(list).unwrap();
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
}

fn keeps_odd_names(ground: &Ground) {
    tree::plant(ground.root(), &["some blanks.txt", "Grüße – 日本.txt", "[x].txt", "star*.txt", "-dash.txt"]);
    let paths =
        ["some%20blanks.txt", "Gr%C3%BC%C3%9Fe%20%E2%80%93%20%E6%97%A5%E6%9C%AC.txt", "%5Bx%5D.txt", "star%2A.txt"];
    let urls: Vec<String> = paths.iter().chain(&["-dash.txt"]).map(|path| ground.url(&format!("/{path}"))).collect();
    let mut arguments = vec!["--force-sequential=true"];
    arguments.extend(urls.iter().map(String::as_str));
    let _ = aria2(ground, &arguments).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
}

fn tells_what_is_missing(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt"]);
    let missing = aria2(ground, &[&ground.url("/nothing")]);
    assert_eq!(missing.status.code(), Some(3), "{missing:?}");
    let stranger = aria2(ground, &["--ftp-user=nobody", "--ftp-passwd=wrong", &ground.url("/a.txt")]);
    assert!(!stranger.status.success(), "{stranger:?}");
}
