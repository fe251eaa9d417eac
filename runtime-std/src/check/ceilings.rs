//! What all sessions together may cost at most, where every one of them is hostile.

use crate::net;
use crate::settings::ServeOptions;
use crate::start::DESCRIPTORS_PER_SESSION;
use mayfly_core::limits;
use std::fmt;

/// The bounds that follow from a server's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ceilings {
    /// None: there is no bound on them.
    sessions: Option<u64>,
    before_login_bytes: u64,
    after_login_bytes: u64,
    login_threads: u64,
    descriptors_granted: u64,
}

impl Ceilings {
    pub(super) fn of(options: &ServeOptions) -> Self {
        let sessions = u64::try_from(options.max_sessions).unwrap_or(u64::MAX);
        let before_login_bytes = SESSION_BYTES + input_bytes(options) + reply_bytes();
        let sorted = u64::from(options.session.listing_sort_entries_max);
        // A session lists or transfers, one at a time; both make of text what goes over the wire.
        let listing_bytes = sorted * SORTED_NAME_BYTES + LISTING_PIECE_BYTES;
        let work_bytes = listing_bytes.max(TRANSFER_BYTES);
        Self {
            sessions: (sessions != 0).then_some(sessions),
            before_login_bytes,
            after_login_bytes: before_login_bytes + OWN_BYTES + work_bytes,
            login_threads: options.login_threads as u64,
            descriptors_granted: net::raise_descriptor_limit(),
        }
    }
}

impl fmt::Display for Ceilings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before_login_bytes, after_login_bytes, login_threads, descriptors_granted, .. } = *self;
        writeln!(f, "# What hostile sessions may cost at most, beside what the kernel holds for their sockets:")?;
        for (when, bytes) in [
            ("that has not logged in", before_login_bytes),
            ("that sorts a listing (listing_sort_max)", after_login_bytes),
        ] {
            write!(f, "#   memory of one {when}: {} KiB", bytes.div_ceil(1024))?;
            match self.sessions {
                Some(sessions) => {
                    let all = bytes.saturating_mul(sessions).div_ceil(1 << 20);
                    writeln!(f, "; of {sessions} (max_sessions): {all} MiB")?;
                }
                None => writeln!(f, "; of all: without bound (max_sessions is 0)")?,
            }
        }
        writeln!(f, "#   memory of logins being checked: {} MiB", login_threads * MIB_PER_LOGIN)?;
        match self.sessions {
            Some(sessions) => {
                let needed = sessions.saturating_mul(DESCRIPTORS_PER_SESSION);
                let verdict = if needed > descriptors_granted { "too few: sessions will wait" } else { "enough" };
                writeln!(f, "#   descriptors: {needed}; the host grants {descriptors_granted}, {verdict}")
            }
            None => writeln!(f, "#   descriptors: without bound; the host grants {descriptors_granted}"),
        }
    }
}

/// Lines that wait and those that are cut out of them, and what is read in one go.
fn input_bytes(options: &ServeOptions) -> u64 {
    let held = 2 * u64::from(options.session.input_bytes_max) + net::CONTROL_READ_BYTES as u64;
    held + u64::from(options.session.lines_queued_max) * LINE_OVERHEAD_BYTES
}

/// The backlog, and the replies of one event on top of it, twice, for a buffer doubles as it grows.
fn reply_bytes() -> u64 {
    (2 * (net::REPLY_BYTES_WAITING_MAX + REPLIES_PER_EVENT_BYTES)) as u64
}

/// State machine, driver, task or the touched part of a thread's stack.
const SESSION_BYTES: u64 = 24 * 1024;
/// A line that was read and waits for its turn.
const LINE_OVERHEAD_BYTES: u64 = 256;
/// The longest that one event asks for: a listing over the control connection, with its names.
const REPLIES_PER_EVENT_BYTES: usize = limits::STAT_LINES_MAX * (limits::NAME_BYTES_MAX + 80);
/// What it made, claimed, or broke off.
const OWN_BYTES: u64 = 64 * 1024;
/// A name of the greatest length that is kept to be sorted, and what it is sorted by.
const SORTED_NAME_BYTES: u64 = 2 * (limits::NAME_BYTES_MAX as u64 + 64);
/// A batch of entries, and the text that is made of them.
const LISTING_PIECE_BYTES: u64 = limits::LISTING_BATCH_ENTRIES as u64 * (limits::NAME_BYTES_MAX as u64 + 128)
    + 2 * limits::LISTING_TEXT_BYTES as u64;
/// A chunk as it is in the file, translated, and deflated, and what deflates.
const TRANSFER_BYTES: u64 = 4 * net::CHUNK_BYTES as u64 + 400 * 1024;
/// As argon2id takes it (`login_threads`).
const MIB_PER_LOGIN: u64 = 19;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_grow_with_the_sessions_and_say_where_there_is_no_bound() {
        let shown = |max_sessions| {
            let options = ServeOptions { max_sessions, ..ServeOptions::default() };
            let ceilings = Ceilings { descriptors_granted: 4096, ..Ceilings::of(&options) };
            ceilings.to_string()
        };
        assert!(shown(1000).contains("descriptors: 4000; the host grants 4096, enough"), "{}", shown(1000));
        assert!(shown(10_000).contains("the host grants 4096, too few"));
        assert!(shown(0).contains("descriptors: without bound"));
        assert!(shown(1000).lines().all(|line| line.starts_with('#')), "it serves as a settings file");
    }
}
