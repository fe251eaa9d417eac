//! Files with a date of their own.

use super::*;
use crate::storage::dated;
use mayfly_core::record::EntryRecord;
use mayfly_core::settings::Keep;
use std::os::fd::AsFd;

impl Host {
    /// Uploads a file that lives so many seconds from the start.
    fn store_dated(&self, path: &str, after_s: i64) -> FileInfo {
        let judged = self.records(path);
        let (_, mut upload) = self.storage.open_write(&at(path), UploadBase::Empty, None, None).unwrap();
        upload.write(b"dated").unwrap();
        upload.publish(true, &judged, Some(START_S + after_s)).unwrap()
    }

    fn date_of(&self, path: &str) -> Option<i64> {
        self.storage.check(&at(path)).unwrap().target.unwrap().expiry_s.map(|expiry_s| expiry_s - START_S)
    }

    fn found(&self) -> Vec<(String, i64)> {
        let mut walk = self.storage.walk().unwrap();
        let mut all = Vec::new();
        loop {
            let (found, end) = walk.next(100, 0, 0).unwrap();
            all.extend(found.into_iter().map(|(path, expiry_s)| (path.to_string(), expiry_s - START_S)));
            if end {
                all.sort();
                return all;
            }
        }
    }

    fn move_file(&self, from: &str, to: &str, expiry_s: Option<i64>) -> Result<(), StorageError> {
        let (judged_from, judged_to) = (self.records(from), self.records(to));
        let (from, to) = (at(from), at(to));
        let expiry_s = expiry_s.map(|after_s| START_S + after_s);
        let (judged_from, judged_to) = (judged_from.as_slice(), judged_to.as_slice());
        self.storage.rename(&Rename {
            from: &from,
            to: &to,
            replace: false,
            judged_from,
            judged_to,
            expiry_s,
            quota: None,
        })
    }
}

#[test]
fn a_date_is_shown_wherever_the_file_is_looked_at_and_goes_with_it() {
    let host = Host::new();
    host.make("/a", None);
    assert_eq!(host.store_dated("/a/f", 100).expiry_s, Some(START_S + 100));
    assert_eq!(host.date_of("/a/f"), Some(100));
    let (info, _) = host.storage.open_read(&at("/a/f"), 0, None).unwrap();
    assert_eq!(info.expiry_s, Some(START_S + 100));
    let entries = host.storage.open_listing(&at("/a"), by_name(9)).unwrap().next(9).unwrap().0;
    assert_eq!(entries[0].info.expiry_s, Some(START_S + 100));
    assert_eq!(host.found(), [("/a/f".to_owned(), 100)]);
    host.move_file("/a/f", "/g", None).unwrap();
    assert_eq!(host.date_of("/g"), Some(100));
    host.move_file("/g", "/h", Some(50)).unwrap();
    assert_eq!(host.date_of("/h"), Some(50));
    // Swapped for one that goes earlier since it was judged: a move makes nothing live longer.
    host.move_file("/h", "/i", Some(90)).unwrap();
    assert_eq!(host.date_of("/i"), Some(50));
    host.store("/i", b"anew").unwrap();
    assert_eq!(host.date_of("/i"), None);
}

#[test]
fn another_server_without_keep_hears_of_dated_files_at_its_next_walk() {
    let host = Host::new();
    let other = host.another();
    assert!(!other.storage.disk.has_dated_files());
    host.store_dated("/f", 10);
    assert_eq!(other.date_of("/f"), Some(10), "by its name it is known at once");
    assert_eq!(other.found(), [("/f".to_owned(), 10)]);
    assert!(other.storage.disk.has_dated_files());
}

#[test]
fn an_expired_file_goes_to_the_trash_once_and_leaves_no_tombstone() {
    let host = Host::new();
    let other = host.another();
    host.store_dated("/f", 10);
    for (after_s, outcome) in [(9, Err(StorageError::Changed)), (10, Ok(()))] {
        host.clock.set_utc(START_S + after_s);
        assert_eq!(host.storage.move_to_trash(&at("/f"), START_S + 11), Err(StorageError::Changed), "another date");
        assert_eq!(host.storage.move_to_trash(&at("/f"), START_S + 10), outcome);
    }
    assert_eq!(other.storage.move_to_trash(&at("/f"), START_S + 10), Err(StorageError::NotFound));
    assert_eq!(other.storage.check(&at("/f")).unwrap().tombstone, None);
    assert_eq!(host.storage.empty_trash(10).unwrap().bytes, 5);
}

#[test]
fn an_expired_file_gives_its_name_away() {
    let host = Host::new();
    for name in ["/f", "/g", "/h", "/i"] {
        host.store_dated(name, 10);
    }
    host.store("/new", b"new").unwrap();
    host.make("/dir", None);
    let upload = || {
        let (_, mut upload) = host.storage.open_write(&at("/f"), UploadBase::Empty, None, None).unwrap();
        upload.write(b"fresh").unwrap();
        upload.publish(false, &[], None)
    };
    let make = || host.storage.make_directory(&at("/g"), &record(None), None, None);
    let renames = || [host.move_file("/new", "/h", None), host.move_file("/dir", "/i", None)];
    assert_eq!(upload().map(|_| ()), Err(StorageError::Exists));
    assert_eq!(make(), Err(StorageError::Exists));
    assert_eq!(renames(), [Err(StorageError::Exists), Err(StorageError::Exists)]);
    host.clock.set_utc(START_S + 10);
    assert_eq!(upload().unwrap().expiry_s, None);
    assert_eq!(host.read("/f").unwrap(), b"fresh");
    make().unwrap();
    assert_eq!(renames(), [Ok(()), Ok(())]);
    assert!(host.disk("g").is_dir() && host.disk("i").is_dir());
    assert_eq!(host.read("/h").unwrap(), b"new");
}

#[test]
fn a_date_that_is_none_decides_nothing() {
    let host = Host::new();
    host.store_dated("/f", 10);
    let file = std::fs::File::open(host.disk("f")).unwrap();
    for spoilt in ["", "soon", "99999999999999999999", "1 2"] {
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::fsetxattr(&file, "user.mayfly.expiry", spoilt.as_bytes(), flags).unwrap();
        host.clock.set_utc(START_S + 1_000);
        assert_eq!(host.storage.check(&at("/f")), Err(StorageError::RecordUnreadable), "{spoilt}");
        assert_eq!(host.storage.open_read(&at("/f"), 0, None).map(|_| ()), Err(StorageError::RecordUnreadable));
        assert_eq!(host.storage.move_to_trash(&at("/f"), START_S + 10), Err(StorageError::RecordUnreadable));
        let entries = host.storage.open_listing(&at("/"), by_name(9)).unwrap().next(9).unwrap().0;
        assert_eq!(entries[0].record, EntryRecord::Unreadable);
        assert_eq!(host.found(), []);
    }
    dated::set(file.as_fd(), None).unwrap();
    assert_eq!(host.date_of("/f"), None);
}

#[test]
fn a_resumed_upload_has_the_date_that_it_is_published_with() {
    let host = Host::new();
    let (_, mut upload) = host.storage.open_write(&at("/f"), UploadBase::Empty, None, None).unwrap();
    upload.write(b"half").unwrap();
    // It fails behind the dating, and is kept.
    assert_eq!(
        upload.publish(false, &[RecordAt { depth: 1, record: record(None) }], Some(1)),
        Err(StorageError::Changed)
    );
    upload.keep().unwrap();
    let base = UploadBase::Partial { keep_bytes: None };
    let (_, mut upload) = host.storage.open_write(&at("/f"), base, None, None).unwrap();
    assert_eq!(upload.publish(false, &[], None).unwrap().expiry_s, None);
    assert_eq!(host.date_of("/f"), None);
}

#[test]
fn places_that_keep_files_are_made_and_tried() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let keep = |path: &str| {
        let clock = Arc::new(ManualClock::new(Now { monotonic_ms: 0, utc_s: START_S }));
        let storage = LocalStorage::open(dir.path(), Durability::Data, clock).unwrap();
        storage.with_keep(&[Keep { path: at(path), life_s: 7 }]).map(|storage| storage.disk.has_dated_files())
    };
    assert!(keep("/scans/in").unwrap());
    assert!(dir.path().join("scans/in").is_dir());
    assert_eq!(std::fs::read_dir(dir.path().join("scans/in")).unwrap().count(), 0, "nothing is left of the trial");
    let refused = keep("/file").unwrap_err();
    assert_eq!(refused.to_string(), "keep cannot hold in /file: it is no directory");
    // A file system without such attributes.
    let odd = dir.path().join("odd");
    std::fs::create_dir(&odd).unwrap();
    if let Some(_odd) = Mounted::without_attributes(&odd) {
        let refused = keep("/odd").unwrap_err();
        assert_eq!(refused.to_string(), "keep cannot hold in /odd: its file system has no user extended attributes");
    }
}
