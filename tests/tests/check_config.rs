//! `check-config` as an operator runs it: what it prints serves as a settings file, and what is wrong is named with its
//! line.

use mayfly_tests::process::{Driver, Ran, run};
use mayfly_tests::with_each_driver;
use std::io::Write;
use std::process::Command;
use tempfile::NamedTempFile;

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("there is room");
    file.write_all(text.as_bytes()).expect("there is room");
    file
}

fn check(driver: Driver, config: &NamedTempFile, flags: &[&str]) -> Ran {
    run(Command::new(driver.binary()).arg("check-config").arg("--config").arg(config.path()).args(flags))
}

/// The lines without what follows the mark of a comment.
fn values(shown: &str) -> Vec<&str> {
    shown.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(" # ").next()).collect()
}

fn what_it_prints_serves_as_a_settings_file(driver: Driver) {
    let ours = file("idle_timeout = \"90s\"\nban_after = 7\n");
    let shown = check(driver, &ours, &["--max-sessions", "123"]).succeeded().stdout;
    for line in ["max_sessions = 123 # --max-sessions", "ban_after = 7 # ", "drain = \"1h\" # default"] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    assert!(shown.contains("of 123 (max_sessions): "), "{shown}");
    assert!(shown.contains("#   descriptors: 492; the host grants "), "{shown}");
    let again = check(driver, &file(&shown), &[]).succeeded().stdout;
    assert_eq!(values(&again), values(&shown));
}

fn what_is_wrong_is_named_with_its_line_and_ends_with_2(driver: Driver) {
    for (text, flags, expected) in [
        ("# ours\nmax_sessions = -1\n", &[][..], "line 2: expected a whole number"),
        ("", &["--users", "/no/such/file"], "cannot read the users file /no/such/file"),
        ("", &["--tls-cert", "/no/such/file"], "tls"),
    ] {
        let ran = check(driver, &file(text), flags);
        assert_eq!(ran.status.code(), Some(2), "{ran:?}");
        assert!(ran.stderr.contains(expected) && ran.stdout.is_empty(), "{ran:?}");
    }
}

/// As a start as root would find them, who becomes somebody else.
fn what_a_start_could_not_do_is_told(driver: Driver) {
    let config = file("");
    let refused = |flags: &[&str], expected: &str| {
        let ran = check(driver, &config, flags);
        assert_eq!(ran.status.code(), Some(2), "{ran:?}");
        assert!(ran.stderr.contains(expected) && ran.stdout.is_empty(), "{ran:?}");
    };
    refused(&["--user", "no-such-user"], "cannot become no-such-user: this host has no such user\nhint: ");
    refused(&["--log-file", "/no/such/folder/log"], "the log /no/such/folder/log could not be opened anew");
    // A temporary file is its maker's alone.
    if rustix::process::geteuid().is_root() {
        refused(&["--user", "65534:65534"], "a reload could not read ");
    }
}

with_each_driver! {
    what_a_start_could_not_do_is_told
    what_it_prints_serves_as_a_settings_file
    what_is_wrong_is_named_with_its_line_and_ends_with_2
}
