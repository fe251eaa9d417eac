//! What an inode tells about itself.

use mayfly_core::record::{FileInfo, FileKind};
use rustix::fs::{FileType, Stat};

/// Tells an inode from every other that exists at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

/// The identity of what `stat` describes.
pub(super) fn id(stat: &Stat) -> FileId {
    FileId { device: stat.st_dev, inode: stat.st_ino }
}

/// What kind of thing it is.
pub(super) fn kind(stat: &Stat) -> FileKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        _ => FileKind::Other,
    }
}

/// Its length in bytes.
pub(super) fn size_bytes(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}

/// As a look-up shows it.
pub(super) fn info(stat: &Stat) -> FileInfo {
    let kind = kind(stat);
    FileInfo {
        kind,
        size_bytes: if kind == FileKind::File { size_bytes(stat) } else { 0 },
        modified_s: stat.st_mtime,
        unique: format!("{:x}g{:x}", stat.st_dev, stat.st_ino),
    }
}
