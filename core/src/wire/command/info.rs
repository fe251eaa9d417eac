//! What the server can do and what it holds: OPTS, LIST, NLST.

use super::{Command, Malformed, Parsed, argument};
use alloc::string::String;

/// `OPTS UTF8 ON`, `OPTS UTF8 OFF`; the lack of ON is in use too.
pub(super) fn opts_utf8(argument: &str) -> Parsed {
    match argument.trim_matches(' ').to_ascii_uppercase().as_str() {
        "" | "ON" => Ok(Command::OptsUtf8(true)),
        "OFF" => Ok(Command::OptsUtf8(false)),
        _ => Err(Malformed::ArgumentInvalid),
    }
}

/// What LIST and NLST are asked about.
pub(super) fn path(argument: &str) -> Option<String> {
    argument::optional(without_dash_options(argument))
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
