//! The shared TLS against a client over real sockets.

mod client;
mod files;
mod resumption;
mod stream;

use super::make;
use super::{ClientCertificates, TlsFiles, TlsServer, TlsStream, TlsVersion, Wait};
use mayfly_core::event::TlsInfo;
use rustix::event::{PollFd, PollFlags};
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// A server's certificate in a directory of its own.
struct Ground {
    directory: tempfile::TempDir,
    server: TlsServer,
}

impl Ground {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut TlsFiles)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let made = make::self_signed(&["localhost".to_owned()], 30).unwrap();
        let mut files = TlsFiles {
            certificate: directory.path().join("cert.pem"),
            key: directory.path().join("key.pem"),
            version_min: TlsVersion::V1_2,
            client_certificates: ClientCertificates::None,
            client_authority: None,
        };
        fs::write(&files.certificate, made.certificate).unwrap();
        fs::write(&files.key, made.key.as_bytes()).unwrap();
        change(&mut files);
        let server = TlsServer::load(files).unwrap();
        Self { directory, server }
    }
}

/// Two ends of a connection; the first is the server's, which does not block.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    server.set_nonblocking(true).unwrap();
    (server, client)
}

/// Does it, waiting as a driver does.
fn wait_for<T>(
    stream: &mut TlsStream,
    socket: &TcpStream,
    mut step: impl FnMut(&mut TlsStream, &TcpStream) -> io::Result<T>,
) -> io::Result<T> {
    loop {
        match step(stream, socket) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let flags = match stream.wait() {
                    Wait::Readable => PollFlags::IN,
                    Wait::Writable => PollFlags::OUT,
                };
                rustix::event::poll(&mut [PollFd::new(socket, flags)], None).unwrap();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn shake_hands(stream: &mut TlsStream, socket: &TcpStream) -> io::Result<TlsInfo> {
    wait_for(stream, socket, TlsStream::handshake)
}
