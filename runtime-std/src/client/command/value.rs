//! The values of the clients' flags, read.

use crate::clock::{Clock as _, SystemClock};
use mayfly_core::date::{DateError, ExpiryDate};
use mayfly_core::record::Token;
use std::time::Duration;

/// A time in which something can happen.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time < Duration::from_millis(1) => Err("in no time nothing comes; give one such as 60s".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

/// A pause, which may be none.
pub(super) fn pause(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

/// A date that no server could read is a usage error; the server judges the rest by its own clock.
pub(super) fn date(text: &str) -> Result<String, String> {
    match ExpiryDate::parse(text, SystemClock.now()) {
        Err(DateError::Malformed) => {
            Err("the forms are 45s, 90m, 12h, 7d, 2030-12-31, 2030-12-31T18:00:00Z, 20301231180000, now, never"
                .to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

/// What proves who made a path.
pub(super) fn token(text: &str) -> Result<Token, String> {
    Token::parse(text).ok_or_else(|| "a token has 32 hex digits".to_owned())
}

/// The URL's path, or one that nobody guesses (130 random bits), and whether it was made up.
pub(super) fn path_or_made_up(path: &str) -> Result<(String, bool), getrandom::Error> {
    if !matches!(path, "" | "/") {
        return Ok((path.to_owned(), false));
    }
    let mut bytes = [0; PATH_CHARS];
    getrandom::fill(&mut bytes)?;
    let made_up = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect();
    Ok((made_up, true))
}

/// Without what is read as something else: 32 characters, so that a byte's remainder prefers none.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const PATH_CHARS: usize = 26;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_path_is_never_the_same() {
        assert_eq!(path_or_made_up("scans").unwrap(), ("scans".to_owned(), false));
        let (one, made_up) = path_or_made_up("").unwrap();
        assert!(made_up && one.len() == PATH_CHARS && one.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(one, path_or_made_up("/").unwrap().0);
    }

    #[test]
    fn a_timeout_is_longer_than_nothing() {
        assert_eq!(timeout("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["0", "0s", "1us", "soon"] {
            timeout(text).unwrap_err();
        }
        assert_eq!(pause("0s"), Ok(Duration::ZERO));
        pause("soon").unwrap_err();
    }

    #[test]
    fn only_a_malformed_date_is_a_usage_error() {
        for text in ["7d", "2030-12-31", "never", "now", "1999-01-01T00:00:00Z"] {
            assert_eq!(date(text), Ok(text.to_owned()));
        }
        for text in ["", "soon", "7", "2030-13-01", "7d extra"] {
            date(text).unwrap_err();
        }
    }
}
