//! MODE Z: the data connection carries one zlib stream (RFC 1950, draft-preston-ftpext-deflate-04). Both drivers and the
//! tests deflate and inflate with this alone.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use mayfly_core::action::DeflateLevel;
use mayfly_core::error::{StorageError, TransferError};
use std::fmt;

/// Makes one zlib stream of all that is pushed. It holds some 300 KiB.
pub struct Deflater(Compress);

impl Deflater {
    /// A stream that has not begun.
    #[must_use]
    pub fn new(level: DeflateLevel) -> Self {
        Self(Compress::new(Compression::new(level.level().into()), true))
    }

    /// Deflates these bytes; what is due of the stream is put behind `out`, which may be nothing yet.
    ///
    /// # Errors
    /// [`StorageError::Failed`] after the stream's end.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), TransferError> {
        self.run(bytes, out, FlushCompress::None)
    }

    /// Ends the stream: its rest is put behind `out`.
    ///
    /// # Errors
    /// As [`Deflater::push`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), TransferError> {
        self.run(&[], out, FlushCompress::Finish)
    }

    fn run(&mut self, bytes: &[u8], out: &mut Vec<u8>, flush: FlushCompress) -> Result<(), TransferError> {
        let begin = self.0.total_in();
        loop {
            let taken = usize::try_from(self.0.total_in() - begin).unwrap_or(bytes.len());
            let rest = bytes.get(taken..).unwrap_or_default();
            out.reserve(OUT_STEP_BYTES);
            let before = (self.0.total_in(), self.0.total_out());
            let status = self.0.compress_vec(rest, out, flush);
            let status = status.map_err(|_| TransferError::Storage(StorageError::Failed))?;
            let has_moved = (self.0.total_in(), self.0.total_out()) != before;
            match (flush, status) {
                (FlushCompress::Finish, Status::StreamEnd) => return Ok(()),
                // Room that is left means that nothing more is due now.
                (FlushCompress::None, Status::Ok | Status::BufError)
                    if self.0.total_in() - begin == bytes.len() as u64 && out.len() < out.capacity() =>
                {
                    return Ok(());
                }
                (_, Status::Ok) if has_moved => {}
                // It has ended before.
                _ => return Err(TransferError::Storage(StorageError::Failed)),
            }
        }
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("in_bytes", &self.0.total_in()).finish_non_exhaustive()
    }
}

/// Reads one zlib stream. It holds some 40 KiB.
pub struct Inflater {
    stream: Decompress,
    is_ended: bool,
}

impl Default for Inflater {
    fn default() -> Self {
        Self { stream: Decompress::new(true), is_ended: false }
    }
}

impl Inflater {
    /// Inflates into the room that `out` has left and no more, however little of `bytes` that is: a few bytes may stand
    /// for very many. Tells how many of `bytes` it took; where `out` is full, there may be more even without new ones.
    ///
    /// # Errors
    /// [`TransferError::Corrupt`]: it is no zlib stream, or there is more after its end.
    pub fn inflate(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, TransferError> {
        if self.is_ended {
            return if bytes.is_empty() { Ok(0) } else { Err(TransferError::Corrupt) };
        }
        let begin = self.stream.total_in();
        let status = self.stream.decompress_vec(bytes, out, FlushDecompress::None);
        self.is_ended = matches!(status.map_err(|_| TransferError::Corrupt)?, Status::StreamEnd);
        Ok(usize::try_from(self.stream.total_in() - begin).unwrap_or(bytes.len()))
    }

    /// Whether the stream has come to its end, and its check sum was right.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("is_ended", &self.is_ended).finish_non_exhaustive()
    }
}

/// How much room the output grows by at a time.
const OUT_STEP_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn deflated(pieces: &[&[u8]], level: u8) -> Vec<u8> {
        let mut deflater = Deflater::new(DeflateLevel::new(level).unwrap());
        let mut out = Vec::new();
        for piece in pieces {
            deflater.push(piece, &mut out).unwrap();
        }
        deflater.finish(&mut out).unwrap();
        assert!(deflater.push(b"more", &mut out).is_err());
        out
    }

    /// What it comes to, in pieces of so many bytes and with so much room at a time.
    fn inflated(wire: &[u8], piece_bytes: usize, room_bytes: usize) -> Result<(Vec<u8>, bool), TransferError> {
        let (mut inflater, mut all) = (Inflater::default(), Vec::new());
        for mut piece in wire.chunks(piece_bytes) {
            loop {
                let mut out = Vec::with_capacity(room_bytes);
                let room = out.capacity();
                piece = &piece[inflater.inflate(piece, &mut out)?..];
                assert_eq!(out.capacity(), room, "bounded");
                let is_full = out.len() == room;
                all.append(&mut out);
                if piece.is_empty() && !is_full {
                    break;
                }
            }
        }
        Ok((all, inflater.is_ended()))
    }

    #[test]
    fn what_is_deflated_comes_back_at_every_level_and_in_any_pieces() {
        let noise: Vec<u8> = (0..100_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
        let zeros = vec![0; 1_000_000];
        for bytes in [&b""[..], b"a", b"one two one two", &noise, &zeros] {
            for level in 0..=9 {
                let (head, tail) = bytes.split_at(bytes.len() / 3);
                let wire = deflated(&[head, b"", tail], level);
                assert_eq!(inflated(&wire, wire.len(), 4096), Ok((bytes.to_vec(), true)), "level {level}");
                assert_eq!(inflated(&wire, 7, 100), Ok((bytes.to_vec(), true)), "level {level}");
            }
        }
        assert!(deflated(&[&zeros], 9).len() < 2000);
    }

    #[test]
    fn a_stream_that_is_cut_has_no_end_and_one_that_is_spoilt_is_corrupt() {
        let wire = deflated(&[b"a line of text, and a line of text"], 6);
        for length in 0..wire.len() {
            assert!(!inflated(&wire[..length], 3, 100).unwrap().1, "{length}");
        }
        for at in 0..wire.len() {
            let mut spoilt = wire.clone();
            spoilt[at] ^= 0x5a;
            let outcome = inflated(&spoilt, 3, 100);
            assert!(matches!(outcome, Err(TransferError::Corrupt) | Ok((_, false))), "{at}: {outcome:?}");
        }
        let longer = [&wire[..], b"x"].concat();
        assert_eq!(inflated(&longer, longer.len(), 100), Err(TransferError::Corrupt));
        assert_eq!(inflated(&longer, 1, 100), Err(TransferError::Corrupt));
    }
}
