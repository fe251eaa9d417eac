//! vsftpd: knows EPSV, SIZE, MDTM and REST, but neither MLSD nor MFMT.

use super::{ROOT, Security, shown, unpacked};
use mayfly_core::client::call::Tls;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// What runs it for anonymous clients.
pub(super) fn command(folder: &Path, address: SocketAddr, security: Security) -> Command {
    fs::create_dir(folder.join("empty")).expect("the folder is ours");
    let settings = folder.join("vsftpd.conf");
    fs::write(&settings, configuration(address, folder) + &tls(security)).expect("the folder is ours");
    let mut command = unpacked("vsftpd", &["vsftpd"], "usr/sbin/vsftpd");
    command.arg(settings);
    if security.at_most_12 {
        // It has no setting for this.
        let library = folder.join("openssl.cnf");
        fs::write(&library, AT_MOST_12).expect("the folder is ours");
        command.env("OPENSSL_CONF", library);
    }
    command
}

fn configuration(address: SocketAddr, folder: &Path) -> String {
    let (ip, port, folder) = (address.ip(), address.port(), folder.display());
    // Without run_as_launching_user it wants a root that nobody can write to.
    format!(
        "listen=YES\nlisten_address={ip}\nlisten_port={port}\nbackground=NO\nrun_as_launching_user=YES\n\
         seccomp_sandbox=NO\nanonymous_enable=YES\nno_anon_password=YES\nftp_username=nobody\nnopriv_user=nobody\n\
         anon_root={folder}/{ROOT}\nsecure_chroot_dir={folder}/empty\nallow_writeable_chroot=YES\nwrite_enable=YES\n\
         anon_upload_enable=YES\nanon_mkdir_write_enable=YES\nanon_other_write_enable=YES\n\
         anon_world_readable_only=NO\nconnect_from_port_20=NO\n"
    )
}

fn tls(security: Security) -> String {
    if security.tls.is_none() {
        return String::new();
    }
    let (certificate, key) = shown(security);
    let implicit = if security.tls == Tls::Implicit { "YES" } else { "NO" };
    format!(
        "ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_data_ssl=YES\nforce_anon_logins_ssl=YES\nrequire_ssl_reuse=YES\n\
         strict_ssl_read_eof=YES\nssl_ciphers=HIGH\nimplicit_ssl={implicit}\nrsa_cert_file={}\n\
         rsa_private_key_file={}\n",
        certificate.display(),
        key.display()
    )
}

const AT_MOST_12: &str =
    "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = newest\n[newest]\nMaxProtocol = TLSv1.2\n";
