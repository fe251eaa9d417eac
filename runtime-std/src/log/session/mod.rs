//! One session's lines.

use super::xferlog;
use mayfly_core::action::{Direction, LoginMethod, Note, NotedCommand};
use mayfly_core::date;
use mayfly_core::event::TlsInfo;
use mayfly_core::path::VirtualPath;
use mayfly_core::time::Now;
use std::net::SocketAddr;

/// One session's lines.
#[derive(Debug)]
pub struct SessionLog {
    session: u64,
    peer: SocketAddr,
    started_ms: u64,
    user: Option<User>,
    ending: Option<String>,
}

#[derive(Debug)]
struct User {
    name: Box<str>,
    is_anonymous: bool,
}

/// A line of a session: whose it is, what it tells, and what came of the command that it tells of.
macro_rules! line {
    ($level:ident, $log:expr, $end:expr, $message:literal $(, $($field:tt)+)?) => {
        tracing::$level!(
            session = $log.session,
            peer = %$log.peer,
            user = $log.user.as_ref().map(|user| &*user.name),
            command = $end.command,
            $($($field)+,)?
            code = $end.code,
            took_ms = $end.took_ms,
            $message
        )
    };
}

impl SessionLog {
    /// Notes that a session has started.
    #[must_use]
    pub fn start(session: u64, peer: SocketAddr, now: Now) -> Self {
        let log = Self { session, peer, started_ms: now.monotonic_ms, user: None, ending: None };
        line!(info, log, End::default(), "session started");
        log
    }

    /// Writes what the core notes, and of which command.
    pub fn note(&mut self, note: &Note, command: Option<&NotedCommand>) {
        let end = End::of(command);
        match note {
            Note::LoggedIn { user, method } => self.logged_in(end, user, *method),
            Note::LoggedOut => {
                line!(info, self, end, "logged out");
                self.user = None;
            }
            Note::LoginFailed { user } => self.login_failed(end, user),
            Note::Secured { data, tls } => self.secured(end, *data, tls),
            Note::NotSecured { data, error } => {
                line!(warn, self, end, "connection not secured", kind = connection(*data), error = ?error);
            }
            Note::Transferred { .. } => self.transferred(end, note),
            Note::Listed { path, wire_bytes, took_ms, code } => {
                let end = End { code: Some(*code), took_ms: Some(*took_ms), ..end };
                line!(info, self, end, "listing ended", path = path.as_str(), bytes = wire_bytes);
            }
            Note::Asked { command } => {
                let end = End { command: Some(command.as_str()).filter(|command| !command.is_empty()), ..end };
                line!(debug, self, end, "asked");
            }
            Note::Answered { code, text } => {
                line!(debug, self, End { code: Some(*code), ..end }, "answered", text);
            }
            Note::ClientNamed { name } => line!(info, self, end, "client named itself", client = name),
            Note::Ending { reason } => self.ending = Some(reason.clone()),
            _ => self.changed(end, note),
        }
    }

    /// What a command has changed, or was not let.
    fn changed(&self, end: End<'_>, note: &Note) {
        match note {
            Note::Made { path } => self.told(end, "directory made", path),
            Note::Removed { path } => self.told(end, "removed", path),
            Note::Claimed { path } => self.told(end, "path claimed", path),
            Note::TokenTold { path } => self.told(end, "token told", path),
            Note::Hashed { path } => self.told(end, "file hashed", path),
            Note::Renamed { from, to } => {
                line!(info, self, end, "renamed", from = from.as_str(), to = to.as_str());
            }
            Note::ExpirySet { path, expiry_s } => {
                let expires = expiry_s.map_or_else(|| "never".to_owned(), date::rfc3339);
                line!(info, self, end, "expiry set", path = path.as_str(), expires);
            }
            Note::FactsSet { path, facts } => line!(info, self, end, "facts set", path = path.as_str(), facts),
            Note::Combined { path, bytes } => line!(info, self, end, "files combined", path = path.as_str(), bytes),
            Note::Refused { path, reason } => line!(info, self, end, "refused", path = path.as_deref(), reason),
            Note::AddressRefused { address } => line!(warn, self, end, "address refused", address = %address),
            other => line!(info, self, end, "noted", note = ?other),
        }
    }

    fn told(&self, end: End<'_>, message: &str, path: &VirtualPath) {
        tracing::info!(
            session = self.session,
            peer = %self.peer,
            user = self.user.as_ref().map(|user| &*user.name),
            command = end.command,
            path = path.as_str(),
            code = end.code,
            took_ms = end.took_ms,
            "{message}"
        );
    }

    fn logged_in(&mut self, end: End<'_>, user: &str, method: LoginMethod) {
        let is_anonymous = method == LoginMethod::Anonymous;
        self.user = Some(User { name: user.into(), is_anonymous });
        let method = match method {
            LoginMethod::Anonymous => "anonymous",
            LoginMethod::Certificate => "certificate",
            _ => "password",
        };
        line!(info, self, end, "logged in", method);
    }

    /// Nobody is logged in then, so the user is the one who was tried.
    fn login_failed(&self, end: End<'_>, user: &str) {
        let (session, peer, End { command, code, took_ms }) = (self.session, self.peer, end);
        tracing::warn!(session, %peer, user, command, code, took_ms, "login failed");
    }

    fn secured(&self, end: End<'_>, data: bool, tls: &TlsInfo) {
        let TlsInfo { protocol, cipher, resumed, certificate, .. } = tls;
        let certificate = certificate.as_deref();
        let kind = connection(data);
        if data {
            line!(debug, self, end, "connection secured", kind, protocol, cipher, resumed, certificate);
        } else {
            line!(info, self, end, "connection secured", kind, protocol, cipher, resumed, certificate);
        }
    }

    fn transferred(&self, end: End<'_>, note: &Note) {
        let Note::Transferred { direction, path, wire_bytes, file_bytes, ascii, took_ms, code } = note else { return };
        let kind = match direction {
            Direction::Send => "download",
            Direction::Receive => "upload",
        };
        let path = path.as_str();
        let end = End { code: Some(*code), took_ms: Some(*took_ms), ..end };
        // A field that is none is left out.
        line!(info, self, end, "transfer ended", kind, path, bytes = wire_bytes, file_bytes);
        xferlog::write(&xferlog::Transfer {
            peer: self.peer.ip(),
            user: self.user.as_ref().filter(|user| !user.is_anonymous).map(|user| &*user.name),
            direction: *direction,
            path,
            bytes: file_bytes.unwrap_or(*wire_bytes),
            took_ms: *took_ms,
            ascii: *ascii,
            is_complete: *code == 226,
        });
    }

    /// Notes a fault of our own, which must not happen.
    pub fn fault(&self, what: &dyn std::fmt::Display) {
        line!(error, self, End::default(), "session fault", fault = %what);
    }

    /// Notes that the session has ended.
    pub fn end(self, now: Now) {
        let reason = self.ending.as_deref().unwrap_or("closed");
        let took_ms = Some(now.monotonic_ms.saturating_sub(self.started_ms));
        line!(info, self, End { took_ms, ..End::default() }, "session ended", reason);
    }
}

/// What came of a command.
#[derive(Clone, Copy, Default)]
struct End<'a> {
    command: Option<&'a str>,
    code: Option<u16>,
    took_ms: Option<u64>,
}

impl<'a> End<'a> {
    fn of(command: Option<&'a NotedCommand>) -> Self {
        command.map_or_else(Self::default, |command| Self {
            command: Some(&command.name),
            code: command.code,
            took_ms: command.code.map(|_| command.took_ms),
        })
    }
}

fn connection(data: bool) -> &'static str {
    if data { "data" } else { "control" }
}

#[cfg(test)]
mod tests;
