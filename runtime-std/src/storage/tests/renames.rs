use super::*;
use std::time::Duration;

impl Host {
    fn rename(&self, from: &str, to: &str, replace: bool) -> Result<(), StorageError> {
        let (judged_from, judged_to) = (self.records(from), self.records(to));
        self.rename_judged(from, to, replace, &judged_from, &judged_to)
    }

    fn rename_judged(
        &self,
        from: &str,
        to: &str,
        replace: bool,
        judged_from: &[RecordAt],
        judged_to: &[RecordAt],
    ) -> Result<(), StorageError> {
        self.storage.rename(&Rename {
            from: &at(from),
            to: &at(to),
            replace,
            judged_from,
            judged_to,
            expiry_s: None,
            quota: None,
        })
    }
}

#[test]
fn a_path_takes_its_record_along() {
    let host = Host::new();
    let own = host.make("/a", Some(10));
    host.make("/b", Some(50));
    host.store("/a/f", b"x").unwrap();
    host.rename("/a", "/b/c", false).unwrap();
    assert_eq!(host.records("/b/c")[1], RecordAt { depth: 2, record: own });
    assert_eq!(host.read("/b/c/f").unwrap(), b"x");
    assert_eq!(host.rename("/a", "/x", false), Err(StorageError::NotFound));
    assert_eq!(host.rename("/b", "/b/c/d", false), Err(StorageError::Denied));
    assert_eq!(host.rename("/", "/x", false), Err(StorageError::Denied));
}

#[test]
fn only_a_file_is_replaced_and_only_if_asked() {
    let host = Host::new();
    host.make("/d", None);
    host.make("/e", None);
    host.store("/f", b"f").unwrap();
    host.store("/g", b"g").unwrap();
    assert_eq!(host.rename("/f", "/g", false), Err(StorageError::Exists));
    for (from, to) in [("/f", "/d"), ("/d", "/f")] {
        let judged_to = if to == "/d" { vec![] } else { host.records(to) };
        let outcome = host.rename_judged(from, to, true, &host.records(from), &judged_to);
        assert_eq!(outcome, Err(StorageError::Exists), "{from} {to}");
    }
    assert_eq!(host.rename_judged("/d", "/e", true, &host.records("/d"), &[]), Err(StorageError::Exists));
    host.rename("/f", "/g", true).unwrap();
    assert_eq!(host.read("/g").unwrap(), b"f");
    host.rename("/g", "/g", true).unwrap();
    assert_eq!(host.read("/g").unwrap(), b"f");
}

#[test]
fn both_ways_must_be_as_judged_and_living() {
    let host = Host::new();
    host.make("/a", Some(10));
    host.make("/b", Some(20));
    host.store("/a/f", b"x").unwrap();
    let (from, to) = (host.records("/a/f"), host.records("/b/f"));
    assert_eq!(host.rename_judged("/a/f", "/b/f", false, &[], &to), Err(StorageError::Changed));
    assert_eq!(host.rename_judged("/a/f", "/b/f", false, &from, &[]), Err(StorageError::Changed));
    let own = host.records("/a");
    assert_eq!(host.rename_judged("/a", "/b/c", false, &[], &to), Err(StorageError::Changed));
    host.clock.advance(Duration::from_secs(10));
    assert_eq!(host.rename_judged("/a/f", "/b/f", false, &from, &to), Err(StorageError::Expired));
    assert_eq!(host.rename_judged("/a", "/b/c", false, &own, &to), Err(StorageError::Expired));
    host.store("/g", b"x").unwrap();
    assert_eq!(host.rename("/g", "/a/g", false), Err(StorageError::Expired));
}

#[test]
fn a_new_name_loses_its_tombstone() {
    let host = Host::new();
    host.make("/gone", Some(0));
    host.storage.move_to_trash(&at("/gone"), START_S).unwrap();
    host.make("/a", Some(10));
    host.rename("/a", "/gone", false).unwrap();
    std::fs::rename(host.disk("gone"), host.disk("elsewhere")).unwrap();
    assert_eq!(host.storage.check(&at("/gone")).unwrap().tombstone, None);
}
