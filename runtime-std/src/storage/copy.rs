//! The first bytes of one file into another that is empty.

use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Copies the first `bytes` of `from`: shared with it where the file system can, else within the kernel, else by hand.
/// Holes stay holes.
pub(super) fn copy_first(from: &File, to: &File, bytes: u64) -> io::Result<()> {
    if from.metadata()?.len() < bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return to.set_len(bytes);
    }
    to.set_len(bytes)?;
    let mut at = 0;
    while at < bytes {
        let (begin, end) = match next_data(from, at) {
            Some((begin, end)) => (begin, end.min(bytes)),
            None => return Ok(()),
        };
        if begin < end {
            copy_range(from, to, begin, end)?;
        }
        at = end.max(at + 1);
    }
    Ok(())
}

/// The next bytes that are no hole, from `at` on; none: all the rest is one. Where the file system cannot tell, nothing
/// is.
fn next_data(from: &File, at: u64) -> Option<(u64, u64)> {
    let begin = match rustix::fs::seek(from, rustix::fs::SeekFrom::Data(at)) {
        Ok(begin) => begin,
        Err(Errno::NXIO) => return None,
        Err(_) => return Some((at, u64::MAX)),
    };
    Some((begin, rustix::fs::seek(from, rustix::fs::SeekFrom::Hole(begin)).unwrap_or(u64::MAX)))
}

fn copy_range(from: &File, to: &File, mut at: u64, end: u64) -> io::Result<()> {
    while at < end {
        let chunk = usize::try_from((end - at).min(CHUNK_BYTES)).expect("a chunk fits");
        let (mut read_at, mut write_at) = (at, at);
        match rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), chunk) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => at += count as u64,
            Err(Errno::INTR) => {}
            Err(Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::XDEV) => {
                return copy_by_hand(from, to, at, end);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// One call of the kernel is not to be longer than this.
const CHUNK_BYTES: u64 = 64 << 20;

fn copy_by_hand(mut from: &File, mut to: &File, at: u64, bytes: u64) -> io::Result<()> {
    from.seek(SeekFrom::Start(at))?;
    to.seek(SeekFrom::Start(at))?;
    let copied = io::copy(&mut from.take(bytes - at), &mut to)?;
    if copied < bytes - at { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_copies_the_first_bytes_alone() {
        let content: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[0]).collect();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("from");
        std::fs::write(&path, &content).unwrap();
        let from = File::open(&path).unwrap();
        for by_hand in [false, true] {
            let to = tempfile::NamedTempFile::new_in(dir.path()).unwrap();
            if by_hand {
                copy_by_hand(&from, to.as_file(), 0, 70_001).unwrap();
            } else {
                copy_first(&from, to.as_file(), 70_001).unwrap();
            }
            assert_eq!(std::fs::read(to.path()).unwrap(), content[..70_001]);
        }
        assert!(copy_first(&from, &tempfile::tempfile_in(dir.path()).unwrap(), 100_001).is_err());
    }

    #[test]
    fn holes_are_kept_and_what_lies_between_them_is_copied() {
        use std::os::unix::fs::{FileExt, MetadataExt};
        const GIB: u64 = 1 << 30;
        let dir = tempfile::tempdir().unwrap();
        let from = tempfile::tempfile_in(dir.path()).unwrap();
        from.set_len(3 * GIB).unwrap();
        from.write_all_at(b"middle", GIB).unwrap();
        from.write_all_at(b"late", 2 * GIB).unwrap();
        for bytes in [3 * GIB, 2 * GIB + 2, GIB + 3, GIB / 2, 0] {
            let to = tempfile::tempfile_in(dir.path()).unwrap();
            copy_first(&from, &to, bytes).unwrap();
            assert_eq!(to.metadata().unwrap().len(), bytes);
            for (at, text) in [(GIB, &b"middle"[..]), (2 * GIB, b"late")] {
                let mut got = vec![0; usize::try_from(bytes.saturating_sub(at)).unwrap().min(text.len())];
                to.read_exact_at(&mut got, at).unwrap();
                assert_eq!(got, text[..got.len()]);
            }
            assert!(to.metadata().unwrap().blocks() * 512 < 1 << 20);
        }
    }
}
