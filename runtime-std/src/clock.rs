//! The clocks that a driver reads. Passed in when a server is made, never set by flag or environment.

use mayfly_core::time::Now;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where a driver gets its time.
pub trait Clock: Send + Sync {
    /// One reading of both clocks.
    fn now(&self) -> Now;

    /// A clock that somebody moves by hand is to be looked at this often while waiting; the real one never.
    fn look_again_after(&self) -> Option<Duration> {
        None
    }
}

/// The host's clocks: UTC, and the boot-time clock, which also counts while the host sleeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let monotonic = Duration::new(
            u64::try_from(boot.tv_sec).unwrap_or_default(),
            u32::try_from(boot.tv_nsec).unwrap_or_default(),
        );
        let utc_s = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        };
        Now { monotonic_ms: u64::try_from(monotonic.as_millis()).unwrap_or(u64::MAX), utc_s }
    }
}

/// A clock that stands still until it is moved: for tests, so that transcripts with dates run in no time.
#[derive(Debug)]
pub struct ManualClock {
    monotonic_ms: AtomicU64,
    utc_s: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Now) -> Self {
        Self { monotonic_ms: AtomicU64::new(now.monotonic_ms), utc_s: AtomicI64::new(now.utc_s) }
    }

    /// Lets `by` pass on both clocks.
    pub fn advance(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        let s = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        self.monotonic_ms.fetch_add(ms, Ordering::SeqCst);
        self.utc_s.fetch_add(s, Ordering::SeqCst);
    }

    /// Sets the wall clock alone, as an administrator might.
    pub fn set_utc(&self, utc_s: i64) {
        self.utc_s.store(utc_s, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Now {
        Now { monotonic_ms: self.monotonic_ms.load(Ordering::SeqCst), utc_s: self.utc_s.load(Ordering::SeqCst) }
    }

    fn look_again_after(&self) -> Option<Duration> {
        Some(Duration::from_millis(2))
    }
}
