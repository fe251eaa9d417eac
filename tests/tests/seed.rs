//! Our own client, active: the seed's commands in the seed's order, whatever it asks for in between.

use mayfly_tests::process::{Driver, ServerProcess, run};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What may stand between the seed's commands (DESIGN 3).
const BETWEEN: [&str; 7] = ["FEAT", "TYPE", "SIZE", "MDTM", "MFMT", "REST", "SITE"];

#[test]
fn an_active_client_speaks_the_seeds_dialogue() {
    for client in [Driver::Std, Driver::Smol] {
        let (root, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let server = ServerProcess::start(Driver::Std, root.path(), &[]);
        let url = format!("ftp://{}/scans", server.address());
        let names = ["1.png", "2.png"].map(|name| files.path().join(name));
        for name in &names {
            fs::write(name, b"image").unwrap();
        }
        let connect = ["OPTS UTF8 ON", "USER anonymous", "PASS"];
        let say = |subcommand: &str, arguments: &[&Path], flags: &[&str]| {
            let mut command = Command::new(client.binary());
            command.args([subcommand, "-v", "--active"]).args(flags);
            let url = Path::new(&url);
            let (before, after) = if subcommand == "upload" { (arguments, &[][..]) } else { (&[][..], arguments) };
            said(&run(command.args(before).arg(url).args(after)).succeeded().stderr)
        };

        let uploaded = say("upload", &[&names[0], &names[1]], &["--expires", "2999-01-01T00:00:00Z"]);
        let upload = ["MKD scans", "SETEXPIRY scans 2999-01-01T00:00:00Z", "CWD scans"];
        let stored = ["PORT", "STOR 1.png", "PORT", "STOR 2.png", "QUIT"];
        assert_eq!(uploaded, [&connect[..], &upload, &stored].concat(), "{client:?}");

        let target = files.path().join("target");
        let downloaded = say("download", &["1.png".as_ref(), "2.png".as_ref()], &["--to", target.to_str().unwrap()]);
        let retrieved = ["CWD scans", "PORT", "RETR 1.png", "PORT", "RETR 2.png", "QUIT"];
        assert_eq!(downloaded, [&connect[..], &retrieved].concat(), "{client:?}");

        let viewed = say("view", &[], &[]);
        assert_eq!(viewed, [&connect[..], &["CWD scans", "PORT", "LIST scans", "QUIT"]].concat(), "{client:?}");
    }
}

/// The commands of a dialogue, without those that may stand between, and without what differs from run to run.
fn said(dialogue: &str) -> Vec<String> {
    let commands = dialogue.lines().filter_map(|line| line.strip_prefix("> "));
    let commands = commands.filter(|line| !BETWEEN.iter().any(|verb| line.split(' ').next() == Some(verb)));
    let shown = commands.map(|line| match line.split_once(' ') {
        Some((verb @ ("PORT" | "PASS"), _)) => verb.to_owned(),
        _ => line.to_owned(),
    });
    shown.collect()
}
