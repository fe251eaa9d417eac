//! The reaper's thread: drives the core's reaper over the storage, so that paths go on time whatever the sessions do.

use crate::clock::Clock;
use crate::log;
use crate::storage::Storage;
use crate::storage::execute::ReaperStorage;
use mayfly_core::action::PathChange;
use mayfly_core::error::Misuse;
use mayfly_core::reaper::{Reaper, ReaperAction, ReaperEvent};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};
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
        let run = move || reap(&storage, &clock, &words);
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

/// Reaps until it is told to stop. A fault of our own ends one reaper, and the next one begins anew with a scan: paths
/// must expire.
fn reap(storage: &Arc<dyn Storage>, clock: &Arc<dyn Clock>, words: &Receiver<Word>) {
    loop {
        let storage = ReaperStorage::new(Arc::clone(storage));
        let mut worker = Worker { reaper: Reaper::default(), storage, clock: clock.as_ref(), words };
        match catch_unwind(AssertUnwindSafe(|| worker.run())) {
            Ok(Ok(())) => return,
            Ok(Err(misuse)) => error!(%misuse, "reaper fault; it begins anew"),
            Err(_) => error!("the reaper panicked; it begins anew"),
        }
        // The scan finds what has changed by then.
        let until = Instant::now() + PAUSE_AFTER_FAULT;
        while let Ok(word) = words.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if matches!(word, Word::Stop) {
                return;
            }
        }
    }
}

struct Worker<'r> {
    reaper: Reaper,
    storage: ReaperStorage,
    clock: &'r dyn Clock,
    words: &'r Receiver<Word>,
}

impl Worker<'_> {
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
/// How long a reaper that failed waits before the next one begins.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::settings::ServeOptions;
    use crate::start::open_confined;
    use mayfly_core::path::VirtualPath;
    use mayfly_core::record::{Record, Token};
    use mayfly_core::time::Now;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Fails once.
    struct Stumbles(AtomicBool);

    impl Clock for Stumbles {
        fn now(&self) -> Now {
            assert!(self.0.swap(true, Ordering::SeqCst), "the first reading fails");
            SystemClock.now()
        }
    }

    #[test]
    fn a_reaper_that_panics_is_followed_by_another() {
        let dir = tempfile::tempdir().unwrap();
        let options = ServeOptions { root: dir.path().to_owned(), ..ServeOptions::default() };
        let storage = open_confined(&options, Arc::new(SystemClock)).unwrap();
        let path = VirtualPath::parse("/past").unwrap();
        let record =
            Record { version: 1, owner: "me".to_owned(), created_s: 0, expiry_s: Some(1), token: Token([1; 16]) };
        storage.make_directory(&path, &record, None, None).unwrap();
        let clock = Stumbles(AtomicBool::new(false));
        let reaper = ReaperThread::start(storage, Arc::new(clock)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while dir.path().join("past").exists() {
            assert!(Instant::now() < deadline, "it is still there");
            thread::sleep(Duration::from_millis(5));
        }
        reaper.stop();
    }
}
