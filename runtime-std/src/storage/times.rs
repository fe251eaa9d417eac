//! Modification times.

use super::confine::{Root, require_file};
use super::errno::during;
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_OMIT};

/// Sets when a file was last modified, UTC seconds.
pub(super) fn set(root: &Root, path: &VirtualPath, modified_s: i64) -> Result<(), StorageError> {
    let place = root.place(path)?;
    require_file(place.stat.as_ref().ok_or(StorageError::NotFound)?)?;
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: modified_s, tv_nsec: 0 },
    };
    rustix::fs::utimensat(&place.parent, &place.name, &times, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(during("setting times"))
}
