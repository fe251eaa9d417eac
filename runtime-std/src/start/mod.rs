//! Starting a server: what both drivers' servers have in common.

pub(crate) mod error;

pub use error::StartError;

use crate::clock::Clock;
use crate::confine;
use crate::net;
use crate::settings::ServeOptions;
use crate::storage::Storage;
use crate::storage::following::FollowingStorage;
use crate::storage::local::LocalStorage;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tracing::warn;

/// A server as the command line and the tests see it, whatever drives it.
pub trait Serve: Sized {
    /// What stops or reloads it from another thread.
    type Handle: ServeHandle;

    /// Binds the addresses and opens the root; nothing is served yet.
    ///
    /// # Errors
    /// [`StartError`]
    fn bind(options: &ServeOptions, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        Self::bind_with(options, clock, open_confined)
    }

    /// The same on a storage that `open` opens once the addresses are bound, before any other thread runs.
    ///
    /// # Errors
    /// [`StartError`]
    fn bind_with(
        options: &ServeOptions,
        clock: Arc<dyn Clock>,
        open: impl FnOnce(&ServeOptions, Arc<dyn Clock>) -> Result<Arc<dyn Storage>, StartError>,
    ) -> Result<Self, StartError>;

    /// The addresses that it listens on, in the order of the options.
    fn local_addresses(&self) -> Vec<SocketAddr>;

    /// What stops or reloads it.
    fn handle(&self) -> Self::Handle;

    /// Serves, and blocks the caller until shut down is complete.
    ///
    /// # Errors
    /// The system's, where it cannot go on.
    fn run(self) -> io::Result<()>;
}

/// A running server's reins.
pub trait ServeHandle: Clone + Send + 'static {
    /// Stops accepting, sends 421 to the idle, lets transfers end within the bound, then cuts them. At once; again: no
    /// effect.
    fn shut_down(&self);

    /// Puts these options in force for new sessions. Addresses, root and durability stay as they are.
    fn reload(&self, options: &ServeOptions);
}

/// Gets the process as many descriptors as the host grants, and warns where they are too few for these options.
pub fn prepare_process(options: &ServeOptions) {
    let granted = net::raise_descriptor_limit();
    let sessions = granted / DESCRIPTORS_PER_SESSION;
    if sessions < u64::try_from(options.max_sessions).unwrap_or(u64::MAX) {
        let max_sessions = options.max_sessions;
        warn!(granted, sessions, max_sessions, "the host grants descriptors for about so many sessions alone");
    }
}

/// Opens the root of these options as a storage, and makes it if it is missing. Where the options confine the process,
/// it gives up its privileges first, and all that it has no use for then: so this comes after the ports are bound, and
/// before any other thread runs.
///
/// # Errors
/// [`StartError::Root`], [`StartError::Keep`], [`StartError::Confine`]
pub fn open_confined(options: &ServeOptions, clock: Arc<dyn Clock>) -> Result<Arc<dyn Storage>, StartError> {
    confine::drop_privileges(options)?;
    let storage = std::fs::create_dir_all(&options.root)
        .and_then(|()| LocalStorage::open(&options.root, options.durability, clock))
        .map_err(|error| StartError::Root { path: options.root.clone(), error })?
        .with_modes(options.file_mode, options.directory_mode)
        .with_file_bytes_max(options.file_bytes_max)
        .with_min_free(options.min_free)
        .with_keep(&options.session.keep)?;
    confine::lock_down(options, storage.uses_openat2())?;
    Ok(if options.follow_symlinks { Arc::new(FollowingStorage::new(storage)) } else { Arc::new(storage) })
}

/// Control connection, data connection, its listener or file, and the directory at work.
pub(crate) const DESCRIPTORS_PER_SESSION: u64 = 4;
