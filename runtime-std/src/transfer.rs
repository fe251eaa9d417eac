//! Moves a file's bytes over a data connection, a chunk at a time and without waiting: the kernel sends (`sendfile`),
//! unless the bytes must change on the way.

use crate::net::CHUNK_BYTES;
use crate::storage::execute::SessionStorage;
use crate::storage::{Download, Upload};
use mayfly_core::action::{Direction, Translation};
use mayfly_core::ascii::{FromWire, ToWire};
use mayfly_core::error::{StorageError, TransferError};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;

/// One transfer on its way.
pub(crate) struct Transfer {
    /// Bytes over the data connection so far.
    pub(crate) wire_bytes: u64,
    way: Way,
}

/// What one step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Bytes moved; more may follow at once.
    Moved,
    /// The data connection must be waited for.
    Blocked,
    /// All is moved.
    Ended,
}

enum Way {
    /// The kernel moves it, from this offset on.
    SendFile { download: Box<dyn Download>, offset_bytes: u64 },
    /// Through a buffer.
    SendBuffered(Buffered),
    /// A text, from `sent` on.
    SendText { text: Vec<u8>, sent: usize },
    /// Into an upload.
    Receive { upload: Box<dyn Upload>, ascii: Option<FromWire>, chunk: Vec<u8>, translated: Vec<u8> },
}

impl Transfer {
    /// Takes what `OpenRead` or `OpenWrite` has opened.
    ///
    /// # Errors
    /// [`StorageError::Failed`] where nothing is open.
    pub(crate) fn begin(
        direction: Direction,
        translation: Translation,
        storage: &mut SessionStorage,
    ) -> Result<Self, TransferError> {
        let unopened = TransferError::Storage(StorageError::Failed);
        let is_ascii = translation == Translation::Ascii;
        let way = match direction {
            Direction::Send => {
                let download = storage.take_download().ok_or(unopened)?;
                let offset_bytes = download.offset_bytes();
                if download.file().is_some() && !is_ascii {
                    Way::SendFile { download, offset_bytes }
                } else {
                    Way::buffered(download, offset_bytes, is_ascii)
                }
            }
            Direction::Receive => Way::Receive {
                upload: storage.take_upload().ok_or(unopened)?,
                ascii: is_ascii.then(FromWire::default),
                chunk: vec![0; CHUNK_BYTES],
                translated: Vec::new(),
            },
        };
        Ok(Self { wire_bytes: 0, way })
    }

    /// Sends a piece of a listing.
    pub(crate) fn begin_text(text: String) -> Self {
        Self { wire_bytes: 0, way: Way::SendText { text: text.into_bytes(), sent: 0 } }
    }

    /// Whether bytes come in.
    pub(crate) fn receives(&self) -> bool {
        matches!(self.way, Way::Receive { .. })
    }

    /// Moves one chunk.
    ///
    /// # Errors
    /// [`TransferError`]; the transfer has ended then.
    pub(crate) fn step(&mut self, stream: &TcpStream) -> Result<Step, TransferError> {
        let step = match &mut self.way {
            Way::SendFile { download, offset_bytes } => send_file(stream, download.as_ref(), offset_bytes),
            Way::SendText { text, sent } => send_rest(stream, text, sent),
            Way::SendBuffered(buffered) => buffered.send(stream),
            Way::Receive { upload, ascii, chunk, translated } => {
                return receive(stream, upload.as_mut(), ascii.as_mut(), chunk, translated, &mut self.wire_bytes);
            }
        };
        match step {
            Ok(bytes) => {
                self.wire_bytes += bytes;
                Ok(if self.is_sent() { Step::Ended } else { Step::Moved })
            }
            Err(Halt::Blocked) => Ok(Step::Blocked),
            Err(Halt::NotByKernel) => {
                self.send_buffered();
                Ok(Step::Moved)
            }
            Err(Halt::Failed(error)) => Err(error),
        }
    }

    /// Hands an upload back, to be published, kept or discarded.
    pub(crate) fn finish(self, storage: &mut SessionStorage) {
        if let Way::Receive { upload, .. } = self.way {
            storage.put_upload(upload);
        }
    }

    fn is_sent(&self) -> bool {
        match &self.way {
            Way::SendFile { download, offset_bytes } => *offset_bytes >= download.end_bytes(),
            Way::SendBuffered(buffered) => buffered.is_sent(),
            Way::SendText { text, sent } => *sent == text.len(),
            Way::Receive { .. } => false,
        }
    }

    /// Some file systems do not let the kernel send from them.
    fn send_buffered(&mut self) {
        let nothing = Way::SendText { text: Vec::new(), sent: 0 };
        self.way = match std::mem::replace(&mut self.way, nothing) {
            Way::SendFile { download, offset_bytes } => Way::buffered(download, offset_bytes, false),
            other => other,
        };
    }
}

impl Way {
    fn buffered(download: Box<dyn Download>, offset_bytes: u64, is_ascii: bool) -> Self {
        Self::SendBuffered(Buffered {
            download,
            offset_bytes,
            ascii: is_ascii.then(ToWire::default),
            chunk: vec![0; CHUNK_BYTES],
            wire: Vec::new(),
            sent: 0,
        })
    }
}

/// A file that is sent through a buffer.
struct Buffered {
    download: Box<dyn Download>,
    /// Where the next chunk begins.
    offset_bytes: u64,
    ascii: Option<ToWire>,
    /// As it stands in the file.
    chunk: Vec<u8>,
    /// As it goes over the wire; from `sent` on it waits.
    wire: Vec<u8>,
    sent: usize,
}

impl Buffered {
    fn send(&mut self, stream: &TcpStream) -> Result<u64, Halt> {
        if self.sent == self.wire.len() {
            self.refill().map_err(|error| Halt::Failed(TransferError::Storage(error)))?;
        }
        send_rest(stream, &self.wire, &mut self.sent)
    }

    fn refill(&mut self) -> Result<(), StorageError> {
        let left = usize::try_from(self.left_bytes()).unwrap_or(CHUNK_BYTES);
        let room = &mut self.chunk[..left.min(CHUNK_BYTES)];
        let bytes = self.download.read_at(room, self.offset_bytes)?;
        if bytes == 0 && !room.is_empty() {
            return Err(StorageError::Failed);
        }
        self.offset_bytes += bytes as u64;
        self.wire.clear();
        self.sent = 0;
        match &mut self.ascii {
            Some(ascii) => ascii.translate(&room[..bytes], &mut self.wire),
            None => self.wire.extend_from_slice(&room[..bytes]),
        }
        Ok(())
    }

    fn left_bytes(&self) -> u64 {
        self.download.end_bytes().saturating_sub(self.offset_bytes)
    }

    fn is_sent(&self) -> bool {
        self.sent == self.wire.len() && self.left_bytes() == 0
    }
}

/// Has the kernel send at most `bytes_max` of `file`, from `offset_bytes` on, which moves along; tells how many went.
///
/// # Errors
/// The system's; `WouldBlock` where the connection must be waited for, `InvalidInput` where the kernel cannot send from
/// that file.
pub fn send_file_chunk(socket: impl AsFd, file: &File, offset_bytes: &mut u64, bytes_max: usize) -> io::Result<usize> {
    rustix::io::retry_on_intr(|| rustix::fs::sendfile(&socket, file, Some(offset_bytes), bytes_max))
        .map_err(io::Error::from)
}

/// Why a step did not move bytes.
enum Halt {
    Blocked,
    NotByKernel,
    Failed(TransferError),
}

fn send_file(stream: &TcpStream, download: &dyn Download, offset_bytes: &mut u64) -> Result<u64, Halt> {
    let Some(file) = download.file() else { return Err(Halt::NotByKernel) };
    let left = download.end_bytes().saturating_sub(*offset_bytes);
    if left == 0 {
        return Ok(0);
    }
    let bytes_max = usize::try_from(left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
    match send_file_chunk(stream, file, offset_bytes, bytes_max) {
        // No published file is ever changed in place; somebody cut this one short from outside.
        Ok(0) => Err(Halt::Failed(TransferError::Storage(StorageError::Failed))),
        Ok(bytes) => Ok(bytes as u64),
        Err(error) => Err(match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::AGAIN) => Halt::Blocked,
            Some(Errno::INVAL | Errno::NOSYS) => Halt::NotByKernel,
            Some(Errno::IO | Errno::OVERFLOW | Errno::NOMEM) => {
                Halt::Failed(TransferError::Storage(StorageError::Failed))
            }
            _ => Halt::Failed(TransferError::ConnectionLost),
        }),
    }
}

fn send_rest(mut stream: &TcpStream, bytes: &[u8], sent: &mut usize) -> Result<u64, Halt> {
    let rest = bytes.get(*sent..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(0);
    }
    match stream.write(&rest[..rest.len().min(CHUNK_BYTES)]) {
        Ok(bytes) => {
            *sent += bytes;
            Ok(bytes as u64)
        }
        Err(error) if is_for_later(&error) => Err(Halt::Blocked),
        Err(_) => Err(Halt::Failed(TransferError::ConnectionLost)),
    }
}

fn receive(
    mut stream: &TcpStream,
    upload: &mut dyn Upload,
    ascii: Option<&mut FromWire>,
    chunk: &mut [u8],
    translated: &mut Vec<u8>,
    wire_bytes: &mut u64,
) -> Result<Step, TransferError> {
    let bytes = match stream.read(chunk) {
        Ok(bytes) => bytes,
        Err(error) if is_for_later(&error) => return Ok(Step::Blocked),
        Err(_) => return Err(TransferError::ConnectionLost),
    };
    *wire_bytes += bytes as u64;
    let came = &chunk[..bytes];
    let write = match ascii {
        None => came,
        Some(ascii) => {
            translated.clear();
            ascii.translate(came, translated);
            if bytes == 0 {
                ascii.finish(translated);
            }
            translated.as_slice()
        }
    };
    if !write.is_empty() {
        upload.write(write).map_err(TransferError::Storage)?;
    }
    Ok(if bytes == 0 { Step::Ended } else { Step::Moved })
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
