//! HASH, OPTS HASH (draft-bryan-ftpext-hash-02), and XCRC, XMD5, XSHA, XSHA1, XSHA256, XSHA512, which are in use without
//! a text: `XCRC "name" start end` with a 250, as the server that brought it first has it.

use super::state::Flow;
use super::work::{Kind, Work};
use super::{Session, access};
use crate::action::ReadingPurpose;
use crate::digest::DigestAlgorithm;
use crate::expiry::{self, Judgement};
use crate::path::VirtualPath;
use crate::record::{FileInfo, FileKind, PathState};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::ops::ControlFlow::{Break, Continue};

/// A digest that is asked for.
#[derive(Debug)]
pub(super) struct Hash {
    algorithm: DigestAlgorithm,
    form: Form,
    /// The first byte.
    start_bytes: u64,
    /// The byte behind the last; none: to the end.
    end_bytes: Option<u64>,
}

#[derive(Debug)]
enum Form {
    /// HASH, of the path as the client wrote it.
    Hash { shown: String },
    /// XCRC and so on.
    X,
}

impl Hash {
    /// The file is open: what is asked of it must be there.
    pub(super) fn opened(&mut self, info: &FileInfo) -> Flow<()> {
        let size_bytes = info.size_bytes;
        let end_bytes = self.end_bytes.unwrap_or(size_bytes);
        let is_beyond = match self.form {
            // RANG asks for what there is of a range, and something must be there; the others for all of it.
            Form::Hash { .. } => self.end_bytes.is_some() && self.start_bytes >= size_bytes,
            Form::X => end_bytes > size_bytes,
        };
        if is_beyond {
            return Break(beyond());
        }
        self.end_bytes = Some(end_bytes.min(size_bytes));
        Continue(())
    }

    pub(super) fn reply(&self, hex: &str) -> Reply {
        match &self.form {
            Form::Hash { shown } => {
                // draft 3.1: both points are of bytes that were hashed, and the end not before the start.
                let last = self.end_bytes.unwrap_or_default().saturating_sub(1).max(self.start_bytes);
                let name = self.algorithm.name();
                Reply::new(213, format!("{name} {}-{last} {hex} {shown}", self.start_bytes))
            }
            Form::X => Reply::new(250, hex.to_ascii_uppercase()),
        }
    }

    /// What it says of a directory.
    pub(super) fn no_file(&self) -> Reply {
        let code = match self.form {
            // draft 6.
            Form::Hash { .. } => 553,
            Form::X => 550,
        };
        Reply::new(code, text::HASH_FAILED).with_detail(text::IS_DIRECTORY)
    }
}

impl Session {
    pub(super) fn hash(&mut self, argument: String) -> Flow {
        let path = self.looked_up(&argument, text::HASH_FAILED)?;
        // draft 3.4: a part of it where RANG has said so. What is meant for a transfer (RFC 3659 5.3) ends here.
        let range = self.data.take_range();
        self.data.take_next();
        let (start_bytes, end_bytes) = range.map_or((0, None), |range| (range.first, Some(range.end())));
        let hash =
            Hash { algorithm: self.data.hash_algorithm, form: Form::Hash { shown: argument }, start_bytes, end_bytes };
        self.begin_hash(path, hash)
    }

    /// XCRC and so on; the range is from the first byte to the one behind the last.
    pub(super) fn x_hash(&mut self, algorithm: DigestAlgorithm, argument: &str, range: Option<(u64, u64)>) -> Flow {
        let path = self.looked_up(argument, text::HASH_FAILED)?;
        let (start_bytes, end_bytes) = range.map_or((0, None), |(start, end)| (start, Some(end)));
        self.begin_hash(path, Hash { algorithm, form: Form::X, start_bytes, end_bytes })
    }

    fn begin_hash(&mut self, path: VirtualPath, hash: Hash) -> Flow {
        self.check_for(path.clone(), Work::new(Kind::Hash(hash), path))
    }

    pub(super) fn hash_checked(&mut self, now: Now, mut work: Box<Work>, state: &PathState) -> Flow {
        let Kind::Hash(hash) = &work.kind else { return Break(Reply::new(451, text::HASH_FAILED)) };
        if matches!(expiry::judge(state, now), Judgement::Live(info) if info.kind == FileKind::Directory) {
            return Break(hash.no_file());
        }
        access::living_file(now, state, text::HASH_FAILED)?;
        // Whoever knows the digest knows the file, if it is one of a few.
        self.permit(Right::Read, &state.records)?;
        let length_bytes = hash.end_bytes.map(|end_bytes| end_bytes.saturating_sub(hash.start_bytes));
        let range = (hash.start_bytes, length_bytes);
        let purpose = ReadingPurpose::Digest(hash.algorithm);
        work.touches_found(state);
        self.open_reading(work.path.clone(), range, purpose, work)
    }

    pub(super) fn opts_hash(&mut self, algorithm: Option<DigestAlgorithm>) -> Reply {
        self.data.hash_algorithm = algorithm.unwrap_or(self.data.hash_algorithm);
        Reply::new(200, self.data.hash_algorithm.name())
    }

    /// The line of FEAT (draft 3.2): the chosen algorithm is marked.
    pub(super) fn hash_feature(&self) -> String {
        let mut line = String::from("HASH ");
        for algorithm in DigestAlgorithm::ALL {
            let mark = if algorithm == self.data.hash_algorithm { "*;" } else { ";" };
            line.extend([algorithm.name(), mark]);
        }
        line
    }
}

/// What is asked for lies beyond the end.
pub(super) fn beyond() -> Reply {
    Reply::new(550, text::HASH_FAILED).with_detail(text::RANGE_BEYOND)
}
