//! Keeps a session's transfers to a rate, for both drivers. It only counts: a driver asks how much may move now, or when
//! to ask again, and waits as it waits for anything else.

use std::num::NonZeroU64;

/// What one session has used of its rate, over all its transfers: many small files go no faster than one large one.
///
/// A session that has moved nothing for a while may catch up a quarter of a second's worth, and no more.
///
/// ```
/// use mayfly_std::pace::Pacer;
/// use std::num::NonZeroU64;
///
/// let mut pacer = Pacer::default();
/// pacer.begin(NonZeroU64::new(1000));
/// assert_eq!(pacer.room(60_000), Ok(250));
/// pacer.moved(250);
/// assert_eq!(pacer.room(60_000), Err(60_063)); // when a sixteenth of a second's worth may move
/// ```
#[derive(Clone, Debug, Default)]
pub struct Pacer {
    bytes_per_s: Option<NonZeroU64>,
    /// Up to this moment the rate is used up, on the monotonic clock, nanoseconds.
    used_ns: u64,
}

impl Pacer {
    /// From now on this is the rate; none: there is none to keep.
    pub fn begin(&mut self, bytes_per_s: Option<NonZeroU64>) {
        self.bytes_per_s = bytes_per_s;
    }

    /// How many bytes may move now.
    ///
    /// # Errors
    /// None yet: when to ask again, on the monotonic clock, milliseconds.
    pub fn room(&mut self, now_ms: u64) -> Result<usize, u64> {
        let Some(rate) = self.bytes_per_s else { return Ok(usize::MAX) };
        let reading_ns = now_ms.saturating_mul(NS_PER_MS);
        let byte_ns = NS_PER_S.div_ceil(rate.get());
        self.used_ns = self.used_ns.max(reading_ns.saturating_sub(BURST_NS.max(byte_ns)));
        let due_ns = self.used_ns.saturating_add(GRAIN_NS.max(byte_ns));
        if due_ns > reading_ns {
            return Err(due_ns.div_ceil(NS_PER_MS));
        }
        let bytes = u128::from(reading_ns - self.used_ns) * u128::from(rate.get()) / u128::from(NS_PER_S);
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// So many bytes have moved.
    pub fn moved(&mut self, bytes: u64) {
        let Some(rate) = self.bytes_per_s else { return };
        let took_ns = (u128::from(bytes) * u128::from(NS_PER_S)).div_ceil(u128::from(rate.get()));
        self.used_ns = self.used_ns.saturating_add(u64::try_from(took_ns).unwrap_or(u64::MAX));
    }
}

/// What may be caught up: a quarter of a second's worth, or one byte where that is more.
const BURST_NS: u64 = NS_PER_S / 4;
/// What is worth waking up for: a sixteenth of a second's worth.
const GRAIN_NS: u64 = NS_PER_S / 16;
const NS_PER_S: u64 = 1_000_000_000;
const NS_PER_MS: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes move in `span_ms` where the peer takes at most `takes` at a time, and how often it is asked.
    fn run(pacer: &mut Pacer, from_ms: u64, span_ms: u64, takes: u64) -> (u64, u64) {
        let (mut now_ms, mut bytes, mut looks) = (from_ms, 0, 0);
        while now_ms < from_ms + span_ms {
            looks += 1;
            match pacer.room(now_ms) {
                Ok(room) => {
                    assert!(room > 0);
                    let moves = takes.min(room as u64);
                    bytes += moves;
                    pacer.moved(moves);
                }
                Err(due_ms) => {
                    assert!(due_ms > now_ms);
                    now_ms = due_ms;
                }
            }
        }
        (bytes, looks)
    }

    #[test]
    fn a_rate_is_kept_with_a_bounded_burst_whatever_it_is() {
        for rate in [1, 3, 1000, 65_536, 10_000_000, 100_000_000_000] {
            let mut pacer = Pacer::default();
            pacer.begin(NonZeroU64::new(rate));
            let (bytes, looks) = run(&mut pacer, 5_000_000, 100_000, u64::MAX);
            let whole = rate * 100;
            assert!(bytes <= whole + (rate / 4).max(1), "{rate}: {bytes}");
            assert!(bytes >= whole - rate / 8 - 1, "{rate}: {bytes}");
            assert!(looks <= 2 * 16 * 100 + 10, "{rate}: {looks} looks in 100 s");
        }
    }

    #[test]
    fn a_pause_is_caught_up_for_a_quarter_of_a_second_only() {
        let mut pacer = Pacer::default();
        pacer.begin(NonZeroU64::new(8000));
        run(&mut pacer, 0, 10_000, u64::MAX);
        assert_eq!(pacer.room(3_600_000), Ok(2000));
    }

    #[test]
    fn the_next_transfer_goes_on_where_the_last_one_was() {
        let mut pacer = Pacer::default();
        pacer.begin(NonZeroU64::new(1000));
        assert_eq!(pacer.room(10_000), Ok(250));
        pacer.moved(250);
        pacer.begin(NonZeroU64::new(1000));
        assert!(pacer.room(10_000).is_err());
        pacer.begin(None);
        assert_eq!(pacer.room(10_000), Ok(usize::MAX));
    }
}
