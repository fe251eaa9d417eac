//! What client and server tell each other about themselves: CLNT, CSID, LANG, HOST, SITE WHOAMI, SITE IDLE.

use super::Session;
use super::login::Login;
use crate::action::Note;
use crate::wire::command::HostName;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::format;
use alloc::string::String;
use core::num::NonZeroU32;

impl Session {
    pub(super) fn clnt(&mut self, name: String) -> Reply {
        self.note(Note::ClientNamed { name });
        Reply::new(200, text::CLIENT_NOTED)
    }

    /// CSID: the form that its makers give; what the host is stays the operator's own knowledge.
    pub(super) fn csid(&mut self, name: String) -> Reply {
        self.note(Note::ClientNamed { name });
        Reply::new(200, format!("Name=mayfly; Version={}; CaseSensitive=1; DirSep=/;", crate::VERSION))
    }

    /// RFC 2640 4.1: no tag means the server's own choice, which is the one that there is.
    pub(super) fn lang(tag: Option<&str>) -> Reply {
        let is_english = tag.is_none_or(|tag| {
            let primary = tag.split('-').next().unwrap_or_default();
            primary.eq_ignore_ascii_case("en")
        });
        if is_english { Reply::new(200, text::LANG_OK) } else { Reply::new(504, text::LANG_UNKNOWN) }
    }

    /// RFC 7151 3: before USER, and of a host that is served here.
    pub(super) fn host(&self, host: &HostName) -> Reply {
        match self.login {
            Login::Out { user: None, .. } if self.serves(host) => Reply::new(220, text::HOST_OK),
            Login::Out { user: None, .. } => Reply::new(504, text::HOST_UNKNOWN),
            Login::Out { .. } | Login::In(_) => Reply::new(503, text::HOST_TOO_LATE),
        }
    }

    fn serves(&self, host: &HostName) -> bool {
        let names = &self.settings.host_names;
        let is_named = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        names.is_empty()
            || match host {
                HostName::Name(name) => is_named(name),
                HostName::Ip(ip) => *ip == self.local.ip().to_canonical() || is_named(&format!("{ip}")),
            }
    }

    pub(super) fn whoami(&self) -> Reply {
        Reply::new(200, self.account().map_or_else(String::new, |account| account.name.clone()))
    }

    /// SITE IDLE: a session may have its own time, up to the operator's.
    pub(super) fn site_idle(&mut self, idle_s: Option<u32>) -> Reply {
        let max_s = self.settings.idle_ms_max / 1000;
        if let Some(idle_s) = idle_s {
            let Some(idle_s) = NonZeroU32::new(idle_s).filter(|idle_s| u64::from(idle_s.get()) <= max_s) else {
                return Reply::new(501, format!("Session timeout must be between 1 and {max_s} seconds."));
            };
            self.idle_s = Some(idle_s);
        }
        Reply::new(200, format!("Session timeout is {} seconds; max {max_s}.", self.idle_ms() / 1000))
    }

    /// Time without a command and without a transfer, milliseconds.
    pub(super) fn idle_ms(&self) -> u64 {
        self.idle_s.map_or(self.settings.idle_ms_max, |idle_s| u64::from(idle_s.get()) * 1000)
    }
}
