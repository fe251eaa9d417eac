//! Confining a server's process: it gives up what it does not need before it hears the first client. The command line
//! asks for this; a library's host decides for itself (`ServeOptions::confinement`).
//!
//! The order: ports are bound; [`drop_privileges`]; the root and all that a reload reads are opened, as the user who
//! will read them again; [`lock_down`]; then the first thread starts, for threads that run already would escape.

mod calls;
mod capability;
mod error;
mod paths;
mod report;
mod user;

pub use error::ConfineError;
pub use user::UserName;

use crate::settings::ServeOptions;
use mayfly_core::settings::ActivePort;
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use std::fs::File;
use std::path::{Path, PathBuf};

/// What a server's process gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// Whom to become; none: whoever has started it.
    pub user: Option<UserName>,
    /// Whether landlock keeps all but the root and the folders below out of reach.
    pub landlock: Wanted,
    /// Whether seccomp refuses calls that a server never makes.
    pub seccomp: Wanted,
    /// What new files and directories are not to be allowed; none: as the process was started with.
    pub umask: Option<u16>,
    /// Whether the system may write core dumps, and others of the same user look into this process.
    pub core_dumps: bool,
    /// What a reload reads: it must be readable after the drop, and its folders stay so.
    pub reads: Vec<PathBuf>,
    /// What is written to beside the root and may be opened anew: the log's files. It must be writable after the drop, and
    /// its folders stay so.
    pub writes: Vec<PathBuf>,
}

/// How much an operator wants a protection that the host may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// Where the host has it.
    Auto,
    /// Or the server does not start.
    Require,
    /// Not at all.
    Off,
}

/// Gives up the rights of root, as far as these options say; nothing where they ask for no confinement. To be called
/// once the ports are bound, and before any other thread runs.
///
/// # Errors
/// [`ConfineError`]
pub fn drop_privileges(options: &ServeOptions) -> Result<(), ConfineError> {
    let Some(confinement) = &options.confinement else { return Ok(()) };
    require_one_thread()?;
    if let Some(umask) = confinement.umask {
        rustix::process::umask(Mode::from_raw_mode(umask.into()));
    }
    let keep_ports = needs_low_port(options);
    match &confinement.user {
        Some(name) => user::become_user(name, &options.root, &confinement.writes, keep_ports)?,
        None => capability::narrow(capability::needed(rustix::process::geteuid().is_root(), keep_ports))?,
    }
    if !confinement.core_dumps {
        rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
            .map_err(ConfineError::during("switching core dumps off"))?;
        // The limit does not bind a program that core dumps are piped to; this does.
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
            .map_err(ConfineError::during("switching core dumps off"))?;
    }
    Ok(())
}

/// Becomes the server's user where root works beside it on what stands at `root`: the server could neither read nor replace
/// what root would leave there. `made_by_it` tells who that is; where that is missing it is `user`, or whoever owns the root.
/// Who is not root stays so. To be called before any other thread runs.
///
/// # Errors
/// [`ConfineError`]
pub(crate) fn become_server(root: &Path, made_by_it: &Path, user: Option<&UserName>) -> Result<(), ConfineError> {
    user::become_server(root, made_by_it, user)
}

/// Looks whether the user is there and whether a reload and the log would find their files, as a start does, and changes
/// nothing but this process: it is that user's from then on.
///
/// # Errors
/// [`ConfineError`]
pub(crate) fn rehearse(confinement: &Confinement) -> Result<(), ConfineError> {
    for log in &confinement.writes {
        let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(Err(error)) = folder.map(std::fs::metadata) {
            return Err(ConfineError::Unwritable { path: log.clone(), error });
        }
    }
    let is_he = confinement.user.as_ref().map_or(Ok(true), user::try_on)?;
    if is_he { require_files(confinement) } else { Ok(()) }
}

/// What a reload reads and where the log is written to is within this user's reach.
fn require_files(confinement: &Confinement) -> Result<(), ConfineError> {
    for path in &confinement.reads {
        File::open(path).map_err(|error| ConfineError::Unreadable { path: path.clone(), error })?;
    }
    // What is no file, such as /dev/stderr, is open already, and nobody turns it over.
    for path in confinement.writes.iter().filter(|path| path.is_file()) {
        let opened = File::options().append(true).open(path);
        opened.map_err(|error| ConfineError::Unwritable { path: path.clone(), error })?;
    }
    Ok(())
}

/// Shuts the process off from what a server never needs, looks whether a reload will find its files, and reports it all
/// in one line of the log; nothing where the options ask for no confinement. `openat2` tells whether the kernel confines
/// paths to the root.
///
/// # Errors
/// [`ConfineError`]
pub fn lock_down(options: &ServeOptions, openat2: bool) -> Result<(), ConfineError> {
    let Some(confinement) = &options.confinement else { return Ok(()) };
    require_one_thread()?;
    rustix::thread::set_no_new_privs(true).map_err(ConfineError::during("setting no_new_privs"))?;
    let folders = paths::folders(options, confinement);
    let landlock = paths::restrict(confinement.landlock, &folders)?;
    let seccomp = calls::restrict(confinement.seccomp)?;
    require_files(confinement)?;
    report::tell(options, confinement, &report::State { openat2, landlock, seccomp, folders });
    Ok(())
}

/// Active data connections from port 20 need a right that is root's.
fn needs_low_port(options: &ServeOptions) -> bool {
    const LOW: u16 = 1024;
    let data_port_is_low = |port: u16| port > 1 && port - 1 < LOW;
    let mut ports = options.listen.iter().map(std::net::SocketAddr::port);
    let listens_low = options.listen.is_empty() || ports.any(data_port_is_low);
    options.session.active_port == ActivePort::Data && listens_low
}

/// What confines a thread confines those that it starts, and none that runs already.
fn require_one_thread() -> Result<(), ConfineError> {
    // Without /proc nobody can tell.
    match std::fs::read_dir("/proc/self/task").map(Iterator::count) {
        Ok(count) if count > 1 => Err(ConfineError::Threads { count }),
        _ => Ok(()),
    }
}
