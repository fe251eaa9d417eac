//! Who the client is, and good-bye: USER PASS QUIT.

use super::{Command, Malformed, Parsed, Secret, argument};
use crate::limits::USER_BYTES_MAX;

/// Reads a command of this family; none: the verb is of another.
pub(super) fn parse(verb: &str, argument: &str) -> Option<Parsed> {
    Some(match verb {
        "USER" => user(argument),
        // An empty password is one, and clients send it for anonymous.
        "PASS" => Ok(Command::Pass(Secret(argument.into()))),
        "QUIT" => argument::none(argument, Command::Quit),
        _ => return None,
    })
}

fn user(argument: &str) -> Parsed {
    let name = argument::text(argument)?;
    if name.len() > USER_BYTES_MAX { Err(Malformed::ArgumentInvalid) } else { Ok(Command::User(name)) }
}
