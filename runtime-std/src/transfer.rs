//! Moves a file's bytes over a data connection, a chunk at a time and without waiting: the kernel sends (`sendfile`),
//! unless the bytes must change on the way, by TYPE A, MODE Z or TLS.

use crate::connection::Connection;
use crate::net::CHUNK_BYTES;
use crate::passage::{Intake, Outlet};
use crate::storage::execute::SessionStorage;
use crate::storage::{Download, Upload};
use mayfly_core::action::{DeflateLevel, Direction, Translation};
use mayfly_core::error::{StorageError, TransferError};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::num::NonZeroU64;
use std::os::fd::AsFd;

/// What `Action::Transfer` says of a transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) direction: Direction,
    pub(crate) translation: Translation,
    pub(crate) deflate: Option<DeflateLevel>,
    pub(crate) bytes_per_s: Option<NonZeroU64>,
}

/// One transfer on its way.
pub(crate) struct Transfer {
    /// Bytes over the data connection so far.
    wire_bytes: u64,
    /// Bytes of the file that these stand for.
    file_bytes: u64,
    way: Way,
    /// All is moved; what is left is for TLS to send.
    is_moved: bool,
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
    /// Through a buffer, of which `sent` bytes have gone.
    SendBuffered { download: Box<dyn Download>, outlet: Box<Outlet>, sent: usize },
    /// A text as it goes over the wire, from `sent` on; `last`: nothing comes behind it.
    SendText { wire: Vec<u8>, sent: usize, last: bool },
    /// Into an upload.
    Receive { upload: Box<dyn Upload>, intake: Box<Intake> },
}

impl Transfer {
    /// Takes what `OpenRead` or `OpenWrite` has opened.
    ///
    /// # Errors
    /// [`StorageError::Failed`] where nothing is open.
    pub(crate) fn begin(terms: Terms, storage: &mut SessionStorage) -> Result<Self, TransferError> {
        let unopened = TransferError::Storage(StorageError::Failed);
        let Terms { direction, translation, deflate, .. } = terms;
        let way = match direction {
            Direction::Send => {
                let download = storage.take_download().ok_or(unopened)?;
                let offset_bytes = download.offset_bytes();
                if download.file().is_some() && translation == Translation::Image && deflate.is_none() {
                    Way::SendFile { download, offset_bytes }
                } else {
                    let outlet = Box::new(Outlet::new(offset_bytes, translation, deflate));
                    Way::SendBuffered { download, outlet, sent: 0 }
                }
            }
            Direction::Receive => Way::Receive {
                upload: storage.take_upload().ok_or(unopened)?,
                intake: Box::new(Intake::new(translation, deflate.is_some())),
            },
        };
        Ok(Self { wire_bytes: 0, file_bytes: 0, way, is_moved: false })
    }

    /// Sends a piece of a listing of so many bytes, as it goes over the wire.
    pub(crate) fn begin_text(text_bytes: usize, wire: Vec<u8>, last: bool) -> Self {
        let way = Way::SendText { wire, sent: 0, last };
        Self { wire_bytes: 0, file_bytes: text_bytes as u64, way, is_moved: false }
    }

    /// Whether a file's bytes go out.
    pub(crate) fn sends_file(&self) -> bool {
        matches!(self.way, Way::SendFile { .. } | Way::SendBuffered { .. })
    }

    /// Whether bytes come in.
    pub(crate) fn receives(&self) -> bool {
        matches!(self.way, Way::Receive { .. })
    }

    /// Whether it goes on without waiting for the data connection.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(&self.way, Way::Receive { intake, .. } if intake.is_busy())
    }

    /// Bytes over the data connection so far, and those of the file that they stand for where these are others.
    pub(crate) fn moved(&self) -> (u64, Option<u64>) {
        (self.wire_bytes, (self.file_bytes != self.wire_bytes).then_some(self.file_bytes))
    }

    /// Moves one chunk, of so many bytes over the data connection at most.
    ///
    /// # Errors
    /// [`TransferError`]; the transfer has ended then.
    pub(crate) fn step(&mut self, connection: &mut Connection, bytes_max: usize) -> Result<Step, TransferError> {
        if self.is_moved {
            return self.end(connection);
        }
        match self.try_step(connection, bytes_max.min(CHUNK_BYTES)) {
            Ok(Step::Ended) => {
                self.is_moved = true;
                self.end(connection)
            }
            Ok(step) => Ok(step),
            Err(Halt::Blocked) => Ok(Step::Blocked),
            Err(Halt::NotByKernel) => {
                self.send_buffered();
                Ok(Step::Moved)
            }
            Err(Halt::Failed(error)) => Err(error),
        }
    }

    /// All is moved. Whoever reads must see that this was all (RFC 8446 6.1), before the reply says so.
    fn end(&mut self, connection: &mut Connection) -> Result<Step, TransferError> {
        let ended = match &self.way {
            Way::SendText { last: false, .. } => connection.flush(),
            Way::SendText { .. } | Way::SendFile { .. } | Way::SendBuffered { .. } => connection.end(),
            Way::Receive { .. } => {
                // Some wait for this before they read the reply. There is room for it, or the peer has gone.
                let _ = connection.end();
                Ok(())
            }
        };
        match ended {
            Ok(()) => Ok(Step::Ended),
            Err(error) if is_for_later(&error) => Ok(Step::Blocked),
            Err(_) => Err(TransferError::ConnectionLost),
        }
    }

    fn try_step(&mut self, connection: &mut Connection, bytes_max: usize) -> Result<Step, Halt> {
        let (bytes, is_ended) = match &mut self.way {
            // The kernel has no part in TLS.
            Way::SendFile { .. } if connection.is_secured() => return Err(Halt::NotByKernel),
            Way::SendFile { download, offset_bytes } => {
                let bytes = send_file(connection.socket(), download.as_ref(), offset_bytes, bytes_max)?;
                self.file_bytes += bytes;
                (bytes, *offset_bytes >= download.end_bytes())
            }
            Way::SendText { wire, sent, .. } => (send_rest(connection, wire, sent, bytes_max)?, *sent == wire.len()),
            Way::SendBuffered { download, outlet, sent } => {
                if *sent == outlet.wire().len() {
                    self.file_bytes += outlet.refill(download.as_ref())? as u64;
                    *sent = 0;
                }
                let bytes = send_rest(connection, outlet.wire(), sent, bytes_max)?;
                (bytes, outlet.is_ended() && *sent == outlet.wire().len())
            }
            Way::Receive { upload, intake } => {
                let bytes = if intake.is_busy() { 0 } else { receive(connection, intake, bytes_max)? };
                self.wire_bytes += bytes;
                self.file_bytes += intake.step(upload.as_mut())? as u64;
                (0, intake.is_ended())
            }
        };
        self.wire_bytes += bytes;
        Ok(if is_ended { Step::Ended } else { Step::Moved })
    }

    /// Hands an upload back, to be published, kept or discarded.
    pub(crate) fn finish(self, storage: &mut SessionStorage) {
        if let Way::Receive { upload, .. } = self.way {
            storage.put_upload(upload);
        }
    }

    /// Some file systems do not let the kernel send from them, and TLS does not let it send at all.
    fn send_buffered(&mut self) {
        let nothing = Way::SendText { wire: Vec::new(), sent: 0, last: true };
        self.way = match std::mem::replace(&mut self.way, nothing) {
            Way::SendFile { download, offset_bytes } => {
                let outlet = Box::new(Outlet::new(offset_bytes, Translation::Image, None));
                Way::SendBuffered { download, outlet, sent: 0 }
            }
            other => other,
        };
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

impl From<TransferError> for Halt {
    fn from(error: TransferError) -> Self {
        Self::Failed(error)
    }
}

fn send_file(
    stream: &TcpStream,
    download: &dyn Download,
    offset_bytes: &mut u64,
    bytes_max: usize,
) -> Result<u64, Halt> {
    let Some(file) = download.file() else { return Err(Halt::NotByKernel) };
    let left = download.end_bytes().saturating_sub(*offset_bytes);
    if left == 0 {
        return Ok(0);
    }
    let bytes_max = usize::try_from(left).unwrap_or(bytes_max).min(bytes_max);
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

fn send_rest(connection: &mut Connection, bytes: &[u8], sent: &mut usize, bytes_max: usize) -> Result<u64, Halt> {
    let rest = bytes.get(*sent..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(0);
    }
    match connection.write(&rest[..rest.len().min(bytes_max)]) {
        Ok(bytes) => {
            *sent += bytes;
            Ok(bytes as u64)
        }
        Err(error) if is_for_later(&error) => Err(Halt::Blocked),
        Err(_) => Err(Halt::Failed(TransferError::ConnectionLost)),
    }
}

fn receive(connection: &mut Connection, intake: &mut Intake, bytes_max: usize) -> Result<u64, Halt> {
    let room = intake.room();
    let bytes_max = bytes_max.min(room.len());
    match connection.read(&mut room[..bytes_max]) {
        Ok(bytes) => {
            intake.came(bytes);
            Ok(bytes as u64)
        }
        Err(error) if is_for_later(&error) => Err(Halt::Blocked),
        Err(_) => Err(Halt::Failed(TransferError::ConnectionLost)),
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
