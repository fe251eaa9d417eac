//! FTPS as clients have it, against both binaries: curl and lftp, wget on `GnuTLS`, Python's and Perl's libraries, OpenSSL's
//! own client, and by hand what none of them would do. Unless a test says otherwise, nothing goes in clear.

#![expect(clippy::unwrap_used, reason = "a test")]

mod by_hand;
mod curl;
mod ftplib;
mod lftp;
mod net_ftp;
mod openssl;
mod wget;

use mayfly_tests::certificates::Certificates;
use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::process::Driver;

/// Each way of data connections.
const MODES: [Mode; 3] = [Mode::Passive, Mode::Active, Mode::Ipv6];

/// Nothing goes in clear.
const PRIVATE: [&str; 2] = ["--require-tls", "data"];

/// The same, and a data connection must resume its control connection's session.
const RESUMED: [&str; 3] = ["--require-tls", "data", "--tls-require-resumption"];

/// Whom clients are to trust, as an argument.
fn authority() -> &'static str {
    Certificates::of_this_process().authority.to_str().unwrap()
}

/// A server where nothing goes in clear, for passive data connections.
fn private(driver: Driver) -> Ground {
    Ground::ftps(driver, Mode::Passive, &PRIVATE)
}

/// What the server says of the protocols that it came to with its clients' control connections.
fn spoke(ground: &Ground, protocol: &str) {
    let secured = ground.log_lines(1, "\"connection secured\"");
    assert!(secured.iter().all(|line| line.contains(protocol)), "{secured:#?}");
}
