use super::*;
use std::time::Duration;

impl Host {
    fn empty(&self) -> u64 {
        let mut bytes = 0;
        for _ in 0..1000 {
            let emptied = self.storage.empty_trash(16).unwrap();
            bytes += emptied.bytes;
            if emptied.end {
                return bytes;
            }
        }
        panic!("the trash does not empty");
    }

    fn trash_names(&self) -> usize {
        std::fs::read_dir(self.disk(".mayfly-trash")).map_or(0, Iterator::count)
    }
}

#[test]
fn an_expired_path_goes_and_its_tombstone_answers_for_all_beneath_it() {
    let host = Host::new();
    host.make("/a", Some(10));
    host.make("/a/b", None);
    host.store("/a/b/f", &[7; 1000]).unwrap();
    host.clock.advance(Duration::from_secs(9));
    assert_eq!(host.storage.move_to_trash(&at("/a"), START_S + 10), Err(StorageError::Changed));
    assert!(host.storage.check(&at("/a/b")).unwrap().target.is_some());
    host.clock.advance(Duration::from_secs(1));
    assert_eq!(host.storage.move_to_trash(&at("/a"), START_S + 9), Err(StorageError::Changed));
    host.storage.move_to_trash(&at("/a"), START_S + 10).unwrap();
    assert_eq!(host.storage.move_to_trash(&at("/a"), START_S + 10), Err(StorageError::NotFound));
    for path in ["/a", "/a/b", "/a/b/f", "/a/x"] {
        let state = host.storage.check(&at(path)).unwrap();
        assert_eq!(state.tombstone.map(|tombstone| tombstone.expiry_s), Some(START_S + 10), "{path}");
        assert_eq!((state.target, state.records.len()), (None, 0));
    }
    assert_eq!(host.storage.check(&at("/b")).unwrap().tombstone, None);
    assert!(host.empty() >= 1000);
    assert_eq!(host.trash_names(), 0);
    assert!(host.storage.empty_trash(16).unwrap().end);
}

#[test]
fn a_path_made_anew_replaces_the_expired_one_and_drops_its_tombstone() {
    let host = Host::new();
    let old = host.make("/a", Some(10));
    host.store("/a/f", b"old").unwrap();
    let new = record(Some(100));
    assert_eq!(host.storage.make_directory(&at("/a"), &new, Some(&old), None), Err(StorageError::Changed), "it lives");
    host.clock.advance(Duration::from_secs(10));
    assert_eq!(host.storage.make_directory(&at("/a"), &new, Some(&new), None), Err(StorageError::Changed));
    host.storage.make_directory(&at("/a"), &new, Some(&old), None).unwrap();
    assert_eq!(host.read("/a/f"), Err(StorageError::NotFound));
    assert_eq!(host.records("/a")[0].record, new);
    // The reaper of another server comes late: it must not take the new one.
    assert_eq!(host.storage.move_to_trash(&at("/a"), START_S + 10), Err(StorageError::Changed));
    host.clock.advance(Duration::from_secs(90));
    host.storage.move_to_trash(&at("/a"), START_S + 100).unwrap();
    host.make("/a", Some(500));
    let again = host.records("/a")[0].record.clone();
    host.storage.remove_directory(&at("/a"), Some(&again)).unwrap();
    assert_eq!(host.storage.check(&at("/a")).unwrap().tombstone, None);
}

#[test]
fn nothing_is_made_inside_what_has_expired() {
    let host = Host::new();
    host.make("/a", Some(10));
    host.clock.advance(Duration::from_secs(10));
    assert_eq!(host.storage.make_directory(&at("/a/b"), &record(None), None, None), Err(StorageError::Expired));
}

#[test]
fn a_deep_tree_with_links_is_deleted_and_no_link_is_followed() {
    let host = Host::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("kept"), "kept").unwrap();
    let deep: PathBuf = std::iter::repeat_n("d", 300).collect();
    host.make("/a", Some(0));
    std::fs::create_dir_all(host.disk("a").join(&deep)).unwrap();
    std::os::unix::fs::symlink(outside.path(), host.disk("a/link")).unwrap();
    std::os::unix::fs::symlink(outside.path(), host.disk("a").join(&deep).join("link")).unwrap();
    host.storage.move_to_trash(&at("/a"), START_S).unwrap();
    host.empty();
    assert_eq!(host.trash_names(), 0);
    assert!(outside.path().join("kept").exists());
}

#[test]
fn what_a_killed_server_left_in_the_trash_is_deleted_by_the_next() {
    let host = Host::new();
    for name in 0..50 {
        std::fs::create_dir_all(host.disk(&format!(".mayfly-trash/t{name}/x/y"))).unwrap();
        std::fs::write(host.disk(&format!(".mayfly-trash/t{name}/x/y/f")), [0; 10]).unwrap();
    }
    host.storage.empty_trash(20).unwrap();
    let host = host.another();
    host.empty();
    assert_eq!(host.trash_names(), 0);
}

#[test]
fn two_servers_empty_one_trash_together() {
    let host = Host::new();
    for name in 0..200 {
        std::fs::create_dir_all(host.disk(&format!(".mayfly-trash/t{name}/x"))).unwrap();
        std::fs::write(host.disk(&format!(".mayfly-trash/t{name}/x/f")), [0; 10]).unwrap();
    }
    let other = host.another();
    let bytes = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| other.empty());
        host.empty() + theirs.join().unwrap()
    });
    assert_eq!(bytes, 2000, "each byte is counted by whoever freed it");
    assert_eq!(host.trash_names(), 0);
}

#[test]
fn what_cannot_be_deleted_is_an_error_and_the_rest_goes() {
    let host = Host::new();
    let mount = host.disk(".mayfly-trash/b/mount");
    std::fs::create_dir_all(&mount).unwrap();
    let Some(mounted) = Mounted::small(&mount, "64k") else { return };
    std::fs::create_dir_all(host.disk(".mayfly-trash/a")).unwrap();
    std::fs::create_dir_all(host.disk(".mayfly-trash/c/d")).unwrap();
    let outcome = std::iter::repeat_with(|| host.storage.empty_trash(16)).take(100).find_map(Result::err);
    assert_eq!(outcome, Some(StorageError::Busy));
    assert_eq!(host.trash_names(), 1);
    drop(mounted);
    host.empty();
    assert_eq!(host.trash_names(), 0);
}

#[test]
fn a_path_on_another_file_system_goes_to_a_trash_there() {
    let host = Host::new();
    std::fs::create_dir(host.disk("mount")).unwrap();
    let Some(_mounted) = Mounted::small(&host.disk("mount"), "1m") else { return };
    host.make("/mount/a", Some(0));
    host.storage.move_to_trash(&at("/mount/a"), START_S).unwrap();
    assert_eq!(host.storage.check(&at("/mount/a")).unwrap().tombstone.map(|stone| stone.expiry_s), Some(START_S));
    assert!(host.disk("mount/.mayfly-trash").exists());
    host.walk(0);
    assert!(host.disk("mount/.mayfly-trash").exists(), "nothing is old by a clock that is not trusted");
    host.walk(1);
    assert!(!host.disk("mount/.mayfly-trash").exists());
}

#[test]
fn only_an_empty_directory_as_judged_is_removed() {
    let host = Host::new();
    let own = host.make("/a", Some(10));
    host.store("/a/f", b"x").unwrap();
    assert_eq!(host.storage.remove_directory(&at("/a"), Some(&own)), Err(StorageError::NotEmpty));
    host.storage.remove_file(&at("/a/f"), None).unwrap();
    assert_eq!(host.storage.remove_directory(&at("/a"), None), Err(StorageError::Changed));
    assert_eq!(host.storage.remove_directory(&at("/a"), Some(&record(None))), Err(StorageError::Changed));
    host.storage.remove_directory(&at("/a"), Some(&own)).unwrap();
    assert_eq!(host.storage.remove_directory(&at("/a"), Some(&own)), Err(StorageError::NotFound));
    assert_eq!(host.storage.remove_directory(&at("/"), None), Err(StorageError::Denied));
    std::fs::create_dir(host.disk("plain")).unwrap();
    host.storage.remove_directory(&at("/plain"), None).unwrap();
}

#[test]
fn an_expired_path_makes_room_on_a_full_disk() {
    // Goal: what fills the disk goes on its date, though there is no room for a trash or a tombstone any more.
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let Some(_mounted) = super::Mounted::small(dir.path(), "256k") else { return };
    let host = Host::on(Arc::clone(&dir));
    host.make("/a", Some(10));
    host.store("/a/f", b"x").unwrap();
    let mut fill = std::fs::File::create(host.disk("fill")).unwrap();
    while std::io::Write::write(&mut fill, &[0; 4096]).is_ok() {}
    host.clock.set_utc(START_S + 10);
    host.storage.move_to_trash(&at("/a"), START_S + 10).unwrap();
    assert!(!host.disk("a").exists());
    while !host.storage.empty_trash(100).unwrap().end {}
    host.make("/b", None);
}
