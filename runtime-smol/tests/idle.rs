//! What an idle session costs: this test program counts what is allocated in it.

#[expect(dead_code, reason = "the other tests need more of it")]
mod support;

use mayfly_std::settings::ServeOptions;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{Peer, Running};

struct Counting;

static ALLOCATED_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; the counter beside it touches no memory of the caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED_BYTES.fetch_add(layout.size() + OVERHEAD_BYTES, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        ALLOCATED_BYTES.fetch_sub(layout.size() + OVERHEAD_BYTES, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What glibc's malloc needs for itself beside each piece.
const OVERHEAD_BYTES: usize = 8;
const SESSIONS: usize = 256;

#[test]
fn an_idle_session_costs_at_most_2_kib() {
    // DESIGN 6. The sessions have logged in, listed and transferred: what a transfer needed is free again.
    let server = Running::start(ServeOptions { max_sessions_per_address: 0, ..ServeOptions::default() });
    let mut warm = server.log_in();
    warm.store("file", &support::pattern(1024 * 1024));
    let mut peers: Vec<Peer> = Vec::with_capacity(SESSIONS);
    let before = ALLOCATED_BYTES.load(Ordering::Relaxed);
    for _ in 0..SESSIONS {
        let mut peer = server.log_in();
        assert_eq!(peer.retrieve("file").len(), 1024 * 1024);
        peer.ask("NOOP", "200");
        peers.push(peer);
    }
    // The peers' own buffers are in this process too.
    let ours = SESSIONS * Peer::BUFFER_BYTES;
    let each = (ALLOCATED_BYTES.load(Ordering::Relaxed) - before - ours) / SESSIONS;
    assert!(each <= 2048, "{each} bytes for each idle session");
    print(each);
}

#[expect(clippy::print_stdout, reason = "the figure, for `--nocapture`")]
fn print(each: usize) {
    println!("{each} bytes for each idle session");
}
