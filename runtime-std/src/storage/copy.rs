//! The first bytes of one file into another that is empty.

use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Copies the first `bytes` of `from`: shared with it where the file system can, else within the kernel, else by hand.
pub(super) fn copy_first(from: &File, to: &File, bytes: u64) -> io::Result<()> {
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return to.set_len(bytes);
    }
    let mut at = 0;
    while at < bytes {
        let chunk = usize::try_from((bytes - at).min(CHUNK_BYTES)).expect("a chunk fits");
        let (mut read_at, mut write_at) = (at, at);
        match rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), chunk) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => at += count as u64,
            Err(Errno::INTR) => {}
            Err(Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::XDEV) => {
                return copy_by_hand(from, to, at, bytes);
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
}
