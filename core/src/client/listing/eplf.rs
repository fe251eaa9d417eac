//! EPLF: `+i8388621.48594,m825718503,r,s280,` and a tab before the name. Each fact is a letter and what follows it.

use super::{Entry, EntryKind, Modified};
use alloc::borrow::ToOwned;

/// Reads one line.
pub(super) fn parse(line: &str) -> Option<Entry> {
    let (facts, name) = line.strip_prefix('+')?.split_once('\t')?;
    let mut entry = Entry::named(name);
    for fact in facts.split(',').filter(|fact| !fact.is_empty()) {
        match fact.split_at_checked(1)? {
            ("/", _) => entry.kind = EntryKind::Directory,
            ("r", _) => entry.kind = EntryKind::File,
            ("s", size) => entry.size_bytes = size.parse().ok(),
            // Seconds since 1970, UTC.
            ("m", at) => entry.modified = at.parse().ok().map(|at_s| Modified { at_s, exact: true }),
            ("i", unique) => entry.unique = Some(unique.to_owned()),
            _ => {}
        }
    }
    (!name.is_empty()).then_some(entry)
}
