//! curl, which resumes the control connection's session for data.

use crate::{RESUMED, authority, private, spoke};
use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::process::{Driver, Ran};
use mayfly_tests::tree::{self, Times};
use mayfly_tests::with_each_driver;

with_each_driver! {
    both_versions_of_tls
    many_uploads_in_one_session
    tls_from_the_first_byte
    a_certificate_is_checked
    nothing_goes_in_clear
    a_sealed_session_lists_and_appends
}

/// curl 7.88 cannot secure an active data connection (it takes the listener for it), so these are passive.
fn curl(ground: &Ground, arguments: &[&str]) -> Ran {
    let all = [&["--silent", "--show-error", "--max-time", "60"], arguments].concat();
    ground.run("curl", &all)
}

fn secure(ground: &Ground, arguments: &[&str]) -> Ran {
    curl(ground, &[&["--ssl-reqd", "--cacert", authority()], arguments].concat())
}

/// By TLS 1.3 curl uses a ticket but once, and is given none with an upload: the next upload needs another session.
fn both_versions_of_tls(driver: Driver) {
    let [all, each] = [["{data.bin,a.txt,empty}"].as_slice(), &["data.bin", "a.txt", "empty"]];
    for mode in [Mode::Passive, Mode::Ipv6] {
        for (version, protocol, uploads) in [("1.2", "TLSv1.2", all), ("1.3", "TLSv1.3", each)] {
            let ground = Ground::ftps(driver, mode, &RESUMED);
            let version = ["--tlsv1.2", "--tls-max", version];
            tree::plant(&ground.home(), &["data.bin", "a.txt", "empty"]);
            for files in uploads {
                let up = ["--upload-file", files, &ground.url("/")];
                let _ = secure(&ground, &[&version[..], &up].concat()).succeeded();
            }
            tree::assert_same(&ground.home(), ground.root(), Times::New);
            let down = ["--output", "#1.back", &ground.url("/{data.bin,a.txt,empty}")];
            let _ = secure(&ground, &[&version[..], &down].concat()).succeeded();
            for name in ["data.bin", "a.txt", "empty"] {
                let back = std::fs::read(ground.home().join(format!("{name}.back"))).unwrap();
                assert!(back == tree::content(name), "{name}");
            }
            let list = ["--list-only", &ground.url("/")];
            let listed = secure(&ground, &[&version[..], &list].concat()).succeeded().stdout;
            assert_eq!(listed.lines().count(), 3, "{listed}");
            spoke(&ground, protocol);
        }
    }
}

/// With a full handshake for each where the ticket is used up.
fn many_uploads_in_one_session(driver: Driver) {
    let ground = private(driver);
    let names: Vec<String> = (0..12).map(|number| format!("file-{number:02}")).collect();
    tree::plant(&ground.home(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    for version in ["1.2", "1.3"] {
        let files = ["--upload-file", "file-[00-11]", "--tlsv1.2", "--tls-max", version];
        let _ = secure(&ground, &[&files[..], &[&ground.url("/")]].concat()).succeeded();
        tree::assert_same(&ground.home(), ground.root(), Times::New);
    }
}

fn tls_from_the_first_byte(driver: Driver) {
    let ground = Ground::ftps(driver, Mode::Passive, &RESUMED);
    tree::plant(&ground.home(), &["data.bin"]);
    let url = format!("ftps://{}/data.bin", ground.tls_address());
    let trust = ["--cacert", authority()];
    let _ = curl(&ground, &[&trust[..], &["--upload-file", "data.bin", &url]].concat()).succeeded();
    tree::assert_same(&ground.home(), ground.root(), Times::New);
    let back = curl(&ground, &[&trust[..], &["--range", "1000000-1999999", "--output", "part", &url]].concat());
    let _ = back.succeeded();
    let part = std::fs::read(ground.home().join("part")).unwrap();
    assert!(part == tree::content("data.bin")[1_000_000..2_000_000]);
}

fn a_certificate_is_checked(driver: Driver) {
    let ground = private(driver);
    tree::plant(ground.root(), &["a.txt"]);
    let url = ground.url("/a.txt");
    let stranger = curl(&ground, &["--ssl-reqd", &url]);
    assert_eq!(stranger.status.code(), Some(60), "an authority that it does not know: {stranger:?}");
    let blind = curl(&ground, &["--ssl-reqd", "--insecure", &url]).succeeded();
    assert_eq!(blind.stdout.as_bytes(), tree::content("a.txt"));
}

fn nothing_goes_in_clear(driver: Driver) {
    let ground = private(driver);
    tree::plant(ground.root(), &["a.txt"]);
    let url = ground.url("/a.txt");
    let clear = curl(&ground, &[&url]);
    assert_eq!(clear.status.code(), Some(67), "the login is refused: {clear:?}");
    let half = curl(&ground, &["--ftp-ssl-control", "--cacert", authority(), &url]);
    assert!(!half.status.success() && half.stdout.is_empty(), "clear data are refused: {half:?}");
}

/// A listing of many pieces, and `APPE` onto what is there.
fn a_sealed_session_lists_and_appends(driver: Driver) {
    let ground = private(driver);
    let names: Vec<String> = (0..3000).map(|number| format!("many/file-{number:04}")).collect();
    tree::plant(ground.root(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let listed = secure(&ground, &[&ground.url("/many/")]).succeeded().stdout;
    assert_eq!(listed.lines().count(), 3000);
    tree::plant(&ground.home(), &["a.txt"]);
    for _ in 0..2 {
        let _ = secure(&ground, &["--append", "--upload-file", "a.txt", &ground.url("/both.txt")]).succeeded();
    }
    assert_eq!(std::fs::read(ground.root().join("both.txt")).unwrap(), tree::content("a.txt").repeat(2));
}
