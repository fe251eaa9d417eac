//! What an inode tells about itself.

use mayfly_core::record::{FileInfo, FileKind, MODE_MAX};
use rustix::fs::{AtFlags, FileType, Stat, Statx, StatxFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd};

/// Tells an inode from every other that exists at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

/// What the kernel tells of an inode in one look, the time of its making too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inode {
    id: FileId,
    raw_mode: u32,
    size_bytes: u64,
    modified_s: i64,
    created_s: Option<i64>,
}

impl Inode {
    /// Looks at one name in a directory, never through a link.
    pub(super) fn at(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Self, Errno> {
        let what = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        match rustix::fs::statx(dir, name, AtFlags::SYMLINK_NOFOLLOW, what) {
            Ok(seen) => Ok(Self::from(&seen)),
            // A sandbox that knows no statx: without the time of its making.
            Err(Errno::NOSYS | Errno::PERM) => {
                rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Self::from(&stat))
            }
            Err(errno) => Err(errno),
        }
    }

    /// Looks at what is open.
    pub(super) fn of(handle: impl AsFd) -> Result<Self, Errno> {
        let what = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        match rustix::fs::statx(&handle, "", AtFlags::EMPTY_PATH, what) {
            Ok(seen) => Ok(Self::from(&seen)),
            Err(Errno::NOSYS | Errno::PERM) => rustix::fs::fstat(handle).map(|stat| Self::from(&stat)),
            Err(errno) => Err(errno),
        }
    }

    /// Its identity.
    pub(super) fn id(&self) -> FileId {
        self.id
    }

    /// As a look-up shows it.
    pub(super) fn info(&self) -> FileInfo {
        let kind = kind_of(self.raw_mode);
        FileInfo {
            kind,
            size_bytes: if kind == FileKind::File { self.size_bytes } else { 0 },
            modified_s: self.modified_s,
            unique: unique(self.id),
            mode: u16::try_from(self.raw_mode & u32::from(MODE_MAX)).ok(),
            created_s: self.created_s,
            expiry_s: None,
        }
    }
}

impl From<&Stat> for Inode {
    fn from(stat: &Stat) -> Self {
        Self {
            id: id(stat),
            raw_mode: stat.st_mode,
            size_bytes: size_bytes(stat),
            modified_s: stat.st_mtime,
            created_s: None,
        }
    }
}

impl From<&Statx> for Inode {
    fn from(seen: &Statx) -> Self {
        let has_birth = StatxFlags::from_bits_retain(seen.stx_mask).contains(StatxFlags::BTIME);
        Self {
            id: FileId { device: rustix::fs::makedev(seen.stx_dev_major, seen.stx_dev_minor), inode: seen.stx_ino },
            raw_mode: u32::from(seen.stx_mode),
            size_bytes: seen.stx_size,
            modified_s: seen.stx_mtime.tv_sec,
            created_s: has_birth.then_some(seen.stx_btime.tv_sec),
        }
    }
}

/// The identity of what `stat` describes.
pub(super) fn id(stat: &Stat) -> FileId {
    FileId { device: stat.st_dev, inode: stat.st_ino }
}

/// The same as a look-up shows it.
pub(super) fn unique(id: FileId) -> String {
    format!("{:x}g{:x}", id.device, id.inode)
}

/// What kind of thing it is.
pub(super) fn kind(stat: &Stat) -> FileKind {
    kind_of(stat.st_mode)
}

/// Its length in bytes.
pub(super) fn size_bytes(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}

/// As a look-up shows it, without the time of its making.
pub(super) fn info(stat: &Stat) -> FileInfo {
    Inode::from(stat).info()
}

fn kind_of(raw_mode: u32) -> FileKind {
    match FileType::from_raw_mode(raw_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Link,
        _ => FileKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn both_looks_at_an_inode_agree() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "four").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o4751)).unwrap();
        let here = std::fs::File::open(dir.path()).unwrap();
        let [by_name, by_handle] = [Inode::at(here.as_fd(), b"f"), Inode::of(std::fs::File::open(&path).unwrap())];
        let stat = rustix::fs::stat(&path).unwrap();
        let plain = info(&stat);
        for seen in [by_name.unwrap(), by_handle.unwrap()] {
            assert_eq!(seen.id(), id(&stat));
            assert_eq!(FileInfo { created_s: None, ..seen.info() }, plain);
            assert!(seen.info().created_s.is_none_or(|created_s| created_s <= plain.modified_s));
        }
        assert_eq!((plain.size_bytes, plain.mode), (4, Some(0o4751)));
    }
}
