use super::*;
use crate::storage::execute::SessionStorage;
use mayfly_core::action::{ReadingPurpose, StorageRequest};
use mayfly_core::digest::DigestAlgorithm;
use mayfly_core::event::{ReadingResult, StorageOutcome};

fn open(path: &str, offset_bytes: u64, length_bytes: Option<u64>, purpose: ReadingPurpose) -> StorageRequest {
    StorageRequest::OpenReading { path: at(path), offset_bytes, length_bytes, purpose }
}

/// Steps to the end; what each one read, and the result.
fn read(storage: &mut SessionStorage, bytes_max: u64) -> (Vec<u64>, ReadingResult) {
    let mut steps = vec![];
    loop {
        match storage.execute(StorageRequest::ReadOn { bytes_max }).unwrap() {
            StorageOutcome::Read { read_bytes, result } => {
                steps.push(read_bytes);
                if let Some(result) = result {
                    return (steps, result);
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

fn storage_with(bytes: &[u8]) -> (Host, SessionStorage) {
    let host = Host::new();
    host.store("/f", bytes).unwrap();
    let storage = SessionStorage::new(Arc::new(Host::on(Arc::clone(&host.dir)).storage));
    (host, storage)
}

#[test]
fn a_digest_is_the_same_however_it_is_stepped() {
    let (_host, mut storage) = storage_with(b"x123456789y");
    let purpose = ReadingPurpose::Digest(DigestAlgorithm::Crc32);
    for (bytes_max, steps) in [(1, vec![1; 9]), (4, vec![4, 4, 1]), (9, vec![9]), (100, vec![9])] {
        storage.execute(open("/f", 1, Some(9), purpose)).unwrap();
        assert_eq!(read(&mut storage, bytes_max), (steps, ReadingResult::Digest { hex: "cbf43926".to_owned() }));
        // It is closed at its end.
        assert_eq!(storage.execute(StorageRequest::ReadOn { bytes_max: 1 }), Err(StorageError::Failed));
    }
}

#[test]
fn a_reading_ends_where_the_file_ends() {
    let (_host, mut storage) = storage_with(b"a\nb\r\n");
    storage.execute(open("/f", 0, Some(u64::MAX), ReadingPurpose::AsciiSize)).unwrap();
    // The CR and the LF of one line end fall into two steps.
    assert_eq!(read(&mut storage, 4), (vec![4, 1], ReadingResult::AsciiSize { wire_bytes: 6 }));
    storage.execute(open("/f", 5, None, ReadingPurpose::AsciiSize)).unwrap();
    assert_eq!(read(&mut storage, 4), (vec![0], ReadingResult::AsciiSize { wire_bytes: 0 }));
    let beyond = storage.execute(open("/f", 6, None, ReadingPurpose::AsciiSize));
    assert_eq!(beyond, Err(StorageError::OffsetBeyondEnd));
}

#[test]
fn what_is_read_is_appended_to_the_open_upload() {
    let (host, mut storage) = storage_with(b"part");
    storage.execute(open("/f", 0, None, ReadingPurpose::Append)).unwrap();
    let unopened = storage.execute(StorageRequest::ReadOn { bytes_max: 2 });
    assert_eq!(unopened, Err(StorageError::Failed), "there is no upload");
    let base = UploadBase::Published { keep_bytes: None };
    storage.execute(StorageRequest::OpenWrite { path: at("/f"), base, announced_bytes: None, quota: None }).unwrap();
    storage.execute(open("/f", 0, None, ReadingPurpose::Append)).unwrap();
    assert_eq!(read(&mut storage, 3), (vec![3, 1], ReadingResult::Appended));
    storage.execute(StorageRequest::Publish { replace: true, judged: vec![], expiry_s: None }).unwrap();
    assert_eq!(std::fs::read(host.disk("f")).unwrap(), b"partpart");
}

#[test]
fn an_open_reading_is_closed_early() {
    let (_host, mut storage) = storage_with(b"text");
    storage.execute(open("/f", 0, None, ReadingPurpose::AsciiSize)).unwrap();
    assert_eq!(storage.execute(StorageRequest::CloseReading), Ok(StorageOutcome::Done));
    assert_eq!(storage.execute(StorageRequest::ReadOn { bytes_max: 1 }), Err(StorageError::Failed));
}
