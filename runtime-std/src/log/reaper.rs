//! The reaper's lines.

use mayfly_core::date;
use mayfly_core::path::VirtualPath;
use mayfly_core::reaper::ReaperNote;
use tracing::{info, warn};

/// Writes what the reaper notes.
pub fn reaper_note(note: &ReaperNote) {
    match note {
        ReaperNote::Expired { path, expiry_s, lag_s, backlog } => {
            info!(path = path.as_str(), expired = date::rfc3339(*expiry_s), lag_s, backlog, "path expired");
        }
        ReaperNote::Emptied { bytes } => info!(bytes, "trash emptied"),
        ReaperNote::HeldBack { leap_s, hold_s } => {
            warn!(leap_s, hold_s, "the wall clock leapt ahead: deletions are held back");
        }
        ReaperNote::Failed { path, error, untold } => {
            let path = path.as_ref().map(VirtualPath::as_str);
            warn!(path, ?error, untold, "the reaper failed at a step and will try it again");
        }
        other => info!(?other, "reaper"),
    }
}
