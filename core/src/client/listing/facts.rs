//! MLSD and MLST: facts, a blank, the name (RFC 3659 7.2).

use super::{Entry, EntryKind, Modified};
use crate::date;
use alloc::borrow::ToOwned;
use alloc::string::String;

/// Reads one line of an MLSD, without its line end. `None`: it has no name, or what stands before that are no facts.
///
/// Facts may stand in any order and case. The directory itself (`type=cdir`) is named `.` and the one above it
/// (`type=pdir`) `..`, for servers call them differently.
///
/// ```
/// use mayfly_core::client::listing::{EntryKind, parse_facts};
/// let entry = parse_facts("Type=file;Size=2745;Modify=20010909014640; 1; 2.png").unwrap();
/// assert_eq!((entry.name.as_str(), entry.kind), ("1; 2.png", EntryKind::File));
/// assert_eq!((entry.size_bytes, entry.modified.unwrap().at_s), (Some(2745), 1_000_000_000));
/// ```
#[must_use]
pub fn parse_facts(line: &str) -> Option<Entry> {
    let (facts, name) = split(line)?;
    let mut entry = Entry::named(name);
    for fact in facts.split(';').filter(|fact| !fact.is_empty()) {
        let (key, value) = fact.split_once('=')?;
        match key.trim().to_ascii_lowercase().as_str() {
            "type" => read_type(&mut entry, value),
            "size" => entry.size_bytes = value.parse().ok(),
            "modify" => {
                entry.modified = date::parse_time_val(value).map(|at_s| Modified { at_s, exact: true });
            }
            "unique" => entry.unique = Some(value.to_owned()),
            _ => {}
        }
    }
    (!entry.name.is_empty()).then_some(entry)
}

/// What stands before the blank and what after it. RFC 3659 7.2 ends each fact with a semicolon, so the first blank
/// after one ends them all, even where a server has put a blank into a fact; some leave the last semicolon out.
fn split(line: &str) -> Option<(&str, &str)> {
    match line.strip_prefix(' ') {
        Some(name) => Some(("", name)),
        None => line.split_once("; ").or_else(|| line.split_once(' ')),
    }
}

// RFC 3659 7.5.1: `OS.` and the system's name stand before what only that system has.
fn read_type(entry: &mut Entry, value: &str) {
    let kind = value.to_ascii_lowercase();
    entry.kind = match kind.as_str() {
        "file" => EntryKind::File,
        "dir" => EntryKind::Directory,
        "cdir" | "pdir" => {
            entry.name = String::from(if kind == "cdir" { "." } else { ".." });
            EntryKind::Directory
        }
        os => match os.split_once('=') {
            Some(("os.unix", what)) if what.starts_with("slink") || what.starts_with("symlink") => {
                // The target's letters as they were written, not in small ones.
                entry.target = value.split_once(':').map(|(_, target)| target.to_owned());
                EntryKind::Link
            }
            _ => EntryKind::Other,
        },
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (String, EntryKind, Option<u64>) {
        let entry = parse_facts(line).unwrap_or_else(|| panic!("{line}"));
        (entry.name, entry.kind, entry.size_bytes)
    }

    #[test]
    fn facts_stand_in_any_order_and_case() {
        let file = |name: &str, size| (name.to_owned(), EntryKind::File, size);
        assert_eq!(read("type=file;size=3; a b.txt"), file("a b.txt", Some(3)));
        assert_eq!(read("SIZE=1;TYPE=FILE;x=type=dir; c;d"), file("c;d", Some(1)));
        assert_eq!(read("Type=file;UNIX.group=Domain Users;size=7;  x"), file(" x", Some(7)));
        assert_eq!(read("type=file;size=9 a"), file("a", Some(9)));
        assert_eq!(read("type=file;size=-9; a"), file("a", None));
        assert_eq!(read(" type=file; a"), ("type=file; a".to_owned(), EntryKind::Unknown, None));
        assert_eq!(read("size=4;; a"), ("a".to_owned(), EntryKind::Unknown, Some(4)));
    }

    #[test]
    fn types_are_told_apart() {
        let directory = |name: &str| (name.to_owned(), EntryKind::Directory, None);
        assert_eq!(read("type=dir;sizd=4096;perm=el; sub"), directory("sub"));
        assert_eq!(read("type=cdir; /home/x"), directory("."));
        assert_eq!(read("type=pdir; /home"), directory(".."));
        assert_eq!(read("type=OS.unix=chr-13/29; null").1, EntryKind::Other);
        assert_eq!(read("type=OS.unix=symlink; l").1, EntryKind::Link);
        let link = parse_facts("type=OS.unix=slink:/Pub/X;unique=fd01g1; l").unwrap();
        assert_eq!((link.kind, link.target.as_deref()), (EntryKind::Link, Some("/Pub/X")));
        assert_eq!(link.unique.as_deref(), Some("fd01g1"));
    }

    #[test]
    fn what_holds_no_facts_is_none() {
        for line in ["", "broken", "type=file; ", " ", "drwxr-xr-x 2 0 0 4096 Jan 01 12:00 x", "total 8"] {
            assert_eq!(parse_facts(line), None, "{line}");
        }
    }
}
