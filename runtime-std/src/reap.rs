//! The reaper's thread: drives the core's reaper over the storage, so that paths go on time whatever the sessions do.

use crate::clock::Clock;
use crate::log;
use crate::storage::Storage;
use crate::storage::execute::ReaperStorage;
use mayfly_core::action::PathChange;
use mayfly_core::error::Misuse;
use mayfly_core::reaper::{Reaper, ReaperAction, ReaperEvent};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;
use std::{io, thread};
use tracing::error;

/// A running reaper.
#[derive(Debug)]
pub struct ReaperThread {
    handle: ReaperHandle,
    thread: thread::JoinHandle<()>,
}

/// The way to a running reaper. Clones lead to the same.
#[derive(Clone, Debug)]
pub struct ReaperHandle(SyncSender<Word>);

#[derive(Debug)]
enum Word {
    Changed(PathChange),
    Stop,
}

impl ReaperThread {
    /// Starts the reaper in a thread of its own.
    ///
    /// # Errors
    /// The system's.
    pub fn start(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (sender, words) = sync_channel(WORDS_MAX);
        let mut worker = Worker { reaper: Reaper::default(), storage: ReaperStorage::new(storage), clock, words };
        let run = move || {
            if let Err(misuse) = worker.run() {
                error!(%misuse, "reaper fault: paths expire, and are not deleted before a restart");
            }
        };
        let thread = thread::Builder::new().name("reaper".to_owned()).spawn(run)?;
        Ok(Self { handle: ReaperHandle(sender), thread })
    }

    /// The way to it.
    #[must_use]
    pub fn handle(&self) -> ReaperHandle {
        self.handle.clone()
    }

    /// Ends it after the step that it is at. Blocks until then.
    pub fn stop(self) {
        // An error of either means that it has ended already, and has said why.
        let _ = self.handle.0.send(Word::Stop);
        let _ = self.thread.join();
    }
}

impl ReaperHandle {
    /// `Action::Notify`. A reaper that is far behind holds up whoever gives it more to do, for a step of its own: what
    /// it does not hear of would outlive its date until the next scan.
    pub fn notify(&self, change: PathChange) {
        // An error means that it has ended, and has said why.
        let _ = self.0.send(Word::Changed(change));
    }
}

struct Worker {
    reaper: Reaper,
    storage: ReaperStorage,
    clock: Arc<dyn Clock>,
    words: Receiver<Word>,
}

impl Worker {
    fn run(&mut self) -> Result<(), Misuse> {
        let mut outcomes = VecDeque::new();
        self.feed(ReaperEvent::Started, &mut outcomes)?;
        loop {
            // A long row of steps must not keep it from hearing of changes, or of the end; and it hears all that wait
            // between two steps, or sessions that change much would outrun it.
            let mut word = if outcomes.is_empty() { self.wait() } else { self.words.try_recv() };
            for _ in 0..WORDS_MAX {
                match word {
                    Ok(Word::Changed(change)) => self.feed(ReaperEvent::Changed { change }, &mut outcomes)?,
                    Ok(Word::Stop) | Err(TryRecvError::Disconnected) => return Ok(()),
                    Err(TryRecvError::Empty) => break,
                }
                word = self.words.try_recv();
            }
            if let Some(outcome) = outcomes.pop_front() {
                self.feed(outcome, &mut outcomes)?;
            } else if self.is_due() {
                self.feed(ReaperEvent::Timeout, &mut outcomes)?;
            }
        }
    }

    /// One event, one full drain.
    fn feed(&mut self, event: ReaperEvent, outcomes: &mut VecDeque<ReaperEvent>) -> Result<(), Misuse> {
        self.reaper.handle(self.clock.now(), event)?;
        while let Some(action) = self.reaper.poll_action() {
            match action {
                ReaperAction::Storage { id, request } => {
                    let outcome = self.storage.execute(request);
                    outcomes.push_back(ReaperEvent::Done { id, outcome });
                }
                ReaperAction::Note { note } => log::reaper_note(&note),
                other => error!(?other, "the reaper asks for what this driver does not know"),
            }
        }
        Ok(())
    }

    fn is_due(&self) -> bool {
        self.reaper.deadline().is_some_and(|deadline| deadline <= self.clock.now().monotonic_ms)
    }

    fn wait(&self) -> Result<Word, TryRecvError> {
        let now_ms = self.clock.now().monotonic_ms;
        let until = self
            .reaper
            .deadline()
            .map_or(WAIT_MAX, |deadline| Duration::from_millis(deadline.saturating_sub(now_ms)).min(WAIT_MAX));
        let until = self.clock.look_again_after().map_or(until, |again| until.min(again));
        self.words.recv_timeout(until).map_err(|error| match error {
            RecvTimeoutError::Timeout => TryRecvError::Empty,
            RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
        })
    }
}

/// Changes that may wait for the reaper.
const WORDS_MAX: usize = 4096;
const WAIT_MAX: Duration = Duration::from_secs(3600);
