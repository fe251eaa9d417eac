//! Starting a server: what both drivers' servers have in common, and why one may not start.

use crate::clock::Clock;
use crate::net;
use crate::settings::ServeOptions;
use crate::storage::local::LocalStorage;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::{error, fmt, io};
use tracing::warn;

/// A server as the command line and the tests see it, whatever drives it.
pub trait Serve: Sized {
    /// What stops or reloads it from another thread.
    type Handle: ServeHandle;

    /// Binds the addresses and opens the root; nothing is served yet.
    ///
    /// # Errors
    /// [`StartError`]
    fn bind(options: &ServeOptions, clock: Arc<dyn Clock>) -> Result<Self, StartError>;

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

/// Opens the root of these options as a storage, and makes it if it is missing.
///
/// # Errors
/// [`StartError::Root`]
pub fn open_root(options: &ServeOptions, clock: Arc<dyn Clock>) -> Result<LocalStorage, StartError> {
    std::fs::create_dir_all(&options.root)
        .and_then(|()| LocalStorage::open(&options.root, options.durability, clock))
        .map_err(|error| StartError::Root { path: options.root.clone(), error })
}

/// Why a server could not start. Its text ends with what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The root cannot be made or opened.
    Root {
        /// The root.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The host lacks threads, descriptors or the like.
    Resources(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => {
                write!(f, "cannot listen on {address}: {error}")?;
                match error.kind() {
                    io::ErrorKind::PermissionDenied if address.port() < 1024 => {
                        let free = SocketAddr::new(address.ip(), 2121);
                        let port = address.port();
                        write!(f, "\nhint: port {port} needs root or CAP_NET_BIND_SERVICE; try --listen {free}")
                    }
                    io::ErrorKind::AddrInUse => {
                        let free = SocketAddr::new(address.ip(), 2121);
                        write!(f, "\nhint: another program listens there; stop it, or try --listen {free}")
                    }
                    io::ErrorKind::AddrNotAvailable => {
                        f.write_str("\nhint: this host has no such address; 0.0.0.0 and [::] stand for all that it has")
                    }
                    _ => Ok(()),
                }
            }
            Self::Root { path, error } => {
                write!(f, "cannot use {} as root: {error}", path.display())?;
                f.write_str("\nhint: name a directory that this user may write to, as in --root ./storage")
            }
            Self::Resources(error) => write!(f, "the system refuses what a server needs: {error}"),
        }
    }
}

impl error::Error for StartError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Listen { error, .. } | Self::Root { error, .. } | Self::Resources(error) => Some(error),
        }
    }
}

/// Control connection, data connection, its listener or file, and the directory at work.
const DESCRIPTORS_PER_SESSION: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, kind: io::ErrorKind) -> String {
        StartError::Listen { address: address.parse().unwrap(), error: kind.into() }.to_string()
    }

    #[test]
    fn a_refused_address_says_what_to_do() {
        let text = refused("0.0.0.0:21", io::ErrorKind::PermissionDenied);
        assert!(
            text.ends_with("\nhint: port 21 needs root or CAP_NET_BIND_SERVICE; try --listen 0.0.0.0:2121"),
            "{text}"
        );
        let text = refused("[::1]:21", io::ErrorKind::AddrInUse);
        assert!(text.ends_with("try --listen [::1]:2121"), "{text}");
    }
}
