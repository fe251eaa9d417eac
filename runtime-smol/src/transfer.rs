//! Transfers: moving file bytes between a data connection and the storage, in chunks, without delaying anybody else.
//!
//! Three rules keep the executor fair. Every chunk is followed by a yield, for a fast peer would never let the task
//! wait. What may wait for a disk happens on the blocking pool. A chunk that lies in the page cache is sent in place,
//! which costs no memory and no copy.

use crate::data::Done;
use crate::pool::OnPool;
use crate::watch::Watch;
use async_io::Async;
use futures_lite::future::yield_now;
use mayfly_core::action::{ActionId, Translation};
use mayfly_core::ascii::{FromWire, ToWire};
use mayfly_core::error::{StorageError, TransferError};
use mayfly_core::event::Event;
use mayfly_std::net::CHUNK_BYTES;
use mayfly_std::storage::{Download, Upload};
use mayfly_std::transfer::send_file_chunk;
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use smol::unblock;
use std::io::{self, ErrorKind, IoSliceMut, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

/// A file that is being sent.
pub(crate) type Held = OnPool<Box<dyn Download>>;

/// Sends an open file to its end.
pub(crate) async fn send(
    id: ActionId,
    mut stream: Async<TcpStream>,
    download: Held,
    translation: Translation,
    watch: Arc<Watch>,
) -> Done {
    let sent = match translation {
        Translation::Image if download.file().is_some() => send_by_kernel(&mut stream, download, &watch).await,
        _ => {
            let offset_bytes = download.offset_bytes();
            send_by_buffer(&mut stream, Source::new(download, offset_bytes, translation), &watch).await
        }
    };
    ended(id, stream, None, sent, &watch)
}

/// Sends a text, such as a piece of a listing.
pub(crate) async fn send_text(id: ActionId, mut stream: Async<TcpStream>, text: String, watch: Arc<Watch>) -> Done {
    let sent = write_all(&mut stream, text.as_bytes(), &watch).await;
    ended(id, stream, None, sent, &watch)
}

/// Receives into an upload until the peer closes.
pub(crate) async fn receive(
    id: ActionId,
    mut stream: Async<TcpStream>,
    upload: Box<dyn Upload>,
    translation: Translation,
    watch: Arc<Watch>,
) -> Done {
    let mut sink = Sink::new(upload, translation);
    let received = loop {
        let bytes = match read(&mut stream, &mut sink.raw, &watch).await {
            Err(error) => break Err(error),
            Ok(0) if sink.translator.is_none() => break Ok(()),
            Ok(bytes) => bytes,
        };
        watch.count(bytes);
        let written;
        (sink, written) = unblock(move || sink.write(bytes)).await;
        match written {
            Err(error) => break Err(TransferError::Storage(error)),
            Ok(()) if bytes == 0 => break Ok(()),
            Ok(()) => yield_now().await,
        }
    };
    ended(id, stream, Some(sink.upload), received, &watch)
}

/// Has the kernel send the file (`sendfile`), each chunk once it lies in the page cache.
async fn send_by_kernel(stream: &mut Async<TcpStream>, mut download: Held, watch: &Watch) -> Result<(), TransferError> {
    let mut offset_bytes = download.offset_bytes();
    let mut warm_bytes = offset_bytes;
    let end_bytes = download.end_bytes();
    while offset_bytes < end_bytes {
        if offset_bytes >= warm_bytes {
            let chunk = chunk_at(offset_bytes, end_bytes);
            if !is_cached(download.as_ref(), offset_bytes, chunk) {
                download = warm(download, offset_bytes, chunk).await?;
            }
            warm_bytes = offset_bytes + chunk as u64;
        }
        let chunk = chunk_at(offset_bytes, warm_bytes);
        let step = |socket: &TcpStream| send_from(download.as_ref(), socket, &mut offset_bytes, chunk);
        let sent = watch.retry(stream, Async::poll_writable, step).await;
        match sent.ok_or(TransferError::Cancelled)? {
            // The file is shorter than it was when it was opened.
            Ok(0) => return Err(TransferError::Storage(StorageError::Failed)),
            Ok(bytes) => watch.count(bytes),
            // Some file systems do not let the kernel send from them.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                let source = Source::new(download, offset_bytes, Translation::Image);
                return send_by_buffer(stream, source, watch).await;
            }
            Err(error) => return Err(why_unsent(&error)),
        }
        yield_now().await;
    }
    Ok(())
}

/// Sends what must be read first: because it is translated, or because the storage has no file for the kernel.
async fn send_by_buffer(stream: &mut Async<TcpStream>, mut source: Source, watch: &Watch) -> Result<(), TransferError> {
    loop {
        let filled;
        (source, filled) = unblock(move || source.fill()).await;
        if filled.map_err(TransferError::Storage)? == 0 {
            return Ok(());
        }
        write_all(stream, &source.out, watch).await?;
    }
}

async fn write_all(stream: &mut Async<TcpStream>, mut bytes: &[u8], watch: &Watch) -> Result<(), TransferError> {
    while !bytes.is_empty() {
        let chunk = &bytes[..bytes.len().min(CHUNK_BYTES)];
        let written = watch.retry(stream, Async::poll_writable, |mut socket| socket.write(chunk)).await;
        let written = written.ok_or(TransferError::Cancelled)?.map_err(|_| TransferError::ConnectionLost)?;
        watch.count(written);
        bytes = &bytes[written..];
        yield_now().await;
    }
    Ok(())
}

/// Reads what is there, once: the kernel hands over all that fits. A second look might take an error (a reset) off the
/// socket whose place in the stream is after these bytes.
async fn read(stream: &mut Async<TcpStream>, buffer: &mut [u8], watch: &Watch) -> Result<usize, TransferError> {
    let read = watch.retry(stream, Async::poll_readable, |mut socket| socket.read(buffer)).await;
    let bytes = read.ok_or(TransferError::Cancelled)?.map_err(|_| TransferError::ConnectionLost)?;
    watch.set_drained(false);
    Ok(bytes)
}

fn ended(
    id: ActionId,
    stream: Async<TcpStream>,
    upload: Option<Box<dyn Upload>>,
    outcome: Result<(), TransferError>,
    watch: &Watch,
) -> Done {
    let event = Event::TransferEnded { id, wire_bytes: watch.wire_bytes(), file_bytes: None, outcome };
    Done { event, stream: Some(stream), upload }
}

fn chunk_at(offset_bytes: u64, end_bytes: u64) -> usize {
    usize::try_from(end_bytes - offset_bytes).unwrap_or(usize::MAX).min(CHUNK_BYTES)
}

/// Whether the chunk's first and last byte can be had without waiting for a disk; where the file system cannot tell,
/// no.
fn is_cached(download: &dyn Download, offset_bytes: u64, chunk: usize) -> bool {
    let Some(file) = download.file() else { return false };
    let probe = |at| preadv2(file, &mut [IoSliceMut::new(&mut [0])], at, ReadWriteFlags::NOWAIT) == Ok(1);
    probe(offset_bytes) && probe(offset_bytes + chunk as u64 - 1)
}

/// Brings the chunk into the page cache, on a thread that may wait for the disk.
async fn warm(download: Held, offset_bytes: u64, chunk: usize) -> Result<Held, TransferError> {
    let warmed = unblock(move || {
        let mut buffer = vec![0; WARM_BYTES.min(chunk)];
        let mut done = 0;
        while done < chunk {
            let step = buffer.len().min(chunk - done);
            match download.read_at(&mut buffer[..step], offset_bytes + done as u64)? {
                0 => break,
                bytes => done += bytes,
            }
        }
        Ok(download)
    });
    warmed.await.map_err(TransferError::Storage)
}

fn send_from(download: &dyn Download, socket: &TcpStream, offset_bytes: &mut u64, chunk: usize) -> io::Result<usize> {
    let file = download.file().ok_or(ErrorKind::InvalidInput)?;
    send_file_chunk(socket, file, offset_bytes, chunk)
}

/// `sendfile` has two sides that may fail.
fn why_unsent(error: &io::Error) -> TransferError {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::IO | Errno::NOMEM | Errno::OVERFLOW) | None => TransferError::Storage(StorageError::Failed),
        Some(_) => TransferError::ConnectionLost,
    }
}

/// A download that is read piece by piece, on the blocking pool.
struct Source {
    download: Held,
    offset_bytes: u64,
    translator: Option<ToWire>,
    raw: Vec<u8>,
    out: Vec<u8>,
}

impl Source {
    fn new(download: Held, offset_bytes: u64, translation: Translation) -> Self {
        let translator = (translation == Translation::Ascii).then(ToWire::default);
        Self { download, offset_bytes, translator, raw: Vec::new(), out: Vec::new() }
    }

    /// Reads the next piece, and puts into `out` what must be sent for it; 0 at the end.
    fn fill(mut self) -> (Self, Result<usize, StorageError>) {
        let filled = self.try_fill();
        (self, filled)
    }

    fn try_fill(&mut self) -> Result<usize, StorageError> {
        let chunk = chunk_at(self.offset_bytes, self.download.end_bytes());
        if chunk == 0 {
            return Ok(0);
        }
        self.raw.resize(chunk, 0);
        let bytes = self.download.read_at(&mut self.raw, self.offset_bytes)?;
        if bytes == 0 {
            return Err(StorageError::Failed);
        }
        self.offset_bytes += bytes as u64;
        self.out.clear();
        match &mut self.translator {
            Some(translator) => translator.translate(&self.raw[..bytes], &mut self.out),
            None => self.out.extend_from_slice(&self.raw[..bytes]),
        }
        Ok(bytes)
    }
}

/// An upload that is written to on the blocking pool, for a full page cache makes any write wait for the disk.
struct Sink {
    upload: Box<dyn Upload>,
    translator: Option<FromWire>,
    raw: Vec<u8>,
    out: Vec<u8>,
}

impl Sink {
    fn new(upload: Box<dyn Upload>, translation: Translation) -> Self {
        let translator = (translation == Translation::Ascii).then(FromWire::default);
        Self { upload, translator, raw: vec![0; CHUNK_BYTES], out: Vec::new() }
    }

    /// Appends the first `bytes` of what was read; 0 is the end of the stream.
    fn write(mut self, bytes: usize) -> (Self, Result<(), StorageError>) {
        let written = self.try_write(bytes);
        (self, written)
    }

    fn try_write(&mut self, bytes: usize) -> Result<(), StorageError> {
        let Some(translator) = &mut self.translator else { return self.upload.write(&self.raw[..bytes]) };
        self.out.clear();
        match bytes {
            0 => translator.finish(&mut self.out),
            _ => translator.translate(&self.raw[..bytes], &mut self.out),
        }
        self.upload.write(&self.out)
    }
}

/// What is read in one go only to bring it into the page cache.
const WARM_BYTES: usize = 64 * 1024;
