//! Pure-FTPd: knows MLSD, MFMT and REST. It lets anonymous clients in only where the machine has a user `ftp`, so it gets
//! one user of its own.

use super::{ROOT, Security, shown, unpacked};
use mayfly_core::client::call::Tls;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// What stands before the host in a URL.
pub(super) const LOGIN: &str = "guest:secret@";

/// What runs it for the user `guest`.
pub(super) fn command(folder: &Path, address: SocketAddr, security: Security) -> Command {
    let users = folder.join("users.pdb");
    // Name, password, user and group of the system, home; the rest is bounds, and there are none.
    let user = format!("guest:{PASSWORD_HASH}:65534:65534::{}/./::::::::::::\n", folder.join(ROOT).display());
    fs::write(folder.join("users"), user).expect("the folder is ours");
    let mut index = unpacked("pureftpd", &["pure-ftpd"], "usr/bin/pure-pw");
    let made = index.arg("mkdb").arg(&users).arg("-f").arg(folder.join("users")).status();
    assert!(made.expect("it was unpacked").success(), "Pure-FTPd takes no user");
    let mut command = unpacked("pureftpd", &["pure-ftpd"], "usr/sbin/pure-ftpd");
    command.arg("--bind").arg(format!("{},{}", address.ip(), address.port()));
    command.arg("--login").arg(format!("puredb:{}", users.display())).arg("--pidfile").arg(folder.join("pid"));
    // No look-up of names; system users may log in; everyone stays in its own root.
    command.args(["--dontresolve", "--minuid", "1", "--chrooteveryone"]);
    if !security.tls.is_none() {
        let (certificate, key) = shown(security);
        let both = [certificate, key].map(|file| fs::read(file).expect("it was made for this")).concat();
        fs::write(folder.join("both.pem"), both).expect("the folder is ours");
        // 2: no login in clear; 3: no data either.
        command.arg("--tls=3").arg(format!("--certfile={}", folder.join("both.pem").display()));
        assert!(security.tls == Tls::Explicit && !security.at_most_12, "it is not set up for this");
    }
    command
}

/// Of `secret`. One that is quick to check: a login with the server's own choice takes a second of computing.
const PASSWORD_HASH: &str = "$1$mayfly$eIEdzuWyg9BXsmQi9RHxP0";
