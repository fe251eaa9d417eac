//! The `ftp` of GNU inetutils, as scripts drive it: commands on standard input.

use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::on_both_drivers;
use mayfly_tests::tree::{self, DATA_BYTES, Times};
use std::fs;

on_both_drivers! {
    puts_and_gets: passive active ipv6;
    lists: passive active ipv6;
    resumes_a_download: passive active ipv6;
    restarts_an_upload: passive active ipv6;
    appends: passive;
    ascii: passive active ipv6;
    asks_about_files: passive ipv6;
    makes_moves_and_removes: passive active;
    stores_under_a_unique_name: passive active;
    lists_by_pattern: passive active;
    puts_and_gets_by_pattern: passive active ipv6;
    removes_by_pattern: passive active;
    tells_what_is_missing: passive ipv6;
}

/// Types these lines after a login, and gives all that was said.
fn typed(ground: &Ground, lines: &[&str]) -> String {
    let [host, port] = ground.host_and_port();
    let input = format!("user anonymous me\nverbose\n{}\nquit\n", lines.join("\n"));
    let way = if ground.mode == Mode::Active { "-A" } else { "-p" };
    let ran = ground.run_fed("inetutils-ftp", &["-n", "-i", "-d", way, &host, &port], &input).succeeded();
    let said = ran.stdout + &ran.stderr;
    assert!(!said.contains("?Invalid") && !said.contains("usage:") && said.contains("221 Goodbye."), "{said}");
    said
}

fn puts_and_gets(ground: &Ground) {
    tree::plant(&ground.home(), &["data.bin", "empty", "Grüße – 日本.txt"]);
    let puts =
        ["mkdir scans", "site EXPIRY scans 1h", "cd scans", "put data.bin", "put empty", "put \"Grüße – 日本.txt\""];
    let said = typed(ground, &puts);
    assert_eq!(said.matches("226 Transfer complete.").count(), 3, "{said}");
    tree::assert_same(&ground.home(), &ground.root().join("scans"), Times::New);
    fs::create_dir(ground.home().join("down")).unwrap();
    typed(ground, &["lcd down", "cd scans", "get data.bin", "get empty", "get \"Grüße – 日本.txt\""]);
    tree::assert_same(&ground.root().join("scans"), &ground.home().join("down"), Times::New);
}

fn lists(ground: &Ground) {
    tree::plant(ground.root(), &tree::PLAIN);
    tree::plant(ground.root(), &tree::ODD);
    let names =
        ["a.txt", "data.bin", "deep", "some blanks.txt", "[x].txt", "Grüße – 日本.txt", "-dash.txt", "star*.txt"];
    for command in ["ls", "dir", "nlist"] {
        let said = typed(ground, &[command]);
        for name in names {
            assert!(said.lines().any(|line| line.ends_with(name)), "{command}, {name}: {said}");
        }
    }
    typed(ground, &["dir . listing", "nlist deep names", "mdir . deep both"]);
    let read = |name: &str| fs::read_to_string(ground.home().join(name)).unwrap();
    let long = read("listing");
    assert!(long.lines().any(|line| line.ends_with(" 3145735 Jun 15  2019 data.bin")), "{long}");
    let names = read("names");
    let mut names: Vec<&str> = names.lines().map(|name| name.trim_start_matches("deep/")).collect();
    names.sort_unstable();
    assert_eq!(names, ["er", "none", "with blanks"]);
    let both = read("both");
    assert!(both.contains(" data.bin") && both.contains(" with blanks"), "{both}");
}

fn resumes_a_download(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    fs::write(ground.home().join("data.bin"), &tree::content("data.bin")[..2_000_000]).unwrap();
    typed(ground, &["binary", "reget data.bin"]);
    tree::assert_same(ground.root(), &ground.home(), Times::New);
    assert_eq!(ground.wire_bytes("download", "/data.bin", 1), [DATA_BYTES as u64 - 2_000_000]);
}

fn restarts_an_upload(ground: &Ground) {
    tree::plant(&ground.home(), &["data.bin"]);
    fs::write(ground.root().join("data.bin"), &tree::content("data.bin")[..2_000_000]).unwrap();
    typed(ground, &["binary", "restart 2000000", "put data.bin"]);
    tree::assert_same(&ground.home(), ground.root(), Times::New);
    assert_eq!(ground.wire_bytes("upload", "/data.bin", 1), [DATA_BYTES as u64 - 2_000_000]);
}

fn appends(ground: &Ground) {
    tree::plant(&ground.home(), &["a.txt"]);
    typed(ground, &["append a.txt both.txt", "append a.txt both.txt"]);
    assert_eq!(fs::read(ground.root().join("both.txt")).unwrap(), tree::content("a.txt").repeat(2));
}

fn ascii(ground: &Ground) {
    let lines = "one\ntwo\n\nfour\n";
    fs::write(ground.home().join("lines"), lines).unwrap();
    typed(ground, &["ascii", "put lines", "get lines back", "binary", "get lines same"]);
    assert_eq!(fs::read_to_string(ground.root().join("lines")).unwrap(), lines);
    for name in ["back", "same"] {
        assert_eq!(fs::read_to_string(ground.home().join(name)).unwrap(), lines, "{name}");
    }
    assert_eq!(ground.wire_bytes("upload", "/lines", 1), [lines.len() as u64 + 4]);
    assert_eq!(ground.wire_bytes("download", "/lines", 2), [lines.len() as u64 + 4, lines.len() as u64]);
}

fn asks_about_files(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin", "deep/er/leaf.txt"]);
    let asks = ["size data.bin", "modtime data.bin", "cd deep/er", "pwd", "cdup", "pwd", "system", "rstatus", "rhelp"];
    let said = typed(ground, &asks);
    for part in [
        "213 3145735",
        "06/15/2019 12:34:56 GMT",
        "257 \"/deep/er\" is the current directory",
        "257 \"/deep\" is the current directory",
        "215 UNIX Type: L8",
        "211 End of status",
        "214 Help OK.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

fn makes_moves_and_removes(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt", "b.txt", "c.txt"]);
    let moves =
        ["mkdir made", "mkdir gone", "rename a.txt made/d.txt", "delete b.txt", "rmdir gone", "rename c.txt \"e f\""];
    let said = typed(ground, &moves);
    assert!(!said.contains("\n5"), "{said}");
    assert_eq!(tree::found(ground.root()).into_keys().collect::<Vec<_>>(), ["e f", "made/", "made/d.txt"]);
}

/// `sunique` sends `STOU`; the server chooses a name that is free.
fn stores_under_a_unique_name(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt"]);
    fs::write(ground.home().join("a.txt"), "another").unwrap();
    let said = typed(ground, &["sunique", "put a.txt"]);
    assert!(said.contains("226 "), "{said}");
    let found = tree::found(ground.root());
    assert_eq!(found["a.txt"], Some(tree::content("a.txt")), "the first is as it was");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.values().any(|bytes| bytes.as_deref() == Some(b"another")), "{found:?}");
}

fn lists_by_pattern(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt", "b.txt", "data.bin"]);
    let said = typed(ground, &["ls *.txt", "nlist ?.txt"]);
    assert_eq!(said.lines().filter(|line| line.ends_with("a.txt")).count(), 2, "{said}");
    assert_eq!(said.lines().filter(|line| line.ends_with("b.txt")).count(), 2, "{said}");
    assert!(!said.contains("data.bin"), "{said}");
}

/// `mget` lets the server match by `NLST`.
fn puts_and_gets_by_pattern(ground: &Ground) {
    tree::plant(
        &ground.home(),
        &["a.txt", "b.txt", "c.text", "some blanks.txt", "[x].txt", "Grüße – 日本.txt", "-dash.txt"],
    );
    typed(ground, &["mkdir up", "cd up", "mput *.txt c.tex?"]);
    tree::assert_same(&ground.home(), &ground.root().join("up"), Times::New);
    fs::create_dir(ground.home().join("down")).unwrap();
    typed(ground, &["lcd down", "cd up", "mget *.txt ?.text"]);
    tree::assert_same(&ground.root().join("up"), &ground.home().join("down"), Times::New);
    fs::create_dir(ground.home().join("two")).unwrap();
    typed(ground, &["lcd two", "cd up", "mget [a-b].t*"]);
    assert_eq!(tree::found(&ground.home().join("two")).into_keys().collect::<Vec<_>>(), ["a.txt", "b.txt"]);
}

fn removes_by_pattern(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt", "b.txt", "some blanks.txt", "data.bin"]);
    typed(ground, &["mdelete *.txt"]);
    assert_eq!(tree::found(ground.root()).into_keys().collect::<Vec<_>>(), ["data.bin"]);
}

fn tells_what_is_missing(ground: &Ground) {
    let said = typed(ground, &["get nothing", "cd nowhere", "delete nothing", "ls nowhere"]);
    assert!(said.matches("550 ").count() + said.matches("550-").count() >= 4, "{said}");
}
