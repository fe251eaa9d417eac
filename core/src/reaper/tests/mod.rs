//! The reaper against a fake storage, in one thread and in no time.

mod properties;

use super::*;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

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
    /// Moving this one fails.
    stuck: Option<VirtualPath>,
    /// What was asked, in order.
    asked: Vec<ReaperRequest>,
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
            stuck: None,
            asked: Vec::new(),
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
        self.asked.push(request.clone());
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
                assert!(expiry_s <= self.now.utc_s, "too early");
                let own = self.records.get(&path).copied().ok_or(StorageError::NotFound)?;
                if self.stuck.as_ref() == Some(&path) {
                    return Err(StorageError::Denied);
                }
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
    assert!(world.notes.contains(&ReaperNote::Failed {
        path: Some(path("/a")),
        error: StorageError::Failed,
        untold: 0
    }));
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
    assert!(!world.asked.iter().any(|request| matches!(request, ReaperRequest::MoveToTrash { .. })));
    let sweeps = world.asked.iter().filter_map(|request| match request {
        ReaperRequest::ReadRecords { partials_before_s, .. } => Some(*partials_before_s),
        _ => None,
    });
    assert!(sweeps.skip(1).all(|before_s| before_s == 0), "nor is anything swept by such a clock");
    // It is noticed at the next look, up to a second later.
    world.pass(2);
    assert_eq!(world.names(), ["/b"]);
}

#[test]
fn a_small_step_of_the_wall_clock_is_followed_at_once() {
    let mut world = World::new(&[("/a", 1_000)]);
    world.send(ReaperEvent::Started);
    world.pass(10);
    world.now.utc_s += 990;
    world.pass(2);
    assert!(world.records.is_empty());
}

#[test]
fn one_path_that_cannot_be_moved_holds_up_no_other() {
    let mut world = World::new(&[("/a", 10), ("/b", 11)]);
    world.stuck = Some(path("/a"));
    world.send(ReaperEvent::Started);
    world.pass(12);
    assert_eq!(world.names(), ["/a"]);
    world.pass(600);
    let is_try =
        |request: &&ReaperRequest| matches!(request, ReaperRequest::MoveToTrash { path: of, .. } if *of == path("/a"));
    let tries = world.asked.iter().filter(is_try).count();
    assert!((8..=11).contains(&tries), "it backs off: {tries}");
    let told: Vec<u64> = world
        .notes
        .iter()
        .filter_map(|note| if let ReaperNote::Failed { untold, .. } = note { Some(*untold) } else { None })
        .collect();
    assert!(told.len() < tries, "of one kind it is told now and then: {told:?}");
    assert!(told.len() as u64 + told.iter().sum::<u64>() >= tries as u64 - 1, "and none is forgotten: {told:?}");
    world.stuck = None;
    world.pass(600);
    assert!(world.records.is_empty());
}

#[test]
fn what_went_with_its_parent_is_not_asked_for_again() {
    let mut world = World::new(&[("/a", 10), ("/a/b", 20), ("/ab", 20)]);
    world.send(ReaperEvent::Started);
    world.pass(30);
    let moves: Vec<_> =
        world.asked.iter().filter(|request| matches!(request, ReaperRequest::MoveToTrash { .. })).collect();
    assert_eq!(moves.len(), 2);
}

#[test]
fn the_first_scan_comes_before_the_bytes_in_the_trash() {
    let mut world = World::new(&[("/a", 0), ("/b", 0), ("/c", 0)]);
    world.trash = 10_000;
    world.send(ReaperEvent::Started);
    let first_empty = world.asked.iter().position(|request| matches!(request, ReaperRequest::EmptyTrash { .. }));
    let last_move = world.asked.iter().rposition(|request| matches!(request, ReaperRequest::MoveToTrash { .. }));
    assert!(last_move < first_empty && last_move.is_some());
}

/// A reaper that waits for the outcome of a step of this kind.
fn waiting(now: Now, wanted: impl Fn(&ReaperRequest) -> bool, known: &[(&str, i64)]) -> (Reaper, ActionId) {
    let mut reaper = Reaper::default();
    let mut event = ReaperEvent::Started;
    loop {
        reaper.handle(now, event).unwrap();
        let mut asked = None;
        while let Some(action) = reaper.poll_action() {
            if let ReaperAction::Storage { id, request } = action {
                asked = Some((id, request));
            }
        }
        let (id, request) = asked.expect("it has something to do");
        if wanted(&request) {
            return (reaper, id);
        }
        let found = known.iter().map(|(name, expiry_s)| (path(name), *expiry_s)).collect();
        event = ReaperEvent::Done { id, outcome: Ok(ReaperOutcome::Records { found, end: true }) };
    }
}

#[test]
fn a_batch_that_is_older_than_a_notice_is_not_believed() {
    let now = Now { monotonic_ms: 0, utc_s: 100 };
    let (mut reaper, id) = waiting(now, |request| matches!(request, ReaperRequest::ReadRecords { .. }), &[]);
    for change in [
        PathChange::Expires { path: path("/a"), expiry_s: Some(500) },
        PathChange::Removed { path: path("/b") },
        PathChange::Renamed { from: path("/c"), to: path("/d") },
    ] {
        reaper.handle(now, ReaperEvent::Changed { change }).unwrap();
    }
    let names = ["/a", "/a/x", "/b", "/b/x", "/c", "/c/x", "/e"];
    let found = names.into_iter().map(|name| (path(name), 400)).collect();
    let outcome = Ok(ReaperOutcome::Records { found, end: true });
    reaper.handle(now, ReaperEvent::Done { id, outcome }).unwrap();
    let known = names.map(|name| reaper.index.expiry(&path(name)));
    assert_eq!(known, [Some(500), Some(400), None, None, None, None, Some(400)]);
}

#[test]
fn what_is_made_anew_while_the_old_one_moves_is_not_forgotten() {
    let now = Now { monotonic_ms: 0, utc_s: 100 };
    let is_move = |request: &ReaperRequest| matches!(request, ReaperRequest::MoveToTrash { .. });
    for (name, notice) in [("/a", Some("/a/x")), ("/a", None)] {
        let (mut reaper, id) = waiting(now, is_move, &[(name, 50), ("/a/x", 700)]);
        if let Some(notice) = notice {
            let change = PathChange::Expires { path: path(notice), expiry_s: Some(700) };
            reaper.handle(now, ReaperEvent::Changed { change }).unwrap();
        }
        reaper.handle(now, ReaperEvent::Done { id, outcome: Ok(ReaperOutcome::Done) }).unwrap();
        assert_eq!(reaper.index.expiry(&path("/a")), None);
        assert_eq!(reaper.index.expiry(&path("/a/x")).is_some(), notice.is_some());
    }
}

#[test]
fn a_driver_that_breaks_the_contract_is_told() {
    let mut reaper = Reaper::default();
    let now = Now { monotonic_ms: 0, utc_s: 0 };
    assert_eq!(reaper.handle(now, ReaperEvent::Timeout), Err(Misuse::OutOfOrder));
    reaper.handle(now, ReaperEvent::Started).unwrap();
    assert_eq!(reaper.handle(now, ReaperEvent::Timeout), Err(Misuse::ActionsUndrained));
    let Some(ReaperAction::Storage { id, .. }) = reaper.poll_action() else { panic!("it begins at once") };
    assert_eq!(reaper.poll_action(), None);
    let stale = ReaperEvent::Done { id: ActionId(99), outcome: Ok(ReaperOutcome::Done) };
    assert_eq!(reaper.handle(now, stale), Err(Misuse::UnknownId(ActionId(99))));
    let wrong = ReaperEvent::Done { id, outcome: Ok(ReaperOutcome::Done) };
    assert_eq!(reaper.handle(now, wrong), Err(Misuse::WrongOutcome(id)));
    assert_eq!(reaper.handle(now, ReaperEvent::Started), Err(Misuse::OutOfOrder));
}
