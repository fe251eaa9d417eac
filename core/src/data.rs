//! Data connections: the arguments and replies of PORT, PASV, EPRT and EPSV, and who may be connected to.

use alloc::format;
use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use nom::bytes::complete::take_till;
use nom::character::complete::{char, satisfy, u8 as octet, u16 as port};
use nom::combinator::{all_consuming, map};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

/// Whether a server may connect to `address` for a peer at `peer`: its own address, and no port below 1024 (DESIGN 7;
/// RFC 2577 3). An IPv4-mapped IPv6 address counts as the IPv4 address. An address that is nobody's own, which only a PROXY
/// header can name, serves nobody: connecting to `0.0.0.0` would lead to this host itself.
///
/// ```
/// use mayfly_core::data::may_connect;
/// use core::net::IpAddr;
/// let peer: IpAddr = "192.168.1.65".parse()?;
/// assert!(may_connect("192.168.1.65:27173".parse()?, peer));
/// assert!(!may_connect("192.168.1.66:27173".parse()?, peer));
/// assert!(!may_connect("192.168.1.65:25".parse()?, peer));
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
#[must_use]
pub fn may_connect(address: SocketAddr, peer: IpAddr) -> bool {
    let is_peer = address.ip().to_canonical() == peer.to_canonical();
    is_peer && address.port() >= UNPRIVILEGED_PORT_FIRST && !is_nobodys(address.ip())
}

/// Whether a server may connect to `address` for a user who may name another host than the peer (FXP): no port below
/// 1024 either, no address that is nobody's own, and no other host's view of itself: a loopback or link-local address is
/// for a peer of such an address alone.
#[must_use]
pub fn may_connect_elsewhere(address: SocketAddr, peer: IpAddr) -> bool {
    let means_one = !is_near(address.ip()) || is_near(peer);
    address.port() >= UNPRIVILEGED_PORT_FIRST && !is_nobodys(address.ip()) && means_one
}

/// Whether an address means another host to each that names it: loopback or link-local.
pub(crate) fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local(),
    }
}

fn is_nobodys(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast(),
    }
}

/// The argument of PORT: `192,168,1,65,106,37` (RFC 959 4.1.2).
#[must_use]
pub fn port_argument(address: SocketAddrV4) -> String {
    let [h1, h2, h3, h4] = address.ip().octets();
    let [p1, p2] = address.port().to_be_bytes();
    format!("{h1},{h2},{h3},{h4},{p1},{p2}")
}

/// Reads the argument of PORT: six numbers from 0 to 255 and nothing else.
#[must_use]
pub fn read_port_argument(text: &str) -> Option<SocketAddrV4> {
    let (_, address) = all_consuming(six_numbers).parse(text).ok()?;
    Some(address)
}

/// The argument of EPRT: `|1|192.168.1.65|27173|` (RFC 2428 2).
#[must_use]
pub fn eprt_argument(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => format!("|1|{ip}|{}|", address.port()),
        IpAddr::V6(ip) => format!("|2|{ip}|{}|", address.port()),
    }
}

/// Reads the argument of EPRT, with any printable delimiter.
///
/// # Errors
/// [`EprtError`].
pub fn read_eprt_argument(text: &str) -> Result<SocketAddr, EprtError> {
    let (_, (protocol, address, port)) = all_consuming(eprt_fields).parse(text).map_err(|_| EprtError::Malformed)?;
    let ip = match protocol {
        "1" => address.parse::<Ipv4Addr>().map(IpAddr::V4),
        "2" => address.parse::<Ipv6Addr>().map(IpAddr::V6),
        other if is_number(other) => return Err(EprtError::UnknownProtocol),
        _ => return Err(EprtError::Malformed),
    };
    let ip = ip.map_err(|_| EprtError::Malformed)?;
    read_port(port).map(|port| SocketAddr::new(ip, port)).ok_or(EprtError::Malformed)
}

/// Why a text is no argument of EPRT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EprtError {
    /// It has not the form, or its address is none of its protocol; 501.
    Malformed,
    /// Its network protocol is neither 1 (IPv4) nor 2 (IPv6); 522.
    UnknownProtocol,
}

/// The text of 227: `Entering Passive Mode (127,0,0,1,200,12).`
#[must_use]
pub fn pasv_text(address: SocketAddrV4) -> String {
    format!("Entering Passive Mode ({}).", port_argument(address))
}

/// The text of 229: `Entering Extended Passive Mode (|||51212|)` (RFC 2428 3).
#[must_use]
pub fn epsv_text(port: u16) -> String {
    format!("Entering Extended Passive Mode (|||{port}|)")
}

/// Reads the address in a 227 of any server: the first six numbers between commas, wherever they stand (RFC 1123
/// 4.1.2.6: do not rely on the parentheses). A port of 0 is none.
#[must_use]
pub fn read_pasv_text(text: &str) -> Option<SocketAddrV4> {
    let starts = text.char_indices().filter(|&(at, c)| c.is_ascii_digit() && !text[..at].ends_with(is_digit));
    let mut found = starts.filter_map(|(at, _)| six_numbers(&text[at..]).ok());
    let (_, address) = found.find(|(rest, _)| !rest.starts_with(is_digit))?;
    (address.port() != 0).then_some(address)
}

/// Reads the port in a 229 of any server: `(|||port|)`, with any printable delimiter. A port of 0 is none.
#[must_use]
pub fn read_epsv_text(text: &str) -> Option<u16> {
    let (_, inside) = text.split_once('(')?;
    let (_, (_, _, port)) = terminated(eprt_fields, char(')')).parse(inside).ok()?;
    read_port(port).filter(|port| *port != 0)
}

/// `h1,h2,h3,h4,p1,p2` (RFC 959 5.3.2).
fn six_numbers(text: &str) -> IResult<&str, SocketAddrV4> {
    let next = || preceded(char(','), octet);
    map((octet, next(), next(), next(), next(), next()), |(h1, h2, h3, h4, p1, p2)| {
        SocketAddrV4::new(Ipv4Addr::new(h1, h2, h3, h4), u16::from_be_bytes([p1, p2]))
    })
    .parse(text)
}

/// `<d>net-prt<d>net-addr<d>tcp-port<d>`, where d is any printable ASCII character (RFC 2428 2).
fn eprt_fields(text: &str) -> IResult<&str, (&str, &str, &str)> {
    let (text, delimiter) = satisfy(|c| c.is_ascii_graphic()).parse(text)?;
    let field = || terminated(take_till(move |c| c == delimiter), char(delimiter));
    (field(), field(), field()).parse(text)
}

fn read_port(text: &str) -> Option<u16> {
    let (_, port) = all_consuming(port::<_, nom::error::Error<&str>>).parse(text).ok()?;
    Some(port)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_digit)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Ports below it belong to a host's services: nobody may have the server speak to those (RFC 2577 3).
const UNPRIVILEGED_PORT_FIRST: u16 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(text: &str) -> SocketAddrV4 {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_peer_itself_and_no_service_of_it_is_connected_to() {
        for (address, peer, may) in [
            ("192.168.1.65:1024", "192.168.1.65", true),
            ("192.168.1.65:1023", "192.168.1.65", false),
            ("192.168.1.65:0", "192.168.1.65", false),
            ("192.168.1.65:65535", "192.168.1.65", true),
            ("192.168.1.64:27173", "192.168.1.65", false),
            ("[::ffff:192.168.1.65]:2000", "192.168.1.65", true),
            ("192.168.1.65:2000", "::ffff:192.168.1.65", true),
            ("[::1]:2000", "::1", true),
            ("127.0.0.1:2000", "::1", false),
            ("[::192.168.1.65]:2000", "192.168.1.65", false),
            ("0.0.0.0:2000", "0.0.0.0", false),
            ("[::]:2000", "::", false),
            ("255.255.255.255:2000", "255.255.255.255", false),
            ("[ff02::1]:2000", "ff02::1", false),
        ] {
            assert_eq!(may_connect(address.parse().unwrap(), peer.parse().unwrap()), may, "{address} for {peer}");
        }
    }

    #[test]
    fn another_host_is_a_real_one() {
        for (address, peer, may) in [
            ("198.51.100.9:1024", "192.0.2.7", true),
            ("198.51.100.9:1023", "192.0.2.7", false),
            ("127.0.0.1:8080", "192.0.2.7", false),
            ("127.0.0.2:8080", "127.0.0.1", true),
            ("[::ffff:127.0.0.1]:8080", "192.0.2.7", false),
            ("169.254.169.254:8080", "192.0.2.7", false),
            ("0.0.0.0:8080", "127.0.0.1", false),
            ("255.255.255.255:8080", "192.0.2.7", false),
            ("224.0.0.1:8080", "192.0.2.7", false),
            ("[2001:db8::9]:8080", "2001:db8::7", true),
            ("[::1]:8080", "2001:db8::7", false),
            ("[fe80::1]:8080", "2001:db8::7", false),
            ("[ff02::1]:8080", "2001:db8::7", false),
        ] {
            let judged = may_connect_elsewhere(address.parse().unwrap(), peer.parse().unwrap());
            assert_eq!(judged, may, "{address} for {peer}");
        }
    }

    #[test]
    fn port_has_six_numbers_up_to_255() {
        let address = v4("192.168.1.65:27173");
        assert_eq!(port_argument(address), "192,168,1,65,106,37");
        assert_eq!(read_port_argument("192,168,1,65,106,37"), Some(address));
        assert_eq!(read_port_argument("255,255,255,255,255,255"), Some(v4("255.255.255.255:65535")));
        assert_eq!(read_port_argument("0,0,0,0,0,0"), Some(v4("0.0.0.0:0")));
        for text in [
            "",
            "1,2,3,4,5",
            "1,2,3,4,5,6,7",
            "1,2,3,4,5,",
            "1,2,3,4,5,256",
            "256,2,3,4,5,6",
            "1,2,3,4,5,-6",
            "1,2,3,4,5,+6",
            "1, 2,3,4,5,6",
            "1,2,3,4,5,6 ",
            "1.2.3.4.5.6",
            "1,2,3,4,5,99999999999999999999",
        ] {
            assert_eq!(read_port_argument(text), None, "{text}");
        }
    }

    #[test]
    fn eprt_names_its_protocol() {
        for (text, address) in [
            ("|1|132.235.1.2|6275|", "132.235.1.2:6275"),
            ("|2|1080::8:800:200C:417A|5282|", "[1080::8:800:200c:417a]:5282"),
        ] {
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(read_eprt_argument(text), Ok(address));
            assert_eq!(read_eprt_argument(&text.replace('|', "!")), Ok(address));
            assert_eq!(read_eprt_argument(&eprt_argument(address)), Ok(address));
        }
        for text in ["|3|132.235.1.2|6275|", "|0|::1|1|", "|99|x|y|"] {
            assert_eq!(read_eprt_argument(text), Err(EprtError::UnknownProtocol), "{text}");
        }
        for text in [
            "",
            "|",
            "||||",
            "||::1|2000|",
            "|1|::1|2000|",
            "|2|127.0.0.1|2000|",
            "|2|fe80::1%1|2000|",
            "|1|127.0.0.1|65536|",
            "|1|127.0.0.1||",
            "|1|127.0.0.1|+200|",
            "|1|127.0.0.1|2000",
            "|1|127.0.0.1|2000| ",
            "|1|127.0.0.1|2000!",
            "|x|127.0.0.1|2000|",
            " 1 127.0.0.1 2000 ",
        ] {
            assert_eq!(read_eprt_argument(text), Err(EprtError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_227_is_read_wherever_its_numbers_stand() {
        let address = v4("127.0.0.1:51212");
        assert_eq!(pasv_text(address), "Entering Passive Mode (127,0,0,1,200,12).");
        for text in [
            "Entering Passive Mode (127,0,0,1,200,12).",
            "Entering Passive Mode 127,0,0,1,200,12",
            "=127,0,0,1,200,12",
            "Passive mode 2, 1: 127,0,0,1,200,12 é",
        ] {
            assert_eq!(read_pasv_text(text), Some(address), "{text}");
        }
        for text in ["", "Entering Passive Mode", "(127,0,0,1,200)", "(127,0,0,1,256,12)", "(127,0,0,1,0,0)"] {
            assert_eq!(read_pasv_text(text), None, "{text}");
        }
        // The sixth number ends where its digits do.
        assert_eq!(read_pasv_text("127,0,0,1,200,1234"), None);
    }

    #[test]
    fn a_229_names_the_port_alone() {
        assert_eq!(epsv_text(51212), "Entering Extended Passive Mode (|||51212|)");
        for text in ["Entering Extended Passive Mode (|||51212|)", "ok (!!!51212!).", "(|1|127.0.0.1|51212|)"] {
            assert_eq!(read_epsv_text(text), Some(51212), "{text}");
        }
        for text in ["", "(", "(|||)", "(||||)", "(|||0|)", "(|||65536|)", "(|||51212|", "|||51212|", "(|||5 |)"] {
            assert_eq!(read_epsv_text(text), None, "{text}");
        }
    }
}
