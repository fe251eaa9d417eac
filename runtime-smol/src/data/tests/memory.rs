//! A storage in memory: what is sent, and what takes what is received.

use mayfly_core::error::StorageError;
use mayfly_core::record::{FileInfo, FileKind, RecordAt};
use mayfly_std::storage::{Download, Upload};
use std::fs::File;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

pub(super) struct MemoryDownload {
    pub(super) file: Option<File>,
    pub(super) bytes: Vec<u8>,
    pub(super) offset_bytes: u64,
}

impl Download for MemoryDownload {
    fn offset_bytes(&self) -> u64 {
        self.offset_bytes
    }

    fn end_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> Result<usize, StorageError> {
        let mut rest = &self.bytes[usize::try_from(offset_bytes).unwrap()..];
        rest.read(buffer).map_err(|_| StorageError::Failed)
    }
}

#[derive(Default)]
pub(super) struct MemoryUpload {
    pub(super) bytes: Arc<Mutex<Vec<u8>>>,
    pub(super) room_bytes: Option<usize>,
}

impl Upload for MemoryUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let mut all = self.bytes.lock().unwrap();
        if self.room_bytes.is_some_and(|room| all.len() + bytes.len() > room) {
            return Err(StorageError::NoSpace);
        }
        all.extend_from_slice(bytes);
        Ok(())
    }

    fn publish(&mut self, _: bool, _: &[RecordAt], _: Option<i64>) -> Result<FileInfo, StorageError> {
        let size_bytes = self.bytes.lock().unwrap().len() as u64;
        Ok(FileInfo {
            kind: FileKind::File,
            size_bytes,
            modified_s: 0,
            unique: String::new(),
            mode: None,
            created_s: None,
            expiry_s: None,
        })
    }

    fn keep(self: Box<Self>) -> Result<(), StorageError> {
        Ok(())
    }

    fn discard(self: Box<Self>) {}
}

/// Takes everything and keeps nothing.
pub(super) struct Sinkhole;

impl Upload for Sinkhole {
    fn write(&mut self, _: &[u8]) -> Result<(), StorageError> {
        Ok(())
    }

    fn publish(&mut self, _: bool, _: &[RecordAt], _: Option<i64>) -> Result<FileInfo, StorageError> {
        Err(StorageError::Failed)
    }

    fn keep(self: Box<Self>) -> Result<(), StorageError> {
        Ok(())
    }

    fn discard(self: Box<Self>) {}
}
