//! AUTH, PBSZ, PROT (RFC 2228, RFC 4217).

use super::argument::{parsed, word};
use super::{Command, Malformed, Parsed, ProtectionLevel};
use nom::Parser as _;
use nom::character::complete::u32;

/// `AUTH TLS`; which mechanisms there are is for the session to say.
pub(super) fn auth(argument: &str) -> Parsed {
    word(argument).map(|mechanism| Command::Auth(mechanism.to_ascii_uppercase()))
}

/// `PBSZ 0`: a number below 2^32 (RFC 2228 3).
pub(super) fn pbsz(argument: &str) -> Parsed {
    parsed(argument, u32.map(Command::Pbsz))
}

/// `PROT P`.
pub(super) fn prot(argument: &str) -> Parsed {
    let level = match word(argument)?.to_ascii_uppercase().as_str() {
        "C" => ProtectionLevel::Clear,
        "S" => ProtectionLevel::Safe,
        "E" => ProtectionLevel::Confidential,
        "P" => ProtectionLevel::Private,
        _ => return Err(Malformed::ParameterNotImplemented),
    };
    Ok(Command::Prot(level))
}
