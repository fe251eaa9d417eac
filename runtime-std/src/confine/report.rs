//! The one line that says how the process is confined.

use super::paths::Folders;
use super::{Confinement, capability};
use crate::settings::ServeOptions;
use mayfly_core::settings::RequireTls;
use rustix::fs::{Access, Mode};
use rustix::process::{Resource, getegid, geteuid, getgroups, getrlimit};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use tracing::{info, warn};

/// What came of it.
pub(super) struct State {
    pub(super) openat2: bool,
    pub(super) landlock: String,
    pub(super) seccomp: String,
    pub(super) folders: Folders,
}

/// Tells it, and warns of what a careful operator would not leave so.
pub(super) fn tell(options: &ServeOptions, confinement: &Confinement, state: &State) {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    let groups: Vec<String> = getgroups().unwrap_or_default().iter().map(|gid| gid.as_raw().to_string()).collect();
    let no_new_privs = rustix::thread::no_new_privs().unwrap_or(false);
    let root = std::fs::metadata(&options.root).ok();
    let root = root.map_or_else(String::new, |root| {
        format!("{} ({}:{} {:04o})", options.root.display(), root.uid(), root.gid(), root.mode() & 0o7777)
    });
    info!(
        uid,
        gid,
        groups = groups.join(","),
        capabilities = capability::shown(),
        no_new_privs,
        landlock = state.landlock,
        seccomp = state.seccomp,
        paths = if state.openat2 { "openat2" } else { "walked by component, for this kernel has no openat2" },
        umask = format!("{:04o}", umask_now()),
        core_dumps = getrlimit(Resource::Core).current != Some(0),
        tls = tls(options),
        root,
        anonymous_rights =
            options.session.anonymous_rights.map_or_else(|| "none".to_owned(), |rights| rights.to_string()),
        readable = shown(&state.folders.read),
        writable = shown(&state.folders.written),
        "confined"
    );
    if rustix::fs::access(&options.root, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        warn!(root = %options.root.display(), uid, "this user may not write to the root: nothing can be stored, and nothing that expires is deleted");
    }
    let stays_root = confinement.user.as_ref().is_some_and(super::UserName::is_root);
    if uid == 0 && !stays_root {
        warn!(
            "the server runs as root: make it a user of its own and start with --user NAME (--user root: not said again)"
        );
    }
}

fn tls(options: &ServeOptions) -> &'static str {
    match options.session.tls.map(|rules| rules.require) {
        None => "off",
        Some(RequireTls::Nothing) => "offered",
        Some(RequireTls::Login) => "required to log in",
        Some(_) => "required to log in and for data",
    }
}

fn shown(folders: &[PathBuf]) -> String {
    let shown: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    if shown.is_empty() { "none".to_owned() } else { shown.join(",") }
}

/// The system tells it only to whoever changes it; no other thread runs that could make a file meanwhile.
fn umask_now() -> u32 {
    let umask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::umask(umask);
    umask.as_raw_mode()
}
