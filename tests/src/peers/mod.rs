//! Other people's FTP servers, which our client must get on with: unpacked by `tests/steps/unpack`, never installed, and
//! run on a free port of loopback. They give up root's rights for those of `nobody`, as on an operator's machine. With
//! TLS they take nothing else.

mod proftpd;
mod pureftpd;
mod vsftpd;

use crate::certificates::{Certificate, Certificates};
use crate::process::{PATIENCE, wait_until};
use mayfly_core::client::call::Tls;
use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// vsftpd, for anonymous clients: neither MLSD nor MFMT.
    Vsftpd,
    /// `ProFTPD`, for anonymous clients: nearly all of RFC 3659.
    ProFtpd,
    /// Pure-FTPd, for one named user: MLSD, and a greeting of many lines.
    PureFtpd,
}

/// What a server does about TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// How a session begins.
    pub tls: Tls,
    /// Whether it is TLS 1.2 at most.
    pub at_most_12: bool,
    /// What it shows of itself; none: the certificate for loopback.
    pub certificate: Option<Certificate>,
}

/// A running server that takes uploads. Killed when dropped.
#[derive(Debug)]
pub struct PeerProcess {
    peer: Peer,
    tls: Tls,
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
        Self::start_secured(peer, Security::default())
    }

    /// Starts it so that it wants TLS: vsftpd and `ProFTPD` also that every data connection resumes the session.
    ///
    /// # Panics
    /// As [`PeerProcess::start`].
    #[must_use]
    pub fn start_secured(peer: Peer, security: Security) -> Self {
        // These take no port 0, so somebody else may have the port that was free a moment ago.
        (0..PORTS_TRIED)
            .find_map(|_| Self::try_start(peer, security))
            .unwrap_or_else(|| panic!("{peer:?} does not come to listen"))
    }

    fn try_start(peer: Peer, security: Security) -> Option<Self> {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let root = folder.path().join(ROOT);
        fs::create_dir(&root).expect("the folder is ours");
        for (path, mode) in [(folder.path(), 0o711), (&root, 0o777)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("the folder is ours");
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("loopback has a free port");
        let mut command = match peer {
            Peer::Vsftpd => vsftpd::command(folder.path(), address, security),
            Peer::ProFtpd => proftpd::command(folder.path(), address, security),
            Peer::PureFtpd => pureftpd::command(folder.path(), address, security),
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("{peer:?}: {error}"));
        let mut started = Self { peer, tls: security.tls, child, address, folder };
        let mut lives = true;
        wait_until(&format!("{peer:?} to listen or end, within {} s", PATIENCE.as_secs()), || {
            lives = started.child.try_wait().expect("it is our child").is_none();
            !lives || TcpStream::connect(address).is_ok()
        });
        lives.then_some(started)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process; each session has some of its own beneath it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The URL of a path, with what one logs in with.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let login = if self.peer == Peer::PureFtpd { pureftpd::LOGIN } else { "" };
        let scheme = match self.tls {
            Tls::Explicit => "ftpes",
            Tls::Implicit => "ftps",
            _ => "ftp",
        };
        format!("{scheme}://{login}{}/{path}", self.address)
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

/// The files of a server's certificate and its key.
fn shown(security: Security) -> (PathBuf, PathBuf) {
    let ours = Certificates::of_this_process();
    security.certificate.map_or_else(|| (ours.server.clone(), ours.server_key.clone()), |which| ours.other(which))
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
const PORTS_TRIED: usize = 5;
