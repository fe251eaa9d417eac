//! The client `NcFTP`: `ncftpput`, `ncftpget` and `ncftpls`. They know nothing of IPv6.

use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::on_both_drivers;
use mayfly_tests::process::Ran;
use mayfly_tests::tree::{self, DATA_BYTES, Times};
use std::fs;

on_both_drivers! {
    puts_and_gets_a_tree: passive active;
    puts_odd_names: passive active;
    resumes_a_download: passive active;
    resumes_an_upload: passive active;
    appends: passive;
    renames_into_place: passive active;
    pipes: passive active;
    ascii: passive active;
    sends_raw_commands: passive;
    removes_what_was_copied: passive;
    gets_by_pattern: passive active;
    lists: passive active;
    lists_by_pattern: passive active;
    tells_what_is_missing: passive;
}

fn ncftp(ground: &Ground, program: &str, flags: &[&str], rest: &[&str]) -> Ran {
    let [host, port] = ground.host_and_port();
    let mut all = vec!["-P", &port, if ground.mode == Mode::Active { "-E" } else { "-F" }];
    if program != "ncftpls" {
        all.push("-V");
    }
    all.extend(flags);
    all.push(&host);
    all.extend(rest);
    ground.run(program, &all)
}

/// Times go there by `MFMT`, and come back by `MDTM`.
fn puts_and_gets_a_tree(ground: &Ground) {
    let local = ground.home().join("tree");
    tree::plant(&local, &tree::PLAIN);
    tree::plant(&local, &tree::ODD);
    let _ = ncftp(ground, "ncftpput", &["-R", "-m"], &["/up", "tree"]).succeeded();
    tree::assert_same(&local, &ground.root().join("up/tree"), Times::Seconds);
    fs::create_dir(ground.home().join("down")).unwrap();
    // Not by way of a tar file that the server would have to make.
    let _ = ncftp(ground, "ncftpget", &["-R", "-T"], &["down", "/up/tree"]).succeeded();
    tree::assert_same(&local, &ground.home().join("down/tree"), Times::Seconds);
}

fn puts_odd_names(ground: &Ground) {
    let names = &tree::ODD[..5];
    tree::plant(&ground.home(), names);
    let names: Vec<String> = names.iter().map(|name| format!("./{name}")).collect();
    let rest: Vec<&str> = ["/"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let _ = ncftp(ground, "ncftpput", &[], &rest).succeeded();
    tree::assert_same(&ground.home(), ground.root(), Times::Seconds);
}

fn resumes_a_download(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    let here = ground.home().join("data.bin");
    fs::write(&here, &tree::content("data.bin")[..1_000_000]).unwrap();
    // It resumes what is older or as old, and shorter.
    fs::File::options().write(true).open(&here).unwrap().set_modified(tree::old()).unwrap();
    let _ = ncftp(ground, "ncftpget", &["-z"], &[".", "/data.bin"]).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
    assert_eq!(ground.wire_bytes("download", "/data.bin", 1), [DATA_BYTES as u64 - 1_000_000]);
}

/// Without `-s` its `sendfile` starts at the file's first byte, whatever `REST` said.
fn resumes_an_upload(ground: &Ground) {
    tree::plant(&ground.home(), &["data.bin"]);
    let there = ground.root().join("data.bin");
    fs::write(&there, &tree::content("data.bin")[..1_000_000]).unwrap();
    fs::File::options().write(true).open(&there).unwrap().set_modified(tree::old()).unwrap();
    let _ = ncftp(ground, "ncftpput", &["-z", "-s"], &["/", "data.bin"]).succeeded();
    tree::assert_same(&ground.home(), ground.root(), Times::Seconds);
    assert_eq!(ground.wire_bytes("upload", "/data.bin", 1), [DATA_BYTES as u64 - 1_000_000]);
}

fn appends(ground: &Ground) {
    tree::plant(&ground.home(), &["a.txt"]);
    for _ in 0..2 {
        let _ = ncftp(ground, "ncftpput", &["-A"], &["/", "a.txt"]).succeeded();
    }
    assert_eq!(fs::read(ground.root().join("a.txt")).unwrap(), tree::content("a.txt").repeat(2));
}

/// Uploads under another name first, renames, and leaves nothing behind.
fn renames_into_place(ground: &Ground) {
    tree::plant(&ground.home(), &["a.txt", "data.bin"]);
    let _ = ncftp(ground, "ncftpput", &["-T", "part.", "-S", ".new"], &["/", "a.txt", "data.bin"]).succeeded();
    tree::assert_same(&ground.home(), ground.root(), Times::Seconds);
    assert_eq!(ground.wire_bytes("upload", "/part.data.bin.new", 1), [DATA_BYTES as u64]);
}

fn pipes(ground: &Ground) {
    let [host, port] = ground.host_and_port();
    let way = if ground.mode == Mode::Active { "-E" } else { "-F" };
    let text = "line\n".repeat(10_000);
    let _ = ground.run_fed("ncftpput", &["-P", &port, way, "-V", "-c", &host, "/piped"], &text).succeeded();
    assert_eq!(fs::read_to_string(ground.root().join("piped")).unwrap(), text);
    assert_eq!(ncftp(ground, "ncftpget", &["-c"], &["/piped"]).succeeded().stdout, text);
}

/// It takes ASCII for the type in which a session begins, and must be told to ask for it.
fn ascii(ground: &Ground) {
    let flags = ["-a", "-W", "TYPE A"];
    let lines = "one\ntwo\n\nfour\n";
    fs::write(ground.home().join("lines"), lines).unwrap();
    let _ = ncftp(ground, "ncftpput", &flags, &["/", "lines"]).succeeded();
    assert_eq!(fs::read_to_string(ground.root().join("lines")).unwrap(), lines);
    fs::create_dir(ground.home().join("down")).unwrap();
    let _ = ncftp(ground, "ncftpget", &flags, &["down", "/lines"]).succeeded();
    assert_eq!(fs::read_to_string(ground.home().join("down/lines")).unwrap(), lines);
    for kind in ["upload", "download"] {
        assert_eq!(ground.wire_bytes(kind, "/lines", 1), [lines.len() as u64 + 4], "{kind}");
    }
}

/// After login, after each file, and before the end.
fn sends_raw_commands(ground: &Ground) {
    tree::plant(&ground.home(), &["a.txt"]);
    let raw = ["-W", "MKD /made", "-X", "SITE EXPIRY /made 1h", "-Y", "MKD /last"];
    let _ = ncftp(ground, "ncftpput", &raw, &["/made", "a.txt"]).succeeded();
    let paths = tree::found(ground.root());
    assert_eq!(paths.keys().collect::<Vec<_>>(), ["last/", "made/", "made/a.txt"]);
    assert!(ground.log_line("expiry set").contains("/made"));
}

fn removes_what_was_copied(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt", "b.txt"]);
    let _ = ncftp(ground, "ncftpget", &["-DD"], &[".", "/a.txt"]).succeeded();
    let _ = ncftp(ground, "ncftpput", &["-DD"], &["/", "a.txt"]).succeeded();
    let _ = ncftp(ground, "ncftpget", &["-DD"], &[".", "/b.txt"]).succeeded();
    let names = [&ground.home(), ground.root()].map(|folder| tree::found(folder).into_keys().collect::<Vec<_>>());
    assert_eq!(names, [["b.txt"], ["a.txt"]]);
}

/// The server matches: `NLST /up/*.txt`.
fn gets_by_pattern(ground: &Ground) {
    tree::plant(&ground.root().join("up"), &["a.txt", "b.txt", "some blanks.txt", "data.bin", "empty"]);
    let _ = ncftp(ground, "ncftpget", &[], &[".", "/up/*.txt", "/up/[d]ata.???", "/up/empty"]).succeeded();
    tree::assert_same(&ground.root().join("up"), &ground.home(), Times::Seconds);
}

/// `ncftpls` takes a URL, and wants the port beside it.
fn ls(ground: &Ground, flags: &[&str], path: &str) -> Vec<String> {
    let [host, port] = ground.host_and_port();
    let url = format!("ftp://{host}{path}");
    let mut all = vec!["-P", &port, if ground.mode == Mode::Active { "-E" } else { "-F" }];
    all.extend(flags);
    all.push(&url);
    let said = ground.run("ncftpls", &all).succeeded().stdout;
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn lists(ground: &Ground) {
    tree::plant(
        &ground.root().join("up"),
        &["a.txt", "data.bin", "some blanks.txt", "Grüße – 日本.txt", "deep/er/leaf"],
    );
    let names = ["Grüße – 日本.txt", "a.txt", "data.bin", "deep", "some blanks.txt"];
    assert_eq!(ls(ground, &["-1"], "/up/"), names);
    let columns = ls(ground, &[], "/up/").join(" ");
    for name in names {
        assert!(columns.contains(name), "{name}: {columns}");
    }
    let long = ls(ground, &["-l"], "/up/");
    assert_eq!(long.iter().filter(|line| line.starts_with("-rw")).count(), 4, "{long:?}");
    assert!(long.iter().any(|line| line.ends_with(" 3145735 Jun 15  2019 data.bin")), "{long:?}");
    assert!(long.iter().any(|line| line.starts_with("drwx") && line.ends_with(" deep")), "{long:?}");
    let all = ls(ground, &["-R"], "/up/").join("\n");
    assert!(all.contains("leaf"), "{all}");
}

fn lists_by_pattern(ground: &Ground) {
    tree::plant(&ground.root().join("up"), &["a.txt", "b.txt", "ab.text", "data.bin"]);
    assert_eq!(ls(ground, &["-1"], "/up/*.txt"), ["a.txt", "b.txt"]);
    assert_eq!(ls(ground, &["-1"], "/up/?.t*t"), ["a.txt", "b.txt"]);
    assert_eq!(ls(ground, &["-l"], "/up/a*").len(), 2);
}

fn tells_what_is_missing(ground: &Ground) {
    tree::plant(&ground.home(), &["a.txt"]);
    for (program, rest) in [("ncftpget", [".", "/nothing"]), ("ncftpput", ["/nowhere", "a.txt"])] {
        let missing = ncftp(ground, program, &[], &rest);
        assert!(!missing.status.success() && missing.stderr.contains("server said: Failed to"), "{missing:?}");
    }
    let stranger = ncftp(ground, "ncftpget", &["-u", "nobody", "-p", "wrong"], &[".", "/a.txt"]);
    assert!(!stranger.status.success(), "{stranger:?}");
}
