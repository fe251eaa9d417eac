//! The files of a tree as jobs take them: each takes a share, has it done over its own connection, and comes back for
//! more. What a share left undone goes back, so that one broken file, or one broken connection, costs no other file.

use super::super::source::Source;
use super::super::{Destination, Failure, FailureKind, FileDone, unexpected};
use super::report::Failed;
use mayfly_core::client::call::{Call, DownloadOrder, UploadOrder};
use mayfly_core::client::failure::Refusal;
use mayfly_core::client::summary::Summary;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is to be done, by as many jobs as want to.
#[derive(Debug)]
pub struct Queue {
    way: Way,
    jobs: usize,
    state: Mutex<State>,
}

/// Which way the files go.
#[derive(Debug)]
pub(super) enum Way {
    /// Up; `order` without its files.
    Up { order: UploadOrder },
    /// Down; `order` without its files.
    Down { order: DownloadOrder, to: Destination },
}

/// One file to be moved.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) size_bytes: u64,
    /// Of an upload.
    pub(super) source: Option<Source>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Item>,
    waiting_bytes: u64,
    done: Vec<FileDone>,
    failed: Vec<Failed>,
    /// What no other job would do better.
    stopped: Option<Failure>,
    /// Why jobs gave up.
    given_up: Vec<Failure>,
}

/// The share of one job.
#[derive(Debug)]
pub struct Share {
    call: Call,
    items: Vec<Item>,
    sources: Vec<Source>,
}

/// What came of a queue.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) done: Vec<FileDone>,
    pub(super) failed: Vec<Failed>,
    pub(super) stopped: Option<Failure>,
    pub(super) given_up: Vec<Failure>,
}

impl Share {
    /// The call to make.
    #[must_use]
    pub fn call(&self) -> Call {
        self.call.clone()
    }

    /// The files of an upload.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
}

impl Queue {
    pub(super) fn new(way: Way, items: Vec<Item>, jobs: u32) -> Self {
        let jobs = usize::try_from(jobs).unwrap_or(1).clamp(1, items.len().max(1));
        let waiting_bytes = items.iter().map(|item| item.size_bytes).fold(0, u64::saturating_add);
        let state = State { waiting: items.into(), waiting_bytes, ..State::default() };
        Self { way, jobs, state: Mutex::new(state) }
    }

    /// How many jobs are worth while.
    #[must_use]
    pub fn jobs(&self) -> u32 {
        u32::try_from(self.jobs).unwrap_or(1)
    }

    /// Where a download goes.
    #[must_use]
    pub fn destination(&self) -> Option<&Destination> {
        match &self.way {
            Way::Up { .. } => None,
            Way::Down { to, .. } => Some(to),
        }
    }

    /// The next share; none where nothing is left to do.
    #[must_use]
    pub fn take(&self) -> Option<Share> {
        let mut state = self.state();
        if state.stopped.is_some() {
            return None;
        }
        // The less there is left, the smaller the shares: so all jobs end at about the same time.
        let parts = self.jobs * 2;
        let files_max = state.waiting.len().div_ceil(parts).min(SHARE_FILES_MAX);
        let bytes_max = state.waiting_bytes / parts as u64;
        let (mut items, mut bytes) = (Vec::new(), 0_u64);
        while let Some(item) = state.waiting.front() {
            let fits = bytes.saturating_add(item.size_bytes) <= bytes_max && items.len() < files_max;
            if !fits && !items.is_empty() {
                break;
            }
            bytes = bytes.saturating_add(item.size_bytes);
            items.extend(state.waiting.pop_front());
        }
        state.waiting_bytes = state.waiting_bytes.saturating_sub(bytes);
        drop(state);
        (!items.is_empty()).then(|| self.share(items))
    }

    fn share(&self, items: Vec<Item>) -> Share {
        let files = items.iter().map(|item| item.name.clone()).collect();
        let call = match &self.way {
            Way::Up { order } => Call::Upload(UploadOrder { files, ..order.clone() }),
            Way::Down { order, .. } => Call::Download(DownloadOrder { files, ..order.clone() }),
        };
        let sources = items.iter().filter_map(|item| item.source.clone()).collect();
        Share { call, items, sources }
    }

    /// What came of a share. False: this job's connection is of no more use.
    #[must_use]
    pub fn settle(&self, share: Share, outcome: Result<Summary, Failure>) -> bool {
        let mut state = self.state();
        let failure = match outcome {
            Ok(Summary::Uploaded(uploaded)) => {
                state.done.extend(uploaded.files);
                return true;
            }
            Ok(Summary::Downloaded { files }) => {
                state.done.extend(files);
                return true;
            }
            Ok(other) => unexpected(&other),
            Err(failure) => failure,
        };
        state.fail(share.items, failure)
    }

    /// A further job could not begin.
    pub fn give_up(&self, failure: Failure) {
        let mut state = self.state();
        match failure.kind {
            FailureKind::Interrupted => state.stopped = Some(failure),
            _ => state.given_up.push(failure),
        }
    }

    /// What came of all, once no job is at work any more.
    pub(super) fn into_outcome(self) -> Outcome {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State { waiting, done, failed, mut stopped, mut given_up, .. } = state;
        if stopped.is_none() && !waiting.is_empty() {
            // What is left waits for nobody.
            stopped = given_up.pop();
        }
        Outcome { done, failed, stopped, given_up }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change of it is whole, whoever panicked in between.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes note of what a share came to before it failed; says whether its job can go on.
    fn fail(&mut self, items: Vec<Item>, failure: Failure) -> bool {
        let Failure { kind, ref done, ref refused, .. } = failure;
        let settled: BTreeSet<&str> = done
            .iter()
            .map(|file| &file.name)
            .chain(refused.iter().map(|file| &file.name))
            .map(String::as_str)
            .collect();
        let mut left: VecDeque<Item> = items.into_iter().filter(|item| !settled.contains(item.name.as_str())).collect();
        self.done.extend(done.iter().cloned());
        self.failed.extend(refused.iter().map(failed));
        match extent(kind) {
            _ if left.is_empty() => return true,
            Extent::All => self.stopped = Some(Failure { done: Vec::new(), refused: Vec::new(), ..failure }),
            Extent::Job => self.give_back(left, Some(failure)),
            Extent::File => {
                // The files go one after the other: the first that is not done is the one that failed.
                self.failed.extend(left.pop_front().map(|item| Failed {
                    name: item.name,
                    kind,
                    what: failure.to_string(),
                }));
                self.give_back(left, None);
                return true;
            }
        }
        false
    }

    fn give_back(&mut self, left: VecDeque<Item>, given_up: Option<Failure>) {
        for item in left.into_iter().rev() {
            self.waiting_bytes = self.waiting_bytes.saturating_add(item.size_bytes);
            self.waiting.push_front(item);
        }
        self.given_up.extend(given_up);
    }
}

/// How far a failure reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    File,
    Job,
    All,
}

fn extent(kind: FailureKind) -> Extent {
    use FailureKind::{
        CannotConnect, Interrupted, LoginRefused, NoSpace, NoSuchPath, PathExpired, Protocol, TimedOut, Tls, Unfit,
    };
    match kind {
        // Whoever tries it with another file hears the same.
        Interrupted | NoSpace | PathExpired | NoSuchPath | Unfit => Extent::All,
        CannotConnect | LoginRefused | Protocol | TimedOut | Tls => Extent::Job,
        _ => Extent::File,
    }
}

fn failed(refusal: &Refusal) -> Failed {
    let Refusal { name, kind, reply } = refusal;
    let what = match reply {
        Some(reply) => format!("was refused: {reply}"),
        None => "has a name that cannot be stored".to_owned(),
    };
    Failed { name: name.clone(), kind: *kind, what }
}

/// So much is done again at most where a connection breaks for good.
const SHARE_FILES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(sizes: &[u64], jobs: u32) -> Queue {
        let item =
            |(at, size_bytes): (usize, &u64)| Item { name: at.to_string(), size_bytes: *size_bytes, source: None };
        let way = Way::Down { order: DownloadOrder::default(), to: Destination::StandardOutput };
        Queue::new(way, sizes.iter().enumerate().map(item).collect(), jobs)
    }

    fn names(share: &Share) -> Vec<&str> {
        share.items.iter().map(|item| item.name.as_str()).collect()
    }

    fn done(share: &Share) -> Vec<FileDone> {
        let done = |item: &Item| FileDone { name: item.name.clone(), size_bytes: item.size_bytes, modified_s: None };
        share.items.iter().map(done).collect()
    }

    #[test]
    fn shares_shrink_towards_the_end_and_a_large_file_goes_alone() {
        let queue = queue(&[1; 40], 2);
        let sizes: Vec<usize> = std::iter::from_fn(|| queue.take()).map(|share| share.items.len()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 40);
        assert_eq!((sizes[0], sizes.last()), (10, Some(&1)));
        assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
        let queue = self::queue(&[1, 1000, 1, 1], 1);
        assert_eq!(names(&queue.take().unwrap()), ["0"]);
        assert_eq!(names(&queue.take().unwrap()), ["1"]);
        assert_eq!(self::queue(&[1, 2], 16).jobs(), 2);
        assert_eq!(self::queue(&[], 16).jobs(), 1);
        assert!(self::queue(&[], 1).take().is_none());
    }

    #[test]
    fn a_file_that_fails_costs_no_other() {
        let queue = queue(&[1; 8], 1);
        let share = queue.take().unwrap();
        assert_eq!(names(&share), ["0", "1", "2", "3"]);
        let refused = vec![Refusal { name: "0".to_owned(), kind: FailureKind::Refused, reply: None }];
        let first = done(&share)[1..2].to_vec();
        let failure = Failure { done: first, refused, ..Failure::new(FailureKind::Local, "cannot write") };
        assert!(queue.settle(share, Err(failure)));
        while let Some(share) = queue.take() {
            let files = done(&share);
            assert!(queue.settle(share, Ok(Summary::Downloaded { files })));
        }
        let Outcome { done, failed, stopped, .. } = queue.into_outcome();
        assert_eq!(done.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["1", "3", "4", "5", "6", "7"]);
        assert_eq!(failed.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["0", "2"]);
        assert_eq!(stopped, None);
    }

    #[test]
    fn a_job_that_gives_up_leaves_its_files_to_others() {
        let queue = queue(&[1; 4], 2);
        let (lost, kept) = (queue.take().unwrap(), queue.take().unwrap());
        assert!(!queue.settle(lost, Err(Failure::new(FailureKind::CannotConnect, "gone"))));
        let files = done(&kept);
        assert!(queue.settle(kept, Ok(Summary::Downloaded { files })));
        while let Some(share) = queue.take() {
            let files = done(&share);
            assert!(queue.settle(share, Ok(Summary::Downloaded { files })));
        }
        let outcome = queue.into_outcome();
        assert_eq!((outcome.done.len(), outcome.stopped, outcome.given_up.len()), (4, None, 1));
        // Where nobody takes them, that is the failure of all.
        let queue = self::queue(&[1; 4], 1);
        let share = queue.take().unwrap();
        assert!(!queue.settle(share, Err(Failure::new(FailureKind::TimedOut, "slow"))));
        assert_eq!(queue.into_outcome().stopped.map(|failure| failure.kind), Some(FailureKind::TimedOut));
    }

    #[test]
    fn what_fails_for_one_file_and_for_all_stops_all() {
        for kind in [FailureKind::Interrupted, FailureKind::NoSpace, FailureKind::PathExpired] {
            let queue = queue(&[1; 4], 2);
            let share = queue.take().unwrap();
            assert!(!queue.settle(share, Err(Failure::new(kind, ""))));
            assert!(queue.take().is_none());
            assert_eq!(queue.into_outcome().stopped.map(|failure| failure.kind), Some(kind));
        }
    }
}
