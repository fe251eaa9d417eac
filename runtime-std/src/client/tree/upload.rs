//! A tree goes up: the path is made and dated once, with all its directories; then the jobs bring the files.

use super::super::source::Source;
use super::super::{Failure, unexpected};
use super::queue::{Item, Outcome, Queue, Way};
use super::report::{Failed, TreeFailure, TreeReport};
use super::walk::LocalFile;
use super::{LocalTree, TreeOptions};
use mayfly_core::client::call::{Call, Standing, UploadOrder};
use mayfly_core::client::failure::Refusal;
use mayfly_core::client::summary::{Summary, Uploaded};

/// See the module.
#[derive(Debug)]
pub struct UploadTree {
    order: UploadOrder,
    files: Vec<LocalFile>,
    jobs: u32,
    report: TreeReport,
}

impl UploadTree {
    /// What is to go up, and where.
    #[must_use]
    pub fn new(tree: &LocalTree, storage_path: &str, expiry_date: Option<&str>, options: &TreeOptions) -> Self {
        let LocalTree { files, directories, skipped, failed } = tree.clone();
        let order = UploadOrder {
            storage_path: storage_path.to_owned(),
            files: Vec::new(),
            directories,
            expiry_date: expiry_date.map(str::to_owned),
            add: options.add,
            token: options.token,
            standing: None,
        };
        let report = TreeReport { storage_path: storage_path.to_owned(), skipped, failed, ..TreeReport::default() };
        Self { order, files, jobs: options.jobs(), report }
    }

    /// The call that makes the path.
    #[must_use]
    pub fn opening(&self) -> Call {
        Call::Upload(self.order.clone())
    }

    /// What the jobs have to do, once the path stands.
    ///
    /// # Errors
    /// [`TreeFailure`], where it does not.
    pub fn opened(&mut self, opening: Result<Summary, Failure>) -> Result<Queue, Box<TreeFailure>> {
        match opening {
            Ok(Summary::Uploaded(Uploaded { storage_path, expiry, token, .. })) => {
                (self.report.storage_path, self.report.expiry, self.report.token) = (storage_path, expiry, token);
            }
            Ok(other) => return Err(unexpected(&other).into()),
            // Some directories were refused; the files elsewhere go up all the same.
            Err(failure) if !failure.refused.is_empty() => self.without(&failure.refused),
            Err(failure) => return Err(failure.into()),
        }
        let item = |LocalFile { source, size_bytes }: LocalFile| Item {
            name: source.name().to_owned(),
            size_bytes,
            source: Some::<Source>(source),
        };
        let items = std::mem::take(&mut self.files).into_iter().map(item).collect();
        // The others put their files into what the first has made.
        let order = UploadOrder {
            directories: Vec::new(),
            expiry_date: None,
            token: self.report.token.or(self.order.token),
            standing: Some(if self.order.add { Standing::Found } else { Standing::Made }),
            ..self.order.clone()
        };
        Ok(Queue::new(Way::Up { order }, items, self.jobs))
    }

    fn without(&mut self, refused: &[Refusal]) {
        for Refusal { name, kind, reply } in refused {
            let words = reply.as_ref().map(ToString::to_string).unwrap_or_default();
            let below = format!("{name}/");
            let before = self.files.len();
            self.files.retain(|file| !file.source.name().starts_with(&below));
            let files = before - self.files.len();
            let what = format!("could not be made, nor the {files} files in it be sent: {words}");
            self.report.failed.push(Failed { name: name.clone(), kind: *kind, what });
        }
    }

    /// What came of it.
    ///
    /// # Errors
    /// [`TreeFailure`], where anything did not come over.
    pub fn conclude(self, queue: Queue) -> Result<TreeReport, Box<TreeFailure>> {
        let Outcome { done, failed, stopped, given_up } = queue.into_outcome();
        let mut report = self.report;
        report.files = done;
        report.failed.extend(failed);
        report.given_up = given_up;
        report.conclude(stopped)
    }
}
