//! wget on `GnuTLS`. It resumes where the ticket has come within some 60 ms of its handshake: mostly, so that is not asked.

use crate::{PRIVATE, authority, private};
use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::process::Driver;
use mayfly_tests::tree::{self, Times};
use mayfly_tests::with_each_driver;

with_each_driver! {
    fetches_in_both_versions
    fetches_a_tree_with_tls_from_the_first_byte
    a_certificate_is_checked
}

fn fetches_in_both_versions(driver: Driver) {
    for (mode, flag) in [(Mode::Passive, None), (Mode::Active, Some("--no-passive-ftp")), (Mode::Ipv6, None)] {
        for version in ["TLSv1_2", "TLSv1_3"] {
            let ground = Ground::ftps(driver, mode, &PRIVATE);
            tree::plant(ground.root(), &["data.bin"]);
            let trust = [format!("--ca-certificate={}", authority()), format!("--secure-protocol={version}")];
            let mut arguments: Vec<&str> = trust.iter().map(String::as_str).collect();
            arguments.extend(flag);
            let url = ground.url("/data.bin").replace("ftp:", "ftps:");
            let _ = ground.run("wget", &[&arguments[..], &["--no-verbose", "--tries=1", &url]].concat()).succeeded();
            tree::assert_same(ground.root(), &ground.home(), Times::New);
        }
    }
}

fn fetches_a_tree_with_tls_from_the_first_byte(driver: Driver) {
    let ground = Ground::ftps(driver, Mode::Passive, &PRIVATE);
    tree::plant(ground.root(), &tree::PLAIN[..5]);
    let trust = format!("--ca-certificate={}", authority());
    let url = format!("ftps://{}/", ground.tls_address());
    let recursive =
        ["--recursive", "--no-host-directories", "--no-verbose", "--tries=1", "--ftps-implicit", &trust, &url];
    let _ = ground.run("wget", &recursive).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::OfList);
}

fn a_certificate_is_checked(driver: Driver) {
    let ground = private(driver);
    tree::plant(ground.root(), &["a.txt"]);
    let refused = ground.run("wget", &["--no-verbose", "--tries=1", &ground.url("/a.txt").replace("ftp:", "ftps:")]);
    assert_eq!(refused.status.code(), Some(5), "SSL verification: {refused:?}");
}
