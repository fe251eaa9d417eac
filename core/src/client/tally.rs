//! What of a call's files is done, and what the server refused.

use super::failure::{Failure, FailureKind, Hint, Refusal};
use super::reply_reader::Heard;
use super::summary::FileDone;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Counts a call's files.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    done: Vec<FileDone>,
    refused: Vec<Refusal>,
}

impl Tally {
    /// A file came over whole.
    pub(super) fn add_done(&mut self, file: FileDone) {
        self.done.push(file);
    }

    /// The server refused a file; the others may go on.
    pub(super) fn add_refused(&mut self, name: String, kind: FailureKind, reply: Option<Heard>) {
        self.refused.push(Refusal { name, kind, reply });
    }

    /// The files, when all went well.
    ///
    /// # Errors
    /// What was refused: as itself where nothing else was to be done, else as [`FailureKind::Partial`].
    pub(super) fn conclude(&mut self) -> Result<Vec<FileDone>, Failure> {
        let Some(first) = self.refused.first() else {
            return Ok(core::mem::take(&mut self.done));
        };
        let all = self.done.len() + self.refused.len();
        let what = match self.refused.len() {
            1 => format!("{} was refused", first.name),
            refused => format!("{refused} of {all} files were refused; first {}", first.name),
        };
        let kind = if self.done.is_empty() { first.kind } else { FailureKind::Partial };
        let missing = self.refused.iter().all(|refused| refused.kind == FailureKind::NoSuchPath);
        let taken = first.reply.as_ref().is_some_and(|reply| reply.code == 553 && reply.says("exists"));
        let hint = match kind {
            _ if taken => Some(Hint::NameTaken),
            FailureKind::Partial if missing => Some(Hint::MissingFiles),
            FailureKind::Partial => Some(Hint::SomeRefused),
            _ => None,
        };
        Err(Failure { reply: first.reply.clone(), hint, ..Failure::new(kind, what) })
    }

    /// Adds to a failure what was done before it. What stopped when files, or bytes of one (`begun`), had come over
    /// already has left a part.
    pub(super) fn blame(&self, mut failure: Failure, begun: bool) -> Failure {
        let stopped = match failure.kind {
            FailureKind::CannotConnect => begun || !self.done.is_empty(),
            FailureKind::Refused | FailureKind::NoSuchPath => !self.done.is_empty(),
            _ => false,
        };
        if stopped {
            failure.kind = FailureKind::Partial;
        }
        Failure { done: self.done.clone(), refused: self.refused.clone(), ..failure }
    }
}
