//! What an operator sets: from a TOML file and from flags of the same names, each setting with one definition.

mod confine;
mod file;
mod host_names;
mod network;
mod preset;
mod rate;
mod show;
mod size;
mod storage;
mod table;
mod tls;
mod values;

pub use file::SettingsError;
pub(crate) use file::{line_at, wrong_line};
pub(crate) use show::show;
pub(crate) use size::Size;
pub use table::Given;
pub(crate) use values::{Form, Lifetime, Value};

use crate::admission::Rules;
use crate::confine::{Confinement, UserName};
use crate::log::LogOptions;
use crate::passive::PassiveHost;
use crate::storage::durability::Durability;
use crate::storage::room::MinFree;
use crate::tls::TlsServer;
use crate::users::Users;
use mayfly_core::network::Network;
use mayfly_core::settings::Settings;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use table::Chosen;
use tracing::level_filters::LevelFilter;

/// All that a server is started with. One value serves both drivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// Where to listen for control connections; none: port 21 of `0.0.0.0` and, where the host has IPv6, of `[::]`.
    pub listen: Vec<SocketAddr>,
    /// Where to listen for control connections that begin with TLS (implicit FTPS).
    pub listen_tls: Vec<SocketAddr>,
    /// The certificate and all else that TLS needs; none: there is no TLS. `session` says how it is used.
    pub tls: Option<TlsServer>,
    /// Whether a listener on `[::]` takes IPv4 connections too.
    pub dual_stack: bool,
    /// The directory that holds the storage; made if missing.
    pub root: PathBuf,
    /// What the core obeys.
    pub session: Settings,
    /// The proxies that are believed what they say in a PROXY header, and that must say it.
    pub proxy_from: Vec<Network>,
    /// Hosts whose addresses PASV says, beside the addresses in `session`.
    pub passive_hosts: Vec<PassiveHost>,
    /// Sessions at the same time; 0: no bound.
    pub max_sessions: usize,
    /// Sessions at the same time from one address; 0: no bound.
    pub max_sessions_per_address: usize,
    /// Who may connect, how often, and who is banned.
    pub door: Rules,
    /// How much of an upload is on the disk for good when 226 is sent.
    pub durability: Durability,
    /// What uploads leave free on the disk.
    pub min_free: MinFree,
    /// The largest file that is taken, bytes; none: no bound.
    pub file_bytes_max: Option<u64>,
    /// How long transfers may go on after the server was told to shut down, milliseconds.
    pub shutdown_ms_max: u64,
    /// The named users; none: anonymous alone may log in.
    pub users: Option<Arc<Users>>,
    /// Logins that are checked at the same time.
    pub login_threads: usize,
    /// Logins that wait to be checked.
    pub login_queue: usize,
    /// What the server's process gives up; none: nothing, for it is not the server's alone. Settings that were read by
    /// [`read`] have it, the default has not.
    pub confinement: Option<Confinement>,
    /// The permission bits of new files, less the process's umask.
    pub file_mode: u16,
    /// The permission bits of new directories, less the process's umask.
    pub directory_mode: u16,
    /// Whether links that lead to places in the root are followed.
    pub follow_symlinks: bool,
}

impl Default for ServeOptions {
    fn default() -> Self {
        options(Given::default()).0
    }
}

/// What the flags say; where they are silent, the settings file; where that is silent, the defaults.
///
/// # Errors
/// [`SettingsError`], which names file, line and the right form.
pub fn read(flags: &Given, config: Option<&Path>) -> Result<(ServeOptions, LogOptions), SettingsError> {
    let file = config.map(file::File::open).transpose()?;
    let given = match &file {
        Some(file) => flags.clone().or(file.given.clone()),
        None => flags.clone(),
    };
    let given = given.with_preset();
    let chosen = given.clone().choose();
    tls::hold(&chosen, flags, file.as_ref())?;
    let confinement = confinement(&chosen, config);
    let (files, users_file) = (tls::files(&chosen), chosen.users);
    let (mut options, log) = options(given);
    options.tls = tls::load(files)?;
    options.session.named_users = users_file.is_some();
    options.users = users_file.map(|path| Users::open(&path).map(Arc::new)).transpose()?;
    options.confinement = Some(confinement);
    match (options.session.default_expiry_s, options.session.max_expiry_s) {
        (Some(default), Some(max)) if default > max => Err(file::conflict(
            file.as_ref(),
            "default_expiry",
            flags.default_expiry.is_some(),
            "it must not lie beyond max_expiry",
        )),
        _ => Ok((options, log)),
    }
}

/// The users file that a settings file names.
///
/// # Errors
/// [`SettingsError`]
pub(crate) fn users_file(config: &Path) -> Result<Option<PathBuf>, SettingsError> {
    Ok(file::File::open(config)?.given.choose().users)
}

/// Where the storage of a server with these settings is, how durable it is, and whom the server becomes. What else the file
/// says is only read.
///
/// # Errors
/// [`SettingsError`], which names file, line and the right form.
pub(crate) fn storage(
    root: Option<&Path>,
    config: Option<&Path>,
) -> Result<(PathBuf, Durability, Option<UserName>), SettingsError> {
    let given = config.map(file::File::open).transpose()?.map_or_else(Given::default, |file| file.given);
    let chosen = given.choose();
    Ok((root.map_or(chosen.root, Path::to_owned), chosen.durability, chosen.user))
}

fn options(given: Given) -> (ServeOptions, LogOptions) {
    let listen = given.listen.iter().flatten().map(|address| address.0).collect();
    let listen_tls = given.listen_tls.iter().flatten().map(|address| address.0.0).collect();
    let chosen = given.choose();
    let options = ServeOptions {
        listen,
        listen_tls,
        tls: None,
        dual_stack: chosen.dual_stack,
        session: session(&chosen),
        door: door(&chosen),
        confinement: None,
        file_mode: chosen.file_mode.0,
        directory_mode: chosen.directory_mode.0,
        follow_symlinks: chosen.follow_symlinks,
        passive_hosts: chosen.passive_address.hosts().collect(),
        proxy_from: chosen.proxy_from,
        root: chosen.root,
        max_sessions: count(chosen.max_sessions.0),
        max_sessions_per_address: count(chosen.max_sessions_per_address.0),
        durability: chosen.durability,
        file_bytes_max: chosen.file_size_max.0,
        min_free: chosen.min_free,
        shutdown_ms_max: chosen.shutdown_timeout.0,
        users: None,
        login_threads: count(chosen.login_threads.0),
        login_queue: count(chosen.login_queue.0),
    };
    let (format, level) = (chosen.log_format, chosen.log_level);
    (options, LogOptions { format, level, file: chosen.log_file, xferlog: chosen.xferlog })
}

fn door(chosen: &Chosen) -> Rules {
    Rules {
        allow_from: chosen.allow_from.clone(),
        deny_from: chosen.deny_from.clone(),
        trusted_from: chosen.trusted_from.clone(),
        ipv6_prefix_bits: u8::try_from(chosen.ipv6_prefix.0).unwrap_or(u8::MAX),
        connections_per_minute: chosen.connections_per_minute.0,
        ban_after: chosen.ban_after.0,
        ban_window_ms: chosen.ban_window.0,
        ban_ms: chosen.ban_time.0,
        headers_awaited_max: count(chosen.proxy_headers_max.0),
    }
}

fn session(chosen: &Chosen) -> Settings {
    let mut session = Settings::default();
    session.anonymous_rights = chosen.anonymous_rights;
    session.default_expiry_s = chosen.default_expiry.0;
    session.max_expiry_s = chosen.max_expiry.0;
    session.require_expiry = chosen.require_expiry;
    session.keep.clone_from(&chosen.keep.0);
    session.drain_ms = chosen.drain.0;
    session.passive_ports = chosen.passive_ports;
    session.passive_addresses = chosen.passive_address.addresses().collect();
    session.active_port = chosen.active_port;
    session.epsv_only.clone_from(&chosen.epsv_only);
    session.fxp_users.clone_from(&chosen.fxp_users);
    session.login_ms_max = chosen.login_time.0;
    session.login_attempts_max = chosen.login_attempts.0;
    session.login_delay_ms = chosen.login_delay.0;
    session.login_delay_ms_max = chosen.login_delay_max.0;
    session.session_ms_max = chosen.session_time.0.map(|seconds| seconds.saturating_mul(1000));
    session.line_bytes_max = chosen.line_max.0;
    session.input_bytes_max = chosen.input_max.0;
    session.lines_queued_max = chosen.input_lines_max.0;
    session.idle_ms_max = chosen.idle_timeout.0;
    session.data_connect_ms_max = chosen.data_connect_timeout.0;
    session.stall_ms_max = chosen.stall_timeout.0;
    session.listing_sort_entries_max = chosen.listing_sort_max.0;
    session.ascii_size_bytes_max = chosen.ascii_size_max.0;
    session.chmod = chosen.chmod;
    session.host_names.clone_from(&chosen.host_names.0);
    session.listing_depth_max = chosen.listing_depth_max.0;
    session.anonymous_upload_bytes_per_s = chosen.anonymous_upload_rate.0;
    session.anonymous_download_bytes_per_s = chosen.anonymous_download_rate.0;
    session.tls = tls::rules(chosen);
    session.note_dialogue = chosen.log_level >= LevelFilter::DEBUG;
    session
}

fn confinement(chosen: &Chosen, config: Option<&Path>) -> Confinement {
    let files = [&chosen.users, &chosen.tls_cert.0, &chosen.tls_key.0, &chosen.tls_client_ca.0];
    let files = files.into_iter().filter_map(Option::as_deref);
    Confinement {
        user: chosen.user.clone(),
        landlock: chosen.landlock,
        seccomp: chosen.seccomp,
        umask: chosen.umask.0,
        core_dumps: chosen.core_dumps,
        reads: files.chain(config).map(Path::to_owned).collect(),
        writes: [&chosen.log_file, &chosen.xferlog].into_iter().filter_map(Option::clone).collect(),
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_core_s() {
        // Also holds that every default in the table has its setting's form.
        assert_eq!(ServeOptions::default().session, Settings::default());
        assert_eq!(ServeOptions::default().durability, Durability::Data);
        assert!(ServeOptions::default().listen.is_empty());
    }
}
