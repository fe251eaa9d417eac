//! Notices that the wall clock has leapt ahead: a wrong clock must not destroy everything (DESIGN 4).

use crate::time::Now;

/// The wall clock may gain this much on the monotonic clock between two events before deletions are held back.
const LEAP_MS: i64 = 3_600_000;
/// For how long they are held back, on the monotonic clock.
const HOLD_MS: u64 = 3_600_000;

/// Compares the two clocks at each event.
#[derive(Debug, Default)]
pub(super) struct LeapGuard {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Unknown,
    Trusted {
        offset_ms: i64,
    },
    Holding {
        /// The wall clock's lead over the monotonic one before it leapt.
        offset_ms: i64,
        until_ms: u64,
    },
}

/// A leap that was just noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leap {
    pub(super) leap_s: i64,
    pub(super) hold_s: u64,
}

impl LeapGuard {
    /// Looks at the clocks; tells of a leap once, when it is first seen.
    pub(super) fn look(&mut self, now: Now) -> Option<Leap> {
        let offset_ms = offset_ms(now);
        match self.state {
            State::Trusted { offset_ms: before } if offset_ms.saturating_sub(before) > LEAP_MS => {
                self.state = State::Holding { offset_ms: before, until_ms: now.monotonic_ms.saturating_add(HOLD_MS) };
                return Some(Leap { leap_s: offset_ms.saturating_sub(before) / 1000, hold_s: HOLD_MS / 1000 });
            }
            // Corrected, or nobody has corrected it in time: believe it from now on.
            State::Holding { offset_ms: before, until_ms }
                if offset_ms.saturating_sub(before) > LEAP_MS && now.monotonic_ms < until_ms => {}
            _ => self.state = State::Trusted { offset_ms },
        }
        None
    }

    /// Until when deletions are held back, on the monotonic clock.
    pub(super) fn held_until_ms(&self) -> Option<u64> {
        match self.state {
            State::Holding { until_ms, .. } => Some(until_ms),
            _ => None,
        }
    }
}

fn offset_ms(now: Now) -> i64 {
    let monotonic_ms = i64::try_from(now.monotonic_ms).unwrap_or(i64::MAX);
    now.utc_s.saturating_mul(1000).saturating_sub(monotonic_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(monotonic_s: u64, utc_s: i64) -> Now {
        Now { monotonic_ms: monotonic_s * 1000, utc_s }
    }

    #[test]
    fn time_that_passes_on_both_clocks_is_no_leap() {
        let mut guard = LeapGuard::default();
        assert_eq!(guard.look(at(0, 1_000)), None);
        assert_eq!(guard.look(at(1_000_000, 1_001_000)), None);
        // Up to the bound a step of the wall clock is believed.
        assert_eq!(guard.look(at(1_000_000, 1_004_600)), None);
        assert_eq!(guard.held_until_ms(), None);
    }

    #[test]
    fn a_leap_holds_for_an_hour_or_until_it_is_taken_back() {
        let mut guard = LeapGuard::default();
        guard.look(at(0, 0));
        assert_eq!(guard.look(at(1, 3_602)), Some(Leap { leap_s: 3_601, hold_s: 3_600 }));
        assert_eq!(guard.held_until_ms(), Some(3_601_000));
        assert_eq!(guard.look(at(2, 2)), None);
        assert_eq!(guard.held_until_ms(), None);

        assert!(guard.look(at(3, 9_000)).is_some());
        guard.look(at(3_602, 12_599));
        assert!(guard.held_until_ms().is_some());
        guard.look(at(3_603, 12_600));
        assert_eq!(guard.held_until_ms(), None);
    }
}
