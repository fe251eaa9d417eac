//! Data connections: the arguments and replies of PORT, PASV, EPRT and EPSV, and who may be connected to.

use core::net::{IpAddr, SocketAddr};

/// Whether a server may connect to `address` for a peer at `peer`: its own address, and no port below 1024 (DESIGN 7;
/// RFC 2577 3). An IPv4-mapped IPv6 address counts as the IPv4 address.
#[must_use]
pub fn may_connect(address: SocketAddr, peer: IpAddr) -> bool {
    todo!("{address} {peer}")
}
