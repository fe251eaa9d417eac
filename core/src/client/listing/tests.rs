//! Lines as servers write them, and what they say.

use super::*;
use crate::date;
use EntryKind::{Directory, File, Link, Other};

/// 2027-01-01T00:00:00Z.
const NOW_S: i64 = 1_798_761_600;

/// What is expected of a line: name, kind, size, and time.
type Expected<'a> = (&'a str, &'a str, EntryKind, Option<u64>, &'a str);

#[track_caller]
fn check(cases: &[Expected<'_>]) {
    for &(line, name, kind, size_bytes, at) in cases {
        let entry = parse_line(line, NOW_S).unwrap_or_else(|| panic!("{line:?} is not read"));
        let shown = entry.modified.map_or_else(String::new, |modified| date::rfc3339(modified.at_s));
        let got = (entry.name.as_str(), entry.kind, entry.size_bytes, shown.trim_end_matches(":00Z"));
        assert_eq!(got, (name, kind, size_bytes, at), "{line:?}");
    }
}

#[test]
fn ls_in_its_many_columns() {
    check(&[
        (
            "-rw-r--r--    1 ftp      ftp          2745 Dec 24 12:00 1.png",
            "1.png",
            File,
            Some(2745),
            "2026-12-24T12:00",
        ),
        (
            "drwxr-xr-x    2 0        0            4096 Jan 01  2020 a  b ",
            "a  b ",
            Directory,
            Some(4096),
            "2020-01-01T00:00",
        ),
        ("-rw-r--r-- 1 u g 5 Jan  1 2020   lead", "  lead", File, Some(5), "2020-01-01T00:00"),
        // No group; no links either; none of the three.
        ("-r-xr-xr-x   1 root                  531 Mar 29 03:26 x", "x", File, Some(531), "2026-03-29T03:26"),
        ("-rw-rw-rw- owner group 77 Oct 5 21:22 x", "x", File, Some(77), "2026-10-05T21:22"),
        ("-rwx------ 77 Oct 5 2021 x", "x", File, Some(77), "2021-10-05T00:00"),
        // Blanks in an owner; numbers that could be a year or a day.
        ("-rw-r--r--   1 CORP\\jo Domain Users 531 Jan 29 03:26 x", "x", File, Some(531), "2026-01-29T03:26"),
        ("-rw-------   1 10 10 2010 Jan 1 2020 x", "x", File, Some(2010), "2020-01-01T00:00"),
        // Inode; blocks; both.
        ("  131073 -rw-r--r-- 1 u g 5 Jan 1 2020 x", "x", File, Some(5), "2020-01-01T00:00"),
        ("131073    8 drwxr-xr-x 2 u g 4096 Jan 1 2020 x", "x", Directory, Some(4096), "2020-01-01T00:00"),
        // Marks of access lists, sticky and set-user bits.
        ("drwxrwxrwt+ 2 u g 4096 Jan 1 2020 x", "x", Directory, Some(4096), "2020-01-01T00:00"),
        ("-rwsr-Sr-T. 1 u g 9 Jan 1 2020 x", "x", File, Some(9), "2020-01-01T00:00"),
        ("-rw-r--r--@ 1 u g 9 Jan 1 2020 x", "x", File, Some(9), "2020-01-01T00:00"),
        // Devices and the like have no size that could be fetched.
        ("crw-rw-rw-    1 root root       1,   3 Jan 1 2020 null", "null", Other, None, "2020-01-01T00:00"),
        ("brw-rw----    1 root disk       8,0 Jan 1 2020 sda", "sda", Other, None, "2020-01-01T00:00"),
        ("srwxrwxrwx    1 u g 0 Jan 1 2020 sock", "sock", Other, Some(0), "2020-01-01T00:00"),
        // Links.
        ("lrwxrwxrwx   1 root     other          7 Jan 25 00:17 l -> usr/bin", "l", Link, Some(7), "2026-01-25T00:17"),
        ("lrwxrwxrwx   1 root     other          7 Jan 25 00:17 l", "l", Link, Some(7), "2026-01-25T00:17"),
        ("-rw-r--r--   1 u g 7 Jan 25 00:17 a -> b", "a -> b", File, Some(7), "2026-01-25T00:17"),
        // A slash that only marks a directory; sizes that are rounded.
        ("drwxr-xr-x 2 u g 4096 Jan 1 2020 sub/", "sub", Directory, Some(4096), "2020-01-01T00:00"),
        ("-rw-r--r--   1 root     other  33.5k Oct 5 21:22 x", "x", File, None, "2026-10-05T21:22"),
        ("-rw-r--r-- 1 u g 18446744073709551616 Jan 1 2020 x", "x", File, None, "2020-01-01T00:00"),
        // Names that look like what stands before them.
        ("-rw-r--r-- 1 u g 5 Jan 1 2020 7 Feb 3 2021 x", "7 Feb 3 2021 x", File, Some(5), "2020-01-01T00:00"),
        ("-rw-r--r-- 1 u g 5 Jan 1 2020 12:30", "12:30", File, Some(5), "2020-01-01T00:00"),
        ("-rw-r--r-- 1 u g 5 Feb 30 2020 x", "x", File, Some(5), ""),
    ]);
}

#[test]
fn ls_with_its_many_dates() {
    check(&[
        ("-rw-r--r-- 1 u g 531 2005-06-07 21:22 x", "x", File, Some(531), "2005-06-07T21:22"),
        ("-rw-r--r-- 1 u g 531 2020-01-31 12:00:00.000000000 +0100 x", "x", File, Some(531), "2020-01-31T11:00"),
        ("-rw-r--r-- 1 u g 531 09-26 2000 x", "x", File, Some(531), "2000-09-26T00:00"),
        ("-rw-r--r-- 1 u g 531 09-26 13:45 x", "x", File, Some(531), "2026-09-26T13:45"),
        ("-rw-r--r-- 1 u g 531 3 29 03:26 x", "x", File, Some(531), "2026-03-29T03:26"),
        ("-r--r--r-- 1 u g 531 26. Juli, 20:10 x", "x", File, Some(531), "2026-07-26T20:10"),
        ("-r--r--r-- 1 u g 531 2.   Okt.  2003 x", "x", File, Some(531), "2003-10-02T00:00"),
        ("-r--r--r-- 1 u g 531 24-04-2003 17:12 x", "x", File, Some(531), "2003-04-24T17:12"),
        ("-rw-r--r-- 1 u g 8473  4月 18日 2003年 x", "x", File, Some(8473), "2003-04-18T00:00"),
        ("-rw-r--r-- 1 u g 9 Oct 08, 2002 09:47 x", "x", File, Some(9), "2002-10-08T09:47"),
        ("-rw-r--r-- 1 u g 9 Jan  1 12:00:00 2020 x", "x", File, Some(9), "2020-01-01T12:00"),
        ("0100644   500  101   12345    123456780       a b", "a b", File, Some(12345), "1973-11-29T21:33"),
        ("040755   0  0   512    0  d", "d", Directory, Some(512), "1970-01-01T00:00"),
    ]);
}

#[test]
fn netware_and_the_macintosh() {
    check(&[
        (
            "d [R----F--] supervisor            512       Jan 16 18:53    login",
            "login",
            Directory,
            Some(512),
            "2026-01-16T18:53",
        ),
        (
            "- [R----F--] rhesus             214059       Oct 20 15:27    cx.exe",
            "cx.exe",
            File,
            Some(214_059),
            "2026-10-20T15:27",
        ),
        ("-[RWCEAFMS] 1 owner 1234 Jan 1 2020 x", "x", File, Some(1234), "2020-01-01T00:00"),
        (
            "-------r--         326  1391972  1392298 Nov 22  1995 x.sit",
            "x.sit",
            File,
            Some(1_392_298),
            "1995-11-22T00:00",
        ),
        (
            "drwxrwxr-x               folder        2 May 10  1996 network",
            "network",
            Directory,
            Some(2),
            "1996-05-10T00:00",
        ),
    ]);
}

#[test]
fn dos_and_its_kin() {
    check(&[
        ("12-25-26  10:30AM       <DIR>          a  name", "a  name", Directory, None, "2026-12-25T10:30"),
        ("04-14-00  03:47PM                  589 x y.txt", "x y.txt", File, Some(589), "2000-04-14T15:47"),
        ("2002-09-02  18:48       <DIR>          x", "x", Directory, None, "2002-09-02T18:48"),
        ("2002-09-02  19:06                9,730 x", "x", File, Some(9730), "2002-09-02T19:06"),
        ("12-25-2026  22:30       <DIR>            lead", "  lead", Directory, None, "2026-12-25T22:30"),
        ("25-12-2026  22:30                    7  lead", " lead", File, Some(7), "2026-12-25T22:30"),
        ("25.12.2026  22:30    <JUNCTION>     x [c:\\y]", "x", Link, None, "2026-12-25T22:30"),
        ("10/25/97 12:00AM 7 x", "x", File, Some(7), "1997-10-25T00:00"),
        ("36611      A    04-23-103  10:57  x y", "x y", File, Some(36611), "2003-04-23T10:57"),
        ("    0 DIR       02-11-103  16:15  x", "x", Directory, None, "2003-02-11T16:15"),
        ("    0 DIR  A    02-11-103  16:15  x", "x", Directory, None, "2003-02-11T16:15"),
        ("     512    JAN-01-1980  00:00:00   MAIN        <DIR>", "MAIN", Directory, None, "1980-01-01T00:00"),
        ("    2745    DEC-24-2026  12:00:00   1.PNG  ", "1.PNG", File, Some(2745), "2026-12-24T12:00"),
        ("206876  Apr 04, 2000 21:06 x y", "x y", File, Some(206_876), "2000-04-04T21:06"),
        ("0  Dec 12, 2002 02:13 d/", "d", Directory, None, "2002-12-12T02:13"),
    ]);
}

#[test]
fn eplf_vms_and_os400() {
    check(&[
        ("+i8388621.48594,m825718503,r,s280,up755\ta b", "a b", File, Some(280), "1996-03-01T22:15:03Z"),
        ("+i8388621.50690,m824255907,/,\t514", "514", Directory, None, "1996-02-13T23:58:27Z"),
        ("+,\tx", "x", EntryKind::Unknown, None, ""),
        (
            "NAME.EXT;1       5/12      19-NOV-2001 21:41  [GROUP,OWNER]  (RWED,RWED,RE,)",
            "NAME.EXT",
            File,
            None,
            "2001-11-19T21:41",
        ),
        ("SUB.DIR;1  1 19-NOV-2001 21:41 [root,root] (RWE,RWE,RE,RE)", "SUB", Directory, None, "2001-11-19T21:41"),
        ("x;12       155   2-JUL-2003 10:30:13.64", "x", File, None, "2003-07-02T10:30:13Z"),
        ("x.y;12       155   2-JUL-2003", "x.y", File, None, "2003-07-02T00:00"),
        ("SECRET.TXT;1  %RMS-E-PRV, insufficient privilege or file protection violation", "SECRET.TXT", File, None, ""),
        ("QSYS            77824 02/23/00 15:09:55 *DIR       a b/", "a b", Directory, None, "2000-02-23T15:09:55Z"),
        ("QSYS            77824 23/02/00 15:09:55 *STMF      x", "x", File, Some(77824), "2000-02-23T15:09:55Z"),
        ("QSYS            77824 99/02/23 15:09:55 *STMF      x", "x", File, Some(77824), "1999-02-23T15:09:55Z"),
        ("QPGMR           *MEM       A.FILE/B.MBR", "A.FILE/B.MBR", File, None, ""),
    ]);
}

#[test]
fn targets_and_what_is_unique_are_told() {
    let link = parse_line("lrwxrwxrwx 1 u g 7 Jan 1 2020 l -> a -> b", NOW_S).unwrap();
    assert_eq!((link.name.as_str(), link.target.as_deref()), ("l", Some("a -> b")));
    let link = parse_line("25.12.2026  22:30    <SYMLINKD>     x [c:\\y]", NOW_S).unwrap();
    assert_eq!(link.target.as_deref(), Some("c:\\y"));
    assert_eq!(parse_line("+i1.2,\tx", NOW_S).unwrap().unique.as_deref(), Some("1.2"));
    assert!(parse_line("+m825718503,\tx", NOW_S).unwrap().modified.unwrap().exact);
    assert!(!parse_line("-rw-r--r-- 1 u g 5 Jan 1 2020 x", NOW_S).unwrap().modified.unwrap().exact);
}

#[track_caller]
fn names(text: &str, unread: &[&str]) -> Vec<String> {
    let listing = parse(text, NOW_S);
    assert_eq!(listing.unread, unread);
    listing.entries.into_iter().map(|entry| entry.name).collect()
}

#[test]
fn headings_are_no_entries() {
    let unix = "total 8\r\n-rw------- 1 u g 5 Jan 1 2020 x\r\r\n\r\ninsgesamt 12K\nodd line here\n";
    assert_eq!(names(unix, &["odd line here"]), ["x"]);
    let vms = "\r\nDirectory SYS$SYSDEVICE:[FTP]\r\n\r\nA_LONG_NAME_INDEED.TXT;1\r\n   5/12  19-NOV-2001 21:41  [G,O]\r\n\
        B.DIR;1  1 19-NOV-2001 21:41\r\nC.TXT;1\r\n\r\nTotal of 2 files, 6/18 blocks.\r\n";
    assert_eq!(names(vms, &["C.TXT;1"]), ["A_LONG_NAME_INDEED.TXT", "B"]);
    let vxworks = "  size          date       time       name\n--------       ------     ------    --------\n\
        512    JAN-01-1980  00:00:00   MAIN        <DIR>\n";
    assert_eq!(names(vxworks, &[]), ["MAIN"]);
}

#[test]
fn z_os_says_first_what_its_columns_are() {
    let sets = "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname\r\n\
        WYOSPT 3420   2003/05/21  1  200  FB      80  8053  PS  MY.FILE\r\n\
        WPTA01 3290   2004/03/04  1    3  FB      80  3125  PO  MY.LIB\r\n\
        NRP004 3390   **NONE**    1   15  NONE     0     0  NONE MY.NONE\r\n\
        TSO004 3390   VSAM MY.VSAM\r\nMigrated                    MY.OLD\r\nARCIVE Not Direct Access Device  MY.TAPE\r\n\
        Pseudo Directory                 MY\r\nodd\r\n";
    let listing = parse(sets, NOW_S);
    let told: Vec<(&str, EntryKind)> = listing.entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
    assert_eq!(
        told,
        [
            ("MY.FILE", File),
            ("MY.LIB", Directory),
            ("MY.NONE", File),
            ("MY.VSAM", File),
            ("MY.OLD", File),
            ("MY.TAPE", File),
            ("MY", Directory)
        ]
    );
    assert_eq!(listing.unread, ["odd"]);
    let members = " Name     VV.MM   Created       Changed      Size  Init   Mod   Id\r\n\
        MEM1      01.03 2002/09/12 2002/10/11 09:37    11    11     0 KIL001\r\n MEM2\r\n";
    let listing = parse(members, NOW_S);
    assert_eq!(date::rfc3339(listing.entries[0].modified.unwrap().at_s), "2002-10-11T09:37:00Z");
    assert_eq!((listing.entries[1].name.as_str(), listing.unread.len()), ("MEM2", 0));
}

#[test]
fn what_is_no_line_of_a_list_is_none() {
    for line in [
        "",
        " ",
        "a.txt",
        "total 8",
        "drwxr-xr-x",
        "drwxr-xr-x 2 u g 4096 Jan 1 2020",
        "drwxr-xr-x 2 u g 4096 Jan 1 2020 ",
        "-rw-r--r-- 1 u g x Jan 1 2020 x",
        "qrw-r--r-- 1 u g 5 Jan 1 2020 x",
        "12-25-26  10:30AM       <DIR>",
        "12-25-26  10:30AM       5 ",
        "+\t",
        "+r",
        "x;y 5 2-JUL-2003",
        "NAME.EXT;1",
        "ls: cannot access x: Permission denied",
    ] {
        assert_eq!(parse_line(line, NOW_S), None, "{line:?}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_shown_one_by_one() {
    assert_eq!(text(b"gr\xfc\xdfe \xc3\xbc \xf0\x9f"), "gr\\xFC\\xDFe \u{fc} \\xF0\\x9F");
}
