//! Files that are being sent.

use super::confine::Root;
use super::errno::during_io;
use super::{Download, dated, inode};
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::FileInfo;
use rustix::fs::OFlags;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

/// Opens a file to be sent from `offset_bytes` on, up to `end_bytes` or its end.
///
/// # Errors
/// [`StorageError::OffsetBeyondEnd`]; what hinders the opening.
pub(super) fn open(
    root: &Root,
    path: &VirtualPath,
    offset_bytes: u64,
    end_bytes: Option<u64>,
) -> Result<(FileInfo, Box<dyn Download>), StorageError> {
    let place = root.place(path)?;
    let (file, stat) = root.open_file(&place, OFlags::RDONLY)?;
    let info = FileInfo { expiry_s: dated::expiry(file.as_fd())?, ..inode::info(&stat) };
    if offset_bytes > info.size_bytes {
        return Err(StorageError::OffsetBeyondEnd);
    }
    let end_bytes = end_bytes.map_or(info.size_bytes, |end| end.min(info.size_bytes));
    let download = LocalDownload { file, offset_bytes, end_bytes };
    Ok((info, Box::new(download)))
}

struct LocalDownload {
    file: File,
    offset_bytes: u64,
    end_bytes: u64,
}

impl Download for LocalDownload {
    fn offset_bytes(&self) -> u64 {
        self.offset_bytes
    }

    fn end_bytes(&self) -> u64 {
        self.end_bytes
    }

    fn file(&self) -> Option<&File> {
        Some(&self.file)
    }

    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> Result<usize, StorageError> {
        loop {
            match self.file.read_at(buffer, offset_bytes) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                outcome => return outcome.map_err(during_io("reading a file")),
            }
        }
    }
}
