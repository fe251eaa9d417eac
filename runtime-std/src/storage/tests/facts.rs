use super::*;
use mayfly_core::action::NewFacts;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

pub(super) fn modified(utc_s: i64) -> NewFacts {
    NewFacts { modified_s: Some(utc_s), ..NewFacts::default() }
}

fn info(host: &Host, path: &str) -> FileInfo {
    host.storage.check(&at(path)).unwrap().target.unwrap()
}

#[test]
fn times_are_set_on_files_alone() {
    let host = Host::new();
    host.make("/a", None);
    host.store("/f", b"x").unwrap();
    host.storage.set_facts(&at("/f"), &modified(1_234_567)).unwrap();
    assert_eq!(info(&host, "/f").modified_s, 1_234_567);
    let accessed = NewFacts { accessed_s: Some(7), ..modified(8) };
    host.storage.set_facts(&at("/f"), &accessed).unwrap();
    let seen = std::fs::metadata(host.disk("f")).unwrap();
    assert_eq!((seen.atime(), seen.mtime()), (7, 8));
    assert_eq!(host.storage.set_facts(&at("/a"), &modified(0)), Err(StorageError::IsDirectory));
    assert_eq!(host.storage.set_facts(&at("/x"), &modified(0)), Err(StorageError::NotFound));
    assert_eq!(host.storage.set_facts(&at("/"), &modified(0)), Err(StorageError::IsDirectory));
}

#[test]
fn the_time_of_making_goes_where_the_file_goes() {
    let host = Host::new();
    host.make("/a", None);
    host.store("/f", b"x").unwrap();
    let created = NewFacts { created_s: Some(-5), ..NewFacts::default() };
    host.storage.set_facts(&at("/f"), &created).unwrap();
    assert_eq!(info(&host, "/f").created_s, Some(-5));
    std::fs::rename(host.disk("f"), host.disk("a/g")).unwrap();
    assert_eq!(info(&host, "/a/g").created_s, Some(-5));
    assert_eq!(host.storage.set_facts(&at("/a"), &created), Err(StorageError::IsDirectory));
}

#[test]
fn a_mode_is_set_on_files_and_directories_and_no_more_than_its_nine_bits() {
    let host = Host::new();
    host.make("/a", None);
    host.store("/f", b"x").unwrap();
    for path in ["a", "f"] {
        let mode = NewFacts { mode: Some(0o6711), ..NewFacts::default() };
        host.storage.set_facts(&at(&format!("/{path}")), &mode).unwrap();
        assert_eq!(std::fs::metadata(host.disk(path)).unwrap().permissions().mode() & 0o7777, 0o711, "{path}");
    }
}

#[test]
fn several_facts_are_set_together() {
    let host = Host::new();
    host.store("/f", b"x").unwrap();
    let unique = info(&host, "/f").unique;
    let facts = NewFacts { mode: Some(0o600), created_s: Some(1), modified_s: Some(2), accessed_s: Some(3) };
    host.storage.set_facts(&at("/f"), &facts).unwrap();
    let after = info(&host, "/f");
    assert_eq!((after.mode, after.created_s, after.modified_s), (Some(0o600), Some(1), 2));
    assert_eq!(after.unique, unique);
}
