use super::*;
use std::time::{Duration, SystemTime};

fn age(path: &std::path::Path, utc_s: i64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(utc_s).unwrap());
    std::fs::File::open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn every_path_that_expires_is_found_in_batches() {
    let host = Host::new();
    let mut expected = vec![];
    for outer in 0..5 {
        host.make(&format!("/p{outer}"), None);
        for inner in 0..5_i64 {
            let path = format!("/p{outer}/q{inner}");
            host.make(&path, Some(inner));
            expected.push((at(&path), START_S + inner));
        }
    }
    std::fs::create_dir_all(host.disk("plain/deep")).unwrap();
    host.make("/plain/deep/z", Some(3));
    expected.push((at("/plain/deep/z"), START_S + 3));
    let mut walk = host.storage.walk().unwrap();
    let mut found = vec![];
    loop {
        let (batch, end) = walk.next(4, 0, 0).unwrap();
        assert!(batch.len() <= 4);
        found.extend(batch);
        if end {
            break;
        }
    }
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn links_broken_records_and_vanishing_directories_do_not_stop_it() {
    let host = Host::new();
    host.make("/a", Some(1));
    host.make("/broken", Some(1));
    host.make("/broken/inner", Some(2));
    std::fs::write(host.disk("broken/.mayfly.json"), "{").unwrap();
    std::os::unix::fs::symlink(host.dir.path(), host.disk("loop")).unwrap();
    for name in 0..50 {
        std::fs::create_dir_all(host.disk(&format!("v{name}/w"))).unwrap();
    }
    let mut walk = host.storage.walk().unwrap();
    let (mut found, _) = walk.next(1, 0, 0).unwrap();
    for name in 0..50 {
        std::fs::remove_dir_all(host.disk(&format!("v{name}"))).unwrap();
    }
    while let (batch, false) = walk.next(1, 0, 0).unwrap() {
        found.extend(batch);
    }
    found.sort();
    assert_eq!(found, [(at("/a"), START_S + 1), (at("/broken/inner"), START_S + 2)]);
    assert_eq!(host.storage.check(&at("/broken/inner")), Err(StorageError::RecordUnreadable));
}

#[test]
fn old_tombstones_partials_and_left_overs_are_swept_and_young_ones_stay() {
    let host = Host::new();
    for name in ["old", "young"] {
        std::fs::create_dir_all(host.disk("a/.mayfly-parts")).unwrap();
        std::fs::create_dir_all(host.disk(&format!("a/.mayfly-new-{name}"))).unwrap();
        for file in [".mayfly-parts/part", ".mayfly-tmp-", ".mayfly.json.", ".mayfly-new-"] {
            let path = host.disk(&format!("a/{file}{name}"));
            if !path.exists() {
                std::fs::write(&path, "x").unwrap();
            }
            age(&path, if name == "old" { 99 } else { 100 });
        }
    }
    std::fs::create_dir_all(host.disk("a/.mayfly-tombs")).unwrap();
    std::fs::write(host.disk("a/.mayfly-tombs/gone"), r#"{"expiry_s":49}"#).unwrap();
    std::fs::write(host.disk("a/.mayfly-tombs/here"), r#"{"expiry_s":50}"#).unwrap();
    let mut walk = host.storage.walk().unwrap();
    while let (_, false) = walk.next(100, 50, 100).unwrap() {}
    let mut left: Vec<String> = ["a", "a/.mayfly-parts", "a/.mayfly-tombs"]
        .iter()
        .flat_map(|dir| std::fs::read_dir(host.disk(dir)).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            ".mayfly-new-young",
            ".mayfly-parts",
            ".mayfly-tmp-young",
            ".mayfly-tombs",
            ".mayfly.json.young",
            "here",
            "partyoung"
        ]
    );
    let mut walk = host.storage.walk().unwrap();
    while let (_, false) = walk.next(100, 60, 200).unwrap() {}
    assert_eq!(std::fs::read_dir(host.disk("a")).unwrap().count(), 0, "emptied reserved directories go, too");
}

#[test]
fn an_upload_that_goes_on_is_never_swept() {
    let mut host = Host::new();
    host.tune(|disk| disk.named_from_bytes = 4);
    host.make("/a", None);
    let judged = host.records("/a/f");
    let (_, mut upload) = host.storage.open_write(&at("/a/f"), UploadBase::Empty, None, None).unwrap();
    upload.write(b"12345").unwrap();
    assert!(host.disk("a/.mayfly-parts/f").exists());
    host.walk(i64::MAX);
    upload.publish(false, &judged, None).unwrap();
    assert_eq!(host.read("/a/f").unwrap(), b"12345");
}
