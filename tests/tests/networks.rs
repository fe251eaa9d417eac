//! Networks that are not plain: address translators, both protocols on one listener, port 20, two servers.

use mayfly_tests::ftp::{Ftp, connect_from};
use mayfly_tests::noise;
use mayfly_tests::process::{Driver, PATIENCE, ServerProcess, run};
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::process::Command;
use tempfile::TempDir;

mayfly_tests::with_each_driver! {
    pasv_says_the_control_connection_s_own_address_and_listens_there_alone
    pasv_says_what_a_name_stands_for
    pasv_says_what_a_reload_brings
    one_listener_serves_both_protocols
    active_data_comes_from_the_port_before_the_control_connection_s
    a_data_port_that_is_taken_is_done_without
    a_file_goes_from_one_server_to_another_where_both_allow_it
    lftp_copies_from_one_driver_to_the_other
    no_file_goes_to_another_host_unasked
}

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const THIRD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const FXP: [&str; 2] = ["--fxp-users", "anonymous"];

fn pasv_says_the_control_connection_s_own_address_and_listens_there_alone(driver: Driver) {
    // Also where the listener is on every address.
    let server = Served::on(driver, "0.0.0.0:0", &["--passive-address", "192.168.0.0/16=203.0.113.5"]);
    let port = server.process.address().port();
    let mut ftp = Ftp::log_in(SocketAddr::from((OTHER, port)));
    let data = pasv(&mut ftp);
    assert_eq!(*data.ip(), OTHER);
    assert!(TcpStream::connect((LOOPBACK, data.port())).is_err());
    let _data = connect_from(LOOPBACK, data.into()).expect("it listens there");
    assert_eq!(ftp.ask("NLST").code, 150);
}

fn pasv_says_what_a_name_stands_for(driver: Driver) {
    // What the name stands for is not where the control connection ends.
    let server = Served::on(driver, "127.0.0.2:0", &["--passive-address", "localhost"]);
    let mut ftp = Ftp::log_in(server.process.address());
    let data = pasv(&mut ftp);
    assert_eq!(*data.ip(), LOOPBACK);
    // EPSV says none, and the address is for the reply alone.
    let _data = ftp.data();
    // A name that stands for nothing is told to the log, and the server serves.
    let server = Served::on(driver, "127.0.0.2:0", &["--passive-address", "no-such-host.invalid"]);
    let _told = server.process.wait_for_log("cannot be looked up");
    assert_eq!(*pasv(&mut Ftp::log_in(server.process.address())).ip(), OTHER);
}

fn pasv_says_what_a_reload_brings(driver: Driver) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let config = folder.path().join("mayfly.toml");
    let write = |text: &str| fs::write(&config, text).expect("there is room for a file");
    write("passive_address = \"203.0.113.5\"\n");
    let server = Served::on(driver, "127.0.0.1:0", &["--config", config.to_str().expect("it is UTF-8")]);
    let mut before = Ftp::log_in(server.process.address());
    assert_eq!(*pasv(&mut before).ip(), Ipv4Addr::new(203, 0, 113, 5));
    write("passive_address = [\"0.0.0.0/0=203.0.113.6\", \"127.0.0.0/8=203.0.113.7\"]\nepsv_only = \"10.0.0.0/8\"\n");
    server.process.reload();
    let said = || *pasv(&mut Ftp::log_in(server.process.address())).ip();
    mayfly_tests::process::wait_until("the new address", || said() == Ipv4Addr::new(203, 0, 113, 7));
    // A session keeps what it began with.
    assert_eq!(*pasv(&mut before).ip(), Ipv4Addr::new(203, 0, 113, 5));
    write("epsv_only = \"127.0.0.1\"\n");
    server.process.reload();
    mayfly_tests::process::wait_until("PASV to be refused", || {
        Ftp::log_in(server.process.address()).ask("PASV").code == 425
    });
    write("dual_stack = true\n");
    server.process.reload();
    let _told = server.process.wait_for_log("needs a restart");
}

fn one_listener_serves_both_protocols(driver: Driver) {
    let server = Served::on(driver, "[::]:0", &["--dual-stack", "--max-sessions-per-address", "1"]);
    let port = server.process.address().port();
    let mut ftp = Ftp::log_in(SocketAddr::from((LOOPBACK, port)));
    // The log knows an IPv4 peer as such.
    let _told = server.process.wait_for_log("\"peer\":\"127.0.0.1:");
    let data = pasv(&mut ftp);
    assert_eq!(*data.ip(), LOOPBACK);
    let mut data = TcpStream::connect(data).expect("it listens there");
    assert_eq!(ftp.ask("STOR a").code, 150);
    data.write_all(b"text").expect("the server takes it");
    drop(data);
    assert_eq!(ftp.reply().code, 226);
    let listener = TcpListener::bind((LOOPBACK, 0)).expect("a port is free");
    let here = listener.local_addr().expect("it is bound");
    assert_eq!(ftp.ask(&format!("EPRT |1|127.0.0.1|{}|", here.port())).code, 200);
    assert_eq!(fetched(&mut ftp, &listener, "a").1, b"text");
    assert_eq!(ftp.ask("EPSV 2").last(), "Network protocol not supported, use (1)");
    assert_eq!(ftp.ask("EPRT |2|::1|51201|").last(), "Network protocol not supported, use (1)");
    // The bound per address counts it as what it is.
    assert_eq!(Ftp::connect(SocketAddr::from((LOOPBACK, port))).reply().code, 421);
    let mut ftp = Ftp::log_in(SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
    assert_eq!(ftp.retrieve("a"), b"text");
    assert_eq!(ftp.ask("PASV").code, 425);
    assert_eq!(ftp.ask("EPSV 1").last(), "Network protocol not supported, use (2)");
}

fn active_data_comes_from_the_port_before_the_control_connection_s(driver: Driver) {
    // RFC 959 5.2: 20 for 21.
    let (port, reserved) = neighbours();
    drop(reserved);
    let server = Served::on(driver, &format!("127.0.0.1:{port}"), &["--active-port", "data"]);
    fs::write(server.root.path().join("a"), b"text").expect("there is room");
    let mut ftps = [(); 2].map(|()| Ftp::log_in(server.process.address()));
    let listeners = [(); 3].map(|()| TcpListener::bind((LOOPBACK, 0)).expect("a port is free"));
    // One after the other, and for two sessions.
    for (listener, session) in listeners.iter().zip([0, 0, 1]) {
        assert_eq!(ftps[session].ask(&port_command(listener)).code, 200);
        let (from, bytes) = fetched(&mut ftps[session], listener, "a");
        assert_eq!((from.port(), bytes), (port - 1, b"text".to_vec()));
    }
}

fn a_data_port_that_is_taken_is_done_without(driver: Driver) {
    let (port, _listens_there) = neighbours();
    let server = Served::on(driver, &format!("127.0.0.1:{port}"), &["--active-port", "data"]);
    fs::write(server.root.path().join("a"), b"text").expect("there is room");
    let mut ftp = Ftp::log_in(server.process.address());
    for _ in 0..2 {
        let listener = TcpListener::bind((LOOPBACK, 0)).expect("a port is free");
        assert_eq!(ftp.ask(&port_command(&listener)).code, 200);
        let (from, bytes) = fetched(&mut ftp, &listener, "a");
        assert_ne!(from.port(), port - 1);
        assert_eq!(bytes, b"text");
    }
    // Once, however often it happens.
    let told = "cannot come from their port";
    drop(ftp);
    let _ended = server.process.wait_for_log("session ended");
    assert_eq!(server.process.wait_for_logs(1, |line| line.contains(told)).len(), 1);
}

fn a_file_goes_from_one_server_to_another_where_both_allow_it(driver: Driver) {
    // RFC 959 5.2: the client has one server listen and tells the other where.
    let [source, target] = [OTHER, THIRD].map(|ip| Served::on(driver, &format!("{ip}:0"), &FXP));
    let _warned = source.process.wait_for_log("fxp_users names anonymous");
    let bytes = noise(3_000_001);
    fs::write(source.root.path().join("a"), &bytes).expect("there is room");
    let [mut from, mut to] = [&source, &target].map(|server| Ftp::log_in(server.process.address()));
    let data = pasv(&mut to);
    assert_eq!(from.ask(&command("PORT", data)).code, 200);
    to.say("STOR b");
    assert_eq!(from.ask("RETR a").code, 150);
    assert_eq!(to.reply().code, 150);
    assert_eq!([from.reply().code, to.reply().code], [226, 226]);
    assert!(fs::read(target.root.path().join("b")).expect("it was stored") == bytes);
    // The other way round, by EPRT.
    let data = pasv(&mut to);
    assert_eq!(from.ask(&format!("EPRT |1|{}|{}|", data.ip(), data.port())).code, 200);
    from.say("STOR c");
    assert_eq!(to.ask("RETR b").code, 150);
    assert_eq!(from.reply().code, 150);
    assert_eq!([from.reply().code, to.reply().code], [226, 226]);
    assert!(fs::read(source.root.path().join("c")).expect("it was stored") == bytes);
}

fn lftp_copies_from_one_driver_to_the_other(driver: Driver) {
    let other = if driver == Driver::Std { Driver::Smol } else { Driver::Std };
    let [source, target] =
        [(driver, OTHER), (other, THIRD)].map(|(driver, ip)| Served::on(driver, &format!("{ip}:0"), &FXP));
    let bytes = noise(3_000_001);
    fs::write(source.root.path().join("a"), &bytes).expect("there is room");
    let [from, to] = [&source, &target].map(|server| server.process.address());
    // It copies by itself where a server refuses: this is to fail then.
    let script = format!("set ftp:use-fxp yes; set ftp:fxp-force yes; get ftp://{from}/a -o ftp://{to}/b");
    let home = tempfile::tempdir().expect("there is room for a folder");
    let mut lftp = Command::new("timeout");
    lftp.args(["--kill-after=5", "60", "lftp", "-c", &script]).env("HOME", home.path());
    let _ran = run(&mut lftp).succeeded();
    assert!(fs::read(target.root.path().join("b")).expect("it was stored") == bytes);
}

fn no_file_goes_to_another_host_unasked(driver: Driver) {
    // RFC 2577 3.
    let [plain, fxp] = [&[] as &[&str], &FXP].map(|flags| Served::on(driver, "127.0.0.2:0", flags));
    let mut ftp = Ftp::log_in(plain.process.address());
    assert_eq!(ftp.ask("PORT 127,0,0,3,200,1").code, 500);
    assert_eq!(ftp.ask("EPRT |1|127.0.0.3|51201|").code, 500);
    // Somebody else's connection is closed, and the client's own is served.
    let data = pasv(&mut ftp);
    ftp.say("STOR a");
    let mut stranger = connect_from(THIRD, data.into()).expect("it listens there");
    stranger.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
    assert!(matches!(stranger.read(&mut [0]), Ok(0) | Err(_)));
    let mut own = connect_from(LOOPBACK, data.into()).expect("it listens there");
    own.write_all(b"text").expect("the server takes it");
    drop(own);
    assert_eq!([ftp.reply().code, ftp.reply().code], [150, 226]);
    // No service of any host is spoken to, whoever asks.
    let mut ftp = Ftp::log_in(fxp.process.address());
    assert_eq!(ftp.ask("PORT 127,0,0,3,3,255").code, 500);
    assert_eq!(ftp.ask("PORT 127,0,0,3,4,0").code, 200);
}

/// A server, and what it serves.
struct Served {
    process: ServerProcess,
    root: TempDir,
}

impl Served {
    fn on(driver: Driver, listen: &str, flags: &[&str]) -> Self {
        let root = tempfile::tempdir().expect("there is room for a folder");
        let flags = [flags, &["--anonymous-rights", "all", "--durability", "none"]].concat();
        Self { process: ServerProcess::start_on(driver, listen, root.path(), &flags), root }
    }
}

/// What PASV says.
fn pasv(ftp: &mut Ftp) -> SocketAddrV4 {
    let reply = ftp.ask("PASV");
    mayfly_core::data::read_pasv_text(reply.last()).unwrap_or_else(|| panic!("{reply:?}"))
}

fn command(name: &str, address: SocketAddrV4) -> String {
    format!("{name} {}", mayfly_core::data::port_argument(address))
}

fn port_command(listener: &TcpListener) -> String {
    match listener.local_addr() {
        Ok(SocketAddr::V4(address)) => command("PORT", address),
        other => panic!("{other:?}"),
    }
}

/// A file that the server brings to this listener, and where the server came from.
fn fetched(ftp: &mut Ftp, listener: &TcpListener, name: &str) -> (SocketAddr, Vec<u8>) {
    assert_eq!(ftp.ask(&format!("RETR {name}")).code, 150);
    let (mut data, from) = listener.accept().expect("the server has connected");
    let mut bytes = Vec::new();
    data.read_to_end(&mut bytes).expect("the server sends all");
    assert_eq!(ftp.reply().code, 226);
    (from, bytes)
}

/// A port that is free, and a listener on the one before it.
fn neighbours() -> (u16, TcpListener) {
    for _ in 0..100 {
        let lower = TcpListener::bind((IpAddr::from(LOOPBACK), 0)).expect("a port is free");
        let port = lower.local_addr().expect("it is bound").port();
        if let Some(next) = port.checked_add(1)
            && TcpListener::bind((IpAddr::from(LOOPBACK), next)).is_ok()
        {
            return (next, lower);
        }
    }
    panic!("no two neighbouring ports are free");
}
