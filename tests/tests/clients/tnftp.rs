//! tnftp, the `ftp` of the BSDs: typed commands, and its URL form.

use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::on_both_drivers;
use mayfly_tests::process::Ran;
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
    gets_what_is_newer: passive;
    makes_moves_and_removes: passive active;
    fetches_urls: passive active ipv6;
    uploads_to_urls: passive active ipv6;
    fetches_url_patterns: passive active;
    lists_by_pattern: passive active;
    puts_and_gets_by_pattern: passive active ipv6;
    tells_what_is_missing: passive ipv6;
}

fn way(ground: &Ground) -> &'static str {
    if ground.mode == Mode::Active { "-A" } else { "-p" }
}

/// Types these lines after a login, and gives all that was said.
fn typed(ground: &Ground, lines: &[&str]) -> String {
    let [host, port] = ground.host_and_port();
    let input = format!("user anonymous me\nverbose\nprompt\n{}\nquit\n", lines.join("\n"));
    let ran = ground.run_fed("tnftp", &["-n", "-d", way(ground), "-P", &port, &host], &input).succeeded();
    let said = ran.stdout + &ran.stderr;
    assert!(!said.contains("?Invalid") && !said.contains("usage:") && said.contains("221 Goodbye."), "{said}");
    said
}

fn urls(ground: &Ground, arguments: &[&str]) -> Ran {
    let mut all = vec![way(ground), "-V"];
    all.extend(arguments);
    ground.run("tnftp", &all)
}

/// Times come back by `MDTM`; what is put has the time at which it came.
fn puts_and_gets(ground: &Ground) {
    tree::plant(&ground.home(), &["data.bin", "empty", "Grüße – 日本.txt"]);
    let puts =
        ["mkdir scans", "site EXPIRY scans 1h", "cd scans", "put data.bin", "put empty", "put \"Grüße – 日本.txt\""];
    let said = typed(ground, &puts);
    assert_eq!(said.matches("226 Transfer complete.").count(), 3, "{said}");
    tree::assert_same(&ground.home(), &ground.root().join("scans"), Times::New);
    fs::create_dir(ground.home().join("down")).unwrap();
    let down = ["lcd down", "cd scans", "get data.bin", "get empty", "get \"Grüße – 日本.txt\""];
    typed(ground, &down);
    tree::assert_same(&ground.root().join("scans"), &ground.home().join("down"), Times::Seconds);
}

fn lists(ground: &Ground) {
    tree::plant(ground.root(), &tree::PLAIN);
    tree::plant(ground.root(), &tree::ODD);
    let names =
        ["a.txt", "data.bin", "deep", "some blanks.txt", "[x].txt", "Grüße – 日本.txt", "-dash.txt", "star*.txt"];
    for command in ["ls", "nlist", "mlsd"] {
        let said = typed(ground, &[command]);
        for name in names {
            assert!(said.lines().any(|line| line.ends_with(name)), "{command}, {name}: {said}");
        }
    }
    let said = typed(ground, &["dir . listing", "mls deep names", "pls"]);
    let long = fs::read_to_string(ground.home().join("listing")).unwrap();
    assert!(long.lines().any(|line| line.ends_with(" 3145735 Jun 15  2019 data.bin")), "{long} {said}");
    let names = fs::read_to_string(ground.home().join("names")).unwrap();
    let mut names: Vec<&str> = names.lines().map(|name| name.trim_start_matches("deep/")).collect();
    names.sort_unstable();
    assert_eq!(names, ["er", "none", "with blanks"]);
}

fn resumes_a_download(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    fs::write(ground.home().join("data.bin"), &tree::content("data.bin")[..2_000_000]).unwrap();
    typed(ground, &["reget data.bin"]);
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
    assert_eq!(ground.wire_bytes("download", "/data.bin", 1), [DATA_BYTES as u64 - 2_000_000]);
}

fn restarts_an_upload(ground: &Ground) {
    tree::plant(&ground.home(), &["data.bin"]);
    fs::write(ground.root().join("data.bin"), &tree::content("data.bin")[..2_000_000]).unwrap();
    typed(ground, &["restart 2000000", "put data.bin"]);
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
    let asks = ["size data.bin", "modtime data.bin", "mlst data.bin", "cd deep/er", "pwd", "cdup", "pwd"];
    let said = typed(ground, &asks.into_iter().chain(["system", "features", "rstatus", "rhelp"]).collect::<Vec<_>>());
    for part in [
        "data.bin\t3145735",
        "data.bin\tSat, 15 Jun 2019 12:34:56 +0000",
        "size=3145735;modify=20190615123456;",
        "Remote directory: /deep/er\n",
        "Remote directory: /deep\n",
        "215 UNIX Type: L8",
        "211 End",
        "211 End of status",
        "214 Help OK.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

fn gets_what_is_newer(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt", "b.txt"]);
    tree::plant(&ground.home(), &["a.txt"]);
    fs::write(ground.home().join("b.txt"), "older").unwrap();
    fs::File::options()
        .write(true)
        .open(ground.home().join("b.txt"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    let said = typed(ground, &["newer a.txt", "newer b.txt"]);
    assert!(said.contains("Local file \"a.txt\" is newer"), "{said}");
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
    assert_eq!(ground.wire_bytes("download", "/b.txt", 1).len(), 1);
}

fn makes_moves_and_removes(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt", "b.txt", "c.txt"]);
    let moves =
        ["mkdir made", "mkdir gone", "rename a.txt made/d.txt", "delete b.txt", "rmdir gone", "rename c.txt \"e f\""];
    let said = typed(ground, &moves);
    assert!(!said.contains("\n5"), "{said}");
    assert_eq!(tree::found(ground.root()).into_keys().collect::<Vec<_>>(), ["e f", "made/", "made/d.txt"]);
}

fn fetches_urls(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin", "deep/er/leaf.txt", "some blanks.txt"]);
    let _ = urls(ground, &[&ground.url("/data.bin"), &ground.url("/some%20blanks.txt")]).succeeded();
    let _ = urls(ground, &["-o", "leaf", &ground.url("/deep/er/leaf.txt")]).succeeded();
    for (path, name) in [("data.bin", "data.bin"), ("some blanks.txt", "some blanks.txt"), ("deep/er/leaf.txt", "leaf")]
    {
        assert!(fs::read(ground.home().join(name)).unwrap() == tree::content(path), "{path}");
        tree::assert_time(&ground.root().join(path), &ground.home().join(name), Times::Seconds);
    }
}

fn uploads_to_urls(ground: &Ground) {
    tree::plant(&ground.home(), &["data.bin", "a.txt"]);
    fs::create_dir(ground.root().join("up")).unwrap();
    let _ = urls(ground, &["-u", &ground.url("/up/"), "data.bin", "a.txt"]).succeeded();
    tree::assert_same(&ground.home(), &ground.root().join("up"), Times::New);
}

fn fetches_url_patterns(ground: &Ground) {
    tree::plant(&ground.root().join("up"), &["a.txt", "b.txt"]);
    tree::plant(ground.root(), &["c.txt"]);
    let _ = urls(ground, &[&ground.url("/up/*.txt")]).succeeded();
    tree::assert_same(&ground.root().join("up"), &ground.home(), Times::Seconds);
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
    tree::assert_same(&ground.root().join("up"), &ground.home().join("down"), Times::Seconds);
    fs::create_dir(ground.home().join("two")).unwrap();
    typed(ground, &["lcd two", "cd up", "mget [a-b].t*"]);
    assert_eq!(tree::found(&ground.home().join("two")).into_keys().collect::<Vec<_>>(), ["a.txt", "b.txt"]);
}

fn tells_what_is_missing(ground: &Ground) {
    let said = typed(ground, &["get nothing", "cd nowhere", "delete nothing"]);
    assert!(said.matches("550 ").count() + said.matches("550-").count() >= 3, "{said}");
    let missing = urls(ground, &[&ground.url("/nothing")]);
    assert!(!missing.status.success(), "{missing:?}");
    assert_eq!(tree::found(&ground.home()).len(), 0);
}
