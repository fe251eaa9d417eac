//! What stands on disk about a storage path: its record, and what a check of a path brings back.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The durable truth about one storage path: one small JSON document inside its directory (DESIGN 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The form of this record; 1.
    pub version: u32,
    /// Who made it: a user's name, or [`ANONYMOUS`].
    pub owner: String,
    /// When it was made, UTC seconds.
    pub created_s: i64,
    /// The instant from which on it is expired, UTC seconds; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_s: Option<i64>,
    /// What `SITE CLAIM` asks for; tells one making of a path from the next.
    pub token: Token,
}

/// The owner of what an anonymous client makes.
pub const ANONYMOUS: &str = "anonymous";

/// 128 random bits, written as 32 hex digits; proves to `SITE CLAIM` that the bearer made the path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(pub [u8; 16]);

impl Token {
    /// Reads 32 hex digits, of either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; 16];
        for (byte, at) in bytes.iter_mut().zip((0..32).step_by(2)) {
            *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Whether the two are the same, in a time that does not tell how much of them agrees.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        let differing = self.0.iter().zip(other.0).fold(0, |all, (a, b)| all | (a ^ b));
        differing == 0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl TryFrom<String> for Token {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a token has 32 hex digits")
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        alloc::format!("{token}")
    }
}

/// A record and where on the way to a path it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordAt {
    /// How many components the directory has that holds it.
    pub depth: usize,
    /// The record.
    pub record: Record,
}

/// What a check of a path brings back, in one reading: all that the core needs to judge it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathState {
    /// The records of the ancestors and of the path itself, root first.
    pub records: Vec<RecordAt>,
    /// What stands under the name; none: nothing does.
    pub target: Option<FileInfo>,
    /// Where a component is missing: the tombstone that stands in its place.
    pub tombstone: Option<Tombstone>,
    /// The kept part of a broken upload of this name.
    pub partial: Option<Partial>,
}

/// What is left of a storage path that expired, for 30 days (DESIGN 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// When it expired, UTC seconds.
    pub expiry_s: i64,
}

/// The kept part of a broken upload (DESIGN 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    /// How many bytes are there, from offset 0 on.
    pub size_bytes: u64,
    /// Tells it from every other; the same as `FileInfo::unique` was when `OpenWrite` opened the upload.
    pub unique: String,
}

/// What kind of thing a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A device, socket or pipe: listed nowhere, opened never.
    Other,
    /// A symbolic link: shown by name, without what it points at; neither followed nor opened.
    Link,
}

/// A file or directory as a look-up shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// What it is.
    pub kind: FileKind,
    /// Its size; 0 for a directory.
    pub size_bytes: u64,
    /// When it was last modified, UTC seconds.
    pub modified_s: i64,
    /// Tells it from every other in this storage (RFC 3659 7.5.2); no blanks or semicolons.
    pub unique: String,
    /// Its permission bits, at most [`MODE_MAX`]; none: the storage knows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u16>,
    /// When it was made, UTC seconds; none: the storage does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_s: Option<i64>,
    /// Of a file that has a date of its own (`Settings::keep`): the instant from which on it is expired, UTC seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_s: Option<i64>,
}

/// All twelve permission bits: set-user-id, set-group-id and sticky, then read, write and execute for three classes.
pub const MODE_MAX: u16 = 0o7777;

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name as it may be shown: UTF-8, no control characters, what cannot be shown as `\xHH`.
    pub name: String,
    /// What it is.
    pub info: FileInfo,
    /// Its record, where it is a storage path.
    pub record: EntryRecord,
}

/// What a listing found of an entry's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryRecord {
    /// There is none: not a storage path.
    None,
    /// This one.
    Read(Record),
    /// One that cannot be read.
    Unreadable,
}
