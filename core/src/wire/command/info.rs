//! What the server can do: OPTS.

use super::{Command, Malformed, Parsed};

/// `OPTS UTF8 ON`, `OPTS UTF8 OFF`; the lack of ON is in use too.
pub(super) fn opts_utf8(argument: &str) -> Parsed {
    match argument.trim_matches(' ').to_ascii_uppercase().as_str() {
        "" | "ON" => Ok(Command::OptsUtf8(true)),
        "OFF" => Ok(Command::OptsUtf8(false)),
        _ => Err(Malformed::ArgumentInvalid),
    }
}
