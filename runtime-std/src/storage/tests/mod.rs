//! The local storage as its callers see it, on a temporary directory and a clock that is moved by hand.

mod dated;
mod facts;
mod homes;
mod kill;
mod links;
mod names;
mod paths;
mod quotas;
mod races;
mod reading;
mod reaping;
mod renames;
mod trash;
mod uploads;
mod walk;

use super::confine::{Confinement, Root};
use super::disk::Disk;
use super::durability::Durability;
use super::local::LocalStorage;
use super::{ListingQuery, Rename, Storage, Upload};
use crate::clock::ManualClock;
use mayfly_core::action::{ListingDetail, UploadBase};
use mayfly_core::error::StorageError;
use mayfly_core::listing::options::ListingOrder;
use mayfly_core::path::VirtualPath;
use mayfly_core::record::{FileInfo, Record, RecordAt, Token};
use mayfly_core::time::Now;
use std::path::PathBuf;
use std::sync::Arc;

/// A root with a storage on it.
struct Host {
    dir: Arc<tempfile::TempDir>,
    clock: Arc<ManualClock>,
    storage: LocalStorage,
}

/// All of a directory, sorted by name up to so many entries.
fn by_name(sort_entries_max: u32) -> ListingQuery {
    ListingQuery { sort_entries_max, order: ListingOrder::default(), detail: ListingDetail::Attributes }
}

const START_S: i64 = 1_000_000;

impl Host {
    fn new() -> Self {
        Self::on(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// Another server on the same root, with a clock of its own that shows the same.
    fn another(&self) -> Self {
        let host = Self::on(Arc::clone(&self.dir));
        host.clock.set_utc(self.storage.disk.utc_s());
        host
    }

    fn on(dir: Arc<tempfile::TempDir>) -> Self {
        let clock = Arc::new(ManualClock::new(Now { monotonic_ms: 0, utc_s: START_S }));
        let storage = LocalStorage::open(dir.path(), Durability::Data, clock.clone()).unwrap();
        Self { dir, clock, storage }
    }

    /// Changes what is not for operators to set.
    fn tune(&mut self, change: impl FnOnce(&mut Disk)) {
        change(Arc::get_mut(&mut self.storage.disk).unwrap());
    }

    /// A whole walk that sweeps what is older.
    fn walk(&self, before_s: i64) {
        let mut walk = self.storage.walk().unwrap();
        while let (_, false) = walk.next(100, before_s, before_s).unwrap() {}
    }

    fn disk(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Makes a storage path that expires so many seconds after the start.
    fn make(&self, path: &str, expiry_s: Option<i64>) -> Record {
        let record = record(expiry_s);
        self.storage.make_directory(&at(path), &record, None, None).unwrap();
        record
    }

    fn records(&self, path: &str) -> Vec<RecordAt> {
        self.storage.check(&at(path)).unwrap().records
    }

    /// Uploads as a session does: checks, opens, writes, publishes.
    fn store(&self, path: &str, content: &[u8]) -> Result<FileInfo, StorageError> {
        let judged = self.records(path);
        let (_, mut upload) = self.storage.open_write(&at(path), UploadBase::Empty, None, None)?;
        upload.write(content)?;
        upload.publish(true, &judged, None)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        let (info, download) = self.storage.open_read(&at(path), 0, None)?;
        let mut content = vec![0; usize::try_from(info.size_bytes).unwrap()];
        let read = download.read_at(&mut content, 0)?;
        assert_eq!(read, content.len());
        Ok(content)
    }
}

/// With and without the kernel's help.
fn each_confinement(test: impl Fn(Host)) {
    for confinement in [Confinement::Kernel, Confinement::Walk] {
        let mut host = Host::new();
        let root = Root::open(host.dir.path()).unwrap().confined_by(confinement);
        host.tune(|disk| disk.root = root);
        test(host);
    }
}

/// A file system that goes when it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// A small one. None: this process may not mount, so what needs a small disk cannot be tried here.
    fn small(at: &std::path::Path, size: &str) -> Option<Self> {
        Self::mount(at, &["-t", "tmpfs", "-o", &format!("size={size}")])
    }

    /// One without extended attributes.
    fn without_attributes(at: &std::path::Path) -> Option<Self> {
        Self::mount(at, &["-t", "ramfs"])
    }

    fn mount(at: &std::path::Path, flags: &[&str]) -> Option<Self> {
        let status = std::process::Command::new("mount").args(flags).arg("mayfly-test").arg(at).status();
        status.is_ok_and(|status| status.success()).then(|| Self(at.to_path_buf()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
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
