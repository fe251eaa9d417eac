//! The same errand for every client, with the rights that a stranger has: each brings three files, looks at them and fetches them, over passive and active data
//! connections, from both binaries.

use mayfly_tests::ground::Mode;
use mayfly_tests::process::{Driver, Ran, ServerProcess, run};
use mayfly_tests::{files, noise};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

macro_rules! on_both {
    ($($client:ident),* $(,)?) => {
        $(mod $client {
            mod passive { on_both!(@ $client Passive); }
            mod active { on_both!(@ $client Active); }
            mod ipv6 { on_both!(@ $client Ipv6); }
        })*
    };
    (@ $client:ident $mode:ident) => {
        #[test]
        fn std() {
            let client = crate::round_trip::$client;
            crate::round_trip::round_trip(mayfly_tests::process::Driver::Std, mayfly_tests::ground::Mode::$mode, client);
        }

        #[test]
        fn smol() {
            let client = crate::round_trip::$client;
            crate::round_trip::round_trip(mayfly_tests::process::Driver::Smol, mayfly_tests::ground::Mode::$mode, client);
        }
    };
}

on_both!(curl, lftp, ftplib, mayfly_std, mayfly_smol);

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
    fetch.arg("download").args(mode_flags(errand.mode)).arg(errand.url()).arg("--to").arg(errand.target);
    let _ = run(&mut fetch).succeeded();
    let mut view = Command::new(client.binary());
    view.args(["view", "--json"]).args(mode_flags(errand.mode)).arg(errand.url());
    let viewed: serde_json::Value = serde_json::from_str(&run(&mut view).succeeded().stdout).unwrap();
    let entries = viewed["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["name"].as_str().unwrap().to_owned() + "\n").collect()
}

fn upload(client: Driver, errand: &Errand<'_>, flags: &[&str]) -> Ran {
    let mut command = Command::new(client.binary());
    command.arg("upload").args(mode_flags(errand.mode)).args(flags);
    command.args(files::names(errand.source).iter().map(|name| errand.source.join(name)));
    run(command.arg(errand.url()))
}

impl Errand<'_> {
    fn url(&self) -> String {
        format!("ftp://{}/scans", self.server)
    }
}

/// What our own client is told of the way of data connections.
fn mode_flags(mode: Mode) -> &'static [&'static str] {
    if mode == Mode::Active { &["--active"] } else { &[] }
}

fn percent_encoded(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
