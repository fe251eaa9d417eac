//! `ls -l`: `-rw-r--r--    1 ftp      ftp          2745 Jan 01 12:00 a name`. Any number of columns may stand between the
//! mode and the size; what tells where the name begins is the date.

use super::when::{self, Shown};
use super::{Entry, EntryKind, Modified};
use alloc::borrow::ToOwned;
use nom::branch::alt;
use nom::bytes::complete::{take_till1, take_while1};
use nom::character::complete::{char, digit1, one_of, satisfy, space0, space1};
use nom::combinator::{map, map_opt, opt, peek, recognize, value, verify};
use nom::multi::{fold_many_m_n, many_m_n};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

/// Reads one line.
pub(super) fn parse(line: &str, now_s: i64) -> Option<Entry> {
    long(line, now_s).or_else(|| numeric(line))
}

fn long(line: &str, now_s: i64) -> Option<Entry> {
    // `ls -i` and `ls -s` put the inode and the blocks first.
    let numbers = many_m_n(0, 2, preceded(space0, terminated(digit1, peek(space1))));
    let modes = alt((map(mode, |letter| (letter, false)), map(rights, |letter| (letter, true))));
    let (rest, (_, (letter, is_netware))) = (numbers, preceded(space0, modes)).parse(line).ok()?;
    let (name, (size_bytes, shown)) = columns(rest, when::unix).or_else(|| columns(rest, when::bare_numbers))?;
    let name = if is_netware { name.trim_start_matches(' ') } else { name };
    let mut entry = Entry { kind: kind(letter)?, size_bytes, modified: shown.at(now_s), ..Entry::named(name) };
    match entry.kind {
        EntryKind::Link => {
            if let Some((name, target)) = name.split_once(" -> ") {
                (entry.name, entry.target) = (name.to_owned(), Some(target.to_owned()));
            }
        }
        // `ls -p` and `ls -F` mark them.
        EntryKind::Directory => name.strip_suffix('/').unwrap_or(name).clone_into(&mut entry.name),
        _ => {}
    }
    (!entry.name.is_empty()).then_some(entry)
}

/// The columns between the mode and the name: the first place where a size and a date follow one upon the other.
fn columns<'a>(
    mut rest: &'a str,
    date: impl Fn(&'a str) -> IResult<&'a str, Shown>,
) -> Option<(&'a str, (Option<u64>, Shown))> {
    for _ in 0..COLUMNS_MAX {
        let here = preceded(space0, (terminated(size, space1), terminated(&date, char(' ')))).parse(rest);
        if let Ok((name, found)) = here {
            return Some((name, found));
        }
        let (after, _) = preceded(space0, field).parse(rest).ok()?;
        rest = after;
    }
    None
}

/// `drwxr-xr-x`, and a mark for an access list or the like.
fn mode(text: &str) -> IResult<&str, char> {
    let bits = fold_many_m_n(9, 9, one_of("rwxsStTlLaA-"), || (), |(), _| ());
    delimited(peek(letter), letter, (bits, opt(one_of("+.@")), peek(char(' ')))).parse(text)
}

/// NetWare: `d [R----F--]`, `-[RWCEAFMS]`.
fn rights(text: &str) -> IResult<&str, char> {
    let rights = delimited(char('['), take_while1(|c: char| c.is_ascii_alphabetic() || " -".contains(c)), char(']'));
    terminated(letter, (opt(char(' ')), rights)).parse(text)
}

fn letter(text: &str) -> IResult<&str, char> {
    satisfy(|c| c.is_ascii_alphabetic() || c == '-').parse(text)
}

/// A size in bytes; one that is rounded (`33.5k`) or the numbers of a device (`1, 3`) tell none.
fn size(text: &str) -> IResult<&str, Option<u64>> {
    let device = recognize((digit1, char(','), space0, digit1));
    let rounded = recognize((digit1, opt((char('.'), digit1)), one_of("kKMGTB")));
    alt((value(None, device), value(None, rounded), map(digit1, |digits: &str| digits.parse().ok()))).parse(text)
}

fn kind(letter: char) -> Option<EntryKind> {
    Some(match letter {
        // f, F: some write a file so; m: moved to tape.
        '-' | 'f' | 'F' | 'm' => EntryKind::File,
        'd' => EntryKind::Directory,
        'l' => EntryKind::Link,
        'b' | 'c' | 'p' | 's' | 'D' | 'w' | 'n' => EntryKind::Other,
        _ => return None,
    })
}

/// The mode and the time as numbers: `0100644   500  101   12345    123456789       a name`.
fn numeric(line: &str) -> Option<Entry> {
    let columns = (octal, number, number, number, number);
    let (name, (mode, _, _, size, at)) = terminated(columns, space1).parse(line).ok()?;
    let kind = match mode & FORMAT_BITS {
        0o040_000 => EntryKind::Directory,
        0o100_000 => EntryKind::File,
        0o120_000 => EntryKind::Link,
        _ => EntryKind::Other,
    };
    let modified = i64::try_from(at).ok().map(|at_s| Modified { at_s, exact: true });
    (!name.is_empty()).then(|| Entry { kind, size_bytes: Some(size), modified, ..Entry::named(name) })
}

fn octal(text: &str) -> IResult<&str, u32> {
    let digits = verify(digit1, |digits: &str| digits.len() >= 6 && digits.bytes().all(|digit| digit < b'8'));
    map_opt(digits, |digits: &str| u32::from_str_radix(digits, 8).ok()).parse(text)
}

fn number(text: &str) -> IResult<&str, u64> {
    preceded(space1, map_opt(digit1, |digits: &str| digits.parse().ok())).parse(text)
}

fn field(text: &str) -> IResult<&str, &str> {
    take_till1(|c| c == ' ' || c == '\t').parse(text)
}

/// Links, owner, group, size, and blanks within the owner's or the group's name.
const COLUMNS_MAX: usize = 12;
/// What kind of file a mode is of (POSIX `S_IFMT`).
const FORMAT_BITS: u32 = 0o170_000;
