//! What a call that succeeded has done.

use crate::record::Token;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "done", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Summary {
    /// Of `Call::Connect`.
    Connected {
        /// The greeting's text.
        welcome: String,
    },
    /// Of `Call::Upload`.
    Uploaded(Uploaded),
    /// Of `Call::Download`.
    Downloaded {
        /// The files, in order.
        files: Vec<FileDone>,
    },
    /// Of `Call::View`.
    Viewed(Viewed),
    /// Of `Call::Quit`.
    Quit,
}

/// What an upload has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// The path as the server named it when it was made; else as the caller did.
    pub storage_path: String,
    /// When it expires, as the server says.
    pub expiry: PathExpiry,
    /// What `SITE CLAIM` takes as proof that the bearer made the path. A secret.
    pub token: Option<Token>,
    /// The files, in order.
    pub files: Vec<FileDone>,
}

/// What a look at a storage path shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewed {
    /// The listing's lines as the server wrote them.
    pub listing: Vec<String>,
    /// What the lines say, where they have the common form of `ls -l`; else empty.
    pub entries: Vec<ListedEntry>,
    /// When the path expires, as the server says.
    pub expiry: PathExpiry,
}

/// One line of a listing, read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedEntry {
    /// The name.
    pub name: String,
    /// Whether it is a directory.
    pub directory: bool,
    /// Its size.
    pub size_bytes: u64,
}

/// When a path expires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "expires", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PathExpiry {
    /// The server does not say.
    #[default]
    Unknown,
    /// Never.
    Never,
    /// At this instant.
    At {
        /// UTC seconds.
        utc_s: i64,
    },
}

/// A file that came over whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDone {
    /// Its name on the server.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its modification time, UTC seconds, where that was kept.
    pub modified_s: Option<i64>,
}
