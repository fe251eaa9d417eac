//! A small file system to serve, that can run full and turn read-only: a tmpfs that the thread of the test mounts in a
//! mount namespace of its own, so that it is gone with the test however that ends.

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The file system. Only the thread that made it, and what that starts from then on, see it.
#[derive(Debug)]
pub struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    /// Mounts one with this room; `options` are those of tmpfs.
    ///
    /// # Panics
    /// Where this user may not mount.
    #[must_use]
    pub fn mount(options: &str) -> Self {
        let dir = tempfile::tempdir().expect("there is room for a folder");
        unshare(CloneFlags::CLONE_NEWNS)
            .expect("the user of this test may mount: root, or in a container's own namespace");
        let (none, private) = (None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
        mount(none, "/", none, private, none).expect("the namespace is ours");
        mount(Some("none"), dir.path(), Some("tmpfs"), MsFlags::empty(), Some(options)).expect("the namespace is ours");
        Self { dir }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Makes it read-only, or writable again.
    ///
    /// # Panics
    /// Where a file is open for writing.
    pub fn set_read_only(&self, read_only: bool) {
        let flag = if read_only { MsFlags::MS_RDONLY } else { MsFlags::empty() };
        let none = None::<&str>;
        mount(none, self.dir.path(), none, MsFlags::MS_REMOUNT | flag, none).expect("nobody writes there");
    }

    /// Fills it to the last byte; gives the file that does.
    ///
    /// # Panics
    /// Where it fails otherwise than full disks do.
    #[must_use]
    pub fn fill(&self) -> PathBuf {
        let path = self.dir.path().join(BALLAST);
        let mut ballast = File::create(&path).expect("there is an inode left");
        let full = loop {
            if let Err(error) = ballast.write_all(&[0; PAGE_BYTES]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        path
    }

    /// Takes its last inode; gives the folder with all that did.
    ///
    /// # Panics
    /// Where it fails otherwise than full disks do.
    #[must_use]
    pub fn take_inodes(&self) -> PathBuf {
        let path = self.dir.path().join(BALLAST);
        fs::create_dir(&path).expect("there is an inode left");
        let full = (0..).find_map(|number: u32| File::create(path.join(number.to_string())).err());
        assert_eq!(full.map(|error| error.kind()), Some(ErrorKind::StorageFull));
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // If it fails, it goes with the namespace.
        let _ = umount2(self.dir.path(), MntFlags::MNT_DETACH);
    }
}

const BALLAST: &str = "ballast";
/// A tmpfs hands out whole pages.
const PAGE_BYTES: usize = 4096;
