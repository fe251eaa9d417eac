//! The reaper against a fake storage, in one thread and in no time.

use super::*;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

const DAY_S: i64 = 86_400;

fn path(text: &str) -> VirtualPath {
    VirtualPath::parse(text).unwrap()
}

/// Records by path, a trash, and a clock.
struct World {
    reaper: Reaper,
    now: Now,
    records: BTreeMap<VirtualPath, i64>,
    trash: u64,
    walk: Vec<(VirtualPath, i64)>,
    fail: Option<StorageError>,
    notes: Vec<ReaperNote>,
    moved: Vec<(VirtualPath, i64)>,
}

impl World {
    fn new(records: &[(&str, i64)]) -> Self {
        let records = records.iter().map(|(name, expiry_s)| (path(name), *expiry_s)).collect();
        Self {
            reaper: Reaper::default(),
            now: Now { monotonic_ms: 5_000, utc_s: 0 },
            records,
            trash: 0,
            walk: Vec::new(),
            fail: None,
            notes: Vec::new(),
            moved: Vec::new(),
        }
    }

    /// One event, one full drain, and whatever follows at once.
    fn send(&mut self, event: ReaperEvent) {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            self.reaper.handle(self.now, event).unwrap();
            while let Some(action) = self.reaper.poll_action() {
                match action {
                    ReaperAction::Note { note } => self.notes.push(note),
                    ReaperAction::Storage { id, request } => {
                        assert!(next.is_none(), "two steps at once");
                        next = Some(ReaperEvent::Done { id, outcome: self.execute(request) });
                    }
                }
            }
        }
    }

    fn execute(&mut self, request: ReaperRequest) -> Result<ReaperOutcome, StorageError> {
        if let Some(error) = self.fail {
            return Err(error);
        }
        match request {
            ReaperRequest::ReadRecords { restart, .. } => {
                if restart {
                    self.walk = self.records.iter().map(|(path, at)| (path.clone(), *at)).collect();
                }
                let found = self.walk.split_off(self.walk.len().saturating_sub(2));
                Ok(ReaperOutcome::Records { found, end: self.walk.is_empty() })
            }
            ReaperRequest::MoveToTrash { path, expiry_s } => {
                let own = self.records.get(&path).copied().ok_or(StorageError::NotFound)?;
                if own != expiry_s || self.now.utc_s < own {
                    return Err(StorageError::Changed);
                }
                self.records.retain(|other, _| !other.is_within(&path));
                self.trash += 300;
                self.moved.push((path, self.now.utc_s));
                Ok(ReaperOutcome::Done)
            }
            ReaperRequest::EmptyTrash { entries_max } => {
                let entries = self.trash.min(entries_max.into());
                self.trash -= entries;
                Ok(ReaperOutcome::Emptied { entries, bytes: entries, end: self.trash == 0 })
            }
        }
    }

    /// Lets time pass, with a `Timeout` at each deadline.
    fn pass(&mut self, seconds: u64) {
        let end_ms = self.now.monotonic_ms + seconds * 1000;
        let epoch_ms = self.now.utc_s * 1000 - i64::try_from(self.now.monotonic_ms).unwrap();
        while self.now.monotonic_ms < end_ms {
            let at_ms = self.reaper.deadline().expect("it always looks again").min(end_ms);
            self.now.monotonic_ms = at_ms.max(self.now.monotonic_ms + 1);
            self.now.utc_s = (epoch_ms + i64::try_from(self.now.monotonic_ms).unwrap()).div_euclid(1000);
            self.send(ReaperEvent::Timeout);
        }
    }

    fn names(&self) -> Vec<String> {
        self.records.keys().cloned().map(String::from).collect()
    }
}

#[test]
fn what_expires_goes_in_time_and_what_lives_stays() {
    let mut world = World::new(&[("/a", 10), ("/a/b", 5), ("/c", 100), ("/d", 7), ("/e", 8)]);
    world.send(ReaperEvent::Started);
    world.pass(20);
    assert_eq!(world.names(), ["/c"]);
    assert_eq!(world.moved, [(path("/a/b"), 5), (path("/d"), 7), (path("/e"), 8), (path("/a"), 10)]);
    assert_eq!(world.trash, 0);
    world.pass(79);
    assert_eq!(world.names(), ["/c"]);
    world.pass(1);
    assert!(world.records.is_empty());
}

#[test]
fn what_is_past_at_the_start_goes_at_once() {
    let mut world = World::new(&[("/a", -5), ("/b", -DAY_S)]);
    world.trash = 1_000;
    world.send(ReaperEvent::Started);
    world.pass(1);
    assert!(world.records.is_empty());
    assert_eq!(world.trash, 0);
    assert!(world.notes.contains(&ReaperNote::Emptied { bytes: 1_600 }));
}

#[test]
fn a_notice_is_enough() {
    let mut world = World::new(&[]);
    world.send(ReaperEvent::Started);
    world.pass(30);
    let at = world.now.utc_s + 4;
    world.records.insert(path("/new"), at);
    world.send(ReaperEvent::Changed { change: PathChange::Expires { path: path("/new"), expiry_s: Some(at) } });
    world.pass(4);
    assert_eq!(world.moved, [(path("/new"), at)]);
}

#[test]
fn a_new_date_a_rename_and_a_removal_are_followed() {
    let mut world = World::new(&[("/a", 10), ("/b", 10), ("/c/d", 10)]);
    world.send(ReaperEvent::Started);
    for (old, change) in [
        ("/a", PathChange::Expires { path: path("/a"), expiry_s: None }),
        ("/b", PathChange::Removed { path: path("/b") }),
        ("/c/d", PathChange::Renamed { from: path("/c"), to: path("/x") }),
    ] {
        world.records.remove(&path(old));
        world.send(ReaperEvent::Changed { change });
    }
    world.records.insert(path("/x/d"), 10);
    world.pass(20);
    assert_eq!(world.moved, [(path("/x/d"), 10)]);
}

#[test]
fn it_goes_on_after_an_error() {
    let mut world = World::new(&[("/a", 10)]);
    world.send(ReaperEvent::Started);
    world.fail = Some(StorageError::Failed);
    world.pass(12);
    assert_eq!(world.names(), ["/a"]);
    assert!(world.notes.contains(&ReaperNote::Failed { path: Some(path("/a")), error: StorageError::Failed }));
    assert!(world.notes.len() < 10, "it backs off");
    world.fail = None;
    world.pass(60);
    assert!(world.records.is_empty());
}

#[test]
fn a_leap_of_the_wall_clock_holds_deletions_back() {
    let mut world = World::new(&[("/a", DAY_S), ("/b", 2 * DAY_S)]);
    world.send(ReaperEvent::Started);
    world.pass(10);
    world.now.utc_s += DAY_S;
    world.pass(3_599);
    assert_eq!(world.names(), ["/a", "/b"]);
    assert_eq!(world.notes.iter().filter(|note| matches!(note, ReaperNote::HeldBack { .. })).count(), 1, "said once");
    // It is noticed at the next look, up to 10 s later.
    world.pass(11);
    assert_eq!(world.names(), ["/b"]);
}

#[test]
fn a_driver_that_breaks_the_contract_is_told() {
    let mut reaper = Reaper::default();
    let now = Now { monotonic_ms: 0, utc_s: 0 };
    reaper.handle(now, ReaperEvent::Started).unwrap();
    assert_eq!(reaper.handle(now, ReaperEvent::Timeout), Err(Misuse::ActionsUndrained));
    let Some(ReaperAction::Storage { id, .. }) = reaper.poll_action() else { panic!("it begins at once") };
    assert_eq!(reaper.poll_action(), None);
    let stale = ReaperEvent::Done { id: ActionId(99), outcome: Ok(ReaperOutcome::Done) };
    assert_eq!(reaper.handle(now, stale), Err(Misuse::UnknownId(ActionId(99))));
    let wrong = ReaperEvent::Done { id, outcome: Ok(ReaperOutcome::Done) };
    assert_eq!(reaper.handle(now, wrong), Err(Misuse::WrongOutcome(id)));
}

proptest! {
    /// Whatever dates are set, in whatever order: nothing goes early, everything goes within 2 s.
    #[test]
    fn nothing_early_nothing_late(changes in proptest::collection::vec((0_u8..6, 0_i64..50, 0_u64..9), 1..40)) {
        let mut world = World::new(&[]);
        world.send(ReaperEvent::Started);
        for (name, life_s, pause_s) in changes {
            let path = path(&alloc::format!("/p{name}"));
            let expiry_s = world.now.utc_s + life_s;
            world.records.insert(path.clone(), expiry_s);
            world.send(ReaperEvent::Changed { change: PathChange::Expires { path, expiry_s: Some(expiry_s) } });
            world.pass(pause_s);
        }
        world.pass(52);
        prop_assert!(world.records.is_empty());
        prop_assert_eq!(world.trash, 0);
        for note in &world.notes {
            if let ReaperNote::Expired { lag_s, .. } = note {
                prop_assert!(*lag_s <= 1);
            }
        }
    }
}
