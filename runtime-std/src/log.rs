//! The log: one line on standard error for each session's start and end, login, transfer, change of names and expiry. Control characters
//! are escaped, passwords never come here.

use mayfly_core::action::{Direction, Note, NotedCommand};
use mayfly_core::date;
use mayfly_core::reaper::ReaperNote;
use mayfly_core::time::Now;
use std::borrow::Cow;
use std::net::SocketAddr;
use tracing::level_filters::LevelFilter;
use tracing::{debug, error, info, warn};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts the log of this process: this form, our own lines from this level on, warnings of what we are built from, panics.
/// Where a log runs already, that one stays.
pub fn start(format: LogFormat, level: LevelFilter) {
    let ours = Targets::new().with_target("mayfly", level).with_default(level.min(LevelFilter::WARN));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(false);
    // A line that nobody can read must not end the session that wrote it, as a complaint about it would.
    let lines = lines.log_internal_errors(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // An error means that the host program has its own log.
    let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload().downcast_ref::<String>().map(String::as_str);
        let what = text.or_else(|| panic.payload().downcast_ref::<&str>().copied()).unwrap_or_default();
        error!(place, what = shown(what).as_ref(), "panic");
    }));
}

/// One session's lines.
#[derive(Debug)]
pub struct SessionLog {
    session: u64,
    peer: SocketAddr,
    started_ms: u64,
    ending: Option<String>,
}

impl SessionLog {
    /// Notes that a session has started.
    #[must_use]
    pub fn start(session: u64, peer: SocketAddr, now: Now) -> Self {
        info!(session, %peer, "session started");
        Self { session, peer, started_ms: now.monotonic_ms, ending: None }
    }

    /// Writes what the core notes, and of which command.
    pub fn note(&mut self, note: &Note, command: Option<&NotedCommand>) {
        let (session, peer) = (self.session, self.peer);
        match note {
            Note::LoggedIn { user, .. } => info!(session, %peer, user = shown(user).as_ref(), "logged in"),
            Note::LoginFailed { user } => warn!(session, %peer, user = shown(user).as_ref(), "login failed"),
            Note::Transferred { direction, path, wire_bytes, file_bytes, took_ms, code, .. } => {
                let kind = match direction {
                    Direction::Send => "download",
                    Direction::Receive => "upload",
                };
                let path = path.as_str();
                // A field that is none is left out.
                info!(session, %peer, kind, path, bytes = wire_bytes, file_bytes, took_ms, code, "transfer ended");
            }
            Note::ExpirySet { path, expiry_s } => {
                let expires = expiry_s.map_or_else(|| "never".to_owned(), date::rfc3339);
                info!(session, %peer, path = path.as_str(), expires, "expiry set");
            }
            Note::Made { path } => info!(session, %peer, path = path.as_str(), "directory made"),
            Note::Removed { path } => info!(session, %peer, path = path.as_str(), "removed"),
            Note::Renamed { from, to } => {
                info!(session, %peer, from = from.as_str(), to = to.as_str(), "renamed");
            }
            Note::Asked { command } => debug!(session, %peer, command = shown(command).as_ref(), "asked"),
            Note::Answered { code, text } => debug!(session, %peer, code, text = shown(text).as_ref(), "answered"),
            Note::ClientNamed { name } => info!(session, %peer, client = shown(name).as_ref(), "client named itself"),
            Note::Ending { reason } => self.ending = Some(shown(reason).into_owned()),
            other => info!(session, %peer, ?other, command = command.map(|command| command.name.as_str()), "noted"),
        }
    }

    /// Notes a fault of our own, which must not happen.
    pub fn fault(&self, what: &dyn std::fmt::Display) {
        error!(session = self.session, peer = %self.peer, fault = shown(&what.to_string()).as_ref(), "session fault");
    }

    /// Notes that the session has ended.
    pub fn end(self, now: Now) {
        let reason = self.ending.as_deref().unwrap_or("closed");
        let took_ms = now.monotonic_ms.saturating_sub(self.started_ms);
        info!(session = self.session, peer = %self.peer, reason, took_ms, "session ended");
    }
}

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
        ReaperNote::Failed { path, error } => {
            let path = path.as_ref().map_or("", |path| path.as_str());
            warn!(path, ?error, "the reaper failed at a step and will try it again");
        }
        other => info!(?other, "reaper"),
    }
}

/// A text of the peer's, fit for a log: control characters, and what turns the direction of writing, escaped.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    let is_hidden = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_log() {
        assert_eq!(shown("anna"), "anna");
        assert_eq!(shown("a\r\nb\u{1b}[2J\u{202e}"), "a\\u{d}\\u{a}b\\u{1b}[2J\\u{202e}");
    }
}
