//! What expires next: a bounded index of storage paths by date and by name.

use crate::limits::REAPER_INDEX_MAX;
use crate::path::VirtualPath;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Bound;

/// A backlog is counted no further than this, for it is counted at each step.
const BACKLOG_COUNTED_MAX: usize = 1_000;

/// Storage paths and when they expire, UTC seconds. Where there are too many, the latest are left out.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_expiry: BTreeSet<(i64, String)>,
    by_path: BTreeMap<String, i64>,
    overflowed: bool,
}

impl Index {
    /// Enters a path, or gives it another date.
    pub(super) fn insert(&mut self, path: &VirtualPath, expiry_s: i64) {
        self.insert_text(path.as_str().to_string(), expiry_s);
    }

    fn insert_text(&mut self, path: String, expiry_s: i64) {
        if let Some(old) = self.by_path.insert(path.clone(), expiry_s) {
            self.by_expiry.remove(&(old, path.clone()));
        }
        self.by_expiry.insert((expiry_s, path));
        if self.by_path.len() > REAPER_INDEX_MAX
            && let Some((_, latest)) = self.by_expiry.pop_last()
        {
            self.by_path.remove(&latest);
            self.overflowed = true;
        }
    }

    /// Takes a path out.
    pub(super) fn remove(&mut self, path: &VirtualPath) {
        self.remove_text(path.as_str());
    }

    fn remove_text(&mut self, path: &str) {
        if let Some(expiry_s) = self.by_path.remove(path) {
            self.by_expiry.remove(&(expiry_s, path.to_string()));
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
        for (path, expiry_s) in self.tree(from) {
            self.remove_text(&path);
            self.insert_text(format!("{to}{}", &path[from.as_str().len()..]), expiry_s);
        }
    }

    fn tree(&self, path: &VirtualPath) -> Vec<(String, i64)> {
        let beneath = format!("{path}/");
        let own = self.by_path.get_key_value(path.as_str());
        self.by_path
            .range::<str, _>((Bound::Included(beneath.as_str()), Bound::Unbounded))
            .take_while(|(path, _)| path.starts_with(&beneath))
            .chain(own)
            .map(|(path, expiry_s)| (path.clone(), *expiry_s))
            .collect()
    }

    /// The path that expires first, and when.
    pub(super) fn first(&self) -> Option<(VirtualPath, i64)> {
        let (expiry_s, path) = self.by_expiry.first()?;
        VirtualPath::parse(path).ok().map(|path| (path, *expiry_s))
    }

    /// When this one expires.
    pub(super) fn expiry(&self, path: &VirtualPath) -> Option<i64> {
        self.by_path.get(path.as_str()).copied()
    }

    /// When the first one expires.
    pub(super) fn first_expiry(&self) -> Option<i64> {
        self.by_expiry.first().map(|(expiry_s, _)| *expiry_s)
    }

    /// How many are due at this instant, counted up to [`BACKLOG_COUNTED_MAX`].
    pub(super) fn due(&self, utc_s: i64) -> u64 {
        let due = self.by_expiry.iter().take(BACKLOG_COUNTED_MAX);
        let due = due.take_while(|(expiry_s, _)| *expiry_s <= utc_s).count();
        u64::try_from(due).unwrap_or(u64::MAX)
    }

    /// Whether paths were left out since it was last asked, so that only a scan can bring them back.
    pub(super) fn take_overflowed(&mut self) -> bool {
        core::mem::take(&mut self.overflowed)
    }

    /// Whether it holds nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> VirtualPath {
        VirtualPath::parse(text).unwrap()
    }

    #[test]
    fn the_earliest_comes_first_and_a_new_date_replaces_the_old() {
        let mut index = Index::default();
        index.insert(&path("/a"), 30);
        index.insert(&path("/b"), 20);
        assert_eq!(index.first(), Some((path("/b"), 20)));
        index.insert(&path("/b"), 40);
        assert_eq!(index.first(), Some((path("/a"), 30)));
        assert_eq!((index.due(29), index.due(30), index.due(40)), (0, 1, 2));
        index.remove(&path("/a"));
        index.remove(&path("/b"));
        assert!(index.is_empty() && index.first().is_none());
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
        assert_eq!(index.by_expiry.len(), 4);
    }
}
