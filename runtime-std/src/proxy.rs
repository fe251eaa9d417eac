//! The PROXY protocol, versions 1 and 2: what a proxy says about whom it connects, before the first byte of theirs.
//!
//! Only a proxy of the setting `proxy_from` is believed. Its header is read within bounds of time and size, before there
//! is a session; whoever else sends one has sent a command that nobody knows.
//!
//! Source: <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>, cited below as PROXY.

use mayfly_core::network::{self, Network};
use mayfly_core::session::Session;
use mayfly_core::settings::Settings;
use proxy_header::{ParseConfig, Protocol, ProxyHeader};
use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// How long a proxy may take for its header. PROXY 2 asks for at least 3 s, for a segment that was lost.
pub const HEADER_TIME_MAX: Duration = Duration::from_secs(5);

/// The two ends of a connection as the proxy's client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The client.
    pub peer: SocketAddr,
    /// Where the client connected to.
    pub local: SocketAddr,
}

/// Why a header was not taken; the connection is to be closed.
#[derive(Debug)]
#[non_exhaustive]
pub enum NoHeader {
    /// The connection ended before its header did. `began`: after a part of it.
    Ended {
        /// Whether something had come.
        began: bool,
    },
    /// It did not come within [`HEADER_TIME_MAX`].
    Late,
    /// It is none, or one of a datagram.
    Malformed,
    /// It has more bytes than any proxy sends.
    TooLong,
    /// What the system said.
    Failed(io::Error),
}

/// Whether any of these networks holds `address`: a proxy that is believed.
#[must_use]
pub fn is_proxy(proxies: &[Network], address: IpAddr) -> bool {
    proxies.iter().any(|network| network.contains(address))
}

/// Reads one header, and no byte beyond it.
#[derive(Debug, Default)]
pub struct HeaderReader {
    read: Vec<u8>,
}

impl HeaderReader {
    /// Takes what has come on a non-blocking connection. Nothing where the connection is the proxy's own (`LOCAL`,
    /// `UNKNOWN`), or of a kind that has no addresses: it keeps its socket's then (PROXY 2.1, 2.2).
    ///
    /// # Errors
    /// `WouldBlock` where more is to come; else [`NoHeader`] is within ([`NoHeader::from`]).
    pub fn step(&mut self, stream: &TcpStream) -> io::Result<Option<Ends>> {
        loop {
            let mut chunk = [0; CHUNK_BYTES];
            let held = self.read.len();
            let count = match stream.peek(&mut chunk) {
                Ok(0) => return Err(NoHeader::Ended { began: held > 0 }.into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.read.extend_from_slice(&chunk[..count]);
            match parse(&self.read)? {
                // All that was looked at belongs to the header.
                None => take(stream, &mut chunk[..count])?,
                Some((ends, header_bytes)) => {
                    let left = header_bytes.checked_sub(held).ok_or(NoHeader::Malformed)?;
                    take(stream, &mut chunk[..left])?;
                    return Ok(ends);
                }
            }
        }
    }
}

/// The way of a control connection: its two ends as the client sees them, and this host's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The client.
    pub peer: SocketAddr,
    /// Where the client connected to.
    pub local: SocketAddr,
    /// The socket's own address.
    pub socket: SocketAddr,
    /// Whether it begins with TLS (implicit FTPS), behind the header of a proxy.
    pub is_tls: bool,
}

impl Route {
    /// A connection without a proxy, by the two ends of its socket.
    #[must_use]
    pub fn direct(peer: SocketAddr, local: SocketAddr) -> Self {
        let local = network::unmapped(local);
        Self { peer: network::unmapped(peer), local, socket: local, is_tls: false }
    }

    /// The same, and whether it begins with TLS.
    #[must_use]
    pub fn with_tls(self, is_tls: bool) -> Self {
        Self { is_tls, ..self }
    }

    /// The same connection by what its proxy says; where that is nothing, it is the proxy's own.
    #[must_use]
    pub fn told(self, ends: Option<Ends>) -> Self {
        ends.map_or(self, |Ends { peer, local }| Self { peer, local, ..self })
    }

    /// The session of a connection that came this way.
    #[must_use]
    pub fn session(&self, settings: Arc<Settings>) -> Session {
        let session = Session::new(settings, self.peer, self.local).behind_proxy(self.socket.ip());
        if self.is_tls { session.with_implicit_tls() } else { session }
    }
}

/// Who may make a passive data connection.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The session's client; none: anybody.
    pub peer: Option<IpAddr>,
    /// The proxies, whose connections begin with a header.
    pub proxies: Arc<[Network]>,
}

/// What a data connection is, by where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// One that may serve.
    Client,
    /// A proxy's: its header tells.
    Proxy,
    /// One to be closed.
    Stranger,
}

impl Expected {
    /// Judges a connection by where it came from. A proxy is asked for its header even where its own address would do:
    /// many clients come from there, and none of them may take another's data. A stranger is told to the log.
    #[must_use]
    pub fn judge(&self, from: IpAddr) -> Caller {
        if is_proxy(&self.proxies, from) {
            Caller::Proxy
        } else if self.admits(from) {
            Caller::Client
        } else {
            tracing::warn!(stranger = %from, peer = self.peer.map(tracing::field::display), "a stranger came to a data port");
            Caller::Stranger
        }
    }

    /// Whether the connection of a proxy at `from` may serve, by its header.
    #[must_use]
    pub fn admits_header(&self, from: IpAddr, ends: Option<Ends>) -> bool {
        self.admits(ends.map_or(from, |ends| ends.peer.ip()))
    }

    fn admits(&self, from: IpAddr) -> bool {
        self.peer.is_none_or(|peer| crate::net::same_host(peer, from))
    }
}

impl fmt::Display for NoHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended { began: false } => f.write_str("it was closed before a PROXY header came"),
            Self::Ended { began: true } => f.write_str("it was closed within its PROXY header"),
            Self::Late => f.write_str("no PROXY header came in time"),
            Self::Malformed => f.write_str("it does not begin with a PROXY header of a TCP connection"),
            Self::TooLong => f.write_str("its PROXY header is too long"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NoHeader {}

impl From<NoHeader> for io::Error {
    fn from(why: NoHeader) -> Self {
        match why {
            NoHeader::Failed(error) => error,
            why => Self::new(ErrorKind::InvalidData, why),
        }
    }
}

impl From<io::Error> for NoHeader {
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Failed)
    }
}

/// The header that `bytes` begin with, and how many they are; none where it is longer.
fn parse(bytes: &[u8]) -> Result<Option<(Option<Ends>, usize)>, NoHeader> {
    let without_extensions = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
    match ProxyHeader::parse(bytes, without_extensions) {
        Ok((header, length)) => match header.proxied_address() {
            None => Ok(Some((None, length))),
            Some(ends) if ends.protocol == Protocol::Stream => {
                let (peer, local) = (network::unmapped(ends.source), network::unmapped(ends.destination));
                Ok(Some((Some(Ends { peer, local }), length)))
            }
            Some(_) => Err(NoHeader::Malformed),
        },
        Err(proxy_header::Error::BufferTooShort) if bytes.len() >= HEADER_BYTES_MAX => Err(NoHeader::TooLong),
        Err(proxy_header::Error::BufferTooShort) => Ok(None),
        Err(_) => Err(NoHeader::Malformed),
    }
}

/// Takes what was looked at.
fn take(mut stream: &TcpStream, looked_at: &mut [u8]) -> io::Result<()> {
    stream.read_exact(looked_at)
}

/// A header of version 2 with all that proxies add to it takes a few hundred bytes.
const HEADER_BYTES_MAX: usize = 4096;
const CHUNK_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::{Ipv4Addr, TcpListener};

    const V1: &[u8] = b"PROXY TCP4 198.51.100.9 203.0.113.5 4000 21\r\n";

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        proxy.set_nodelay(true).unwrap();
        (proxy, listener.accept().unwrap().0)
    }

    /// What a reader says to these bytes, and what is left for the session.
    fn read(bytes: &[u8]) -> (Result<Option<Ends>, String>, Vec<u8>) {
        let (mut proxy, server) = pair();
        proxy.write_all(bytes).unwrap();
        drop(proxy);
        let outcome = HeaderReader::default().step(&server).map_err(|error| NoHeader::from(error).to_string());
        let mut rest = Vec::new();
        let _ = (&server).read_to_end(&mut rest);
        (outcome, rest)
    }

    fn ends(peer: &str, local: &str) -> Ends {
        Ends { peer: peer.parse().unwrap(), local: local.parse().unwrap() }
    }

    fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [b"\r\n\r\n\x00\r\nQUIT\n".as_slice(), &[command, family], &length, addresses].concat()
    }

    #[test]
    fn each_version_tells_both_ends_and_leaves_what_follows() {
        let ipv4 = [198, 51, 100, 9, 203, 0, 113, 5, 0x0f, 0xa0, 0, 21];
        let with_extensions = [ipv4.as_slice(), &[0x04, 0, 3, 1, 2, 3], &[0xe0, 0, 1, 9]].concat();
        let mapped = "PROXY TCP6 ::ffff:198.51.100.9 ::ffff:203.0.113.5 4000 21\r\n";
        let two = ends("198.51.100.9:4000", "203.0.113.5:21");
        let six =
            [&[0x20, 1, 0xd, 0xb8], [0; 11].as_slice(), &[7, 0x20, 1, 0xd, 0xb8], &[0; 11], &[5, 0x0f, 0xa0, 0, 21]];
        for (header, expected) in [
            (V1.to_vec(), Some(two)),
            (mapped.into(), Some(two)),
            (
                b"PROXY TCP6 2001:db8::7 2001:db8::5 4000 21\r\n".to_vec(),
                Some(ends("[2001:db8::7]:4000", "[2001:db8::5]:21")),
            ),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff:f...f ffff 65535 65535\r\n".to_vec(), None),
            (v2(0x21, 0x11, &ipv4), Some(two)),
            (v2(0x21, 0x11, &with_extensions), Some(two)),
            (v2(0x21, 0x21, &six.concat()), Some(ends("[2001:db8::7]:4000", "[2001:db8::5]:21"))),
            // LOCAL: a health check; also with addresses, which are to be passed over.
            (v2(0x20, 0x00, &[]), None),
            (v2(0x20, 0x11, &ipv4), None),
            // A family without addresses that would serve here.
            (v2(0x21, 0x00, &[]), None),
        ] {
            let sent = [header.as_slice(), b"USER anonymous\r\n"].concat();
            assert_eq!(read(&sent), (Ok(expected), b"USER anonymous\r\n".to_vec()), "{}", header.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_header_is_told_apart() {
        let malformed = "it does not begin with a PROXY header of a TCP connection";
        for (sent, why) in [
            (b"".to_vec(), "it was closed before a PROXY header came"),
            (V1[..20].to_vec(), "it was closed within its PROXY header"),
            (b"USER anonymous\r\n".to_vec(), malformed),
            (b"PASS I have no header, and some more\r\n".to_vec(), malformed),
            (b"PROXY TCP4 198.51.100.9 203.0.113.5 4000 99999\r\n".to_vec(), malformed),
            (b"PROXY TCP4 ::1 ::1 4000 21\r\n".to_vec(), malformed),
            (b"PROXY TCP5 198.51.100.9 203.0.113.5 4000 21\r\n".to_vec(), malformed),
            (b"PROXY UNKNOWN\r\x00".to_vec(), malformed),
            // Longer than version 1 can be, without an end.
            ([b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat(), malformed),
            (v2(0x31, 0x11, &[0; 12]), malformed),
            ([v2(0x21, 0x11, &[0; 8]), vec![0; 8]].concat(), malformed),
            // A datagram's.
            (v2(0x21, 0x12, &[0; 12]), malformed),
            (v2(0x21, 0x11, &[0; 8000])[..5000].to_vec(), "its PROXY header is too long"),
        ] {
            assert_eq!(read(&sent).0, Err(why.to_owned()), "{}", sent.escape_ascii());
        }
    }

    #[test]
    fn a_header_may_come_byte_by_byte() {
        let v2 = v2(0x21, 0x11, &[198, 51, 100, 9, 203, 0, 113, 5, 0x0f, 0xa0, 0, 21]);
        for header in [V1, &v2] {
            let (mut proxy, server) = pair();
            server.set_nonblocking(true).unwrap();
            let mut reader = HeaderReader::default();
            for (at, byte) in header.iter().enumerate() {
                assert_eq!(reader.step(&server).unwrap_err().kind(), ErrorKind::WouldBlock, "{at}");
                proxy.write_all(&[*byte]).unwrap();
                server.set_nonblocking(false).unwrap();
                server.peek(&mut [0]).unwrap();
                server.set_nonblocking(true).unwrap();
            }
            assert_eq!(reader.step(&server).unwrap(), Some(ends("198.51.100.9:4000", "203.0.113.5:21")));
        }
    }

    #[test]
    fn a_data_connection_is_the_client_s_or_a_proxy_s_that_says_so() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let client = Some(ip("198.51.100.9"));
        let proxies: Arc<[Network]> = ["10.0.0.0/24".parse().unwrap()].into();
        let behind = Expected { peer: client, proxies: Arc::clone(&proxies) };
        assert_eq!(behind.judge(ip("::ffff:198.51.100.9")), Caller::Client);
        assert_eq!(behind.judge(ip("10.0.0.1")), Caller::Proxy);
        assert_eq!(behind.judge(ip("10.0.1.1")), Caller::Stranger);
        let proxy = ip("10.0.0.1");
        assert!(behind.admits_header(proxy, Some(ends("198.51.100.9:5000", "203.0.113.5:40000"))));
        assert!(!behind.admits_header(proxy, Some(ends("198.51.100.10:5000", "203.0.113.5:40000"))));
        assert!(!behind.admits_header(proxy, None));
        // The proxy's own session, a health check's.
        assert!(Expected { peer: Some(proxy), proxies: Arc::clone(&proxies) }.admits_header(proxy, None));
        let anybody = Expected { peer: None, proxies };
        assert_eq!([anybody.judge(proxy), anybody.judge(ip("192.0.2.1"))], [Caller::Proxy, Caller::Client]);
    }
}
