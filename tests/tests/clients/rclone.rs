//! rclone's ftp backend, which keeps whole trees the same: it lists with `MLSD`, and sets times with `MFMT`. It makes
//! passive data connections alone.

use mayfly_tests::ground::Ground;
use mayfly_tests::on_both_drivers;
use mayfly_tests::process::Ran;
use mayfly_tests::tree::{self, DATA_BYTES, Times};
use std::fs;

on_both_drivers! {
    syncs_up_and_down: passive ipv6;
    syncs_only_what_differs: passive ipv6;
    checks: passive ipv6;
    copies: passive ipv6;
    lists: passive ipv6;
    lists_without_mlsd: passive;
    makes_and_purges_folders: passive ipv6;
    moves_and_removes: passive;
    pipes: passive;
    reads_from_the_middle: passive ipv6;
    touches: passive;
    tells_what_is_missing: passive ipv6;
}

fn rclone(ground: &Ground, arguments: &[&str]) -> Ran {
    rclone_fed(ground, arguments, "")
}

/// `:ftp:` is a remote that the environment alone describes.
fn rclone_fed(ground: &Ground, arguments: &[&str], input: &str) -> Ran {
    let [host, port] = ground.host_and_port();
    // It joins host and port by itself, and puts no brackets.
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let password = ground.run("rclone", &["obscure", "me"]).succeeded().stdout;
    let mut command = ground.command("rclone");
    command.env("RCLONE_CONFIG", "").env("RCLONE_FTP_HOST", host).env("RCLONE_FTP_PORT", port);
    command
        .env("RCLONE_FTP_USER", "anonymous")
        .env("RCLONE_FTP_PASS", password.trim())
        .env("RCLONE_FTP_CONCURRENCY", "4");
    command.args(["--retries=1", "--low-level-retries=1", "--contimeout=30s", "--timeout=30s"]);
    mayfly_tests::process::run_fed(command.args(arguments), input)
}

fn plant_all(folder: &std::path::Path) {
    tree::plant(folder, &tree::PLAIN);
    tree::plant(folder, &tree::ODD);
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Empty folders and times to the second, both ways.
fn syncs_up_and_down(ground: &Ground) {
    let local = ground.home().join("tree");
    plant_all(&local);
    let _ = rclone(ground, &["sync", "--create-empty-src-dirs", "tree", ":ftp:/up/here"]).succeeded();
    tree::assert_same(&local, &ground.root().join("up/here"), Times::Seconds);
    let _ = rclone(ground, &["sync", "--create-empty-src-dirs", ":ftp:/up/here", "down"]).succeeded();
    tree::assert_same(&local, &ground.home().join("down"), Times::Seconds);
}

/// What has the same size and time is left alone, what is new comes, what is gone goes.
fn syncs_only_what_differs(ground: &Ground) {
    let local = ground.home().join("tree");
    plant_all(&local);
    let sync = || rclone(ground, &["sync", "--create-empty-src-dirs", "tree", ":ftp:/up"]).succeeded();
    let _ = (sync(), sync());
    fs::remove_dir_all(local.join("deep/er")).unwrap();
    fs::remove_file(local.join("[x].txt")).unwrap();
    fs::write(local.join("a.txt"), "changed").unwrap();
    let _ = sync();
    tree::assert_same(&local, &ground.root().join("up"), Times::Seconds);
    assert_eq!(ground.wire_bytes("upload", "/up/data.bin", 1), [DATA_BYTES as u64]);
    assert_eq!(ground.wire_bytes("upload", "/up/a.txt", 2)[1], "changed".len() as u64);
}

fn checks(ground: &Ground) {
    plant_all(ground.root());
    plant_all(&ground.home());
    let same = rclone(ground, &["check", "--download", ":ftp:/", "."]).succeeded();
    assert!(same.stderr.contains("0 differences found"), "{same:?}");
    fs::write(ground.root().join("a.txt"), tree::content("b.txt")).unwrap();
    let differs = rclone(ground, &["check", "--download", ":ftp:/", "."]);
    assert_eq!(differs.status.code(), Some(1), "{differs:?}");
    assert!(differs.stderr.contains("1 differences found"), "{differs:?}");
}

/// One file into a folder that is not there yet, a filtered tree, and a file under another name.
fn copies(ground: &Ground) {
    let local = ground.home().join("tree");
    plant_all(&local);
    let _ = rclone(ground, &["copy", "tree/data.bin", ":ftp:/one/two"]).succeeded();
    tree::assert_time(&local.join("data.bin"), &ground.root().join("one/two/data.bin"), Times::Seconds);
    let _ = rclone(ground, &["copy", "--include", "*.txt", "tree", ":ftp:/texts"]).succeeded();
    let texts = tree::found(&ground.root().join("texts"));
    assert_eq!(texts.values().flatten().count(), 9, "{:?}", texts.keys());
    assert!(!texts.contains_key("data.bin"));
    let _ = rclone(ground, &["copyto", ":ftp:/one/two/data.bin", "other.bin"]).succeeded();
    assert!(fs::read(ground.home().join("other.bin")).unwrap() == tree::content("data.bin"));
    tree::assert_time(&local.join("data.bin"), &ground.home().join("other.bin"), Times::Seconds);
}

fn lists(ground: &Ground) {
    plant_all(ground.root());
    let said = rclone(ground, &["lsl", ":ftp:/"]).succeeded().stdout;
    let lines: Vec<&str> = said.lines().map(str::trim_start).collect();
    for name in ["a.txt", "b.txt"].into_iter().chain(tree::ODD.into_iter().take(5)) {
        let line = format!("{} 2019-06-15 12:34:56.000000000 {name}", tree::content(name).len());
        assert!(lines.contains(&line.as_str()), "{line}: {said}");
    }
    assert!(lines.contains(&"3145735 2019-06-15 12:34:56.000000000 data.bin"), "{said}");
    assert_eq!(lines.len(), 11, "{said}");
    let names = rclone(ground, &["lsf", "--recursive", ":ftp:/"]).succeeded().stdout;
    assert_eq!(sorted(&names), tree::found(ground.root()).keys().collect::<Vec<_>>());
    let folders = rclone(ground, &["lsf", "--dirs-only", ":ftp:/deep"]).succeeded().stdout;
    assert_eq!(sorted(&folders), ["er/", "none/", "with blanks/"]);
    let size = rclone(ground, &["size", "--json", ":ftp:/"]).succeeded().stdout;
    assert!(size.contains("\"count\":11"), "{size}");
}

/// As with servers that have none: `ls -l` is parsed, and each file's time asked by `MDTM`.
fn lists_without_mlsd(ground: &Ground) {
    plant_all(ground.root());
    let names = rclone(ground, &["lsf", "--ftp-disable-mlsd", "--recursive", ":ftp:/"]).succeeded().stdout;
    assert_eq!(sorted(&names), tree::found(ground.root()).keys().collect::<Vec<_>>());
    let said = rclone(ground, &["lsl", "--ftp-disable-mlsd", ":ftp:/"]).succeeded().stdout;
    assert!(said.contains("3145735 2019-06-15 12:34:56.000000000 data.bin\n"), "{said}");
}

fn makes_and_purges_folders(ground: &Ground) {
    let _ = rclone(ground, &["mkdir", ":ftp:/one/two/three"]).succeeded();
    let _ = rclone(ground, &["mkdir", ":ftp:/one/two/three"]).succeeded();
    assert_eq!(tree::found(ground.root()).keys().collect::<Vec<_>>(), ["one/", "one/two/", "one/two/three/"]);
    let _ = rclone(ground, &["rmdir", ":ftp:/one/two/three"]).succeeded();
    plant_all(&ground.root().join("one/two"));
    let full = rclone(ground, &["rmdir", ":ftp:/one/two"]);
    assert!(!full.status.success(), "it is not empty: {full:?}");
    let _ = rclone(ground, &["purge", ":ftp:/one/two"]).succeeded();
    let _ = rclone(ground, &["rmdirs", ":ftp:/one"]).succeeded();
    assert_eq!(tree::found(ground.root()).len(), 0);
}

fn moves_and_removes(ground: &Ground) {
    plant_all(ground.root());
    let _ = rclone(ground, &["moveto", ":ftp:/a.txt", ":ftp:/new/c.txt"]).succeeded();
    let _ = rclone(ground, &["move", ":ftp:/deep", ":ftp:/shallow"]).succeeded();
    let _ = rclone(ground, &["deletefile", ":ftp:/b.txt"]).succeeded();
    let _ = rclone(ground, &["delete", "--include", "*.bin", ":ftp:/"]).succeeded();
    let found = tree::found(ground.root());
    assert_eq!(found["new/c.txt"], Some(tree::content("a.txt")));
    assert_eq!(found["shallow/er/leaf.txt"], Some(tree::content("deep/er/leaf.txt")));
    for path in ["a.txt", "b.txt", "data.bin", "deep/er/leaf.txt"] {
        assert!(!found.contains_key(path), "{path}");
    }
}

fn pipes(ground: &Ground) {
    let text = "line\n".repeat(100_000);
    let _ = rclone_fed(ground, &["rcat", ":ftp:/piped"], &text).succeeded();
    assert_eq!(fs::read_to_string(ground.root().join("piped")).unwrap(), text);
    assert_eq!(rclone(ground, &["cat", ":ftp:/piped"]).succeeded().stdout, text);
}

/// `REST`, and the data connection closed before the end.
fn reads_from_the_middle(ground: &Ground) {
    let numbers: Vec<String> = (100_000..400_000).map(|number| number.to_string()).collect();
    let text = numbers.join("\n") + "\n";
    fs::write(ground.root().join("numbers"), &text).unwrap();
    let said = rclone(ground, &["cat", "--offset", "700000", "--count", "14", ":ftp:/numbers"]).succeeded().stdout;
    assert_eq!(said, "200000\n200001\n");
    let said = rclone(ground, &["cat", "--tail", "7", ":ftp:/numbers"]).succeeded().stdout;
    assert_eq!(said, "399999\n");
}

fn touches(ground: &Ground) {
    tree::plant(ground.root(), &["deep/er/leaf.txt"]);
    let _ = rclone(ground, &["touch", "--timestamp", "2019-06-15T12:34:56", ":ftp:/deep/er/leaf.txt"]).succeeded();
    assert_eq!(tree::modified_s(&ground.root().join("deep/er/leaf.txt")), tree::OLD_S);
    let _ = rclone(ground, &["touch", ":ftp:/new"]).succeeded();
    assert_eq!(fs::read(ground.root().join("new")).unwrap(), b"");
}

/// 3 is "directory not found": it must be told so by `MLSD`, with 450 or 550, and not hear of an empty folder.
fn tells_what_is_missing(ground: &Ground) {
    tree::plant(ground.root(), &["deep/none/"]);
    let _ = rclone(ground, &["lsf", ":ftp:/deep/none"]).succeeded();
    for arguments in [["lsf", ":ftp:/nowhere"], ["purge", ":ftp:/no/where"], ["size", ":ftp:/deep/nowhere"]] {
        let missing = rclone(ground, &arguments);
        assert_eq!(missing.status.code(), Some(3), "{missing:?}");
    }
    let missing = rclone(ground, &["deletefile", ":ftp:/deep/nothing"]);
    assert!(missing.stderr.contains("is a directory or doesn't exist"), "{missing:?}");
    let stranger = rclone(ground, &["lsf", "--ftp-user", "nobody", ":ftp:/"]);
    assert!(stranger.stderr.contains("530"), "{stranger:?}");
}
