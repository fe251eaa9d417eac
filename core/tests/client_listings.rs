//! Listings: whatever a server lists is read without a panic, and an entry written in any of the common forms is read
//! as what it was.

use mayfly_core::client::listing::{self, Entry, EntryKind, Modified, parse_facts, parse_line};
use mayfly_core::date;
use proptest::prelude::*;

/// 2027-01-01T00:00:00Z.
const NOW_S: i64 = 1_798_761_600;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Pieces of lines, so that whole lines come about often.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "-rw-r--r--", "drwxr-xr-x+", "lrwxrwxrwx", "crw-rw-rw-", "d [R----F--]", "0100644", "1", "512", "1, 3", "33.5k",
            "ftp", "Domain Users", "Jan", "Okt.", "4月", "18日", "29", "2020", "12:00", "12:30:01.5", "10:30AM", "-0800",
            "2020-01-31", "12-25-26", "24.04.2003", "<DIR>", "<JUNCTION>", "+i1,m2,/,\t", "NAME.EXT;1", "5/12",
            "19-NOV-2001", "%RMS", "QSYS", "*DIR", "*STMF", "a name", "a -> b", "type=file;", "size=1;", "total", "\r", "\n",
            "Volume Unit Dsname", "Name VV.MM", "PO", "\t",
        ]).prop_map(str::to_owned),
        1 => "[ -~]{0,8}",
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => ".{0,4}",
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[^\\x00-\\x1f\\x7f/ ][^\\x00-\\x1f\\x7f/]{0,20}[^\\x00-\\x1f\\x7f/ ]"
        .prop_filter("a link's mark", |name| !name.contains(" -> "))
}

/// A time of the years 1980 to 2060, to the minute.
fn time_s() -> impl Strategy<Value = i64> {
    (5_260_000_i64..47_300_000).prop_map(|minutes| minutes * 60)
}

/// Year, month, day, hour, minute.
fn parts(at_s: i64) -> [usize; 5] {
    let digits = date::time_val(at_s);
    [0..4, 4..6, 6..8, 8..10, 10..12].map(|range| digits[range].parse().expect("they are digits"))
}

fn entry(name: &str, directory: bool, size: u64, at_s: i64, exact: bool) -> Entry {
    let kind = if directory { EntryKind::Directory } else { EntryKind::File };
    Entry { kind, size_bytes: Some(size), modified: Some(Modified { at_s, exact }), ..Entry::named(name) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn nothing_that_a_server_lists_is_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), now_s in any::<i64>()) {
        let text = listing::text(&bytes);
        let listed = listing::parse(&text, now_s);
        prop_assert!(listed.entries.len() + listed.unread.len() <= listing::lines(&text).count());
        prop_assert!(listed.entries.iter().all(|entry| !entry.name.is_empty()));
        let _ = parse_facts(&text);
    }

    #[test]
    fn nor_is_what_looks_like_a_line(pieces in prop::collection::vec(piece(), 0..12), now_s in any::<i64>()) {
        for gap in [" ", "", "   "] {
            let text = pieces.join(gap);
            let _ = (parse_line(&text, now_s), parse_facts(&text), listing::parse(&text, now_s));
        }
    }

    #[test]
    fn an_ls_line_is_read_as_what_it_was(
        name in name(), directory in any::<bool>(), size in any::<u64>(), at_s in time_s(), group in any::<bool>(),
    ) {
        let [year, month, day, hour, minute] = parts(at_s);
        let (mode, group) = (if directory { "drwxr-xr-x" } else { "-rw-r--r--" }, if group { "ftp      " } else { "" });
        let columns = format!("{mode}    1 ftp      {group}{size:>13}");
        let midnight_s = at_s - at_s.rem_euclid(86_400);
        let name = name.trim_end_matches('/');
        let line = format!("{columns} {} {day:02}  {year} {name}", MONTHS[month - 1]);
        prop_assert_eq!(parse_line(&line, NOW_S), Some(entry(name, directory, size, midnight_s, false)), "{}", line);
        let line = format!("{columns} {} {day:2} {hour:02}:{minute:02} {name}", MONTHS[month - 1]);
        // Read soon after it was written.
        prop_assert_eq!(parse_line(&line, at_s + 3600), Some(entry(name, directory, size, at_s, false)), "{}", line);
    }

    #[test]
    fn a_dos_line_is_read_as_what_it_was(name in name(), size in any::<u64>(), at_s in time_s()) {
        let [year, month, day, hour, minute] = parts(at_s);
        let half = if hour < 12 { "AM" } else { "PM" };
        let clock = format!("{:02}:{minute:02}{half}", (hour + 11) % 12 + 1);
        let line = format!("{month:02}-{day:02}-{year}  {clock} {size:>20} {name}");
        prop_assert_eq!(parse_line(&line, NOW_S), Some(entry(&name, false, size, at_s, false)), "{}", line);
        let line = format!("{month:02}-{day:02}-{:02}  {clock}       <DIR>          {name}", year % 100);
        let directory = Entry { size_bytes: None, ..entry(&name, true, 0, at_s, false) };
        prop_assert_eq!(parse_line(&line, NOW_S), Some(directory), "{}", line);
    }

    #[test]
    fn facts_are_read_in_any_order(name in "[^\\x00-\\x1f\\x7f/]{1,20}", size in any::<u64>(), at_s in time_s(), turn in 0..4_usize) {
        let mut facts =
            [format!("Size={size};"), "TYPE=file;".to_owned(), format!("modify={};", date::time_val(at_s)), "perm=r;".to_owned()];
        facts.rotate_left(turn);
        let line = format!("{} {name}", facts.concat());
        prop_assert_eq!(parse_facts(&line), Some(entry(&name, false, size, at_s, true)), "{}", line);
    }
}
