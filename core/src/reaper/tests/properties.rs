//! What holds of the reaper whatever happens.

use super::*;
use proptest::prelude::*;

const NAMES: [&str; 6] = ["/a", "/a/b", "/a/b/c", "/d", "/d/e", "/f"];

/// What a session, or another server, does to the path of that name. None: nothing that is told.
fn change(world: &mut World, kind: u8, name: usize, number: i64) -> Option<PathChange> {
    let path = path(NAMES[name]);
    match kind {
        0..=2 => {
            let expiry_s = world.now.utc_s + number;
            world.records.insert(path.clone(), expiry_s);
            Some(PathChange::Expires { path, expiry_s: Some(expiry_s) })
        }
        3 => {
            world.records.remove(&path);
            Some(PathChange::Expires { path, expiry_s: None })
        }
        4 => {
            world.records.retain(|other, _| !other.is_within(&path));
            Some(PathChange::Removed { path })
        }
        5 => {
            let to = VirtualPath::parse(NAMES[usize::try_from(number).unwrap() % NAMES.len()]).unwrap();
            if to.is_within(&path) || path.is_within(&to) {
                return None;
            }
            rename(world, &path, &to);
            Some(PathChange::Renamed { from: path, to })
        }
        _ => None,
    }
}

fn rename(world: &mut World, from: &VirtualPath, to: &VirtualPath) {
    let moved: Vec<_> = world.records.keys().filter(|other| other.is_within(from)).cloned().collect();
    world.records.retain(|other, _| !other.is_within(to));
    for old in moved {
        let expiry_s = world.records.remove(&old).unwrap();
        let new = VirtualPath::parse(&alloc::format!("{to}{}", &old.as_str()[from.as_str().len()..]));
        world.records.insert(new.unwrap(), expiry_s);
    }
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

    /// Whatever sessions and other servers do, and however often the disk fails: nothing that lives is ever taken,
    /// and in the end nothing that has expired is left.
    #[test]
    fn nothing_living_is_taken_and_nothing_expired_stays(
        steps in proptest::collection::vec((0_u8..8, 0_usize..6, 0_i64..900, 0_u64..120, any::<bool>()), 1..60)
    ) {
        let mut world = World::new(&[]);
        world.send(ReaperEvent::Started);
        let mut lost = false;
        for (kind, name, number, pause_s, is_told) in steps {
            match kind {
                6 => world.fail = Some(StorageError::NoSpace),
                7 => {
                    world.fail = None;
                    world.stuck = is_told.then(|| path(NAMES[name]));
                }
                _ => {}
            }
            let Some(change) = change(&mut world, kind, name, number) else { continue };
            if is_told {
                world.send(ReaperEvent::Changed { change });
            }
            lost |= !is_told || world.fail.is_some() || world.stuck.is_some();
            world.pass(pause_s);
            if !lost {
                let late = world.records.iter().find(|(_, expiry_s)| **expiry_s <= world.now.utc_s - 2);
                prop_assert!(late.is_none(), "late: {late:?}");
            }
        }
        world.fail = None;
        world.stuck = None;
        // The longest back-off, the longest life, and a scan.
        world.pass(2_200);
        prop_assert!(world.records.is_empty(), "{:?}", world.records);
        prop_assert_eq!(world.trash, 0);
    }
}
