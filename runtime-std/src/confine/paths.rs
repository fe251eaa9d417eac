//! Landlock: what of the host's files the process can reach at all.

use super::error::ConfineError;
use super::{Confinement, Wanted};
use crate::settings::ServeOptions;
use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};
use std::net::ToSocketAddrs as _;
use std::path::{Path, PathBuf};

/// The folders that stay in reach.
#[derive(Debug, Default)]
pub(super) struct Folders {
    /// All but executing, and making what is neither file nor directory.
    pub(super) storage: Vec<PathBuf>,
    /// Files are made, read and written.
    pub(super) written: Vec<PathBuf>,
    pub(super) read: Vec<PathBuf>,
}

/// The folders that a server of these options needs.
pub(super) fn folders(options: &ServeOptions, confinement: &Confinement) -> Folders {
    let mut read: Vec<PathBuf> = confinement.reads.iter().flat_map(|file| folders_of(file)).collect();
    if !options.passive_hosts.is_empty() {
        // What looks names up is loaded once, and then reads its settings again and again.
        let _ = ("localhost", 0).to_socket_addrs();
        read.extend(RESOLVER.iter().map(PathBuf::from));
        read.extend(folders_of(Path::new("/etc/resolv.conf")));
    }
    let mut written: Vec<PathBuf> = confinement.writes.iter().flat_map(|file| folders_of(file)).collect();
    written.sort();
    written.dedup();
    read.sort();
    read.dedup();
    Folders { storage: vec![options.root.clone()], written, read }
}

/// A file may be replaced under its name, so it is its folder that stays in reach; where it is a link, both.
fn folders_of(file: &Path) -> Vec<PathBuf> {
    if std::fs::metadata(file).is_ok_and(|seen| !seen.is_file()) {
        // A device or pipe comes from elsewhere, and is nobody's to replace.
        return vec![file.to_owned()];
    }
    let above = |file: &Path| match file.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => file.to_owned(),
    };
    let canonical = file.canonicalize().ok().map(|file| above(&file));
    let plain = above(file);
    let plain = plain.canonicalize().unwrap_or(plain);
    [Some(plain), canonical].into_iter().flatten().collect()
}

/// Puts all but these folders out of this thread's reach, and of all that it starts. Tells how that went.
pub(super) fn restrict(wanted: Wanted, folders: &Folders) -> Result<String, ConfineError> {
    if wanted == Wanted::Off {
        return Ok("off".to_owned());
    }
    let why = match enforce(folders) {
        Ok(Some(abi)) => return Ok(format!("enforced (ABI {abi})")),
        Ok(None) => "the kernel has no landlock, or of ABI 1 alone, or it is switched off".to_owned(),
        Err(error) => error.to_string(),
    };
    match wanted {
        Wanted::Require => Err(ConfineError::Missing { what: "landlock", why }),
        _ => Ok(format!("unavailable ({why})")),
    }
}

/// None: the kernel cannot.
fn enforce(folders: &Folders) -> Result<Option<u32>, RulesetError> {
    // ABI 2 is the least: before it no file could be moved from one directory to another.
    let least =
        Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::from_all(ABI::V2));
    let Ok(ruleset) = least else { return Ok(None) };
    let ruleset = ruleset.set_compatibility(CompatLevel::BestEffort);
    let mut ruleset = ruleset.handle_access(AccessFs::from_all(ABI::V5))?.scope(Scope::from_all(ABI::V6))?.create()?;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write =
        read | AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Refer | AccessFs::Truncate;
    let storage = write | AccessFs::MakeDir | AccessFs::RemoveDir;
    for (paths, access) in [(&folders.storage, storage), (&folders.written, write), (&folders.read, read)] {
        for path in paths {
            ruleset = allow(ruleset, path, access)?;
        }
    }
    let status = ruleset.restrict_self()?;
    let enforced = status.ruleset != RulesetStatus::NotEnforced;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, kernel_abi } if enforced => {
            let known = effective_abi as i32;
            u32::try_from(kernel_abi.unwrap_or(known)).ok()
        }
        _ => None,
    })
}

fn allow(
    ruleset: landlock::RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<landlock::RulesetCreated, RulesetError> {
    match PathFd::new(path) {
        Ok(folder) if path.is_dir() => ruleset.add_rule(PathBeneath::new(folder, access)),
        Ok(file) => ruleset.add_rule(PathBeneath::new(file, access & AccessFs::from_file(ABI::V5))),
        // What is not there needs no leave; whoever needs it will say so.
        Err(_) => Ok(ruleset),
    }
}

/// Where the host's name look-up has its settings.
const RESOLVER: [&str; 2] = ["/etc", "/run/systemd/resolve"];
