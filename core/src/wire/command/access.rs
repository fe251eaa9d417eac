//! Who the client is: USER.

use super::{Command, Malformed, Parsed, argument};
use crate::limits::USER_BYTES_MAX;

pub(super) fn user(argument: &str) -> Parsed {
    let name = argument::text(argument)?;
    if name.len() > USER_BYTES_MAX { Err(Malformed::ArgumentInvalid) } else { Ok(Command::User(name)) }
}
