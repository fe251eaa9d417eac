//! How files travel: ALLO TYPE MODE STRU.

use super::{Command, Malformed, Parsed, TypeCode, argument};
use crate::action::DeflateLevel;
use alloc::vec::Vec;
use nom::bytes::complete::tag_no_case;
use nom::character::complete::digit1;
use nom::combinator::{map, opt};
use nom::sequence::terminated;

/// RFC 959 5.3.2: S(tream), B(lock) and C(ompressed); Z is deflate (draft-preston-ftpext-deflate-04 3).
pub(super) fn mode(argument: &str) -> Parsed {
    match letter(argument)? {
        'S' => Ok(Command::ModeStream),
        'Z' => Ok(Command::ModeDeflate),
        'B' => Err(Malformed::NotCarried("MODE B")),
        'C' => Err(Malformed::NotCarried("MODE C")),
        _ => Err(Malformed::ArgumentInvalid),
    }
}

/// `OPTS MODE Z`, which takes back what was set, or with `LEVEL n`. Of the draft's other options (ENGINE, METHOD and what
/// zlib calls them) none is carried, and RFC 2389 4 has a 501 for that.
pub(super) fn opts_mode(argument: &str) -> Parsed {
    let argument = argument.to_ascii_uppercase();
    let words: Vec<&str> = argument.split(' ').filter(|word| !word.is_empty()).collect();
    match words[..] {
        [] => Err(Malformed::ArgumentMissing),
        ["Z"] => Ok(Command::OptsModeZ(None)),
        ["Z", "LEVEL", level] if level.len() == 1 => {
            let level = level.parse().ok().and_then(DeflateLevel::new).ok_or(Malformed::ArgumentInvalid)?;
            Ok(Command::OptsModeZ(Some(level)))
        }
        _ => Err(Malformed::ArgumentInvalid),
    }
}

/// RFC 959 5.3.2: F(ile), R(ecord) and P(age).
pub(super) fn structure(argument: &str) -> Parsed {
    match letter(argument)? {
        'F' => Ok(Command::StruFile),
        'R' => Err(Malformed::NotCarried("STRU R")),
        'P' => Err(Malformed::NotCarried("STRU P")),
        _ => Err(Malformed::ArgumentInvalid),
    }
}

/// `ALLO n`, `ALLO n R m`: the record size says nothing about a file without records.
pub(super) fn allo(argument: &str) -> Parsed {
    let record = (argument::blank, tag_no_case("R"), argument::blank, digit1);
    argument::parsed(argument, map(terminated(argument::bytes, opt(record)), Command::Allo))
}

/// draft-bryan-ftp-range-08 3: two numbers of bytes from the beginning of the file.
pub(super) fn range(argument: &str) -> Parsed {
    let numbers = (terminated(argument::bytes, argument::blank), argument::bytes);
    argument::parsed(argument, map(numbers, |(first, last)| Command::Rang { first, last }))
}

/// RFC 959 5.3.2: `A` or `E`, with `N`, `T` or `C`; `I`; `L` with a byte size. RFC 1123 4.1.2.4: who makes no difference
/// between N and T takes T for N, as nothing here is printed.
pub(super) fn type_code(argument: &str) -> Result<TypeCode, Malformed> {
    let argument = argument.to_ascii_uppercase();
    let words: Vec<&str> = argument.split(' ').filter(|word| !word.is_empty()).collect();
    match words[..] {
        [] => Err(Malformed::ArgumentMissing),
        ["A"] | ["A", "N" | "T"] => Ok(TypeCode::Ascii),
        ["I"] | ["L", "8"] => Ok(TypeCode::Image),
        ["A", "C"] => Err(Malformed::NotCarried("TYPE A C")),
        ["E"] | ["E", "N" | "T" | "C"] => Err(Malformed::NotCarried("TYPE E")),
        ["L", size] if size.parse::<u8>().is_ok_and(|bits| bits > 0) => {
            Err(Malformed::NotCarried("TYPE L with other bytes than of 8 bits"))
        }
        _ => Err(Malformed::ArgumentInvalid),
    }
}

/// One letter, as a capital.
fn letter(argument: &str) -> Result<char, Malformed> {
    let mut letters = argument::word(argument)?.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Ok(letter.to_ascii_uppercase()),
        _ => Err(Malformed::ArgumentInvalid),
    }
}
