//! vsftpd as a peer: a plain FTP server, unpacked by `tests/steps/unpack` and run on a free port of loopback.

use crate::process::wait_until;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A running vsftpd that takes anonymous uploads. Killed when dropped.
#[derive(Debug)]
pub struct Vsftpd {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Vsftpd {
    /// Starts it on an empty root.
    ///
    /// # Panics
    /// Where it cannot be had or does not come to listen.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        for name in ["root", "empty"] {
            fs::create_dir(folder.path().join(name)).expect("the folder is ours");
        }
        // vsftpd takes no port 0: one that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("loopback has a free port");
        let settings = folder.path().join("vsftpd.conf");
        fs::write(&settings, configuration(address.port(), folder.path())).expect("the folder is ours");
        let (binary, libraries) = find();
        let mut command = Command::new(binary);
        command.arg(settings).env("LD_LIBRARY_PATH", libraries).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().expect("vsftpd runs");
        wait_until("vsftpd to listen", || TcpStream::connect(address).is_ok());
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
        self.folder.path().join("root")
    }
}

impl Drop for Vsftpd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(port: u16, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nrun_as_launching_user=YES\n\
         seccomp_sandbox=NO\nanonymous_enable=YES\nno_anon_password=YES\nftp_username=nobody\nnopriv_user=nobody\n\
         anon_root={folder}/root\nsecure_chroot_dir={folder}/empty\nallow_writeable_chroot=YES\nwrite_enable=YES\n\
         anon_upload_enable=YES\nanon_mkdir_write_enable=YES\nanon_other_write_enable=YES\n\
         anon_world_readable_only=NO\nconnect_from_port_20=NO\n"
    )
}

/// The program, and where the libraries are that came with it.
fn find() -> (PathBuf, String) {
    let unpacked = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/steps/unpack")).args(["vsftpd"; 2]).output();
    let unpacked = unpacked.expect("bash runs");
    assert!(unpacked.status.success(), "vsftpd is missing: {}", String::from_utf8_lossy(&unpacked.stderr));
    let folder = String::from_utf8_lossy(&unpacked.stdout).trim().to_owned();
    let binary = Path::new(&folder).join("usr/sbin/vsftpd");
    let machine = format!("{}-linux-gnu", std::env::consts::ARCH);
    let libraries = format!("{folder}/lib/{machine}:{folder}/usr/lib/{machine}");
    // Where it is installed, nothing was unpacked.
    (if binary.exists() { binary } else { PathBuf::from("/usr/sbin/vsftpd") }, libraries)
}
