//! What a call that succeeded has done.

use super::failure::Refusal;
use super::listing::{Entry, EntryKind};
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
    /// Of `Call::List`.
    Listed(Listed),
    /// Of `Call::Redate`.
    Dated {
        /// The path, in the caller's words.
        storage_path: String,
        /// When it expires now, as the server says, or else as the date was read here.
        expiry: PathExpiry,
    },
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
    /// What the lines say, as far as they could be read (see [`listing`](super::listing)).
    pub entries: Vec<ListedEntry>,
    /// When the path expires, as the server says.
    pub expiry: PathExpiry,
}

/// What a directory or tree holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// What was found; a directory stands before what it holds. A name is a path below the directory that was to be
    /// listed (`a/b/1.png`), of which no part is empty, `.`, `..` or holds a control character.
    pub entries: Vec<ListedEntry>,
    /// Directories below it that could not be listed, and names that could lead out of it.
    #[serde(default)]
    pub refused: Vec<Refusal>,
    /// Lines of listings that nobody can read, among others that one can; what they stand for is not in `entries`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread_lines: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One line of a listing, read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedEntry {
    /// The name. Bytes of it that are no UTF-8 are written `\xHH`; a call that names it so means those bytes.
    pub name: String,
    /// Whether it is a directory.
    pub directory: bool,
    /// Its size; none where the server does not tell.
    pub size_bytes: Option<u64>,
    /// What it is.
    #[serde(default)]
    pub kind: EntryKind,
    /// When it was last modified, seconds: UTC if `modified_exact`, else by the clock and zone of the server, to the
    /// minute or the day; none where it does not tell.
    #[serde(default)]
    pub modified_s: Option<i64>,
    /// Whether `modified_s` is UTC, to the second.
    #[serde(default)]
    pub modified_exact: bool,
}

impl From<Entry> for ListedEntry {
    fn from(entry: Entry) -> Self {
        Self {
            directory: entry.kind == EntryKind::Directory,
            kind: entry.kind,
            size_bytes: entry.size_bytes,
            modified_s: entry.modified.map(|modified| modified.at_s),
            modified_exact: entry.modified.is_some_and(|modified| modified.exact),
            name: entry.name,
        }
    }
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
