//! What an idle session costs: this test program counts what is allocated in it.

#[path = "support/counting.rs"]
mod counting;
#[expect(dead_code, reason = "the other tests need more of it")]
mod support;

use counting::{allocated_bytes, leave_out_this_thread};
use mayfly_std::settings::ServeOptions;
use support::{Peer, Running};

const SESSIONS: usize = 256;

#[test]
fn an_idle_session_costs_at_most_2_kib() {
    // DESIGN 6. The sessions have logged in, listed and transferred: what a transfer needed is free again.
    leave_out_this_thread();
    let server = Running::start(ServeOptions { max_sessions_per_address: 0, ..ServeOptions::default() });
    let mut warm = server.log_in();
    warm.store("file", &support::pattern(1024 * 1024));
    let mut peers: Vec<Peer> = Vec::with_capacity(SESSIONS);
    let before = allocated_bytes();
    for _ in 0..SESSIONS {
        let mut peer = server.log_in();
        assert_eq!(peer.retrieve("file").len(), 1024 * 1024);
        peer.ask("NOOP", "200");
        peers.push(peer);
    }
    let each = (allocated_bytes() - before) / SESSIONS;
    assert!(each <= 2048, "{each} bytes for each idle session");
    print(each);
}

#[expect(clippy::print_stdout, reason = "the figure, for `--nocapture`")]
fn print(each: usize) {
    println!("{each} bytes for each idle session");
}
