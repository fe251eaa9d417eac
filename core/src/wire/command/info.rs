//! What the server can do and what it holds: SYST FEAT HELP NOOP OPTS, STAT LIST NLST MLST MLSD, SIZE MDTM MFMT.

use super::{Command, Malformed, Parsed, argument};
use crate::date;
use alloc::vec::Vec;

/// Reads a command of this family; none: the verb is of another.
pub(super) fn parse(verb: &str, argument: &str) -> Option<Parsed> {
    Some(match verb {
        "SYST" => argument::none(argument, Command::Syst),
        "FEAT" => argument::none(argument, Command::Feat),
        "NOOP" => argument::none(argument, Command::Noop),
        "HELP" => Ok(Command::Help(argument::optional(argument.trim_matches(' ')))),
        "OPTS" => opts(argument),
        "STAT" => Ok(Command::Stat(argument::optional(argument))),
        "LIST" => Ok(Command::List(argument::optional(without_dash_options(argument)))),
        "NLST" => Ok(Command::Nlst(argument::optional(without_dash_options(argument)))),
        "MLST" => Ok(Command::Mlst(argument::optional(argument))),
        "MLSD" => Ok(Command::Mlsd(argument::optional(argument))),
        "SIZE" => argument::text(argument).map(Command::Size),
        "MDTM" => argument::text(argument).map(Command::Mdtm),
        "MFMT" => mfmt(argument),
        _ => return None,
    })
}

/// `OPTS UTF8 ON`, `OPTS UTF8 OFF`; the name with a hyphen and the lack of ON are in use too.
fn opts(argument: &str) -> Parsed {
    let argument = argument.to_ascii_uppercase();
    let words: Vec<&str> = argument.split(' ').filter(|word| !word.is_empty()).collect();
    match words[..] {
        [] => Err(Malformed::ArgumentMissing),
        ["UTF8" | "UTF-8"] | ["UTF8" | "UTF-8", "ON"] => Ok(Command::OptsUtf8(true)),
        ["UTF8" | "UTF-8", "OFF"] => Ok(Command::OptsUtf8(false)),
        // RFC 2389 4: an option that is not understood is a 501.
        _ => Err(Malformed::ArgumentInvalid),
    }
}

/// Quirk: ncftp and many others send `LIST -al` or `LIST -la path`, as if to `ls`. No RFC knows such options, and the
/// listing is the long one anyway: they are taken off, each with the blank after it. Who means a name that begins with
/// a dash writes `./-name`.
fn without_dash_options(mut argument: &str) -> &str {
    while argument.starts_with('-') {
        argument = argument.split_once(' ').map_or("", |(_, rest)| rest);
    }
    argument
}

/// `MFMT YYYYMMDDHHMMSS path` (draft-somers-ftp-mfxx 3.1).
fn mfmt(argument: &str) -> Parsed {
    let (time, path) = argument.split_once(' ').ok_or(Malformed::ArgumentMissing)?;
    let modified_s = date::parse_time_val(time).ok_or(Malformed::ArgumentInvalid)?;
    Ok(Command::Mfmt { modified_s, path: argument::text(path)? })
}
