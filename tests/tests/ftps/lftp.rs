//! lftp on `GnuTLS`, which resumes the control connection's session for data.

use crate::{MODES, RESUMED, authority, private, spoke};
use mayfly_tests::certificates::Certificates;
use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::process::{Driver, Ran};
use mayfly_tests::tree::{self, Times};
use mayfly_tests::with_each_driver;

with_each_driver! {
    mirrors_up_and_down
    tls_from_the_first_byte
    sends_lists_in_clear_where_it_may
    a_certificate_is_checked
}

fn lftp(ground: &Ground, url: &str, commands: &str) -> Ran {
    let passive = ground.mode != Mode::Active;
    let script = format!(
        "set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 30; set ftp:ssl-force yes; \
         set ftp:ssl-allow-anonymous yes; set ftp:ssl-protect-data yes; set ssl:ca-file {}; set ftp:use-mode-z no; \
         set ftp:passive-mode {passive}; {commands}",
        authority(),
    );
    ground.run("lftp", &["--norc", "-c", &script.replace("<open>", &format!("open {url}"))])
}

fn mirrors_up_and_down(driver: Driver) {
    for mode in MODES {
        for version in ["1.2", "1.3"] {
            let ground = Ground::ftps(driver, mode, &RESUMED);
            tree::plant(&ground.home(), &tree::PLAIN);
            let commands = format!(
                "set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS{version}; <open>; \
                 mirror --reverse --parallel=3 . /up; mirror /up {}/down",
                ground.home().display()
            );
            let _ = lftp(&ground, &ground.url("/"), &commands).succeeded();
            let down = ground.home().join("down");
            tree::assert_same(&ground.root().join("up"), &down, Times::Seconds);
            std::fs::remove_dir_all(&down).unwrap();
            tree::assert_same(&ground.home(), &ground.root().join("up"), Times::Seconds);
            spoke(&ground, &format!("TLSv{version}"));
        }
    }
}

fn tls_from_the_first_byte(driver: Driver) {
    let ground = Ground::ftps(driver, Mode::Passive, &RESUMED);
    tree::plant(&ground.home(), &tree::PLAIN);
    let url = format!("ftps://{}", ground.tls_address());
    let _ = lftp(&ground, &url, "<open>; mirror --reverse . /").succeeded();
    tree::assert_same(&ground.home(), ground.root(), Times::Seconds);
}

/// `PROT C` and `PROT P` by turns, in one session.
fn sends_lists_in_clear_where_it_may(driver: Driver) {
    let ground = Ground::ftps(driver, Mode::Passive, &["--require-tls", "login"]);
    tree::plant(ground.root(), &["a.txt", "b.txt"]);
    let said =
        lftp(&ground, &ground.url("/"), "set ftp:ssl-protect-list no; <open>; nlist; get a.txt; nlist; get b.txt");
    assert_eq!(said.succeeded().stdout.lines().count(), 4);
    tree::assert_same(ground.root(), &ground.home(), Times::Seconds);
}

fn a_certificate_is_checked(driver: Driver) {
    let ground = private(driver);
    // A certificate, but no authority's that has signed this server's.
    let (stranger, _) = Certificates::of_this_process().client("stranger");
    let commands = format!("set ssl:ca-file {}; <open>; nlist", stranger.display());
    let refused = lftp(&ground, &ground.url("/"), &commands);
    assert!(!refused.status.success() && refused.stderr.contains("ertificate"), "{refused:?}");
}
