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
    assert_eq!(host.storage.make_directory(&at("/a"), &record(None), None, None), Err(StorageError::Exists));
    assert_eq!(host.storage.make_directory(&at("/x/y"), &record(None), None, None), Err(StorageError::NotFound));
}

#[test]
fn a_file_is_stored_listed_and_read() {
    let host = Host::new();
    host.make("/a", None);
    host.store("/a/f", b"content").unwrap();
    assert_eq!(host.read("/a/f").unwrap(), b"content");
    let (entries, end) = host.storage.open_listing(&at("/a"), by_name(100)).unwrap().next(100).unwrap();
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

#[test]
fn what_a_crash_left_behind_hinders_nobody() {
    let host = Host::new();
    // Killed while making a path, and while moving an expired one.
    std::fs::create_dir(host.disk(".mayfly-new-1")).unwrap();
    std::fs::write(host.disk(".mayfly-new-1/.mayfly.json.1"), "{").unwrap();
    std::fs::create_dir(host.disk(".mayfly-tombs")).unwrap();
    std::fs::write(host.disk(".mayfly-tombs/a"), r#"{"expiry_s":5}"#).unwrap();
    std::fs::write(host.disk(".mayfly-tombs/b"), "").unwrap();
    assert_eq!(host.storage.check(&at("/b")).unwrap().tombstone, None);
    host.make("/a", Some(10));
    assert_eq!(host.storage.check(&at("/a")).unwrap().tombstone, None);
    // Killed while writing a record: the old one stands.
    std::fs::write(host.disk("a/.mayfly.json.1"), "{").unwrap();
    let judged = host.records("/a")[0].record.clone();
    host.storage.set_expiry(&at("/a"), &judged, Some(START_S + 20)).unwrap();
    host.storage.remove_directory(&at("/a"), Some(&host.records("/a")[0].record)).unwrap();
}

#[test]
fn a_full_disk_leaves_no_half_made_path_and_no_half_written_record() {
    let host = Host::new();
    std::fs::create_dir(host.disk("small")).unwrap();
    let Some(_mounted) = Mounted::small(&host.disk("small"), "64k") else { return };
    let judged = host.make("/small/a", Some(10));
    let fill = std::fs::write(host.disk("small/fill"), vec![0; 1 << 20]);
    assert!(fill.is_err());
    assert_eq!(host.storage.set_expiry(&at("/small/a"), &judged, None), Err(StorageError::NoSpace));
    assert_eq!(host.records("/small/a")[0].record, judged);
    assert_eq!(host.storage.make_directory(&at("/small/b"), &record(None), None, None), Err(StorageError::NoSpace));
    let left: Vec<_> = ["small", "small/a"]
        .iter()
        .flat_map(|dir| std::fs::read_dir(host.disk(dir)).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".mayfly-new") || name.starts_with(".mayfly.json."))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_name_that_the_file_system_does_not_take_is_missing_and_refused() {
    let host = Host::new();
    let long = format!("/{}", "x".repeat(255));
    host.make(&long, None);
    assert_eq!(host.storage.move_to_trash(&at("/nothing"), 0), Err(StorageError::NotFound));
    assert_eq!(host.storage.check(&at("/f/x")).unwrap(), mayfly_core::record::PathState::default());
    host.store("/f", b"x").unwrap();
    assert_eq!(host.storage.check(&at("/f/x")).unwrap(), mayfly_core::record::PathState::default());
    assert_eq!(host.store("/f/x", b"x"), Err(StorageError::NotDirectory));
    assert_eq!(host.storage.make_directory(&at("/f/x"), &record(None), None, None), Err(StorageError::NotDirectory));
}
