//! How often an address connects.

/// The new connections of one address: a bucket that fills up with a minute's worth, and that each connection takes one
/// from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Visits {
    /// Up to this moment the connections that came have used the rate up, milliseconds and thousandths of them.
    used_us: u64,
}

impl Visits {
    /// Counts one more in, where the rate has room for it.
    pub(super) fn count(&mut self, now_ms: u64, per_minute: u32) -> bool {
        if per_minute == 0 {
            return true;
        }
        // From a minute after the clock's beginning on, so that the bucket can be full then already.
        let reading_us = now_ms.saturating_mul(1000).saturating_add(MINUTE_US);
        let each_us = MINUTE_US / u64::from(per_minute);
        let used_us = self.used_us.max(reading_us - MINUTE_US) + each_us;
        let has_room = used_us <= reading_us;
        if has_room {
            self.used_us = used_us;
        }
        has_room
    }
}

const MINUTE_US: u64 = 60_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_s_worth_may_come_at_once_and_then_each_in_its_time() {
        let mut visits = Visits::default();
        for now_ms in [0, 1_000_000] {
            assert!((0..60).all(|_| visits.count(now_ms, 60)));
            assert!(!visits.count(now_ms + 999, 60));
            assert!(visits.count(now_ms + 1000, 60) && !visits.count(now_ms + 1000, 60));
        }
        assert!((0..10_000).all(|_| visits.count(1_002_000, 0)), "nought is no bound");
    }
}
