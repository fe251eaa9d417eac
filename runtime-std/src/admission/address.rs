//! Which addresses count as one visitor's.

use std::net::{IpAddr, Ipv6Addr};

/// The address under which a visitor is counted: an IPv4 address alone; of an IPv6 address the first `ipv6_prefix_bits`,
/// for whoever has a network of their own (RFC 6177 2: a /64 at least) may come from any address in it.
pub(crate) fn counted(address: IpAddr, ipv6_prefix_bits: u8) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let host_bits = Ipv6Addr::BITS.saturating_sub(ipv6_prefix_bits.into());
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or_default();
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_of_one_network_are_one_and_ipv4_addresses_are_each_their_own() {
        let counted_at = |text: &str, bits| counted(text.parse().unwrap(), bits).to_string();
        assert_eq!(counted_at("2001:db8:0:1:ffff::9", 64), "2001:db8:0:1::");
        assert_eq!(counted_at("2001:db8:0:1:ffff::9", 48), "2001:db8::");
        assert_eq!(counted_at("2001:db8::9", 128), "2001:db8::9");
        assert_eq!(counted_at("2001:db8::9", 0), "::");
        assert_eq!(counted_at("::ffff:192.0.2.7", 64), "192.0.2.7");
    }
}
