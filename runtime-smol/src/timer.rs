//! One timer for each waiting task, set anew only when it would ring too late.

use async_io::Timer;
use futures_lite::stream::Stream;
use mayfly_std::clock::Clock;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Rings when a deadline on a driver's clock has come.
///
/// A deadline that moves away, as the idle deadline does with every command, costs nothing: the timer rings early, looks
/// at the clock and goes back to sleep.
pub(crate) struct Alarm {
    timer: Timer,
    rings_at: Option<Instant>,
}

impl Alarm {
    /// An alarm that is not set.
    pub(crate) fn new() -> Self {
        Self { timer: Timer::never(), rings_at: None }
    }

    /// Ready once `deadline_ms` has come on `clock`; with no deadline, never.
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>, clock: &dyn Clock, deadline_ms: Option<u64>) -> Poll<()> {
        let Some(deadline_ms) = deadline_ms else { return Poll::Pending };
        loop {
            let left_ms = deadline_ms.saturating_sub(clock.now().monotonic_ms);
            if left_ms == 0 {
                return Poll::Ready(());
            }
            self.ring_within(sleep_at_most(left_ms, clock));
            match Pin::new(&mut self.timer).poll_next(cx) {
                Poll::Ready(_) => self.rings_at = None,
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn ring_within(&mut self, wait: Duration) {
        let at = Instant::now() + wait;
        if self.rings_at.is_none_or(|rings_at| rings_at > at + SLACK) {
            self.timer.set_at(at);
            self.rings_at = Some(at);
        }
    }
}

/// A clock that somebody moves by hand is looked at again and again.
fn sleep_at_most(left_ms: u64, clock: &dyn Clock) -> Duration {
    let left = Duration::from_millis(left_ms.min(SLEEP_MS_MAX));
    clock.look_again_after().map_or(left, |again| left.min(again))
}

/// A reading in whole milliseconds makes the same deadline seem up to one later; that is no reason to set the timer anew.
const SLACK: Duration = Duration::from_millis(2);

/// A day: instants beyond what the system can count are never asked for.
const SLEEP_MS_MAX: u64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, or, poll_fn, yield_now};
    use mayfly_core::time::Now;
    use mayfly_std::clock::{ManualClock, SystemClock};

    #[test]
    fn it_rings_when_the_deadline_has_come_and_not_before() {
        block_on(async {
            let clock = SystemClock;
            let deadline_ms = clock.now().monotonic_ms + 20;
            let mut alarm = Alarm::new();
            poll_fn(|cx| alarm.poll_due(cx, &clock, Some(deadline_ms))).await;
            assert!(clock.now().monotonic_ms >= deadline_ms);
        });
    }

    #[test]
    fn a_deadline_that_moves_nearer_is_kept() {
        block_on(async {
            let clock = SystemClock;
            let begun_ms = clock.now().monotonic_ms;
            let mut alarm = Alarm::new();
            let far = poll_fn(|cx| alarm.poll_due(cx, &clock, Some(begun_ms + 3_600_000)));
            or(far, yield_now()).await;
            poll_fn(|cx| alarm.poll_due(cx, &clock, Some(begun_ms + 5))).await;
            assert!(clock.now().monotonic_ms < begun_ms + 3_600_000);
        });
    }

    #[test]
    fn a_deadline_that_moves_away_leaves_the_timer_alone() {
        block_on(async {
            let clock = SystemClock;
            let deadline_ms = clock.now().monotonic_ms + 3_600_000;
            let mut alarm = Alarm::new();
            or(poll_fn(|cx| alarm.poll_due(cx, &clock, Some(deadline_ms))), yield_now()).await;
            let rings_at = alarm.rings_at;
            or(poll_fn(|cx| alarm.poll_due(cx, &clock, Some(deadline_ms + 60_000))), yield_now()).await;
            assert_eq!(alarm.rings_at, rings_at);
        });
    }

    #[test]
    fn a_clock_moved_by_hand_is_looked_at_again() {
        let clock = ManualClock::new(Now { monotonic_ms: 0, utc_s: 0 });
        std::thread::scope(|scope| {
            scope.spawn(|| clock.advance(Duration::from_secs(3600)));
            let mut alarm = Alarm::new();
            block_on(poll_fn(|cx| alarm.poll_due(cx, &clock, Some(3_600_000))));
        });
    }
}
