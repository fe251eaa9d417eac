//! A clock that is moved by hand, and only when the server has taken notice of all that went before.

use super::Fault;
use crate::kernel;
use mayfly_core::time::Now;
use mayfly_std::clock::{Clock, ManualClock};
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The clock: a [`ManualClock`] that counts how often it is read.
#[derive(Debug)]
pub(super) struct WatchedClock {
    hands: ManualClock,
    reads: Mutex<u64>,
    read: Condvar,
}

impl WatchedClock {
    pub(super) fn new(now: Now) -> Self {
        Self { hands: ManualClock::new(now), reads: Mutex::new(0), read: Condvar::new() }
    }

    /// What is moved by hand.
    pub(super) fn hands(&self) -> &ManualClock {
        &self.hands
    }

    /// Waits until the server has read what these connections (its end, the client's end) sent, and has looked at the
    /// clock since: a time-out that begins with it begins before the clock is moved.
    pub(super) fn settle(&self, connections: &[(SocketAddr, SocketAddr)], patience: Duration) -> Result<(), Fault> {
        let deadline = Instant::now() + patience;
        while !connections.iter().all(|(server, client)| kernel::has_read(*server, *client)) {
            if Instant::now() > deadline {
                return Err("the server does not read what was sent".to_owned());
            }
            std::thread::yield_now();
        }
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = *reads + LOOKS * (connections.len() as u64 + 2);
        while *reads < enough {
            let waited = self.read.wait_timeout(reads, patience).unwrap_or_else(PoisonError::into_inner);
            if waited.1.timed_out() {
                return Err("the server does not look at the clock".to_owned());
            }
            reads = waited.0;
        }
        Ok(())
    }
}

/// Looks at the clock for each of a server's waits, after which each of them has looked at least once.
const LOOKS: u64 = 4;

impl Clock for WatchedClock {
    fn now(&self) -> Now {
        *self.reads.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.read.notify_all();
        self.hands.now()
    }

    fn look_again_after(&self) -> Option<Duration> {
        self.hands.look_again_after()
    }
}
