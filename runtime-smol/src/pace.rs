//! A session's rate: what one transfer has used of it, the next one finds used.

use mayfly_std::clock::Clock;
use mayfly_std::pace::Pacer;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The rate of a session's transfers, by its server's clock.
pub(crate) struct Pace {
    pacer: Mutex<Pacer>,
    clock: Arc<dyn Clock>,
}

impl Pace {
    /// One that nothing was used of.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { pacer: Mutex::default(), clock }
    }

    /// From now on this is the rate; none: there is none to keep.
    pub(crate) fn begin(&self, bytes_per_s: Option<NonZeroU64>) {
        self.pacer().begin(bytes_per_s);
    }

    /// How many bytes may move now.
    ///
    /// # Errors
    /// None yet: when to ask again, milliseconds.
    pub(crate) fn room(&self) -> Result<usize, u64> {
        self.pacer().room(self.clock.now().monotonic_ms)
    }

    /// So many bytes have moved.
    pub(crate) fn moved(&self, bytes: usize) {
        self.pacer().moved(bytes as u64);
    }

    /// The clock that it goes by.
    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn pacer(&self) -> MutexGuard<'_, Pacer> {
        // No step under the lock can panic.
        self.pacer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
