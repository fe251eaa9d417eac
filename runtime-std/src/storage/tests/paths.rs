use super::*;
use mayfly_core::record::FileKind;

#[test]
fn a_made_path_is_found_with_its_records() {
    let host = Host::new();
    let outer = host.make("/a", Some(60));
    let inner = host.make("/a/b", None);
    let state = host.storage.check(&at("/a/b")).unwrap();
    assert_eq!(state.target.unwrap().kind, FileKind::Directory);
    assert_eq!(state.records, [RecordAt { depth: 1, record: outer }, RecordAt { depth: 2, record: inner }]);
    assert_eq!(host.storage.make_directory(&at("/a"), &record(None), None), Err(StorageError::Exists));
    assert_eq!(host.storage.make_directory(&at("/x/y"), &record(None), None), Err(StorageError::NotFound));
}

#[test]
fn a_file_is_stored_listed_and_read() {
    let host = Host::new();
    host.make("/a", None);
    host.store("/a/f", b"content").unwrap();
    assert_eq!(host.read("/a/f").unwrap(), b"content");
    let (entries, end) = host.storage.open_listing(&at("/a"), 100).unwrap().next(100).unwrap();
    assert!(end);
    assert_eq!(entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["f"]);
}

#[test]
fn an_expiry_is_set_while_the_record_is_as_judged() {
    let host = Host::new();
    let judged = host.make("/a", None);
    host.storage.set_expiry(&at("/a"), &judged, Some(START_S + 9)).unwrap();
    assert_eq!(host.records("/a")[0].record.expiry_s, Some(START_S + 9));
    assert_eq!(host.storage.set_expiry(&at("/a"), &judged, None), Err(StorageError::Changed));
    host.clock.advance(std::time::Duration::from_secs(9));
    let now = host.records("/a")[0].record.clone();
    assert_eq!(host.storage.set_expiry(&at("/a"), &now, None), Err(StorageError::Expired));
}
