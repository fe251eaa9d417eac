//! MODE Z as clients speak it: lftp, and Python's zlib over ftplib.

use mayfly_tests::ground::{Ground, Mode};
use mayfly_tests::process::Ran;
use mayfly_tests::{noise, on_both_drivers};
use std::fs;
use std::path::Path;

on_both_drivers! {
    lftp_gets_and_puts_deflated: passive active ipv6;
    python_deflates_and_inflates: passive ipv6;
}

fn lftp(ground: &Ground, commands: &str) -> Ran {
    let passive = ground.mode != Mode::Active;
    let script = format!(
        "set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 30; set ftp:ssl-allow no; \
         set ftp:passive-mode {passive}; set ftp:use-mode-z yes; open {}; {commands}",
        ground.url("/"),
    );
    ground.run("lftp", &["--norc", "-c", &script])
}

/// Text that deflates well, noise that does not, and nothing; up, down and in a listing.
fn lftp_gets_and_puts_deflated(ground: &Ground) {
    let text: String = (0..100_000).fold(String::new(), |text, number| text + &number.to_string() + " of a text\n");
    let files: [(&str, &[u8]); 3] = [("text", text.as_bytes()), ("noise", &noise(1_000_000)), ("empty", b"")];
    for (name, bytes) in files {
        fs::write(ground.home().join(name), bytes).expect("the folder is ours");
    }
    fs::create_dir(ground.home().join("down")).expect("the folder is ours");
    let script = "set ftp:mode-z-level 9; put text noise empty; cls -1; lcd down; get text noise empty";
    let listed = lftp(ground, script).succeeded().stdout;
    let mut names: Vec<&str> = listed.lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["empty", "noise", "text"]);
    for (name, bytes) in files {
        assert!(fs::read(ground.root().join(name)).expect("the folder is ours") == bytes, "put {name}");
        assert!(fs::read(ground.home().join("down").join(name)).expect("the folder is ours") == bytes, "get {name}");
    }
    for kind in ["upload", "download"] {
        let wire_bytes = ground.wire_bytes(kind, "/text", 1)[0];
        assert!(wire_bytes > 0 && wire_bytes < text.len() as u64 / 3, "{kind}: {wire_bytes} bytes on the wire");
    }
}

fn python_deflates_and_inflates(ground: &Ground) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/ftplib_mode_z.py");
    let address = ground.address();
    let (script, host, port) = (script.display().to_string(), address.ip().to_string(), address.port().to_string());
    let checks = ground.run("python3", &[&script, &host, &port]).succeeded().stdout;
    assert_eq!(checks.trim(), "54");
}
