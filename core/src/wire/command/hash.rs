//! Digests and parts: OPTS HASH, XCRC and its like, COMB.

use super::{Command, Malformed, Parsed, argument};
use crate::digest::DigestAlgorithm;
use crate::limits::COMB_PARTS_MAX;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// `OPTS HASH`, `OPTS HASH SHA-512`. draft-bryan-ftpext-hash 6: an unknown algorithm is a 501.
pub(super) fn opts_hash(argument: &str) -> Parsed {
    match argument.trim_matches(' ') {
        "" => Ok(Command::OptsHash(None)),
        name => {
            let algorithm = DigestAlgorithm::parse(name).ok_or(Malformed::ArgumentInvalid)?;
            Ok(Command::OptsHash(Some(algorithm)))
        }
    }
}

/// `XCRC name`, `XCRC "name"`, either with `start end`: the first byte and the one behind the last. Without quotes a
/// name may hold blanks, and its last two words are a range if both are numbers. One number alone is no range: servers
/// do not agree whether it would be the start or the end.
pub(super) fn x_hash(algorithm: DigestAlgorithm, argument: &str) -> Parsed {
    let argument = argument.trim_matches(' ');
    let (path, range) = if argument.starts_with('"') {
        let (path, rest) = argument::name_in_quotes(argument)?;
        let range = match rest.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>()[..] {
            [] => None,
            [start, end] => Some((start, end)),
            _ => return Err(Malformed::ArgumentInvalid),
        };
        (path, range)
    } else {
        match range_at_end(argument) {
            Some((path, start, end)) => (path.to_string(), Some((start, end))),
            None => (argument::text(argument)?, None),
        }
    };
    let range = match range {
        None => None,
        Some((start, end)) => Some(parsed_range(start, end).ok_or(Malformed::ArgumentInvalid)?),
    };
    Ok(Command::XHash { algorithm, path, range })
}

/// What stands before the last two words, where both are numbers.
fn range_at_end(argument: &str) -> Option<(&str, &str, &str)> {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let (rest, end) = argument.rsplit_once(' ')?;
    let (path, start) = rest.rsplit_once(' ')?;
    let path = path.trim_end_matches(' ');
    (is_number(start) && is_number(end) && !path.is_empty()).then_some((path, start, end))
}

fn parsed_range(start: &str, end: &str) -> Option<(u64, u64)> {
    let number = |word: &str| argument::bytes(word).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, bytes)| bytes);
    let (start, end) = (number(start)?, number(end)?);
    (start <= end).then_some((start, end))
}

/// The verb that asks for a digest.
pub(super) const fn verb(algorithm: DigestAlgorithm) -> &'static str {
    match algorithm {
        DigestAlgorithm::Crc32 => "XCRC",
        DigestAlgorithm::Md5 => "XMD5",
        DigestAlgorithm::Sha1 => "XSHA1",
        DigestAlgorithm::Sha256 => "XSHA256",
        DigestAlgorithm::Sha512 => "XSHA512",
    }
}

/// What [`x_hash`] reads.
pub(super) fn argument(path: &str, range: Option<(u64, u64)>) -> String {
    let path = argument::in_quotes(path);
    range.map_or(path.clone(), |(start, end)| format!("{path} {start} {end}"))
}

/// `COMB "target" "part" "part"`; names without blanks need no quotes.
pub(super) fn comb(argument: &str) -> Parsed {
    let (target, mut rest) = argument::name_in_quotes(argument)?;
    let mut parts = Vec::new();
    while !rest.trim_matches(' ').is_empty() {
        let (part, after) = argument::name_in_quotes(rest)?;
        if parts.len() == COMB_PARTS_MAX {
            return Err(Malformed::ArgumentInvalid);
        }
        parts.push(part);
        rest = after;
    }
    if parts.is_empty() { Err(Malformed::ArgumentMissing) } else { Ok(Command::Comb { target, parts }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn x(argument: &str) -> Result<(String, Option<(u64, u64)>), Malformed> {
        match x_hash(DigestAlgorithm::Md5, argument)? {
            Command::XHash { algorithm: DigestAlgorithm::Md5, path, range } => Ok((path, range)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_range_follows_a_name_with_quotes_and_without() {
        let read = |path: &str, range| Ok((path.to_string(), range));
        for (argument, expected) in [
            ("f", read("f", None)),
            ("my file", read("my file", None)),
            ("my file 7", read("my file 7", None)),
            ("my file 0 7", read("my file", Some((0, 7)))),
            ("0 7", read("0 7", None)),
            ("\"my file\"", read("my file", None)),
            ("\"my file\" 3 3", read("my file", Some((3, 3)))),
            ("\"a 1 2\"", read("a 1 2", None)),
            ("\"a\"\"b\"", read("a\"b", None)),
        ] {
            assert_eq!(x(argument), expected, "{argument}");
        }
        for wrong in
            ["\"f\" 1", "\"f\" 1 2 3", "\"f\" a b", "\"f", "\"f\"g", "f 2 1", "f 0 9007199254740992", "\"f\" -1 2"]
        {
            assert_eq!(x(wrong), Err(Malformed::ArgumentInvalid), "{wrong}");
        }
        for missing in ["", " ", "\"\""] {
            assert_eq!(x(missing), Err(Malformed::ArgumentMissing), "{missing}");
        }
    }

    #[test]
    fn comb_names_a_target_and_up_to_its_bound_of_parts() {
        let read = |target: &str, parts: Vec<&str>| {
            let parts = parts.into_iter().map(String::from).collect();
            Ok(Command::Comb { target: target.into(), parts })
        };
        assert_eq!(comb("\"a b\" \"p 1\" \"p\"\"2\""), read("a b", vec!["p 1", "p\"2"]));
        assert_eq!(comb("t p1  p2 "), read("t", vec!["p1", "p2"]));
        assert_eq!(comb("t"), Err(Malformed::ArgumentMissing));
        assert_eq!(comb(""), Err(Malformed::ArgumentMissing));
        assert_eq!(comb("t \"p"), Err(Malformed::ArgumentInvalid));
        let line = |count: usize| format!("t{}", " p".repeat(count));
        assert!(comb(&line(COMB_PARTS_MAX)).is_ok());
        assert_eq!(comb(&line(COMB_PARTS_MAX + 1)), Err(Malformed::ArgumentInvalid));
    }
}
