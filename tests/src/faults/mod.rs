//! `kill -9` at random moments under a load of uploads, MKD, SETEXPIRY, renames and expiry: what was acknowledged is
//! there after the restart, what was not is there whole or not at all, and nothing is readable after its time.
//!
//! Each worker has paths of its own and knows all that was acknowledged there (`model`); of what it was doing when the
//! server died it knows that it has happened whole or not at all. A stranger tries all the while to read what has expired.

mod dice;
mod errand;
mod model;
mod observe;
mod stranger;
mod worker;

use crate::process::{Driver, ServerProcess, wait_until};
use dice::Dice;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};
use stranger::Doomed;
use worker::Worker;

/// What a campaign was, for its figures.
#[derive(Debug)]
pub struct Figures {
    /// How often the server was killed.
    pub kills: usize,
    /// Commands that were acknowledged.
    pub acknowledged: usize,
    /// Commands whose reply never came.
    pub unanswered: usize,
    /// Of these, how many had happened nevertheless.
    pub happened: usize,
    /// Paths that expired.
    pub expired: usize,
    /// Tries to read what had expired.
    pub refused: usize,
}

/// What all who take part in one campaign share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    acknowledged: AtomicUsize,
    refused: AtomicUsize,
    doomed: Mutex<Vec<Doomed>>,
}

impl Shared {
    fn acknowledge(&self) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    fn doom(&self, doomed: Doomed) {
        self.doomed.lock().unwrap_or_else(PoisonError::into_inner).push(doomed);
    }
}

/// Kills a server so often and looks each time at what it has left.
///
/// # Panics
/// Where anything acknowledged is lost, anything half done is to be seen, or anything expired can be read.
#[must_use]
pub fn campaign(driver: Driver, kills: usize, seed: u64) -> Figures {
    // Of a test that fails, this shows how to repeat it.
    eprintln!("tests/faults --driver {} --kills {kills} --seed {seed}", driver.name());
    let root = tempfile::tempdir().expect("there is room");
    let shared = Shared::default();
    let mut dice = Dice::new(seed);
    let mut workers: Vec<Worker> = (0..WORKERS).map(|number| Worker::new(number, dice.fork())).collect();
    for round in 0..kills {
        let context = format!("seed {seed}, round {round}");
        for worker in &workers {
            worker.check_disk(root.path(), &context);
        }
        let server = ServerProcess::start(driver, root.path(), &[]);
        let until = shared.acknowledged.load(Ordering::Relaxed) + 20 + dice.below(ACKNOWLEDGED_MAX);
        let crumbs = dice.below(4_000);
        thread::scope(|scope| {
            let (shared, context, address) = (&shared, context.as_str(), server.address());
            for worker in &mut workers {
                scope.spawn(move || worker.work(address, shared, context));
            }
            let strangers_dice = dice.fork();
            scope.spawn(move || stranger::pry(address, shared, strangers_dice, context));
            // At any moment between two replies, not right at one.
            wait_until("enough to be acknowledged", || shared.acknowledged.load(Ordering::Relaxed) >= until);
            (0..crumbs).for_each(|_| std::hint::spin_loop());
            server.kill();
        });
    }
    finish(driver, root.path(), &shared, &mut workers, seed);
    Figures {
        kills,
        acknowledged: shared.acknowledged.load(Ordering::Relaxed),
        unanswered: workers.iter().map(|worker| worker.unanswered).sum(),
        happened: workers.iter().map(|worker| worker.happened).sum(),
        expired: shared.doomed.lock().unwrap_or_else(PoisonError::into_inner).len(),
        refused: shared.refused.load(Ordering::Relaxed),
    }
}

/// After the last kill: all is as it must be, and what has expired leaves the disk.
fn finish(driver: Driver, root: &Path, shared: &Shared, workers: &mut [Worker], seed: u64) {
    let context = format!("seed {seed}, at the end");
    let server = ServerProcess::start(driver, root, &[]);
    for worker in workers {
        worker.check_disk(root, &context);
        worker.look(server.address(), &context);
    }
    let doomed = shared.doomed.lock().unwrap_or_else(PoisonError::into_inner);
    for Doomed { path, expiry_s, .. } in doomed.iter() {
        wait_until("an expired path to leave the disk", || utc_s() >= *expiry_s && !root.join(&path[1..]).exists());
    }
}

/// The present second, as the server has it.
fn utc_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since.as_secs()).expect("it is before the end of time")
}

const WORKERS: usize = 4;
/// Commands that a server may acknowledge before it is killed, beyond the first few.
const ACKNOWLEDGED_MAX: usize = 200;
