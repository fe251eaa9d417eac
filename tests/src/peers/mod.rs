//! Other people's FTP servers, which our client must get on with: unpacked by `tests/steps/unpack`, never installed, and
//! run on a free port of loopback.

mod vsftpd;

use crate::process::wait_until;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// vsftpd, for anonymous clients.
    Vsftpd,
}

/// A running server that takes uploads. Killed when dropped.
#[derive(Debug)]
pub struct PeerProcess {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl PeerProcess {
    /// Starts it on an empty root.
    ///
    /// # Panics
    /// Where it cannot be had or does not come to listen.
    #[must_use]
    pub fn start(peer: Peer) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        fs::create_dir(folder.path().join(ROOT)).expect("the folder is ours");
        // These take no port 0: one that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("loopback has a free port");
        let mut command = match peer {
            Peer::Vsftpd => vsftpd::command(folder.path(), address),
        };
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{peer:?}: {error}"));
        wait_until(&format!("{peer:?} to listen"), || TcpStream::connect(address).is_ok());
        Self { child, address, folder }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its clients see as the root.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.path().join(ROOT)
    }
}

impl Drop for PeerProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program out of Debian packages, which finds the libraries that came with it.
///
/// # Panics
/// Where it cannot be had.
#[must_use]
pub fn unpacked(name: &str, packages: &[&str], program: &str) -> Command {
    let unpack = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/steps/unpack")).arg(name).args(packages).output();
    let unpack = unpack.expect("bash runs");
    assert!(unpack.status.success(), "{name} is missing: {}", String::from_utf8_lossy(&unpack.stderr));
    let folder = PathBuf::from(String::from_utf8_lossy(&unpack.stdout).trim());
    let machine = format!("{}-linux-gnu", std::env::consts::ARCH);
    let libraries = format!("{0}/lib/{machine}:{0}/usr/lib/{machine}", folder.display());
    // Where it is installed, nothing was unpacked.
    let binary = Some(folder.join(program)).filter(|binary| binary.exists());
    let mut command = Command::new(binary.unwrap_or_else(|| Path::new("/").join(program)));
    command.env("LD_LIBRARY_PATH", libraries);
    command
}

const ROOT: &str = "root";
