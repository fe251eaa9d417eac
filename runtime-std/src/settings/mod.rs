//! What an operator sets: from a TOML file and from flags of the same names, each setting with one definition.

use crate::storage::local::Durability;
use mayfly_core::settings::Settings;
use std::net::SocketAddr;
use std::path::PathBuf;

/// All that a server is started with. One value serves both drivers.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen for control connections; none: port 21 of `0.0.0.0` and, where the host has IPv6, of `[::]`.
    pub listen: Vec<SocketAddr>,
    /// The directory that holds the storage; made if missing.
    pub root: PathBuf,
    /// What the core obeys.
    pub session: Settings,
    /// Sessions at the same time; 0: no bound.
    pub max_sessions: usize,
    /// Sessions at the same time from one address; 0: no bound.
    pub max_sessions_per_address: usize,
    /// How much of an upload is on the disk for good when 226 is sent.
    pub durability: Durability,
    /// How long transfers may go on after the server was told to shut down, milliseconds.
    pub shutdown_ms_max: u64,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            root: PathBuf::from("storage"),
            session: Settings::default(),
            max_sessions: 2000,
            max_sessions_per_address: 100,
            durability: Durability::default(),
            shutdown_ms_max: 30_000,
        }
    }
}
