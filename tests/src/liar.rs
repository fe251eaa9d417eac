//! A server with TLS that does what no honest one would, and notes what it hears in clear.

use crate::certificates::Certificates;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// It knows no AUTH.
    NoTls,
    /// It says something more in clear behind its 234, as whoever sits between could.
    Inject,
    /// It speaks TLS until data are to be secured.
    ClearData,
    /// It cuts the first download short, without `close_notify`, and says 226.
    Cut,
}

/// A running one; it ends with the test.
#[derive(Debug)]
pub struct Liar {
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    clear: Vec<String>,
    secured: Vec<String>,
}

impl Liar {
    /// Starts it on a free port of 127.0.0.1, with the certificate for that.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn start(lie: Lie) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("it listens");
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (notes, config) = (Arc::clone(&heard), config());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let talk = Talk { lie, config: Arc::clone(&config), heard: Arc::clone(&notes), data: None, offset: 0 };
                // Where the client goes, so does its thread.
                thread::spawn(move || drop(talk.serve(stream)));
            }
        });
        Self { address, heard }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients have said in clear.
    #[must_use]
    pub fn heard_in_clear(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clear.clone()
    }

    /// What they have said through TLS.
    #[must_use]
    pub fn heard_secured(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).secured.clone()
    }
}

/// All of the file that it has.
pub const LOOT: &str = "all of the loot";

/// One control connection.
struct Talk {
    lie: Lie,
    config: Arc<ServerConfig>,
    heard: Arc<Mutex<Heard>>,
    data: Option<TcpListener>,
    offset: usize,
}

impl Talk {
    fn serve(mut self, mut control: TcpStream) -> io::Result<()> {
        control.write_all(b"220 At your service.\r\n")?;
        loop {
            let line = line(&mut control)?;
            let is_auth = line == "AUTH TLS";
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).clear.push(line);
            match self.lie {
                Lie::NoTls => control.write_all(b"502 No TLS here.\r\n")?,
                Lie::Inject if is_auth => control.write_all(b"234 Go ahead.\r\n220 Injected.\r\n")?,
                _ if is_auth => {
                    control.write_all(b"234 Go ahead.\r\n")?;
                    return self.serve_secured(control);
                }
                _ => control.write_all(b"230 Come in.\r\n")?,
            }
        }
    }

    fn serve_secured(&mut self, control: TcpStream) -> io::Result<()> {
        let mut control = BufReader::new(self.secure(control)?);
        loop {
            let mut line = String::new();
            if control.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_owned();
            let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
            let reply = match verb {
                "USER" => "331 And the password?".to_owned(),
                "PASS" => "230 Welcome.".to_owned(),
                "FEAT" => "211-Features:\r\n REST STREAM\r\n EPSV\r\n211 End".to_owned(),
                "EPSV" => {
                    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                    let port = listener.local_addr()?.port();
                    self.data = Some(listener);
                    format!("229 Here (|||{port}|)")
                }
                "REST" => {
                    self.offset = argument.parse().unwrap_or_default();
                    "350 From there.".to_owned()
                }
                "RETR" => {
                    control.get_mut().write_all(b"150 Here it comes.\r\n")?;
                    self.send()?;
                    "226 That was it.".to_owned()
                }
                _ => "250 As you like.".to_owned(),
            };
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).secured.push(line);
            control.get_mut().write_all(format!("{reply}\r\n").as_bytes())?;
        }
    }

    fn send(&mut self) -> io::Result<()> {
        let Some(listener) = &self.data else { return Ok(()) };
        let (mut data, _) = listener.accept()?;
        if self.lie == Lie::ClearData {
            data.write_all(LOOT.as_bytes())?;
            // Until the client has gone.
            let _ = data.read_to_end(&mut Vec::new());
            return Ok(());
        }
        let mut data = self.secure(data)?;
        if self.offset == 0 {
            data.write_all(&LOOT.as_bytes()[..LOOT.len() / 2])?;
            return data.flush();
        }
        data.write_all(LOOT.as_bytes().get(self.offset..).unwrap_or_default())?;
        data.conn.send_close_notify();
        data.flush()
    }

    fn secure(&self, stream: TcpStream) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
        let connection = ServerConnection::new(Arc::clone(&self.config)).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }
}

fn config() -> Arc<ServerConfig> {
    let ours = Certificates::of_this_process();
    let chain = CertificateDer::from_pem_file(&ours.server).expect("it was just written");
    let key = PrivateKeyDer::from_pem_file(&ours.server_key).expect("it was just written");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .expect("they belong together");
    Arc::new(config)
}

/// Byte by byte, for what follows AUTH is no text.
fn line(control: &mut TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while byte != *b"\n" {
        control.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
