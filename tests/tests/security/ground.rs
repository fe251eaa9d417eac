//! A root with a world outside that must stay as it is.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What must never be sent, in whatever way.
pub(crate) const CANARY: &str = "canary-of-the-world-outside";
/// The same for what the server keeps for itself.
pub(crate) const RESERVED: &str = "canary-of-the-server-itself";

/// See the module.
pub(crate) struct Ground {
    folder: TempDir,
}

/// Everything about a tree that must not change.
pub(crate) type Snapshot = BTreeMap<PathBuf, (u64, u32, u64, i64, i64, Vec<u8>)>;

impl Ground {
    /// A root that holds a directory `d` with a file `plain` in it, canaries under reserved names, and links of the
    /// operator's that lead outside.
    pub(crate) fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().expect("there is room for a folder") };
        let (root, outside) = (ground.root(), ground.outside());
        for folder in [root.join("d"), outside.join("d/e")] {
            fs::create_dir_all(folder).expect("there is room");
        }
        let write = |path: PathBuf, text: &str| fs::write(path, text).expect("there is room");
        for path in ["canary", "d/canary", "d/e/canary", "passwd"] {
            write(outside.join(path), CANARY);
        }
        for path in RESERVED_FILES {
            write(root.join(path), RESERVED);
        }
        write(root.join("d/plain"), "plain");
        for (link, to) in ground.links() {
            symlink(to, link).expect("there is room");
        }
        ground
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    /// The links in the root and where they lead.
    pub(crate) fn links(&self) -> [(PathBuf, PathBuf); 5] {
        let (root, outside) = (self.root(), self.outside());
        [
            (root.join("out"), PathBuf::from("../outside")),
            (root.join("absolute"), outside.clone()),
            (root.join("file"), outside.join("canary")),
            (root.join("d/deep"), PathBuf::from("../../outside/d")),
            (root.join("dangling"), outside.join("nothing")),
        ]
    }

    /// What the world outside is like.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut seen = Snapshot::new();
        look(&self.outside(), &mut seen);
        seen
    }

    /// The server's own files must stay as they are, and so must the operator's links.
    pub(crate) fn require_own_untouched(&self) {
        for path in RESERVED_FILES {
            let text = fs::read_to_string(self.root().join(path));
            assert_eq!(text.as_deref().ok(), Some(RESERVED), "{path} was touched");
        }
        for (link, to) in self.links() {
            assert_eq!(fs::read_link(&link).ok(), Some(to), "{} was touched", link.display());
        }
    }
}

/// No server has a use for these, so only a client can change them.
const RESERVED_FILES: [&str; 2] = [".mayfly-canary", "d/.mayfly-canary"];

fn look(path: &Path, seen: &mut Snapshot) {
    let stat = fs::symlink_metadata(path).expect("it is there");
    let bytes = if stat.is_file() { fs::read(path).expect("it can be read") } else { Vec::new() };
    seen.insert(path.to_owned(), (stat.ino(), stat.mode(), stat.nlink(), stat.mtime(), stat.ctime(), bytes));
    if stat.is_dir() {
        for entry in fs::read_dir(path).expect("it can be read") {
            look(&entry.expect("it can be read").path(), seen);
        }
    }
}
