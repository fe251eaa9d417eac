//! The expiry rules: when a path counts as expired, and which dates policy lets through (DESIGN 4).

use crate::record::RecordAt;

/// The effective expiry at the end of a way: the earliest of all its records; none: never.
#[must_use]
pub fn effective(way: &[RecordAt]) -> Option<i64> {
    way.iter().filter_map(|at| at.record.expiry_s).min()
}

/// Whether an expiry has come: `now >= expiry`.
#[must_use]
pub fn is_expired(expiry_s: Option<i64>, utc_s: i64) -> bool {
    expiry_s.is_some_and(|expiry_s| utc_s >= expiry_s)
}
