//! The smallest client that can say anything: for what no real one would do.

use crate::process::PATIENCE;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

/// A control connection.
#[derive(Debug)]
pub struct Ftp {
    control: BufReader<TcpStream>,
}

/// One reply: all its lines, with LF between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its code.
    pub code: u16,
    /// Its lines as they came, without line ends.
    pub lines: Vec<String>,
}

impl Ftp {
    /// Connects and logs in as an anonymous client.
    ///
    /// # Panics
    /// Where the server does not let it in.
    #[must_use]
    pub fn log_in(server: SocketAddr) -> Self {
        let mut ftp = Self::connect(server);
        ftp.introduce();
        ftp
    }

    /// Connects alone.
    ///
    /// # Panics
    /// Where nobody listens.
    #[must_use]
    pub fn connect(server: SocketAddr) -> Self {
        Self::over(TcpStream::connect_timeout(&server, PATIENCE).expect("the server listens"))
    }

    /// Speaks over this connection.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        stream.set_nodelay(true).expect("it is a TCP socket");
        Self { control: BufReader::new(stream) }
    }

    /// Says who it is, as an anonymous client, once it was greeted.
    ///
    /// # Panics
    /// Where the server does not let it in.
    pub fn introduce(&mut self) {
        assert_eq!(self.reply().code, 220);
        assert_eq!(self.ask("USER anonymous").code, 331);
        assert_eq!(self.ask("PASS test").code, 230);
    }

    /// Sends a line and reads its reply.
    ///
    /// # Panics
    /// Where none comes.
    pub fn ask(&mut self, line: &str) -> Reply {
        self.say(line);
        self.reply()
    }

    /// Sends a line.
    ///
    /// # Panics
    /// Where the connection is gone.
    pub fn say(&mut self, line: &str) {
        self.send(format!("{line}\r\n").as_bytes());
    }

    /// Sends these bytes, whatever they are.
    ///
    /// # Panics
    /// Where the connection is gone.
    pub fn send(&mut self, bytes: &[u8]) {
        self.control.get_mut().write_all(bytes).expect("the control connection stands");
    }

    /// Its connection.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        self.control.get_ref()
    }

    /// Sends these bytes as urgent data (`MSG_OOB`): the last of them is what TCP points to.
    ///
    /// # Panics
    /// Where the connection is gone.
    pub fn send_urgent(&mut self, bytes: &[u8]) {
        let sent = rustix::net::send(self.control.get_ref(), bytes, rustix::net::SendFlags::OOB);
        assert_eq!(sent, Ok(bytes.len()), "the control connection stands");
    }

    /// Reads one reply.
    ///
    /// # Panics
    /// Where none comes, or it is none.
    pub fn reply(&mut self) -> Reply {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let mut line = String::new();
            self.control.read_line(&mut line).expect("a reply comes in time");
            assert!(line.ends_with("\r\n"), "no reply after {lines:?}: {line:?}");
            line.truncate(line.len() - 2);
            let code = lines.first().unwrap_or(&line).get(..3).and_then(|code| code.parse().ok());
            let code = code.unwrap_or_else(|| panic!("no reply: {line:?}"));
            let last = line.starts_with(&format!("{code:03} "));
            lines.push(line);
            if last {
                return Reply { code, lines };
            }
        }
    }

    /// Whether the server has closed the connection.
    ///
    /// # Panics
    /// Where something else comes.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.control.read(&mut [0]), Ok(0) | Err(_))
    }

    /// Makes a passive data connection.
    ///
    /// # Panics
    /// Where the server offers none.
    #[must_use]
    pub fn data(&mut self) -> TcpStream {
        let reply = self.ask("EPSV");
        let port = reply.lines[0].split("|||").nth(1).and_then(|tail| tail.split('|').next());
        let port = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no port: {reply:?}"));
        let host = self.control.get_ref().peer_addr().expect("it is connected").ip();
        TcpStream::connect_timeout(&SocketAddr::new(host, port), PATIENCE).expect("the server listens there")
    }

    /// Uploads these bytes; the final reply.
    ///
    /// # Panics
    /// Where it is not let.
    pub fn store(&mut self, command: &str, bytes: &[u8]) -> Reply {
        let mut data = self.data();
        assert_eq!(self.ask(command).code, 150);
        data.write_all(bytes).expect("the server takes all");
        drop(data);
        self.reply()
    }

    /// Downloads a file.
    ///
    /// # Panics
    /// Where it is not let.
    pub fn retrieve(&mut self, name: &str) -> Vec<u8> {
        let mut data = self.data();
        assert_eq!(self.ask(&format!("RETR {name}")).code, 150);
        let mut bytes = Vec::new();
        data.read_to_end(&mut bytes).expect("the server sends all");
        assert_eq!(self.reply().code, 226);
        bytes
    }
}

impl Reply {
    /// The text of its last line, without code.
    #[must_use]
    pub fn last(&self) -> &str {
        self.lines.last().and_then(|line| line.get(4..)).unwrap_or_default()
    }
}

/// Connects from this one of this host's addresses, and from a port of its own: the system shares one that it was not
/// asked for with connections to elsewhere, and then nobody can listen there.
///
/// # Errors
/// The system's.
pub fn connect_from(from: impl Into<IpAddr>, to: SocketAddr) -> io::Result<TcpStream> {
    let stream = bound(from.into())?;
    rustix::net::connect(&stream, &to)?;
    Ok(stream)
}

/// Has a port of this address to itself, and neither connects from it nor listens there.
///
/// # Errors
/// The system's.
pub fn bound(to: IpAddr) -> io::Result<TcpStream> {
    use rustix::net::{AddressFamily, SocketType, bind, socket};
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket(family, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddr::new(to, 0))?;
    Ok(TcpStream::from(socket))
}

/// Listens on the port that a socket of [`connect_from`] or [`bound`] has already, as on the default data port (RFC 959
/// 3.2): the system wants to hear from both that they agree.
///
/// # Errors
/// The system's.
pub fn listen_beside(stream: &TcpStream) -> io::Result<TcpListener> {
    use rustix::net::sockopt::set_socket_reuseaddr;
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    let address = stream.local_addr()?;
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let beside = socket(family, SocketType::STREAM, None)?;
    set_socket_reuseaddr(stream, true)?;
    set_socket_reuseaddr(&beside, true)?;
    bind(&beside, &address)?;
    listen(&beside, 1)?;
    Ok(TcpListener::from(beside))
}
