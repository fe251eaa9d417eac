//! Steps under way that change the disk and then tell the ledger: between the two a count may see what the books do not
//! know yet. So a count that has come to its end waits for those that had begun before.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many there are, by the era in which they began.
#[derive(Default)]
pub(super) struct Steps {
    era: AtomicUsize,
    under_way: [AtomicUsize; 2],
}

/// One of them; it ends when this is dropped.
pub(in crate::storage) struct Step<'a>(&'a AtomicUsize);

impl Steps {
    /// One begins.
    pub(super) fn begin(&self) -> Step<'_> {
        loop {
            let era = self.era.load(Ordering::SeqCst);
            let under_way = &self.under_way[era % 2];
            under_way.fetch_add(1, Ordering::SeqCst);
            let step = Step(under_way);
            if self.era.load(Ordering::SeqCst) == era {
                return step;
            }
        }
    }

    /// Waits for those that have begun by now. False: one of them takes too long.
    pub(super) fn wait_for_earlier(&self) -> bool {
        let era = self.era.fetch_add(1, Ordering::SeqCst);
        let until = Instant::now() + WAIT_MAX;
        while self.under_way[era % 2].load(Ordering::SeqCst) > 0 {
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(PAUSE);
        }
        true
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// No step takes longer but where a disk hangs.
const WAIT_MAX: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(1);
