//! Seccomp: calls that a server never makes are refused with EPERM, whoever makes them.

use super::Wanted;
use super::error::ConfineError;
use nix::libc;
use rustix::io::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

/// Refuses them to this thread and all that it starts. Tells how that went.
pub(super) fn restrict(wanted: Wanted) -> Result<String, ConfineError> {
    if wanted == Wanted::Off {
        return Ok("off".to_owned());
    }
    let why = match programs()
        .and_then(|programs| programs.iter().try_for_each(|one| seccompiler::apply_filter_all_threads(one)))
    {
        Ok(()) => return Ok(format!("enforced ({} calls refused)", REFUSED.len() + REFUSED_HERE.len())),
        Err(error) => error.to_string(),
    };
    match wanted {
        Wanted::Require => Err(ConfineError::Missing { what: "seccomp", why }),
        _ => Ok(format!("unavailable ({why})")),
    }
}

/// The filters, all of which the kernel asks; the strictest answer counts.
fn programs() -> Result<[BpfProgram; 2], seccompiler::Error> {
    let mut refused = BTreeMap::new();
    for call in REFUSED.iter().chain(REFUSED_HERE) {
        refused.insert(*call, Vec::new());
        // The x32 form of the same call, where the kernel has it: it passes for the same architecture.
        #[cfg(target_arch = "x86_64")]
        refused.insert(*call | X32_BIT, Vec::new());
    }
    #[cfg(target_arch = "x86_64")]
    refused.extend(X32_OWN.iter().map(|call| (*call | X32_BIT, Vec::new())));
    refused.insert(
        libc::SYS_clone,
        each(NAMESPACES.iter().map(|flag| argument(0, SeccompCmpOp::MaskedEq(*flag), *flag)))?,
    );
    refused.insert(libc::SYS_socket, each(FAMILIES.iter().map(|family| argument(0, SeccompCmpOp::Eq, *family)))?);
    // Its flags cannot be looked at; without it the C library takes `clone`.
    let missing = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    Ok([filter(refused, Errno::PERM)?, filter(missing, Errno::NOSYS)?])
}

fn filter(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: Errno) -> Result<BpfProgram, seccompiler::Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let refuse = SeccompAction::Errno(errno.raw_os_error().unsigned_abs());
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into()?)
}

fn each(
    conditions: impl Iterator<Item = Result<SeccompCondition, seccompiler::BackendError>>,
) -> Result<Vec<SeccompRule>, seccompiler::Error> {
    let rules = conditions.map(|condition| SeccompRule::new(vec![condition?]));
    Ok(rules.collect::<Result<_, _>>()?)
}

fn argument(index: u8, compare: SeccompCmpOp, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, compare, value)
}

/// What no FTP server does: run programs, look into others, change what is mounted, load code into the kernel, make
/// links and devices, set the clock, get at files by other ways than their paths.
const REFUSED: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mknodat,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_open,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_setfsgid,
    libc::SYS_setfsuid,
    libc::SYS_setgid,
    libc::SYS_setgroups,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_setregid,
    libc::SYS_setresgid,
    libc::SYS_setresuid,
    libc::SYS_setreuid,
    libc::SYS_settimeofday,
    libc::SYS_setuid,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_symlinkat,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

/// Those that only this architecture has.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[i64] = &[
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_kexec_file_load,
    libc::SYS_mknod,
    libc::SYS_modify_ldt,
    libc::SYS_symlink,
    libc::SYS_uselib,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[i64] = &[];

#[cfg(target_arch = "x86_64")]
const X32_BIT: i64 = 0x4000_0000;
/// Those that have another number there: `execve`, `ptrace`, `kexec_load`, `execveat`, `process_vm_readv` and
/// `process_vm_writev`.
#[cfg(target_arch = "x86_64")]
const X32_OWN: &[i64] = &[520, 521, 528, 545, 539, 540];

/// A new thread may not come with a namespace of its own.
const NAMESPACES: &[u64] = &[
    libc::CLONE_NEWNS as u64,
    libc::CLONE_NEWCGROUP as u64,
    libc::CLONE_NEWUTS as u64,
    libc::CLONE_NEWIPC as u64,
    libc::CLONE_NEWUSER as u64,
    libc::CLONE_NEWPID as u64,
    libc::CLONE_NEWNET as u64,
];

/// Kinds of socket that lead into parts of the kernel that no server of files needs.
const FAMILIES: &[u64] =
    &[libc::AF_PACKET as u64, libc::AF_ALG as u64, libc::AF_VSOCK as u64, libc::AF_BLUETOOTH as u64];
