//! OpenSSL's own client, `s_client -starttls ftp`; with `-ign_eof` a line that begins with Q is one for the server.

use crate::{authority, private, spoke};
use mayfly_tests::ground::Ground;
use mayfly_tests::process::Driver;
use mayfly_tests::with_each_driver;

with_each_driver! {
    speaks_both_versions
    a_session_is_its_own_connection_s_alone
    what_is_too_old_is_refused
}

fn s_client(ground: &Ground, arguments: &[&str], input: &str) -> String {
    let address = ground.address().to_string();
    let all = [
        &["s_client", "-starttls", "ftp", "-connect", &address, "-CAfile", authority(), "-crlf", "-ign_eof"],
        arguments,
    ];
    let ran = ground.run_fed("openssl", &all.concat(), input);
    ran.stdout + &ran.stderr
}

fn speaks_both_versions(driver: Driver) {
    for (flag, protocol) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let ground = private(driver);
        let input = "USER anonymous\nPASS x\nPBSZ 0\nPROT P\nPWD\nQUIT\n";
        let said = s_client(&ground, &[flag, "-verify_return_error", "-quiet"], input);
        for reply in ["331 ", "230 ", "200 PBSZ", "200 PROT", "257 \"/\"", "221 Goodbye."] {
            assert!(said.contains(reply), "{flag} {reply}: {said}");
        }
        spoke(&ground, protocol);
    }
}

/// Another control connection may not resume it: whose data connections resume is who the client is.
fn a_session_is_its_own_connection_s_alone(driver: Driver) {
    let ground = private(driver);
    for flag in ["-tls1_2", "-tls1_3"] {
        let said = s_client(&ground, &[flag, "-sess_out", "session"], "NOOP\nQUIT\n");
        assert!(said.contains("221 Goodbye.") && ground.home().join("session").exists(), "{said}");
        let said = s_client(&ground, &[flag, "-sess_in", "session"], "NOOP\nQUIT\n");
        assert!(said.contains("\nNew, ") && !said.contains("\nReused, "), "{said}");
        assert!(said.contains("221 Goodbye."), "{said}");
    }
    let said = s_client(&ground, &["-tls1_2", "-reconnect"], "QUIT\n");
    assert_eq!((said.matches("\nNew, ").count(), said.matches("\nReused, ").count()), (6, 0), "{said}");
}

fn what_is_too_old_is_refused(driver: Driver) {
    let ground = Ground::ftps(driver, mayfly_tests::ground::Mode::Passive, &["--tls-min-version", "1.3"]);
    let said = s_client(&ground, &["-tls1_2"], "QUIT\n");
    assert!(said.contains("alert protocol version") && !said.contains("221 "), "{said}");
    let said = s_client(&ground, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "QUIT\n");
    assert!(!said.contains("221 "), "{said}");
}
