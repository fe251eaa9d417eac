//! What a data action and its session tell each other while it runs.

use crate::pace::Pace;
use crate::timer::Alarm;
use async_io::Async;
use futures_lite::future::poll_fn;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

/// Whether to go on, and how far it is. The action and its session are polled by the same task.
#[derive(Default)]
pub(crate) struct Watch {
    cancelled: AtomicBool,
    drained: AtomicBool,
    wire_bytes: AtomicU64,
    file_bytes: AtomicU64,
    /// The rate to keep, where there is one.
    pace: Option<Arc<Pace>>,
}

impl Watch {
    /// One over a transfer that keeps this rate.
    pub(crate) fn new(pace: Option<Arc<Pace>>) -> Self {
        Self { pace, ..Self::default() }
    }

    /// How many of these bytes may move now, once any may; [`None`] once cancelled.
    pub(crate) async fn room(&self, bytes: usize) -> Option<usize> {
        let Some(pace) = &self.pace else { return Some(bytes) };
        let mut alarm = Alarm::new();
        poll_fn(|cx| {
            loop {
                if self.is_cancelled() {
                    return Poll::Ready(None);
                }
                match pace.room() {
                    Ok(room) => return Poll::Ready(Some(room.min(bytes))),
                    Err(due_ms) => ready!(alarm.poll_due(cx, pace.clock(), Some(due_ms))),
                }
            }
        })
        .await
    }

    /// Ends the action at its next step.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Bytes over the data connection so far.
    pub(crate) fn wire_bytes(&self) -> u64 {
        self.wire_bytes.load(Ordering::Relaxed)
    }

    /// Bytes over the data connection so far, and those of the file that they stand for where these are others.
    pub(crate) fn moved(&self) -> (u64, Option<u64>) {
        let (wire_bytes, file_bytes) = (self.wire_bytes(), self.file_bytes.load(Ordering::Relaxed));
        (wire_bytes, (file_bytes != wire_bytes).then_some(file_bytes))
    }

    /// So many bytes went over the data connection as they stand in the file.
    pub(crate) fn count(&self, bytes: usize) {
        self.count_wire(bytes);
        self.count_file(bytes);
    }

    /// So many bytes went over the data connection.
    pub(crate) fn count_wire(&self, bytes: usize) {
        self.wire_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if let Some(pace) = &self.pace {
            pace.moved(bytes);
        }
    }

    /// So many bytes were read from or written to the file.
    pub(crate) fn count_file(&self, bytes: usize) {
        self.file_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether the data connection was looked at and held nothing more to read.
    pub(crate) fn is_drained(&self) -> bool {
        self.drained.load(Ordering::Relaxed)
    }

    pub(crate) fn set_drained(&self, drained: bool) {
        self.drained.store(drained, Ordering::Relaxed);
    }

    /// Tries `step` until it no longer would block, waiting for the socket with `poll_ready`; [`None`] once cancelled.
    ///
    /// Each poll of the task tries anew: a step costs one system call, and so what arrived on the data connection before
    /// the control connection ended is seen before that end.
    pub(crate) async fn retry<S, T>(
        &self,
        socket: &Async<S>,
        poll_ready: impl Fn(&Async<S>, &mut Context<'_>) -> Poll<io::Result<()>>,
        mut step: impl FnMut(&S) -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        poll_fn(|cx| {
            loop {
                if self.is_cancelled() {
                    return Poll::Ready(None);
                }
                match step(socket.get_ref()) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.set_drained(true);
                        if let Err(error) = ready!(poll_ready(socket, cx)) {
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    result => return Poll::Ready(Some(result)),
                }
            }
        })
        .await
    }
}
