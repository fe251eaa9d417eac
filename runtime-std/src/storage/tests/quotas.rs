//! Quotas: what stands beneath a home, and what may.

use super::*;
use crate::storage::ledger::Counts;
use mayfly_core::error::{QuotaUnit, QuotaUse};
use mayfly_core::user::{HomeQuota, Quota};
use std::time::{Duration, Instant};

fn quota(bytes: u64, files: u64) -> HomeQuota {
    HomeQuota { home: at("/h"), quota: Quota { bytes: Some(bytes), files: Some(files) } }
}

fn over(counts: QuotaUnit, used: u64, limit: u64) -> StorageError {
    StorageError::OverQuota(QuotaUse { counts, used, limit })
}

impl Host {
    fn at_home() -> Self {
        let host = Self::new();
        std::fs::create_dir(host.disk("h")).unwrap();
        host
    }

    fn upload(&self, path: &str, base: UploadBase, quota: &HomeQuota) -> Result<Box<dyn Upload>, StorageError> {
        self.storage.open_write(&at(path), base, None, Some(quota)).map(|(_, upload)| upload)
    }

    fn fill(&self, path: &str, bytes: usize, quota: &HomeQuota) -> Result<(), StorageError> {
        let mut upload = self.upload(path, UploadBase::Empty, quota)?;
        if let Err(error) = upload.write(&vec![b'x'; bytes]) {
            upload.discard();
            return Err(error);
        }
        upload.publish(true, &[], None).map(|_| ())
    }

    fn left(&self) -> u64 {
        self.storage.free_bytes(&at("/h"), Some(&quota(1000, 100))).unwrap()
    }

    /// What is left in the books, and what a count of the disk says.
    #[track_caller]
    fn is_left(&self, bytes: u64) {
        assert_eq!(self.left(), bytes);
        assert_eq!(self.another().left(), bytes, "as counted anew");
    }

    /// What is left once the count that something has asked for is through.
    #[track_caller]
    fn comes_to_be_left(&self, bytes: u64) {
        let until = Instant::now() + Duration::from_secs(30);
        while self.left() != bytes {
            assert!(Instant::now() < until, "{} are left", self.left());
            std::thread::yield_now();
        }
        self.is_left(bytes);
    }
}

#[test]
fn a_quota_is_right_after_whatever_makes_and_removes() {
    let host = Host::at_home();
    let all = quota(1000, 100);
    std::fs::write(host.disk("h/before"), [0; 100]).unwrap();
    std::fs::create_dir(host.disk("out")).unwrap();
    std::fs::write(host.disk("out/there"), [0; 7]).unwrap();
    host.is_left(900);
    host.fill("/h/f", 50, &all).unwrap();
    host.is_left(850);
    host.fill("/h/f", 20, &all).unwrap();
    host.is_left(880);
    // By somebody who has no quota.
    host.store("/h/f", &[0; 30]).unwrap();
    host.is_left(870);
    host.storage.remove_file(&at("/h/before"), None).unwrap();
    host.is_left(970);
    let rename = |from: &str, to: &str| {
        let (from, to) = (at(from), at(to));
        let (judged_from, judged_to) = (&[][..], &[][..]);
        let asked = Rename { from: &from, to: &to, replace: true, judged_from, judged_to, expiry_s: None, quota: None };
        host.storage.rename(&asked).unwrap();
    };
    rename("/h/f", "/h/g");
    host.is_left(970);
    rename("/h/g", "/out/g");
    host.is_left(1000);
    rename("/out/g", "/h/f");
    host.is_left(970);
    rename("/out/there", "/h/f");
    host.is_left(993);
    rename("/h/f", "/h/f");
    host.is_left(993);
    std::fs::create_dir(host.disk("out/tree")).unwrap();
    std::fs::write(host.disk("out/tree/x"), [0; 100]).unwrap();
    rename("/out/tree", "/h/tree");
    host.comes_to_be_left(893);
    rename("/h/tree", "/tree");
    host.comes_to_be_left(993);
}

#[test]
fn what_expires_makes_room() {
    let host = Host::at_home();
    let all = quota(1000, 100);
    host.make("/h/p", Some(10));
    let judged = host.records("/h/p/f");
    let (_, mut upload) = host.storage.open_write(&at("/h/p/f"), UploadBase::Empty, None, Some(&all)).unwrap();
    upload.write(&[0; 700]).unwrap();
    upload.publish(true, &judged, None).unwrap();
    let (_, mut upload) = host.storage.open_write(&at("/h/dated"), UploadBase::Empty, None, Some(&all)).unwrap();
    upload.write(&[0; 100]).unwrap();
    upload.publish(true, &[], Some(START_S + 10)).unwrap();
    drop(upload);
    host.is_left(200);
    host.clock.set_utc(START_S + 10);
    host.is_left(200);
    host.storage.move_to_trash(&at("/h/dated"), START_S + 10).unwrap();
    host.is_left(300);
    host.storage.move_to_trash(&at("/h/p"), START_S + 10).unwrap();
    // It is refused by no number that is known to be wrong.
    host.fill("/h/f", 1000, &all).unwrap();
    host.is_left(0);
}

#[test]
fn directories_count_as_files() {
    let host = Host::at_home();
    let few = quota(1000, 3);
    let make = |path: &str| host.storage.make_directory(&at(path), &record(None), None, Some(&few));
    make("/h/a").unwrap();
    make("/h/a/b").unwrap();
    host.fill("/h/f", 1, &few).unwrap();
    assert_eq!(make("/h/c"), Err(over(QuotaUnit::Files, 3, 3)));
    assert_eq!(host.fill("/h/g", 1, &few), Err(over(QuotaUnit::Files, 3, 3)));
    // In place of another there is no more of them.
    host.fill("/h/f", 2, &few).unwrap();
    host.storage.remove_directory(&at("/h/a/b"), host.records("/h/a/b").last().map(|at| &at.record)).unwrap();
    make("/h/c").unwrap();
    assert_eq!(make("/h/d"), Err(over(QuotaUnit::Files, 3, 3)));
}

#[test]
fn too_much_is_refused_before_the_first_byte_and_at_the_one_that_is_too_many() {
    let host = Host::at_home();
    let all = quota(1000, 100);
    host.fill("/h/f", 900, &all).unwrap();
    let used = |used| over(QuotaUnit::Bytes, used, 1000);
    assert_eq!(host.storage.reserve(&at("/h"), 101, Some(&all)), Err(used(900)));
    assert_eq!(host.storage.reserve(&at("/h"), 100, Some(&all)), Ok(()));
    let announced =
        |path: &str, bytes| host.storage.open_write(&at(path), UploadBase::Empty, Some(bytes), Some(&all)).map(|_| ());
    assert_eq!(announced("/h/g", 101), Err(used(900)));
    assert_eq!(announced("/h/g", 100), Ok(()));
    assert_eq!(announced("/h/f", 1000), Ok(()), "what it replaces goes");
    assert_eq!(announced("/h/f", 1001), Err(used(900)));
    assert_eq!(host.fill("/h/g", 101, &all), Err(used(900)));
    host.is_left(100);
    host.fill("/h/g", 100, &all).unwrap();
    assert_eq!(host.upload("/h/new", UploadBase::Empty, &all).map(|_| ()), Err(used(1000)), "not one byte is left");
    host.is_left(0);
    assert_eq!(std::fs::read_dir(host.disk("h")).unwrap().count(), 2, "and nothing else stands there");
}

#[test]
fn two_uploads_at_once_do_not_both_take_what_is_left() {
    let host = Host::at_home();
    let all = quota(1000, 100);
    let mut first = host.upload("/h/a", UploadBase::Empty, &all).unwrap();
    let mut second = host.upload("/h/b", UploadBase::Empty, &all).unwrap();
    first.write(&[0; 600]).unwrap();
    assert_eq!(second.write(&[0; 600]), Err(over(QuotaUnit::Bytes, 600, 1000)));
    second.write(&[0; 400]).unwrap();
    assert_eq!(host.left(), 0);
    second.discard();
    assert_eq!(host.left(), 400);
    first.write(&[0; 400]).unwrap();
    first.publish(false, &[], None).unwrap();
    host.is_left(0);
    // Each counts on the room of the one that it replaces; it goes but once.
    let [mut first, mut second] = [(); 2].map(|()| host.upload("/h/a", UploadBase::Empty, &all).unwrap());
    first.write(&[0; 900]).unwrap();
    assert_eq!(second.write(&[0; 900]), Err(over(QuotaUnit::Bytes, 1900, 1000)));
    second.write(&[0; 10]).unwrap();
    host.storage.remove_file(&at("/h/a"), None).unwrap();
    first.publish(true, &[], None).unwrap();
    drop(first);
    second.publish(true, &[], None).unwrap();
    host.is_left(990);
}

#[test]
fn an_upload_whose_credit_went_before_is_refused_at_its_end() {
    let host = Host::at_home();
    let all = quota(1000, 100);
    host.fill("/h/old", 1000, &all).unwrap();
    let mut upload = host.upload("/h/old", UploadBase::Empty, &all).unwrap();
    upload.write(&[0; 1000]).unwrap();
    host.storage.remove_file(&at("/h/old"), None).unwrap();
    host.store("/h/other", &[0; 500]).unwrap();
    assert_eq!(upload.publish(true, &[], None).map(|_| ()), Err(over(QuotaUnit::Bytes, 500, 1000)));
    drop(upload);
    host.is_left(500);
    assert!(!host.disk("h/old").exists() && !host.disk("h/.mayfly-parts/old").exists());
}

#[test]
fn kept_partials_count_until_they_are_resumed_removed_or_swept() {
    for unnamed in [true, false] {
        let mut host = Host::at_home();
        host.tune(|disk| disk.unnamed_files = unnamed);
        let all = quota(1000, 100);
        let keep = |path: &str, bytes: usize| {
            let mut upload = host.upload(path, UploadBase::Empty, &all).unwrap();
            upload.write(&vec![0; bytes]).unwrap();
            upload.keep().unwrap();
        };
        keep("/h/f", 100);
        host.is_left(900);
        keep("/h/f", 200);
        host.is_left(800);
        let base = UploadBase::Partial { keep_bytes: Some(150) };
        let mut resumed = host.upload("/h/f", base, &all).unwrap();
        assert_eq!(host.left(), 800);
        resumed.write(&[0; 350]).unwrap();
        assert_eq!(host.left(), 500);
        resumed.discard();
        host.is_left(850);
        let mut resumed = host.upload("/h/f", UploadBase::Partial { keep_bytes: None }, &all).unwrap();
        resumed.write(&[0; 100]).unwrap();
        drop(resumed);
        host.is_left(750);
        let mut resumed = host.upload("/h/f", UploadBase::Partial { keep_bytes: None }, &all).unwrap();
        resumed.write(&[0; 50]).unwrap();
        resumed.publish(false, &[], None).unwrap();
        host.is_left(700);
        keep("/h/g", 100);
        host.storage.remove_file(&at("/h/g"), None).unwrap();
        host.is_left(700);
        keep("/h/g", 100);
        host.walk(i64::MAX);
        host.is_left(700);
        // Somebody without a quota resumes it.
        keep("/h/g", 100);
        let base = UploadBase::Partial { keep_bytes: None };
        let (_, mut resumed) = host.storage.open_write(&at("/h/g"), base, None, None).unwrap();
        resumed.write(&[0; 100]).unwrap();
        resumed.publish(false, &[], None).unwrap();
        host.is_left(500);
        assert_eq!(
            host.storage
                .disk
                .ledger
                .hold(&host.storage.disk, &quota(500, 2), Counts::default(), Counts::default())
                .map(|_| ()),
            Ok(())
        );
        assert_eq!(host.fill("/h/x", 1, &quota(1000, 2)), Err(over(QuotaUnit::Files, 2, 2)), "two files stand there");
    }
}

#[test]
fn a_large_upload_has_its_name_early_and_counts_once() {
    let mut host = Host::at_home();
    host.tune(|disk| disk.named_from_bytes = 10);
    let all = quota(1000, 100);
    let mut upload = host.upload("/h/f", UploadBase::Empty, &all).unwrap();
    upload.write(&[0; 100]).unwrap();
    assert!(host.disk("h/.mayfly-parts/f").exists());
    assert_eq!(host.left(), 900);
    // A tree that goes has the home counted anew.
    std::fs::create_dir(host.disk("h/tree")).unwrap();
    let (from, to) = (at("/h/tree"), at("/tree"));
    let asked =
        Rename { from: &from, to: &to, replace: true, judged_from: &[], judged_to: &[], expiry_s: None, quota: None };
    std::fs::write(host.disk("h/beside"), [0; 50]).unwrap();
    host.storage.rename(&asked).unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while host.left() != 850 {
        assert!(Instant::now() < until, "{} are left", host.left());
        std::thread::yield_now();
    }
    upload.publish(false, &[], None).unwrap();
    host.is_left(850);
}

#[test]
fn a_file_comes_home_only_where_there_is_room() {
    let host = Host::at_home();
    std::fs::write(host.disk("big"), [0; 600]).unwrap();
    host.fill("/h/f", 500, &quota(1000, 100)).unwrap();
    let (from, to, all) = (at("/big"), at("/h/big"), quota(1000, 100));
    let asked = Rename {
        from: &from,
        to: &to,
        replace: false,
        judged_from: &[],
        judged_to: &[],
        expiry_s: None,
        quota: Some(&all),
    };
    assert_eq!(host.storage.rename(&asked), Err(over(QuotaUnit::Bytes, 500, 1000)));
    assert!(host.disk("big").exists());
    host.storage.remove_file(&at("/h/f"), None).unwrap();
    host.storage.rename(&asked).unwrap();
    host.is_left(400);
}

/// Threads that store, remove and keep at once, and counts in between: the books come to what the disk says.
#[test]
fn the_books_hold_under_load() {
    let host = Arc::new(Host::at_home());
    let all = quota(1_000_000, 10_000);
    std::thread::scope(|scope| {
        for worker in 0..4_u64 {
            let (host, all) = (Arc::clone(&host), all.clone());
            scope.spawn(move || {
                let mut random = worker * 7 + 1;
                for round in 0..60 {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let path = format!("/h/{}", (random >> 33) % 6);
                    let bytes = usize::try_from((random >> 40) % 500).unwrap() + 1;
                    match (random >> 50) % 4 {
                        0 => {
                            let _ = host.storage.remove_file(&at(&path), None);
                        }
                        1 => {
                            if let Ok(mut upload) = host.upload(&path, UploadBase::Empty, &all) {
                                upload.write(&vec![0; bytes]).unwrap();
                                let _ = upload.keep();
                            }
                        }
                        2 if round % 8 == 0 => host.storage.disk.ledger.tree_removed(&at("/h/x")),
                        _ => {
                            let _ = host.fill(&path, bytes, &all);
                        }
                    }
                }
            });
        }
    });
    let left = || host.storage.free_bytes(&at("/h"), Some(&all)).unwrap();
    let truth = host.another().storage.free_bytes(&at("/h"), Some(&all)).unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while left() != truth {
        assert!(Instant::now() < until, "{} are left, not {truth}", left());
        std::thread::yield_now();
    }
}
