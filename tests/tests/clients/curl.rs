//! curl, and through libcurl what its command line lacks: wildcards.

use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::on_both_drivers;
use mayfly_tests::process::Ran;
use mayfly_tests::tree::{self, DATA_BYTES, OLD_S, Times};
use std::fs;
use std::path::Path;

on_both_drivers! {
    uploads_keep_odd_names: passive active ipv6;
    uploads_make_folders: passive active ipv6;
    ranges: passive active ipv6;
    resumes_a_download: passive active ipv6;
    resumes_an_upload: passive active ipv6;
    appends: passive;
    quotes: passive active;
    sets_of_urls: passive ipv6;
    wildcards: passive ipv6;
    lists: passive active ipv6;
    walks_to_a_file_by_each_method: passive active;
    times: passive active;
    heads: passive ipv6;
    ascii: passive active;
    older_set_up: passive active;
    parallel: passive ipv6;
    tells_what_is_missing: passive active ipv6;
}

fn curl(ground: &Ground, arguments: &[&str]) -> Ran {
    let mut all = vec!["--silent", "--show-error", "--max-time", "60"];
    if ground.mode == Mode::Active {
        all.extend(["--ftp-port", "-"]);
    }
    all.extend(arguments);
    ground.run("curl", &all)
}

/// Names that must be encoded in a URL, with the right bytes, and back again.
fn uploads_keep_odd_names(ground: &Ground) {
    tree::plant(&ground.home(), &tree::ODD[..5]);
    for name in &tree::ODD[..5] {
        // The tool's own patterns are off: braces, brackets and stars are the file's.
        let url = ground.url(&format!("/{}", encoded(name)));
        let _ = curl(ground, &["--globoff", "--upload-file", &format!("./{name}"), &url]).succeeded();
        assert_eq!(curl(ground, &["--globoff", &url]).succeeded().stdout.as_bytes(), tree::content(name));
    }
    tree::assert_same(&ground.home(), ground.root(), Times::New);
}

/// `--ftp-create-dirs` tries each folder and makes what is missing.
fn uploads_make_folders(ground: &Ground) {
    tree::plant(&ground.home(), &["data.bin"]);
    let url = ground.url("/one/two/three/");
    let _ = curl(ground, &["--ftp-create-dirs", "--upload-file", "data.bin", &url]).succeeded();
    tree::assert_same(&ground.home(), &ground.root().join("one/two/three"), Times::New);
    let refused = curl(ground, &["--upload-file", "data.bin", &ground.url("/other/")]);
    assert_eq!(refused.status.code(), Some(9), "a missing folder denies access: {refused:?}");
}

/// From the start, from the middle to the end, the last ones, and in the middle.
fn ranges(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    let bytes = tree::content("data.bin");
    let (url, end) = (ground.url("/data.bin"), bytes.len());
    for (range, part) in [
        ("0-0", 0..1),
        ("0-99", 0..100),
        ("1048575-2097152", 1_048_575..2_097_153),
        ("3000000-", 3_000_000..end),
        ("-10", end - 10..end),
    ] {
        let _ = curl(ground, &["--range", range, "--output", "part", &url]).succeeded();
        assert!(fs::read(ground.home().join("part")).unwrap() == bytes[part], "the range {range}");
    }
    let beyond = curl(ground, &["--range", "9000000-", "--output", "beyond", &url]);
    assert_eq!(beyond.status.code(), Some(36), "curl compares with SIZE: {beyond:?}");
}

fn resumes_a_download(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    let here = ground.home().join("data.bin");
    fs::write(&here, &tree::content("data.bin")[..2_000_000]).unwrap();
    let fetch = || curl(ground, &["--continue-at", "-", "--remote-name", &ground.url("/data.bin")]).succeeded();
    let _ = fetch();
    tree::assert_same(ground.root(), &ground.home(), Times::New);
    assert_eq!(ground.wire_bytes("download", "/data.bin", 1), [DATA_BYTES as u64 - 2_000_000]);
    // What is whole already is not fetched again.
    let _ = fetch();
    assert_eq!(ground.wire_bytes("download", "/data.bin", 1).len(), 1);
}

/// curl asks for the size of what is there and sends the rest with `APPE`.
fn resumes_an_upload(ground: &Ground) {
    tree::plant(&ground.home(), &["data.bin"]);
    fs::write(ground.root().join("data.bin"), &tree::content("data.bin")[..2_000_000]).unwrap();
    let _ = curl(ground, &["--continue-at", "-", "--upload-file", "data.bin", &ground.url("/")]).succeeded();
    tree::assert_same(&ground.home(), ground.root(), Times::New);
    assert_eq!(ground.wire_bytes("upload", "/data.bin", 1), [DATA_BYTES as u64 - 2_000_000]);
}

fn appends(ground: &Ground) {
    tree::plant(&ground.home(), &["a.txt"]);
    for _ in 0..2 {
        let _ = curl(ground, &["--append", "--upload-file", "a.txt", &ground.url("/both.txt")]).succeeded();
    }
    assert_eq!(fs::read(ground.root().join("both.txt")).unwrap(), tree::content("a.txt").repeat(2));
}

/// Commands before the transfer, before it in the folder (`+`) and after it (`-`); a star forgives.
fn quotes(ground: &Ground) {
    tree::plant(&ground.home(), &["a.txt"]);
    let url = ground.url("/made/new.txt");
    let sent = |quotes: &[&str]| {
        let quotes = quotes.iter().flat_map(|quote| ["--quote", *quote]);
        let rest = ["--upload-file", "a.txt", &url];
        curl(ground, &quotes.chain(rest).collect::<Vec<_>>())
    };
    let _ =
        sent(&["MKD /made", "*MKD /made", "-RNFR new.txt", "-RNTO kept.txt", "-MKD /last", "-SITE EXPIRY /made 1h"])
            .succeeded();
    let paths = tree::found(ground.root());
    assert_eq!(paths.keys().collect::<Vec<_>>(), ["last/", "made/", "made/kept.txt"]);
    let _ = sent(&["+DELE kept.txt", "RMD /last"]).succeeded();
    assert_eq!(tree::found(ground.root()).keys().collect::<Vec<_>>(), ["made/", "made/new.txt"]);
    assert_eq!(sent(&["RMD /nowhere"]).status.code(), Some(21), "a refused quote");
}

/// `{}` and `[]` in URLs are curl's own; each URL is a transfer of the same session.
fn sets_of_urls(ground: &Ground) {
    let names = ["page-01.txt", "page-02.txt", "page-03.txt", "a.txt", "b.txt"];
    tree::plant(ground.root(), &names);
    let urls = [ground.url("/page-[01-03].txt"), ground.url("/{a,b}.txt")];
    let _ = curl(ground, &["--remote-time", "--remote-name-all", &urls[0], &urls[1]]).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
}

/// libcurl lists the folder, parses `ls -l`, matches by itself, and fetches each name.
fn wildcards(ground: &Ground) {
    tree::plant(ground.root(), &tree::PLAIN);
    tree::plant(ground.root(), &tree::ODD);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/libcurl_wildcard.py");
    let said = ground.run("python3", &[script, &ground.url("/*.txt")]).succeeded().stdout;
    let mut said: Vec<&str> = said.lines().collect();
    said.sort_unstable();
    let mut expected: Vec<String> = Vec::new();
    for name in ["a.txt", "b.txt"].into_iter().chain(tree::ODD.into_iter().take(5)) {
        expected.push(format!("file {} Jun 15  2019 {name}", tree::content(name).len()));
        assert_eq!(fs::read(ground.home().join(name)).unwrap(), tree::content(name));
    }
    expected.sort_unstable();
    assert_eq!(said, expected);
}

/// Names alone, long lines, another command's, and of an empty folder nothing.
fn lists(ground: &Ground) {
    tree::plant(ground.root(), &tree::PLAIN);
    tree::plant(ground.root(), &tree::ODD);
    let names = |arguments: &[&str]| {
        let said = curl(ground, arguments).succeeded().stdout;
        let mut names: Vec<String> = said.lines().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    let mut expected: Vec<&str> = tree::PLAIN[..4].iter().chain(&tree::ODD[..5]).copied().chain(["deep"]).collect();
    expected.sort_unstable();
    assert_eq!(names(&["--list-only", &ground.url("/")]), expected);
    let long = names(&[&ground.url("/")]);
    assert_eq!(long.len(), expected.len(), "{long:?}");
    assert!(
        long.iter().any(|line| line.starts_with("-rw") && line.ends_with("3145735 Jun 15  2019 data.bin")),
        "{long:?}"
    );
    assert!(long.iter().any(|line| line.starts_with("drwx") && line.ends_with(" deep")), "{long:?}");
    let facts = names(&["--request", "MLSD", &ground.url("/")]);
    assert!(facts.iter().any(|line| line.contains("modify=20190615123456;") && line.ends_with(" a.txt")), "{facts:?}");
    assert_eq!(names(&["--list-only", &ground.url("/deep/none/")]), [""; 0]);
}

fn walks_to_a_file_by_each_method(ground: &Ground) {
    tree::plant(ground.root(), &["deep/with blanks/ä [1].txt", "deep/er/leaf.txt"]);
    for method in ["multicwd", "nocwd", "singlecwd"] {
        for path in ["deep/er/leaf.txt", "deep/with blanks/ä [1].txt"] {
            // The second slash makes the path absolute.
            for start in ["/", "/%2F"] {
                let url = ground.url(&format!("{start}{}", encoded(path)));
                let fetched = curl(ground, &["--globoff", "--ftp-method", method, &url]).succeeded();
                assert_eq!(fetched.stdout.as_bytes(), tree::content(path), "{method} {url}");
            }
        }
        let listed = curl(ground, &["--ftp-method", method, "--list-only", &ground.url("/deep/er/")]).succeeded();
        // Where no CWD went before, NLST names the folder, and its names lead there.
        let expected = if method == "nocwd" { "deep/er/leaf.txt" } else { "leaf.txt" };
        assert_eq!(listed.stdout.trim(), expected, "{method}");
    }
}

/// `-z` fetches what is newer or older than a date, and `-R` keeps the server's time.
fn times(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt"]);
    let here = ground.home().join("a.txt");
    let fetch = |condition: &str| {
        let _ = fs::remove_file(&here);
        let url = ground.url("/a.txt");
        let _ = curl(ground, &["--remote-time", "--time-cond", condition, "--remote-name", &url]).succeeded();
        here.exists()
    };
    assert!(fetch("15 Jun 2019 12:34:55 GMT"), "it is newer");
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
    assert!(!fetch("15 Jun 2019 12:34:56 GMT"), "it is not");
    assert!(fetch("-15 Jun 2019 12:34:57 GMT"), "it is older");
    assert!(!fetch("-15 Jun 2019 12:34:55 GMT"), "it is not");
}

fn heads(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    let head = curl(ground, &["--head", &ground.url("/data.bin")]).succeeded().stdout;
    let lines: Vec<&str> = head.lines().map(str::trim_end).collect();
    let expected = ["Last-Modified: Sat, 15 Jun 2019 12:34:56 GMT", "Content-Length: 3145735", "Accept-ranges: bytes"];
    assert_eq!(lines, expected, "{OLD_S} in words");
}

/// In ASCII each line ends with CR LF on the wire, and with LF here; curl does not translate what it fetches.
fn ascii(ground: &Ground) {
    let lines = "one\ntwo\n\nfour\n";
    fs::write(ground.home().join("lines"), lines).unwrap();
    let _ = curl(ground, &["--use-ascii", "--upload-file", "lines", &ground.url("/")]).succeeded();
    assert_eq!(fs::read_to_string(ground.root().join("lines")).unwrap(), lines);
    assert_eq!(ground.wire_bytes("upload", "/lines", 1), [lines.len() as u64 + 4]);
    let fetched = curl(ground, &[&ground.url("/lines;type=A")]).succeeded().stdout;
    assert_eq!(fetched.replace("\r\n", "\n"), lines);
    assert_eq!(ground.wire_bytes("download", "/lines", 1), [lines.len() as u64 + 4]);
}

/// `PASV` and `PORT`, as before RFC 2428.
fn older_set_up(ground: &Ground) {
    tree::plant(&ground.home(), &["data.bin"]);
    let older = if ground.mode == Mode::Active { "--disable-eprt" } else { "--disable-epsv" };
    let sent = curl(ground, &["--verbose", older, "--upload-file", "data.bin", &ground.url("/")]).succeeded();
    let command = if ground.mode == Mode::Active { "> PORT 127,0,0,1," } else { "> PASV" };
    assert!(sent.stderr.contains(command), "{}", sent.stderr);
    tree::assert_same(&ground.home(), ground.root(), Times::New);
}

/// Eight sessions at once.
fn parallel(ground: &Ground) {
    let names: Vec<String> = (0..24).map(|number| format!("file-{number:02}")).collect();
    tree::plant(ground.root(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let url = ground.url("/file-[00-23]");
    let _ = curl(ground, &["--parallel", "--parallel-max", "8", "--remote-time", "--remote-name", &url]).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
}

fn tells_what_is_missing(ground: &Ground) {
    tree::plant(ground.root(), &["deep/none/"]);
    for (path, code) in [("/nothing", 78), ("/no/thing", 9), ("/nowhere/", 9), ("/deep", 78)] {
        let missing = curl(ground, &[&ground.url(path)]);
        assert_eq!(missing.status.code(), Some(code), "{path}: {missing:?}");
    }
    let stranger = curl(ground, &["--user", "nobody:wrong", &ground.url("/")]);
    assert_eq!(stranger.status.code(), Some(67), "{stranger:?}");
    assert!(!Path::new(&ground.home().join("nothing")).exists());
}

/// A path as it stands in a URL.
fn encoded(path: &str) -> String {
    let encode = |byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'/' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    path.bytes().map(encode).collect()
}
