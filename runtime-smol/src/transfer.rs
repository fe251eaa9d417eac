//! Transfers: moving file bytes between a data connection and the storage, in chunks, without delaying anybody else.
//!
//! Three rules keep the executor fair. Every chunk is followed by a yield, for a fast peer would never let the task
//! wait. What may wait for a disk happens on the blocking pool. A chunk that lies in the page cache is sent in place,
//! which costs no memory and no copy.

use crate::data::Done;
use crate::link::Link;
use crate::pool::OnPool;
use crate::watch::Watch;
use async_io::Async;
use futures_lite::future::yield_now;
use mayfly_core::action::{ActionId, DeflateLevel, Translation};
use mayfly_core::error::{StorageError, TransferError};
use mayfly_core::event::Event;
use mayfly_std::net::CHUNK_BYTES;
use mayfly_std::passage::{Intake, Outlet, TextOutlet};
use mayfly_std::storage::{Download, Upload};
use mayfly_std::transfer::send_file_chunk;
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use smol::unblock;
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::TcpStream;
use std::sync::Arc;

/// A file that is being sent.
pub(crate) type Held = OnPool<Box<dyn Download>>;

/// What happens to the bytes on the way, as `Action::Transfer` says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) translation: Translation,
    pub(crate) deflate: Option<DeflateLevel>,
}

/// Sends an open file to its end.
pub(crate) async fn send(id: ActionId, mut link: Link, download: Held, terms: Terms, watch: Arc<Watch>) -> Done {
    let is_plain = matches!(terms, Terms { translation: Translation::Image, deflate: None });
    let sent = match terms {
        _ if is_plain && download.file().is_some() && link.clear().is_some() => {
            send_by_kernel(&mut link, download, &watch).await
        }
        Terms { translation, deflate } => {
            let outlet = Outlet::new(download.offset_bytes(), translation, deflate);
            send_by_buffer(&mut link, Source { download, outlet }, &watch).await
        }
    };
    if sent.is_ok() {
        link.part().await;
    }
    ended(id, link, sent, &watch)
}

/// A piece of a listing, as `Action::SendData` says it.
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) deflate: Option<DeflateLevel>,
    pub(crate) last: bool,
}

/// Sends a piece of a listing. What deflates comes back for the next one.
pub(crate) async fn send_text(
    id: ActionId,
    mut link: Link,
    piece: Piece,
    mut outlet: TextOutlet,
    watch: Arc<Watch>,
) -> Done {
    let Piece { text, deflate, last } = piece;
    let text_bytes = text.len();
    let wire = if deflate.is_some() {
        let wire;
        (outlet, wire) = unblock(move || {
            let wire = outlet.wire(text, deflate, last);
            (outlet, wire)
        })
        .await;
        wire
    } else {
        Ok(text.into_bytes())
    };
    let sent = match wire {
        Ok(wire) => {
            watch.count_file(text_bytes);
            write_all(&mut link, &wire, &watch).await
        }
        Err(error) => Err(error),
    };
    Done { text: outlet, ..ended(id, link, sent, &watch) }
}

/// Receives into an upload until the peer closes.
pub(crate) async fn receive(
    id: ActionId,
    mut link: Link,
    upload: Box<dyn Upload>,
    terms: Terms,
    watch: Arc<Watch>,
) -> Done {
    // The file's bytes are the wire's, and counted with them.
    let is_plain = matches!(terms, Terms { translation: Translation::Image, deflate: None });
    let mut sink = Sink { upload, intake: Intake::new(terms.translation, terms.deflate.is_some()) };
    let received = loop {
        if sink.intake.is_ended() {
            break Ok(());
        }
        if sink.intake.is_busy() {
            let written;
            (sink, written) = unblock(move || sink.step()).await;
            match written {
                Ok(_) if is_plain => {}
                Ok(bytes) => watch.count_file(bytes),
                Err(error) => break Err(error),
            }
            yield_now().await;
        } else {
            match read(&mut link, sink.intake.room(), &watch).await {
                Ok(bytes) => {
                    watch.count_wire(bytes);
                    if is_plain {
                        watch.count_file(bytes);
                    }
                    sink.intake.came(bytes);
                }
                Err(error) => break Err(error),
            }
        }
        if watch.is_cancelled() {
            break Err(TransferError::Cancelled);
        }
    };
    Done { upload: Some(sink.upload), ..ended(id, link, received, &watch) }
}

/// Has the kernel send the file (`sendfile`), each chunk once it lies in the page cache.
async fn send_by_kernel(link: &mut Link, mut download: Held, watch: &Watch) -> Result<(), TransferError> {
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
        let chunk = watch.room(chunk_at(offset_bytes, warm_bytes)).await.ok_or(TransferError::Cancelled)?;
        let step = |socket: &TcpStream| send_from(download.as_ref(), socket, &mut offset_bytes, chunk);
        let Some(stream) = link.clear() else { return Err(TransferError::ConnectionLost) };
        let sent = watch.retry(stream, Async::poll_writable, step).await;
        match sent.ok_or(TransferError::Cancelled)? {
            // The file is shorter than it was when it was opened.
            Ok(0) => return Err(TransferError::Storage(StorageError::Failed)),
            Ok(bytes) => watch.count(bytes),
            // Some file systems do not let the kernel send from them.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                let outlet = Outlet::new(offset_bytes, Translation::Image, None);
                return send_by_buffer(link, Source { download, outlet }, watch).await;
            }
            Err(error) => return Err(why_unsent(&error)),
        }
        yield_now().await;
    }
    Ok(())
}

/// Sends what must be read first: because it is translated or deflated, or because the storage has no file for the
/// kernel.
async fn send_by_buffer(link: &mut Link, mut source: Source, watch: &Watch) -> Result<(), TransferError> {
    while !source.outlet.is_ended() {
        let filled;
        (source, filled) = unblock(move || source.fill()).await;
        watch.count_file(filled?);
        if watch.is_cancelled() {
            return Err(TransferError::Cancelled);
        }
        write_all(link, source.outlet.wire(), watch).await?;
    }
    Ok(())
}

async fn write_all(link: &mut Link, mut bytes: &[u8], watch: &Watch) -> Result<(), TransferError> {
    while !bytes.is_empty() {
        let room = watch.room(bytes.len().min(CHUNK_BYTES)).await.ok_or(TransferError::Cancelled)?;
        let chunk = &bytes[..room];
        let written = link.write(chunk, watch).await?;
        watch.count_wire(written);
        bytes = &bytes[written..];
        yield_now().await;
    }
    link.flush(watch).await
}

async fn read(link: &mut Link, buffer: &mut [u8], watch: &Watch) -> Result<usize, TransferError> {
    let room = watch.room(buffer.len()).await.ok_or(TransferError::Cancelled)?;
    let bytes = link.read(&mut buffer[..room], watch).await?;
    watch.set_drained(false);
    Ok(bytes)
}

fn ended(id: ActionId, mut link: Link, outcome: Result<(), TransferError>, watch: &Watch) -> Done {
    if outcome.is_err() {
        link.cut();
    }
    let (wire_bytes, file_bytes) = watch.moved();
    let event = Event::TransferEnded { id, wire_bytes, file_bytes, outcome };
    Done { event, link: Some(link), upload: None, text: TextOutlet::default() }
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

/// A download that is read piece by piece, and deflated, on the blocking pool.
struct Source {
    download: Held,
    outlet: Outlet,
}

impl Source {
    fn fill(mut self) -> (Self, Result<usize, TransferError>) {
        let filled = self.outlet.refill(self.download.as_ref());
        (self, filled)
    }
}

/// An upload that is inflated and written to on the blocking pool, for a full page cache makes any write wait for the
/// disk.
struct Sink {
    upload: Box<dyn Upload>,
    intake: Intake,
}

impl Sink {
    fn step(mut self) -> (Self, Result<usize, TransferError>) {
        let written = self.intake.step(self.upload.as_mut());
        (self, written)
    }
}

/// What is read in one go only to bring it into the page cache.
const WARM_BYTES: usize = 64 * 1024;
