//! What mayfly adds to FTP: SETEXPIRY, SITE EXPIRY, SITE CLAIM (DESIGN 3 and 4).

use super::{Command, Parsed, Secret, argument};
use crate::date;

/// The date is the last word, whatever it is: the session reads it, and a path may hold blanks.
pub(super) fn set_expiry(argument: &str) -> Parsed {
    let (path, date) = argument::path_and_word(argument)?;
    Ok(Command::Expiry { site: false, path: path.into(), date: Some(date.into()) })
}

/// Here the date may be missing: the last word is one only if it is written like one. So `SITE EXPIRY my path` asks.
pub(super) fn expiry(argument: &str) -> Parsed {
    let (path, date) = match argument::path_and_word(argument) {
        Ok((path, word)) if date::is_date_form(word) => (path, Some(word.into())),
        _ => (argument, None),
    };
    Ok(Command::Expiry { site: true, path: argument::text(path)?, date })
}

/// The token is the last word.
pub(super) fn claim(argument: &str) -> Parsed {
    let (path, token) = argument::path_and_word(argument)?;
    Ok(Command::SiteClaim { path: path.into(), token: Secret(token.into()) })
}
