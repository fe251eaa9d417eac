//! `ProFTPD`: knows MLSD, MFMT and REST, and calls an anonymous client `nobody`.

use super::{ROOT, unpacked};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// What runs it for anonymous clients.
pub(super) fn command(folder: &Path, address: SocketAddr) -> Command {
    let settings = folder.join("proftpd.conf");
    fs::write(&settings, configuration(address, folder)).expect("the folder is ours");
    let mut command = unpacked("proftpd", &["proftpd-core"], "usr/sbin/proftpd");
    command.arg("--nodaemon").arg("--config").arg(settings);
    command
}

fn configuration(address: SocketAddr, folder: &Path) -> String {
    let (ip, port, folder) = (address.ip(), address.port(), folder.display());
    format!(
        "ServerName peer\nServerType standalone\nDefaultServer on\nDefaultAddress {ip}\nPort {port}\nSocketBindTight on\n\
         User nobody\nGroup nogroup\nPidFile {folder}/pid\nScoreboardFile {folder}/scoreboard\nWtmpLog off\n\
         TransferLog none\nSystemLog none\nUseReverseDNS off\nDelayEngine off\nUseFtpUsers off\nRequireValidShell off\n\
         AuthPAM off\nAuthOrder mod_auth_unix.c\nAllowOverwrite on\nAllowStoreRestart on\nAllowRetrieveRestart on\n\
         <Anonymous {folder}/{ROOT}>\nUser nobody\nGroup nogroup\nUserAlias anonymous nobody\n</Anonymous>\n"
    )
}
