//! What came of a tree: what is there, what was left out, what failed.

use super::super::{Failure, FailureKind, FileDone, PathExpiry};
use mayfly_core::record::Token;
use std::fmt;

/// What a call for a tree, or for several files at once, has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeReport {
    /// The storage path as the server named it when it was made; else as the caller did.
    pub storage_path: String,
    /// When it expires, as the server says; of an upload.
    pub expiry: PathExpiry,
    /// What proves that the bearer made the path; of an upload. A secret.
    pub token: Option<Token>,
    /// The files that are there, by their names; those too that were there already.
    pub files: Vec<FileDone>,
    /// What was left out, for it is no file.
    pub skipped: Vec<Skipped>,
    /// What did not come over.
    pub failed: Vec<Failed>,
    /// Why jobs gave up whose files others have moved.
    pub given_up: Vec<Failure>,
}

/// Something that is neither a file nor a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub name: String,
    /// What it is.
    pub why: &'static str,
}

/// A file or directory that did not come over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Its name on the server; where it has none, its path here.
    pub name: String,
    /// The kind that it would be as a failure of its own.
    pub kind: FailureKind,
    /// What happened.
    pub what: String,
}

/// A tree of which something did not come over.
#[derive(Clone, Debug)]
pub struct TreeFailure {
    /// The whole in one failure: what stopped it, or the first file that failed. [`FailureKind::Partial`] where other
    /// files came over.
    pub failure: Failure,
    /// What was done all the same.
    pub report: TreeReport,
}

impl fmt::Display for TreeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl std::error::Error for TreeFailure {}

impl From<Failure> for Box<TreeFailure> {
    fn from(failure: Failure) -> Self {
        Self::new(TreeFailure { failure, report: TreeReport::default() })
    }
}

impl TreeReport {
    /// The report, where all went well.
    ///
    /// # Errors
    /// What `stopped` the work, else the first of what failed.
    pub(super) fn conclude(mut self, stopped: Option<Failure>) -> Result<Self, Box<TreeFailure>> {
        self.files.sort_by(|a, b| a.name.cmp(&b.name));
        self.failed.sort_by(|a, b| a.name.cmp(&b.name));
        let failure = match (stopped, self.failed.as_slice()) {
            (None, []) => return Ok(self),
            (Some(failure), _) => failure,
            (None, [only]) => Failure::new(only.kind, format!("{} {}", only.name, only.what)),
            (None, [first, ..]) => {
                let (failed, all) = (self.failed.len(), self.failed.len() + self.files.len());
                let what = format!("{failed} of {all} failed; first {} {}", first.name, first.what);
                Failure::new(first.kind, what)
            }
        };
        // What the caller can do about it is the same, whether files came over or not.
        let as_it_is =
            [FailureKind::Interrupted, FailureKind::PathExpired, FailureKind::NoSpace].contains(&failure.kind);
        let kind = if self.files.is_empty() || as_it_is { failure.kind } else { FailureKind::Partial };
        let failure = Failure { kind, done: Vec::new(), refused: Vec::new(), ..failure };
        Err(Box::new(TreeFailure { failure, report: self }))
    }
}
