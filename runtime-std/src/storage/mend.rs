//! What an operator may do to a record that the server does not touch: write a new one in place of one that cannot be
//! read.

use super::confine::{self, DIRECTORY};
use super::errno::during;
use super::local::LocalStorage;
use super::record::{self, Inspected};
use super::{inode, lock};
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{ANONYMOUS, Record, Token};
use rustix::fs::OFlags;
use std::os::fd::AsFd as _;

impl LocalStorage {
    /// Writes a new record in place of one that cannot be read, under the same lock and in the same durable steps as any.
    /// What the old one tells stays: owner, time of making, token. What it does not is this `owner` (none: the anonymous
    /// one), the directory's own time, and a token that nobody knows.
    ///
    /// # Errors
    /// [`StorageError::Changed`], where the record can be read, or there is none; the system's.
    pub(crate) fn replace_damaged(
        &self,
        path: &VirtualPath,
        owner: Option<&str>,
        expiry_s: Option<i64>,
    ) -> Result<(), StorageError> {
        let root = &self.disk.root;
        let failed = during("mending a record");
        let parent = root.open_dir(&path.parent(), OFlags::PATH).map_err(&failed)?;
        let (dir, name) =
            root.open_component(parent.as_fd(), path.name(), OFlags::RDONLY | DIRECTORY).map_err(&failed)?;
        let stat = rustix::fs::fstat(&dir).map_err(&failed)?;
        lock::all(&[lock::exclusive(dir.as_fd())])?;
        if !confine::stands(parent.as_fd(), &name, inode::id(&stat)).map_err(&failed)? {
            return Err(StorageError::Changed);
        }
        let Inspected::Unreadable { salvaged, .. } = record::inspect(root, dir.as_fd()) else {
            return Err(StorageError::Changed);
        };
        let mut record = match salvaged {
            Some(record) => Record { version: 1, ..record },
            None => Record {
                version: 1,
                owner: ANONYMOUS.to_owned(),
                created_s: stat.st_mtime,
                expiry_s: None,
                token: unknown_token()?,
            },
        };
        record.expiry_s = expiry_s;
        if let Some(owner) = owner {
            owner.clone_into(&mut record.owner);
        }
        record::replace(dir.as_fd(), &record)
    }
}

fn unknown_token() -> Result<Token, StorageError> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|_| StorageError::Failed)?;
    Ok(Token(bits))
}
