//! `ls -l`: `-rw-r--r--    1 ftp      ftp          2745 Jan 01 12:00 a name`.

use super::{Entry, EntryKind};

pub(super) fn parse(line: &str) -> Option<Entry> {
    let mut rest = line;
    let mut field = || {
        rest = rest.trim_start_matches(' ');
        let (field, after) = rest.split_once(' ')?;
        rest = after;
        Some(field)
    };
    let (mode, _links, _owner, _group, size) = (field()?, field()?, field()?, field()?, field()?);
    let (_month, _day, _time) = (field()?, field()?, field()?);
    let letter = mode.chars().next().filter(|_| mode.len() >= MODE_BYTES)?;
    let (kind, name) = match letter {
        'l' => (EntryKind::Link, rest.split_once(" -> ").map_or(rest, |(name, _)| name)),
        '-' => (EntryKind::File, rest),
        'd' => (EntryKind::Directory, rest),
        _ => return None,
    };
    Some(Entry { kind, size_bytes: Some(size.parse().ok()?), ..Entry::named(name) })
}

const MODE_BYTES: usize = "drwxr-xr-x".len();
