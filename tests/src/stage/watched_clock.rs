//! A clock that is moved by hand, and only when the server has taken notice of all that went before.

use super::Fault;
use mayfly_core::time::Now;
use mayfly_std::clock::{Clock, ManualClock};
use std::fs;
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The clock: a [`ManualClock`] that counts how often it is read.
#[derive(Debug)]
pub(super) struct WatchedClock {
    hands: ManualClock,
    reads: Mutex<u64>,
    read: Condvar,
}

impl WatchedClock {
    pub(super) fn new(now: Now) -> Self {
        Self { hands: ManualClock::new(now), reads: Mutex::new(0), read: Condvar::new() }
    }

    /// What is moved by hand.
    pub(super) fn hands(&self) -> &ManualClock {
        &self.hands
    }

    /// Waits until the server has read what these connections (its end, the client's end) sent, and has looked at the
    /// clock since: a time-out that begins with it begins before the clock is moved.
    pub(super) fn settle(&self, connections: &[(SocketAddr, SocketAddr)], patience: Duration) -> Result<(), Fault> {
        let deadline = Instant::now() + patience;
        while connections.iter().any(|ends| has_unread(*ends)) {
            if Instant::now() > deadline {
                return Err("the server does not read what was sent".to_owned());
            }
            std::thread::yield_now();
        }
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = *reads + LOOKS * (connections.len() as u64 + 2);
        while *reads < enough {
            let waited = self.read.wait_timeout(reads, patience).unwrap_or_else(PoisonError::into_inner);
            if waited.1.timed_out() {
                return Err("the server does not look at the clock".to_owned());
            }
            reads = waited.0;
        }
        Ok(())
    }
}

/// Looks at the clock for each of a server's waits, after which each of them has looked at least once.
const LOOKS: u64 = 4;

impl Clock for WatchedClock {
    fn now(&self) -> Now {
        *self.reads.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.read.notify_all();
        self.hands.now()
    }

    fn look_again_after(&self) -> Option<Duration> {
        self.hands.look_again_after()
    }
}

/// Whether the kernel still holds bytes that the first end has not read.
fn has_unread((local, remote): (SocketAddr, SocketAddr)) -> bool {
    let table = if local.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let (local, remote) = (in_table(local), in_table(remote));
    fs::read_to_string(table).unwrap_or_default().lines().any(|row| {
        let mut columns = row.split_ascii_whitespace().skip(1);
        let same = columns.next() == Some(&local) && columns.next() == Some(&remote);
        let queues = columns.nth(1).unwrap_or_default();
        same && queues.split_once(':').is_some_and(|(_, unread)| !unread.trim_start_matches('0').is_empty())
    })
}

/// As the kernel's table shows an address: words of the host's byte order in hex.
fn in_table(address: SocketAddr) -> String {
    let octets = match address {
        SocketAddr::V4(address) => address.ip().octets().to_vec(),
        SocketAddr::V6(address) => address.ip().octets().to_vec(),
    };
    let words = octets.chunks_exact(4).map(|word| {
        let word = u32::from_ne_bytes(word.try_into().expect("chunks_exact gives four bytes"));
        format!("{word:08X}")
    });
    format!("{}:{:04X}", words.collect::<String>(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn what_is_not_read_yet_is_seen() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            let ends = (server.local_addr().unwrap(), client.local_addr().unwrap());
            assert!(!has_unread(ends));
            client.write_all(b"NOOP\r\n").unwrap();
            while !has_unread(ends) {}
            server.read_exact(&mut [0; 6]).unwrap();
            assert!(!has_unread(ends));
        }
    }
}
