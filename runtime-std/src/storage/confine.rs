//! The root, and the only ways to open anything beneath it.

use super::errno::{during, storage_error};
use super::inode;
use super::name;
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// The handle of the root directory. What is opened through it lies beneath it, and no link leads there (DESIGN 5).
#[derive(Debug)]
pub(super) struct Root {
    fd: OwnedFd,
    confinement: Confinement,
}

/// Who keeps a path beneath the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confinement {
    /// The kernel: `openat2`.
    Kernel,
    /// This module: component by component with `O_NOFOLLOW`, where a kernel or sandbox lacks `openat2`.
    Walk,
}

/// The directory that a path's last name is in, and that name as it is spelt on disk.
#[derive(Debug)]
pub(super) struct Place {
    /// A handle that names can be looked up through, and no more.
    pub(super) parent: OwnedFd,
    /// The spelling that stands there; where none does, the literal one.
    pub(super) name: Vec<u8>,
    /// What stands there.
    pub(super) stat: Option<Stat>,
}

impl Root {
    /// Opens the root and finds out whether the kernel confines.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let fd = rustix::fs::openat(CWD, path, OFlags::RDONLY | DIRECTORY, Mode::empty())?;
        let confinement = match openat2(fd.as_fd(), b".", OFlags::PATH) {
            Ok(_) => Confinement::Kernel,
            Err(Errno::NOSYS | Errno::PERM) => Confinement::Walk,
            Err(errno) => return Err(errno.into()),
        };
        Ok(Self { fd, confinement })
    }

    /// The same root, confined in this way.
    #[cfg(test)]
    pub(super) fn confined_by(mut self, confinement: Confinement) -> Self {
        self.confinement = confinement;
        self
    }

    /// Whether the kernel confines.
    pub(super) fn uses_openat2(&self) -> bool {
        self.confinement == Confinement::Kernel
    }

    /// The root's own handle.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Opens what a relative path of names, without `..`, leads to from a directory beneath the root. A link in the
    /// way or at the end is `ELOOP`, save that `O_PATH` opens one at the end itself.
    pub(super) fn open_beneath(&self, from: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        match self.confinement {
            // Only so are a link at the end and a directory that is none told apart.
            Confinement::Kernel if flags.contains(OFlags::DIRECTORY) => openat2(from, path, flags),
            Confinement::Kernel => openat2(from, path, flags | OFlags::NOFOLLOW),
            Confinement::Walk => open_walking(from, path, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC),
        }
    }

    /// Opens a directory by its path.
    pub(super) fn open_dir(&self, path: &VirtualPath, flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | DIRECTORY;
        if path.is_root() {
            return self.open_beneath(self.fd(), b".", flags);
        }
        if !name::is_escaped(path.as_str()) {
            return self.open_beneath(self.fd(), &path.as_str().as_bytes()[1..], flags);
        }
        let mut dir = self.open_beneath(self.fd(), b".", OFlags::PATH | DIRECTORY)?;
        for component in path.parent().components() {
            dir = self.open_component(dir.as_fd(), component, OFlags::PATH | DIRECTORY)?.0;
        }
        Ok(self.open_component(dir.as_fd(), path.name(), flags)?.0)
    }

    /// Opens one name in a directory, in the first of its spellings that stands there, and tells which.
    pub(super) fn open_component(
        &self,
        dir: BorrowedFd<'_>,
        component: &str,
        flags: OFlags,
    ) -> Result<(OwnedFd, Vec<u8>), Errno> {
        let mut outcome = Err(Errno::NOENT);
        for spelling in name::spellings(component) {
            outcome = self.open_beneath(dir, &spelling, flags).map(|fd| (fd, spelling));
            if !matches!(outcome, Err(Errno::NOENT)) {
                break;
            }
        }
        outcome
    }

    /// Finds where a path's last name is, or would be. The root has no name: `IsDirectory`.
    pub(super) fn place(&self, path: &VirtualPath) -> Result<Place, StorageError> {
        if path.is_root() {
            return Err(StorageError::IsDirectory);
        }
        let parent = self.open_dir(&path.parent(), OFlags::PATH).map_err(during("opening a directory"))?;
        let (name, stat) = find(parent.as_fd(), path.name()).map_err(storage_error)?;
        Ok(Place { parent, name, stat })
    }

    /// Opens a regular file, and never anything else: neither a pipe that would hang nor a device that would act.
    pub(super) fn open_file(&self, place: &Place, flags: OFlags) -> Result<(File, Stat), StorageError> {
        let stat = place.stat.as_ref().ok_or(StorageError::NotFound)?;
        require_file(stat)?;
        let fd = self
            .open_beneath(place.parent.as_fd(), &place.name, flags | OFlags::NONBLOCK | OFlags::NOCTTY)
            .map_err(during("opening a file"))?;
        let stat = rustix::fs::fstat(&fd).map_err(during("looking at a file"))?;
        require_file(&stat)?;
        Ok((File::from(fd), stat))
    }
}

/// Which spelling of a name stands in a directory, and what it is; where none does, the literal one.
pub(super) fn find(dir: BorrowedFd<'_>, component: &str) -> Result<(Vec<u8>, Option<Stat>), Errno> {
    for spelling in name::spellings(component) {
        if let Some(stat) = stat_name(dir, &spelling)? {
            return Ok((spelling, Some(stat)));
        }
    }
    Ok((component.as_bytes().to_vec(), None))
}

/// What one name in a directory is; none: nothing stands there.
pub(super) fn stat_name(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Stat>, Errno> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Whether this very inode stands under a name.
pub(super) fn stands(dir: BorrowedFd<'_>, name: &[u8], id: inode::FileId) -> Result<bool, Errno> {
    Ok(stat_name(dir, name)?.is_some_and(|stat| inode::id(&stat) == id))
}

/// Refuses what is no regular file.
pub(super) fn require_file(stat: &Stat) -> Result<(), StorageError> {
    match inode::kind(stat) {
        mayfly_core::record::FileKind::File => Ok(()),
        mayfly_core::record::FileKind::Directory => Err(StorageError::IsDirectory),
        _ => Err(StorageError::NotFound),
    }
}

/// Opens nothing but a directory.
pub(super) const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// How often the kernel may ask for another try while somebody renames on the way.
const TRIES_MAX: u32 = 64;

fn openat2(from: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let mut outcome = Err(Errno::AGAIN);
    for _ in 0..TRIES_MAX {
        outcome = rustix::fs::openat2(from, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve);
        if !matches!(outcome, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    outcome
}

fn open_walking(from: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut components = path.split(|byte| *byte == b'/').filter(|component| !component.is_empty());
    let last = components.next_back().ok_or(Errno::NOENT)?;
    let mut dir: Option<OwnedFd> = None;
    for component in components {
        let here = dir.as_ref().map_or(from, AsFd::as_fd);
        dir = Some(open_one(here, component, OFlags::PATH | OFlags::NOFOLLOW | DIRECTORY)?);
    }
    open_one(dir.as_ref().map_or(from, AsFd::as_fd), last, flags)
}

fn open_one(dir: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    if name == b".." {
        return Err(Errno::XDEV);
    }
    let outcome = rustix::io::retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::empty()));
    match outcome {
        // openat calls a link no directory, openat2 calls it a link: one of the two must be chosen.
        Err(Errno::NOTDIR) if is_link(dir, name) => Err(Errno::LOOP),
        outcome => outcome,
    }
}

fn is_link(dir: BorrowedFd<'_>, name: &[u8]) -> bool {
    stat_name(dir, name)
        .ok()
        .flatten()
        .is_some_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn roots(dir: &Path) -> [Root; 2] {
        [Confinement::Kernel, Confinement::Walk].map(|how| Root::open(dir).unwrap().confined_by(how))
    }

    #[test]
    fn nothing_outside_the_root_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "secret").unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        symlink(outside.path(), dir.path().join("a/out")).unwrap();
        symlink("b", dir.path().join("a/inside")).unwrap();
        for root in roots(dir.path()) {
            let open = |path: &str, flags| root.open_beneath(root.fd(), path.as_bytes(), flags).map(|_| ());
            assert_eq!(open("a/b", OFlags::RDONLY | DIRECTORY), Ok(()));
            assert_eq!(open("a/out/secret", OFlags::RDONLY), Err(Errno::LOOP));
            assert_eq!(open("a/out", OFlags::RDONLY | DIRECTORY), Err(Errno::LOOP));
            assert_eq!(open("a/inside", OFlags::RDONLY | DIRECTORY), Err(Errno::LOOP));
            assert_eq!(open("../x", OFlags::RDONLY), Err(Errno::XDEV));
            assert_eq!(open("a/c/d", OFlags::RDONLY), Err(Errno::NOENT));
        }
    }

    #[test]
    fn a_link_at_the_end_can_be_looked_at_but_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        symlink("/etc/passwd", dir.path().join("link")).unwrap();
        for root in roots(dir.path()) {
            let fd = root.open_beneath(root.fd(), b"link", OFlags::PATH).unwrap();
            assert!(rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(fd).unwrap().st_mode).is_symlink());
            let place = root.place(&VirtualPath::parse("/link").unwrap()).unwrap();
            assert_eq!(root.open_file(&place, OFlags::RDONLY).map(|_| ()), Err(StorageError::NotFound));
        }
    }

    #[test]
    fn a_pipe_is_not_opened_and_does_not_hang() {
        let dir = tempfile::tempdir().unwrap();
        rustix::fs::mkfifoat(CWD, dir.path().join("pipe"), Mode::RWXU).unwrap();
        for root in roots(dir.path()) {
            let place = root.place(&VirtualPath::parse("/pipe").unwrap()).unwrap();
            assert_eq!(root.open_file(&place, OFlags::RDONLY).map(|_| ()), Err(StorageError::NotFound));
        }
    }

    #[test]
    fn an_escaped_name_leads_to_the_one_that_cannot_be_shown() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
        std::fs::create_dir(&odd).unwrap();
        std::fs::write(odd.join("f"), "odd").unwrap();
        for root in roots(dir.path()) {
            let path = VirtualPath::parse(r"/caf\xe9/f").unwrap();
            let place = root.place(&path).unwrap();
            assert_eq!(root.open_file(&place, OFlags::RDONLY).unwrap().1.st_size, 3);
            let other = VirtualPath::parse(r"/caf\xe8/f").unwrap();
            assert_eq!(root.place(&other).map(|_| ()), Err(StorageError::NotFound));
        }
    }
}
