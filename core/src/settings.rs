//! What an operator may set about a session.

use crate::action::PortRange;
use crate::network::{Network, PassiveAddress};
use crate::path::VirtualPath;
use crate::user::Rights;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU64;
use serde::{Deserialize, Serialize};

/// The settings that the core obeys. One value serves all sessions; a session keeps the one that it began with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Settings {
    /// What an anonymous client may do anywhere; none: it may not log in.
    pub anonymous_rights: Option<Rights>,
    /// Given to a new top-level path within its MKD, seconds; none: `max_expiry_s`, and where that is none too, it
    /// lives until told otherwise.
    pub default_expiry_s: Option<u64>,
    /// The furthest expiry from now, seconds, and `never` is refused; none: no bound.
    pub max_expiry_s: Option<u64>,
    /// Whether uploads go only into a path that expires.
    pub require_expiry: bool,
    /// Where files get a date of their own; of two places the deeper one rules.
    #[serde(default)]
    pub keep: Vec<Keep>,
    /// How long a download that was admitted before the expiry may go on after it, milliseconds.
    pub drain_ms: u64,
    /// The ports of PASV and EPSV; none: any.
    pub passive_ports: Option<PortRange>,
    /// What PASV says instead of the control connection's own address, by the client's network; where none holds the
    /// client, that address. EPSV says no address.
    #[serde(default)]
    pub passive_addresses: Vec<PassiveAddress>,
    /// The server's port of active data connections.
    #[serde(default)]
    pub active_port: ActivePort,
    /// The networks whose clients may set data connections up with EPSV and EPRT alone.
    #[serde(default)]
    pub epsv_only: Vec<Network>,
    /// The users who may have data go to and come from another host than their own (FXP), by the names of their
    /// accounts.
    #[serde(default)]
    pub fxp_users: Vec<String>,
    /// Time to log in, milliseconds.
    pub login_ms_max: u64,
    /// The longest that a session lasts, milliseconds; none: no bound.
    #[serde(default)]
    pub session_ms_max: Option<u64>,
    /// Bytes of one control line; at most [`crate::limits::LINE_BYTES_MAX`].
    #[serde(default = "line_bytes_max")]
    pub line_bytes_max: u32,
    /// Bytes of unanswered control input that a session holds before it wants no more; at least twice
    /// [`crate::limits::LINE_BYTES_MAX`], or a line could not end.
    #[serde(default = "input_bytes_max")]
    pub input_bytes_max: u32,
    /// Lines that wait while a command is being answered or a transfer runs; at most [`crate::limits::LINES_QUEUED_MAX`].
    #[serde(default = "lines_queued_max")]
    pub lines_queued_max: u32,
    /// Time without a command and without a transfer, milliseconds.
    pub idle_ms_max: u64,
    /// Time for a data connection to be made, milliseconds.
    pub data_connect_ms_max: u64,
    /// Time in which a transfer moves no byte, milliseconds.
    pub stall_ms_max: u64,
    /// Failed logins before the session ends.
    pub login_attempts_max: u32,
    /// The delay of the first failed login's answer, milliseconds; it doubles with each further one.
    pub login_delay_ms: u64,
    /// The longest that it becomes, milliseconds.
    #[serde(default = "login_delay_ms_max")]
    pub login_delay_ms_max: u64,
    /// Listings up to this many entries are sorted by name.
    pub listing_sort_entries_max: u32,
    /// The largest file whose `SIZE` in TYPE A is counted, bytes; each byte of it is read for that.
    pub ascii_size_bytes_max: u64,
    /// Whether SITE CHMOD and MFF may set permission bits.
    #[serde(default)]
    pub chmod: bool,
    /// The names that HOST may choose (RFC 7151); none: any.
    #[serde(default)]
    pub host_names: Vec<String>,
    /// How many directories deep `LIST -R` goes.
    #[serde(default = "listing_depth_max")]
    pub listing_depth_max: u32,
    /// Whether there are named users, whom the driver knows; else anonymous alone may log in.
    #[serde(default)]
    pub named_users: bool,
    /// How TLS is used; none: there is none.
    #[serde(default)]
    pub tls: Option<TlsRules>,
    /// The most bytes that a session of an anonymous client uploads in a second; none: no bound.
    #[serde(default)]
    pub anonymous_upload_bytes_per_s: Option<NonZeroU64>,
    /// The most bytes that a session of an anonymous client downloads in a second; none: no bound.
    #[serde(default)]
    pub anonymous_download_bytes_per_s: Option<NonZeroU64>,
    /// Whether each command and each reply is noted, for whoever looks for a client's trouble.
    #[serde(default)]
    pub note_dialogue: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            anonymous_rights: Some(Rights::ANONYMOUS_DEFAULT),
            default_expiry_s: None,
            max_expiry_s: None,
            require_expiry: false,
            keep: Vec::new(),
            drain_ms: 3_600_000,
            passive_ports: None,
            passive_addresses: Vec::new(),
            active_port: ActivePort::Any,
            epsv_only: Vec::new(),
            fxp_users: Vec::new(),
            login_ms_max: 60_000,
            session_ms_max: None,
            line_bytes_max: line_bytes_max(),
            input_bytes_max: input_bytes_max(),
            lines_queued_max: lines_queued_max(),
            idle_ms_max: 300_000,
            data_connect_ms_max: 30_000,
            stall_ms_max: 120_000,
            login_attempts_max: 5,
            login_delay_ms: 500,
            login_delay_ms_max: login_delay_ms_max(),
            listing_sort_entries_max: 10_000,
            ascii_size_bytes_max: 100 << 20,
            chmod: true,
            host_names: Vec::new(),
            listing_depth_max: listing_depth_max(),
            named_users: false,
            tls: None,
            anonymous_upload_bytes_per_s: None,
            anonymous_download_bytes_per_s: None,
            note_dialogue: false,
        }
    }
}

/// How long files that are stored in a place live, each from then on (DESIGN 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// The root, or a folder of the operator's: all beneath it is meant.
    pub path: VirtualPath,
    /// How long, seconds.
    pub life_s: u64,
}

/// How a server with a certificate uses TLS (RFC 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsRules {
    /// What is refused without it.
    pub require: RequireTls,
    /// Whether a data connection must resume the control connection's TLS session, which shows that it is the same
    /// client's.
    pub require_resumption: bool,
    /// Whether an upload over TLS that ends without `close_notify` counts as broken.
    pub require_close_notify: bool,
}

impl Default for TlsRules {
    fn default() -> Self {
        Self { require: RequireTls::Nothing, require_resumption: false, require_close_notify: true }
    }
}

/// What is refused without TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequireTls {
    /// Nothing.
    #[default]
    Nothing,
    /// Logins.
    Login,
    /// Logins and data connections.
    Data,
}

/// The server's own port of the data connections that it makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivePort {
    /// Any that is free.
    #[default]
    Any,
    /// The one before the control connection's: 20 for 21 (RFC 959 5.2).
    Data,
}

const fn login_delay_ms_max() -> u64 {
    16_000
}

const fn line_bytes_max() -> u32 {
    8 * 1024
}

const fn input_bytes_max() -> u32 {
    16 * 1024
}

const fn lines_queued_max() -> u32 {
    64
}

const fn listing_depth_max() -> u32 {
    32
}
