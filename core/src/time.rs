//! Time as a number that comes in with every event. The core never asks a clock.

use serde::{Deserialize, Serialize};

/// One reading of the driver's clocks, taken once for each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Milliseconds on a clock that never steps back (boot time), for time-outs.
    pub monotonic_ms: u64,
    /// Whole seconds since 1970-01-01T00:00:00Z, cut off, for expiry.
    pub utc_s: i64,
}
