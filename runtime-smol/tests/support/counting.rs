//! An allocator that counts what a server holds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is allocated now, but for what peers have asked for.
pub(crate) fn allocated_bytes() -> usize {
    ALLOCATED_BYTES.load(Ordering::Relaxed)
}

/// This thread is a peer's: what it holds is not the server's.
pub(crate) fn leave_out_this_thread() {
    IS_PEER.set(true);
}

struct Counting;

static ALLOCATED_BYTES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static IS_PEER: Cell<bool> = const { Cell::new(false) };
}

fn counts() -> bool {
    // A thread that ends has no such mark any more.
    !IS_PEER.try_with(Cell::get).unwrap_or_default()
}

// SAFETY: every call goes to the system's allocator unchanged; the counter beside it touches no memory of the caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if counts() {
            ALLOCATED_BYTES.fetch_add(layout.size() + OVERHEAD_BYTES, Ordering::Relaxed);
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if counts() {
            ALLOCATED_BYTES.fetch_sub(layout.size() + OVERHEAD_BYTES, Ordering::Relaxed);
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What glibc's malloc needs for itself beside each piece.
const OVERHEAD_BYTES: usize = 8;
