//! The local storage as its callers see it, on a temporary directory and a clock that is moved by hand.

mod paths;

use super::Storage;
use super::local::{Durability, LocalStorage};
use crate::clock::ManualClock;
use mayfly_core::action::UploadBase;
use mayfly_core::error::StorageError;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileInfo, Record, RecordAt, Token};
use mayfly_core::time::Now;
use std::path::PathBuf;
use std::sync::Arc;

/// A root with a storage on it.
struct Host {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    storage: LocalStorage,
}

const START_S: i64 = 1_000_000;

impl Host {
    fn new() -> Self {
        Self::on(tempfile::tempdir().unwrap())
    }

    fn on(dir: tempfile::TempDir) -> Self {
        let clock = Arc::new(ManualClock::new(Now { monotonic_ms: 0, utc_s: START_S }));
        let storage = LocalStorage::open(dir.path(), Durability::Data, clock.clone()).unwrap();
        Self { dir, clock, storage }
    }

    fn disk(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Makes a storage path that expires so many seconds after the start.
    fn make(&self, path: &str, expiry_s: Option<i64>) -> Record {
        let record = record(expiry_s);
        self.storage.make_directory(&at(path), &record, None).unwrap();
        record
    }

    fn records(&self, path: &str) -> Vec<RecordAt> {
        self.storage.check(&at(path)).unwrap().records
    }

    /// Uploads as a session does: checks, opens, writes, publishes.
    fn store(&self, path: &str, content: &[u8]) -> Result<FileInfo, StorageError> {
        let judged = self.records(path);
        let (_, mut upload) = self.storage.open_write(&at(path), UploadBase::Empty, None)?;
        upload.write(content)?;
        upload.publish(true, &judged)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        let (info, download) = self.storage.open_read(&at(path), 0)?;
        let mut content = vec![0; usize::try_from(info.size_bytes).unwrap()];
        let read = download.read_at(&mut content, 0)?;
        assert_eq!(read, content.len());
        Ok(content)
    }
}

fn at(path: &str) -> VirtualPath {
    VirtualPath::parse(path).unwrap()
}

fn record(expiry_s: Option<i64>) -> Record {
    let mut token = [0; 16];
    getrandom::fill(&mut token).unwrap();
    let expiry_s = expiry_s.map(|after| START_S + after);
    Record { version: 1, owner: "anonymous".into(), created_s: START_S, expiry_s, token: Token(token) }
}
