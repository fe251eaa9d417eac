//! What all threads of one server share.

use crate::admission::Gate;
use crate::clock::Clock;
use crate::reap::ReaperHandle;
use crate::stop::Stop;
use crate::storage::Storage;
use crate::users::Verifier;
use mayfly_core::time::Now;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// See the module.
pub(crate) struct Shared {
    clock: Arc<dyn Clock>,
    storage: Arc<dyn Storage>,
    reaper: ReaperHandle,
    gate: Gate,
    verifier: Verifier,
    stop: Stop,
    threads: Mutex<usize>,
    thread_ended: Condvar,
}

impl Shared {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        storage: Arc<dyn Storage>,
        reaper: ReaperHandle,
        (gate, verifier): (Gate, Verifier),
        stop: Stop,
    ) -> Self {
        Self { clock, storage, reaper, gate, verifier, stop, threads: Mutex::new(0), thread_ended: Condvar::new() }
    }

    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    pub(crate) fn look_again_after(&self) -> Option<Duration> {
        self.clock.look_again_after()
    }

    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.storage)
    }

    pub(crate) fn reaper(&self) -> &ReaperHandle {
        &self.reaper
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Counts a session's thread for as long as the guard lives.
    pub(crate) fn count_thread(self: &Arc<Self>) -> ThreadCount {
        *self.threads.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        ThreadCount(Arc::clone(self))
    }

    /// Waits for all sessions' threads to end, until nothing is `left`; tells whether they have.
    pub(crate) fn wait_for_threads(&self, left: impl Fn() -> Duration) -> bool {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        while *threads > 0 {
            let left = left();
            if left.is_zero() {
                return false;
            }
            let patience = self.look_again_after().map_or(left, |again| left.min(again));
            let woken = self.thread_ended.wait_timeout(threads, patience);
            threads = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// One session's thread, counted.
pub(crate) struct ThreadCount(Arc<Shared>);

impl ThreadCount {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl Drop for ThreadCount {
    fn drop(&mut self) {
        let mut threads = self.0.threads.lock().unwrap_or_else(PoisonError::into_inner);
        *threads = threads.saturating_sub(1);
        self.0.thread_ended.notify_all();
    }
}
