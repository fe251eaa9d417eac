//! Where the data connection runs: PORT EPRT EPSV.

use super::{Command, EpsvArgument, Malformed, Parsed, argument};
use crate::data;

pub(super) fn port(argument: &str) -> Parsed {
    let address = data::read_port_argument(argument::word(argument)?).ok_or(Malformed::ArgumentInvalid)?;
    Ok(Command::Port { extended: false, address: address.into() })
}

pub(super) fn eprt(argument: &str) -> Parsed {
    let address = data::read_eprt_argument(argument::word(argument)?)?;
    Ok(Command::Port { extended: true, address })
}

// RFC 2428 3: no argument, a protocol's number, or ALL.
pub(super) fn epsv(argument: &str) -> Result<EpsvArgument, Malformed> {
    match argument.trim_matches(' ') {
        "" => Ok(EpsvArgument::Any),
        "1" => Ok(EpsvArgument::Ipv4),
        "2" => Ok(EpsvArgument::Ipv6),
        all if all.eq_ignore_ascii_case("ALL") => Ok(EpsvArgument::All),
        other if other.bytes().all(|byte| byte.is_ascii_digit()) => Err(Malformed::ProtocolNotSupported),
        _ => Err(Malformed::ArgumentInvalid),
    }
}
