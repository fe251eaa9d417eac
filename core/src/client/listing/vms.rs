//! OpenVMS: `NAME.EXT;1       5/12      19-NOV-2001 21:41  [GROUP,OWNER]  (RWED,RWED,RE,)`. Where the name is long, the
//! rest stands on the next line.

use super::when;
use super::{Entry, EntryKind};
use nom::branch::alt;
use nom::bytes::complete::take_till1;
use nom::character::complete::{char, digit1, space1};
use nom::combinator::{map, opt};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

/// Reads one line, or two that were joined. A size in blocks is none in bytes.
pub(super) fn parse(line: &str, now_s: i64) -> Option<Entry> {
    let (rest, name) = versioned(line).ok()?;
    let mut entry = match name.strip_suffix(".DIR").or_else(|| name.strip_suffix(".dir")) {
        Some(name) => Entry { kind: EntryKind::Directory, ..Entry::named(name) },
        None => Entry { kind: EntryKind::File, ..Entry::named(name) },
    };
    let blocks = (digit1, opt((char('/'), digit1)));
    let date = || terminated(when::day_name_year, opt(char(' ')));
    let shown = alt((preceded((space1, blocks, space1), date()), preceded(space1, date()))).parse(rest);
    match shown {
        Ok((rest, day)) => {
            let clock = preceded(nom::character::complete::space0, when::clock).parse(rest).ok();
            entry.modified = day.with_clock(clock.map(|(_, clock)| clock)).at(now_s);
        }
        // What one may not look into: `NAME.EXT;1  %RMS-E-PRV, insufficient privilege or file protection violation`.
        Err(_) if rest.trim_start().starts_with(['%', '?']) || rest.trim_start().starts_with("No privilege") => {}
        Err(_) => return None,
    }
    (!entry.name.is_empty()).then_some(entry)
}

/// Whether a line is a name alone, to be gone on with on the next.
pub(super) fn is_name(line: &str) -> bool {
    versioned(line).is_ok_and(|(rest, name)| rest.trim_end().is_empty() && !name.is_empty())
}

/// A name without its version, which a server takes for the newest.
fn versioned(line: &str) -> IResult<&str, &str> {
    map((take_till1(|c| c == ';' || c == ' ' || c == '\t'), char(';'), digit1), |(name, _, _)| name).parse(line)
}
