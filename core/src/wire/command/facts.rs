//! Facts that are set: MFMT, MFCT, MFF (draft-somers-ftp-mfxx), SITE UTIME, SITE CHMOD.

use super::{Command, Malformed, Parsed, argument};
use crate::action::NewFacts;
use crate::date;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

/// `MFMT YYYYMMDDHHMMSS path` (draft-somers-ftp-mfxx 3.1).
pub(super) fn mfmt(argument: &str) -> Parsed {
    time_and_path(argument).map(|(modified_s, path)| Command::Mfmt { modified_s, path })
}

/// `MFCT YYYYMMDDHHMMSS path` (draft-somers-ftp-mfxx 4.1).
pub(super) fn mfct(argument: &str) -> Parsed {
    time_and_path(argument).map(|(created_s, path)| Command::Mfct { created_s, path })
}

fn time_and_path(argument: &str) -> Result<(i64, String), Malformed> {
    let (time, path) = argument.split_once(' ').ok_or(Malformed::ArgumentMissing)?;
    let utc_s = date::parse_time_val(time).ok_or(Malformed::ArgumentInvalid)?;
    Ok((utc_s, argument::text(path)?))
}

/// `MFF Modify=20250102020405;Create=..;UNIX.mode=0644; path` (draft-somers-ftp-mfxx 5.1). The last semicolon may be
/// missing.
pub(super) fn mff(argument: &str) -> Parsed {
    let (list, path) = argument.split_once(' ').ok_or(Malformed::ArgumentMissing)?;
    let mut facts = NewFacts::default();
    for fact in list.strip_suffix(';').unwrap_or(list).split(';') {
        let (name, value) = fact.split_once('=').ok_or(Malformed::ArgumentInvalid)?;
        let is_first = match name.to_ascii_lowercase().as_str() {
            "modify" => facts.modified_s.replace(time(value)?).is_none(),
            "create" => facts.created_s.replace(time(value)?).is_none(),
            "unix.mode" => facts.mode.replace(mode(value)?).is_none(),
            // draft 5.1: a fact that is known to none or cannot be changed; nothing is changed then.
            _ => return Err(Malformed::ParameterNotImplemented),
        };
        if !is_first {
            return Err(Malformed::ArgumentInvalid);
        }
    }
    Ok(Command::Mff { facts: Box::new(facts), path: argument::text(path)? })
}

fn time(text: &str) -> Result<i64, Malformed> {
    date::parse_time_val(text).ok_or(Malformed::ArgumentInvalid)
}

/// Facts as [`mff`] reads them.
pub(crate) fn written(facts: &NewFacts) -> String {
    let mut text = String::new();
    text.extend(facts.modified_s.map(|modified_s| format!("Modify={};", date::time_val(modified_s))));
    text.extend(facts.created_s.map(|created_s| format!("Create={};", date::time_val(created_s))));
    text.extend(facts.mode.map(|mode| format!("UNIX.mode={mode:04o};")));
    text
}

/// Octal digits. The bits that would run a program as somebody else, and the sticky one, are nobody's to set; nor are
/// changes like `u+x` read.
fn mode(text: &str) -> Result<u16, Malformed> {
    let is_octal = (1..=5).contains(&text.len()) && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    match u16::from_str_radix(text, 8) {
        Ok(mode) if is_octal && mode <= 0o777 => Ok(mode),
        Ok(_) if is_octal => Err(Malformed::ParameterNotImplemented),
        _ if text.contains(['+', '-', '=']) => Err(Malformed::ParameterNotImplemented),
        _ => Err(Malformed::ArgumentInvalid),
    }
}

/// `SITE CHMOD 644 path`.
pub(super) fn site_chmod(argument: &str) -> Parsed {
    let (bits, path) = argument.split_once(' ').ok_or(Malformed::ArgumentMissing)?;
    Ok(Command::SiteChmod { mode: mode(bits)?, path: argument::text(path)? })
}

/// `SITE UTIME YYYYMMDDhhmm[ss] path`, as wu-ftpd has it, and `SITE UTIME path atime mtime ctime UTC`, as ncftp and others
/// send it; there the last time is for nobody to set.
pub(super) fn site_utime(argument: &str) -> Parsed {
    if let Some((modified_s, accessed_s, path)) = three_times(argument) {
        return Ok(Command::SiteUtime { modified_s, accessed_s: Some(accessed_s), path: argument::text(path)? });
    }
    let (time, path) = argument.split_once(' ').ok_or(Malformed::ArgumentMissing)?;
    let modified_s = minute_or_second(time).ok_or(Malformed::ArgumentInvalid)?;
    Ok(Command::SiteUtime { modified_s, accessed_s: None, path: argument::text(path)? })
}

fn three_times(argument: &str) -> Option<(i64, i64, &str)> {
    let (rest, zone) = argument.trim_end_matches(' ').rsplit_once(' ')?;
    let (rest, changed) = rest.rsplit_once(' ')?;
    let (rest, modified) = rest.rsplit_once(' ')?;
    let (path, accessed) = rest.rsplit_once(' ')?;
    minute_or_second(changed)?;
    let times = (minute_or_second(modified)?, minute_or_second(accessed)?);
    zone.eq_ignore_ascii_case("UTC").then_some((times.0, times.1, path))
}

fn minute_or_second(text: &str) -> Option<i64> {
    if text.len() == 12 { date::parse_time_val(&format!("{text}00")) } else { date::parse_time_val(text) }
}

/// What [`site_utime`] reads, with the verb's second word.
pub(super) fn utime_argument(modified_s: i64, accessed_s: Option<i64>, path: &str) -> String {
    let modified = date::time_val(modified_s);
    match accessed_s {
        Some(accessed_s) => format!("UTIME {path} {} {modified} {modified} UTC", date::time_val(accessed_s)),
        None => format!("UTIME {modified} {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mff_sets_what_it_knows_each_once() {
        let facts = NewFacts { modified_s: Some(86_400), created_s: Some(0), mode: Some(0o640), accessed_s: None };
        for list in [
            "Modify=19700102000000;Create=19700101000000;UNIX.mode=0640;",
            "unix.MODE=640;create=19700101000000.5;MODIFY=19700102000000",
        ] {
            let read = Ok(Command::Mff { facts: Box::new(facts), path: "my file".into() });
            assert_eq!(mff(&format!("{list} my file")), read, "{list}");
        }
        for (list, malformed) in [
            ("Size=5;", Malformed::ParameterNotImplemented),
            ("Modify=19700102000000;UNIX.owner=me;", Malformed::ParameterNotImplemented),
            ("Modify=1970;", Malformed::ArgumentInvalid),
            ("Modify;", Malformed::ArgumentInvalid),
            (";", Malformed::ArgumentInvalid),
            ("Modify=19700102000000;;", Malformed::ArgumentInvalid),
            ("Modify=19700102000000;Modify=19700102000000;", Malformed::ArgumentInvalid),
            ("UNIX.mode=4755;", Malformed::ParameterNotImplemented),
            ("UNIX.mode=9;", Malformed::ArgumentInvalid),
        ] {
            assert_eq!(mff(&format!("{list} f")), Err(malformed), "{list}");
        }
        assert_eq!(mff("Modify=19700102000000;"), Err(Malformed::ArgumentMissing));
        assert_eq!(mff("Modify=19700102000000; "), Err(Malformed::ArgumentMissing));
    }

    #[test]
    fn a_mode_is_nine_bits_in_octal() {
        for (bits, expected) in [
            ("644", Ok(0o644)),
            ("0777", Ok(0o777)),
            ("0", Ok(0)),
            ("1000", Err(Malformed::ParameterNotImplemented)),
            ("77777", Err(Malformed::ParameterNotImplemented)),
            ("u+x", Err(Malformed::ParameterNotImplemented)),
            ("", Err(Malformed::ArgumentInvalid)),
            ("648", Err(Malformed::ArgumentInvalid)),
            ("000000", Err(Malformed::ArgumentInvalid)),
            ("rwx", Err(Malformed::ArgumentInvalid)),
        ] {
            assert_eq!(mode(bits), expected, "{bits}");
        }
    }

    #[test]
    fn utime_has_two_forms() {
        let one = |modified_s, path: &str| Ok(Command::SiteUtime { modified_s, accessed_s: None, path: path.into() });
        assert_eq!(site_utime("197001020000 my file"), one(86_400, "my file"));
        assert_eq!(site_utime("19700102000001 f"), one(86_401, "f"));
        let three = "my file 19700101000000 197001020000 19700103000000 utc";
        let read = Command::SiteUtime { modified_s: 86_400, accessed_s: Some(0), path: "my file".into() };
        assert_eq!(site_utime(three), Ok(read));
        assert_eq!(site_utime("1970 f"), Err(Malformed::ArgumentInvalid));
        assert_eq!(site_utime("197001020000"), Err(Malformed::ArgumentMissing));
        assert_eq!(site_utime("197001020000 "), Err(Malformed::ArgumentMissing));
    }
}
