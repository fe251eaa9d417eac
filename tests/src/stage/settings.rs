//! The settings that a transcript may change.

use super::Fault;
use crate::transcript::script::Setup;
use mayfly_core::event::Admission;
use mayfly_core::settings::{Settings, TlsRules};
use mayfly_std::users::Users;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// What a transcript may set beside the core's settings.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// How many sessions there may be; 0: no bound.
    pub(super) sessions: usize,
    /// The same for one address.
    pub(super) sessions_per_address: usize,
    /// The users of `users.toml`.
    pub(super) users: Option<Arc<Users>>,
    /// How many logins may wait to be checked.
    pub(super) login_queue: usize,
}

impl Limits {
    /// Whether there is room for one more, all of them from one address.
    pub(super) fn admission(&self, here: usize) -> Admission {
        let full = |bound: usize| bound != 0 && here >= bound;
        match (full(self.sessions), full(self.sessions_per_address)) {
            (true, _) => Admission::TooManySessions,
            (false, true) => Admission::TooManyFromAddress,
            (false, false) => Admission::Welcome,
        }
    }
}

/// The settings of a transcript: the defaults, except for what it sets. Keys are those of [`Settings`], in JSON.
pub(super) fn read(setup: &Setup) -> Result<(Settings, Limits), Fault> {
    let mut limits = Limits { sessions: 0, sessions_per_address: 0, users: None, login_queue: 1 };
    let mut settings = serde_json::to_value(Settings::default()).map_err(|error| error.to_string())?;
    let tls = setup.has_tls();
    if tls {
        settings["tls"] = serde_json::to_value(TlsRules::default()).map_err(|error| error.to_string())?;
    }
    for (key, text) in &setup.settings {
        let wrong = || format!("set {key} {text}: no such setting or value");
        match key.as_str() {
            "max_sessions" => limits.sessions = text.parse().map_err(|_| wrong())?,
            "tls" if text == "on" => {}
            "require_tls" | "require_resumption" | "require_close_notify" if tls => {
                let key = key.strip_suffix("_tls").unwrap_or(key);
                *settings.pointer_mut(&format!("/tls/{key}")).ok_or_else(wrong)? = value(text);
            }
            "max_sessions_per_address" => limits.sessions_per_address = text.parse().map_err(|_| wrong())?,
            "login_queue" => limits.login_queue = text.parse().map_err(|_| wrong())?,
            _ => {
                *settings.get_mut(key).ok_or_else(wrong)? = value(text);
            }
        }
    }
    let settings: Settings = serde_json::from_value(settings).map_err(|error| format!("the settings: {error}"))?;
    if settings.named_users {
        let users = Users::parse(Path::new("users.toml"), USERS).map_err(|error| error.to_string())?;
        limits.users = Some(Arc::new(users));
    }
    Ok((settings, limits))
}

/// A value as it is written in JSON; a word needs no quotes.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// The users of transcripts. Their passwords cost next to nothing to check.
const USERS: &str = include_str!("users.toml");
