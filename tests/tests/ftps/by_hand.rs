//! What no client would do, and what one does but seldom.

use crate::private;
use mayfly_tests::certificates::Certificates;
use mayfly_tests::ground::Ground;
use mayfly_tests::process::{Driver, PATIENCE};
use mayfly_tests::tree;
use mayfly_tests::with_each_driver;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

with_each_driver! {
    what_comes_along_with_the_handshake_is_heard
    what_is_put_in_behind_auth_is_not_heard
    no_tls_where_tls_is_due
}

/// A connection that was greeted.
fn greeted(ground: &Ground) -> TcpStream {
    let mut stream = TcpStream::connect(ground.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(line(&mut stream), "220 Welcome to the FTP Server");
    stream
}

/// The next line in clear, and no byte behind it.
fn line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        line.extend(byte);
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

fn tls(ground: &Ground, at_most_12: bool) -> ClientConnection {
    let config = Arc::new(Certificates::of_this_process().client_config(at_most_12, None));
    ClientConnection::new(config, ServerName::IpAddress(ground.address().ip().into())).unwrap()
}

/// With the last of the handshake comes the first command, in one segment: the socket is silent from then on.
fn what_comes_along_with_the_handshake_is_heard(driver: Driver) {
    let ground = private(driver);
    for at_most_12 in [false, true] {
        let mut stream = greeted(&ground);
        stream.write_all(b"AUTH TLS\r\n").unwrap();
        assert_eq!(line(&mut stream), "234 Proceed with negotiation.");
        let mut tls = tls(&ground, at_most_12);
        tls.writer().write_all(b"USER anonymous\r\n").unwrap();
        let mut secured = BufReader::new(StreamOwned::new(tls, stream));
        let mut reply = String::new();
        secured.read_line(&mut reply).unwrap();
        assert_eq!(reply, "331 Please specify the password.\r\n");
    }
}

/// Whoever sits between puts commands behind the client's AUTH; then the client's own handshake follows. Neither the
/// commands nor the handshake lead anywhere, however the bytes are cut.
fn what_is_put_in_behind_auth_is_not_heard(driver: Driver) {
    let ground = private(driver);
    for input in ["AUTH TLS\r\nUSER anonymous\r\nPASS x\r\nMKD injected\r\n", "AUTH TLS\r\nMKD inj", "AUTH TLS\r\n\r\n"]
    {
        let mut stream = greeted(&ground);
        stream.write_all(input.as_bytes()).unwrap();
        assert_eq!(line(&mut stream), "234 Proceed with negotiation.");
        let mut tls = tls(&ground, false);
        assert!(tls.complete_io(&mut stream).is_err(), "{input:?}");
        let _ = ground.log_lines(1, "input in clear after AUTH");
    }
    assert!(tree::found(ground.root()).is_empty());
}

/// It is told so in TLS's own words, and the server goes on.
fn no_tls_where_tls_is_due(driver: Driver) {
    let ground = private(driver);
    let mut stream = greeted(&ground);
    stream.write_all(b"AUTH TLS\r\n").unwrap();
    assert_eq!(line(&mut stream), "234 Proceed with negotiation.");
    stream.write_all(b"USER anonymous\r\n").unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    assert!(said.is_empty() || said.starts_with(&[0x15, 3]), "an alert (RFC 8446 6): {said:?}");
    let _ = greeted(&ground);
}
