//! The PROXY protocol: sessions behind a proxy that is believed, and everybody else's.

use mayfly_tests::ftp::{Ftp, connect_from};
use mayfly_tests::noise;
use mayfly_tests::peers::unpacked;
use mayfly_tests::process::{Driver, PATIENCE, ServerProcess, run, wait_until};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

mayfly_tests::with_each_driver! {
    the_header_s_client_is_the_session_s
    version_2_with_extensions_tells_the_same
    a_proxy_s_own_connection_keeps_its_addresses
    a_header_from_anybody_else_is_a_command_that_nobody_knows
    a_proxy_without_a_header_is_closed
    a_proxy_that_says_nothing_is_closed_in_time
    clients_are_counted_by_their_own_addresses
    a_proxy_s_data_connection_must_name_the_session_s_client
    curl_speaks_it_on_both_connections
    haproxy_carries_both_connections_with_either_version
}

const PROXY: Ipv4Addr = Ipv4Addr::LOCALHOST;
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
/// Where a client sees the server that is behind a proxy, as far as it is told.
const FRONT: &str = "203.0.113.5";
/// The same on this host.
const FRONT_HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const PASSIVE_PORTS: u16 = 6;

fn the_header_s_client_is_the_session_s(driver: Driver) {
    let server = Served::start(driver, &[]);
    // In pieces, the last of which brings the first commands too.
    let mut stream = server.from(PROXY);
    let sent = [header(CLIENT, 4000), "USER anonymous\r\nPASS x\r\n".to_owned()].concat();
    for piece in sent.as_bytes().chunks(7) {
        stream.write_all(piece).expect("the server listens");
    }
    let mut ftp = Ftp::over(stream);
    assert_eq!([(); 3].map(|()| ftp.reply().code), [220, 331, 230]);
    let _logged = server.process.wait_for_log("\"peer\":\"127.0.0.9:4000\"");
    // PASV says what the client sees; the socket is this host's own.
    let data = pasv(&mut ftp);
    assert_eq!(data.ip().to_string(), FRONT);
    let mut data = connect_from(CLIENT, SocketAddr::from((PROXY, data.port()))).expect("it listens there");
    assert_eq!(ftp.ask("STOR a").code, 150);
    data.write_all(b"text").expect("the server takes it");
    drop(data);
    assert_eq!(ftp.reply().code, 226);
    // Active connections go to the client, not to the proxy.
    assert_eq!(ftp.ask("PORT 127,0,0,1,200,1").code, 500);
    let listener = TcpListener::bind((CLIENT, 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    assert_eq!(ftp.ask(&format!("EPRT |1|{CLIENT}|{port}|")).code, 200);
    assert_eq!(ftp.ask("RETR a").code, 150);
    let (mut data, from) = listener.accept().expect("the server has connected");
    assert_eq!(from.ip(), PROXY);
    let mut bytes = Vec::new();
    data.read_to_end(&mut bytes).expect("the server sends all");
    assert_eq!(bytes, b"text");
    assert_eq!(ftp.reply().code, 226);
}

fn version_2_with_extensions_tells_the_same(driver: Driver) {
    let server = Served::start(driver, &[]);
    let addresses = [127, 0, 0, 9, 203, 0, 113, 5, 0x0f, 0xa0, 0, 21];
    let extension = [&[0x02, 0, 200], [b'x'; 200].as_slice()].concat();
    let length = u16::try_from(addresses.len() + extension.len()).expect("it is short").to_be_bytes();
    let magic = b"\r\n\r\n\x00\r\nQUIT\n";
    let header = [magic.as_slice(), &[0x21, 0x11], &length, &addresses, &extension].concat();
    let mut stream = server.from(PROXY);
    stream.write_all(&header).expect("the server listens");
    let mut ftp = Ftp::over(stream);
    ftp.introduce();
    assert_eq!(pasv(&mut ftp).ip().to_string(), FRONT);
    let _logged = server.process.wait_for_log("\"peer\":\"127.0.0.9:4000\"");
}

fn a_proxy_s_own_connection_keeps_its_addresses(driver: Driver) {
    let server = Served::start(driver, &[]);
    let local = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00";
    for header in [b"PROXY UNKNOWN\r\n".as_slice(), local] {
        let mut stream = server.from(PROXY);
        stream.write_all(header).expect("the server listens");
        let mut ftp = Ftp::over(stream);
        ftp.introduce();
        assert_eq!(*pasv(&mut ftp).ip(), PROXY);
        assert_eq!(ftp.ask("PORT 127,0,0,9,200,1").code, 500);
    }
}

fn a_header_from_anybody_else_is_a_command_that_nobody_knows(driver: Driver) {
    let server = Served::start(driver, &[]);
    let mut ftp = Ftp::over(server.from(CLIENT));
    ftp.introduce();
    assert_eq!(ftp.ask(header(Ipv4Addr::new(127, 0, 0, 8), 4000).trim_end()).code, 500);
    assert_eq!(ftp.ask("PORT 127,0,0,8,200,1").code, 500);
    assert_eq!(ftp.ask("PORT 127,0,0,9,200,1").code, 200);
}

fn a_proxy_without_a_header_is_closed(driver: Driver) {
    let server = Served::start(driver, &[]);
    for (number, sent) in [
        "USER anonymous\r\n",
        "PASS I am no header at all\r\n",
        "PROXY TCP4 127.0.0.9 203.0.113.5 4000 99999\r\n",
        "PROXY TCP4 127.0.0.9 203.0.113.5 4000 21 but it never ends, whatever may be said about it, and however long it \
         goes on\r\n",
        "\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0",
    ]
    .iter()
    .enumerate()
    {
        let mut stream = server.from(PROXY);
        stream.write_all(sent.as_bytes()).expect("the server listens");
        assert!(is_closed(&mut stream), "{sent}");
        let _logged = server.process.wait_for_logs(number + 1, |line| line.contains("does not begin with a PROXY header"));
    }
    // Half a header, and the end.
    let mut stream = server.from(PROXY);
    stream.write_all(b"PROXY TCP4 127.0.0.9").expect("the server listens");
    drop(stream);
    let _logged = server.process.wait_for_log("closed within its PROXY header");
    // Those did no harm.
    let mut stream = server.from(PROXY);
    stream.write_all(header(CLIENT, 4000).as_bytes()).expect("the server listens");
    Ftp::over(stream).introduce();
}

fn a_proxy_that_says_nothing_is_closed_in_time(driver: Driver) {
    let server = Served::start(driver, &[]);
    let mut silent = server.from(PROXY);
    let mut slow = server.from(PROXY);
    slow.write_all(b"PROXY TCP4").expect("the server listens");
    assert!(is_closed(&mut silent) && is_closed(&mut slow));
    let _logged = server.process.wait_for_logs(2, |line| line.contains("no PROXY header came in time"));
    // One that waits does not keep the server from its end.
    let _waits = server.from(PROXY);
    let mut process = server.process;
    process.terminate();
    assert!(process.wait().success());
}

fn clients_are_counted_by_their_own_addresses(driver: Driver) {
    let server = Served::start(driver, &["--max-sessions-per-address", "1"]);
    let through = |client: Ipv4Addr| {
        let mut stream = server.from(PROXY);
        stream.write_all(header(client, 4000).as_bytes()).expect("the server listens");
        Ftp::over(stream)
    };
    let [mut one, mut other] = [CLIENT, Ipv4Addr::new(127, 0, 0, 8)].map(through);
    assert_eq!([one.reply().code, other.reply().code], [220, 220]);
    assert_eq!(through(CLIENT).reply().code, 421);
}

fn a_proxy_s_data_connection_must_name_the_session_s_client(driver: Driver) {
    let server = Served::start(driver, &[]);
    let mut stream = server.from(PROXY);
    stream.write_all(header(CLIENT, 4000).as_bytes()).expect("the server listens");
    let mut ftp = Ftp::over(stream);
    ftp.introduce();
    let data = SocketAddr::from((PROXY, pasv(&mut ftp).port()));
    ftp.say("STOR a");
    // Another client of the same proxy; bytes that are no header; a proxy that does not know.
    for sent in [header(Ipv4Addr::new(127, 0, 0, 8), 5000), "forged bytes".to_owned(), "PROXY UNKNOWN\r\n".to_owned()] {
        let mut stranger = connect_from(PROXY, data).expect("it listens there");
        stranger.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        stranger.write_all(sent.as_bytes()).expect("the server listens");
        assert!(is_closed(&mut stranger), "{sent}");
    }
    let mut own = connect_from(PROXY, data).expect("it listens there");
    for piece in [header(CLIENT, 5000), "text".to_owned()].concat().as_bytes().chunks(5) {
        own.write_all(piece).expect("the server takes it");
    }
    drop(own);
    assert_eq!([ftp.reply().code, ftp.reply().code], [150, 226]);
    assert_eq!(fs::read(server.root.path().join("a")).expect("it was stored"), b"text");
}

fn curl_speaks_it_on_both_connections(driver: Driver) {
    let server = Served::start(driver, &[]);
    fs::write(server.root.path().join("a"), b"text").expect("there is room");
    let url = format!("ftp://{}/a", server.process.address());
    let mut curl = Command::new("curl");
    let ran = run(curl.args(["--silent", "--show-error", "--max-time", "60", "--haproxy-protocol", &url])).succeeded();
    assert_eq!(ran.stdout, "text");
    let mut curl = Command::new("curl");
    let ran = run(curl.args(["--silent", "--max-time", "60", &url]));
    assert!(!ran.status.success());
}

fn haproxy_carries_both_connections_with_either_version(driver: Driver) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let bytes = noise(2_000_001);
    for version in ["send-proxy", "send-proxy-v2"] {
        // The same ports before and behind the proxy: the control connection's, and those of passive data.
        let [control, first, last] = free_ports();
        let range = format!("{first}-{last}");
        let server = Served::on(driver, &format!("127.0.0.1:{control}"), &["--passive-ports", &range]);
        fs::write(server.root.path().join("a"), &bytes).expect("there is room");
        let _haproxy = Haproxy::start(folder.path(), version, control, &range);
        let url = |name: &str| format!("ftp://{FRONT_HERE}:{control}/{name}");
        let curl = |arguments: &[&str]| {
            let mut curl = Command::new("curl");
            let _ran =
                run(curl.args(["-sS", "--max-time", "60", "--interface", "127.0.0.9"]).args(arguments)).succeeded();
        };
        let fetched = folder.path().join("fetched");
        let to = fetched.to_str().expect("it is UTF-8");
        for mode in ["--ftp-pasv", "--disable-epsv"] {
            curl(&[mode, &url("a"), "-o", to]);
            assert!(fs::read(&fetched).expect("curl has fetched it") == bytes);
        }
        curl(&["-T", to, &url("b")]);
        assert!(fs::read(server.root.path().join("b")).expect("it was stored") == bytes);
        let _logged = server.process.wait_for_logs(3, |line| {
            line.contains("\"peer\":\"127.0.0.9:") && line.contains("transfer ended") && line.contains("226")
        });
    }
}

/// A proxy. Killed when dropped.
struct Haproxy(Child);

impl Haproxy {
    fn start(folder: &Path, version: &str, control: u16, passive: &str) -> Self {
        let config = folder.join("haproxy.cfg");
        let text = format!(
            "defaults\n mode tcp\n timeout connect 30s\n timeout client 60s\n timeout server 60s\n\
             listen control\n bind {FRONT_HERE}:{control}\n server ftp 127.0.0.1:{control} {version}\n\
             listen passive\n bind {FRONT_HERE}:{passive}\n server ftp 127.0.0.1 {version}\n"
        );
        fs::write(&config, text).expect("there is room for a file");
        let mut command = unpacked("haproxy", &["haproxy"], "usr/sbin/haproxy");
        let child = command.arg("-db").arg("-f").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let haproxy = Self(child.expect("it was unpacked"));
        wait_until("haproxy to listen", || TcpStream::connect((FRONT_HERE, control)).is_ok());
        haproxy
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port, and the first and last of those after it, all free a moment ago on both sides of the proxy.
fn free_ports() -> [u16; 3] {
    for _ in 0..100 {
        let probe = TcpListener::bind((PROXY, 0)).expect("a port is free");
        let control = probe.local_addr().expect("it is bound").port();
        let Some(last) = control.checked_add(PASSIVE_PORTS) else { continue };
        let is_free =
            |port: u16| TcpListener::bind((PROXY, port)).is_ok() && TcpListener::bind((FRONT_HERE, port)).is_ok();
        if (control + 1..=last).all(is_free) && TcpListener::bind((FRONT_HERE, control)).is_ok() {
            return [control, control + 1, last];
        }
    }
    panic!("no {PASSIVE_PORTS} neighbouring ports are free");
}

/// A server that believes the proxy at 127.0.0.1, and what it serves.
struct Served {
    process: ServerProcess,
    root: TempDir,
}

impl Served {
    fn start(driver: Driver, flags: &[&str]) -> Self {
        Self::on(driver, "127.0.0.1:0", flags)
    }

    fn on(driver: Driver, listen: &str, flags: &[&str]) -> Self {
        let root = tempfile::tempdir().expect("there is room for a folder");
        let flags =
            [flags, &["--anonymous-rights", "all", "--durability", "none", "--proxy-from", "127.0.0.1"]].concat();
        Self { process: ServerProcess::start_on(driver, listen, root.path(), &flags), root }
    }

    /// A control connection from this address, on which nothing was said yet.
    fn from(&self, address: Ipv4Addr) -> TcpStream {
        let stream = connect_from(address, self.process.address()).expect("it listens there");
        stream.set_nodelay(true).expect("it is a TCP socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        stream
    }
}

fn header(client: Ipv4Addr, port: u16) -> String {
    format!("PROXY TCP4 {client} {FRONT} {port} 21\r\n")
}

/// Whether the server closes without a word.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// What PASV says.
fn pasv(ftp: &mut Ftp) -> SocketAddrV4 {
    let reply = ftp.ask("PASV");
    mayfly_core::data::read_pasv_text(reply.last()).unwrap_or_else(|| panic!("{reply:?}"))
}
