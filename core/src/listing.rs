//! Listing lines: LIST, NLST, MLSD and MLST.

use crate::date;
use crate::record::{Entry, FileInfo, FileKind};
use crate::time::Now;
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

/// One line as `ls -l` prints it in the C locale, without its line end. Rights, links and owner say nothing about the
/// disk: they are the same for all, for the clients that look for nine columns. Times are UTC.
#[must_use]
pub fn list_line(entry: &Entry, now: Now) -> String {
    let info = &entry.info;
    let (mode, links) = match info.kind {
        FileKind::Directory => ("drwxr-xr-x", 2),
        FileKind::File | FileKind::Other | FileKind::Link => ("-rw-r--r--", 1),
    };
    let time = list_time(info.modified_s, now.utc_s);
    format!("{mode} {links:4} {OWNER:8} {OWNER:8} {:12} {time} {}", info.size_bytes, shown_name(&entry.name))
}

/// The facts of RFC 3659 7.5, `type=file;size=..;`, ending with a semicolon; `expiry_s` is the effective one, shown
/// as `X.expiry`. A directory has no size.
#[must_use]
pub fn facts(info: &FileInfo, perm: &str, expiry_s: Option<i64>) -> String {
    let (kind, size) = match info.kind {
        FileKind::Directory => ("dir", String::new()),
        FileKind::File | FileKind::Other | FileKind::Link => ("file", format!("size={};", info.size_bytes)),
    };
    let expiry = expiry_s.map(|expiry_s| format!("X.expiry={};", date::time_val(expiry_s))).unwrap_or_default();
    let (modified, unique) = (date::time_val(info.modified_s), &info.unique);
    format!("type={kind};{size}modify={modified};perm={perm};unique={unique};{expiry}")
}

/// A line of MLSD, and of MLST within its reply: the facts, a blank, the name (RFC 3659 7.2).
#[must_use]
pub fn fact_line(facts: &str, name: &str) -> String {
    format!("{facts} {}", shown_name(name))
}

/// A name as every listing shows it, NLST too: control characters, which could end its line, as `\xHH` (DESIGN 3).
#[must_use]
pub fn shown_name(name: &str) -> Cow<'_, str> {
    if !name.contains(char::is_control) {
        return name.into();
    }
    let mut shown = String::new();
    for c in name.chars() {
        if c.is_control() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(shown, "\\x{byte:02x}").expect("writing to a String does not fail");
            }
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

/// `Dec 25 10:30`; `Dec 25  2026` for what is older than half a year, or later than now.
fn list_time(modified_s: i64, now_s: i64) -> String {
    let t = date::calendar(modified_s);
    let month = MONTHS[usize::from(u8::from(t.month()) - 1)];
    let recent = modified_s <= now_s && modified_s > now_s.saturating_sub(HALF_YEAR_S);
    if recent {
        format!("{month} {:2} {:02}:{:02}", t.day(), t.hour(), t.minute())
    } else {
        format!("{month} {:2}  {:04}", t.day(), t.year())
    }
}

const OWNER: &str = "ftp";
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Half a Gregorian year, as `ls` has it: 365.2425 days / 2.
const HALF_YEAR_S: i64 = 31_556_952 / 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::EntryRecord;

    /// 2026-12-25T00:00:00Z.
    const CHRISTMAS: i64 = 1_798_156_800;

    fn entry(kind: FileKind, name: &str, size_bytes: u64, modified_s: i64) -> Entry {
        let info = FileInfo { kind, size_bytes, modified_s, unique: "8u1".into(), mode: None, created_s: None };
        Entry { name: name.into(), info, record: EntryRecord::None }
    }

    fn line(entry: &Entry, utc_s: i64) -> String {
        list_line(entry, Now { monotonic_ms: 0, utc_s })
    }

    #[test]
    fn lines_have_the_columns_of_ls() {
        let file = entry(FileKind::File, "holiday 1.png", 2745, CHRISTMAS + 5 * 3600 + 7 * 60);
        let expected = "-rw-r--r--    1 ftp      ftp              2745 Dec 25 05:07 holiday 1.png";
        assert_eq!(line(&file, CHRISTMAS + 86_400), expected);
        let directory = entry(FileKind::Directory, "scans", 0, CHRISTMAS + 8 * 86_400);
        let expected = "drwxr-xr-x    2 ftp      ftp                 0 Jan  2 00:00 scans";
        assert_eq!(line(&directory, CHRISTMAS + 9 * 86_400), expected);
        let huge = entry(FileKind::File, "x", 999_999_999_999, 0);
        assert_eq!(line(&huge, CHRISTMAS), "-rw-r--r--    1 ftp      ftp      999999999999 Jan  1  1970 x");
    }

    #[test]
    fn the_year_is_shown_after_half_a_year_and_for_the_future() {
        for (now_s, shown) in [
            (CHRISTMAS - 1, "Dec 25  2026"),
            (CHRISTMAS, "Dec 25 00:00"),
            (CHRISTMAS + HALF_YEAR_S - 1, "Dec 25 00:00"),
            (CHRISTMAS + HALF_YEAR_S, "Dec 25  2026"),
            (i64::MAX, "Dec 25  2026"),
            (i64::MIN, "Dec 25  2026"),
        ] {
            assert_eq!(list_time(CHRISTMAS, now_s), shown, "{now_s}");
        }
        assert_eq!(list_time(i64::MAX, CHRISTMAS), "Dec 31  9999");
        assert_eq!(list_time(i64::MIN, CHRISTMAS), "Jan  1  0000");
    }

    #[test]
    fn facts_are_those_of_rfc_3659_and_the_expiry() {
        let file = entry(FileKind::File, "1.png", 2745, CHRISTMAS);
        let shown = "type=file;size=2745;modify=20261225000000;perm=adfrw;unique=8u1;";
        assert_eq!(facts(&file.info, "adfrw", None), shown);
        assert_eq!(fact_line(shown, "1.png"), format!("{shown} 1.png"));
        let directory = entry(FileKind::Directory, "scans", 4096, CHRISTMAS);
        let shown = "type=dir;modify=20261225000000;perm=;unique=8u1;X.expiry=20261226000000;";
        assert_eq!(facts(&directory.info, "", Some(CHRISTMAS + 86_400)), shown);
    }

    #[test]
    fn no_name_ends_its_line() {
        let bad = entry(FileKind::File, "a\r\n-rw b\0\u{85}\u{7f}ä\\", 1, 0);
        let shown = "a\\x0d\\x0a-rw b\\x00\\xc2\\x85\\x7fä\\";
        assert!(line(&bad, 0).ends_with(&format!(" {shown}")));
        assert_eq!(fact_line("type=file;", &bad.name), format!("type=file; {shown}"));
    }
}
