//! Failed logins, remembered for each address beyond the connection that they came over, and bans. A restart forgets both.

use super::memory::Remembered;
use super::rules::Rules;
use std::collections::VecDeque;
use std::net::IpAddr;

/// Who has guessed how often, and who is banned for it.
#[derive(Debug)]
pub(super) struct Failures {
    /// When the last logins of an address failed, milliseconds, the oldest first.
    failed: Remembered<VecDeque<u64>>,
    /// Until when an address is banned, milliseconds. Apart, for many failures stand behind a ban: whoever comes from ever
    /// new addresses has none of them forgotten.
    banned: Remembered<u64>,
}

impl Failures {
    pub(super) fn new() -> Self {
        Self { failed: Remembered::new(ADDRESSES_MAX), banned: Remembered::new(ADDRESSES_MAX) }
    }

    /// One more login from there has failed; whether the address is banned from now on, and was not before.
    pub(super) fn count(&mut self, address: IpAddr, now_ms: u64, rules: &Rules) -> bool {
        if self.is_banned(address, now_ms) {
            return false;
        }
        let times = self.failed.touch(address);
        times.retain(|failed_ms| is_within(*failed_ms, now_ms, rules));
        times.push_back(now_ms);
        if times.len() > FAILURES_MAX {
            times.pop_front();
        }
        let is_banned = rules.ban_after != 0 && times.len() >= usize::try_from(rules.ban_after).unwrap_or(usize::MAX);
        if is_banned {
            self.failed.forget(address);
            *self.banned.touch(address) = now_ms.saturating_add(rules.ban_ms);
        }
        is_banned
    }

    /// How many logins from there have failed within the window.
    pub(super) fn recent(&self, address: IpAddr, now_ms: u64, rules: &Rules) -> u32 {
        let times = self.failed.get(address).into_iter().flatten();
        let count = times.filter(|failed_ms| is_within(**failed_ms, now_ms, rules)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    pub(super) fn is_banned(&self, address: IpAddr, now_ms: u64) -> bool {
        self.banned.get(address).is_some_and(|until_ms| now_ms < *until_ms)
    }

    /// How many addresses it holds anything of.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.failed.len() + self.banned.len()
    }
}

fn is_within(failed_ms: u64, now_ms: u64, rules: &Rules) -> bool {
    now_ms.saturating_sub(failed_ms) < rules.ban_window_ms
}

/// Addresses whose failed logins are remembered, and as many that are banned: with [`FAILURES_MAX`] each, 9 MiB at most.
pub(super) const ADDRESSES_MAX: usize = 10_000;
/// Failed logins that are remembered of one address; `ban_after` is no larger.
const FAILURES_MAX: usize = 100;
