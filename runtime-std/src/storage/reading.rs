//! Files that are read through without a data connection: for a digest, for their size in TYPE A, to be appended.

use super::digest::Digester;
use super::{Download, Upload};
use mayfly_core::action::ReadingPurpose;
use mayfly_core::ascii::ToWire;
use mayfly_core::error::StorageError;
use mayfly_core::event::ReadingResult;

/// A file that is being read through, a step at a time.
pub(super) struct Reading {
    download: Box<dyn Download>,
    offset_bytes: u64,
    end_bytes: u64,
    purpose: Purpose,
}

enum Purpose {
    Digest(Digester),
    AsciiSize { to_wire: ToWire, translated: Vec<u8>, wire_bytes: u64 },
    Append,
}

impl Reading {
    /// From where `download` begins, so many bytes (none: all) and no more than there are.
    pub(super) fn new(
        download: Box<dyn Download>,
        length_bytes: Option<u64>,
        purpose: ReadingPurpose,
    ) -> Result<Self, StorageError> {
        let purpose = match purpose {
            ReadingPurpose::Digest(algorithm) => Purpose::Digest(Digester::new(algorithm)?),
            ReadingPurpose::AsciiSize => {
                Purpose::AsciiSize { to_wire: ToWire::default(), translated: Vec::new(), wire_bytes: 0 }
            }
            ReadingPurpose::Append => Purpose::Append,
            _ => return Err(StorageError::Unsupported),
        };
        let (offset_bytes, size_bytes) = (download.offset_bytes(), download.end_bytes());
        let end_bytes = length_bytes.map_or(size_bytes, |bytes| offset_bytes.saturating_add(bytes).min(size_bytes));
        Ok(Self { download, offset_bytes, end_bytes, purpose })
    }

    /// Reads on, `bytes_max` at most; how many that were, and at the end what came of it all.
    ///
    /// # Errors
    /// The storage's; [`StorageError::Failed`] where the file is shorter than it was.
    pub(super) fn step(
        &mut self,
        bytes_max: u64,
        mut upload: Option<&mut (dyn Upload + 'static)>,
    ) -> Result<(u64, Option<ReadingResult>), StorageError> {
        let begun_bytes = self.offset_bytes;
        let until_bytes = begun_bytes.saturating_add(bytes_max).min(self.end_bytes);
        let mut buffer = vec![0; chunk_bytes(until_bytes - begun_bytes)];
        while self.offset_bytes < until_bytes {
            let chunk = &mut buffer[..chunk_bytes(until_bytes - self.offset_bytes)];
            let read = self.download.read_at(chunk, self.offset_bytes)?;
            if read == 0 {
                return Err(StorageError::Failed);
            }
            self.offset_bytes += read as u64;
            match (&mut self.purpose, upload.as_mut()) {
                (Purpose::Digest(digester), _) => digester.update(&chunk[..read]),
                (Purpose::AsciiSize { to_wire, translated, wire_bytes }, _) => {
                    translated.clear();
                    to_wire.translate(&chunk[..read], translated);
                    *wire_bytes += translated.len() as u64;
                }
                (Purpose::Append, Some(upload)) => upload.write(&chunk[..read])?,
                (Purpose::Append, None) => return Err(StorageError::Failed),
            }
        }
        let is_at_end = self.offset_bytes >= self.end_bytes;
        Ok((self.offset_bytes - begun_bytes, is_at_end.then(|| self.result())))
    }

    fn result(&mut self) -> ReadingResult {
        match &mut self.purpose {
            Purpose::Digest(digester) => ReadingResult::Digest { hex: digester.finish() },
            Purpose::AsciiSize { wire_bytes, .. } => ReadingResult::AsciiSize { wire_bytes: *wire_bytes },
            Purpose::Append => ReadingResult::Appended,
        }
    }
}

fn chunk_bytes(left_bytes: u64) -> usize {
    usize::try_from(left_bytes).unwrap_or(usize::MAX).min(CHUNK_BYTES)
}

/// Bytes that are read in one go.
const CHUNK_BYTES: usize = 256 * 1024;
