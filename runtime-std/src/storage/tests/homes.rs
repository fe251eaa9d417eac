use super::*;

#[test]
fn a_home_is_a_plain_directory_and_so_are_those_above_it() {
    each_confinement(|host| {
        host.storage.make_home(&at("/home/anna")).unwrap();
        host.storage.make_home(&at("/home/anna")).unwrap();
        assert_eq!(std::fs::read_dir(host.disk("home/anna")).unwrap().count(), 0);
        assert!(host.records("/home/anna").is_empty());
        host.storage.make_home(&at("/")).unwrap();
    });
}

#[test]
fn a_home_is_made_through_no_link_and_over_no_file() {
    each_confinement(|host| {
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), host.disk("out")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("gone"), host.disk("dangling")).unwrap();
        std::fs::create_dir(host.disk("d")).unwrap();
        std::os::unix::fs::symlink("d", host.disk("within")).unwrap();
        std::fs::write(host.disk("f"), "").unwrap();
        for path in ["/out", "/out/anna", "/dangling", "/dangling/anna", "/within", "/within/anna", "/f", "/f/anna"] {
            assert_eq!(host.storage.make_home(&at(path)), Err(StorageError::NotDirectory), "{path}");
        }
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
        assert_eq!(std::fs::read_dir(host.disk("d")).unwrap().count(), 0);
    });
}

#[test]
fn a_home_takes_the_place_of_a_tombstone_and_none_is_made_in_what_has_expired() {
    let host = Host::new();
    host.make("/anna", Some(10));
    host.clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(host.storage.make_home(&at("/anna/home")), Err(StorageError::Expired));
    host.storage.move_to_trash(&at("/anna"), START_S + 10).unwrap();
    assert!(host.storage.check(&at("/anna")).unwrap().tombstone.is_some());
    host.storage.make_home(&at("/anna")).unwrap();
    let state = host.storage.check(&at("/anna")).unwrap();
    assert!(state.target.is_some() && state.tombstone.is_none() && state.records.is_empty());
}
