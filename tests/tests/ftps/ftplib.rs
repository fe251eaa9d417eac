//! Python's `FTP_TLS`, as it is and with sessions resumed, on OpenSSL.

use crate::{MODES, PRIVATE, RESUMED, authority};
use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::process::{Driver, Ran};
use mayfly_tests::tree;
use mayfly_tests::with_each_driver;

with_each_driver! {
    works_without_resumption
    works_with_resumption_required
    without_resumption_it_is_told_why
}

/// See the script.
fn play(ground: &Ground, version: &str, sessions: &str) -> Ran {
    let [host, port] = ground.host_and_port();
    let mode = if ground.mode == Mode::Active { "active" } else { "passive" };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/python/ftps_checks.py");
    ground.run("python3", &[script, &host, &port, mode, authority(), version, sessions])
}

fn works(driver: Driver, flags: &[&str], sessions: &str) {
    for mode in MODES {
        for version in ["TLSv1_2", "TLSv1_3"] {
            let ground = Ground::ftps(driver, mode, flags);
            let said = play(&ground, version, sessions).succeeded().stdout;
            let checks: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("ok ")).collect();
            assert_eq!(checks, CHECKS, "{mode:?} {version} {sessions}");
        }
    }
}

fn works_without_resumption(driver: Driver) {
    works(driver, &PRIVATE, "new");
}

fn works_with_resumption_required(driver: Driver) {
    works(driver, &RESUMED, "resumed");
}

fn without_resumption_it_is_told_why(driver: Driver) {
    for version in ["TLSv1_2", "TLSv1_3"] {
        let ground = Ground::ftps(driver, Mode::Passive, &RESUMED);
        let refused = play(&ground, version, "new");
        assert!(!refused.status.success(), "{refused:?}");
        assert!(refused.stderr.contains("522 The data connection must resume"), "{}", refused.stderr);
        assert!(tree::found(ground.root()).is_empty(), "nothing was stored");
    }
}

const CHECKS: [&str; 10] = [
    "refused in clear",
    "auth",
    "login",
    "prot_p",
    "storbinary and retrbinary, ten of each",
    "ten uploads in a row",
    "storlines and retrlines",
    "mlsd, nlst, dir",
    "ccc is refused",
    "quit",
];
