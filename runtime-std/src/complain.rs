//! What both binaries say when a command fails.

use std::fmt::Display;

/// Tells on standard error why a command failed and what to do; the hint is a line of `why`.
pub(crate) fn complain(why: &dyn Display) {
    // Not through the log: it has its own form and may be off. Where standard error is closed, nobody listens.
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("error: {why}\n"));
}

/// Tells on standard error what may not be as it was meant, and does not stand in the way.
pub(crate) fn warn(what: &dyn Display) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("warning: {what}\n"));
}
