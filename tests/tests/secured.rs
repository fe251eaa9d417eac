//! Our own client with TLS, from both binaries: against other people's servers that take nothing else, against
//! certificates that are not good, and against servers that lie.

#![expect(clippy::unwrap_used, reason = "a test")]

use mayfly_core::client::call::Tls;
use mayfly_tests::certificates::{Certificate, Certificates};
use mayfly_tests::liar::{LOOT, Liar, Lie};
use mayfly_tests::peers::{Peer, PeerProcess, Security};
use mayfly_tests::process::{Driver, Ran, ServerProcess, run};
use mayfly_tests::{files, noise};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

#[test]
fn vsftpd_gets_every_data_connection_resumed() {
    for (tls, at_most_12) in [(Tls::Explicit, false), (Tls::Explicit, true), (Tls::Implicit, false)] {
        files_go_both_ways(Peer::Vsftpd, Security { tls, at_most_12, certificate: None }, Resumed::Always);
    }
}

// With TLS 1.3 it gives two tickets, and none more with an upload.
#[test]
fn proftpd_gets_every_data_connection_resumed() {
    for (tls, at_most_12) in [(Tls::Explicit, false), (Tls::Explicit, true), (Tls::Implicit, false)] {
        let resumed = if at_most_12 { Resumed::Always } else { Resumed::UntilUsedUp };
        files_go_both_ways(Peer::ProFtpd, Security { tls, at_most_12, certificate: None }, resumed);
    }
}

#[test]
fn pure_ftpd_needs_no_resumption() {
    let security = Security { tls: Tls::Explicit, ..Security::default() };
    files_go_both_ways(Peer::PureFtpd, security, Resumed::Never);
}

/// Our own servers, which require all that there is to require: each client with the other's server.
#[test]
fn our_servers_get_every_data_connection_resumed() {
    let ours_files = Certificates::of_this_process();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (certificate, key) = (text(&ours_files.server), text(&ours_files.server_key));
    let (authority, target) = (text(&ours_files.authority), tempfile::tempdir().unwrap());
    let (chain, own_key) = ours_files.client("robot");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for (client, server) in [(Driver::Std, Driver::Smol), (Driver::Smol, Driver::Std)] {
        let root = tempfile::tempdir().unwrap();
        let flags = [
            ["--tls-cert", &certificate],
            ["--tls-key", &key],
            ["--require-tls", "data"],
            ["--tls-require-resumption", "true"],
            ["--tls-client-certificates", "require"],
            ["--tls-client-ca", &authority],
            ["--listen-tls", &free],
        ];
        let server = ServerProcess::start(server, root.path(), flags.as_flattened());
        let urls = [format!("ftpes://{}", server.address()), format!("ftps://{free}")];
        for (at, flags) in [&["-v"][..], &["-v", "--active"], &["-v", "--jobs", "3"]].into_iter().enumerate() {
            for url in &urls {
                let shown = ["--cert", chain.to_str().unwrap(), "--key", own_key.to_str().unwrap()];
                let flags = [flags, &shown].concat();
                let url = format!("{url}/{}-{at}", url.split_once(':').unwrap().0);
                let sources = files::names(source()).into_iter().map(|name| source().join(name));
                let up = run(ours(client, "upload", &flags).args(sources).arg(&url)).succeeded();
                let to = target.path().join(format!("{client:?}{}", url.replace('/', "_")));
                let down = run(ours(client, "download", &flags).arg(&url).arg("--to").arg(&to)).succeeded();
                files::assert_same(source(), &to);
                for said in [up.stderr, down.stderr] {
                    let refused = said.matches("< 522").count();
                    let tries = if flags.contains(&"--jobs") { 3 } else { 1 };
                    assert!(refused <= tries && said.matches("trying again").count() == refused, "{said}");
                }
            }
        }
        // Without a certificate the server hangs up, after the handshake for TLS 1.3; and in clear nobody is let in.
        let nobody = run(&mut ours(client, "view", &[&urls[0]]));
        assert_eq!(nobody.status.code(), Some(11), "{nobody:?}");
        let clear = run(&mut bare(client, "view", &[&format!("ftp://{}/", server.address())]));
        assert!(clear.status.code() == Some(4) && clear.stderr.contains("hint: this server wants TLS"), "{clear:?}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resumed {
    Always,
    /// And after one refusal for each connection again, with TLS 1.2.
    UntilUsedUp,
    Never,
}

/// More files than a server gives tickets for, passive and active, one after the other and several at a time.
fn files_go_both_ways(peer: Peer, security: Security, resumed: Resumed) {
    for client in CLIENTS {
        for flags in [&["-v"][..], &["-v", "--active"], &["-v", "--jobs", "3"]] {
            let (server, target) = (PeerProcess::start_secured(peer, security), tempfile::tempdir().unwrap());
            let sources = files::names(source()).into_iter().map(|name| source().join(name));
            let up = run(ours(client, "upload", flags).args(sources).arg(server.url("scans"))).succeeded();
            let down = run(ours(client, "download", flags).arg(server.url("scans")).arg("--to").arg(target.path()));
            files::assert_same(source(), &server.root().join("scans"));
            files::assert_same(source(), target.path());
            for said in [up.stderr, down.succeeded().stderr] {
                let data: Vec<&str> = said.lines().filter(|line| line.contains("data connection secured")).collect();
                assert!(data.len() >= FILES, "{said}");
                let old = data.iter().all(|line| line.contains("TLSv1.2"));
                assert!(old || !security.at_most_12, "{said}");
                let not_resumed = data.iter().filter(|line| !line.ends_with(", resumed")).count();
                let jobs = if flags.contains(&"--jobs") { 3 } else { 1 };
                let (may_be_none, tries) = match resumed {
                    Resumed::Always => (0, 0),
                    Resumed::UntilUsedUp => (jobs, jobs),
                    Resumed::Never => (data.len(), 0),
                };
                assert!(not_resumed <= may_be_none, "{peer:?} {security:?} {flags:?}: {said}");
                assert!(said.matches("trying again").count() <= tries, "{said}");
            }
        }
    }
}

/// Each has its exit code and a hint, and no name is said to whoever it is.
#[test]
fn a_certificate_that_is_not_good_ends_it() {
    let authority = &Certificates::of_this_process().authority;
    for (certificate, said, hint) in [
        (Certificate::SelfSigned, "nobody who is trusted here vouches", "--ca"),
        (Certificate::OfAnother, "good for", "by a name"),
        (Certificate::Expired, "expired, at 2021-01-01", "renew"),
    ] {
        let security = Security { tls: Tls::Explicit, certificate: Some(certificate), ..Security::default() };
        let server = PeerProcess::start_secured(Peer::Vsftpd, security);
        let (own, _) = Certificates::of_this_process().other(certificate);
        for client in CLIENTS {
            let view = |flags: &[&str], ca: Option<&Path>| {
                let mut command = bare(client, "view", flags);
                command.args(ca.iter().flat_map(|ca| [Path::new("--ca"), ca]));
                run(command.arg("-v").arg(server.url("")))
            };
            // By the test's authority, by the host's own list, and where the very certificate is known.
            for ca in [Some(authority.as_path()), Some(&own), None] {
                let refused = view(&[], ca);
                if ca == Some(&own) && certificate == Certificate::SelfSigned {
                    let _ = refused.succeeded();
                    continue;
                }
                assert_eq!(refused.status.code(), Some(11), "{refused:?}");
                assert!(!refused.stderr.contains("> USER"), "{refused:?}");
                if ca.is_some() {
                    let told = refused.stderr.contains(said) && refused.stderr.contains(hint);
                    assert!(told, "{certificate:?}: {refused:?}");
                }
            }
            let any = view(&["--insecure"], None).succeeded();
            assert!(any.stderr.starts_with("warning: the server's certificate is not checked"), "{any:?}");
        }
    }
}

#[test]
fn where_there_is_no_tls_nothing_secret_is_said() {
    for client in CLIENTS {
        for (lie, said) in [(Lie::NoTls, "502 No TLS here."), (Lie::Inject, "in clear where TLS begins")] {
            let liar = Liar::start(lie);
            let url = format!("ftpes://me:secret@{}/x", liar.address());
            let refused = run(ours(client, "view", &["--retries", "0"]).arg(url));
            assert_eq!(refused.status.code(), Some(11), "{refused:?}");
            assert!(refused.stderr.contains(said), "{refused:?}");
            assert_eq!(liar.heard_in_clear(), ["AUTH TLS"]);
        }
        // A server without TLS where TLS should come first.
        let plain = PeerProcess::start(Peer::Vsftpd);
        let refused = run(ours(client, "view", &[]).arg(format!("ftps://me:secret@{}/", plain.address())));
        assert_eq!(refused.status.code(), Some(11), "{refused:?}");
        assert!(refused.stderr.contains("ftps://"), "{refused:?}");
    }
}

/// Nothing tells here how long the file is, but that its end was never said.
#[test]
fn a_download_that_was_cut_short_goes_on() {
    for client in CLIENTS {
        let (liar, target) = (Liar::start(Lie::Cut), tempfile::tempdir().unwrap());
        let url = format!("ftpes://me:secret@{}/x", liar.address());
        let fetch = |retries: &str| {
            let mut command = ours(client, "download", &["--retries", retries, "--retry-delay", "0s"]);
            run(command.args([&url, "loot"]).arg("--to").arg(target.path()))
        };
        let cut = fetch("0");
        assert_eq!(cut.status.code(), Some(8), "{cut:?}");
        assert_eq!(files::names(target.path()), [""; 0], "a part is not taken for the whole");
        let _ = fetch("1").succeeded();
        assert_eq!(fs::read_to_string(target.path().join("loot")).unwrap(), LOOT);
        let half = format!("REST {}", LOOT.len() / 2);
        assert!(liar.heard_secured().contains(&half), "{:?}", liar.heard_secured());
        assert_eq!(liar.heard_in_clear(), ["AUTH TLS"; 2]);
    }
}

#[test]
fn data_in_clear_are_not_taken() {
    for client in CLIENTS {
        let (liar, target) = (Liar::start(Lie::ClearData), tempfile::tempdir().unwrap());
        let url = format!("ftpes://{}/x", liar.address());
        let refused =
            run(ours(client, "download", &["--retries", "0"]).args([&url, "loot"]).arg("--to").arg(target.path()));
        assert_eq!(refused.status.code(), Some(11), "{refused:?}");
        assert_eq!(files::names(target.path()), [""; 0]);
    }
}

#[test]
fn flags_that_contradict_each_other_are_told() {
    for (client, flags) in [
        (Driver::Std, &["--tls", "none", "ftps://127.0.0.1:1/"][..]),
        (Driver::Smol, &["--insecure", "ftp://127.0.0.1:1/"]),
        (Driver::Std, &["--ca", "x", "--insecure", "ftps://127.0.0.1:1/"]),
        (Driver::Smol, &["--key", "x", "ftps://127.0.0.1:1/"]),
    ] {
        let wrong = run(&mut bare(client, "view", flags));
        assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    }
    let gone: Ran = run(&mut bare(Driver::Std, "view", &["--ca", "/nowhere.pem", "ftps://127.0.0.1:1/"]));
    assert!(gone.status.code() == Some(10) && gone.stderr.contains("/nowhere.pem"), "{gone:?}");
}

/// Our client, which trusts the test's authority.
fn ours(client: Driver, call: &str, flags: &[&str]) -> Command {
    let mut command = bare(client, call, flags);
    command.arg("--ca").arg(&Certificates::of_this_process().authority);
    command
}

fn bare(client: Driver, call: &str, flags: &[&str]) -> Command {
    let mut command = Command::new(client.binary());
    command.args([call, "--no-netrc"]).args(flags);
    command
}

/// Some files, one of them empty and one of some size.
fn source() -> &'static Path {
    static SOURCE: OnceLock<PathBuf> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("secured-source");
        fs::create_dir_all(&directory).unwrap();
        for small in 2..FILES {
            fs::write(directory.join(format!("{small}.txt")), format!("the {small}th\n")).unwrap();
        }
        fs::write(directory.join("empty"), b"").unwrap();
        files::write_repeated(&directory.join("large.bin"), &noise(1 << 20), 4);
        directory
    })
}

const CLIENTS: [Driver; 2] = [Driver::Std, Driver::Smol];
const FILES: usize = 9;
