//! vsftpd: knows EPSV, SIZE, MDTM and REST, but neither MLSD nor MFMT.

use super::{ROOT, unpacked};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// What runs it for anonymous clients.
pub(super) fn command(folder: &Path, address: SocketAddr) -> Command {
    fs::create_dir(folder.join("empty")).expect("the folder is ours");
    let settings = folder.join("vsftpd.conf");
    fs::write(&settings, configuration(address, folder)).expect("the folder is ours");
    let mut command = unpacked("vsftpd", &["vsftpd"], "usr/sbin/vsftpd");
    command.arg(settings);
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
