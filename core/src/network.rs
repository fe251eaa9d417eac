//! Networks, as settings name them: an address and how many of its first bits count.

use alloc::string::String;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// A network: `10.0.0.0/8`, `2001:db8::/32`, or one address alone. IPv4 in its IPv6 form (`::ffff:10.0.0.0/104`) is the
/// IPv4 network.
///
/// ```
/// use mayfly_core::network::Network;
/// use core::net::IpAddr;
/// let office: Network = "10.0.0.0/8".parse().unwrap();
/// assert!(office.contains("10.255.0.1".parse::<IpAddr>().unwrap()));
/// assert!(office.contains("::ffff:10.255.0.1".parse::<IpAddr>().unwrap()));
/// assert!(!office.contains("11.0.0.1".parse::<IpAddr>().unwrap()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    first: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Whether `address` lies in it. An IPv4-mapped IPv6 address counts as the IPv4 address; apart from that, no IPv6
    /// network holds an IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && masked(address, self.prefix_bits) == self.first
    }

    /// How many bits all its addresses share: 0 to 32, or 128 for IPv6. The more, the smaller it is.
    #[must_use]
    pub fn prefix_bits(&self) -> u8 {
        self.prefix_bits
    }

    /// None where bits beyond the prefix are set: then it is not clear which of the two is meant.
    fn new(first: IpAddr, prefix_bits: u8) -> Option<Self> {
        let (first, prefix_bits) = match (first, first.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(ip)) if prefix_bits >= MAPPED_PREFIX_BITS => {
                (IpAddr::V4(ip), prefix_bits - MAPPED_PREFIX_BITS)
            }
            _ => (first, prefix_bits),
        };
        (prefix_bits <= width_bits(first) && masked(first, prefix_bits) == first).then_some(Self { first, prefix_bits })
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let prefix_bits = match prefix {
            // `parse` alone would take a sign.
            Some(digits) if !digits.bytes().all(|byte| byte.is_ascii_digit()) => return Err(NoNetwork),
            Some(digits) => digits.parse().map_err(|_| NoNetwork)?,
            None => width_bits(first),
        };
        Self::new(first, prefix_bits).ok_or(NoNetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix_bits)
    }
}

impl TryFrom<String> for Network {
    type Error = NoNetwork;

    fn try_from(text: String) -> Result<Self, NoNetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        alloc::format!("{network}")
    }
}

/// A text that names no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoNetwork;

impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a network is an address, or its first address and its bits: 10.0.0.0/8")
    }
}

impl core::error::Error for NoNetwork {}

/// What PASV says to the clients of one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassiveAddress {
    /// Whom it is said to.
    pub clients: Network,
    /// What is said; none: the control connection's own address.
    pub address: Option<Ipv4Addr>,
}

/// What PASV says to `client` instead of the control connection's own address. The smallest network that holds the
/// client decides, whatever the order.
#[must_use]
pub fn passive_address(rules: &[PassiveAddress], client: IpAddr) -> Option<Ipv4Addr> {
    let holding = rules.iter().filter(|rule| rule.clients.contains(client));
    holding.max_by_key(|rule| rule.clients.prefix_bits()).and_then(|rule| rule.address)
}

/// The same address; an IPv4-mapped IPv6 one, as a dual-stack listener shows its IPv4 peers, is the IPv4 one.
#[must_use]
pub fn unmapped(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        // Whole, for a link-local address has a scope.
        IpAddr::V6(_) => address,
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
    }
}

fn width_bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// `address` with all bits after the first `prefix_bits` cleared.
fn masked(address: IpAddr, prefix_bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix_bits.into())).unwrap_or(0);
            IpAddr::V4((u32::from(ip) & mask).into())
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix_bits.into())).unwrap_or(0);
            IpAddr::V6((u128::from(ip) & mask).into())
        }
    }
}

/// The bits of `::ffff:0:0/96`, in which IPv4 addresses have their IPv6 form (RFC 4291 2.5.5.2).
const MAPPED_PREFIX_BITS: u8 = 96;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use alloc::vec;

    #[test]
    fn networks_read_back_as_they_are_written() {
        for (text, shown) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0.0.0.0/96", "0.0.0.0/0"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ] {
            assert_eq!(text.parse::<Network>().map(|network| network.to_string()).as_deref(), Ok(shown), "{text}");
        }
        for text in
            ["", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "::/129", "10.0.0.0/+8", "10/8", "here", "1.2.3.4/-1"]
        {
            assert_eq!(text.parse::<Network>(), Err(NoNetwork), "{text}");
        }
    }

    #[test]
    fn both_borders_of_a_network_count_and_families_stay_apart() {
        for (network, address, within) in [
            ("10.0.0.0/8", "9.255.255.255", false),
            ("10.0.0.0/8", "10.0.0.0", true),
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "127.0.0.1", false),
            ("::/0", "::ffff:127.0.0.1", false),
            ("2001:db8::/33", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", true),
            ("2001:db8::/33", "2001:db8:8000::", false),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), within, "{address} in {network}");
        }
    }

    #[test]
    fn the_smallest_network_says_what_pasv_says() {
        let rule = |clients: &str, address: Option<&str>| PassiveAddress {
            clients: clients.parse().unwrap(),
            address: address.map(|address| address.parse().unwrap()),
        };
        let rules = vec![
            rule("0.0.0.0/0", Some("203.0.113.5")),
            rule("10.1.0.0/16", None),
            rule("10.0.0.0/8", Some("10.0.0.1")),
        ];
        for (client, address) in
            [("192.0.2.7", Some("203.0.113.5")), ("10.2.0.1", Some("10.0.0.1")), ("10.1.0.1", None), ("::1", None)]
        {
            let expected = address.map(|address| address.parse().unwrap());
            assert_eq!(passive_address(&rules, client.parse().unwrap()), expected, "{client}");
        }
        assert_eq!(passive_address(&[], "192.0.2.7".parse().unwrap()), None);
    }

    #[test]
    fn a_mapped_address_is_unfolded_and_another_stays_whole() {
        for (address, folded) in [
            ("[::ffff:192.0.2.7]:4000", "192.0.2.7:4000"),
            ("192.0.2.7:4000", "192.0.2.7:4000"),
            ("[fe80::1%3]:4000", "[fe80::1%3]:4000"),
        ] {
            assert_eq!(unmapped(address.parse().unwrap()), folded.parse().unwrap());
        }
    }
}
