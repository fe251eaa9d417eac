//! Records that cannot be read are told in the log, each once in an hour: a client that asks for such a path again and
//! again must not fill it, and an operator shall not have to look for it.

use super::disk::Disk;
use mayfly_core::path::VirtualPath;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tracing::warn;

/// Which were told, and when, on the monotonic clock.
#[derive(Default)]
pub(super) struct Unreadable(Mutex<BTreeMap<VirtualPath, u64>>);

impl Disk {
    /// The record of a storage path, or the date of a file, is there and cannot be read.
    pub(super) fn tell_unreadable(&self, path: &VirtualPath, what: &'static str) {
        if self.unreadable.is_due(path, self.clock.now().monotonic_ms) {
            warn!(path = path.as_str(), "{what} cannot be read; nothing there is served or deleted");
        }
    }
}

impl Unreadable {
    fn is_due(&self, path: &VirtualPath, now_ms: u64) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |at_ms: u64| now_ms.saturating_sub(at_ms) < EVERY_MS;
        if told.get(path).is_some_and(|at_ms| is_fresh(*at_ms)) {
            return false;
        }
        if told.len() >= TOLD_MAX {
            told.retain(|_, at_ms| is_fresh(*at_ms));
        }
        // More than so many are told by whoever looks for them (`fsck`).
        if told.len() < TOLD_MAX {
            told.insert(path.clone(), now_ms);
            return true;
        }
        false
    }
}

/// How often one is told, milliseconds.
const EVERY_MS: u64 = 3_600_000;
/// How many are told in that time.
const TOLD_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_in_an_hour_and_not_too_many() {
        let unreadable = Unreadable::default();
        let path = |name: usize| VirtualPath::parse(&format!("/{name}")).unwrap();
        assert!(unreadable.is_due(&path(0), 5));
        assert!(!unreadable.is_due(&path(0), 3_600_004));
        assert!(unreadable.is_due(&path(1), 6));
        assert!(unreadable.is_due(&path(0), 3_600_005));
        let told = (0..5_000).filter(|name| unreadable.is_due(&path(*name), 3_600_006)).count();
        assert_eq!(told, TOLD_MAX - 1);
        assert!(unreadable.is_due(&path(9_999), 7_200_006), "an hour later there is room");
    }
}
