use super::*;
use crate::clock::Clock as _;
use crate::storage::execute::ReaperStorage;
use mayfly_core::reaper::{Reaper, ReaperAction, ReaperEvent};
use std::sync::Mutex;
use std::time::Duration;

/// A reaper on a storage of its own, without a thread.
struct Reaping {
    reaper: Reaper,
    storage: ReaperStorage,
    clock: Arc<ManualClock>,
}

impl Reaping {
    fn start(host: &Host) -> Self {
        let storage =
            LocalStorage { disk: Arc::clone(&host.storage.disk), emptier: Mutex::default(), file_bytes_max: None };
        let storage = ReaperStorage::new(Arc::new(storage));
        let mut reaping = Self { reaper: Reaper::default(), storage, clock: host.clock.clone() };
        reaping.send(ReaperEvent::Started);
        reaping
    }

    fn send(&mut self, event: ReaperEvent) {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            self.reaper.handle(self.clock.now(), event).unwrap();
            while let Some(action) = self.reaper.poll_action() {
                if let ReaperAction::Storage { id, request } = action {
                    next = Some(ReaperEvent::Done { id, outcome: self.storage.execute(request) });
                }
            }
        }
    }

    /// Lets time pass in steps, with a `Timeout` where one is due.
    fn pass(&mut self, step: Duration) {
        self.clock.advance(step);
        while self.reaper.deadline().is_some_and(|at_ms| at_ms <= self.clock.now().monotonic_ms) {
            self.send(ReaperEvent::Timeout);
            if self.reaper.deadline().is_some_and(|at_ms| at_ms <= self.clock.now().monotonic_ms) {
                self.clock.advance(Duration::from_millis(1));
            }
        }
    }
}

#[test]
fn names_go_within_two_seconds_of_their_date_and_bytes_right_after_even_after_a_restart() {
    let host = Host::new();
    let life_s = |outer: i64| 3 + outer % 7;
    for outer in 0..20 {
        host.make(&format!("/p{outer}"), Some(life_s(outer)));
        host.make(&format!("/p{outer}/inner"), Some(life_s(outer).min(4)));
        host.store(&format!("/p{outer}/inner/f"), &[1; 100]).unwrap();
    }
    host.make("/stays", None);
    let mut reaping = Reaping::start(&host);
    for second in 1..=12 {
        if second == 6 {
            reaping = Reaping::start(&host);
        }
        reaping.pass(Duration::from_secs(1));
        for outer in 0..20 {
            let stands = host.disk(&format!("p{outer}")).exists();
            if second < life_s(outer) {
                assert!(stands, "p{outer} lives at {second}");
            } else if second >= life_s(outer) + 2 {
                assert!(!stands, "p{outer} is gone at {second}");
            }
        }
    }
    assert_eq!(std::fs::read_dir(host.disk(".mayfly-trash")).unwrap().count(), 0);
    assert!(host.storage.check(&at("/p3/inner/f")).unwrap().tombstone.is_some());
    assert!(host.disk("stays").exists());
}
