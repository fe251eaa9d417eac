//! What servers list: MLSD (RFC 3659 7), and the forms that LIST has had in fifty years, none of which any RFC names.

mod facts;
mod unix;

pub use facts::parse_facts;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use serde::{Deserialize, Serialize};

/// One entry of a directory, as far as the server describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, which may be anything: `..`, or one with slashes.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its size; none where the listing does not tell.
    pub size_bytes: Option<u64>,
    /// When it was last modified; none where the listing does not tell.
    pub modified: Option<Modified>,
    /// Where a symbolic link leads, where the listing tells.
    pub target: Option<String>,
    /// What no other file or directory of the server has (RFC 3659 7.5.2), where the listing tells.
    pub unique: Option<String>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryKind {
    /// The listing does not tell.
    #[default]
    Unknown,
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, to whatever.
    Link,
    /// A device, a socket or the like: nothing to fetch.
    Other,
}

/// A time of modification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modified {
    /// Seconds since 1970: UTC if `exact`, else by the clock and zone of the server.
    pub at_s: i64,
    /// Whether it is UTC, to the second.
    pub exact: bool,
}

/// Reads one line of a LIST, without its line end.
#[must_use]
pub fn parse_line(line: &str, _now_s: i64) -> Option<Entry> {
    unix::parse(line)
}

/// What a LIST says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries, in the server's order.
    pub entries: Vec<Entry>,
    /// Lines in which no entry was found, and that are no heading either.
    pub unread: Vec<String>,
}

/// Reads a whole LIST.
#[must_use]
pub fn parse(text: &str, now_s: i64) -> Listing {
    let mut listing = Listing::default();
    for line in lines(text).filter(|line| !line.starts_with("total ")) {
        match parse_line(line, now_s) {
            Some(entry) => listing.entries.push(entry),
            None => listing.unread.push(line.to_owned()),
        }
    }
    listing
}

/// The lines of a listing, without their ends; empty ones are left out.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty())
}

/// A listing as text. Bytes that are no UTF-8 become `\xHH`, each by itself, so that a name in another character set is
/// never taken for another one.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String does not fail.
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text
}

impl Entry {
    /// An entry of which nothing but the name is known.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        let kind = EntryKind::Unknown;
        Self { name: name.into(), kind, size_bytes: None, modified: None, target: None, unique: None }
    }
}
