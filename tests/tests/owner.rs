//! What the token of a path is for: its maker, who is nobody in particular, comes again and goes on, dates it anew, or
//! takes it back.

#![expect(clippy::unwrap_used, reason = "a test")]

use mayfly_tests::process::{Driver, Ran, ServerProcess, run, run_fed, wait_until};
use mayfly_tests::{files, noise};
use std::fs;
use std::process::{Command, Stdio};

/// Each client with the other's server.
const PAIRS: [(Driver, Driver); 2] = [(Driver::Std, Driver::Smol), (Driver::Smol, Driver::Std)];

/// The server and a client beside it.
struct Bench {
    client: Driver,
    server: ServerProcess,
    here: tempfile::TempDir,
    _root: tempfile::TempDir,
}

impl Bench {
    fn start((client, server): (Driver, Driver)) -> Self {
        let (root, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(here.path().join("a"), "hello").unwrap();
        Self { client, server: ServerProcess::start(server, root.path(), &[]), here, _root: root }
    }

    fn command(&self, call: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(self.client.binary());
        command.args([call, "--no-netrc"]).args(flags).current_dir(self.here.path());
        command
    }

    fn url(&self) -> String {
        format!("ftp://{}/scans", self.server.address())
    }

    /// A call about the path.
    fn call(&self, call: &str, flags: &[&str]) -> Ran {
        run(self.command(call, &[]).arg(self.url()).args(flags))
    }
}

#[test]
fn an_upload_that_was_killed_goes_on_with_the_token_that_it_left() {
    for pair in PAIRS {
        let bench = Bench::start(pair);
        files::write_repeated(&bench.here.path().join("big"), &noise(1 << 20), 8);
        let mut slow = bench.command("upload", &["--token-file", "token", "--limit-rate", "2M"]);
        slow.args(["big", &bench.url()]);
        let mut child = slow.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // What has come so far has no name at the server yet.
        wait_until("some megabytes to go", || read_bytes(child.id()) > 3 << 20);
        child.kill().unwrap();
        child.wait().unwrap();
        let _put_aside = bench.server.wait_for_log("session ended");
        let kept = fs::read_to_string(bench.here.path().join("token")).unwrap();
        assert_eq!(kept.trim().len(), 32);
        let rest = ["-v", "--add", "--token-file", "token", "big"];
        let rest = run(bench.command("upload", &rest).arg(bench.url())).succeeded();
        assert!(rest.stderr.contains("> SITE CLAIM scans <secret>"), "{}", rest.stderr);
        assert_eq!(rest.stderr.lines().filter(|line| line.starts_with("> REST ")).count(), 1, "{}", rest.stderr);
        let _ = bench.call("download", &["--to", "out"]).succeeded();
        assert!(
            fs::read(bench.here.path().join("out/big")).unwrap() == fs::read(bench.here.path().join("big")).unwrap()
        );
    }
}

/// The bytes that a process has read so far.
fn read_bytes(process: u32) -> u64 {
    let counters = fs::read_to_string(format!("/proc/{process}/io")).unwrap_or_default();
    let read = counters.lines().find_map(|line| line.strip_prefix("rchar: "));
    read.map_or(0, |bytes| bytes.parse().unwrap())
}

#[test]
fn its_maker_dates_a_path_anew_and_takes_it_back() {
    for pair in PAIRS {
        let bench = Bench::start(pair);
        let made = run(bench.command("upload", &["--expires", "7d", "a"]).arg(bench.url())).succeeded();
        let token = made.stderr.lines().find_map(|line| line.strip_prefix("token: ")).unwrap();
        let token = token.split(' ').next().unwrap();
        // Nobody else.
        for (flags, hint) in [
            (&["2030-12-31"][..], "only who made the path"),
            (&["2030-12-31", "--token", "00112233445566778899aabbccddeeff"], "another path's"),
        ] {
            let refused = bench.call("extend", flags);
            assert_eq!(refused.status.code(), Some(7), "{refused:?}");
            assert!(refused.stderr.contains(hint), "{refused:?}");
        }
        let refused = bench.call("revoke", &[]);
        assert_eq!(refused.status.code(), Some(7), "{refused:?}");
        // By flag, environment, standard input.
        let extended = bench.call("extend", &["2030-12-31", "--token", token]).succeeded();
        let (url, expires) = extended.stdout.split_once('\n').unwrap();
        assert_eq!(url, bench.url());
        assert!(expires.starts_with("expires 2031-01-01T00:00:00Z"), "{extended:?}");
        let json =
            run(bench.command("extend", &["--json", &bench.url(), "2031-02-03T04:05:06Z"]).env("MAYFLY_TOKEN", token));
        assert!(json.succeeded().stdout.contains(r#""expires":"2031-02-03T04:05:06Z""#));
        let fed = run_fed(&mut bench.command("extend", &["-v", &bench.url(), "7d", "--token-file", "-"]), token);
        assert!(!fed.succeeded().stderr.contains(token));
        let _ = bench.call("view", &[]).succeeded();
        let _ = bench.call("revoke", &["--token", token]).succeeded();
        for (call, flags) in [("view", &[][..]), ("revoke", &["--token", token]), ("extend", &["7d", "--token", token])]
        {
            let late = bench.call(call, flags);
            assert_eq!(late.status.code(), Some(6), "{call}: {late:?}");
        }
    }
}

#[test]
fn a_token_that_is_none_is_told_before_anybody_connects() {
    let bench = Bench::start(PAIRS[0]);
    for (flags, code) in
        [(&["--token", "soon"][..], 2), (&["--token-file", "/nowhere"], 10), (&["--token-file", "a"], 10)]
    {
        let wrong = bench.call("revoke", flags);
        assert_eq!(wrong.status.code(), Some(code), "{wrong:?}");
    }
    let no_path = run(bench.command("revoke", &[]).arg(format!("ftp://{}/", bench.server.address())));
    assert_eq!(no_path.status.code(), Some(2), "{no_path:?}");
}
