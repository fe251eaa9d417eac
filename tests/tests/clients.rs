//! Clients that people have: each brings three files, looks at them and fetches them, over passive and active data
//! connections, from both binaries.

#![expect(clippy::unwrap_used, reason = "a test")]

use mayfly_tests::process::{Driver, Ran, ServerProcess, run};
use mayfly_tests::{files, noise};
use rustix::process::{Pid, Signal};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{env, fs};

macro_rules! on_both {
    ($($client:ident),* $(,)?) => {
        mod std_driver { $(mod $client {
            #[test] fn passive() { crate::round_trip(crate::Driver::Std, crate::Mode::Passive, crate::$client); }
            #[test] fn active() { crate::round_trip(crate::Driver::Std, crate::Mode::Active, crate::$client); }
            #[test] fn ipv6() { crate::round_trip(crate::Driver::Std, crate::Mode::Ipv6, crate::$client); }
        })* }
        mod smol_driver { $(mod $client {
            #[test] fn passive() { crate::round_trip(crate::Driver::Smol, crate::Mode::Passive, crate::$client); }
            #[test] fn active() { crate::round_trip(crate::Driver::Smol, crate::Mode::Active, crate::$client); }
            #[test] fn ipv6() { crate::round_trip(crate::Driver::Smol, crate::Mode::Ipv6, crate::$client); }
        })* }
    };
}

on_both!(curl, lftp, ftplib, mayfly_std, mayfly_smol);

/// How data connections are made; over IPv6 the passive way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Passive,
    Active,
    Ipv6,
}

/// What a client is to do: bring all of `source` into a new path that expires, list it, fetch it into `target`.
struct Errand<'a> {
    server: SocketAddr,
    mode: Mode,
    source: &'a Path,
    target: &'a Path,
}

/// Serves, lets the client go on its errand, and compares: what it listed, what it brought, what it fetched.
fn round_trip(driver: Driver, mode: Mode, client: fn(&Errand<'_>) -> String) {
    let (root, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let address = if mode == Mode::Ipv6 { "[::1]:0" } else { "127.0.0.1:0" };
    let server = ServerProcess::start_on(driver, address, root.path(), &[]);
    let source = source();
    let listed = client(&Errand { server: server.address(), mode, source, target: target.path() });
    let mut listed: Vec<&str> = listed.lines().map(|line| line.trim_start_matches("./")).collect();
    listed.sort_unstable();
    assert_eq!(listed, files::names(source));
    files::assert_same(source, &root.path().join("scans"));
    files::assert_same(source, target.path());
}

/// The files: one empty, one whose name holds blanks and letters beyond ASCII, one large.
fn source() -> &'static Path {
    static SOURCE: OnceLock<PathBuf> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let large_mib = env::var("LARGE_MIB").ok().and_then(|mib| mib.parse().ok()).unwrap_or(64);
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("source-{large_mib}"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("empty"), b"").unwrap();
        fs::write(directory.join("Grüße aus Köln – 日本.txt"), "Grüße\r\n\n\r\0ÿ").unwrap();
        let mib = noise(1 << 20);
        files::write_repeated(&directory.join("large.bin"), &mib, large_mib);
        directory
    })
}

/// An active curl asks for EPRT, a passive one for EPSV.
fn curl(errand: &Errand<'_>) -> String {
    let base = format!("ftp://{}/scans/", errand.server);
    let curl = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "300"]).args(arguments).current_dir(errand.source);
        if errand.mode == Mode::Active {
            command.args(["--ftp-port", "-"]);
        }
        run(&mut command).succeeded().stdout
    };
    let all = format!("{{{}}}", files::names(errand.source).join(","));
    curl(&["--quote", "*MKD /scans", "--quote", "SITE EXPIRY /scans 1h", "--upload-file", &all, &base]);
    for name in files::names(errand.source) {
        let to = errand.target.join(&name);
        curl(&["--output", to.to_str().unwrap(), &format!("{base}{}", percent_encoded(&name))]);
        if !to.exists() {
            // Of an empty file curl makes none.
            fs::write(to, b"").unwrap();
        }
    }
    let long = curl(&[&base]);
    assert_eq!(long.lines().count(), files::names(errand.source).len(), "{long}");
    curl(&["--list-only", &base])
}

fn lftp(errand: &Errand<'_>) -> String {
    let script = format!(
        "set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 30; set ftp:ssl-allow no; \
         set ftp:passive-mode {passive}; open ftp://{server}; mkdir scans; site EXPIRY scans 1h; cd scans; \
         mput {source}/*; cls -1; mget -O {target} *; quit",
        passive = errand.mode != Mode::Active,
        server = errand.server,
        source = errand.source.display(),
        target = errand.target.display(),
    );
    let mut command = Command::new("lftp");
    command.env("LC_ALL", "C.UTF-8").args(["--norc", "-c", &script]);
    let ran = run(&mut command).succeeded();
    let listed = ran.stdout.lines().filter(|line| !line.starts_with("mkdir ok") && !line.starts_with("200 "));
    listed.collect::<Vec<_>>().join("\n")
}

fn ftplib(errand: &Errand<'_>) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/ftplib_round_trip.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(errand.server.ip().to_string()).arg(errand.server.port().to_string());
    command.arg(if errand.mode == Mode::Active { "active" } else { "passive" });
    command.env("PYTHONIOENCODING", "utf-8");
    run(command.arg(errand.source).arg(errand.target)).succeeded().stdout
}

fn mayfly_std(errand: &Errand<'_>) -> String {
    mayfly(Driver::Std, errand, &["--expires", "1h"])
}

fn mayfly_smol(errand: &Errand<'_>) -> String {
    mayfly(Driver::Smol, errand, &["--expires", "1h"])
}

/// Our own client, in either runtime.
fn mayfly(client: Driver, errand: &Errand<'_>, upload_flags: &[&str]) -> String {
    let uploaded = upload(client, errand, upload_flags).succeeded().stdout;
    assert_eq!(uploaded.lines().next(), Some(errand.url().as_str()), "the first line is the URL to hand on");
    let mut fetch = Command::new(client.binary());
    fetch.arg("download").args(errand.mode.flags()).arg(errand.url()).arg("--to").arg(errand.target);
    let _ = run(&mut fetch).succeeded();
    let mut view = Command::new(client.binary());
    view.args(["view", "--json"]).args(errand.mode.flags()).arg(errand.url());
    let viewed: serde_json::Value = serde_json::from_str(&run(&mut view).succeeded().stdout).unwrap();
    let entries = viewed["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["name"].as_str().unwrap().to_owned() + "\n").collect()
}

fn upload(client: Driver, errand: &Errand<'_>, flags: &[&str]) -> Ran {
    let mut command = Command::new(client.binary());
    command.arg("upload").args(errand.mode.flags()).args(flags);
    command.args(files::names(errand.source).iter().map(|name| errand.source.join(name)));
    run(command.arg(errand.url()))
}

impl Errand<'_> {
    fn url(&self) -> String {
        format!("ftp://{}/scans", self.server)
    }
}

impl Mode {
    fn flags(self) -> &'static [&'static str] {
        if self == Self::Active { &["--active"] } else { &[] }
    }
}

/// Standard input that says nothing keeps nobody from ending the upload, with the first SIGINT.
#[test]
fn our_clients_end_while_they_wait_for_standard_input() {
    let root = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(Driver::Std, root.path(), &[]);
    for client in [Driver::Std, Driver::Smol] {
        let url = format!("ftp://{}/{}", server.address(), client.name());
        let mut command = Command::new(client.binary());
        command.args(["upload", "-v", "-", &url]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(said.any(|line| line.starts_with("< 150")), "it begins to send");
        let id = Pid::from_child(&child);
        rustix::process::kill_process(id, Signal::INT).unwrap();
        assert!(said.any(|line| line == "error: interrupted"));
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }
}

fn percent_encoded(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
