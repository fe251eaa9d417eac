//! What fails again and again is told now and then: thousands of paths that cannot go, say on a disk that turned
//! read-only, must not fill the log.

use crate::error::StorageError;
use crate::time::Now;
use alloc::vec::Vec;

/// Failures that were told, by their kind.
#[derive(Debug, Default)]
pub(super) struct Complaints(Vec<Told>);

#[derive(Debug)]
struct Told {
    error: StorageError,
    at_ms: u64,
    /// How often it failed so since, untold.
    untold: u64,
}

impl Complaints {
    /// Whether this failure is to be told now, and how many of its kind were not since the last that was.
    pub(super) fn tell(&mut self, now: Now, error: StorageError) -> Option<u64> {
        let Some(told) = self.0.iter_mut().find(|told| told.error == error) else {
            if self.0.len() >= KINDS_MAX {
                self.0.remove(0);
            }
            self.0.push(Told { error, at_ms: now.monotonic_ms, untold: 0 });
            return Some(0);
        };
        if now.monotonic_ms.saturating_sub(told.at_ms) < EVERY_MS {
            told.untold += 1;
            return None;
        }
        let untold = core::mem::take(&mut told.untold);
        told.at_ms = now.monotonic_ms;
        Some(untold)
    }
}

/// How often failures of one kind are told, milliseconds.
const EVERY_MS: u64 = 10_000;
/// Kinds that are kept apart; there are hardly more.
const KINDS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_at_once_and_then_now_and_then_with_what_was_left_out() {
        let mut complaints = Complaints::default();
        let at = |monotonic_ms| Now { monotonic_ms, utc_s: 0 };
        assert_eq!(complaints.tell(at(5), StorageError::ReadOnly), Some(0));
        assert_eq!(complaints.tell(at(6), StorageError::NoSpace), Some(0), "another kind");
        for ms in [7, 8, 10_004] {
            assert_eq!(complaints.tell(at(ms), StorageError::ReadOnly), None);
        }
        assert_eq!(complaints.tell(at(10_005), StorageError::ReadOnly), Some(3));
        assert_eq!(complaints.tell(at(20_005), StorageError::ReadOnly), Some(0));
    }
}
