//! Moves a file's bytes between this host and a data connection, a chunk at a time and without waiting for the peer.

use super::sink::OpenSink;
use super::source::{OpenSource, fault};
use super::stream::{Stream, is_for_later};
use crate::net::CHUNK_BYTES;
use crate::transfer::send_file_chunk;
use mayfly_core::client::event::{Fault, MoveError};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use std::io::Read as _;
use std::net::TcpStream;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt as _;

/// One transfer on its way.
#[derive(Debug)]
pub(super) struct Transfer {
    wire_bytes: u64,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// The kernel sends it, from `offset_bytes` of the source on.
    Kernel { source: OpenSource, offset_bytes: u64 },
    /// Through a buffer, which holds what has been read and not sent, from `sent` on.
    Buffered { source: OpenSource, offset_bytes: u64, chunk: Vec<u8>, sent: usize, ended: bool },
    /// Into a sink.
    Receive { sink: OpenSink, chunk: Vec<u8> },
    /// A listing, handed on as it comes.
    Listing,
}

/// What one step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Bytes moved; more may follow at once.
    Moved,
    /// It must be waited.
    Blocked,
    /// All is moved.
    Ended,
}

impl Transfer {
    pub(super) fn send(source: OpenSource, offset_bytes: u64) -> Self {
        let way = match source.info().size_bytes {
            Some(_) => Way::Kernel { source, offset_bytes },
            None => Way::buffered(source, offset_bytes),
        };
        Self { wire_bytes: 0, way }
    }

    pub(super) fn receive(sink: OpenSink) -> Self {
        Self { wire_bytes: 0, way: Way::Receive { sink, chunk: vec![0; CHUNK_BYTES] } }
    }

    pub(super) fn listing() -> Self {
        Self { wire_bytes: 0, way: Way::Listing }
    }

    /// Bytes over the data connection so far.
    pub(super) fn wire_bytes(&self) -> u64 {
        self.wire_bytes
    }

    pub(super) fn sends(&self) -> bool {
        matches!(self.way, Way::Kernel { .. } | Way::Buffered { .. })
    }

    /// Hands back what it was working on.
    pub(super) fn finish(self) -> (Option<OpenSource>, Option<OpenSink>) {
        match self.way {
            Way::Kernel { source, .. } | Way::Buffered { source, .. } => (Some(source), None),
            Way::Receive { sink, .. } => (None, Some(sink)),
            Way::Listing => (None, None),
        }
    }

    /// The source, where bytes of it must be waited for rather than the connection.
    pub(super) fn awaits_source(&self) -> Option<BorrowedFd<'_>> {
        match &self.way {
            Way::Buffered { source, chunk, sent, ended: false, .. } if *sent == chunk.len() => source.awaits(),
            _ => None,
        }
    }

    /// Moves one chunk of at most `bytes_max`. Of a listing, it is appended to `received`.
    ///
    /// # Errors
    /// [`MoveError`]; the transfer has ended then.
    pub(super) fn step(
        &mut self,
        stream: &mut Stream,
        bytes_max: usize,
        received: &mut Vec<u8>,
    ) -> Result<Step, MoveError> {
        let moved = match &mut self.way {
            Way::Kernel { source, offset_bytes } => {
                // The kernel does not encrypt.
                let sent = stream.clear().ok_or(Halt::NotByKernel);
                match sent.and_then(|stream| send_by_kernel(stream, source, offset_bytes, bytes_max)) {
                    Err(Halt::NotByKernel) => return Ok(self.send_buffered()),
                    moved => moved,
                }
            }
            Way::Buffered { source, offset_bytes, chunk, sent, ended } => {
                if *sent == chunk.len() && !*ended {
                    match refill(source, offset_bytes, chunk) {
                        Err(Halt::Blocked) => return Ok(Step::Blocked),
                        refilled => *ended = refilled.map_err(Halt::into_error)? == 0,
                    }
                    *sent = 0;
                }
                send_rest(stream, chunk, sent, bytes_max)
            }
            Way::Receive { sink, chunk } => match read(stream, up_to(chunk, bytes_max)) {
                Ok(0) => return Ok(Step::Ended),
                Ok(bytes) => sink.write(&chunk[..bytes]).map(|()| bytes).map_err(Halt::Sink),
                Err(halt) => Err(halt),
            },
            Way::Listing => {
                received.resize(bytes_max.min(LISTING_CHUNK_BYTES), 0);
                let read = read(stream, received);
                received.truncate(*read.as_ref().unwrap_or(&0));
                match read {
                    Ok(0) => return Ok(Step::Ended),
                    read => read,
                }
            }
        };
        match moved {
            Ok(bytes) => {
                self.wire_bytes += bytes as u64;
                if !self.is_sent() {
                    return Ok(Step::Moved);
                }
                match stream.finish() {
                    Ok(true) => Ok(Step::Ended),
                    Ok(false) => Ok(Step::Blocked),
                    Err(_) => Err(MoveError::ConnectionLost),
                }
            }
            Err(Halt::Blocked) => Ok(Step::Blocked),
            Err(halt) => Err(halt.into_error()),
        }
    }

    fn is_sent(&self) -> bool {
        match &self.way {
            Way::Kernel { source, offset_bytes } => Some(*offset_bytes) >= source.info().size_bytes,
            Way::Buffered { chunk, sent, ended, .. } => *ended && *sent == chunk.len(),
            Way::Receive { .. } | Way::Listing => false,
        }
    }

    /// Some file systems do not let the kernel send from them.
    fn send_buffered(&mut self) -> Step {
        self.way = match std::mem::replace(&mut self.way, Way::Listing) {
            Way::Kernel { source, offset_bytes } => Way::buffered(source, offset_bytes),
            other => other,
        };
        Step::Moved
    }
}

impl Way {
    fn buffered(source: OpenSource, offset_bytes: u64) -> Self {
        Self::Buffered { source, offset_bytes, chunk: Vec::new(), sent: 0, ended: false }
    }
}

/// Why a step did not move bytes.
enum Halt {
    Blocked,
    NotByKernel,
    Lost,
    Local(Fault),
    Sink(MoveError),
}

impl Halt {
    fn into_error(self) -> MoveError {
        match self {
            Self::Local(fault) => MoveError::Local(fault),
            Self::Sink(error) => error,
            Self::Blocked | Self::NotByKernel | Self::Lost => MoveError::ConnectionLost,
        }
    }
}

fn send_by_kernel(
    stream: &TcpStream,
    source: &OpenSource,
    offset_bytes: &mut u64,
    bytes_max: usize,
) -> Result<usize, Halt> {
    let size = source.info().size_bytes.unwrap_or(0);
    let bytes_max = size.saturating_sub(*offset_bytes).min(bytes_max as u64);
    let Some(bytes_max) = usize::try_from(bytes_max).ok().filter(|bytes_max| *bytes_max > 0) else { return Ok(0) };
    let mut position = source.position(*offset_bytes);
    match send_file_chunk(stream, source.file(), &mut position, bytes_max) {
        Ok(0) => Err(Halt::Local(shrunk())),
        Ok(bytes) => {
            *offset_bytes += bytes as u64;
            Ok(bytes)
        }
        Err(error) => Err(match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::AGAIN) => Halt::Blocked,
            Some(Errno::INVAL | Errno::NOSYS) => Halt::NotByKernel,
            Some(Errno::IO | Errno::OVERFLOW | Errno::NOMEM) => Halt::Local(fault(&error)),
            _ => Halt::Lost,
        }),
    }
}

/// Reads the next chunk; 0 is the end. Never waits for another program to write: whoever waits heeds interrupts too.
fn refill(source: &OpenSource, offset_bytes: &mut u64, chunk: &mut Vec<u8>) -> Result<usize, Halt> {
    if source.awaits().is_some_and(|source| !is_readable(source)) {
        return Err(Halt::Blocked);
    }
    let left = source.info().size_bytes.map(|size| size.saturating_sub(*offset_bytes));
    let bytes_max = left.map_or(CHUNK_BYTES, |left| usize::try_from(left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES));
    chunk.resize(bytes_max, 0);
    let read = match left {
        Some(_) => source.file().read_at(chunk, source.position(*offset_bytes)),
        None => (&mut source.file()).read(chunk),
    };
    chunk.truncate(*read.as_ref().unwrap_or(&0));
    match read {
        Ok(0) if left.is_some_and(|left| left > 0) => Err(Halt::Local(shrunk())),
        Ok(bytes) => {
            *offset_bytes += bytes as u64;
            Ok(bytes)
        }
        Err(error) if is_for_later(&error) => Err(Halt::Blocked),
        Err(error) => Err(Halt::Local(fault(&error))),
    }
}

fn send_rest(stream: &mut Stream, chunk: &[u8], sent: &mut usize, bytes_max: usize) -> Result<usize, Halt> {
    let rest = chunk.get(*sent..).unwrap_or_default();
    let rest = rest.get(..bytes_max).unwrap_or(rest);
    if rest.is_empty() {
        return Ok(0);
    }
    match stream.write(rest) {
        Ok(bytes) => {
            *sent += bytes;
            Ok(bytes)
        }
        Err(error) if is_for_later(&error) => Err(Halt::Blocked),
        Err(_) => Err(Halt::Lost),
    }
}

fn read(stream: &mut Stream, chunk: &mut [u8]) -> Result<usize, Halt> {
    stream.read(chunk).map_err(|error| if is_for_later(&error) { Halt::Blocked } else { Halt::Lost })
}

fn up_to(chunk: &mut [u8], bytes_max: usize) -> &mut [u8] {
    let bytes = chunk.len().min(bytes_max);
    &mut chunk[..bytes]
}

/// Whether reading returns at once, be it with bytes, the end or an error.
fn is_readable(source: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(source, PollFlags::IN)];
    !matches!(rustix::event::poll(&mut fds, Some(&Timespec::default())), Ok(0) | Err(Errno::INTR))
}

fn shrunk() -> Fault {
    Fault("it became shorter while it was sent".to_owned())
}

const LISTING_CHUNK_BYTES: usize = 64 * 1024;
