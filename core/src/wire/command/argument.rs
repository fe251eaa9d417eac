//! What follows a verb, read in the few ways that verbs have in common. An empty argument is a missing one.

use super::malformed::Malformed;
use crate::limits::OFFSET_MAX;
use alloc::format;
use alloc::string::String;
use nom::Parser;
use nom::character::complete::u64;
use nom::combinator::{all_consuming, verify};
use nom::error::Error;
use nom::{IResult, character::complete::char};

/// For a verb that takes no argument; blanks after it are forgiven.
pub(super) fn none<T>(argument: &str, command: T) -> Result<T, Malformed> {
    if argument.trim_matches(' ').is_empty() { Ok(command) } else { Err(Malformed::ArgumentUnexpected) }
}

/// All of it as it stands, blanks too: a path may begin and end with one.
pub(super) fn text(argument: &str) -> Result<String, Malformed> {
    optional(argument).ok_or(Malformed::ArgumentMissing)
}

/// The same, where it may be missing.
pub(super) fn optional(argument: &str) -> Option<String> {
    (!argument.is_empty()).then(|| argument.into())
}

/// What `parser` makes of it. Blanks around it are forgiven, any other rest is not.
pub(super) fn parsed<'a, T>(
    argument: &'a str,
    parser: impl Parser<&'a str, Output = T, Error = Error<&'a str>>,
) -> Result<T, Malformed> {
    let argument = word(argument)?;
    let (_, value) = all_consuming(parser).parse(argument).map_err(|_| Malformed::ArgumentInvalid)?;
    Ok(value)
}

/// It without blanks around it, where a name with blanks is not what it stands for.
pub(super) fn word(argument: &str) -> Result<&str, Malformed> {
    let word = argument.trim_matches(' ');
    if word.is_empty() { Err(Malformed::ArgumentMissing) } else { Ok(word) }
}

/// A path and the line's last word, one blank between them; the path may hold blanks.
pub(super) fn path_and_word(argument: &str) -> Result<(&str, &str), Malformed> {
    let argument = argument.trim_end_matches(' ');
    let (path, word) = argument.rsplit_once(' ').ok_or(Malformed::ArgumentMissing)?;
    if path.is_empty() { Err(Malformed::ArgumentMissing) } else { Ok((path, word)) }
}

/// A name in double quotes, each within it doubled, or without quotes up to a blank; and the rest. An open quote is no
/// name.
pub(super) fn name_in_quotes(argument: &str) -> Result<(String, &str), Malformed> {
    let argument = argument.trim_start_matches(' ');
    let Some(quoted) = argument.strip_prefix('"') else {
        let (name, rest) = argument.split_once(' ').unwrap_or((argument, ""));
        return text(name).map(|name| (name, rest));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (piece, after) = rest.split_once('"').ok_or(Malformed::ArgumentInvalid)?;
        name.push_str(piece);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None if after.is_empty() || after.starts_with(' ') => return text(&name).map(|name| (name, after)),
            None => return Err(Malformed::ArgumentInvalid),
        }
    }
}

/// The form that [`name_in_quotes`] reads.
pub(super) fn in_quotes(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A number of bytes, at most [`OFFSET_MAX`]; a larger one is malformed here, so none can overflow later.
pub(super) fn bytes(text: &str) -> IResult<&str, u64> {
    verify(u64, |bytes| *bytes <= OFFSET_MAX).parse(text)
}

/// One blank.
pub(super) fn blank(text: &str) -> IResult<&str, char> {
    char(' ').parse(text)
}
