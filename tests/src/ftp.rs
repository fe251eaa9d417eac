//! The smallest client that can say anything: for what no real one would do.

use crate::process::PATIENCE;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
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

    /// Connects and logs in as an anonymous client.
    ///
    /// # Errors
    /// The connection's, where it is lost or the server does not let it in.
    pub fn try_log_in(server: SocketAddr) -> io::Result<Self> {
        let mut ftp = Self::over(TcpStream::connect_timeout(&server, PATIENCE)?);
        ftp.try_reply()?;
        ftp.try_ask("USER anonymous")?;
        let reply = ftp.try_ask("PASS test")?;
        if reply.code == 230 { Ok(ftp) } else { Err(io::Error::other(format!("no login: {reply:?}"))) }
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
        self.try_ask(line).expect("the control connection stands")
    }

    /// Sends a line and reads its reply.
    ///
    /// # Errors
    /// The connection's, where it is lost or no reply comes.
    pub fn try_ask(&mut self, line: &str) -> io::Result<Reply> {
        self.control.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        self.try_reply()
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
        self.try_reply().expect("a reply comes in time")
    }

    /// Reads one reply.
    ///
    /// # Errors
    /// The connection's, where it is lost or no whole reply comes.
    pub fn try_reply(&mut self) -> io::Result<Reply> {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let mut line = String::new();
            self.control.read_line(&mut line)?;
            if !line.ends_with("\r\n") {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, format!("no reply after {lines:?}: {line:?}")));
            }
            line.truncate(line.len() - 2);
            let code = lines.first().unwrap_or(&line).get(..3).and_then(|code| code.parse().ok());
            let code = code.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, format!("no reply: {line:?}")))?;
            let last = line.starts_with(&format!("{code:03} "));
            lines.push(line);
            if last {
                return Ok(Reply { code, lines });
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
        self.try_data().expect("the server listens there")
    }

    /// Makes a passive data connection.
    ///
    /// # Errors
    /// The connection's, or that the server offers none.
    pub fn try_data(&mut self) -> io::Result<TcpStream> {
        let reply = self.try_ask("EPSV")?;
        let port = reply.lines[0].split("|||").nth(1).and_then(|tail| tail.split('|').next());
        let port = port.and_then(|port| port.parse().ok());
        let port = port.ok_or_else(|| io::Error::other(format!("no port: {reply:?}")))?;
        let host = self.control.get_ref().peer_addr()?.ip();
        TcpStream::connect_timeout(&SocketAddr::new(host, port), PATIENCE)
    }

    /// Uploads these bytes; the final reply.
    ///
    /// # Panics
    /// Where it is not let.
    pub fn store(&mut self, command: &str, bytes: &[u8]) -> Reply {
        let mut data = self.data();
        let reply = self.ask(command);
        assert_eq!(reply.code, 150, "{command}: {reply:?}");
        data.write_all(bytes).expect("the server takes all");
        drop(data);
        self.reply()
    }

    /// Uploads these bytes; the final reply, or the first where that is no 150.
    ///
    /// # Errors
    /// The connection's, where it is lost.
    pub fn try_store(&mut self, command: &str, bytes: &[u8]) -> io::Result<Reply> {
        let mut data = self.try_data()?;
        let reply = self.try_ask(command)?;
        if reply.code != 150 {
            return Ok(reply);
        }
        data.write_all(bytes)?;
        drop(data);
        self.try_reply()
    }

    /// What a RETR, NLST or the like brings; without a 150 or a 226 the reply that came instead.
    ///
    /// # Errors
    /// The connection's, where it is lost.
    pub fn try_fetch(&mut self, command: &str) -> io::Result<Result<Vec<u8>, Reply>> {
        let mut data = self.try_data()?;
        let reply = self.try_ask(command)?;
        if reply.code != 150 {
            return Ok(Err(reply));
        }
        let mut bytes = Vec::new();
        data.read_to_end(&mut bytes)?;
        // A server waits for that for a moment before it says 226.
        drop(data);
        let reply = self.try_reply()?;
        Ok(if reply.code == 226 { Ok(bytes) } else { Err(reply) })
    }

    /// Downloads a file.
    ///
    /// # Panics
    /// Where it is not let.
    pub fn retrieve(&mut self, name: &str) -> Vec<u8> {
        let fetched = self.try_fetch(&format!("RETR {name}")).expect("the connection stands");
        fetched.unwrap_or_else(|reply| panic!("RETR {name}: {reply:?}"))
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
