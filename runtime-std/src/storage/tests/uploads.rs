use super::*;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::time::Duration;

impl Host {
    fn open(&self, path: &str, base: UploadBase) -> Result<(FileInfo, Box<dyn Upload>), StorageError> {
        self.storage.open_write(&at(path), base, None, None)
    }

    fn partial(&self, path: &str) -> Option<u64> {
        self.storage.check(&at(path)).unwrap().partial.map(|partial| partial.size_bytes)
    }

    fn names(&self, path: &str) -> Vec<String> {
        let (entries, end) = self.storage.open_listing(&at(path), by_name(1000)).unwrap().next(1000).unwrap();
        assert!(end);
        entries.into_iter().map(|entry| entry.name).collect()
    }
}

/// Every way in which an upload can stand aside until it is published.
fn each_way(test: impl Fn(Host)) {
    for (unnamed, from) in [(true, u64::MAX), (false, u64::MAX), (true, 1), (false, 1)] {
        let mut host = Host::new();
        host.tune(|disk| {
            disk.unnamed_files = unnamed;
            disk.named_from_bytes = from;
        });
        host.make("/a", Some(100));
        test(host);
    }
}

#[test]
fn nothing_shows_before_it_is_published_and_then_all_of_it_does() {
    each_way(|host| {
        let judged = host.records("/a/f");
        let (info, mut upload) = host.open("/a/f", UploadBase::Empty).unwrap();
        assert_eq!(info.size_bytes, 0);
        upload.write(b"con").unwrap();
        upload.write(b"tent").unwrap();
        assert!(host.names("/a").is_empty());
        assert_eq!(host.storage.check(&at("/a/f")).unwrap().target, None);
        let info = upload.publish(false, &judged, None).unwrap();
        assert_eq!(info.size_bytes, 7);
        assert_eq!(host.storage.check(&at("/a/f")).unwrap().target, Some(info));
        drop(upload);
        assert_eq!(host.read("/a/f").unwrap(), b"content");
        assert_eq!(host.partial("/a/f"), None);
    });
}

#[test]
fn overwriting_swaps_the_file_and_a_reader_keeps_the_old_one() {
    each_way(|host| {
        let old = host.store("/a/f", b"old").unwrap();
        let (_, download) = host.storage.open_read(&at("/a/f"), 0, None).unwrap();
        let judged = host.records("/a/f");
        let (_, mut upload) = host.open("/a/f", UploadBase::Empty).unwrap();
        upload.write(b"new!").unwrap();
        assert_eq!(upload.publish(false, &judged, None), Err(StorageError::Exists));
        let new = host.store("/a/f", b"new!").unwrap();
        assert_ne!(old.unique, new.unique);
        let mut buffer = [0; 9];
        assert_eq!(download.read_at(&mut buffer, 0), Ok(3));
        assert_eq!(host.read("/a/f").unwrap(), b"new!");
        assert_eq!(std::fs::read_dir(host.disk("a")).unwrap().filter(is_temporary).count(), 0);
    });
}

fn is_temporary(entry: &std::io::Result<std::fs::DirEntry>) -> bool {
    entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".mayfly-tmp")
}

#[test]
fn what_is_kept_is_resumed_where_it_broke_or_before() {
    each_way(|host| {
        let (_, mut upload) = host.open("/a/f", UploadBase::Empty).unwrap();
        upload.write(b"0123456789").unwrap();
        upload.keep().unwrap();
        assert_eq!(host.partial("/a/f"), Some(10));
        assert!(host.names("/a").is_empty());
        assert_eq!(host.read("/a/f"), Err(StorageError::NotFound));
        assert_eq!(
            host.open("/a/f", UploadBase::Partial { keep_bytes: Some(11) }).map(|_| ()),
            Err(StorageError::OffsetBeyondEnd)
        );
        let (info, upload) = host.open("/a/f", UploadBase::Partial { keep_bytes: Some(4) }).unwrap();
        assert_eq!(info.size_bytes, 4);
        assert_eq!(host.open("/a/f", UploadBase::Partial { keep_bytes: None }).map(|_| ()), Err(StorageError::Busy));
        drop(upload);
        assert_eq!(host.partial("/a/f"), Some(10), "no byte came, so none is cut");
        let (_, mut upload) = host.open("/a/f", UploadBase::Partial { keep_bytes: Some(4) }).unwrap();
        upload.write(b"x").unwrap();
        upload.publish(false, &host.records("/a/f"), None).unwrap();
        assert_eq!(host.read("/a/f").unwrap(), b"0123x");
        assert_eq!(host.partial("/a/f"), None);
        assert_eq!(
            host.open("/a/f", UploadBase::Partial { keep_bytes: None }).map(|_| ()),
            Err(StorageError::NotFound)
        );
    });
}

#[test]
fn a_partial_that_is_published_without_another_byte_is_cut_all_the_same() {
    let host = Host::new();
    let (_, mut upload) = host.open("/f", UploadBase::Empty).unwrap();
    upload.write(b"0123456789").unwrap();
    upload.keep().unwrap();
    let (_, mut upload) = host.open("/f", UploadBase::Partial { keep_bytes: Some(3) }).unwrap();
    upload.publish(false, &[], None).unwrap();
    assert_eq!(host.read("/f").unwrap(), b"012");
}

#[test]
fn the_latest_broken_upload_is_the_one_that_is_kept_and_success_drops_it() {
    each_way(|host| {
        for content in [&b"first"[..], b"second try"] {
            let (_, mut upload) = host.open("/a/f", UploadBase::Empty).unwrap();
            upload.write(content).unwrap();
            upload.keep().unwrap();
        }
        assert_eq!(host.partial("/a/f"), Some(10));
        host.store("/a/f", b"whole").unwrap();
        assert_eq!(host.partial("/a/f"), None);
        assert_eq!(host.read("/a/f").unwrap(), b"whole");
    });
}

#[test]
fn of_two_uploads_of_one_name_only_one_owns_the_partial_and_both_can_be_published() {
    let mut host = Host::new();
    host.tune(|disk| disk.named_from_bytes = 1);
    let (_, mut first) = host.open("/f", UploadBase::Empty).unwrap();
    let (_, mut second) = host.open("/f", UploadBase::Empty).unwrap();
    first.write(b"first").unwrap();
    second.write(b"second one").unwrap();
    assert_eq!(host.partial("/f"), Some(5));
    second.publish(true, &[], None).unwrap();
    drop(second);
    assert_eq!(host.partial("/f"), Some(5), "the other one goes on");
    first.publish(true, &[], None).unwrap();
    drop(first);
    assert_eq!(host.read("/f").unwrap(), b"first");
    assert_eq!(host.partial("/f"), None);
}

#[test]
fn a_server_that_dies_leaves_a_large_upload_resumable_and_a_small_one_not() {
    let mut host = Host::new();
    host.tune(|disk| disk.named_from_bytes = 8);
    for (name, content) in [("/large", &b"12345678"[..]), ("/small", b"1234567")] {
        let (_, mut upload) = host.open(name, UploadBase::Empty).unwrap();
        upload.write(content).unwrap();
        drop(upload);
    }
    assert_eq!((host.partial("/large"), host.partial("/small")), (Some(8), None));
}

#[test]
fn publishing_asks_the_records_and_the_clock_again() {
    each_way(|host| {
        let judged = host.records("/a/f");
        let begin = || {
            let (_, mut upload) = host.open("/a/f", UploadBase::Empty).unwrap();
            upload.write(b"x").unwrap();
            upload
        };
        let (mut upload, mut late) = (begin(), begin());
        host.storage.set_expiry(&at("/a"), &judged[0].record, Some(START_S + 50)).unwrap();
        assert_eq!(upload.publish(false, &judged, None), Err(StorageError::Changed));
        let judged = host.records("/a/f");
        upload.publish(false, &judged, None).unwrap();
        drop(upload);
        host.clock.advance(Duration::from_secs(50));
        assert_eq!(late.publish(true, &judged, None), Err(StorageError::Expired));
        drop(late);
        assert_eq!(host.partial("/a/f"), None, "discarded");
        host.storage.move_to_trash(&at("/a"), START_S + 50).unwrap();
    });
}

#[test]
fn an_upload_into_a_path_that_was_made_anew_is_judged_again() {
    each_way(|host| {
        let judged = host.records("/a/f");
        let (_, mut upload) = host.open("/a/f", UploadBase::Empty).unwrap();
        upload.write(b"x").unwrap();
        host.clock.advance(Duration::from_secs(100));
        host.storage.move_to_trash(&at("/a"), START_S + 100).unwrap();
        assert_eq!(upload.publish(false, &judged, None), Err(StorageError::Changed));
        host.make("/a", Some(500));
        assert_eq!(upload.publish(false, &judged, None), Err(StorageError::Changed));
        assert!(host.names("/a").is_empty());
    });
}

#[test]
fn two_that_append_at_once_lose_nothing() {
    each_way(|host| {
        host.store("/a/f", b"base").unwrap();
        let judged = host.records("/a/f");
        let base = UploadBase::Published { keep_bytes: None };
        let (info, mut first) = host.open("/a/f", base).unwrap();
        let (_, mut second) = host.open("/a/f", base).unwrap();
        assert_eq!(info.size_bytes, 4);
        first.write(b"+1").unwrap();
        second.write(b"+2").unwrap();
        first.publish(true, &judged, None).unwrap();
        drop(first);
        assert_eq!(second.publish(true, &judged, None), Err(StorageError::Changed));
        second.keep().unwrap();
        assert_eq!(host.read("/a/f").unwrap(), b"base+1");
        assert_eq!(host.partial("/a/f"), Some(6));
        assert_eq!(
            host.open("/a/f", UploadBase::Published { keep_bytes: Some(7) }).map(|_| ()),
            Err(StorageError::OffsetBeyondEnd)
        );
        let (_, mut cut) = host.open("/a/f", UploadBase::Published { keep_bytes: Some(2) }).unwrap();
        cut.write(b"!").unwrap();
        cut.publish(true, &judged, None).unwrap();
        assert_eq!(host.read("/a/f").unwrap(), b"ba!");
    });
}

#[test]
fn a_directory_or_a_link_is_never_replaced_by_an_upload() {
    let host = Host::new();
    host.make("/a", None);
    std::os::unix::fs::symlink("/etc/passwd", host.disk("link")).unwrap();
    assert_eq!(host.open("/a", UploadBase::Empty).map(|_| ()), Err(StorageError::IsDirectory));
    assert_eq!(host.store("/link", b"x"), Err(StorageError::Denied));
    assert_eq!(host.store("/a", b"x"), Err(StorageError::IsDirectory));
    let (_, mut upload) = host.open("/late", UploadBase::Empty).unwrap();
    host.make("/late", None);
    assert_eq!(upload.publish(true, &[], None), Err(StorageError::IsDirectory));
}

#[test]
fn removing_a_file_removes_what_is_kept_of_its_name_but_not_from_under_an_upload() {
    let mut host = Host::new();
    host.tune(|disk| disk.named_from_bytes = 1);
    assert_eq!(host.storage.remove_file(&at("/f"), None), Err(StorageError::NotFound));
    host.store("/f", b"x").unwrap();
    let (_, mut broken) = host.open("/f", UploadBase::Empty).unwrap();
    broken.write(b"part").unwrap();
    broken.keep().unwrap();
    host.storage.remove_file(&at("/f"), None).unwrap();
    assert_eq!((host.partial("/f"), host.read("/f")), (None, Err(StorageError::NotFound)));
    let (_, mut upload) = host.open("/f", UploadBase::Empty).unwrap();
    upload.write(b"part").unwrap();
    assert_eq!(host.storage.remove_file(&at("/f"), None), Err(StorageError::NotFound));
    upload.publish(false, &[], None).unwrap();
    host.make("/d", None);
    assert_eq!(host.storage.remove_file(&at("/d"), None), Err(StorageError::IsDirectory));
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    let host = Host::new();
    std::fs::create_dir(host.disk("small")).unwrap();
    let Some(_mounted) = Mounted::small(&host.disk("small"), "256k") else { return };
    assert_eq!(host.storage.reserve(&at("/small"), 1 << 20, None), Err(StorageError::NoSpace));
    assert_eq!(host.storage.reserve(&at("/small"), 100 << 10, None), Ok(()));
    assert_eq!(
        host.storage.open_write(&at("/small/f"), UploadBase::Empty, Some(1 << 20), None).map(|_| ()),
        Err(StorageError::NoSpace)
    );
    let (_, mut upload) = host.open("/small/f", UploadBase::Empty).unwrap();
    assert_eq!(upload.write(&vec![1; 1 << 20]), Err(StorageError::NoSpace));
    assert!(host.names("/small").is_empty());
    upload.discard();
    host.store("/small/f", &vec![1; 150 << 10]).unwrap();
    let copied = host.open("/small/f", UploadBase::Published { keep_bytes: None });
    assert_eq!(copied.map(|_| ()), Err(StorageError::NoSpace));
    assert_eq!(host.read("/small/f").unwrap().len(), 150 << 10);
    assert_eq!(host.storage.reserve(&at("/nowhere"), 0, None), Err(StorageError::NotFound));
}

#[test]
fn forgetting_what_went_on_from_a_partial_leaves_the_partial() {
    let host = Host::new();
    let (_, mut upload) = host.open("/f", UploadBase::Empty).unwrap();
    upload.write(b"0123456789").unwrap();
    upload.keep().unwrap();
    let resume = |keep_bytes| host.open("/f", UploadBase::Partial { keep_bytes }).unwrap().1;
    resume(Some(0)).discard();
    resume(None).discard();
    assert_eq!(host.partial("/f"), Some(10), "no byte came");
    let mut upload = resume(Some(6));
    upload.write(b"xxxx").unwrap();
    upload.discard();
    assert_eq!(host.partial("/f"), Some(6));
    resume(Some(0)).keep().unwrap();
    assert_eq!(host.partial("/f"), Some(6));
    let mut upload = resume(None);
    upload.publish(false, &[], None).unwrap();
    assert_eq!(host.read("/f").unwrap(), b"012345");
}

#[test]
fn a_file_size_limit_is_an_error_and_not_the_end() {
    // The limit is the whole process's, so it is tried in one of its own.
    let name = "storage::tests::uploads::a_file_size_limit_is_an_error_and_not_the_end";
    let mark = "MAYFLY_TEST_HAS_SIZE_LIMIT";
    if std::env::var_os(mark).is_none() {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let output = child.args(["--exact", name]).env(mark, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let host = Host::new();
    let limit = Rlimit { current: Some(10_000), maximum: Some(10_000) };
    setrlimit(Resource::Fsize, limit).unwrap();
    let (_, mut upload) = host.open("/f", UploadBase::Empty).unwrap();
    assert_eq!(upload.write(&[1; 10_001]), Err(StorageError::FileTooLarge));
    upload.discard();
    host.store("/f", &[1; 10_000]).unwrap();
}

#[test]
fn no_upload_grows_beyond_the_largest_file_wherever_it_begins() {
    let mut host = Host::new();
    host.storage = host.storage.with_file_bytes_max(Some(10));
    host.store("/f", &[1; 10]).unwrap();
    let (_, mut upload) = host.open("/g", UploadBase::Empty).unwrap();
    upload.write(&[1; 9]).unwrap();
    assert_eq!(upload.write(&[1; 2]), Err(StorageError::FileTooLarge));
    upload.discard();
    let (_, mut upload) = host.open("/f", UploadBase::Published { keep_bytes: None }).unwrap();
    assert_eq!(upload.write(&[1]), Err(StorageError::FileTooLarge), "what APPE goes on from counts too");
    upload.discard();
    let announced = |bytes| {
        let path = VirtualPath::parse("/h").unwrap();
        host.storage.open_write(&path, UploadBase::Empty, Some(bytes), None).map(|(_, upload)| upload.discard())
    };
    assert_eq!((announced(10), announced(11)), (Ok(()), Err(StorageError::FileTooLarge)));
    let reserve = |bytes| host.storage.reserve(&VirtualPath::root(), bytes, None);
    assert_eq!((reserve(10), reserve(11)), (Ok(()), Err(StorageError::FileTooLarge)));
}

#[test]
fn a_file_that_was_published_is_never_taken_for_its_own_partial() {
    let host = Host::new();
    host.store("/f", b"published").unwrap();
    std::fs::create_dir(host.disk(".mayfly-parts")).unwrap();
    std::fs::hard_link(host.disk("f"), host.disk(".mayfly-parts/f")).unwrap();
    assert_eq!(host.partial("/f"), None);
    assert_eq!(host.open("/f", UploadBase::Partial { keep_bytes: None }).map(|_| ()), Err(StorageError::NotFound));
}

#[test]
fn only_the_file_that_is_meant_is_removed() {
    let host = Host::new();
    host.store("/f", b"read").unwrap();
    let unique = host.storage.check(&at("/f")).unwrap().target.unwrap().unique;
    host.store("/f", b"new").unwrap();
    assert_eq!(host.storage.remove_file(&at("/f"), Some(&unique)), Err(StorageError::Changed));
    assert_eq!(host.read("/f").unwrap(), b"new");
    let unique = host.storage.check(&at("/f")).unwrap().target.unwrap().unique;
    host.storage.remove_file(&at("/f"), Some(&unique)).unwrap();
    assert_eq!(host.storage.remove_file(&at("/f"), Some(&unique)), Err(StorageError::NotFound));
}
