//! Our own clients, where no other has the same.

use mayfly_tests::files;
use mayfly_tests::impostor::{Guise, Impostor};
use mayfly_tests::process::{Driver, ServerProcess, run};
use rustix::process::{Pid, Signal};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

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

/// No server fills the disk behind the user's back.
#[test]
fn our_clients_take_no_more_than_they_were_told_of() {
    let liar = Impostor::start(Guise { told_bytes: Some(2), ..Guise::default() });
    for client in [Driver::Std, Driver::Smol] {
        let to = tempfile::tempdir().unwrap();
        let mut command = Command::new(client.binary());
        command.args(["download", "--no-netrc", "--retries", "1", "--retry-delay", "0s", "--to"]).arg(to.path());
        let took = run(command.arg(format!("ftp://{}/", liar.address())).arg("file"));
        assert_eq!(took.status.code(), Some(13), "{took:?}");
        assert!(took.stderr.contains("more than the size that it tells"), "{took:?}");
        assert_eq!(files::names(to.path()), [""; 0], "no part of it is kept");
        // As many as it was told of do no harm on standard output.
        let mut command = Command::new(client.binary());
        command.args(["download", "--no-netrc", "--retries", "0", "--to", "-"]);
        let took = run(command.arg(format!("ftp://{}/", liar.address())).arg("file"));
        assert_eq!((took.status.code(), took.stdout.as_str()), (Some(13), "lo"), "{took:?}");
    }
}

/// A name may not show itself as another: on standard error always, on standard output where that is a terminal.
#[test]
fn our_clients_show_no_name_that_deceives() {
    let name = "annual\u{202e}fdp.exe";
    let listing = format!("type=file;size=4; {name}\r\n");
    let liar = Impostor::start(Guise { listing, ..Guise::default() });
    for client in [Driver::Std, Driver::Smol] {
        let mut command = Command::new(client.binary());
        let said = run(command.args(["view", "-v", "--no-netrc"]).arg(format!("ftp://{}/{name}", liar.address())));
        assert!(said.stderr.contains("> CWD annual\\u{202e}fdp.exe"), "{said:?}");
        assert!(!said.stderr.contains('\u{202e}') && !said.stdout.contains('\u{202e}'), "{said:?}");
    }
}
