//! The lines of LIST, as `ls -l` prints them in the C locale.

use super::{push_four, push_name, push_two};
use crate::date;
use crate::record::{FileInfo, FileKind};
use crate::time::Now;
use alloc::string::String;
use core::fmt::Write;

/// Adds one line without its end. Owner and group are names of the server's own, never the host's, and the count of
/// links says nothing; they stand there for the clients that look for nine columns. Times are UTC.
pub fn push_long(line: &mut String, info: &FileInfo, owner: &str, name: &str, now: Now) {
    line.push(match info.kind {
        FileKind::Directory => 'd',
        FileKind::Link => 'l',
        FileKind::File | FileKind::Other => '-',
    });
    push_mode(line, shown_mode(info));
    let links = if info.kind == FileKind::Directory { 2 } else { 1 };
    write!(line, " {links:4} {owner:8} {GROUP:8} {:12} ", info.size_bytes).expect("writing to a String does not fail");
    push_time(line, info.modified_s, now.utc_s);
    line.push(' ');
    push_name(line, name);
}

/// The permission bits that a client sees. A link's are those that every link has; where the storage knows none, those
/// of what everybody may read.
#[must_use]
pub fn shown_mode(info: &FileInfo) -> u16 {
    match (info.kind, info.mode) {
        (FileKind::Link, _) => 0o777,
        (_, Some(mode)) => mode,
        (FileKind::Directory, None) => 0o755,
        (FileKind::File | FileKind::Other, None) => 0o644,
    }
}

/// An owner as one column shows it: no blank, no control character, never empty.
#[must_use]
pub fn shown_owner(owner: &str) -> String {
    if owner.is_empty() {
        return GROUP.into();
    }
    owner.chars().map(|c| if c.is_control() || c.is_whitespace() { '_' } else { c }).collect()
}

/// The group of everything, and the owner of what nobody by name has made.
pub const GROUP: &str = "ftp";

/// `rwxr-xr-x`; `s`, `S`, `t` and `T` as `ls` has them.
fn push_mode(line: &mut String, mode: u16) {
    for (shift, special, letters) in [(6, 0o4000, ['s', 'S']), (3, 0o2000, ['s', 'S']), (0, 0o1000, ['t', 'T'])] {
        let bits = mode >> shift;
        line.push(if bits & 4 != 0 { 'r' } else { '-' });
        line.push(if bits & 2 != 0 { 'w' } else { '-' });
        line.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letters[0],
            (true, false) => letters[1],
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
}

/// `Dec 25 10:30`; `Dec 25  2026` for what is older than half a year, or later than now.
fn push_time(line: &mut String, modified_s: i64, now_s: i64) {
    let t = date::calendar(modified_s);
    line.push_str(MONTHS[usize::from(u8::from(t.month()) - 1)]);
    line.push(' ');
    if t.day() < 10 {
        line.push(' ');
        line.push(char::from(b'0' + t.day()));
    } else {
        push_two(line, t.day());
    }
    line.push(' ');
    let recent = modified_s <= now_s && modified_s > now_s.saturating_sub(HALF_YEAR_S);
    if recent {
        push_two(line, t.hour());
        line.push(':');
        push_two(line, t.minute());
    } else {
        line.push(' ');
        push_four(line, u16::try_from(t.year()).unwrap_or_default());
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Half a Gregorian year, as `ls` has it: 365.2425 days / 2.
const HALF_YEAR_S: i64 = 31_556_952 / 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-12-25T00:00:00Z.
    const CHRISTMAS: i64 = 1_798_156_800;

    fn info(kind: FileKind, size_bytes: u64, modified_s: i64, mode: Option<u16>) -> FileInfo {
        FileInfo { kind, size_bytes, modified_s, unique: "8u1".into(), mode, created_s: None, expiry_s: None }
    }

    fn line(info: &FileInfo, owner: &str, name: &str, utc_s: i64) -> String {
        let mut line = String::new();
        push_long(&mut line, info, owner, name, Now { monotonic_ms: 0, utc_s });
        line
    }

    #[test]
    fn lines_have_the_columns_of_ls() {
        let file = info(FileKind::File, 2745, CHRISTMAS + 5 * 3600 + 7 * 60, Some(0o640));
        let expected = "-rw-r-----    1 ftp      ftp              2745 Dec 25 05:07 holiday 1.png";
        assert_eq!(line(&file, "ftp", "holiday 1.png", CHRISTMAS + 86_400), expected);
        let directory = info(FileKind::Directory, 0, CHRISTMAS + 8 * 86_400, None);
        let expected = "drwxr-xr-x    2 ann      ftp                 0 Jan  2 00:00 scans";
        assert_eq!(line(&directory, "ann", "scans", CHRISTMAS + 9 * 86_400), expected);
        let huge = info(FileKind::File, 999_999_999_999, 0, None);
        let expected = "-rw-r--r--    1 ftp      ftp      999999999999 Jan  1  1970 x";
        assert_eq!(line(&huge, "ftp", "x", CHRISTMAS), expected);
        let link = info(FileKind::Link, 0, 0, Some(0o777));
        assert!(line(&link, "ftp", "x", CHRISTMAS).starts_with("lrwxrwxrwx    1 "));
    }

    #[test]
    fn modes_are_shown_as_ls_shows_them() {
        for (mode, shown) in [
            (0o000, "---------"),
            (0o755, "rwxr-xr-x"),
            (0o4755, "rwsr-xr-x"),
            (0o4644, "rwSr--r--"),
            (0o2775, "rwxrwsr-x"),
            (0o2765, "rwxrwSr-x"),
            (0o1777, "rwxrwxrwt"),
            (0o1776, "rwxrwxrwT"),
        ] {
            let mut line = String::new();
            push_mode(&mut line, mode);
            assert_eq!(line, shown, "{mode:o}");
        }
    }

    #[test]
    fn the_year_is_shown_after_half_a_year_and_for_the_future() {
        let shown = |modified_s, now_s| {
            let mut line = String::new();
            push_time(&mut line, modified_s, now_s);
            line
        };
        for (now_s, expected) in [
            (CHRISTMAS - 1, "Dec 25  2026"),
            (CHRISTMAS, "Dec 25 00:00"),
            (CHRISTMAS + HALF_YEAR_S - 1, "Dec 25 00:00"),
            (CHRISTMAS + HALF_YEAR_S, "Dec 25  2026"),
            (i64::MAX, "Dec 25  2026"),
            (i64::MIN, "Dec 25  2026"),
        ] {
            assert_eq!(shown(CHRISTMAS, now_s), expected, "{now_s}");
        }
        assert_eq!(shown(i64::MAX, CHRISTMAS), "Dec 31  9999");
        assert_eq!(shown(i64::MIN, CHRISTMAS), "Jan  1  0000");
    }

    #[test]
    fn an_owner_is_one_word() {
        assert_eq!(["ann", "a b\tc\u{85}", ""].map(shown_owner), ["ann", "a_b_c_", "ftp"]);
    }
}
