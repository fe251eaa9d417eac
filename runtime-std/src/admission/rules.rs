//! Who may come, how many, and how often: what the operator has set.

use mayfly_core::network::Network;
use std::net::IpAddr;

/// The rules of the door, beside the two bounds on sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The networks that may connect; none: all.
    pub allow_from: Vec<Network>,
    /// The networks that may not, also where they are allowed.
    pub deny_from: Vec<Network>,
    /// The networks that no bound on an address holds for, and no ban.
    pub trusted_from: Vec<Network>,
    /// How many first bits of an IPv6 address name the visitor who is counted: 0 to 128.
    pub ipv6_prefix_bits: u8,
    /// New connections from one address in a minute, and as many at once; 0: no bound.
    pub connections_per_minute: u32,
    /// Failed logins from one address, within the window, that have it banned; 0: none has.
    pub ban_after: u32,
    /// How long a failed login is remembered, milliseconds.
    pub ban_window_ms: u64,
    /// How long a ban lasts, milliseconds.
    pub ban_ms: u64,
    /// Connections of proxies that are without their PROXY header at the same time.
    pub headers_awaited_max: usize,
}

impl Rules {
    /// Whether the operator wants visitors from there. A denial outranks everything.
    pub(super) fn admit(&self, address: IpAddr) -> bool {
        let is_among = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
        !is_among(&self.deny_from) && (self.allow_from.is_empty() || is_among(&self.allow_from))
    }

    /// Whether no bound on an address holds for this one.
    pub(super) fn trust(&self, address: IpAddr) -> bool {
        self.trusted_from.iter().any(|network| network.contains(address))
    }
}
