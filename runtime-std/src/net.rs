//! Sockets as both drivers want them: how they are bound, set up, compared and ended. A driver adds only how it waits.

use crate::start::error::StartError;
use mayfly_core::action::PortRange;
use mayfly_core::error::NetError;
use mayfly_core::network;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV6, TcpListener, TcpStream};
use std::sync::Once;
use std::time::Duration;
use tracing::warn;

/// The port of FTP (RFC 959 8), and the seed's.
pub const CONTROL_PORT: u16 = 21;
/// The port of FTP whose control connections begin with TLS, as the port registry has it (`ftps`).
pub const IMPLICIT_TLS_PORT: u16 = 990;
/// Bytes that are moved over a data connection in one go, so that nobody else waits long.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// Bytes read from a control connection in one go: half of the longest line, and more than any client sends at once.
pub const CONTROL_READ_BYTES: usize = 4096;
/// Bytes of replies that may wait for a peer that does not read; then its commands are no longer read either, and none
/// of those that were read is begun.
pub const REPLY_BYTES_WAITING_MAX: usize = 64 * 1024;
/// How often, while bytes move, the core hears that a transfer goes on, milliseconds.
pub const PROGRESS_EVERY_MS: u64 = 1000;
/// How long accepting pauses after the descriptors ran out.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Listens for control connections, non-blocking: on these addresses; without any, on port 21 of `0.0.0.0` and, where
/// the host has IPv6, of `[::]`. An IPv6 socket takes no IPv4 connection, unless it is `dual_stack` and on `[::]`.
///
/// # Errors
/// [`StartError::Listen`] with the first address that cannot be had.
pub fn listen_control(addresses: &[SocketAddr], dual_stack: bool) -> Result<Vec<TcpListener>, StartError> {
    let listen = |address: SocketAddr| {
        let families = if dual_stack && address.ip() == Ipv6Addr::UNSPECIFIED { Families::Both } else { Families::One };
        bind(network::unmapped(address), families)
            .and_then(|socket| listening(socket, CONTROL_BACKLOG))
            .map_err(|error| StartError::Listen { address, error })
    };
    if !addresses.is_empty() {
        return addresses.iter().copied().map(listen).collect();
    }
    let ipv4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, CONTROL_PORT));
    let ipv6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, CONTROL_PORT));
    let mut listeners = if dual_stack { Vec::new() } else { vec![listen(ipv4)?] };
    match listen(ipv6) {
        Ok(listener) => listeners.push(listener),
        Err(StartError::Listen { error, .. }) if lacks_ipv6(&error) && !listeners.is_empty() => {}
        Err(StartError::Listen { error, .. }) if lacks_ipv6(&error) => listeners.push(listen(ipv4)?),
        Err(error) => return Err(error),
    }
    Ok(listeners)
}

/// Sets an accepted control connection up: non-blocking; replies leave at once; urgent data stays in line (RFC 959
/// 4.1.3: ABOR comes with a Telnet Synch); a peer that vanished is noticed some day.
///
/// # Errors
/// The system's: the connection is gone already.
pub fn prepare_control(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let socket = socket2::SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    socket.set_out_of_band_inline(true)?;
    socket.set_keepalive(true)
}

/// Listens for a data connection, non-blocking: on `local`, on a port of `ports` that is chosen at random, or any.
/// `control` is the control connection's own address; it lends a link-local one its scope.
///
/// # Errors
/// [`NetError::NoPort`] where the whole range is in use, else [`NetError::Failed`].
pub fn listen_data(
    local: IpAddr,
    ports: Option<PortRange>,
    control: SocketAddr,
) -> Result<(TcpListener, u16), NetError> {
    let try_port = |port| {
        let listener = listening(bind(scoped(SocketAddr::new(local, port), control), Families::One)?, DATA_BACKLOG)?;
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    };
    let Some(PortRange { first, last }) = ports else {
        return try_port(0).map_err(|_: io::Error| NetError::Failed);
    };
    let count = u32::from(last.saturating_sub(first)) + 1;
    let begin = getrandom::u32().map_err(|_| NetError::Failed)? % count;
    for step in 0..count {
        let port = u32::from(first) + (begin + step) % count;
        match try_port(u16::try_from(port).map_err(|_| NetError::Failed)?) {
            Ok(found) => return Ok(found),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(_) => return Err(NetError::Failed),
        }
    }
    Err(NetError::NoPort)
}

/// Begins to connect from `local` to the peer's data port, non-blocking. Once it is writable, [`connected`] tells what
/// came of it.
///
/// # Errors
/// [`NetError`]
pub fn connect_data(peer: SocketAddr, local: IpAddr, control: SocketAddr) -> Result<TcpStream, NetError> {
    connect_data_from(peer, local, None, control)
}

/// The same from this port; where the host does not let us have it, the log says so once, and any port does.
///
/// # Errors
/// [`NetError`]
pub fn connect_data_from(
    peer: SocketAddr,
    local: IpAddr,
    port: Option<u16>,
    control: SocketAddr,
) -> Result<TcpStream, NetError> {
    let begin = |port| -> io::Result<Socket> {
        let socket = bind(scoped(SocketAddr::new(local, port), control), Families::One)?;
        match socket.connect(&SockAddr::from(scoped(peer, control))) {
            Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => Err(error),
            _ => Ok(socket),
        }
    };
    let socket = match (begin(port.unwrap_or(0)), port) {
        (Err(error), Some(port)) if is_withheld(&error) => {
            PORT_WITHHELD.call_once(|| {
                warn!(port, %error, "active data connections cannot come from their port, so they come from any");
            });
            begin(0)
        }
        // The last connection from there to the same place lingers: nothing to tell an operator.
        (Err(error), Some(_)) if error.kind() == ErrorKind::AddrNotAvailable => begin(0),
        (outcome, _) => outcome,
    };
    let stream = TcpStream::from(socket.map_err(|error| why_unconnected(&error))?);
    prepare_data(&stream);
    Ok(stream)
}

/// What came of [`connect_data`], once the socket is writable.
///
/// # Errors
/// [`NetError`]
pub fn connected(stream: &TcpStream) -> Result<(), NetError> {
    match stream.take_error() {
        Ok(None) => Ok(()),
        Ok(Some(error)) | Err(error) => Err(why_unconnected(&error)),
    }
}

/// Whether a connection that a data listener took may serve `peer`'s session; if so, it is set up, non-blocking.
#[must_use]
pub fn admit_data(stream: &TcpStream, from: SocketAddr, peer: IpAddr) -> bool {
    let admitted = same_host(from.ip(), peer) && stream.set_nonblocking(true).is_ok();
    if admitted {
        prepare_data(stream);
    }
    admitted
}

/// Whether a connection has been reset, or broke otherwise. Whoever reads it hears so as well, but who has no use for
/// input does not read.
#[must_use]
pub fn is_broken(stream: &TcpStream) -> bool {
    !matches!(stream.take_error(), Ok(None))
}

/// Whether two addresses name one host: an IPv4-mapped IPv6 address counts as the IPv4 address.
#[must_use]
pub fn same_host(one: IpAddr, other: IpAddr) -> bool {
    one.to_canonical() == other.to_canonical()
}

/// Ends a data connection in order: the peer reads all that was sent, and then the end.
pub fn end_data(stream: &TcpStream) {
    // A peer that is gone already makes this fail, and then there is nobody to be orderly for.
    let _ = stream.shutdown(Shutdown::Write);
    // Bytes left unread would turn the close into a reset, which may overtake what was sent.
    let _ = discard_input(stream);
}

/// Throws away what has come in on a non-blocking connection, and tells whether the peer has closed its side.
///
/// # Errors
/// The system's; `WouldBlock` where nothing is left and the peer has not closed.
pub fn discard_input(mut stream: &TcpStream) -> io::Result<()> {
    let mut scrap = [0; 4096];
    for _ in 0..DISCARD_READS_MAX {
        if io::Read::read(&mut stream, &mut scrap)? == 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// How long a peer that has been sent a whole file is given to close its side before it hears so: one that reads 226
/// before the data's end waits for what has come already (aria2). Most close within a fraction of that.
pub const PARTING: Duration = Duration::from_millis(100);

/// Whether the host is short of descriptors or memory, so that accepting must pause (`ACCEPT_PAUSE`).
#[must_use]
pub fn is_exhausted(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Lets the process have as many descriptors as the host grants it, and tells how many.
#[expect(clippy::must_use_candidate, reason = "the raise is what most callers want")]
pub fn raise_descriptor_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    // None is no limit.
    let granted = if raised.is_ok() { maximum } else { current };
    granted.unwrap_or(u64::MAX)
}

/// The protocols that a socket takes part in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Families {
    /// Its address's.
    One,
    /// IPv4, too: the kernel shows its peers under mapped addresses.
    Both,
}

fn bind(address: SocketAddr, families: Families) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(families == Families::One)?;
    }
    // A port whose last connection lingers in TIME_WAIT may be bound again; one that is listened on may not.
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

fn listening(socket: Socket, backlog: i32) -> io::Result<TcpListener> {
    socket.listen(backlog)?;
    Ok(TcpListener::from(socket))
}

fn prepare_data(stream: &TcpStream) {
    // Without this the last piece of a listing waits for an acknowledgement; where it fails, nothing else changes.
    let _ = stream.set_nodelay(true);
}

/// A link-local address names a host only together with an interface: the control connection's.
fn scoped(address: SocketAddr, control: SocketAddr) -> SocketAddr {
    match (address, control) {
        (SocketAddr::V6(v6), SocketAddr::V6(control)) if v6.ip().is_unicast_link_local() && v6.scope_id() == 0 => {
            SocketAddrV6::new(*v6.ip(), v6.port(), v6.flowinfo(), control.scope_id()).into()
        }
        _ => address,
    }
}

fn why_unconnected(error: &io::Error) -> NetError {
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::TimedOut => NetError::Unreachable,
        _ => NetError::Failed,
    }
}

/// Whether a port cannot be had: for want of the right to it, or because somebody listens there.
fn is_withheld(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::AddrInUse)
}

fn lacks_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL, Errno::PROTONOSUPPORT]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// The log says it once in the life of the process.
static PORT_WITHHELD: Once = Once::new();
const CONTROL_BACKLOG: i32 = 1024;
/// Room for strangers, who must not keep the peer out.
const DATA_BACKLOG: i32 = 32;
const DISCARD_READS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[test]
    fn a_mapped_address_is_the_same_host() {
        assert!(same_host("::ffff:10.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap()));
        assert!(!same_host("::1".parse().unwrap(), "127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_range_is_used_up_before_no_port_is_free() {
        // Any two neighbouring ports do; those that others hold count as used already.
        let (probe, first) = listen_data(LOOPBACK.ip(), None, LOOPBACK).unwrap();
        drop(probe);
        let ports = Some(PortRange { first, last: first.saturating_add(1) });
        let mut held = Vec::new();
        let refusal = loop {
            match listen_data(LOOPBACK.ip(), ports, LOOPBACK) {
                Ok((listener, port)) => {
                    assert!((first..=first + 1).contains(&port));
                    held.push(listener);
                    assert!(held.len() <= 2);
                }
                Err(error) => break error,
            }
        };
        assert_eq!(refusal, NetError::NoPort);
    }

    #[test]
    fn connecting_where_nobody_listens_is_unreachable() {
        let (listener, port) = listen_data(LOOPBACK.ip(), None, LOOPBACK).unwrap();
        drop(listener);
        let outcome = connect_data(SocketAddr::new(LOOPBACK.ip(), port), LOOPBACK.ip(), LOOPBACK).and_then(|stream| {
            let mut fds = [rustix::event::PollFd::new(&stream, rustix::event::PollFlags::OUT)];
            rustix::event::poll(&mut fds, None).unwrap();
            connected(&stream)
        });
        assert_eq!(outcome, Err(NetError::Unreachable));
    }

    #[test]
    fn a_wanted_port_is_connected_from_and_one_that_is_taken_does_no_harm() {
        let (listener, port) = listen_data(LOOPBACK.ip(), None, LOOPBACK).unwrap();
        let peer = SocketAddr::new(LOOPBACK.ip(), port);
        let (probe, wanted) = listen_data(LOOPBACK.ip(), None, LOOPBACK).unwrap();
        let connect = || {
            let stream = connect_data_from(peer, LOOPBACK.ip(), Some(wanted), LOOPBACK).unwrap();
            listener.set_nonblocking(false).unwrap();
            let (_, from) = listener.accept().unwrap();
            (stream, from.port())
        };
        // Somebody listens on it.
        assert_ne!(connect().1, wanted);
        drop(probe);
        // Free; then again to the same place, which one address and port cannot have twice.
        let (held, from) = connect();
        assert_eq!(from, wanted);
        assert_ne!(connect().1, wanted);
        drop(held);
    }

    #[test]
    fn a_dual_stack_listener_takes_ipv4_too_and_another_does_not() {
        for dual_stack in [true, false] {
            let listeners = listen_control(&["[::]:0".parse().unwrap()], dual_stack).unwrap();
            let port = listeners[0].local_addr().unwrap().port();
            let knock = |ip: &str| TcpStream::connect((ip.parse::<IpAddr>().unwrap(), port));
            assert_eq!(knock("127.0.0.1").is_ok(), dual_stack);
            assert!(knock("::1").is_ok());
        }
    }

    #[test]
    fn a_taken_address_is_named() {
        let held = listen_control(&[LOOPBACK], false).unwrap();
        let taken = held[0].local_addr().unwrap();
        match listen_control(&[taken], false) {
            Err(StartError::Listen { address, error }) => {
                assert_eq!((address, error.kind()), (taken, ErrorKind::AddrInUse));
            }
            other => panic!("{other:?}"),
        }
    }
}
