//! Directories and names: PWD CWD CDUP MKD RMD, their X-forms, DELE RNFR RNTO.

use super::{Command, Parsed, argument};

/// Reads a command of this family; none: the verb is of another.
pub(super) fn parse(verb: &str, argument: &str) -> Option<Parsed> {
    let path = || argument::text(argument);
    // RFC 1123 4.1.3.1: the X-forms of RFC 775 mean the same and are still sent.
    Some(match verb {
        "PWD" | "XPWD" => argument::none(argument, Command::Pwd),
        "CWD" | "XCWD" => path().map(Command::Cwd),
        "CDUP" | "XCUP" => argument::none(argument, Command::Cdup),
        "MKD" | "XMKD" => path().map(Command::Mkd),
        "RMD" | "XRMD" => path().map(Command::Rmd),
        "DELE" => path().map(Command::Dele),
        "RNFR" => path().map(Command::Rnfr),
        "RNTO" => path().map(Command::Rnto),
        _ => return None,
    })
}
