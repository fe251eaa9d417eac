//! What mayfly adds to FTP: SETEXPIRY, and SITE EXPIRY, TOKEN and CLAIM (DESIGN 3 and 4).

use super::{Command, Malformed, Parsed, Secret, argument};
use crate::date;

/// Reads a command of this family; none: the verb is of another.
pub(super) fn parse(verb: &str, argument: &str) -> Option<Parsed> {
    Some(match verb {
        "SETEXPIRY" => set_expiry(argument),
        "SITE" => site(argument),
        _ => return None,
    })
}

/// The date is the last word, whatever it is: the session reads it, and a path may hold blanks.
fn set_expiry(argument: &str) -> Parsed {
    let (path, date) = argument::path_and_word(argument)?;
    Ok(Command::Expiry { site: false, path: path.into(), date: Some(date.into()) })
}

fn site(argument: &str) -> Parsed {
    let argument = argument.trim_start_matches(' ');
    if argument.is_empty() {
        return Err(Malformed::ArgumentMissing);
    }
    let (word, argument) = argument.split_once(' ').unwrap_or((argument, ""));
    match word.to_ascii_uppercase().as_str() {
        "EXPIRY" => site_expiry(argument),
        "TOKEN" => argument::text(argument).map(Command::SiteToken),
        "CLAIM" => {
            let (path, token) = argument::path_and_word(argument)?;
            Ok(Command::SiteClaim { path: path.into(), token: Secret(token.into()) })
        }
        "HELP" => argument::none(argument, Command::Help(Some("SITE".into()))),
        _ => Err(Malformed::UnknownSiteCommand),
    }
}

/// Here the date may be missing: the last word is one only if it is written like one. So `SITE EXPIRY my path` asks.
fn site_expiry(argument: &str) -> Parsed {
    let (path, date) = match argument::path_and_word(argument) {
        Ok((path, word)) if date::is_date_form(word) => (path, Some(word.into())),
        _ => (argument, None),
    };
    Ok(Command::Expiry { site: true, path: argument::text(path)?, date })
}
