//! Locks on several handles at once: all or none, so that two who want each other's never wait for ever.

use super::errno::during;
use mayfly_core::error::StorageError;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::os::fd::BorrowedFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A lock to be had. It lasts until its handle is closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    handle: BorrowedFd<'a>,
    operation: FlockOperation,
}

/// Together with others who share it.
pub(super) fn shared(handle: BorrowedFd<'_>) -> Wanted<'_> {
    Wanted { handle, operation: FlockOperation::NonBlockingLockShared }
}

/// Alone.
pub(super) fn exclusive(handle: BorrowedFd<'_>) -> Wanted<'_> {
    Wanted { handle, operation: FlockOperation::NonBlockingLockExclusive }
}

/// Takes all the locks, or none.
///
/// # Errors
/// [`StorageError::Busy`] where another holds one of them for longer than [`WAIT_MAX`].
pub(super) fn all(wanted: &[Wanted<'_>]) -> Result<(), StorageError> {
    let begun = Instant::now();
    let mut pause = PAUSE_MIN;
    while !try_all(wanted).map_err(during("locking"))? {
        if begun.elapsed() > WAIT_MAX {
            return Err(StorageError::Busy);
        }
        sleep(pause + jitter(pause));
        pause = (pause * 2).min(PAUSE_MAX);
    }
    Ok(())
}

/// Takes one lock if it is free now.
pub(super) fn try_one(wanted: Wanted<'_>) -> Result<bool, Errno> {
    try_all(&[wanted])
}

/// The longest wait. Whoever holds a lock does so for some syncs of the disk at most.
const WAIT_MAX: Duration = Duration::from_secs(5);
const PAUSE_MIN: Duration = Duration::from_micros(200);
const PAUSE_MAX: Duration = Duration::from_millis(10);

fn try_all(wanted: &[Wanted<'_>]) -> Result<bool, Errno> {
    for (taken, want) in wanted.iter().enumerate() {
        match rustix::io::retry_on_intr(|| rustix::fs::flock(want.handle, want.operation)) {
            Ok(()) => {}
            Err(errno) => {
                for held in &wanted[..taken] {
                    rustix::fs::flock(held.handle, FlockOperation::Unlock)?;
                }
                return if errno == Errno::WOULDBLOCK { Ok(false) } else { Err(errno) };
            }
        }
    }
    Ok(true)
}

/// Up to as much again, so that two who collide do not collide again.
fn jitter(pause: Duration) -> Duration {
    pause.mul_f64(f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX))
}
