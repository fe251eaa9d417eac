//! What the kernel knows of a connection: whether all that one end sent has been read by the other.

use std::fs;
use std::net::SocketAddr;

/// Whether the process at `reader` has read all that came from `writer`; both ends are of this host.
#[must_use]
pub fn has_read(reader: SocketAddr, writer: SocketAddr) -> bool {
    let table = if reader.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let table = fs::read_to_string(table).unwrap_or_default();
    let queues = |local: SocketAddr, remote: SocketAddr| {
        let (local, remote) = (in_table(local), in_table(remote));
        table.lines().find_map(move |row| {
            let mut columns = row.split_ascii_whitespace().skip(1);
            let same = columns.next() == Some(&local) && columns.next() == Some(&remote);
            columns.nth(1).filter(|_| same)?.split_once(':')
        })
    };
    let is_empty = |queue: &str| queue.bytes().all(|digit| digit == b'0');
    let unread = queues(reader, writer).is_some_and(|(_, received)| !is_empty(received));
    let unsent = queues(writer, reader).is_some_and(|(sent, _)| !is_empty(sent));
    !unread && !unsent
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
            let (server_end, client_end) = (server.local_addr().unwrap(), client.local_addr().unwrap());
            assert!(has_read(server_end, client_end));
            client.write_all(b"NOOP\r\n").unwrap();
            while has_read(server_end, client_end) {}
            server.read_exact(&mut [0; 6]).unwrap();
            assert!(has_read(server_end, client_end));
        }
    }
}
