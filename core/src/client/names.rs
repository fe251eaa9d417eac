//! What listings say: MLSD (RFC 3659 7), LIST in the common form of `ls -l`, NLST (RFC 959 4.1.3).

use super::summary::ListedEntry;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

/// The files of an MLSD: everything whose `type` fact is `file`.
pub(super) fn of_mlsd(listing: &str) -> Vec<String> {
    lines(listing)
        .filter_map(|line| line.split_once(' '))
        .filter(|(facts, _)| facts.split(';').any(|fact| fact.eq_ignore_ascii_case("type=file")))
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// The entries of a LIST, unless one of its lines has another form than `ls -l` gives it.
pub(super) fn of_list(listing: &str) -> Option<Vec<ListedEntry>> {
    lines(listing).filter(|line| !line.starts_with("total ")).map(list_entry).collect()
}

/// The names of an NLST. Some servers repeat the directory before each.
pub(super) fn of_nlst(listing: &str) -> Vec<String> {
    lines(listing).map(|line| last_component(line).to_owned()).collect()
}

/// What follows the last slash.
pub(super) fn last_component(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Whether a file of this name can be stored in one directory without leaving it.
pub(super) fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains('/') && !name.contains(char::is_control)
}

/// The lines of a listing, without their ends.
pub(super) fn lines(listing: &str) -> impl Iterator<Item = &str> {
    listing.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).filter(|line| !line.is_empty())
}

/// `-rw-r--r--    1 ftp      ftp          2745 Jan 01 12:00 a name`
fn list_entry(line: &str) -> Option<ListedEntry> {
    let mut rest = line;
    let mut field = || {
        rest = rest.trim_start_matches(' ');
        let (field, after) = rest.split_once(' ')?;
        rest = after;
        Some(field)
    };
    let (mode, _links, _owner, _group, size) = (field()?, field()?, field()?, field()?, field()?);
    let (_month, _day, _time) = (field()?, field()?, field()?);
    let kind = mode.chars().next().filter(|_| mode.len() >= MODE_BYTES)?;
    let name = match kind {
        'l' => rest.split_once(" -> ").map_or(rest, |(name, _)| name),
        '-' | 'd' => rest,
        _ => return None,
    };
    Some(ListedEntry { name: name.to_owned(), directory: kind == 'd', size_bytes: size.parse().ok()? })
}

const MODE_BYTES: usize = "drwxr-xr-x".len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mlsd_names_its_files_alone() {
        let listing = "type=cdir;perm=el; .\r\nType=file;size=3; a b.txt\r\ntype=dir; sub\r\nbroken\r\n\
            size=1;TYPE=FILE;x=type=dir; c;d\n";
        assert_eq!(of_mlsd(listing), ["a b.txt", "c;d"]);
    }

    #[test]
    fn a_list_tells_files_from_directories() {
        let listing = "total 8\r\n-rw-------    1 0        0            2745 Jan 01 12:00 a  b.txt\r\n\
            drwxr-xr-x+   2 ftp      ftp          4096 Jan 01  2020  lead\r\n";
        let entry = |name: &str, directory, size_bytes| ListedEntry { name: name.to_owned(), directory, size_bytes };
        assert_eq!(of_list(listing), Some(alloc::vec![entry("a  b.txt", false, 2745), entry(" lead", true, 4096)]));
        assert_eq!(of_list("01-01-20  12:00AM       <DIR>          sub\r\n"), None);
        assert_eq!(of_list("a.txt\r\n"), None);
        assert_eq!(of_list(""), Some(Vec::new()));
    }

    #[test]
    fn an_nlst_may_repeat_the_directory() {
        assert_eq!(of_nlst("a\r\nscans/b\r\n\r\n"), ["a", "b"]);
    }

    #[test]
    fn a_name_that_leaves_its_directory_is_not_plain() {
        for name in ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\0", "a\u{1b}[2J", "a\u{85}"] {
            assert!(!is_plain(name), "{name:?}");
        }
        assert!(is_plain("..x") && is_plain("ü b.png") && is_plain("-rf") && is_plain(".hidden"));
    }
}
