//! Who client and server are: LANG, HOST, SITE IDLE.

use super::{Command, HostName, Malformed, Parsed, argument};
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use nom::character::complete::u32;

/// RFC 2640 4.1 and RFC 1766 2: a tag of up to eight letters or digits, and more of them after hyphens.
pub(super) fn lang(argument: &str) -> Parsed {
    let tag = argument.trim_matches(' ');
    if tag.is_empty() {
        return Ok(Command::Lang(None));
    }
    let is_tag = tag
        .split('-')
        .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if is_tag { Ok(Command::Lang(Some(tag.into()))) } else { Err(Malformed::ArgumentInvalid) }
}

/// RFC 7151 3.1: a domain, or an address, one of IPv6 in brackets; those of IPv4 come with brackets and without.
pub(super) fn host(argument: &str) -> Parsed {
    let name = argument::word(argument)?;
    let in_brackets = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let ip = match in_brackets {
        Some(ip) => Some(ip.parse::<IpAddr>().map_err(|_| Malformed::ArgumentInvalid)?),
        None => name.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    };
    match ip {
        Some(ip) => Ok(Command::Host(HostName::Ip(ip))),
        None if is_domain(name) => Ok(Command::Host(HostName::Name(name.into()))),
        None => Err(Malformed::ArgumentInvalid),
    }
}

/// RFC 5890 2.3.1 and RFC 1035 2.3.4, without the root's dot at the end. Letters beyond ASCII are let pass, for RFC 7151
/// 3.1 lets a domain be written with them.
fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        let fits = (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
        fits && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{}]", Ipv6Addr::from(ip.octets())),
        }
    }
}

/// `SITE IDLE`, `SITE IDLE 600`.
pub(super) fn site_idle(argument: &str) -> Parsed {
    if argument.trim_matches(' ').is_empty() {
        return Ok(Command::SiteIdle(None));
    }
    argument::parsed(argument, u32).map(|idle_s| Command::SiteIdle(Some(idle_s)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_host_is_a_domain_or_an_address() {
        for name in ["ftp.example.com", "a", "xn--bcher-kva.example", "bücher.example", "1and1.example"] {
            assert_eq!(host(name), Ok(Command::Host(HostName::Name(name.into()))), "{name}");
        }
        for (text, ip, shown) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
            ("[192.0.2.1]", "192.0.2.1", "192.0.2.1"),
            ("[2001:db8::1]", "2001:db8::1", "[2001:db8::1]"),
        ] {
            let read = HostName::Ip(ip.parse().unwrap());
            assert_eq!(read.to_string(), shown);
            assert_eq!(host(text), Ok(Command::Host(read)));
        }
        let label = "x".repeat(64);
        for wrong in ["2001:db8::1", "[x]", "[::1", "a..b", "-a", "a-", "a_b", "a b", "a.", &label] {
            assert_eq!(host(wrong), Err(Malformed::ArgumentInvalid), "{wrong}");
        }
        assert_eq!(host(" "), Err(Malformed::ArgumentMissing));
    }

    #[test]
    fn a_language_is_a_tag() {
        assert_eq!(lang(""), Ok(Command::Lang(None)));
        assert_eq!(lang("en-GB"), Ok(Command::Lang(Some("en-GB".into()))));
        for wrong in ["en_GB", "en-", "languages", "en GB", "é"] {
            assert_eq!(lang(wrong), Err(Malformed::ArgumentInvalid), "{wrong}");
        }
    }
}
