//! Files on their way, and how they travel: RETR STOR APPE REST ALLO ABOR TYPE MODE STRU.

use super::{Command, Malformed, Parsed, TypeCode, argument};
use alloc::vec::Vec;
use nom::bytes::complete::tag_no_case;
use nom::character::complete::digit1;
use nom::combinator::{map, opt};
use nom::sequence::terminated;

/// Reads a command of this family; none: the verb is of another.
pub(super) fn parse(verb: &str, argument: &str) -> Option<Parsed> {
    let path = || argument::text(argument);
    Some(match verb {
        "RETR" => path().map(Command::Retr),
        "STOR" => path().map(Command::Stor),
        "APPE" => path().map(Command::Appe),
        "REST" => argument::parsed(argument, map(argument::bytes, Command::Rest)),
        "ALLO" => allo(argument),
        "ABOR" => argument::none(argument, Command::Abor),
        "TYPE" => type_code(argument).map(Command::Type),
        // RFC 959 5.3.2: S(tream), B(lock) and C(ompressed); Z is the deflate that some servers add.
        "MODE" => letter(argument, 'S', "BCZ").map(|()| Command::ModeStream),
        // RFC 959 5.3.2: F(ile), R(ecord) and P(age).
        "STRU" => letter(argument, 'F', "RP").map(|()| Command::StruFile),
        _ => return None,
    })
}

/// `ALLO n`, `ALLO n R m`: the record size says nothing about a file without records.
fn allo(argument: &str) -> Parsed {
    let record = (argument::blank, tag_no_case("R"), argument::blank, digit1);
    argument::parsed(argument, map(terminated(argument::bytes, opt(record)), Command::Allo))
}

/// RFC 959 5.3.2: `A` or `E`, with `N`, `T` or `C`; `I`; `L` with a byte size.
fn type_code(argument: &str) -> Result<TypeCode, Malformed> {
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
