//! Perl's `Net::FTP` with `IO::Socket::SSL`. It keeps sessions under the data connection's own port, so it resumes none.

use crate::{PRIVATE, authority};
use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::process::Driver;
use mayfly_tests::with_each_driver;

with_each_driver! {
    explicit
    implicit
}

fn play(ground: &Ground, port: u16, how: &str) {
    let [host, _] = ground.host_and_port();
    let mode = if ground.mode == Mode::Active { "active" } else { "passive" };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/perl/net_ftp_tls_checks.pl");
    for version in ["TLSv1_2", "TLSv1_3"] {
        let arguments = [script, &host, &port.to_string(), mode, authority(), version, how];
        let said = ground.run("perl", &arguments).succeeded().stdout;
        let checks: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("ok ")).collect();
        assert_eq!(checks, ["login", "ten of each", "ls and dir", "quit"], "{mode} {version} {how}");
    }
}

fn explicit(driver: Driver) {
    for mode in [Mode::Passive, Mode::Active] {
        let ground = Ground::ftps(driver, mode, &PRIVATE);
        play(&ground, ground.address().port(), "explicit");
    }
}

fn implicit(driver: Driver) {
    let ground = Ground::ftps(driver, Mode::Passive, &PRIVATE);
    play(&ground, ground.tls_address().port(), "implicit");
}
