//! wget: whole trees, patterns, resumption and time-stamps, all from `LIST -a`.

use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::on_both_drivers;
use mayfly_tests::process::Ran;
use mayfly_tests::tree::{self, DATA_BYTES, Times};
use std::fs;

on_both_drivers! {
    fetches_a_tree: passive active ipv6;
    fetches_by_pattern: passive active ipv6;
    fetches_from_a_list: passive ipv6;
    continues: passive active ipv6;
    starts_in_the_middle: passive;
    fetches_what_is_newer: passive active ipv6;
    mirrors_twice: passive ipv6;
    shows_a_folder_as_html: passive active;
    looks_without_fetching: passive;
    translates_lines: passive active;
    tells_what_is_missing: passive ipv6;
}

fn wget(ground: &Ground, arguments: &[&str]) -> Ran {
    // Names stay as they are, and no folder is named after the host.
    let mut all = vec!["--tries=1", "--timeout=30", "--no-host-directories", "--restrict-file-names=nocontrol"];
    if ground.mode == Mode::Active {
        all.push("--no-passive-ftp");
    }
    all.extend(arguments);
    ground.run("wget", &all)
}

/// Every name, every byte, and the times as the listing shows them; empty folders wget leaves out.
fn fetches_a_tree(ground: &Ground) {
    tree::plant(ground.root(), &tree::PLAIN[..5]);
    tree::plant(ground.root(), &tree::ODD);
    let _ = wget(ground, &["--recursive", &ground.url("/")]).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::OfList);
}

fn fetches_by_pattern(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt", "b.txt", "c.txt", "data.bin", "d.text"]);
    let _ = wget(ground, &[&ground.url("/[ac].t?t"), &ground.url("/*.text")]).succeeded();
    let names: Vec<String> = tree::found(&ground.home()).into_keys().collect();
    assert_eq!(names, ["a.txt", "c.txt", "d.text"]);
    let nothing = wget(ground, &[&ground.url("/*.none")]);
    // For wget this is no failure.
    assert!(nothing.stderr.contains("No matches on pattern"), "{nothing:?}");
}

fn fetches_from_a_list(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt", "deep/er/leaf.txt", "some blanks.txt"]);
    let urls = ["/a.txt", "/deep/er/leaf.txt", "/some%20blanks.txt"].map(|path| ground.url(path)).join("\n");
    let wanted = ground.home().join("wanted");
    fs::write(&wanted, urls).unwrap();
    let _ = wget(ground, &["--force-directories", "--input-file", "wanted"]).succeeded();
    fs::remove_file(wanted).unwrap();
    tree::assert_same(ground.root(), &ground.home(), Times::New);
}

fn continues(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    fs::write(ground.home().join("data.bin"), &tree::content("data.bin")[..2_500_000]).unwrap();
    let _ = wget(ground, &["--continue", &ground.url("/data.bin")]).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::New);
    assert_eq!(ground.wire_bytes("download", "/data.bin", 1), [DATA_BYTES as u64 - 2_500_000]);
}

fn starts_in_the_middle(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    let _ = wget(ground, &["--start-pos=3000000", "--output-document=end", &ground.url("/data.bin")]).succeeded();
    assert!(fs::read(ground.home().join("end")).unwrap() == tree::content("data.bin")[3_000_000..]);
}

/// `-N` compares times and sizes, and sets the times; what is the same is left alone.
fn fetches_what_is_newer(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt", "deep/b.txt"]);
    let fetch = || wget(ground, &["--timestamping", "--recursive", &ground.url("/")]).succeeded().stderr;
    fetch();
    tree::assert_same(ground.root(), &ground.home(), Times::OfList);
    assert!(fetch().contains("Remote file no newer than local file"));
    assert_eq!(ground.wire_bytes("download", "/a.txt", 1).len(), 1);
    fs::write(ground.root().join("a.txt"), "changed").unwrap();
    fetch();
    assert_eq!(ground.wire_bytes("download", "/a.txt", 2).len(), 2);
    assert_eq!(ground.wire_bytes("download", "/deep/b.txt", 1).len(), 1);
    assert_eq!(fs::read_to_string(ground.home().join("a.txt")).unwrap(), "changed");
}

fn mirrors_twice(ground: &Ground) {
    tree::plant(ground.root(), &tree::PLAIN[..5]);
    tree::plant(ground.root(), &tree::ODD);
    for _ in 0..2 {
        let _ = wget(ground, &["--mirror", "--no-remove-listing", &ground.url("/")]).succeeded();
    }
    assert_eq!(ground.wire_bytes("download", "/data.bin", 1), [DATA_BYTES as u64]);
    // Its listings stay, as asked: they are what wget parsed.
    let listing = fs::read_to_string(ground.home().join("deep/.listing")).unwrap();
    assert!(listing.lines().any(|line| line.starts_with("drwx") && line.ends_with(" with blanks")), "{listing}");
    for folder in ["", "deep", "deep/er", "deep/with blanks"] {
        fs::remove_file(ground.home().join(folder).join(".listing")).unwrap();
    }
    tree::assert_same(ground.root(), &ground.home(), Times::OfList);
}

fn shows_a_folder_as_html(ground: &Ground) {
    tree::plant(ground.root(), &["deep/er/leaf.txt", "deep/data.bin"]);
    let _ = wget(ground, &[&ground.url("/deep/")]).succeeded();
    let page = fs::read_to_string(ground.home().join("index.html")).unwrap();
    let lines: Vec<&str> = page.lines().filter(|line| line.contains("href=")).collect();
    assert_eq!(lines.len(), 2, "{page}");
    assert!(lines.iter().any(|line| line.contains("File") && line.contains(">data.bin</a>  (")), "{page}");
    assert!(lines.iter().any(|line| line.contains("Directory") && line.contains("/deep/er/\">er/</a>")), "{page}");
}

fn looks_without_fetching(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    let looked = wget(ground, &["--spider", "--server-response", &ground.url("/data.bin")]);
    // Its exit code for this is 8, whatever the server.
    assert!(looked.stderr.contains("213 3145735") && looked.stderr.contains("‘data.bin’ exists."), "{looked:?}");
    assert_eq!(tree::found(&ground.home()).len(), 0);
}

fn translates_lines(ground: &Ground) {
    fs::write(ground.root().join("lines"), "one\ntwo\n").unwrap();
    let _ = wget(ground, &["--output-document=lines", &ground.url("/lines;type=a")]).succeeded();
    assert_eq!(fs::read_to_string(ground.home().join("lines")).unwrap(), "one\r\ntwo\r\n");
}

fn tells_what_is_missing(ground: &Ground) {
    tree::plant(ground.root(), &["deep/none/"]);
    for path in ["/nothing", "/no/thing", "/nowhere/"] {
        let missing = wget(ground, &[&ground.url(path)]);
        assert_eq!(missing.status.code(), Some(8), "{path}: {missing:?}");
    }
    let stranger = wget(ground, &["--ftp-user=nobody", "--ftp-password=wrong", &ground.url("/")]);
    assert_eq!(stranger.status.code(), Some(6), "{stranger:?}");
}
