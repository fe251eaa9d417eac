//! Our own clients, where no other has the same.

use mayfly_tests::process::{Driver, ServerProcess};
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
