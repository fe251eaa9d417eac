//! How fast a process moves files in all (`--limit-rate`): pure arithmetic, fed with the clock. Whoever moves bytes
//! reserves the time that they take and waits for it, so that several transfers get their turns one after the other.

use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// A rate that several clients keep together, each from its own thread or task.
#[derive(Clone, Debug)]
pub struct RateLimit(Arc<Mutex<Pace>>);

impl RateLimit {
    /// So many bytes a second.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self(Arc::new(Mutex::new(Pace::new(rate.0))))
    }

    /// Reserves a turn.
    pub(super) fn reserve(&self, now_ms: u64) -> Turn {
        self.with(|pace| pace.reserve(now_ms))
    }

    /// Gives back what of a turn was not used.
    pub(super) fn give_back(&self, bytes: u64) {
        self.with(|pace| pace.give_back(bytes));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Pace) -> T) -> T {
        // Its numbers are right after each call, whoever panicked in between.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Bytes a second: at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(NonZeroU64);

impl Rate {
    /// So many bytes a second; none for 0, which would never end.
    #[must_use]
    pub fn new(bytes_per_s: u64) -> Option<Self> {
        NonZeroU64::new(bytes_per_s).map(Self)
    }

    /// Bytes a second.
    #[must_use]
    pub fn bytes_per_s(self) -> u64 {
        self.0.get()
    }
}

/// `500`, `64k`, `1.5M`, `2G`: bytes a second; the letters stand for powers of 1024, as with curl, wget and lftp.
impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "the form is 500, 64k, 1.5M or 2G, in bytes a second".to_owned();
        let (number, shift) = match text.char_indices().next_back() {
            Some((at, 'k' | 'K')) => (&text[..at], 10),
            Some((at, 'm' | 'M')) => (&text[..at], 20),
            Some((at, 'g' | 'G')) => (&text[..at], 30),
            _ => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > FRACTION_DIGITS_MAX {
            return Err(wrong());
        }
        let unit = 1_u128 << shift;
        let whole: u128 = whole.parse::<u64>().map_err(|_| wrong())?.into();
        let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().map_err(|_| wrong())?.into() };
        let tenths = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or_default());
        let bytes = u64::try_from(whole * unit + part * unit / tenths).map_err(|_| wrong())?;
        Self::new(bytes).ok_or_else(|| "at no byte a second nothing ever comes; give 1 or more".to_owned())
    }
}

/// Leave to move some bytes from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// So many; at least one.
    pub(super) bytes: u64,
    /// Not before this, monotonic milliseconds.
    pub(super) from_ms: u64,
}

/// The token bucket, seen from its other side: not how many tokens are there, but when the last one will have been
/// earned that was handed out. In this form (the ATM Forum's generic cell rate algorithm) waiting takes no guessing, and
/// whoever asks first goes first.
#[derive(Debug)]
struct Pace {
    bytes_per_s: u64,
    /// When all that was handed out is earned: milliseconds times `bytes_per_s`, so that no fraction is lost. None
    /// before the first byte: what was not used before counts for nothing.
    earned: Option<u128>,
}

impl Pace {
    fn new(bytes_per_s: NonZeroU64) -> Self {
        Self { bytes_per_s: bytes_per_s.get(), earned: None }
    }

    fn reserve(&mut self, now_ms: u64) -> Turn {
        let rate = u128::from(self.bytes_per_s);
        let bytes = (self.bytes_per_s / TURNS_PER_S).clamp(1, TURN_BYTES_MAX);
        // Who was held up for a moment may catch up with that much, and no more.
        let earliest = u128::from(now_ms.saturating_sub(CATCH_UP_MS_MAX)) * rate;
        let before = self.earned.map_or(u128::from(now_ms) * rate, |earned| earned.max(earliest));
        let earned = before + u128::from(bytes) * MS_PER_S;
        self.earned = Some(earned);
        Turn { bytes, from_ms: u64::try_from(earned.div_ceil(rate)).unwrap_or(u64::MAX) }
    }

    fn give_back(&mut self, bytes: u64) {
        if let Some(earned) = &mut self.earned {
            *earned = earned.saturating_sub(u128::from(bytes) * MS_PER_S);
        }
    }
}

const MS_PER_S: u128 = 1000;
/// Sixteen transfers that share the rate still get a turn each second.
const TURNS_PER_S: u64 = 16;
const TURN_BYTES_MAX: u64 = crate::net::CHUNK_BYTES as u64;
const CATCH_UP_MS_MAX: u64 = 100;
const FRACTION_DIGITS_MAX: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(bytes_per_s: u64) -> Pace {
        Pace::new(NonZeroU64::new(bytes_per_s).unwrap())
    }

    #[test]
    fn a_rate_has_a_number_and_perhaps_a_letter() {
        for (text, bytes) in [
            ("1", 1),
            ("500", 500),
            ("64k", 65_536),
            ("64K", 65_536),
            ("1.5M", 1_572_864),
            ("2G", 2_147_483_648),
            ("0.001k", 1),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(text.parse::<Rate>().map(Rate::bytes_per_s), Ok(bytes), "{text}");
        }
        for text in ["", "k", "0", "0.0001k", "-1", "1e3", "1kk", "1 k", ".5k", "1.2.3", "ü", "18446744073709551615k"]
        {
            text.parse::<Rate>().unwrap_err();
        }
    }

    #[test]
    fn no_byte_is_handed_out_before_it_is_earned() {
        for bytes_per_s in [1, 3, 1000, 1_048_576, 3_000_000_017] {
            let mut pace = pace(bytes_per_s);
            let (start_ms, mut now_ms, mut moved) = (77, 77, 0);
            for _ in 0..1000 {
                let turn = pace.reserve(now_ms);
                now_ms = now_ms.max(turn.from_ms);
                moved += u128::from(turn.bytes);
                let earned = u128::from(now_ms - start_ms) * u128::from(bytes_per_s);
                assert!(moved * 1000 <= earned, "{moved} bytes at {bytes_per_s} B/s after {} ms", now_ms - start_ms);
                // Nor is time wasted: at most the rest of a millisecond.
                assert!(earned < moved * 1000 + u128::from(bytes_per_s), "{bytes_per_s}");
            }
        }
    }

    #[test]
    fn who_asks_first_goes_first_and_all_get_the_same() {
        let mut pace = pace(1600);
        let turns: Vec<Turn> = (0..4).map(|_| pace.reserve(0)).collect();
        let from = |from_ms| Turn { bytes: 100, from_ms };
        assert_eq!(turns, [from(63), from(125), from(188), from(250)]);
        pace.give_back(100);
        assert_eq!(pace.reserve(0), from(250));
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let mut pace = pace(16_000);
        pace.reserve(0);
        // A minute later one may catch up with a tenth of a second, of which this turn takes 62.5 ms.
        assert_eq!(pace.reserve(60_000).from_ms, 59_963);
        assert_eq!(pace.reserve(60_000).from_ms, 60_025);
    }
}
