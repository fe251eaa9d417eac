//! `ProFTPD`: knows MLSD, MFMT and REST, and calls an anonymous client `nobody`.

use super::{ROOT, Security, shown, unpacked};
use mayfly_core::client::call::Tls;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// What runs it for anonymous clients.
pub(super) fn command(folder: &Path, address: SocketAddr, security: Security) -> Command {
    let settings = folder.join("proftpd.conf");
    let mut command = unpacked("proftpd-tls", &["proftpd-core", "proftpd-mod-crypto"], "usr/sbin/proftpd");
    let modules = Path::new(command.get_program()).with_file_name("../lib/proftpd");
    fs::write(&settings, tls(&modules, security) + &configuration(address, folder)).expect("the folder is ours");
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

fn tls(modules: &Path, security: Security) -> String {
    if security.tls.is_none() {
        return String::new();
    }
    let (certificate, key) = shown(security);
    let options = if security.tls == Tls::Implicit { "TLSOptions UseImplicitSSL\n" } else { "" };
    let protocols = if security.at_most_12 { "TLSv1.2" } else { "TLSv1.2 TLSv1.3" };
    format!(
        "ModulePath {}\nLoadModule mod_tls.c\nTLSEngine on\nTLSRequired on\nTLSProtocol {protocols}\n{options}\
         TLSECCertificateFile {}\nTLSECCertificateKeyFile {}\n",
        modules.display(),
        certificate.display(),
        key.display()
    )
}
