//! IBM's: OS/400 (`QSYS   77824 02/23/00 15:09:55 *DIR   name/`), and z/OS, whose data sets and members (files of a
//! partitioned one) stand below a heading.

use super::when;
use super::{Entry, EntryKind};
use alloc::vec::Vec;
use nom::branch::alt;
use nom::bytes::complete::take_till1;
use nom::character::complete::{char, digit1, space0, space1};
use nom::combinator::{map, rest};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

/// What stands below a heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// `Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname`
    DataSets,
    /// ` Name     VV.MM   Created       Changed      Size  Init   Mod   Id`
    Members,
}

impl Table {
    /// The table that this line heads.
    pub(super) fn headed(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        match (words.next()?, words.next()?) {
            ("Volume", "Unit") if line.ends_with("Dsname") => Some(Self::DataSets),
            ("Name", "VV.MM" | "Size") => Some(Self::Members),
            _ => None,
        }
    }

    /// Reads one line of it. A size in tracks or records is none in bytes.
    pub(super) fn parse(self, line: &str, now_s: i64) -> Option<Entry> {
        let words: Vec<&str> = line.split_ascii_whitespace().take(WORDS_MAX).collect();
        match self {
            Self::DataSets => data_set(&words, now_s),
            Self::Members => member(&words, now_s),
        }
    }
}

fn data_set(words: &[&str], now_s: i64) -> Option<Entry> {
    let (name, before) = words.split_last()?;
    let entry = Entry { kind: EntryKind::File, ..Entry::named(*name) };
    match before {
        // Moved to a slower store; asked for, it comes back.
        ["Migrated" | "MIGRAT"] | ["ARCIVE" | "ARCIVE+", ..] | [_, _, "VSAM"] => Some(entry),
        ["Pseudo", "Directory"] => Some(Entry { kind: EntryKind::Directory, ..entry }),
        [_, _, referred, .., organization] if before.len() >= 7 => {
            let directory = organization.starts_with("PO");
            let kind = if directory { EntryKind::Directory } else { EntryKind::File };
            let day = when::year_first(referred).ok();
            Some(Entry { kind, modified: day.and_then(|(_, day)| day.at(now_s)), ..entry })
        }
        _ => None,
    }
}

fn member(words: &[&str], now_s: i64) -> Option<Entry> {
    let (name, facts) = words.split_first()?;
    let entry = Entry { kind: EntryKind::File, ..Entry::named(*name) };
    match facts {
        // Who wrote it kept no statistics.
        [] => Some(entry),
        [_, _, changed, clock, ..] => {
            let (day, clock) = (when::year_first(changed).ok()?.1, when::clock(clock).ok()?.1);
            Some(Entry { modified: day.with_clock(Some(clock)).at(now_s), ..entry })
        }
        _ => None,
    }
}

/// Reads one line of OS/400.
pub(super) fn os400(line: &str, now_s: i64) -> Option<Entry> {
    let (_, entry) = alt((object(now_s), bare_object)).parse(line).ok()?;
    (!entry.name.is_empty()).then_some(entry)
}

/// `QSYS   77824 02/23/00 15:09:55 *STMF      name`
fn object<'a>(now_s: i64) -> impl Parser<&'a str, Output = Entry, Error = nom::error::Error<&'a str>> {
    let day = alt((when::year_first, when::numbers, when::short_year_first));
    let columns = (word, delimited(space1, digit1, space1), day, delimited(space1, when::clock, space1));
    map((columns, typed), move |((_, size, day, clock), (kind, name))| {
        let size_bytes = size.parse().ok().filter(|_| kind == EntryKind::File);
        Entry { kind, size_bytes, modified: day.with_clock(Some(clock)).at(now_s), ..Entry::named(name) }
    })
}

/// `QSYS   *MEM       NAME.FILE/NAME.MBR`
fn bare_object(line: &str) -> IResult<&str, Entry> {
    let columns = preceded((word, space1), typed);
    map(columns, |(kind, name)| Entry { kind, ..Entry::named(name) }).parse(line)
}

/// `*DIR   name/`
fn typed(text: &str) -> IResult<&str, (EntryKind, &str)> {
    let of = delimited(char('*'), word, (space1, space0));
    map((of, rest), |(of, name): (&str, &str)| {
        let directory = matches!(of, "DIR" | "DDIR" | "LIB" | "FLR") || name.ends_with('/');
        let kind = if directory { EntryKind::Directory } else { EntryKind::File };
        (kind, name.strip_suffix('/').unwrap_or(name))
    })
    .parse(text)
}

fn word(text: &str) -> IResult<&str, &str> {
    take_till1(|c| c == ' ' || c == '\t').parse(text)
}

/// No table has more columns.
const WORDS_MAX: usize = 12;
