//! Whole trees, and several files at once. What is the same for both runtimes: what to ask the core for, and what its
//! answers come to. A runtime adds the jobs: as many clients as there shall be connections, each of which takes a
//! [`Share`] of the [`Queue`], has it done and [settles](Queue::settle) it, until none is left.

mod download;
mod queue;
mod report;
mod upload;
mod walk;

pub use download::DownloadTree;
pub use queue::{Queue, Share};
pub use report::{Failed, Skipped, TreeFailure, TreeReport};
pub use upload::UploadTree;
pub use walk::LocalTree;

use super::driver::Watcher;
use mayfly_core::record::Token;

/// How a tree is moved.
pub struct TreeOptions {
    /// How many files are moved at a time, each over a control connection of its own: 1 to [`JOBS_MAX`].
    pub jobs: u32,
    /// Of an upload: add to a storage path that is there already. What is there with the same size and time is not sent
    /// again, and what an earlier run left half-way goes on, as far as the server lets one see it.
    pub add: bool,
    /// Of an upload that adds: what proves that the path was made by the same caller.
    pub token: Option<Token>,
    /// Of a download: all that lies below the storage path, and not only the files right in it.
    pub recursive: bool,
    /// Makes who watches a further job; the first has the client's own watcher.
    pub watch: Option<WatcherOfJob>,
}

/// Makes a watcher for the job of this number, counted from 2.
pub type WatcherOfJob = Box<dyn Fn(u32) -> Watcher + Send + Sync>;

impl Default for TreeOptions {
    fn default() -> Self {
        Self { jobs: 1, add: false, token: None, recursive: true, watch: None }
    }
}

impl TreeOptions {
    /// The watcher of a further job.
    #[must_use]
    pub fn watcher(&self, job: u32) -> Option<Watcher> {
        self.watch.as_ref().map(|watch| watch(job))
    }

    fn jobs(&self) -> u32 {
        self.jobs.clamp(1, JOBS_MAX)
    }
}

/// More connections would only stand in each other's way, and many servers let nobody have so many.
pub const JOBS_MAX: u32 = 16;
