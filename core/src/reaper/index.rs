//! What expires next: a bounded index of storage paths by date and by name.

use crate::limits::REAPER_INDEX_MAX;
use crate::path::VirtualPath;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Bound;

/// Storage paths and when they expire, UTC seconds. Where there are too many, the latest are left out.
#[derive(Debug)]
pub(super) struct Index {
    /// By the instant at which each is to be looked at: its expiry, or later where that has failed.
    by_look: BTreeSet<(i64, String)>,
    by_path: BTreeMap<String, Known>,
    paths_max: usize,
    /// The earliest look of those that were left out since the last scan began.
    left_out_s: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    expiry_s: i64,
    look_s: i64,
    /// How often moving it has failed.
    failures: u32,
}

/// A path whose expiry has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) path: VirtualPath,
    pub(super) expiry_s: i64,
}

impl Default for Index {
    fn default() -> Self {
        Self::bounded(REAPER_INDEX_MAX)
    }
}

impl Index {
    /// One that holds so many paths at most.
    pub(super) fn bounded(paths_max: usize) -> Self {
        Self { by_look: BTreeSet::new(), by_path: BTreeMap::new(), paths_max, left_out_s: None }
    }

    /// Enters a path, or gives it another date. One that is known with this date keeps its place.
    pub(super) fn insert(&mut self, path: &VirtualPath, expiry_s: i64) {
        if self.expiry(path) != Some(expiry_s) {
            self.enter(path.as_str().to_string(), Known { expiry_s, look_s: expiry_s, failures: 0 });
        }
    }

    fn enter(&mut self, path: String, known: Known) {
        self.remove_text(&path);
        self.by_look.insert((known.look_s, path.clone()));
        self.by_path.insert(path, known);
        if self.by_path.len() > self.paths_max
            && let Some((look_s, latest)) = self.by_look.pop_last()
        {
            self.by_path.remove(&latest);
            self.left_out_s = Some(self.left_out_s.map_or(look_s, |before| before.min(look_s)));
        }
    }

    /// Takes a path out.
    pub(super) fn remove(&mut self, path: &VirtualPath) {
        self.remove_text(path.as_str());
    }

    fn remove_text(&mut self, path: &str) {
        if let Some(known) = self.by_path.remove(path) {
            self.by_look.remove(&(known.look_s, path.to_string()));
        }
    }

    /// Takes a path and all beneath it out.
    pub(super) fn remove_tree(&mut self, path: &VirtualPath) {
        for (path, _) in self.tree(path) {
            self.remove_text(&path);
        }
    }

    /// Gives a path and all beneath it another name.
    pub(super) fn rename_tree(&mut self, from: &VirtualPath, to: &VirtualPath) {
        for (path, known) in self.tree(from) {
            self.remove_text(&path);
            self.enter(format!("{to}{}", &path[from.as_str().len()..]), known);
        }
    }

    fn tree(&self, path: &VirtualPath) -> Vec<(String, Known)> {
        let beneath = format!("{path}/");
        let own = self.by_path.get_key_value(path.as_str());
        self.by_path
            .range::<str, _>((Bound::Included(beneath.as_str()), Bound::Unbounded))
            .take_while(|(path, _)| path.starts_with(&beneath))
            .chain(own)
            .map(|(path, known)| (path.clone(), *known))
            .collect()
    }

    /// Puts a path off, because moving it has failed with this date; tells how often that was. 0: it is not known
    /// with this date any more.
    pub(super) fn put_off(&mut self, due: &Due, look_s: impl Fn(u32) -> i64) -> u32 {
        let Some(known) = self.by_path.get(due.path.as_str()).filter(|known| known.expiry_s == due.expiry_s) else {
            return 0;
        };
        let failures = known.failures.saturating_add(1);
        let known = Known { look_s: look_s(failures), failures, ..*known };
        self.enter(due.path.as_str().to_string(), known);
        failures
    }

    /// The path that is to be looked at first, if that instant has come.
    pub(super) fn first_due(&self, utc_s: i64) -> Option<Due> {
        let (_, path) = self.by_look.first().filter(|(look_s, _)| *look_s <= utc_s)?;
        let expiry_s = self.by_path.get(path)?.expiry_s;
        VirtualPath::parse(path).ok().map(|path| Due { path, expiry_s })
    }

    /// When this one expires.
    pub(super) fn expiry(&self, path: &VirtualPath) -> Option<i64> {
        self.by_path.get(path.as_str()).map(|known| known.expiry_s)
    }

    /// When the first one is to be looked at.
    pub(super) fn first_look(&self) -> Option<i64> {
        self.by_look.first().map(|(look_s, _)| *look_s)
    }

    /// How many are due at this instant, counted up to [`BACKLOG_COUNTED_MAX`].
    pub(super) fn due(&self, utc_s: i64) -> u64 {
        let due = self.by_look.iter().take(BACKLOG_COUNTED_MAX);
        let due = due.take_while(|(look_s, _)| *look_s <= utc_s).count();
        u64::try_from(due).unwrap_or(u64::MAX)
    }

    /// Whether paths were left out that only a scan can bring back, and it is time for one: there is room for them
    /// again, or the first of them is due.
    pub(super) fn needs_scan(&self, utc_s: i64) -> bool {
        self.left_out_s.is_some_and(|left_out_s| left_out_s <= utc_s || self.by_path.len() <= self.paths_max / 2)
    }

    /// A scan begins, which brings back what was left out.
    pub(super) fn scan_begins(&mut self) {
        self.left_out_s = None;
    }
}

/// A backlog is counted no further than this, for it is counted at each step.
const BACKLOG_COUNTED_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> VirtualPath {
        VirtualPath::parse(text).unwrap()
    }

    fn due(text: &str, expiry_s: i64) -> Due {
        Due { path: path(text), expiry_s }
    }

    #[test]
    fn the_earliest_comes_first_and_a_new_date_replaces_the_old() {
        let mut index = Index::default();
        index.insert(&path("/a"), 30);
        index.insert(&path("/b"), 20);
        assert_eq!(index.first_due(19), None);
        assert_eq!(index.first_due(20), Some(due("/b", 20)));
        index.insert(&path("/b"), 40);
        assert_eq!(index.first_due(30), Some(due("/a", 30)));
        assert_eq!((index.due(29), index.due(30), index.due(40)), (0, 1, 2));
        index.remove(&path("/a"));
        index.remove(&path("/b"));
        assert!(index.by_path.is_empty() && index.by_look.is_empty());
    }

    #[test]
    fn a_tree_moves_and_goes_as_one_and_its_neighbours_stay() {
        let mut index = Index::default();
        for name in ["/a", "/a/x", "/a/x/y", "/a-b", "/ab", "/a0"] {
            index.insert(&path(name), 1);
        }
        index.rename_tree(&path("/a"), &path("/z"));
        index.remove_tree(&path("/z/x"));
        let left: Vec<&str> = index.by_path.keys().map(String::as_str).collect();
        assert_eq!(left, ["/a-b", "/a0", "/ab", "/z"]);
        assert_eq!(index.by_look.len(), 4);
    }

    #[test]
    fn what_fails_waits_and_the_next_one_goes_first() {
        let mut index = Index::default();
        index.insert(&path("/a"), 10);
        index.insert(&path("/b"), 11);
        assert_eq!(index.put_off(&due("/a", 10), |failures| 20 + i64::from(failures)), 1);
        assert_eq!(index.first_due(20), Some(due("/b", 11)));
        index.insert(&path("/a"), 10);
        assert_eq!(index.put_off(&due("/a", 10), |_| 30), 2, "a scan that finds it again changes nothing");
        index.insert(&path("/a"), 12);
        assert_eq!(index.put_off(&due("/a", 10), |_| 40), 0, "its new date is another matter");
    }

    #[test]
    fn the_latest_are_left_out_and_a_scan_is_asked_for_in_time() {
        let mut index = Index::bounded(4);
        for (name, expiry_s) in [("/a", 10), ("/b", 20), ("/c", 30), ("/d", 40), ("/e", 15)] {
            index.insert(&path(name), expiry_s);
        }
        assert_eq!((index.by_path.len(), index.left_out_s), (4, Some(40)));
        assert!(!index.needs_scan(39));
        assert!(index.needs_scan(40), "the one that was left out is due");
        index.remove(&path("/a"));
        index.remove(&path("/b"));
        assert!(index.needs_scan(0), "there is room again");
        index.scan_begins();
        assert!(!index.needs_scan(100));
    }
}
