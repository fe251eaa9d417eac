//! Uploads: received into a file without a name, published whole (DESIGN 5).

use super::confine;
use super::directory::rename_new;
use super::disk::Disk;
use super::errno::{during, during_io};
use super::inode::Inode;
use super::ledger::Counts;
use super::partial::Claimed;
use super::publish::link;
use super::tab::Tab;
use super::{Upload, copy, dated, inode, name, partial};
use mayfly_core::action::UploadBase;
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileInfo, FileKind, RecordAt};
use mayfly_core::user::HomeQuota;
use rustix::fs::{AtFlags, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Opens an upload.
///
/// # Errors
/// As `StorageRequest::OpenWrite` says.
pub(super) fn open(
    disk: Arc<Disk>,
    path: &VirtualPath,
    base: UploadBase,
    announced_bytes: Option<u64>,
    quota: Option<&HomeQuota>,
) -> Result<(FileInfo, Box<dyn Upload>), StorageError> {
    let place = disk.root.place(path)?;
    if place.stat.as_ref().is_some_and(|stat| inode::kind(stat) == FileKind::Directory) {
        return Err(StorageError::IsDirectory);
    }
    if announced_bytes.is_some() || disk.min_free.is_any() {
        disk.min_free.require(place.parent.as_fd(), announced_bytes.unwrap_or(0))?;
    }
    let replaced = match &place.stat {
        Some(stat) if inode::kind(stat) == FileKind::File => Counts::file(inode::size_bytes(stat)),
        _ => Counts::default(),
    };
    let tab = Tab::open(&disk, quota, !matches!(base, UploadBase::Partial { .. }), replaced)?;
    let mut upload = match base {
        UploadBase::Empty => LocalUpload::new(disk, path, place.parent, tab)?,
        UploadBase::Published { keep_bytes } => {
            let (published, stat) = disk.root.open_file(&place, OFlags::RDONLY)?;
            let kept = kept_bytes(keep_bytes, inode::size_bytes(&stat))?;
            let mut upload = LocalUpload::new(disk, path, place.parent, tab)?;
            upload.tab.need(kept)?;
            copy::copy_first(&published, &upload.file, kept).map_err(during_io("copying a file"))?;
            upload.size_bytes = kept;
            upload.base = Some(published);
            upload
        }
        UploadBase::Partial { keep_bytes } => LocalUpload::resume(disk, path, place.parent, tab, keep_bytes)?,
        _ => return Err(StorageError::Failed),
    };
    match announced_bytes {
        Some(bytes) => upload.tab.need(bytes)?,
        None => upload.tab.require_a_byte()?,
    }
    // DESIGN 5: an upload that will be large has its name from the start.
    if announced_bytes >= Some(upload.disk.named_from_bytes) {
        upload.name_early();
    }
    let seen = Inode::of(&upload.file).map_err(during("looking at an upload"))?;
    let info = FileInfo { size_bytes: upload.size_bytes, ..seen.info() };
    Ok((info, Box::new(upload)))
}

/// An upload under way.
pub(super) struct LocalUpload {
    pub(super) disk: Arc<Disk>,
    pub(super) path: VirtualPath,
    /// What it counts for.
    pub(super) tab: Tab,
    /// Where it was opened; a handle to look names up through.
    pub(super) parent: OwnedFd,
    pub(super) file: File,
    pub(super) aside: Aside,
    /// Where the next byte goes.
    pub(super) size_bytes: u64,
    /// Whether what a partial holds beyond `size_bytes` is still there. It is not cut before something better comes.
    has_tail: bool,
    /// So many bytes may still be written before room is looked for again.
    unchecked_bytes: u64,
    /// The date of its own that the file has by now.
    pub(super) dated_s: Option<i64>,
    /// Whether all that was written is as durable as the settings say.
    pub(super) synced: Synced,
    /// The published file that was copied; held open, so that no other file gets its identity.
    pub(super) base: Option<File>,
    /// Its directory was not there when it was to be published last.
    pub(super) was_gone: bool,
}

/// The name that an upload has before it is published.
pub(super) enum Aside {
    /// None; the file is gone when it is closed.
    Unnamed,
    /// None, and another upload owns the name of the partial.
    Refused,
    /// A temporary one, where the file system has no files without a name.
    Temporary(Vec<u8>),
    /// That of the partial, in this directory.
    Partial {
        parts: OwnedFd,
        /// How much of it was there already, if it goes on from a kept one.
        resumed_bytes: Option<u64>,
    },
}

/// What the kernel said of the bytes when they were to be put on the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Synced {
    /// It was not asked, or not since the last of them.
    No,
    Yes,
    /// It tells that once, and drops what it could not write, the kept part that the upload went on from included; the
    /// next time it would say yes.
    Failed,
}

impl LocalUpload {
    fn new(disk: Arc<Disk>, path: &VirtualPath, parent: OwnedFd, mut tab: Tab) -> Result<Self, StorageError> {
        let (file, aside) = make_file(&disk, parent.as_fd()).map_err(during("making a file"))?;
        tab.of(inode::id(&rustix::fs::fstat(&file).map_err(during("looking at an upload"))?));
        Ok(Self {
            disk,
            path: path.clone(),
            tab,
            parent,
            file,
            aside,
            size_bytes: 0,
            has_tail: false,
            unchecked_bytes: 0,
            dated_s: None,
            synced: Synced::No,
            base: None,
            was_gone: false,
        })
    }

    fn resume(
        disk: Arc<Disk>,
        path: &VirtualPath,
        parent: OwnedFd,
        mut tab: Tab,
        keep_bytes: Option<u64>,
    ) -> Result<Self, StorageError> {
        let owned = partial::take(&disk.root, parent.as_fd(), path.name())?;
        let stat = rustix::fs::fstat(&owned.file).map_err(during("looking at a partial"))?;
        let size_bytes = kept_bytes(keep_bytes, inode::size_bytes(&stat))?;
        // What an earlier try at publishing has left there.
        let dated_s = dated::expiry(owned.file.as_fd())?;
        tab.take_over(Counts::file(inode::size_bytes(&stat)), inode::id(&stat));
        Ok(Self {
            disk,
            path: path.clone(),
            tab,
            parent,
            file: owned.file,
            aside: Aside::Partial { parts: owned.parts, resumed_bytes: Some(size_bytes) },
            size_bytes,
            has_tail: size_bytes < inode::size_bytes(&stat),
            unchecked_bytes: 0,
            dated_s,
            synced: Synced::No,
            base: None,
            was_gone: false,
        })
    }

    /// What is to be kept free is looked after every so many bytes, and from the first one on.
    fn require_room(&mut self, next_bytes: usize) -> Result<(), StorageError> {
        let next_bytes = next_bytes as u64;
        if !self.disk.min_free.is_any() {
            return Ok(());
        }
        if self.unchecked_bytes < next_bytes {
            self.disk.min_free.require(self.parent.as_fd(), next_bytes)?;
            self.unchecked_bytes = ROOM_EVERY_BYTES;
        }
        self.unchecked_bytes = self.unchecked_bytes.saturating_sub(next_bytes);
        Ok(())
    }

    /// What is not kept of a partial goes when something better has come.
    pub(super) fn cut_tail(&mut self) -> Result<(), StorageError> {
        if self.has_tail {
            self.file.set_len(self.size_bytes).map_err(during_io("cutting a partial"))?;
            self.has_tail = false;
        }
        Ok(())
    }

    /// Names it before its end, so that it outlives the server. It is a favour, not a promise: what cannot be named now
    /// goes on without.
    fn name_early(&mut self) {
        let is_settled = matches!(self.aside, Aside::Partial { .. } | Aside::Refused);
        if !is_settled && self.set_aside().is_err() {
            self.refuse();
        }
    }

    /// Gives it the name of the partial, unless another upload owns that or it has it already.
    fn set_aside(&mut self) -> Result<(), StorageError> {
        let disk = Arc::clone(&self.disk);
        let _step = disk.ledger.step();
        let (root, parent, name) = (&self.disk.root, self.parent.as_fd(), self.path.name());
        let parts = match &self.aside {
            Aside::Partial { .. } => return Ok(()),
            Aside::Unnamed | Aside::Refused => {
                partial::claim(root, parent, name, &self.file, |dir, to| link(&self.file, dir, to))
            }
            Aside::Temporary(temp) => {
                partial::claim(root, parent, name, &self.file, |dir, to| rename_new(parent, temp, dir, to))
            }
        };
        match parts.map_err(during("keeping a partial"))? {
            Some(Claimed { parts, replaced_bytes }) => {
                self.aside = Aside::Partial { parts, resumed_bytes: None };
                if let Some(bytes) = replaced_bytes {
                    self.disk.ledger.removed(&self.path, Counts::file(bytes));
                }
            }
            None => self.refuse(),
        }
        Ok(())
    }

    /// Not to be tried again with each piece that comes.
    fn refuse(&mut self) {
        if matches!(self.aside, Aside::Unnamed) {
            self.aside = Aside::Refused;
        }
    }

    /// Leaves everything as it was before: without the name that it got, or the partial that it went on from.
    fn forget(&mut self) {
        let disk = Arc::clone(&self.disk);
        let _step = disk.ledger.step();
        let mut stays = Counts::default();
        // What cannot be removed now is swept by the walk.
        match &self.aside {
            Aside::Unnamed | Aside::Refused => {}
            Aside::Temporary(temp) => {
                let _ = rustix::fs::unlinkat(&self.parent, temp, AtFlags::empty());
            }
            // Its tail is gone, if a byte has come; else it is whole.
            Aside::Partial { resumed_bytes: Some(bytes), .. } if self.synced != Synced::Failed => {
                if !self.has_tail {
                    let _ = self.file.set_len(*bytes);
                }
                stays = self.stays();
            }
            Aside::Partial { parts, .. } => {
                if let Ok(true) = self.is_in(parts.as_fd()) {
                    let _ = rustix::fs::unlinkat(parts, self.path.name().as_bytes(), AtFlags::empty());
                }
            }
        }
        self.aside = Aside::Unnamed;
        self.tab.settle(&self.disk, &self.path, stays, Counts::default());
    }

    /// What of it stands as a kept partial.
    fn stays(&self) -> Counts {
        match &self.aside {
            Aside::Partial { .. } => {
                Counts::file(self.file.metadata().map_or(self.size_bytes, |metadata| metadata.len()))
            }
            Aside::Unnamed | Aside::Refused | Aside::Temporary(_) => Counts::default(),
        }
    }

    /// Whether its file is in this directory, under its own name.
    pub(super) fn is_in(&self, parts: BorrowedFd<'_>) -> Result<bool, Errno> {
        confine::stands(parts, self.path.name().as_bytes(), inode::id(&rustix::fs::fstat(&self.file)?))
    }
}

impl Upload for LocalUpload {
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), StorageError> {
        self.require_room(bytes.len())?;
        self.tab.need(self.size_bytes.saturating_add(bytes.len() as u64))?;
        self.cut_tail()?;
        self.synced = Synced::No;
        while !bytes.is_empty() {
            match self.file.write_at(bytes, self.size_bytes) {
                Ok(0) => return Err(StorageError::Failed),
                Ok(count) => {
                    self.size_bytes += count as u64;
                    bytes = &bytes[count..];
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(during_io("writing an upload")(error)),
            }
        }
        if self.size_bytes >= self.disk.named_from_bytes {
            self.name_early();
        }
        Ok(())
    }

    fn publish(&mut self, replace: bool, judged: &[RecordAt], expiry_s: Option<i64>) -> Result<FileInfo, StorageError> {
        let outcome = self.try_publish(replace, judged, expiry_s);
        match outcome {
            Ok(_) | Err(StorageError::Changed) => {}
            // Nothing is wrong with what came, and it may go another time. A favour, not a promise.
            Err(
                StorageError::Busy
                | StorageError::NotFound
                | StorageError::NotDirectory
                | StorageError::RecordUnreadable
                | StorageError::NameTooLong,
            ) => {
                let _ = self.set_aside();
            }
            // What could not be synced may be lost though it can be read still; what has no room shall not take it.
            Err(_) => self.forget(),
        }
        outcome
    }

    fn keep(mut self: Box<Self>) -> Result<(), StorageError> {
        if self.size_bytes == 0 && !self.has_tail {
            // Nothing worth the name; it must not take the place of something that is.
            self.forget();
            return Ok(());
        }
        self.set_aside()
    }

    fn discard(mut self: Box<Self>) {
        self.forget();
    }
}

impl Drop for LocalUpload {
    /// A partial stays, to be resumed; a temporary name goes, as a file without a name does.
    fn drop(&mut self) {
        if matches!(self.aside, Aside::Temporary(_)) {
            self.forget();
        }
        let stays = self.stays();
        self.tab.settle(&self.disk, &self.path, stays, Counts::default());
    }
}

/// How often room is looked for while bytes come: what is kept free may be short by so much for each upload.
const ROOM_EVERY_BYTES: u64 = 1 << 20;

fn kept_bytes(wanted: Option<u64>, there: u64) -> Result<u64, StorageError> {
    match wanted {
        Some(bytes) if bytes > there => Err(StorageError::OffsetBeyondEnd),
        wanted => Ok(wanted.unwrap_or(there)),
    }
}

/// Makes a file without a name in `dir`; where the file system has none such, with a reserved name.
fn make_file(disk: &Disk, dir: BorrowedFd<'_>) -> Result<(File, Aside), Errno> {
    let mode = disk.modes.file;
    if disk.unnamed_files {
        match rustix::fs::openat(dir, c".", OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, mode) {
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => {}
            outcome => return Ok((outcome?.into(), Aside::Unnamed)),
        }
    }
    let temp = name::random(name::TEMP)?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(dir, &temp, flags, mode)?);
    // Held until it is published, so that no sweep takes a slow one for a left-over.
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
    Ok((file, Aside::Temporary(temp)))
}
