//! Dates: the forms that SETEXPIRY takes, and the forms that replies and listings show.

use crate::time::Now;
use alloc::string::String;

/// A date as a client gave it, seen from the moment it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryDate {
    /// This instant, UTC seconds, never before now; `now` is the present second.
    At(i64),
    /// `never`.
    Never,
}

/// Why a text is no date to set; both become 501 and the old date stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateError {
    /// It has none of the forms.
    Malformed,
    /// It lies before now.
    Past,
}

impl ExpiryDate {
    /// Reads the date of a `SETEXPIRY`. The result is UTC, in whole seconds, never before `now`.
    ///
    /// # Errors
    /// [`DateError::Malformed`] or [`DateError::Past`]; both become 501 and the old date stands.
    ///
    /// Source: seed `SETEXPIRY`; DESIGN 4; RFC 3339 5.6; RFC 3659 2.3 for the 14-digit form.
    pub fn parse(text: &str, now: Now) -> Result<Self, DateError> {
        todo!("{text} {now:?}")
    }
}

/// `YYYYMMDDHHMMSS`, UTC (RFC 3659 2.3).
#[must_use]
pub fn time_val(utc_s: i64) -> String {
    todo!("{utc_s}")
}

/// `2026-12-25T00:00:00Z`.
#[must_use]
pub fn rfc3339(utc_s: i64) -> String {
    todo!("{utc_s}")
}

/// UTC seconds of `YYYYMMDDHHMMSS[.fraction]` (RFC 3659 2.3); the fraction is cut off.
#[must_use]
pub fn parse_time_val(text: &str) -> Option<i64> {
    todo!("{text}")
}
