//! Where in a local directory something lies that a server names. No name leads out of it, and none through a link
//! that somebody has put there.

use super::source::fault;
use mayfly_core::client::event::Fault;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A directory, held open.
pub(super) type Place = OwnedFd;

/// The directory that holds the file `name`, a path below `directory`; and the name that it has there. What is missing
/// of the directories is made.
pub(super) fn of_file(directory: &Path, name: &str) -> Result<(Place, String), Fault> {
    let (parents, last) = name.rsplit_once('/').map_or((None, name), |(parents, last)| (Some(parents), last));
    if !is_plain(last) {
        return Err(Fault(format!("{last:?} cannot be the name of a file")));
    }
    let place = match parents {
        Some(parents) => of_directory(directory, parents)?,
        None => of_root(directory)?,
    };
    Ok((place, last.to_owned()))
}

/// The directory `name`, a path below `directory`, made as far as it is missing.
pub(super) fn of_directory(directory: &Path, name: &str) -> Result<Place, Fault> {
    name.split('/').try_fold(of_root(directory)?, |place, part| {
        if !is_plain(part) {
            return Err(Fault(format!("{name:?} cannot be the name of a directory")));
        }
        enter(&place, part).map_err(|errno| match errno {
            Errno::LOOP | Errno::NOTDIR => Fault(format!("{part} in {name} is no directory, or a link to one")),
            errno => fault(&errno.into()),
        })
    })
}

/// The directory itself, made if missing.
pub(super) fn of_root(directory: &Path) -> Result<Place, Fault> {
    fs::create_dir_all(directory).map_err(|error| fault(&error))?;
    // The user has named it, and may have meant a link.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, directory, flags, Mode::empty()).map_err(|errno| fault(&errno.into()))
}

fn enter(place: &Place, part: &str) -> Result<Place, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || rustix::fs::openat(place, part, flags, Mode::empty());
    match open() {
        Err(Errno::NOENT) => {
            match rustix::fs::mkdirat(place, part, Mode::from_raw_mode(0o777)) {
                // Another job needed it too.
                Ok(()) | Err(Errno::EXIST) => open(),
                Err(errno) => Err(errno),
            }
        }
        opened => opened,
    }
}

/// Whether this is one name in one directory.
pub(super) fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains('/') && !name.contains(char::is_control)
}
