//! A few threads that check logins, and a bounded queue before them: a flood of logins takes neither the host's memory
//! nor the time of whoever is in already.

use mayfly_core::error::LoginError;
use mayfly_core::user::Account;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{fmt, io, thread};

/// What a check comes to.
pub(super) type Outcome = Result<Box<Account>, LoginError>;

/// What one of the threads does.
pub(super) type Work = Box<dyn FnOnce() -> Outcome + Send>;

/// The threads and their queue. They begin when there is work, and end when for some time there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool(Arc<Shared>);

/// How large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Threads.
    pub(super) threads: usize,
    /// What waits for one of them.
    pub(super) queue: usize,
}

/// A check under way: a future, also for a driver without an executor. Dropped, it is not begun any more.
pub struct Pending(Arc<Slot>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    work_came: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

struct Job {
    /// Whom it counts for.
    visitor: IpAddr,
    /// Gone, where nobody waits for it any more.
    slot: Weak<Slot>,
    work: Work,
}

#[derive(Debug, Default)]
struct Slot(Mutex<Progress>);

#[derive(Debug, Default)]
struct Progress {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
}

impl Pool {
    /// Has it done. Where the queue is full, it is `Busy` for whoever has the most waiting in it: a visitor who fills it
    /// keeps nobody else out.
    pub(super) fn submit(&self, work: Work, bounds: Bounds, visitor: IpAddr) -> Pending {
        let slot = Arc::new(Slot::default());
        let mut state = self.0.state();
        state.jobs.retain(Job::is_awaited);
        let mut displaced = None;
        if state.jobs.len() >= bounds.queue {
            displaced = state.displace_for(visitor);
            if displaced.is_none() {
                slot.tell(Err(LoginError::Busy));
                return Pending(slot);
            }
        }
        state.jobs.push_back(Job { visitor, slot: Arc::downgrade(&slot), work });
        if state.idle < state.jobs.len() && state.threads < bounds.threads {
            match self.start() {
                Ok(()) => state.threads += 1,
                // Those that there are will come to it.
                Err(_) if state.threads > 0 => {}
                Err(error) => {
                    tracing::error!(%error, "the host has no thread to check logins on");
                    state.jobs.clear();
                    slot.tell(Err(LoginError::Failed));
                }
            }
        }
        self.0.work_came.notify_one();
        drop(state);
        if let Some(slot) = displaced.and_then(|job| job.slot.upgrade()) {
            slot.tell(Err(LoginError::Busy));
        }
        Pending(slot)
    }

    fn start(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.0);
        let thread = thread::Builder::new().name("logins".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(move || shared.work()).map(drop)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread's life.
    fn work(&self) {
        while let Some(job) = self.next() {
            // Who has gone meanwhile costs nothing.
            let Some(slot) = job.slot.upgrade() else { continue };
            let outcome = catch_unwind(AssertUnwindSafe(job.work)).unwrap_or(Err(LoginError::Failed));
            slot.tell(outcome);
        }
    }

    /// None: there was nothing to do for so long that the thread may end.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state.idle += 1;
            let (woken, waited) = self.work_came.wait_timeout(state, IDLE_MAX).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return None;
            }
        }
    }
}

impl State {
    /// Takes out the last that waits for the visitor who has the most waiting, where that leaves them no fewer than
    /// `newcomer` has with one more.
    fn displace_for(&mut self, newcomer: IpAddr) -> Option<Job> {
        let mut waiting: HashMap<IpAddr, usize> = HashMap::new();
        for job in &self.jobs {
            *waiting.entry(job.visitor).or_default() += 1;
        }
        let own = waiting.get(&newcomer).copied().unwrap_or_default();
        let (visitor, _) = waiting.into_iter().filter(|(_, count)| *count > own + 1).max_by_key(|(_, count)| *count)?;
        let at = self.jobs.iter().rposition(|job| job.visitor == visitor)?;
        self.jobs.remove(at)
    }
}

impl Job {
    fn is_awaited(&self) -> bool {
        self.slot.strong_count() > 0
    }
}

impl Slot {
    fn tell(&self, outcome: Outcome) {
        let waker = {
            let mut progress = self.progress();
            progress.outcome = Some(outcome);
            progress.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Pending {
    type Output = Result<Box<Account>, LoginError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut progress = self.0.progress();
        if let Some(outcome) = progress.outcome.take() {
            return Poll::Ready(outcome);
        }
        progress.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

/// A hash keeps its memory elsewhere.
const STACK_BYTES: usize = 512 * 1024;
/// How long a thread waits for the next login.
const IDLE_MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::task::Wake;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn wait(mut pending: Pending) -> Outcome {
        let waker = Arc::new(Unpark(thread::current())).into();
        loop {
            match Pin::new(&mut pending).poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(outcome) => return outcome,
                Poll::Pending => thread::park_timeout(Duration::from_secs(20)),
            }
        }
    }

    /// Work that says when it begins, and goes on when it is told to.
    fn held(begun: &Sender<()>) -> (Work, Sender<()>) {
        let (go_on, held): (_, Receiver<()>) = channel();
        let begun = begun.clone();
        let work = move || {
            begun.send(()).unwrap();
            held.recv().unwrap();
            Err(LoginError::Refused)
        };
        (Box::new(work), go_on)
    }

    #[test]
    fn so_many_are_checked_so_many_wait_and_the_rest_is_turned_away() {
        let pool = Pool::default();
        let bounds = Bounds { threads: 2, queue: 1 };
        let (begun, arrivals) = channel();
        let (first, go_on) = held(&begun);
        let (second, go_on_too) = held(&begun);
        let first = pool.submit(first, bounds, HERE);
        arrivals.recv().unwrap();
        let second = pool.submit(second, bounds, HERE);
        arrivals.recv().unwrap();
        let waiting = pool.submit(Box::new(|| Err(LoginError::Refused)), bounds, HERE);
        assert_eq!(wait(pool.submit(Box::new(|| unreachable!()), bounds, HERE)), Err(LoginError::Busy));
        // Who goes makes room, and is not checked any more.
        drop(waiting);
        let waiting = pool.submit(Box::new(|| Err(LoginError::Refused)), bounds, HERE);
        go_on.send(()).unwrap();
        go_on_too.send(()).unwrap();
        for pending in [first, second, waiting] {
            assert_eq!(wait(pending), Err(LoginError::Refused));
        }
        assert_eq!(pool.0.state().threads, 2);
    }

    #[test]
    fn who_fills_the_queue_keeps_nobody_else_out() {
        let pool = Pool::default();
        let bounds = Bounds { threads: 1, queue: 3 };
        let (begun, arrivals) = channel();
        let (first, go_on) = held(&begun);
        let first = pool.submit(first, bounds, HERE);
        arrivals.recv().unwrap();
        let refused = || -> Work { Box::new(|| Err(LoginError::Refused)) };
        let mut flood: Vec<Pending> = (0..3).map(|_| pool.submit(refused(), bounds, HERE)).collect();
        let other = pool.submit(refused(), bounds, ELSEWHERE);
        assert_eq!(wait(flood.pop().unwrap()), Err(LoginError::Busy), "the last of the flood gives way");
        // Two to one: to take one more would only turn that around.
        assert_eq!(wait(pool.submit(refused(), bounds, ELSEWHERE)), Err(LoginError::Busy));
        assert_eq!(wait(pool.submit(refused(), bounds, HERE)), Err(LoginError::Busy));
        go_on.send(()).unwrap();
        for pending in flood.into_iter().chain([first, other]) {
            assert_eq!(wait(pending), Err(LoginError::Refused));
        }
    }

    #[test]
    fn work_that_panics_is_a_failed_login_and_the_thread_goes_on() {
        let pool = Pool::default();
        let bounds = Bounds { threads: 1, queue: 2 };
        assert_eq!(wait(pool.submit(Box::new(|| panic!("a test")), bounds, HERE)), Err(LoginError::Failed));
        assert_eq!(wait(pool.submit(Box::new(|| Err(LoginError::Refused)), bounds, HERE)), Err(LoginError::Refused));
        assert_eq!(pool.0.state().threads, 1);
    }
}
