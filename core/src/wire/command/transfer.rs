//! How files travel: ALLO TYPE MODE STRU.

use super::{Command, Malformed, Parsed, TypeCode, argument};
use alloc::vec::Vec;
use nom::bytes::complete::tag_no_case;
use nom::character::complete::digit1;
use nom::combinator::{map, opt};
use nom::sequence::terminated;

// RFC 959 5.3.2: S(tream), B(lock) and C(ompressed); Z is the deflate that some servers add.
pub(super) fn mode(argument: &str) -> Parsed {
    letter(argument, 'S', "BCZ").map(|()| Command::ModeStream)
}

// RFC 959 5.3.2: F(ile), R(ecord) and P(age).
pub(super) fn structure(argument: &str) -> Parsed {
    letter(argument, 'F', "RP").map(|()| Command::StruFile)
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

/// RFC 959 5.3.2: `A` or `E`, with `N`, `T` or `C`; `I`; `L` with a byte size.
pub(super) fn type_code(argument: &str) -> Result<TypeCode, Malformed> {
    let argument = argument.to_ascii_uppercase();
    let words: Vec<&str> = argument.split(' ').filter(|word| !word.is_empty()).collect();
    match words[..] {
        [] => Err(Malformed::ArgumentMissing),
        ["A"] | ["A", "N"] => Ok(TypeCode::Ascii),
        ["I"] | ["L", "8"] => Ok(TypeCode::Image),
        ["A", "T" | "C"] | ["E"] | ["E", "N" | "T" | "C"] => Err(Malformed::ParameterNotImplemented),
        ["L", size] if size.parse::<u8>().is_ok_and(|bits| bits > 0) => Err(Malformed::ParameterNotImplemented),
        _ => Err(Malformed::ArgumentInvalid),
    }
}

/// One letter, of either case: the one that is carried, or one that only the RFC knows.
fn letter(argument: &str, carried: char, known: &str) -> Result<(), Malformed> {
    let mut letters = argument::word(argument)?.chars().map(|letter| letter.to_ascii_uppercase());
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter == carried => Ok(()),
        (Some(letter), None) if known.contains(letter) => Err(Malformed::ParameterNotImplemented),
        _ => Err(Malformed::ArgumentInvalid),
    }
}
