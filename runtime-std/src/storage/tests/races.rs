use super::*;
use mayfly_core::record::EntryRecord;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Two servers on one root, and what is acknowledged must stand.
#[test]
fn an_upload_that_was_published_is_never_in_the_trash() {
    for _ in 0..40 {
        let host = Host::new();
        let other = host.another();
        let own = host.make("/p", None);
        let stop = AtomicBool::new(false);
        let published = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let (host, stop, published) = (if thread == 0 { &host } else { &other }, &stop, &published);
                scope.spawn(move || {
                    for name in 0.. {
                        if stop.load(Ordering::SeqCst) || host.store(&format!("/p/{thread}-{name}"), b"x").is_err() {
                            break;
                        }
                        published.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            // Revoked by one server while both publish: what was published until then counts.
            while published.load(Ordering::SeqCst) < 5 {
                std::thread::yield_now();
            }
            let expired = host.storage.set_expiry(&at("/p"), &own, Some(START_S));
            assert_eq!(expired, Ok(()));
            let before = published.load(Ordering::SeqCst);
            other.storage.move_to_trash(&at("/p"), START_S).unwrap();
            stop.store(true, Ordering::SeqCst);
            // One per thread may have been published and not yet counted when the record changed.
            assert!(published.load(Ordering::SeqCst) <= before + 2);
        });
        let trashed = std::fs::read_dir(host.disk(".mayfly-trash")).unwrap().next().unwrap().unwrap().path();
        let files = std::fs::read_dir(trashed).unwrap().filter(|e| !is_reserved(e)).count() as u64;
        assert_eq!(files, published.load(Ordering::SeqCst), "each one was there before the path expired, none after");
    }
}

fn is_reserved(entry: &std::io::Result<std::fs::DirEntry>) -> bool {
    entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".mayfly")
}

/// However a look falls between the steps of a reaper: it finds the path with its record, or gone.
#[test]
fn an_expired_path_is_never_seen_without_its_record() {
    let host = Host::new();
    let reaper = host.another();
    for round in 0..300 {
        let path = at(&format!("/p{round}"));
        host.make(path.as_str(), Some(0));
        let gone = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                reaper.storage.move_to_trash(&path, START_S).unwrap();
                while !reaper.storage.empty_trash(100).unwrap().end {}
                gone.store(true, Ordering::SeqCst);
            });
            while !gone.load(Ordering::SeqCst) {
                let state = host.storage.check(&path).unwrap();
                assert_eq!(state.target.is_some(), !state.records.is_empty(), "{state:?}");
                let mut listing = host.storage.open_listing(&at("/"), by_name(1000)).unwrap();
                let (entries, _) = listing.next(1000).unwrap();
                let bare = entries.iter().find(|entry| entry.record == EntryRecord::None);
                assert!(bare.is_none(), "{bare:?}");
            }
        });
    }
}

#[test]
fn of_many_that_make_one_path_or_trash_it_one_wins() {
    let host = Host::new();
    let others: Vec<Host> = (0..4).map(|_| host.another()).collect();
    for round in 0..20 {
        let path = at(&format!("/p{round}"));
        let expiry_s = Some(round);
        let made = in_each(&others, |other| other.storage.make_directory(&path, &record(expiry_s), None, None));
        assert_eq!(made.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert!(made.iter().all(|outcome| matches!(outcome, Ok(()) | Err(StorageError::Exists))), "{made:?}");
        host.clock.advance(Duration::from_secs(1));
        for other in &others {
            other.clock.advance(Duration::from_secs(1));
        }
        let trashed = in_each(&others, |other| other.storage.move_to_trash(&path, START_S + round));
        assert_eq!(trashed.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert!(
            trashed.iter().all(|o| matches!(o, Ok(()) | Err(StorageError::NotFound | StorageError::Changed))),
            "{trashed:?}"
        );
    }
}

#[test]
fn an_expired_path_is_made_anew_by_one_while_others_trash_it() {
    let host = Host::new();
    let others: Vec<Host> = (0..4).map(|_| host.another()).collect();
    for round in 0..20 {
        let path = at(&format!("/p{round}"));
        let old = host.make(path.as_str(), Some(0));
        let outcomes = in_each(&others, |other| {
            // Half of them are reapers.
            if std::ptr::eq(other, &raw const others[0]) || std::ptr::eq(other, &raw const others[1]) {
                other.storage.move_to_trash(&path, START_S).map(|()| false)
            } else {
                other.storage.make_directory(&path, &record(Some(99)), Some(&old), None).map(|()| true)
            }
        });
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(true)).count(), 1, "{outcomes:?}");
        let records = host.records(path.as_str());
        assert_eq!(records[0].record.expiry_s, Some(START_S + 99), "the new one stands");
    }
}

#[test]
fn appends_from_many_sessions_are_all_there_or_refused() {
    let host = Host::new();
    host.store("/log", b"").unwrap();
    let others: Vec<Host> = (0..4).map(|_| host.another()).collect();
    let appended = in_each(&others, |other| {
        let mut appended = 0_usize;
        for _ in 0..20 {
            let base = UploadBase::Published { keep_bytes: None };
            let Ok((_, mut upload)) = other.storage.open_write(&at("/log"), base, None, None) else { continue };
            upload.write(b"x").unwrap();
            match upload.publish(true, &[], None) {
                Ok(_) => appended += 1,
                Err(StorageError::Changed) => upload.discard(),
                Err(error) => panic!("{error:?}"),
            }
        }
        appended
    });
    assert_eq!(host.read("/log").unwrap().len(), appended.iter().sum::<usize>());
}

#[test]
fn renames_across_each_other_neither_hang_nor_lose_a_path() {
    let host = Host::new();
    for name in ["/a", "/b", "/a/x", "/b/y"] {
        host.make(name, None);
    }
    let others: Vec<Host> = (0..2).map(|_| host.another()).collect();
    in_each(&others, |other| {
        for _ in 0..50 {
            for (from, to) in [("/a/x", "/b/y/x"), ("/b/y", "/a/x/y"), ("/b/y/x", "/a/x"), ("/a/x/y", "/b/y")] {
                let (Ok(judged_from), Ok(judged_to)) = (other.storage.check(&at(from)), other.storage.check(&at(to)))
                else {
                    continue;
                };
                let _ = other.storage.rename(&Rename {
                    from: &at(from),
                    to: &at(to),
                    replace: false,
                    judged_from: &judged_from.records,
                    judged_to: &judged_to.records,
                    expiry_s: None,
                    quota: None,
                });
            }
        }
    });
    let mut walk = 0;
    let mut dirs = vec![host.dir.path().to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap().filter(|entry| !is_reserved(entry)) {
            walk += 1;
            dirs.push(entry.unwrap().path());
        }
    }
    assert_eq!(walk, 4);
}

fn in_each<T: Send>(hosts: &[Host], work: impl Fn(&Host) -> T + Sync) -> Vec<T> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = hosts.iter().map(|host| scope.spawn(move || work(host))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
