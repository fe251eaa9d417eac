//! Nobody is used as a weapon, and nobody takes what is another's (RFC 2577 3, DESIGN 7).

use crate::wire::Wire;
use mayfly_tests::ftp::{Ftp, connect_from};
use mayfly_tests::process::{Driver, PATIENCE, ServerProcess};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::{fs, str};
use tempfile::TempDir;

mayfly_tests::with_each_driver! {
    no_command_has_the_server_connect_to_another_host
    no_command_has_the_server_connect_to_a_service
    a_stranger_neither_gets_nor_brings_what_is_the_client_s
    a_stranger_is_known_behind_a_listener_for_both_protocols
}

const OWN: Ipv4Addr = Ipv4Addr::LOCALHOST;
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const FLAGS: [&str; 4] = ["--anonymous-rights", "all", "--durability", "none"];

fn no_command_has_the_server_connect_to_another_host(driver: Driver) {
    let (server, _root) = serve(driver, "127.0.0.1:0", &[]);
    let victim = listener(OTHER, 0);
    let port = victim.local_addr().expect("it is bound").port();
    let [high, low] = port.to_be_bytes();
    for line in [
        format!("PORT 127,0,0,2,{high},{low}"),
        format!("EPRT |1|127.0.0.2|{port}|"),
        format!("EPRT !1!127.0.0.2!{port}!"),
        format!("EPRT |2|::ffff:127.0.0.2|{port}|"),
        format!("EPRT |2|::ffff:7f00:2|{port}|"),
        format!("EPRT |2|0:0:0:0:0:ffff:127.0.0.2|{port}|"),
        format!("EPRT |2|::127.0.0.2|{port}|"),
        format!("EPRT |2|64:ff9b::127.0.0.2|{port}|"),
        format!("EPRT |1|127.2|{port}|"),
        format!("EPRT |1|0177.0.0.2|{port}|"),
        format!("EPRT |1|0x7f000002|{port}|"),
        format!("EPRT |1|2130706434|{port}|"),
        format!("EPRT |1|127.0.0.2%lo|{port}|"),
        format!("EPRT |1|localhost|{port}|"),
        format!("EPRT |1|0.0.0.0|{port}|"),
        format!("EPRT |2|::|{port}|"),
        format!("PORT 127,0,0,258,{high},{low}"),
        format!("PORT 383,0,0,2,{high},{low}"),
        format!("PORT 0,0,0,0,{high},{low}"),
        format!("PORT 127,0,0,1,{high},{low},127,0,0,2,{high},{low}"),
    ] {
        let mut wire = Wire::log_in(server.address());
        let code = wire.ask(line.as_bytes());
        assert!(code >= 500, "{line}: {code}");
        // It goes to the client's own default port, where nobody listens.
        assert_eq!(wire.ask(b"RETR f"), 425, "{line}");
        require_alone(&victim, &line);
    }
}

fn no_command_has_the_server_connect_to_a_service(driver: Driver) {
    let (server, _root) = serve(driver, "127.0.0.1:0", &[]);
    // Only root may be such a service; whoever else runs this sees the refusals.
    let service = TcpListener::bind((OWN, 0)).ok().filter(|_| !rustix::process::geteuid().is_root());
    let service = service.or_else(|| (1000..1024).rev().find_map(|port| TcpListener::bind((OWN, port)).ok()));
    let service = service.expect("one of 24 ports is free");
    service.set_nonblocking(true).expect("it is a socket");
    let port = service.local_addr().expect("it is bound").port();
    for port in [port, 0, 1, 20, 21, 25, 80, 1023].into_iter().filter(|port| *port < 1024) {
        let [high, low] = port.to_be_bytes();
        for line in [
            format!("PORT 127,0,0,1,{high},{low}"),
            format!("EPRT |1|127.0.0.1|{port}|"),
            format!("EPRT |1|127.0.0.1|0000{port}|"),
            format!("EPRT |2|::ffff:127.0.0.1|{port}|"),
            format!("EPRT |1|127.0.0.1|{}|", 65_536 + u32::from(port)),
            format!("EPRT |1|127.0.0.1|-{}|", 65_536 - u32::from(port)),
        ] {
            let mut wire = Wire::log_in(server.address());
            let code = wire.ask(line.as_bytes());
            assert!(code >= 500, "{line}: {code}");
            assert_eq!(wire.ask(b"RETR f"), 425, "{line}");
            require_alone(&service, &line);
        }
    }
}

fn a_stranger_neither_gets_nor_brings_what_is_the_client_s(driver: Driver) {
    let (server, root) = serve(driver, "127.0.0.1:0", &[]);
    require_no_theft(server.address(), OTHER, &root);
}

fn a_stranger_is_known_behind_a_listener_for_both_protocols(driver: Driver) {
    let (server, root) = serve(driver, "[::]:0", &["--dual-stack"]);
    let port = server.address().port();
    require_no_theft(SocketAddr::from((OWN, port)), OTHER, &root);
}

/// A thief comes before the client, before and after the command.
fn require_no_theft(server: SocketAddr, thief: Ipv4Addr, root: &TempDir) {
    let mut ftp = Ftp::log_in(server);
    for early in [true, false] {
        for command in ["RETR f", "LIST", "STOR g", "APPE g"] {
            let reply = ftp.ask("EPSV");
            let port = mayfly_core::data::read_epsv_text(reply.last()).expect("it listens");
            let data = SocketAddr::new(server.ip(), port);
            let steal = || {
                let mut stolen = connect_from(thief, data).expect("it listens there");
                // It may have been closed by now.
                let _ = stolen.write_all(b"evil");
                stolen
            };
            let before = early.then(steal);
            ftp.say(command);
            let stolen = before.unwrap_or_else(steal);
            require_nothing(stolen, command);
            let mut own = connect_from(OWN, data).expect("it listens there still");
            if command.starts_with(['S', 'A']) {
                own.write_all(b"good").expect("the server takes it");
                own.shutdown(std::net::Shutdown::Write).expect("it is connected");
            }
            let mut got = Vec::new();
            own.read_to_end(&mut got).expect("the server sends all");
            drop(own);
            assert_eq!([ftp.reply().code, ftp.reply().code], [150, 226], "{command}");
            match command {
                "RETR f" => assert_eq!(got, b"secret"),
                "LIST" => assert!(str::from_utf8(&got).is_ok_and(|list| list.contains(" f\r\n"))),
                _ => {
                    let stored = fs::read(root.path().join("g")).expect("it was stored");
                    assert!(stored.chunks(4).all(|chunk| chunk == b"good"), "{command} took what a stranger brought");
                }
            }
        }
    }
}

/// The server closes it, and has sent nothing.
fn require_nothing(mut stolen: TcpStream, command: &str) {
    stolen.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
    let mut got = Vec::new();
    match stolen.read_to_end(&mut got) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{command}: it stays open"),
    }
    assert!(got.is_empty(), "{command}: a stranger got {:?}", String::from_utf8_lossy(&got));
}

fn require_alone(listener: &TcpListener, line: &str) {
    match listener.accept() {
        Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        Ok((_, from)) => panic!("{line}: the server came from {from}"),
    }
}

fn listener(ip: Ipv4Addr, port: u16) -> TcpListener {
    let listener = TcpListener::bind((ip, port)).expect("a port is free");
    listener.set_nonblocking(true).expect("it is a socket");
    listener
}

fn serve(driver: Driver, listen: &str, flags: &[&str]) -> (ServerProcess, TempDir) {
    let root = tempfile::tempdir().expect("there is room for a folder");
    fs::write(root.path().join("f"), "secret").expect("there is room");
    (ServerProcess::start_on(driver, listen, root.path(), &[&FLAGS, flags].concat()), root)
}
