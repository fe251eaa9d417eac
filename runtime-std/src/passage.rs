//! What becomes of bytes between a file and a data connection, for both drivers: [`Outlet`] and [`TextOutlet`] on their
//! way out, [`Intake`] on their way in. TYPE A translates and MODE Z deflates, in this order on the way out. Each step is
//! bounded, however few bytes of the wire stand for however many of the file.

use crate::deflate::{Deflater, Inflater};
use crate::net::CHUNK_BYTES;
use crate::storage::{Download, Upload};
use mayfly_core::action::{DeflateLevel, Translation};
use mayfly_core::ascii::{FromWire, ToWire};
use mayfly_core::error::{StorageError, TransferError};

/// A file on its way out through a buffer.
#[derive(Debug)]
pub struct Outlet {
    /// Where the next chunk begins.
    offset_bytes: u64,
    ascii: Option<ToWire>,
    deflater: Option<Deflater>,
    is_ended: bool,
    chunk: Vec<u8>,
    translated: Vec<u8>,
    wire: Vec<u8>,
}

impl Outlet {
    /// One that begins at this offset of the file.
    #[must_use]
    pub fn new(offset_bytes: u64, translation: Translation, deflate: Option<DeflateLevel>) -> Self {
        Self {
            offset_bytes,
            ascii: (translation == Translation::Ascii).then(ToWire::default),
            deflater: deflate.map(Deflater::new),
            is_ended: false,
            chunk: Vec::new(),
            translated: Vec::new(),
            wire: Vec::new(),
        }
    }

    /// Reads the next chunk and makes of it what goes over the wire, in place of what was there; that may be nothing,
    /// for what deflates gathers. How many bytes of the file it was. May block.
    ///
    /// # Errors
    /// The storage's; [`StorageError::Failed`] where the file is shorter than it was.
    pub fn refill(&mut self, download: &dyn Download) -> Result<usize, TransferError> {
        self.wire.clear();
        let left_bytes = download.end_bytes().saturating_sub(self.offset_bytes);
        if left_bytes == 0 {
            self.is_ended = true;
            return match self.deflater.take() {
                Some(mut deflater) => deflater.finish(&mut self.wire).map(|()| 0),
                None => Ok(0),
            };
        }
        self.chunk.resize(usize::try_from(left_bytes).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES), 0);
        let bytes = download.read_at(&mut self.chunk, self.offset_bytes).map_err(TransferError::Storage)?;
        let came = self.chunk.get(..bytes).filter(|came| !came.is_empty());
        let came = came.ok_or(TransferError::Storage(StorageError::Failed))?;
        self.offset_bytes += bytes as u64;
        match (&mut self.ascii, &mut self.deflater) {
            (None, None) => self.wire.extend_from_slice(came),
            (None, Some(deflater)) => deflater.push(came, &mut self.wire)?,
            (Some(ascii), None) => ascii.translate(came, &mut self.wire),
            (Some(ascii), Some(deflater)) => {
                self.translated.clear();
                ascii.translate(came, &mut self.translated);
                deflater.push(&self.translated, &mut self.wire)?;
            }
        }
        Ok(bytes)
    }

    /// What the last refill made.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// Whether that was the last of it.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }
}

/// A listing on its way out: pieces of text, in MODE Z one stream over all of them. It lives as long as the data
/// connection.
#[derive(Debug, Default)]
pub struct TextOutlet(Option<Deflater>);

impl TextOutlet {
    /// Whether a stream has begun, so that it must be kept for the next piece.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.0.is_some()
    }

    /// What goes over the wire for the next piece.
    ///
    /// # Errors
    /// [`StorageError::Failed`] for a piece after the last.
    pub fn wire(&mut self, text: String, deflate: Option<DeflateLevel>, last: bool) -> Result<Vec<u8>, TransferError> {
        let Some(level) = deflate else { return Ok(text.into_bytes()) };
        let deflater = self.0.get_or_insert_with(|| Deflater::new(level));
        let mut wire = Vec::new();
        deflater.push(text.as_bytes(), &mut wire)?;
        if last {
            deflater.finish(&mut wire)?;
        }
        Ok(wire)
    }
}

/// An upload on its way in through a buffer: read into [`Intake::room`], say with [`Intake::came`] how much that was, and
/// [`Intake::step`] until it is no longer busy.
#[derive(Debug)]
pub struct Intake {
    ascii: Option<FromWire>,
    inflater: Option<Inflater>,
    chunk: Vec<u8>,
    /// What of the chunk waits.
    from: usize,
    to: usize,
    /// There may be more to write, even where nothing waits.
    is_busy: bool,
    /// The peer has ended the stream.
    is_last: bool,
    inflated: Vec<u8>,
    translated: Vec<u8>,
}

impl Intake {
    /// One that nothing has come to yet.
    #[must_use]
    pub fn new(translation: Translation, deflated: bool) -> Self {
        Self {
            ascii: (translation == Translation::Ascii).then(FromWire::default),
            inflater: deflated.then(Inflater::default),
            chunk: vec![0; CHUNK_BYTES],
            from: 0,
            to: 0,
            is_busy: false,
            is_last: false,
            inflated: Vec::new(),
            translated: Vec::new(),
        }
    }

    /// Where to read into while it is not busy.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.chunk
    }

    /// So many bytes were read into the room; 0: the peer has ended the stream.
    pub fn came(&mut self, bytes: usize) {
        (self.from, self.to) = (0, bytes.min(self.chunk.len()));
        self.is_busy = true;
        self.is_last = bytes == 0;
    }

    /// Whether there is more to write before the next bytes may come.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Whether all was written up to the end of the stream.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.is_last && !self.is_busy
    }

    /// Writes the next piece, at most a chunk. How many bytes of the file it was. May block.
    ///
    /// # Errors
    /// The storage's; in MODE Z [`TransferError::Corrupt`], and [`TransferError::ConnectionLost`] where the deflated
    /// stream had not come to its end when the peer ended the connection.
    pub fn step(&mut self, upload: &mut dyn Upload) -> Result<usize, TransferError> {
        let came = &self.chunk[self.from..self.to];
        let piece = match &mut self.inflater {
            None => {
                (self.from, self.is_busy) = (self.to, false);
                came
            }
            Some(inflater) => {
                self.inflated.clear();
                self.inflated.reserve_exact(CHUNK_BYTES);
                self.from += inflater.inflate(came, &mut self.inflated)?;
                self.is_busy = self.from < self.to || self.inflated.len() == self.inflated.capacity();
                if self.is_last && !self.is_busy && !inflater.is_ended() {
                    return Err(TransferError::ConnectionLost);
                }
                self.inflated.as_slice()
            }
        };
        let piece = match &mut self.ascii {
            None => piece,
            Some(ascii) => {
                self.translated.clear();
                ascii.translate(piece, &mut self.translated);
                if self.is_last && !self.is_busy {
                    ascii.finish(&mut self.translated);
                }
                self.translated.as_slice()
            }
        };
        if !piece.is_empty() {
            upload.write(piece).map_err(TransferError::Storage)?;
        }
        Ok(piece.len())
    }
}
