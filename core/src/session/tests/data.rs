//! Where data connections come from and go to: the default data port, mapped addresses, proxies, other hosts.

use super::host::{Host, file};
use crate::action::Action;
use crate::error::NetError;
use crate::event::Event;
use crate::limits;
use crate::session::Session;
use crate::settings::{ActivePort, Settings};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;

fn session(settings: Settings, peer: &str, local: &str) -> Session {
    Session::new(Arc::new(settings), peer.parse().unwrap(), local.parse().unwrap())
}

fn logged_in(session: Session) -> Host {
    let mut host = Host::around(session);
    host.log_in();
    host
}

/// The connection that RETR now asks for, without its id.
#[track_caller]
fn asked(host: &mut Host) -> String {
    host.lines(&["RETR f"]);
    host.state(file(5, vec![]));
    match host.open.first() {
        Some((_, Action::ConnectData { peer, local, local_port, .. })) => format!("{local} {local_port:?} to {peer}"),
        Some((_, Action::AcceptData { peer, any_host, .. })) => format!("{peer}, any {any_host}"),
        action => panic!("{action:?}"),
    }
}

#[track_caller]
fn listen(host: &mut Host, line: &str) -> String {
    host.lines(&[line]);
    let (id, action) = host.take_open();
    let Action::ListenData { local, .. } = action else { panic!("{action:?}") };
    host.event(Event::DataListening { id, outcome: Ok(40_001) });
    format!("{local}: {}", host.take_replies().concat())
}

#[test]
fn without_a_set_up_the_control_connection_s_port_is_connected_to() {
    // RFC 959 3.2.
    let mut host = Host::logged_in(Settings::default());
    assert_eq!(asked(&mut host), "192.0.2.1 None to 192.0.2.7:4000");
    host.connected(Err(NetError::Unreachable));
    host.says(&["425 Use PORT or PASV first."]);
}

#[test]
fn a_default_data_port_below_1024_is_not_connected_to() {
    // RFC 2577 3.
    for (port, said) in [(1023, vec!["425 Use PORT or PASV first."]), (1024, vec![])] {
        let mut host = logged_in(session(Settings::default(), &format!("192.0.2.7:{port}"), "192.0.2.1:21"));
        host.lines(&["RETR f"]);
        host.says(&said);
    }
}

#[test]
fn a_client_that_forgot_its_pasv_waits_a_few_seconds_at_most() {
    for (settings, patience_ms) in [
        (Settings::default(), limits::DEFAULT_PORT_MS_MAX),
        (Settings { data_connect_ms_max: 2_000, ..Settings::default() }, 2_000),
    ] {
        let mut host = Host::logged_in(settings);
        asked(&mut host);
        assert_eq!(host.session.deadline(), Some(host.now.monotonic_ms + patience_ms));
        host.time_out();
        host.connected(Err(NetError::Cancelled));
        host.says(&["425 Use PORT or PASV first."]);
    }
}

#[test]
fn active_connections_come_from_the_port_before_the_control_connection_s_where_that_is_set() {
    // RFC 959 5.2.
    let settings = || Settings { active_port: ActivePort::Data, ..Settings::default() };
    for (local, from) in [("192.0.2.1:21", "Some(20)"), ("192.0.2.1:20021", "Some(20020)"), ("192.0.2.1:1", "None")] {
        let mut host = logged_in(session(settings(), "192.0.2.7:4000", local));
        assert_eq!(asked(&mut host), format!("192.0.2.1 {from} to 192.0.2.7:4000"));
    }
}

#[test]
fn a_mapped_address_is_an_ipv4_one() {
    let mut host = logged_in(session(Settings::default(), "[::ffff:192.0.2.7]:4000", "[::ffff:192.0.2.1]:21"));
    assert_eq!(listen(&mut host, "PASV"), "192.0.2.1: 227 Entering Passive Mode (192,0,2,1,156,65).");
    assert_eq!(listen(&mut host, "EPSV 1"), "192.0.2.1: 229 Entering Extended Passive Mode (|||40001|)");
    assert_eq!(asked(&mut host), "192.0.2.7, any false");
    host.connected(Err(NetError::Failed));
    host.take_replies();
    for (line, reply) in [
        ("EPSV 2", "522 Network protocol not supported, use (1)"),
        ("EPRT |2|::1|6000|", "522 Network protocol not supported, use (1)"),
        ("EPRT |1|192.0.2.7|6000|", "200 EPRT command successful. Consider using EPSV."),
        ("EPRT |2|::ffff:192.0.2.7|6000|", "200 EPRT command successful. Consider using EPSV."),
        ("PORT 192,0,2,7,23,112", "200 PORT command successful. Consider using PASV."),
    ] {
        host.lines(&[line]);
        host.says(&[reply]);
    }
    assert_eq!(asked(&mut host), "192.0.2.1 None to 192.0.2.7:6000");
}

#[test]
fn behind_a_proxy_data_is_made_on_the_host_s_own_address() {
    let peer = "198.51.100.9:4000";
    let proxied = session(Settings::default(), peer, "203.0.113.5:21").behind_proxy("10.0.0.2".parse().unwrap());
    let mut host = logged_in(proxied);
    // The client hears the address that it sees, and is the one that is waited for.
    assert_eq!(listen(&mut host, "PASV"), "10.0.0.2: 227 Entering Passive Mode (203,0,113,5,156,65).");
    assert_eq!(asked(&mut host), "198.51.100.9, any false");
    host.connected(Err(NetError::Failed));
    host.take_replies();
    assert_eq!(asked(&mut host), "10.0.0.2 None to 198.51.100.9:4000");
    // A client of the other protocol: the proxy joins the two.
    let peer = "[2001:db8::7]:4000";
    let proxied = session(Settings::default(), peer, "[2001:db8::5]:21").behind_proxy("10.0.0.2".parse().unwrap());
    let mut host = logged_in(proxied);
    assert_eq!(listen(&mut host, "EPSV"), "10.0.0.2: 229 Entering Extended Passive Mode (|||40001|)");
    assert_eq!(asked(&mut host), "2001:db8::7, any false");
    host.connected(Err(NetError::Failed));
    host.take_replies();
    assert_eq!(asked(&mut host), ":: None to [2001:db8::7]:4000");
}

#[test]
fn another_host_serves_those_alone_whom_the_operator_names() {
    // RFC 2577 3.
    let named = || Settings { fxp_users: vec!["anonymous".to_owned()], ..Settings::default() };
    let mut host = Host::logged_in(named());
    for (line, reply) in [
        ("PORT 198,51,100,9,3,255", "500 Illegal PORT command."),
        ("PORT 127,0,0,1,200,1", "500 Illegal PORT command."),
        ("EPRT |1|198.51.100.9|80|", "500 Illegal EPRT command."),
        ("PORT 198,51,100,9,200,1", "200 PORT command successful. Consider using PASV."),
        ("EPRT |2|2001:db8::9|51201|", "200 EPRT command successful. Consider using EPSV."),
    ] {
        host.lines(&[line]);
        host.says(&[reply]);
    }
    assert_eq!(asked(&mut host), ":: None to [2001:db8::9]:51201");
    host.connected(Err(NetError::Failed));
    host.take_replies();
    listen(&mut host, "PASV");
    assert_eq!(asked(&mut host), "192.0.2.7, any true");
    // Others than the named.
    let mut host = Host::logged_in(Settings { fxp_users: vec!["anna".to_owned()], ..Settings::default() });
    host.lines(&["PORT 198,51,100,9,200,1", "EPRT |2|2001:db8::9|51201|"]);
    host.says(&["500 Illegal PORT command.", "522 Network protocol not supported, use (1)"]);
    listen(&mut host, "PASV");
    assert_eq!(asked(&mut host), "192.0.2.7, any false");
}

#[test]
fn a_proxy_cannot_name_this_host_s_loopback_or_nobody_s_address() {
    for (peer, own, says) in [
        ("127.0.0.1:4000", "10.0.0.2", "500 Illegal PORT command."),
        ("0.0.0.0:4000", "10.0.0.2", "500 Illegal PORT command."),
        ("0.0.0.0:4000", "127.0.0.1", "500 Illegal PORT command."),
        // Here the proxy is on this host.
        ("127.0.0.1:4000", "127.0.0.1", "200 PORT command successful. Consider using PASV."),
    ] {
        let proxied = session(Settings::default(), peer, "203.0.113.5:21").behind_proxy(own.parse().unwrap());
        let mut host = logged_in(proxied);
        let (ip, _) = peer.split_once(':').unwrap();
        host.lines(&[&format!("PORT {},200,1", ip.replace('.', ","))]);
        host.says(&[says]);
        if says.starts_with("500") {
            // Nor is it the default data port that leads there.
            host.lines(&["RETR f"]);
            host.says(&["425 Use PORT or PASV first."]);
        }
    }
}
