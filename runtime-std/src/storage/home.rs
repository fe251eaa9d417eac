//! Users' homes: plain directories, which are the operator's and never expire.

use super::confine;
use super::disk::Disk;
use super::errno::during;
use super::inode;
use super::ledger::Counts;
use super::record;
use super::way::Way;
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::FileKind;
use rustix::io::Errno;

/// Makes the directory and those on the way to it, where they are missing.
pub(super) fn make(disk: &Disk, path: &VirtualPath) -> Result<(), StorageError> {
    (1..=path.depth()).try_for_each(|depth| make_one(disk, &path.ancestor(depth)))
}

fn make_one(disk: &Disk, path: &VirtualPath) -> Result<(), StorageError> {
    let way = Way::hold_shared(&disk.root, &path.parent())?;
    let parent = way.dir();
    let (_, standing) = confine::find(parent, path.name()).map_err(during("looking at a name"))?;
    match standing.map(|stat| inode::kind(&stat)) {
        Some(FileKind::Directory) => return Ok(()),
        // A link is not followed, wherever it leads.
        Some(_) => return Err(StorageError::NotDirectory),
        None => {}
    }
    way.require_living(disk.utc_s())?;
    match rustix::fs::mkdirat(parent, path.name(), disk.modes.directory) {
        Ok(()) => {}
        // Another login of the same user was faster, or somebody put something else there.
        Err(Errno::EXIST) => return Way::hold_shared(&disk.root, path).map(drop),
        Err(errno) => return Err(during("making a home")(errno)),
    }
    disk.ledger.added(path, Counts::directory());
    rustix::fs::fsync(parent).map_err(during("syncing a directory"))?;
    record::drop_tombstone(&disk.root, parent, path.name());
    Ok(())
}
