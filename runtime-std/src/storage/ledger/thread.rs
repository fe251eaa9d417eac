//! The thread that counts homes: when one is first asked for, when a tree in it came or went, and slowly ever after.

use super::books::Home;
use super::count::Count;
use crate::storage::disk::Disk;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use std::{io, thread};
use tracing::warn;

/// The way to the thread, which ends when this is dropped.
pub(super) struct Counter(Sender<Arc<Home>>);

impl Counter {
    pub(super) fn start(disk: &Arc<Disk>) -> io::Result<Self> {
        let (sender, asked) = channel();
        let disk = Arc::downgrade(disk);
        thread::Builder::new().name("ledger".to_owned()).spawn(move || Worker::new(disk).run(&asked))?;
        Ok(Self(sender))
    }

    /// Has a home counted as soon as may be.
    pub(super) fn count(&self, home: &Arc<Home>) {
        // An error means that the thread has ended, as it does with the storage alone.
        let _ = self.0.send(Arc::clone(home));
    }
}

struct Worker {
    disk: Weak<Disk>,
    /// By path, for what is asked for twice is counted once.
    homes: BTreeMap<String, Due>,
}

struct Due {
    home: Arc<Home>,
    at: Instant,
    /// Counts in a row that were not sure of themselves.
    unsure: u32,
}

impl Worker {
    fn new(disk: Weak<Disk>) -> Self {
        Self { disk, homes: BTreeMap::new() }
    }

    fn run(mut self, asked: &Receiver<Arc<Home>>) {
        loop {
            let next = self.homes.values().map(|due| due.at).min();
            let wait = next.map_or(WAIT_MAX, |at| at.saturating_duration_since(Instant::now()));
            match asked.recv_timeout(wait) {
                Ok(home) => self.ask(&home),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    let Some(disk) = self.disk.upgrade() else { return };
                    self.count_first(&disk, asked);
                }
            }
        }
    }

    fn ask(&mut self, home: &Arc<Home>) {
        let at = Instant::now();
        let due = Due { home: Arc::clone(home), at, unsure: 0 };
        let due = self.homes.entry(home.path().to_string()).or_insert(due);
        due.at = at;
        due.unsure = 0;
    }

    /// Counts the home that is due first.
    fn count_first(&mut self, disk: &Disk, asked: &Receiver<Arc<Home>>) {
        let now = Instant::now();
        let first = self.homes.values_mut().filter(|due| due.at <= now).min_by_key(|due| due.at);
        let Some(due) = first else { return };
        let home = Arc::clone(&due.home);
        home.count_begins();
        let counted = count(disk, &home).filter(|_| disk.ledger.steps.wait_for_earlier());
        let is_sure = home.count_ends(counted);
        due.unsure = if is_sure { 0 } else { due.unsure.saturating_add(1) };
        let wait = if is_sure {
            EVERY_MIN.max(now.elapsed() * EVERY_TIMES)
        } else {
            AGAIN_MIN.saturating_mul(1 << due.unsure.min(6)).max(now.elapsed() * 2)
        };
        due.at = Instant::now() + wait;
        // What was asked for meanwhile was asked for before it could be known that this count would do, or not.
        while let Ok(home) = asked.try_recv() {
            self.ask(&home);
        }
    }
}

fn count(disk: &Disk, home: &Home) -> Option<super::Counts> {
    let counted = Count::begin(disk, home).and_then(|mut count| {
        loop {
            if let Some(counts) = count.go_on()? {
                return Ok(counts);
            }
            thread::sleep(REST);
        }
    });
    match counted {
        Ok(counts) => Some(counts),
        Err(errno) => {
            warn!(home = %home.path(), %errno, "what stands in a home with a quota cannot be counted");
            None
        }
    }
}

/// From one count to the next of the same home, at least; longer where it takes long.
const EVERY_MIN: Duration = Duration::from_secs(60);
/// So many times as long as a count took nothing is counted then.
const EVERY_TIMES: u32 = 100;
/// Until a count is tried again during which something has changed; doubles.
const AGAIN_MIN: Duration = Duration::from_millis(500);
/// Rest between two steps: counting must not crowd out the sessions' disk work.
const REST: Duration = Duration::from_millis(5);
const WAIT_MAX: Duration = Duration::from_secs(3600);
