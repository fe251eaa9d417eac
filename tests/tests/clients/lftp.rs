//! lftp: mirrors, segments, resumption, patterns, and each of its ways to list.

use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::on_both_drivers;
use mayfly_tests::process::Ran;
use mayfly_tests::tree::{self, DATA_BYTES, Times};
use mayfly_tests::{files, noise};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

on_both_drivers! {
    mirrors_down: passive active ipv6;
    mirrors_up: passive active ipv6;
    mirrors_only_what_is_newer: passive ipv6;
    mirrors_and_deletes: passive ipv6;
    mirrors_by_list: passive active;
    mirrors_in_parallel: passive active;
    gets_in_segments: passive active ipv6;
    continues_get_and_put: passive active ipv6;
    puts_and_gets_by_pattern: passive active ipv6;
    lists: passive active ipv6;
    lists_by_stat: passive active;
    moves_and_removes: passive active;
    pipelines: passive active;
    deflates: passive active ipv6;
    changes_modes: passive;
    ascii: passive active;
    tells_what_is_missing: passive ipv6;
}

/// Without `MODE Z`, which lftp would choose by itself and in which the wire's bytes are not the file's.
fn lftp(ground: &Ground, commands: &str) -> Ran {
    let passive = ground.mode != Mode::Active;
    let script = format!(
        "set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 30; set ftp:ssl-allow no; \
         set ftp:use-mode-z no; set ftp:passive-mode {passive}; open {}; {commands}",
        ground.url("/"),
    );
    ground.run("lftp", &["--norc", "-c", &script])
}

fn said(ground: &Ground, commands: &str) -> Vec<String> {
    let mut lines: Vec<String> = lftp(ground, commands).succeeded().stdout.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn plant_all(folder: &std::path::Path) {
    tree::plant(folder, &tree::PLAIN);
    tree::plant(folder, &tree::ODD);
}

fn mirrors_down(ground: &Ground) {
    plant_all(ground.root());
    let _ = lftp(ground, "mirror / .").succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
}

/// lftp sets each file's time with `MFMT`.
fn mirrors_up(ground: &Ground) {
    plant_all(&ground.home());
    let _ = lftp(ground, "mkdir scans; site EXPIRY scans 1h; mirror --reverse . /scans").succeeded();
    tree::assert_same(&ground.home(), &ground.root().join("scans"), Times::Seconds);
}

/// A second mirror in either direction sends nothing, for sizes and times are the same.
fn mirrors_only_what_is_newer(ground: &Ground) {
    let local = ground.home().join("tree");
    plant_all(&local);
    let _ = lftp(ground, "mirror -R tree /up; mirror -R tree /up; mirror /up down; mirror /up down").succeeded();
    tree::assert_same(&local, &ground.home().join("down"), Times::Seconds);
    tree::plant(&local, &["more.txt"]);
    fs::write(local.join("a.txt"), "changed").unwrap();
    let _ = lftp(ground, "mirror -R tree /up; mirror /up down").succeeded();
    tree::assert_same(&local, &ground.home().join("down"), Times::Seconds);
    for kind in ["upload", "download"] {
        assert_eq!(ground.wire_bytes(kind, "/up/data.bin", 1), [DATA_BYTES as u64]);
        assert_eq!(ground.wire_bytes(kind, "/up/a.txt", 2).pop(), Some("changed".len() as u64));
        assert_eq!(ground.wire_bytes(kind, "/up/more.txt", 1).len(), 1);
    }
}

fn mirrors_and_deletes(ground: &Ground) {
    plant_all(&ground.home());
    plant_all(&ground.root().join("up"));
    tree::plant(&ground.root().join("up"), &["gone.txt", "gone/deep/[er] *.txt", "deep/er/gone too"]);
    let _ = lftp(ground, "mirror --reverse --delete . /up").succeeded();
    tree::assert_same(&ground.home(), &ground.root().join("up"), Times::Seconds);
}

/// Where a server has no `MLSD`, lftp parses `ls -l`, and asks each file's time by `MDTM`.
fn mirrors_by_list(ground: &Ground) {
    plant_all(ground.root());
    let _ = lftp(ground, "set ftp:use-mlsd no; mirror / dated").succeeded();
    tree::assert_same(ground.root(), &ground.home().join("dated"), Times::Seconds);
    let _ = lftp(ground, "set ftp:use-mlsd no; set ftp:use-mdtm no; mirror / rough").succeeded();
    tree::assert_same(ground.root(), &ground.home().join("rough"), Times::OfList);
}

fn mirrors_in_parallel(ground: &Ground) {
    let names: Vec<String> = (0..40).map(|number| format!("folder-{}/file-{number}", number % 5)).collect();
    let local = ground.home().join("tree");
    tree::plant(&local, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let _ = lftp(ground, "mirror -R --parallel=5 tree /up; mirror --parallel=5 /up down").succeeded();
    tree::assert_same(&local, &ground.root().join("up"), Times::Seconds);
    tree::assert_same(&local, &ground.home().join("down"), Times::Seconds);
}

/// Four transfers of one file at the same time, each from another offset.
fn gets_in_segments(ground: &Ground) {
    const MIB: usize = 1 << 20;
    files::write_repeated(&ground.root().join("large.bin"), &noise(MIB), 16);
    // At full speed the first transfer would be through before the others are logged in.
    let slowly = "set net:limit-rate 16M; set net:limit-max 256k; set net:socket-buffer 65536";
    let _ = lftp(ground, &format!("{slowly}; pget -n 4 large.bin")).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
    let bytes = ground.wire_bytes("download", "/large.bin", 4);
    assert!(bytes.iter().any(|bytes| *bytes <= 4 * MIB as u64), "the last quarter alone: {bytes:?}");
}

fn continues_get_and_put(ground: &Ground) {
    let bytes = tree::content("data.bin");
    tree::plant(&ground.home(), &["data.bin"]);
    fs::write(ground.root().join("data.bin"), &bytes[..1_000_000]).unwrap();
    let _ = lftp(ground, "put -c data.bin").succeeded();
    assert!(fs::read(ground.root().join("data.bin")).unwrap() == bytes, "put -c");
    assert_eq!(ground.wire_bytes("upload", "/data.bin", 1), [DATA_BYTES as u64 - 1_000_000]);
    fs::write(ground.home().join("again.bin"), &bytes[..2_500_000]).unwrap();
    let _ = lftp(ground, "get -c data.bin -o again.bin").succeeded();
    assert!(fs::read(ground.home().join("again.bin")).unwrap() == bytes, "get -c");
    assert_eq!(ground.wire_bytes("download", "/data.bin", 1), [DATA_BYTES as u64 - 2_500_000]);
}

fn puts_and_gets_by_pattern(ground: &Ground) {
    let local = ground.home().join("local");
    plant_all(&local);
    fs::create_dir(ground.home().join("fetched")).unwrap();
    let _ = lftp(ground, "mkdir up; cd up; mput local/*.txt; mget -O fetched *.txt").succeeded();
    for name in ["data.bin", "empty"] {
        fs::remove_file(local.join(name)).unwrap();
    }
    fs::remove_dir_all(local.join("deep")).unwrap();
    tree::assert_same(&local, &ground.root().join("up"), Times::Seconds);
    tree::assert_same(&local, &ground.home().join("fetched"), Times::Seconds);
    let _ = lftp(ground, "cd up; mget -O . [ab].??t").succeeded();
    let names: Vec<String> = tree::found(&ground.home()).into_keys().filter(|path| !path.contains('/')).collect();
    assert_eq!(names, ["a.txt", "b.txt"]);
}

fn lists(ground: &Ground) {
    plant_all(ground.root());
    let top = ["[x].txt", "a.txt", "b.txt", "data.bin", "empty", "some blanks.txt", "star*.txt", "Grüße – 日本.txt"];
    let mut top: Vec<&str> = top.into_iter().chain(["-dash.txt", "deep/"]).collect();
    top.sort_unstable();
    assert_eq!(said(ground, "cls -1"), top);
    let plain: Vec<&str> = top.iter().map(|name| name.trim_end_matches('/')).collect();
    assert_eq!(said(ground, "nlist"), plain);
    let long = said(ground, "cls -l --time-style='%F %T' data.bin");
    assert_eq!(long.len(), 1, "{long:?}");
    assert!(long[0].starts_with("-rw") && long[0].ends_with(" 3145735 2019-06-15 12:34:56 data.bin"), "{long:?}");
    let found = said(ground, "find");
    let expected = tree::found(ground.root());
    let mut expected: Vec<String> = expected.into_keys().map(|path| format!("./{path}")).chain(["./".into()]).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let all = said(ground, "ls -R");
    assert!(all.iter().any(|line| line.ends_with(" leaf.txt")) && all.iter().any(|line| line.ends_with("deep/er:")));
    let lines = said(ground, "ls");
    assert_eq!(lines.len(), top.len(), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with(" 3145735 Jun 15  2019 data.bin")), "{lines:?}");
}

/// `STAT` of a folder is a listing over the control connection.
fn lists_by_stat(ground: &Ground) {
    plant_all(ground.root());
    let by_stat = "set ftp:use-mlsd no; set ftp:use-stat-for-list yes";
    assert_eq!(said(ground, &format!("{by_stat}; cls -1")), said(ground, "cls -1"));
    let _ = lftp(ground, &format!("{by_stat}; mirror /deep deep")).succeeded();
    tree::assert_same(&ground.root().join("deep"), &ground.home().join("deep"), Times::Seconds);
}

fn moves_and_removes(ground: &Ground) {
    plant_all(ground.root());
    let _ = lftp(
        ground,
        "mkdir -p one/two; mv a.txt one/two/c.txt; mv b.txt 'with blanks'; rm -r deep; mrm s*.txt; rm -- -dash.txt",
    );
    let _ = lftp(ground, "mkdir gone; rmdir gone; mrm *.bin").succeeded();
    let names = ["Grüße – 日本.txt", "[x].txt", "empty", "one/", "one/two/", "one/two/c.txt", "with blanks"];
    assert_eq!(tree::found(ground.root()).into_keys().collect::<Vec<_>>(), names);
}

/// Without `sync-mode` lftp sends commands before it has read the replies to those before them.
fn pipelines(ground: &Ground) {
    let local = ground.home().join("tree");
    plant_all(&local);
    let ahead = "set ftp:sync-mode no";
    let _ = lftp(ground, &format!("{ahead}; mirror -R tree /up; mirror /up down")).succeeded();
    tree::assert_same(&local, &ground.root().join("up"), Times::Seconds);
    tree::assert_same(&local, &ground.home().join("down"), Times::Seconds);
}

/// `MODE Z` both ways, which lftp chooses where `FEAT` names it, but for names that look compressed.
fn deflates(ground: &Ground) {
    let text = "the same line, again and again\n".repeat(50_000);
    fs::write(ground.home().join("lines.txt"), &text).unwrap();
    let deflated = "set ftp:use-mode-z yes; set ftp:compressed-re ''";
    let _ = lftp(ground, &format!("{deflated}; put lines.txt; get lines.txt -o back.txt")).succeeded();
    assert!(fs::read_to_string(ground.root().join("lines.txt")).unwrap() == text);
    assert!(fs::read_to_string(ground.home().join("back.txt")).unwrap() == text);
    for kind in ["upload", "download"] {
        let bytes = ground.wire_bytes(kind, "/lines.txt", 1);
        assert!(bytes[0] < text.len() as u64 / 20, "{kind}: {bytes:?}");
    }
}

/// `chmod` is `SITE CHMOD`.
fn changes_modes(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt"]);
    let _ = lftp(ground, "chmod 640 a.txt").succeeded();
    let mode = fs::metadata(ground.root().join("a.txt")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

/// The first transfer must be another: lftp takes ASCII for the type in which a session begins, and does not ask for it.
fn ascii(ground: &Ground) {
    let lines = "one\ntwo\n\nfour\n";
    fs::write(ground.home().join("lines"), lines).unwrap();
    let _ = lftp(ground, "put lines -o binary; put -a lines; get -a lines -o fetched").succeeded();
    assert_eq!(fs::read_to_string(ground.root().join("lines")).unwrap(), lines);
    assert_eq!(fs::read_to_string(ground.home().join("fetched")).unwrap(), lines);
    assert_eq!(ground.wire_bytes("upload", "/lines", 1), [lines.len() as u64 + 4]);
    assert_eq!(ground.wire_bytes("download", "/lines", 1), [lines.len() as u64 + 4]);
}

fn tells_what_is_missing(ground: &Ground) {
    for command in ["get nothing", "cd nowhere", "mv nothing other", "rm nothing", "rmdir nowhere", "mirror /nowhere x"]
    {
        let missing = lftp(ground, command);
        assert!(!missing.status.success() && missing.stderr.contains("550"), "{command}: {missing:?}");
    }
}
