//! A tree comes down: it is listed, its directories are made, and the jobs fetch the files that are not there yet.

use super::super::place;
use super::super::sink::{Destination, set_modified};
use super::super::{Failure, FailureKind, FileDone, unexpected};
use super::TreeOptions;
use super::queue::{Item, Outcome, Queue, Way};
use super::report::{Failed, Skipped, TreeFailure, TreeReport};
use mayfly_core::client::call::{Call, DownloadOrder, ListOrder};
use mayfly_core::client::listing::EntryKind;
use mayfly_core::client::summary::{Listed, ListedEntry, Summary};
use rustix::fs::{AtFlags, Mode, OFlags};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

/// See the module.
#[derive(Debug)]
pub struct DownloadTree {
    storage_path: String,
    /// What is wanted of it; none: all.
    wanted: Vec<String>,
    recursive: bool,
    to: PathBuf,
    jobs: u32,
    /// With their times, each after the one above it.
    directories: Vec<(String, Option<i64>)>,
    report: TreeReport,
}

impl DownloadTree {
    /// What is to come, and where to: `names` are files or directories in `storage_path`; none: all that is in it.
    #[must_use]
    pub fn new(names: &[&str], storage_path: &str, to: &Path, options: &TreeOptions) -> Self {
        let report = TreeReport { storage_path: storage_path.to_owned(), ..TreeReport::default() };
        Self {
            storage_path: storage_path.to_owned(),
            wanted: names.iter().map(|name| name.trim_matches('/').to_owned()).collect(),
            recursive: options.recursive,
            to: to.to_owned(),
            jobs: options.jobs(),
            directories: Vec::new(),
            report,
        }
    }

    /// The call that tells what there is.
    #[must_use]
    pub fn opening(&self) -> Call {
        Call::List(ListOrder { path: self.storage_path.clone(), recursive: self.recursive })
    }

    /// What the jobs have to do. Makes the directories; may block.
    ///
    /// # Errors
    /// [`TreeFailure`], where nothing can be had.
    pub fn opened(&mut self, opening: Result<Summary, Failure>) -> Result<Queue, Box<TreeFailure>> {
        let Listed { entries, refused, .. } = match opening {
            Ok(Summary::Listed(listed)) => listed,
            Ok(other) => return Err(unexpected(&other).into()),
            Err(failure) => return Err(failure.into()),
        };
        let missing = self.missing(&entries);
        for refusal in refused {
            if !self.wants(&refusal.name) {
                continue;
            }
            let what = match &refusal.reply {
                Some(reply) => format!("could not be listed: {reply}"),
                None => "has a name, or a depth, that cannot be stored".to_owned(),
            };
            self.report.failed.push(Failed { name: refusal.name, kind: refusal.kind, what });
        }
        place::of_root(&self.to).map_err(|fault| {
            let what = format!("cannot write {}: {}", self.to.display(), fault.0);
            Box::<TreeFailure>::from(Failure::new(FailureKind::Local, what))
        })?;
        let mut items: Vec<Item> = entries.into_iter().filter_map(|entry| self.item(entry)).collect();
        if self.recursive {
            let kind = FailureKind::NoSuchPath;
            let fail = |name| Failed { name, kind, what: "is not there".to_owned() };
            self.report.failed.extend(missing.into_iter().map(fail));
        } else {
            // It may lie deeper than was looked, and the server knows.
            items.extend(missing.into_iter().map(|name| Item { name, size_bytes: 0, source: None }));
        }
        let (storage_path, tree) = (self.storage_path.clone(), self.recursive);
        let order = DownloadOrder { storage_path, files: Vec::new(), tree };
        let to = Destination::Directory(self.to.clone());
        Ok(Queue::new(Way::Down { order, to }, items, self.jobs))
    }

    /// Whether a path is one of those that are wanted, or lies below one.
    fn wants(&self, path: &str) -> bool {
        let above = |wanted: &String| {
            path.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.wanted.is_empty() || self.wanted.iter().any(above)
    }

    fn missing(&self, entries: &[ListedEntry]) -> Vec<String> {
        let there: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        self.wanted.iter().filter(|wanted| !there.contains(wanted.as_str())).cloned().collect()
    }

    /// What has to be fetched for this entry; nothing where it is no file, or is there already.
    fn item(&mut self, entry: ListedEntry) -> Option<Item> {
        let ListedEntry { name, kind, size_bytes, modified_s, modified_exact, .. } = entry;
        let modified_s = modified_s.filter(|_| modified_exact);
        match kind {
            _ if !self.wants(&name) => return None,
            EntryKind::Directory => {
                self.directory(name, modified_s);
                return None;
            }
            // One that was named, or stands beside files, may lead to a file: whoever fetches it finds out.
            EntryKind::Link if self.recursive => {
                self.report.skipped.push(Skipped { name, why: "a link, which is not followed" });
                return None;
            }
            EntryKind::Other => {
                self.report.skipped.push(Skipped { name, why: "no file" });
                return None;
            }
            _ => {}
        }
        if let (Some(size_bytes), Some(_)) = (size_bytes, modified_s)
            && self.is_there(&name, size_bytes, modified_s)
        {
            self.report.files.push(FileDone { name, size_bytes, modified_s });
            return None;
        }
        Some(Item { name, size_bytes: size_bytes.unwrap_or(0), source: None })
    }

    /// Makes a directory, an empty one too.
    fn directory(&mut self, name: String, modified_s: Option<i64>) {
        if !self.recursive {
            return;
        }
        match place::of_directory(&self.to, &name) {
            Ok(_) => self.directories.push((name, modified_s)),
            Err(fault) => {
                let what = format!("cannot be made: {}", fault.0);
                self.report.failed.push(Failed { name, kind: FailureKind::Local, what });
            }
        }
    }

    /// Whether the very file is there: of that size and time.
    fn is_there(&self, name: &str, size_bytes: u64, modified_s: Option<i64>) -> bool {
        let Ok((place, last)) = place::of_file(&self.to, name) else { return false };
        rustix::fs::statat(&place, &last, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| {
            let is_file = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
            is_file && u64::try_from(stat.st_size) == Ok(size_bytes) && Some(stat.st_mtime) == modified_s
        })
    }

    /// What came of it. Gives the directories their times; may block.
    ///
    /// # Errors
    /// [`TreeFailure`], where anything did not come over.
    pub fn conclude(self, queue: Queue) -> Result<TreeReport, Box<TreeFailure>> {
        let Outcome { done, failed, stopped, given_up } = queue.into_outcome();
        // The deepest first: what is written into a directory changes its time.
        for (name, modified_s) in self.directories.iter().rev() {
            if let Some(modified_s) = modified_s {
                stamp(&self.to, name, *modified_s);
            }
        }
        let mut report = self.report;
        report.files.extend(done);
        report.failed.extend(failed);
        report.given_up = given_up;
        report.conclude(stopped)
    }
}

/// Gives a directory its time. Where that fails, it is only newer than it should be.
fn stamp(to: &Path, name: &str, modified_s: i64) {
    let Ok(place) = place::of_directory(to, name) else { return };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if let Ok(directory) = rustix::fs::openat(&place, ".", flags, Mode::empty()) {
        let _ = set_modified(&File::from(directory), modified_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, kind: EntryKind, size_bytes: u64) -> ListedEntry {
        ListedEntry {
            name: name.to_owned(),
            directory: kind == EntryKind::Directory,
            size_bytes: Some(size_bytes),
            kind,
            modified_s: Some(1_000_000_000),
            modified_exact: true,
        }
    }

    fn opened(tree: &mut DownloadTree, entries: Vec<ListedEntry>) -> Vec<String> {
        let listed = Summary::Listed(Listed { entries, ..Listed::default() });
        let queue = tree.opened(Ok(listed)).unwrap();
        std::iter::from_fn(|| queue.take())
            .flat_map(|share| match share.call() {
                Call::Download(order) => order.files,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_is_there_is_not_fetched_again_and_what_is_no_file_never() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("to");
        let mut tree = DownloadTree::new(&[], "scans", &to, &TreeOptions::default());
        std::fs::create_dir_all(to.join("a")).unwrap();
        for (name, modified_s) in [("a/same", 1_000_000_000), ("a/older", 999_999_999), ("a/shorter", 1_000_000_000)] {
            std::fs::write(to.join(name), b"abc").unwrap();
            set_modified(&File::options().write(true).open(to.join(name)).unwrap(), modified_s).unwrap();
        }
        let entries = vec![
            entry("a", EntryKind::Directory, 0),
            entry("a/same", EntryKind::File, 3),
            entry("a/older", EntryKind::File, 3),
            entry("a/shorter", EntryKind::File, 4),
            entry("empty", EntryKind::Directory, 0),
            entry("link", EntryKind::Link, 1),
            entry("pipe", EntryKind::Other, 0),
        ];
        assert_eq!(opened(&mut tree, entries), ["a/older", "a/shorter"]);
        assert!(to.join("empty").is_dir());
        assert_eq!(tree.report.files.len(), 1);
        assert_eq!(tree.report.skipped.len(), 2);
    }

    #[test]
    fn of_what_is_named_all_below_comes_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let mut tree = DownloadTree::new(&["a/", "c", "gone"], "", dir.path(), &TreeOptions::default());
        let entries = vec![
            entry("a", EntryKind::Directory, 0),
            entry("a/1", EntryKind::File, 3),
            entry("ab", EntryKind::File, 3),
            entry("b", EntryKind::Directory, 0),
            entry("c", EntryKind::File, 3),
        ];
        assert_eq!(opened(&mut tree, entries), ["a/1", "c"]);
        assert_eq!(tree.report.failed.len(), 1);
        assert!(!dir.path().join("b").exists());
    }
}
