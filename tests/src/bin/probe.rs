//! What a client that had taken a server over could still do: `probe std|smol ROOT OUTSIDE [USER]` binds that driver's
//! server, confined as the command line confines it, and then tries, from a thread of its own, what must not work. It
//! prints a line for each try: its name, and `done` or the number of the system's error.

use mayfly_std::clock::SystemClock;
use mayfly_std::confine::{Confinement, UserName, Wanted};
use mayfly_std::settings::ServeOptions;
use mayfly_std::start::{Serve, StartError};
use nix::mount::MsFlags;
use nix::sched::CloneFlags;
use nix::unistd::Uid;
use rustix::fs::{CWD, FileType, Mode};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::{env, thread};

fn main() -> Result<(), StartError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [driver, root, outside, user @ ..] = arguments.as_slice() else { panic!("probe std|smol ROOT OUTSIDE [USER]") };
    let (root, outside) = (PathBuf::from(root), PathBuf::from(outside));
    let confinement = Confinement {
        user: user.first().and_then(|user| UserName::parse(user)),
        landlock: Wanted::Require,
        seccomp: Wanted::Require,
        umask: Some(0o022),
        core_dumps: false,
        reads: Vec::new(),
        writes: Vec::new(),
    };
    let listen = vec!["127.0.0.1:0".parse().expect("it is an address")];
    let options =
        ServeOptions { listen, root: root.clone(), confinement: Some(confinement), ..ServeOptions::default() };
    match driver.as_str() {
        "std" => try_all::<mayfly_std::listen::Server>(&options, &root, &outside),
        _ => try_all::<mayfly_smol::Server>(&options, &root, &outside),
    }
}

fn try_all<S: Serve>(options: &ServeOptions, root: &Path, outside: &Path) -> Result<(), StartError> {
    let _server = S::bind(options, Arc::new(SystemClock))?;
    let (root, outside) = (root.to_owned(), outside.to_owned());
    let tries = thread::spawn(move || {
        try_inside(&root);
        try_outside(&root, &outside);
        try_calls(&root);
    });
    tries.join().expect("no try panics");
    Ok(())
}

/// What a server does all day.
fn try_inside(root: &Path) {
    tell("inside: write", fs::write(root.join("a"), "a"));
    tell("inside: read", fs::read(root.join("a")));
    tell("inside: make a directory", fs::create_dir(root.join("d")));
    tell("inside: rename across directories", fs::rename(root.join("a"), root.join("d/b")));
    tell("inside: link across directories", fs::hard_link(root.join("d/b"), root.join("c")));
    tell("inside: list", fs::read_dir(root));
    tell("inside: cut", File::options().write(true).truncate(true).open(root.join("c")));
    tell("inside: remove", fs::remove_file(root.join("c")));
}

/// `outside` is open to everybody, and holds a file `canary` that is open to everybody.
fn try_outside(root: &Path, outside: &Path) {
    let canary = outside.join("canary");
    tell("outside: read", File::open(&canary));
    tell("outside: write", File::options().write(true).open(&canary));
    tell(
        "outside: cut",
        rustix::fs::open(&canary, rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::TRUNC, Mode::empty()),
    );
    tell("outside: make a file", File::create(outside.join("new")));
    tell("outside: make a directory", fs::create_dir(outside.join("new")));
    tell("outside: list", fs::read_dir(outside));
    tell("outside: remove", fs::remove_file(&canary));
    tell("outside: move in", fs::rename(&canary, root.join("canary")));
    tell("outside: move out", fs::rename(root.join("d/b"), outside.join("b")));
    tell("outside: link in", fs::hard_link(&canary, root.join("canary")));
    tell("outside: read by a link", rustix::fs::open(root.join("link"), rustix::fs::OFlags::RDONLY, Mode::empty()));
    tell("outside: users of the host", File::open("/etc/passwd"));
    tell("outside: memory of another", File::open("/proc/1/mem"));
}

fn try_calls(root: &Path) {
    tell("call: exec", Command::new("/bin/true").status());
    tell("call: ptrace", nix::sys::ptrace::traceme());
    tell("call: mount", nix::mount::mount(Some("none"), root, Some("tmpfs"), MsFlags::empty(), None::<&str>));
    tell("call: unmount", nix::mount::umount(root));
    tell("call: chroot", nix::unistd::chroot(root));
    tell("call: unshare", nix::sched::unshare(CloneFlags::CLONE_NEWUSER));
    tell("call: become root", nix::unistd::setuid(Uid::from_raw(0)));
    tell("call: symlink", std::os::unix::fs::symlink("/etc", root.join("made")));
    let pipe = rustix::fs::mknodat(CWD, root.join("pipe"), FileType::Fifo, Mode::RWXU, 0);
    tell("call: make a pipe", pipe);
    let ourselves = rustix::process::getpid();
    tell("call: open a process", rustix::process::pidfd_open(ourselves, rustix::process::PidfdFlags::empty()));
    tell("call: set the name", nix::unistd::sethostname(nix::unistd::gethostname().unwrap_or_default()));
}

fn tell<T, E: Into<io::Error>>(what: &str, outcome: Result<T, E>) {
    let outcome = match outcome.map_err(Into::into) {
        Ok(_) => "done".to_owned(),
        Err(error) => error.raw_os_error().map_or_else(|| error.to_string(), |code| code.to_string()),
    };
    writeln!(io::stdout(), "{what}: {outcome}").expect("standard output stands");
}
