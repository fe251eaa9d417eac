use super::facts::modified;
use super::*;
use mayfly_core::record::{EntryRecord, FileKind};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

fn list(host: &Host, sort_entries_max: u32, batch: u32) -> Vec<String> {
    let mut listing = host.storage.open_listing(&at("/"), by_name(sort_entries_max)).unwrap();
    let mut names = vec![];
    loop {
        let (entries, end) = listing.next(batch).unwrap();
        assert!(entries.len() <= batch as usize);
        names.extend(entries.into_iter().map(|entry| entry.name));
        if end {
            return names;
        }
    }
}

#[test]
fn a_listing_is_sorted_up_to_its_bound_and_whole_beyond_it() {
    let host = Host::new();
    let mut expected: Vec<String> = (0..700).map(|name| format!("f{name:03}")).collect();
    for name in expected.iter().rev() {
        std::fs::write(host.disk(name), "").unwrap();
    }
    assert_eq!(list(&host, 700, 256), expected);
    let mut unsorted = list(&host, 699, 256);
    unsorted.sort();
    expected.sort();
    assert_eq!(unsorted, expected);
}

#[test]
fn a_listing_shows_records_and_neither_reserved_names_nor_special_files() {
    let host = Host::new();
    let own = host.make("/made", Some(5));
    std::fs::create_dir(host.disk("plain")).unwrap();
    std::fs::create_dir(host.disk("broken")).unwrap();
    std::fs::write(host.disk("broken/.mayfly.json"), "?").unwrap();
    std::fs::write(host.disk("file"), "12").unwrap();
    symlink("file", host.disk("link")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, host.disk("pipe"), rustix::fs::Mode::RWXU).unwrap();
    for reserved in [".mayfly-trash", ".mayfly-parts", ".mayfly-tombs", ".mayfly-new-1", ".mayflyx"] {
        std::fs::create_dir_all(host.disk(reserved)).unwrap();
    }
    let (entries, end) = host.storage.open_listing(&at("/"), by_name(100)).unwrap().next(100).unwrap();
    let shown: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.info.kind, e.info.size_bytes, &e.record)).collect();
    assert!(end);
    assert_eq!(
        shown,
        [
            ("broken", FileKind::Directory, 0, &EntryRecord::Unreadable),
            ("file", FileKind::File, 2, &EntryRecord::None),
            ("link", FileKind::Link, 0, &EntryRecord::None),
            ("made", FileKind::Directory, 0, &EntryRecord::Read(own)),
            ("plain", FileKind::Directory, 0, &EntryRecord::None),
        ]
    );
}

#[test]
fn a_directory_that_vanishes_while_it_is_listed_just_ends() {
    let host = Host::new();
    std::fs::create_dir(host.disk("d")).unwrap();
    for name in 0..600 {
        std::fs::write(host.disk(&format!("d/{name}")), "").unwrap();
    }
    let mut listing = host.storage.open_listing(&at("/d"), by_name(10)).unwrap();
    listing.next(5).unwrap();
    std::fs::remove_dir_all(host.disk("d")).unwrap();
    while let (_, false) = listing.next(100).unwrap() {}
    assert_eq!(host.storage.open_listing(&at("/d"), by_name(10)).map(|_| ()), Err(StorageError::NotFound));
}

#[test]
fn a_name_that_cannot_be_shown_is_listed_escaped_and_everything_can_be_done_with_it() {
    each_confinement(|host| {
        let odd = host.dir.path().join(OsStr::from_bytes(b"odd\xff\n"));
        std::fs::create_dir(&odd).unwrap();
        std::fs::write(odd.join(OsStr::from_bytes(b"f\x01")), "content").unwrap();
        assert_eq!(list(&host, 10, 10), [r"odd\xff\x0a"]);
        let path = r"/odd\xff\x0a/f\x01";
        assert_eq!(host.read(path).unwrap(), b"content");
        assert_eq!(host.storage.check(&at(path)).unwrap().target.unwrap().size_bytes, 7);
        host.store(path, b"new").unwrap();
        assert_eq!(std::fs::read(odd.join(OsStr::from_bytes(b"f\x01"))).unwrap(), b"new", "the same name on disk");
        // The literal name comes first.
        std::fs::write(odd.join(r"f\x01"), "literal").unwrap();
        assert_eq!(host.read(path).unwrap(), b"literal");
        host.storage.remove_file(&at(path), None).unwrap();
        host.storage.remove_file(&at(path), None).unwrap();
        assert_eq!(host.storage.remove_file(&at(path), None), Err(StorageError::NotFound));
        host.storage.remove_directory(&at(r"/odd\xff\x0a"), None).unwrap();
        assert!(!odd.exists());
    });
}

#[test]
fn a_link_in_the_way_looks_like_nothing_to_every_call() {
    each_confinement(|host| {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("f"), "secret").unwrap();
        std::fs::create_dir(outside.path().join("d")).unwrap();
        symlink(outside.path(), host.disk("out")).unwrap();
        symlink(outside.path().join("f"), host.disk("link")).unwrap();
        let gone = Err(StorageError::NotFound);
        let storage = &host.storage;
        assert_eq!(storage.check(&at("/out/f")).unwrap(), mayfly_core::record::PathState::default());
        assert_eq!(storage.check(&at("/out")).unwrap().target.unwrap().kind, FileKind::Link);
        assert_eq!(storage.open_read(&at("/out/f"), 0, None).map(|_| ()), gone);
        assert_eq!(storage.open_read(&at("/link"), 0, None).map(|_| ()), gone);
        assert_eq!(storage.open_listing(&at("/out"), by_name(10)).map(|_| ()), gone);
        assert_eq!(storage.open_write(&at("/out/x"), UploadBase::Empty, None, None).map(|_| ()), gone);
        assert_eq!(storage.make_directory(&at("/out/x"), &record(None), None, None), gone);
        assert_eq!(storage.make_directory(&at("/out"), &record(None), None, None), Err(StorageError::Exists));
        assert_eq!(storage.remove_file(&at("/out/f"), None), gone);
        assert_eq!(storage.remove_directory(&at("/out/d"), None), gone);
        assert_eq!(storage.remove_directory(&at("/out"), None), gone);
        assert_eq!(storage.set_facts(&at("/out/f"), &modified(0)), gone);
        assert_eq!(storage.set_facts(&at("/link"), &modified(0)), gone);
        assert_eq!(storage.set_expiry(&at("/out/d"), &record(None), None), gone);
        assert_eq!(storage.move_to_trash(&at("/out/d"), 0), gone);
        assert_eq!(std::fs::read(outside.path().join("f")).unwrap(), b"secret");
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 2);
    });
}

#[test]
fn a_record_that_is_a_link_or_no_record_is_unreadable() {
    let host = Host::new();
    host.make("/a", Some(5));
    for content in ["", "{}", r#"{"version":2,"owner":"x","created_s":0,"token":"00000000000000000000000000000000"}"#] {
        std::fs::write(host.disk("a/.mayfly.json"), content).unwrap();
        assert_eq!(host.storage.check(&at("/a")), Err(StorageError::RecordUnreadable));
        assert_eq!(host.storage.move_to_trash(&at("/a"), START_S), Err(StorageError::RecordUnreadable));
    }
    // What a later version adds is no hindrance, as far as a record may be long.
    let known = r#"{"version":1,"owner":"x","created_s":0,"token":"00000000000000000000000000000000","later":[1]"#;
    for (length, outcome) in [(4095, Ok(None)), (4096, Err(StorageError::RecordUnreadable))] {
        let content = format!("{known}{}}}", " ".repeat(length - known.len() - 1));
        std::fs::write(host.disk("a/.mayfly.json"), content).unwrap();
        let expiry_s = host.storage.check(&at("/a")).map(|state| state.records[0].record.expiry_s);
        assert_eq!(expiry_s, outcome, "{length} bytes");
    }
    std::fs::rename(host.disk("a/.mayfly.json"), host.disk("record")).unwrap();
    symlink(host.disk("record"), host.disk("a/.mayfly.json")).unwrap();
    assert_eq!(host.storage.check(&at("/a")), Err(StorageError::RecordUnreadable));
}

#[test]
fn reading_begins_at_the_offset_and_not_beyond_the_end() {
    let host = Host::new();
    host.store("/f", b"0123").unwrap();
    let (_, download) = host.storage.open_read(&at("/f"), 4, None).unwrap();
    assert_eq!((download.offset_bytes(), download.end_bytes()), (4, 4));
    assert_eq!(host.storage.open_read(&at("/f"), 5, None).map(|_| ()), Err(StorageError::OffsetBeyondEnd));
    assert_eq!(host.storage.open_read(&at("/"), 0, None).map(|_| ()), Err(StorageError::IsDirectory));
}
