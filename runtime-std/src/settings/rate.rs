//! A number of bytes in a second as a setting.

use super::size::Size;
use super::values::Form;
use std::num::NonZeroU64;

/// Bytes in a second, at least 1 KiB; none: no bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate(pub(crate) Option<NonZeroU64>);

impl Form for Rate {
    fn form() -> String {
        "a number of bytes in a second such as \"2MiB\" (B, KiB, MiB, GiB or TiB), from 1KiB, or \"none\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self(None));
        }
        let bytes = Size::read(text)?.0;
        (bytes >= BYTES_MIN).then(|| Self(NonZeroU64::new(bytes)))
    }
}

/// Below this a rate is a mistake in the unit.
const BYTES_MIN: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_size_from_1_kib_on_or_none() {
        let read = |text| Rate::read(text).map(|rate| rate.0.map(NonZeroU64::get));
        assert_eq!(read("none"), Some(None));
        assert_eq!(read("2MiB"), Some(Some(2 << 20)));
        assert_eq!((read("1KiB"), read("1023"), read("0")), (Some(Some(1024)), None, None));
    }
}
