//! What no client would do, and what one does but seldom.

use crate::private;
use mayfly_tests::certificates::Certificates;
use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::process::{Driver, PATIENCE, wait_until};
use mayfly_tests::tree;
use mayfly_tests::with_each_driver;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

with_each_driver! {
    what_comes_along_with_the_handshake_is_heard
    what_is_put_in_behind_auth_is_not_heard
    no_tls_where_tls_is_due
    a_reload_gives_new_sessions_the_new_certificate
    a_proxy_s_header_goes_before_tls
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

/// Whoever is there stays there, with the certificate that they know.
fn a_reload_gives_new_sessions_the_new_certificate(driver: Driver) {
    let certificates = Certificates::of_this_process();
    let directory = tempfile::tempdir().unwrap();
    let [certificate, key] = ["server.pem", "server.key"].map(|name| directory.path().join(name));
    let put = |(from, its_key): (&Path, &Path)| {
        fs::copy(from, &certificate).unwrap();
        fs::copy(its_key, &key).unwrap();
    };
    put((&certificates.server, &certificates.server_key));
    let flags = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let ground = Ground::served(driver, &flags);
    let mut old = secured(&ground, greeted(&ground));
    assert_eq!(told(&mut old, "USER anonymous"), "331 Please specify the password.");
    let first = shown(&old);
    let (other, other_key) = certificates.another_server(&format!("another of {}", driver.name()));
    put((&other, &other_key));
    ground.reload();
    wait_until("new sessions to be shown the new certificate", || {
        let mut new = secured(&ground, greeted(&ground));
        assert_eq!(told(&mut new, "NOOP"), "200 NOOP ok.");
        shown(&new) != first
    });
    assert_eq!(told(&mut old, "PASS x"), "230 Login successful.");
}

/// On control connections of either kind, and on data connections: the proxy speaks first, and in clear.
fn a_proxy_s_header_goes_before_tls(driver: Driver) {
    let ground = Ground::ftps(driver, Mode::Passive, &["--require-tls", "data", "--proxy-from", "127.0.0.1"]);
    let header = b"PROXY TCP4 127.0.0.9 127.0.0.1 4000 21\r\n";
    let from_proxy = |to: SocketAddr| {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(header).unwrap();
        stream
    };
    let mut explicit = from_proxy(ground.address());
    assert_eq!(line(&mut explicit), "220 Welcome to the FTP Server");
    let mut explicit = secured(&ground, explicit);
    let mut implicit = over_tls(&ground, from_proxy(ground.tls_address()));
    assert_eq!(heard(&mut implicit), "220 Welcome to the FTP Server");
    for control in [&mut explicit, &mut implicit] {
        for command in ["USER anonymous", "PASS x", "PBSZ 0", "PROT P"] {
            assert!(told(control, command).starts_with(['2', '3']), "{command}");
        }
        let passive = told(control, "EPSV");
        let port = passive.split('|').nth(3).and_then(|port| port.parse().ok()).unwrap();
        let data = from_proxy(SocketAddr::new(ground.address().ip(), port));
        assert!(told(control, "STOR file").starts_with("150 "));
        let mut data = over_tls(&ground, data);
        data.get_mut().write_all(b"through a proxy").unwrap();
        data.get_mut().conn.send_close_notify();
        data.get_mut().flush().unwrap();
        drop(data);
        assert_eq!(heard(control), "226 Transfer complete.");
        assert_eq!(fs::read(ground.root().join("file")).unwrap(), b"through a proxy");
    }
    let _ = ground.log_lines(2, "\"peer\":\"127.0.0.9:4000\"");
}

type Secured = BufReader<StreamOwned<ClientConnection, TcpStream>>;

fn secured(ground: &Ground, mut stream: TcpStream) -> Secured {
    stream.write_all(b"AUTH TLS\r\n").unwrap();
    assert_eq!(line(&mut stream), "234 Proceed with negotiation.");
    over_tls(ground, stream)
}

fn over_tls(ground: &Ground, mut stream: TcpStream) -> Secured {
    let mut tls = tls(ground, false);
    while tls.is_handshaking() {
        tls.complete_io(&mut stream).unwrap();
    }
    BufReader::new(StreamOwned::new(tls, stream))
}

fn told(control: &mut Secured, command: &str) -> String {
    control.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
    heard(control)
}

fn heard(control: &mut Secured) -> String {
    let mut reply = String::new();
    control.read_line(&mut reply).unwrap();
    reply.trim_end().to_owned()
}

/// The server's certificate.
fn shown(control: &Secured) -> Vec<u8> {
    control.get_ref().conn.peer_certificates().unwrap()[0].to_vec()
}
