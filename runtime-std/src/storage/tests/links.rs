//! Links that are followed inside the root, and what must come of those that lead elsewhere.

use super::{Host, START_S, at, by_name, record};
use crate::storage::following::FollowingStorage;
use crate::storage::{Rename, Storage};
use mayfly_core::action::UploadBase;
use mayfly_core::error::StorageError;
use mayfly_core::record::{EntryRecord, FileKind, RecordAt};
use std::fs;
use std::os::unix::fs::symlink;

/// A host and the same root with its links followed.
fn both() -> (Host, FollowingStorage) {
    let host = Host::new();
    let local = crate::storage::local::LocalStorage::open(
        host.dir.path(),
        crate::storage::durability::Durability::None,
        host.clock.clone(),
    );
    (host, FollowingStorage::new(local.unwrap()))
}

fn read(storage: &FollowingStorage, path: &str) -> Result<Vec<u8>, StorageError> {
    let (info, download) = storage.open_read(&at(path), 0, None)?;
    let mut content = vec![0; usize::try_from(info.size_bytes).unwrap()];
    download.read_at(&mut content, 0)?;
    Ok(content)
}

fn store(storage: &FollowingStorage, path: &str, content: &[u8]) -> Result<(), StorageError> {
    let judged = storage.check(&at(path))?.records;
    let (_, mut upload) = storage.open_write(&at(path), UploadBase::Empty, None, None)?;
    upload.write(content)?;
    upload.publish(true, &judged, None).map(drop)
}

#[test]
fn a_link_inside_the_root_is_another_name() {
    let (host, storage) = both();
    fs::create_dir_all(host.disk("a/b")).unwrap();
    fs::write(host.disk("a/b/f"), "text").unwrap();
    symlink("a/b", host.disk("dir")).unwrap();
    symlink("../../a/./b/../b/f", host.disk("a/file")).unwrap();
    symlink("../dir", host.disk("a/twice")).unwrap();
    symlink("caf\u{e9}", host.disk("odd")).unwrap();
    for path in ["/dir/f", "/a/b/f"] {
        assert_eq!(read(&storage, path).unwrap(), b"text", "{path}");
    }
    assert_eq!(read(&storage, "/a/file"), Err(StorageError::NotFound), "its first name leads out of the root");
    fs::remove_file(host.disk("a/file")).unwrap();
    symlink("./b/../b/f", host.disk("a/file")).unwrap();
    assert_eq!(read(&storage, "/a/file").unwrap(), b"text");
    assert_eq!(read(&storage, "/a/twice/f").unwrap(), b"text");
    store(&storage, "/dir/new", b"more").unwrap();
    store(&storage, "/a/file", b"other").unwrap();
    assert_eq!(fs::read(host.disk("a/b/new")).unwrap(), b"more");
    assert_eq!(fs::read(host.disk("a/b/f")).unwrap(), b"other");
    assert!(fs::symlink_metadata(host.disk("a/file")).unwrap().is_symlink());
    storage.make_directory(&at("/dir/made"), &record(None), None, None).unwrap();
    assert!(host.disk("a/b/made").is_dir());
}

#[test]
fn a_link_that_leads_elsewhere_is_none() {
    let (host, storage) = both();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("f"), "secret").unwrap();
    fs::create_dir_all(host.disk("a/b")).unwrap();
    fs::write(host.disk(".mayfly-own"), "own").unwrap();
    symlink(outside.path(), host.disk("absolute")).unwrap();
    // Even one that leads back.
    symlink(host.disk("a"), host.disk("inside")).unwrap();
    let name = outside.path().file_name().unwrap().to_str().unwrap();
    symlink(format!("../../../{name}"), host.disk("a/b/up")).unwrap();
    symlink("absolute/f", host.disk("chain")).unwrap();
    symlink("ring", host.disk("ring")).unwrap();
    symlink(".mayfly-own", host.disk("own")).unwrap();
    symlink("/proc/self/cwd", host.disk("magic")).unwrap();
    for path in ["/absolute", "/inside", "/a/b/up", "/chain", "/ring", "/own", "/magic"] {
        assert_eq!(storage.check(&at(path)).unwrap().target.unwrap().kind, FileKind::Link, "{path}");
        assert!(read(&storage, path).is_err(), "{path}");
        let beneath = format!("{path}/f");
        assert!(storage.check(&at(&beneath)).unwrap().target.is_none(), "{beneath}");
        assert!(read(&storage, &beneath).is_err(), "{beneath}");
        assert!(store(&storage, &beneath, b"evil").is_err(), "{beneath}");
        assert!(storage.open_listing(&at(path), by_name(10)).is_err(), "{path}");
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn both_ways_dates_count() {
    let (host, storage) = both();
    host.make("/early", Some(10));
    host.make("/late", Some(20));
    fs::write(host.disk("late/f"), "text").unwrap();
    symlink("../late", host.disk("early/link")).unwrap();
    symlink("late", host.disk("top")).unwrap();
    let dates = |path: &str| -> Vec<_> {
        let records = storage.check(&at(path)).unwrap().records.into_iter();
        records.map(|RecordAt { depth, record }| (depth, record.expiry_s.unwrap() - START_S)).collect()
    };
    // Its own is its own: SETEXPIRY finds it at the depth of what was asked for.
    assert_eq!(dates("/top"), [(1, 20)]);
    assert_eq!(dates("/top/f"), [(1, 20)]);
    assert_eq!(dates("/early/link"), [(0, 10), (2, 20)]);
    assert_eq!(dates("/early/link/f"), [(0, 10), (2, 20)]);
    let judged = storage.check(&at("/top")).unwrap().records.remove(0).record;
    storage.set_expiry(&at("/top"), &judged, Some(START_S + 5)).unwrap();
    assert_eq!(dates("/late"), [(1, 5)]);
    host.clock.set_utc(START_S + 5);
    assert_eq!(store(&storage, "/top/g", b"late"), Err(StorageError::Expired));
}

#[test]
fn what_was_judged_of_a_link_s_way_must_be_so_still() {
    let (host, storage) = both();
    let made = host.make("/a", Some(10));
    symlink("a", host.disk("top")).unwrap();
    let judged = storage.check(&at("/top/f")).unwrap().records;
    let (_, mut upload) = storage.open_write(&at("/top/f"), UploadBase::Empty, None, None).unwrap();
    upload.write(b"text").unwrap();
    host.storage.set_expiry(&at("/a"), &made, Some(START_S + 9)).unwrap();
    assert_eq!(upload.publish(true, &judged, None), Err(StorageError::Changed));
    let judged = storage.check(&at("/top/f")).unwrap().records;
    upload.publish(true, &judged, None).unwrap();
    assert_eq!(fs::read(host.disk("a/f")).unwrap(), b"text");
}

#[test]
fn the_link_itself_is_nobody_s_to_remove_or_rename() {
    let (host, storage) = both();
    fs::create_dir_all(host.disk("a/b")).unwrap();
    fs::write(host.disk("a/f"), "text").unwrap();
    symlink("a", host.disk("dir")).unwrap();
    symlink("a/f", host.disk("file")).unwrap();
    assert_eq!(storage.remove_file(&at("/file"), None), Err(StorageError::Denied));
    assert!(storage.remove_directory(&at("/dir"), None).is_err());
    let rename = |from: &str, to: &str| {
        let (from, to) = (at(from), at(to));
        storage.rename(&Rename {
            from: &from,
            to: &to,
            replace: true,
            judged_from: &[],
            judged_to: &[],
            expiry_s: None,
            quota: None,
        })
    };
    assert_eq!(rename("/file", "/g"), Err(StorageError::Denied));
    assert!(rename("/a/f", "/file").is_err());
    // Beneath one all is as elsewhere, but that nothing moves into itself by another name.
    rename("/dir/f", "/dir/b/f").unwrap();
    assert_eq!(fs::read(host.disk("a/b/f")).unwrap(), b"text");
    assert_eq!(rename("/a", "/dir/b/a"), Err(StorageError::Denied));
    storage.remove_file(&at("/dir/b/f"), None).unwrap();
    storage.remove_directory(&at("/dir/b"), None).unwrap();
    assert!(!host.disk("a/b").exists());
}

#[test]
fn a_listing_shows_what_a_link_leads_to_unless_that_holds_it() {
    let (host, storage) = both();
    let made = host.make("/a", Some(10));
    fs::write(host.disk("a/f"), "text").unwrap();
    symlink("a", host.disk("dir")).unwrap();
    symlink("a/f", host.disk("file")).unwrap();
    symlink("../a", host.disk("a/loop")).unwrap();
    symlink("nothing", host.disk("dangling")).unwrap();
    symlink("/etc", host.disk("out")).unwrap();
    let listed = |path: &str| {
        let (entries, _) = storage.open_listing(&at(path), by_name(100)).unwrap().next(100).unwrap();
        entries
            .into_iter()
            .map(|entry| (entry.name, entry.info.kind, entry.info.expiry_s, entry.record))
            .collect::<Vec<_>>()
    };
    let dated = || EntryRecord::Read(made.clone());
    let seen = [
        ("a", FileKind::Directory, None, dated()),
        ("dangling", FileKind::Link, None, EntryRecord::None),
        ("dir", FileKind::Directory, None, dated()),
        // What expires with its directory is gone from here too.
        ("file", FileKind::File, Some(START_S + 10), EntryRecord::None),
        ("out", FileKind::Link, None, EntryRecord::None),
    ];
    assert_eq!(listed("/"), seen.map(|(name, kind, expiry_s, record)| (name.to_owned(), kind, expiry_s, record)));
    let seen = [("f", FileKind::File), ("loop", FileKind::Link)];
    let seen = seen.map(|(name, kind)| (name.to_owned(), kind, None, EntryRecord::None));
    assert_eq!(listed("/dir"), seen);
}
