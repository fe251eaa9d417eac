//! MS-DOS and what looks like it. The date comes first with IIS (`12-25-26  10:30AM       <DIR>          name`), the size
//! with OS/2 (`36611      A    04-23-103  10:57  name`), VxWorks (`512    JAN-01-1980  00:00:00   NAME   <DIR>`) and old
//! VShell (`206876  Apr 04, 2000 21:06 name`).

use super::when::{self, Shown};
use super::{Entry, EntryKind};
use alloc::borrow::ToOwned;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{char, digit1, one_of, space0, space1};
use nom::combinator::{map, map_opt, opt, rest, value};
use nom::multi::{many_m_n, many1};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

/// Reads one line.
pub(super) fn parse(line: &str, now_s: i64) -> Option<Entry> {
    let (_, (shown, mut entry)) = alt((date_first, os2, vxworks, vshell)).parse(line).ok()?;
    entry.modified = shown.at(now_s);
    if entry.kind == EntryKind::Link
        && let Some((name, target)) = entry.name.split_once(" [")
    {
        (entry.target, entry.name) = (Some(target.trim_end_matches(']').to_owned()), name.to_owned());
    }
    (!entry.name.is_empty()).then_some(entry)
}

fn date_first(line: &str) -> IResult<&str, (Shown, Entry)> {
    let (line, day) = preceded(space0, alt((when::year_first, when::numbers))).parse(line)?;
    let (line, clock) = preceded(space1, when::clock).parse(line)?;
    let (name, (kind, size_bytes)) = preceded(space1, alt((marked, sized))).parse(line)?;
    let name = match kind {
        EntryKind::File => name.strip_prefix(' ').unwrap_or(name),
        // A mark stands in a column of its own; the name has the next.
        _ => name.strip_prefix(MARK_GAP).unwrap_or_else(|| name.trim_start_matches(' ')),
    };
    Ok(("", (day.with_clock(Some(clock)), Entry { kind, size_bytes, ..Entry::named(name) })))
}

/// `<DIR>`, or what stands for a link.
fn marked(text: &str) -> IResult<&str, (EntryKind, Option<u64>)> {
    let directory = value(EntryKind::Directory, alt((tag("<DIR>"), tag("<dir>"))));
    let link = alt((tag("<SYMLINKD>"), tag("<SYMLINK>"), tag("<JUNCTION>")));
    map(alt((directory, value(EntryKind::Link, link))), |kind| (kind, None)).parse(text)
}

/// `2,745` is 2745.
fn sized(text: &str) -> IResult<&str, (EntryKind, Option<u64>)> {
    let digits = terminated(take_while1(|c: char| c.is_ascii_digit() || c == ','), nom::combinator::peek(char(' ')));
    map(digits, |digits: &str| (EntryKind::File, digits.replace(',', "").parse().ok())).parse(text)
}

fn os2(line: &str) -> IResult<&str, (Shown, Entry)> {
    let attributes = many_m_n(0, 4, preceded(space1, terminated(many1(one_of("AHRS")), nom::combinator::peek(space1))));
    let (line, (size, directory, _)) =
        (preceded(space0, size), opt(preceded(space1, tag("DIR"))), attributes).parse(line)?;
    let (line, day) = preceded(space1, when::numbers).parse(line)?;
    let (name, clock) = terminated(preceded(space1, when::clock), space1).parse(line)?;
    let entry = match directory {
        Some(_) => Entry { kind: EntryKind::Directory, ..Entry::named(name) },
        None => Entry { kind: EntryKind::File, size_bytes: size, ..Entry::named(name) },
    };
    Ok(("", (day.with_clock(Some(clock)), entry)))
}

fn vxworks(line: &str) -> IResult<&str, (Shown, Entry)> {
    let (line, size) = terminated(preceded(space0, size), space1).parse(line)?;
    let (line, (day, clock)) = (when::name_day_year, preceded(space1, when::clock)).parse(line)?;
    let (_, name) = preceded(space1, rest).parse(line)?;
    let entry = match name.trim_end_matches(' ').strip_suffix("<DIR>") {
        Some(name) => Entry { kind: EntryKind::Directory, ..Entry::named(name.trim_end_matches(' ')) },
        None => Entry { kind: EntryKind::File, size_bytes: size, ..Entry::named(name.trim_end_matches(' ')) },
    };
    Ok(("", (day.with_clock(Some(clock)), entry)))
}

fn vshell(line: &str) -> IResult<&str, (Shown, Entry)> {
    let (line, size) = terminated(preceded(space0, size), space1).parse(line)?;
    let (name, shown) = terminated(when::unix, char(' ')).parse(line)?;
    let entry = match name.strip_suffix('/') {
        Some(name) => Entry { kind: EntryKind::Directory, ..Entry::named(name) },
        None => Entry { kind: EntryKind::File, size_bytes: size, ..Entry::named(name) },
    };
    Ok(("", (shown, entry)))
}

fn size(text: &str) -> IResult<&str, Option<u64>> {
    map_opt(digit1, |digits: &str| Some(digits.parse().ok())).parse(text)
}

/// The blanks between `<DIR>` and the name, so that a name may begin with further ones.
const MARK_GAP: &str = "          ";
