//! What the log has heard of those who were turned away: once for each address and minute, and of so many in all, for a
//! flood of visitors must not become a flood of lines.

use super::memory::Remembered;
use mayfly_core::event::Admission;
use std::net::IpAddr;
use tracing::warn;

/// See the module.
#[derive(Debug)]
pub(super) struct Told {
    /// When it was last told of an address, milliseconds.
    at_ms: Remembered<Option<u64>>,
    minute_began_ms: u64,
    lines: u32,
    silent: u64,
}

impl Told {
    pub(super) fn new() -> Self {
        Self { at_ms: Remembered::new(ADDRESSES_MAX), minute_began_ms: 0, lines: 0, silent: 0 }
    }

    /// This address was turned away.
    pub(super) fn tell(&mut self, address: IpAddr, admission: Admission, now_ms: u64) {
        if self.is_due(address, now_ms) {
            // Those who were turned away since the last line and are not named.
            let others = std::mem::take(&mut self.silent);
            warn!(%address, ?admission, others, "a connection was turned away");
        } else {
            self.silent += 1;
        }
    }

    fn is_due(&mut self, address: IpAddr, now_ms: u64) -> bool {
        if now_ms.saturating_sub(self.minute_began_ms) >= MINUTE_MS {
            (self.minute_began_ms, self.lines) = (now_ms, 0);
        }
        let at_ms = self.at_ms.touch(address);
        let is_due = self.lines < LINES_MAX && at_ms.is_none_or(|at_ms| now_ms.saturating_sub(at_ms) >= MINUTE_MS);
        if is_due {
            *at_ms = Some(now_ms);
            self.lines += 1;
        }
        is_due
    }
}

const MINUTE_MS: u64 = 60_000;
/// Lines in a minute, whatever the addresses.
const LINES_MAX: u32 = 60;
const ADDRESSES_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_told_of_once_a_minute_and_only_so_many_are() {
        let mut told = Told::new();
        let address = |number: u32| IpAddr::from(std::net::Ipv4Addr::from_bits(number));
        assert!(told.is_due(address(1), 100_000));
        assert!(!told.is_due(address(1), 159_999) && told.is_due(address(2), 159_999));
        assert!(told.is_due(address(1), 160_000));
        let lines = (10..10_000).filter(|number| told.is_due(address(*number), 160_001)).count();
        assert_eq!(lines, usize::try_from(LINES_MAX).unwrap() - 1);
    }
}
