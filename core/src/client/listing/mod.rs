//! What servers list: MLSD (RFC 3659 7), and the forms that LIST has had in fifty years, none of which any RFC names.
//!
//! | form | for instance |
//! |---|---|
//! | MLSD, MLST | `type=file;size=2745;modify=20261224120000; 1.png` |
//! | `ls -l` | `-rw-r--r--   1 ftp      ftp          2745 Dec 24 12:00 1.png` |
//! | NetWare | `- [R----F--] ftp             2745       Dec 24 12:00    1.png` |
//! | IIS, MS-DOS | `12-24-26  12:00PM                 2745 1.png` |
//! | OS/2 | ` 2745      A    12-24-126  12:00  1.png` |
//! | VxWorks | `    2745    DEC-24-2026  12:00:00   1.PNG` |
//! | EPLF | `+i8388621.48594,m1798113600,r,s2745,` tab `1.png` |
//! | OpenVMS | `1.PNG;1               6  24-DEC-2026 12:00:00  [FTP]  (RWED,RWED,RE,)` |
//! | OS/400 | `FTP              2745 12/24/26 12:00:00 *STMF      1.png` |
//! | z/OS | `WYOSPT 3420   2026/12/24  1  200  FB      80  8053  PS  PNG.ONE` |
//!
//! Names are what the server wrote, up to the last blank. Nobody may open a file by such a name before it was looked
//! at: it may be `..`, or hold slashes or control characters.

mod dos;
mod eplf;
mod facts;
mod ibm;
#[cfg(test)]
mod tests;
mod unix;
mod vms;
mod when;

pub use facts::parse_facts;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use ibm::Table;
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

/// What a LIST says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries, in the server's order.
    pub entries: Vec<Entry>,
    /// Lines in which no entry was found, and that are no heading either.
    pub unread: Vec<String>,
}

/// Reads one line of a LIST, without its line end, in any of the forms that a line tells by itself. `now_s`, UTC seconds,
/// tells the year where a line does not.
///
/// ```
/// use mayfly_core::client::listing::{EntryKind, parse_line};
/// let now_s = 1_798_761_600; // 2027-01-01T00:00:00Z
/// let entry = parse_line("-rw-r--r--   1 ftp      ftp          2745 Dec 24 12:00 1.png", now_s).unwrap();
/// assert_eq!((entry.name.as_str(), entry.kind, entry.size_bytes), ("1.png", EntryKind::File, Some(2745)));
/// assert_eq!(entry.modified.map(|modified| modified.at_s), Some(1_798_113_600));
/// let entry = parse_line("12-24-26  12:00PM       <DIR>          scans", now_s).unwrap();
/// assert_eq!((entry.name.as_str(), entry.kind), ("scans", EntryKind::Directory));
/// assert_eq!(parse_line("total 8", now_s), None);
/// ```
#[must_use]
pub fn parse_line(line: &str, now_s: i64) -> Option<Entry> {
    let forms: [fn(&str, i64) -> Option<Entry>; 5] =
        [|line, _| eplf::parse(line), unix::parse, dos::parse, vms::parse, ibm::os400];
    forms.iter().find_map(|form| form(line, now_s))
}

/// Reads a whole LIST: also the forms in which a heading says what the columns below it are, or in which an entry takes
/// two lines.
#[must_use]
pub fn parse(text: &str, now_s: i64) -> Listing {
    let mut listing = Listing::default();
    let mut table = None;
    let mut lines = lines(text).peekable();
    while let Some(line) = lines.next() {
        if let Some(headed) = Table::headed(line) {
            table = Some(headed);
            continue;
        }
        let continued = lines.peek().filter(|next| vms::is_name(line) && next.starts_with([' ', '\t']));
        let joined = continued.map(|next| [line, next].concat());
        let entry = match (table, &joined) {
            (Some(table), _) => table.parse(line, now_s),
            (None, Some(joined)) => {
                let entry = vms::parse(joined, now_s);
                if entry.is_some() {
                    lines.next();
                }
                entry
            }
            (None, None) => parse_line(line, now_s),
        };
        match entry {
            Some(entry) => listing.entries.push(entry),
            None if is_heading(line) => {}
            None => listing.unread.push(line.to_owned()),
        }
    }
    listing
}

/// What some systems put above or below a directory's entries.
fn is_heading(line: &str) -> bool {
    let words: Vec<&str> = line.split_ascii_whitespace().take(HEADING_WORDS_MAX).collect();
    match words[..] {
        // OpenVMS: `Directory SYS$SYSDEVICE:[FTP]`, `Total of 3 files, 12/36 blocks.`; VxWorks: `size date time name`.
        ["Directory" | "Total" | "Grand", ..] | ["size", "date", "time", "name"] => true,
        // `ls -l`, in any language: `total 8`, `insgesamt 12K`.
        [total, blocks] if total.chars().all(char::is_alphabetic) => blocks.starts_with(|c: char| c.is_ascii_digit()),
        _ => words.iter().all(|word| word.bytes().all(|byte| byte == b'-')),
    }
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

/// As many words as tell a heading.
const HEADING_WORDS_MAX: usize = 8;
