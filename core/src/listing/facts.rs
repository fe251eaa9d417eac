//! The facts of MLSD and MLST (RFC 3659 7), and which of them a client has chosen.

use super::long::{GROUP, shown_mode};
use super::{push_four, push_name, push_two};
use crate::date;
use crate::record::{FileInfo, FileKind};
use alloc::string::String;
use core::fmt::Write;

/// One fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// `type`: `file`, `dir`, `cdir`, `pdir`, `OS.unix=slink` (RFC 3659 7.5.1).
    Type,
    /// `size`, of files alone (RFC 3659 7.5.7).
    Size,
    /// `modify` (RFC 3659 7.5.3).
    Modify,
    /// `create` (RFC 3659 7.5.4).
    Create,
    /// `perm` (RFC 3659 7.5.5).
    Perm,
    /// `unique` (RFC 3659 7.5.2).
    Unique,
    /// `UNIX.mode`: four octal digits.
    UnixMode,
    /// `UNIX.owner`: who made the storage path.
    UnixOwner,
    /// `UNIX.group`.
    UnixGroup,
    /// `X.expiry`: when it expires (DESIGN 4).
    Expiry,
}

/// Every fact with its name, in the order in which a line shows them.
pub const FACTS: [(Fact, &str); 10] = [
    (Fact::Type, "type"),
    (Fact::Size, "size"),
    (Fact::Modify, "modify"),
    (Fact::Create, "create"),
    (Fact::Perm, "perm"),
    (Fact::Unique, "unique"),
    (Fact::UnixMode, "UNIX.mode"),
    (Fact::UnixOwner, "UNIX.owner"),
    (Fact::UnixGroup, "UNIX.group"),
    (Fact::Expiry, "X.expiry"),
];

/// Some of the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactSet(u16);

impl FactSet {
    /// None of them: names alone.
    pub const NONE: Self = Self(0);
    /// What a client gets that has not chosen: what nearly every one reads, and the expiry.
    pub const DEFAULT: Self = Self::NONE
        .with(Fact::Type)
        .with(Fact::Size)
        .with(Fact::Modify)
        .with(Fact::Perm)
        .with(Fact::Unique)
        .with(Fact::Expiry);

    /// With this one too.
    #[must_use]
    pub const fn with(self, fact: Fact) -> Self {
        Self(self.0 | 1 << fact as u16)
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn has(self, fact: Fact) -> bool {
        self.0 & 1 << fact as u16 != 0
    }

    /// Reads what follows `OPTS MLST`: names with a semicolon after each. Those that nobody knows are passed over (RFC
    /// 3659 7.9), and names are of any case (7.2). None: names without semicolons between them, which choose nothing.
    ///
    /// ```
    /// use mayfly_core::listing::facts::FactSet;
    /// assert_eq!(FactSet::parse("Size;type;X.never;").unwrap().to_string(), "type;size;");
    /// assert_eq!(FactSet::parse("unique type;"), None);
    /// ```
    #[must_use]
    pub fn parse(list: &str) -> Option<Self> {
        list.split(';').map(|name| name.trim_matches(' ')).try_fold(Self::NONE, |chosen, name| {
            // RFC 3659 7.9.2: `OPTS MLST unique type;` is the example of a 501.
            if name.contains(' ') {
                return None;
            }
            let known = FACTS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
            Some(known.map_or(chosen, |(fact, _)| chosen.with(*fact)))
        })
    }

    /// The line of FEAT: every fact, those that are shown with an asterisk (RFC 3659 7.8).
    #[must_use]
    pub fn feature(self) -> String {
        let mut line = String::from("MLST ");
        for (fact, name) in FACTS {
            line.push_str(name);
            line.push_str(if self.has(fact) { "*;" } else { ";" });
        }
        line
    }
}

impl Default for FactSet {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// As `OPTS MLST` lists them, a semicolon after each.
impl core::fmt::Display for FactSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        FACTS.iter().filter(|(fact, _)| self.has(*fact)).try_for_each(|(_, name)| write!(f, "{name};"))
    }
}

/// What a line's name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A name in the directory, or what MLST was asked about.
    Entry,
    /// The listed directory itself.
    Itself,
    /// The directory above it.
    Parent,
}

/// What the facts of one line are made of.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What the storage knows.
    pub info: &'a FileInfo,
    /// What the name stands for.
    pub place: Place,
    /// The letters of `perm`.
    pub perm: &'a str,
    /// Who made it.
    pub owner: &'a str,
    /// When it was made, UTC seconds.
    pub created_s: Option<i64>,
    /// When it expires, UTC seconds.
    pub expiry_s: Option<i64>,
}

/// Adds a line of MLSD, and of MLST within its reply, without its end: the chosen facts, a blank, the name (RFC 3659
/// 7.2).
pub fn push_facts(line: &mut String, chosen: FactSet, known: &Known<'_>, name: &str) {
    for (fact, label) in FACTS.iter().filter(|(fact, _)| chosen.has(*fact)) {
        let end = line.len();
        line.push_str(label);
        line.push('=');
        let is_known = push_value(line, *fact, known);
        if is_known {
            line.push(';');
        } else {
            line.truncate(end);
        }
    }
    line.push(' ');
    push_name(line, name);
}

/// Whether this fact is known of it.
fn push_value(line: &mut String, fact: Fact, known: &Known<'_>) -> bool {
    let info = known.info;
    match fact {
        Fact::Type => line.push_str(match (info.kind, known.place) {
            (FileKind::Directory, Place::Entry) => "dir",
            (FileKind::Directory, Place::Itself) => "cdir",
            (FileKind::Directory, Place::Parent) => "pdir",
            // What it points at is nobody's business.
            (FileKind::Link, _) => "OS.unix=slink",
            (FileKind::File | FileKind::Other, _) => "file",
        }),
        Fact::Size if info.kind == FileKind::File => push_number(line, info.size_bytes),
        Fact::Size => return false,
        Fact::Modify => push_time_val(line, info.modified_s),
        Fact::Create | Fact::Expiry => {
            let at_s = if fact == Fact::Create { known.created_s } else { known.expiry_s };
            let Some(at_s) = at_s else { return false };
            push_time_val(line, at_s);
        }
        Fact::Perm => line.push_str(known.perm),
        Fact::Unique => line.push_str(&info.unique),
        Fact::UnixMode => push_number_as(line, format_args!("{:04o}", shown_mode(info))),
        Fact::UnixOwner => line.push_str(known.owner),
        Fact::UnixGroup => line.push_str(GROUP),
    }
    true
}

fn push_number(line: &mut String, number: u64) {
    push_number_as(line, format_args!("{number}"));
}

fn push_number_as(line: &mut String, shown: core::fmt::Arguments<'_>) {
    line.write_fmt(shown).expect("writing to a String does not fail");
}

/// `YYYYMMDDHHMMSS`, UTC (RFC 3659 2.3).
fn push_time_val(line: &mut String, utc_s: i64) {
    let t = date::calendar(utc_s);
    push_four(line, u16::try_from(t.year()).unwrap_or_default());
    for part in [u8::from(t.month()), t.day(), t.hour(), t.minute(), t.second()] {
        push_two(line, part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    /// 2026-12-25T00:00:00Z.
    const CHRISTMAS: i64 = 1_798_156_800;
    const ALL: FactSet = FactSet(0x3ff);

    fn info(kind: FileKind) -> FileInfo {
        FileInfo {
            kind,
            size_bytes: 2745,
            modified_s: CHRISTMAS,
            unique: "8u1".into(),
            mode: Some(0o640),
            created_s: None,
            expiry_s: None,
        }
    }

    fn line(chosen: FactSet, info: &FileInfo, place: Place, expiry_s: Option<i64>) -> String {
        let created_s = Some(CHRISTMAS - 1);
        let known = Known { info, place, perm: "el", owner: "ann", created_s, expiry_s };
        let mut line = String::new();
        push_facts(&mut line, chosen, &known, "n");
        line
    }

    #[test]
    fn a_line_shows_the_chosen_facts_that_are_known() {
        let file = info(FileKind::File);
        let shown = "type=file;size=2745;modify=20261225000000;perm=el;unique=8u1; n";
        assert_eq!(line(FactSet::DEFAULT, &file, Place::Entry, None), shown);
        let shown = "type=file;size=2745;modify=20261225000000;create=20261224235959;perm=el;unique=8u1;\
                     UNIX.mode=0640;UNIX.owner=ann;UNIX.group=ftp;X.expiry=20261226000000; n";
        assert_eq!(line(ALL, &file, Place::Entry, Some(CHRISTMAS + 86_400)), shown);
        // RFC 3659 7.2: without any fact, the blank and the name are left.
        assert_eq!(line(FactSet::NONE, &file, Place::Entry, None), " n");
    }

    #[test]
    fn the_type_tells_what_a_name_stands_for() {
        let only_type = FactSet::NONE.with(Fact::Type).with(Fact::Size);
        for (kind, place, shown) in [
            (FileKind::Directory, Place::Entry, "type=dir; n"),
            (FileKind::Directory, Place::Itself, "type=cdir; n"),
            (FileKind::Directory, Place::Parent, "type=pdir; n"),
            (FileKind::Link, Place::Entry, "type=OS.unix=slink; n"),
            (FileKind::File, Place::Entry, "type=file;size=2745; n"),
        ] {
            assert_eq!(line(only_type, &info(kind), place, None), shown);
        }
    }

    #[test]
    fn a_choice_reads_back_and_is_marked_in_feat() {
        for (list, chosen) in [
            ("", ""),
            ("type;size;", "type;size;"),
            ("MODIFY;Type", "type;modify;"),
            ("unix.mode;UNIX.owner;unix.group;", "UNIX.mode;UNIX.owner;UNIX.group;"),
            ("lang;media-type;", ""),
            (" type ; size", "type;size;"),
        ] {
            assert_eq!(FactSet::parse(list).unwrap().to_string(), chosen, "{list}");
            assert_eq!(FactSet::parse(chosen).unwrap().to_string(), chosen);
        }
        for list in ["unique type;", "type size", "type;si ze;"] {
            assert_eq!(FactSet::parse(list), None, "{list}");
        }
        assert_eq!(
            FactSet::DEFAULT.feature(),
            "MLST type*;size*;modify*;create;perm*;unique*;UNIX.mode;UNIX.owner;UNIX.group;X.expiry*;"
        );
        assert_eq!(FactSet::parse(&FACTS.map(|(_, name)| name).join(";")), Some(ALL));
    }
}
