//! An upload that may not grow beyond the largest file that the operator wants.

use super::{StorageError, Upload};
use mayfly_core::record::{FileInfo, RecordAt};

/// See the module.
pub(super) struct Capped {
    upload: Box<dyn Upload>,
    left_bytes: u64,
}

impl Capped {
    /// One that goes on from `size_bytes`, and that the client said will be `announced_bytes` long.
    ///
    /// # Errors
    /// [`StorageError::FileTooLarge`] where either is too much already; the upload is forgotten then.
    pub(super) fn new(
        upload: Box<dyn Upload>,
        size_bytes: u64,
        announced_bytes: Option<u64>,
        bytes_max: u64,
    ) -> Result<Self, StorageError> {
        match bytes_max.checked_sub(size_bytes) {
            Some(left_bytes) if announced_bytes.is_none_or(|bytes| bytes <= bytes_max) => {
                Ok(Self { upload, left_bytes })
            }
            _ => {
                upload.discard();
                Err(StorageError::FileTooLarge)
            }
        }
    }
}

impl Upload for Capped {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.left_bytes = self.left_bytes.checked_sub(bytes.len() as u64).ok_or(StorageError::FileTooLarge)?;
        self.upload.write(bytes)
    }

    fn publish(&mut self, replace: bool, judged: &[RecordAt], expiry_s: Option<i64>) -> Result<FileInfo, StorageError> {
        self.upload.publish(replace, judged, expiry_s)
    }

    fn keep(self: Box<Self>) -> Result<(), StorageError> {
        self.upload.keep()
    }

    fn discard(self: Box<Self>) {
        self.upload.discard();
    }
}
