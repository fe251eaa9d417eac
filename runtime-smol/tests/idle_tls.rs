//! What an idle session costs whose control connection is secured.

#[path = "support/counting.rs"]
mod counting;
#[expect(dead_code, reason = "the other tests need more of it")]
mod support;
#[path = "support/tls.rs"]
mod tls;

use counting::{allocated_bytes, leave_out_this_thread};
use mayfly_core::settings::{Settings, TlsRules};
use mayfly_std::settings::ServeOptions;
use support::Running;

#[test]
fn an_idle_secured_session_costs_at_most_24_kib() {
    // Nearly all of it is the TLS library's: a connection's keys and buffers, its settings, its tickets.
    leave_out_this_thread();
    let (certificate, key) = tls::certificate();
    let mut session = Settings::default();
    session.tls = Some(TlsRules::default());
    let tls = Some(tls::server(&certificate, &key));
    let server = Running::start(ServeOptions { max_sessions_per_address: 0, session, tls, ..ServeOptions::default() });
    let config = tls::client(&certificate);
    let mut peers = vec![tls::log_in(&server, &config)];
    let before = allocated_bytes();
    for _ in 0..SESSIONS {
        peers.push(tls::log_in(&server, &config));
    }
    let each = (allocated_bytes() - before) / SESSIONS;
    print(each);
    assert!(each <= 24 * 1024, "{each} bytes for each idle secured session");
}

#[expect(clippy::print_stdout, reason = "the figure, for `--nocapture`")]
fn print(each: usize) {
    println!("{each} bytes for each idle secured session");
}

const SESSIONS: usize = 256;
