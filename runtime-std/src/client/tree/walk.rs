//! What of this host goes up with `upload -r`: every file and directory below those that are named, in the order of
//! their names. No link is followed.

use super::super::place::is_plain;
use super::super::source::Source;
use super::super::{Failure, FailureKind};
use super::report::{Failed, Skipped};
use std::collections::BTreeSet;
use std::fs::{self, DirEntry, FileType};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// Files and directories of this host, under the names that they shall have on a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalTree {
    pub(super) files: Vec<LocalFile>,
    /// A directory stands before what it holds.
    pub(super) directories: Vec<String>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) failed: Vec<Failed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LocalFile {
    pub(super) source: Source,
    pub(super) size_bytes: u64,
}

impl LocalTree {
    /// Looks through `paths`. A directory `photos` becomes one of that name; of `photos/`, and of `.`, what is in it goes
    /// right into the storage path. Links in it are not followed, and sockets, pipes and devices are left out; what
    /// cannot be read, or has a name that cannot be sent, is a failure of its own once the rest is there.
    ///
    /// # Errors
    /// [`FailureKind::Local`], where one of `paths` cannot be sent; [`FailureKind::Unfit`], where two would have one name.
    pub fn read(paths: &[impl AsRef<Path>]) -> Result<Self, Failure> {
        let mut tree = Self::default();
        for path in paths {
            let path = path.as_ref();
            if path.is_dir() { tree.add_root(path)? } else { tree.add(Source::file(path)?) }
        }
        tree.check()?;
        Ok(tree)
    }

    /// The same with these files besides.
    ///
    /// # Errors
    /// [`FailureKind::Unfit`], where two would have one name.
    pub fn with(mut self, files: impl IntoIterator<Item = Source>) -> Result<Self, Failure> {
        files.into_iter().for_each(|file| self.add(file));
        self.check()?;
        Ok(self)
    }

    fn add(&mut self, source: Source) {
        let size_bytes = source.size_bytes();
        self.files.push(LocalFile { source, size_bytes });
    }

    fn add_root(&mut self, path: &Path) -> Result<(), Failure> {
        let contents_alone = path.as_os_str().as_bytes().ends_with(b"/") || path.file_name().is_none();
        let name = match path.file_name().filter(|_| !contents_alone) {
            None => String::new(),
            Some(name) => name.to_str().filter(|name| is_plain(name)).map(str::to_owned).ok_or_else(|| {
                let what = format!("{} has no name that can be sent; names are UTF-8", path.display());
                Failure::new(FailureKind::Local, what)
            })?,
        };
        // A root that cannot be read is no tree at all.
        fs::read_dir(path)
            .map_err(|error| Failure::new(FailureKind::Local, format!("cannot read {}: {error}", path.display())))?;
        self.directories.extend(Some(name.clone()).filter(|name| !name.is_empty()));
        self.walk(path.to_owned(), name);
        Ok(())
    }

    /// Adds all below `path`, the deepest last found first, so that what is open stays within one directory.
    fn walk(&mut self, path: PathBuf, name: String) {
        let mut open = vec![(path, name, 1)];
        while let Some((path, name, depth)) = open.pop() {
            let mut entries: Vec<DirEntry> = match fs::read_dir(&path).and_then(Iterator::collect) {
                Ok(entries) => entries,
                Err(error) => {
                    self.fail(&path, format!("cannot be read: {error}"));
                    continue;
                }
            };
            entries.sort_by_key(DirEntry::file_name);
            // What is pushed last is taken first.
            let from = open.len();
            for entry in entries {
                let Some((child, kind)) = self.judge(&entry, &name) else { continue };
                if !kind.is_dir() {
                    let size_bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                    self.files.push(LocalFile { source: Source::found(entry.path(), child), size_bytes });
                } else if depth >= DEPTH_MAX {
                    self.fail(&entry.path(), format!("lies more than {DEPTH_MAX} directories deep"));
                } else {
                    open.push((entry.path(), child, depth + 1));
                }
            }
            self.directories.extend(open[from..].iter().map(|(_, child, _)| child.clone()));
            open[from..].reverse();
        }
    }

    /// The name and kind of what goes up.
    fn judge(&mut self, entry: &DirEntry, parent: &str) -> Option<(String, FileType)> {
        let path = entry.path();
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => {
                self.fail(&path, format!("cannot be read: {error}"));
                return None;
            }
        };
        if let Some(why) = why_not(kind) {
            self.skipped.push(Skipped { name: path.display().to_string(), why });
            return None;
        }
        let Some(name) = entry.file_name().to_str().filter(|name| is_plain(name)).map(str::to_owned) else {
            self.fail(&path, "has a name that cannot be sent: names are UTF-8 without control characters".to_owned());
            return None;
        };
        Some((if parent.is_empty() { name } else { format!("{parent}/{name}") }, kind))
    }

    fn fail(&mut self, path: &Path, what: String) {
        self.failed.push(Failed { name: path.display().to_string(), kind: FailureKind::Local, what });
    }

    fn check(&self) -> Result<(), Failure> {
        let mut names = BTreeSet::new();
        let files = self.files.iter().map(|file| file.source.name());
        let directories: BTreeSet<&str> = self.directories.iter().map(String::as_str).collect();
        // Two trees may have directories in common, but no file.
        match files.into_iter().find(|name| directories.contains(name) || !names.insert(*name)) {
            Some(name) => Err(Failure::new(FailureKind::Unfit, format!("two files would have the name {name}"))),
            None => Ok(()),
        }
    }
}

/// Why something stays here.
fn why_not(kind: FileType) -> Option<&'static str> {
    match kind {
        _ if kind.is_file() || kind.is_dir() => None,
        _ if kind.is_symlink() => Some("a link, which is not followed"),
        _ if kind.is_fifo() => Some("a pipe"),
        _ if kind.is_socket() => Some("a socket"),
        _ => Some("a device"),
    }
}

/// Deeper than any path that a server takes in one line; a file system that is mounted into itself ends here.
const DEPTH_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    fn names(tree: &LocalTree) -> Vec<&str> {
        tree.files.iter().map(|file| file.source.name()).collect()
    }

    #[test]
    fn every_file_and_directory_has_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        fs::create_dir_all(top.join("b/empty")).unwrap();
        fs::create_dir_all(top.join(".hidden dir/ü")).unwrap();
        for name in ["z", "b/1 2", ".hidden dir/ü/x", "a"] {
            fs::write(top.join(name), b"abc").unwrap();
        }
        let tree = LocalTree::read(&[&top]).unwrap();
        assert_eq!(names(&tree), ["top/a", "top/z", "top/.hidden dir/ü/x", "top/b/1 2"]);
        assert_eq!(tree.directories, ["top", "top/.hidden dir", "top/b", "top/.hidden dir/ü", "top/b/empty"]);
        assert_eq!(tree.files[0].size_bytes, 3);
        let tree = LocalTree::read(&[format!("{}/", top.display())]).unwrap();
        assert_eq!(names(&tree), ["a", "z", ".hidden dir/ü/x", "b/1 2"]);
        assert_eq!(tree.directories, [".hidden dir", "b", ".hidden dir/ü", "b/empty"]);
        let tree = LocalTree::read(&[top.join("b"), top.join("a")]).unwrap();
        assert_eq!(names(&tree), ["b/1 2", "a"]);
    }

    #[test]
    fn what_is_no_file_stays_here_and_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        fs::create_dir(&top).unwrap();
        symlink("/etc", top.join("link to a directory")).unwrap();
        symlink(&top, top.join("loop")).unwrap();
        let _socket = UnixListener::bind(top.join("socket")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            top.join("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        fs::write(top.join(OsStr::from_bytes(b"\xff")), b"").unwrap();
        fs::write(top.join("a\nb"), b"").unwrap();
        let tree = LocalTree::read(&[&top]).unwrap();
        assert_eq!((names(&tree), tree.directories.as_slice()), (vec![], ["top".to_owned()].as_slice()));
        let mut why: Vec<&str> = tree.skipped.iter().map(|skipped| skipped.why).collect();
        why.sort_unstable();
        assert_eq!(why, ["a link, which is not followed", "a link, which is not followed", "a pipe", "a socket"]);
        assert_eq!(tree.failed.len(), 2);
        // What the user names is meant, a link too.
        assert!(LocalTree::read(&[top.join("loop")]).is_ok());
    }

    #[test]
    fn two_files_never_share_a_name() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["one/x", "two/x"] {
            fs::create_dir_all(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join("f"), b"").unwrap();
        }
        let clash = LocalTree::read(&[dir.path().join("one/x"), dir.path().join("two/x")]).unwrap_err();
        assert_eq!(clash.kind, FailureKind::Unfit);
        assert_eq!(LocalTree::read(&[dir.path().join("gone")]).unwrap_err().kind, FailureKind::Local);
    }

    #[test]
    fn a_tree_without_end_has_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut deep = dir.path().join("top");
        for _ in 0..DEPTH_MAX + 5 {
            deep.push("d");
        }
        fs::create_dir_all(&deep).unwrap();
        let tree = LocalTree::read(&[dir.path().join("top")]).unwrap();
        assert_eq!((tree.directories.len(), tree.failed.len()), (DEPTH_MAX, 1));
    }
}
