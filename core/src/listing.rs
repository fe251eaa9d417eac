//! Listing lines: LIST, NLST, MLSD and MLST.

use crate::record::{Entry, FileInfo};
use crate::time::Now;
use alloc::string::String;

/// One line as `ls -l` prints it, without its line end.
#[must_use]
pub fn list_line(entry: &Entry, now: Now) -> String {
    todo!("{entry:?} {now:?}")
}

/// The facts of RFC 3659 7.5, `type=file;size=..;`, ending with a semicolon; `expiry_s` is the effective one, shown
/// as `X.expiry`.
#[must_use]
pub fn facts(info: &FileInfo, perm: &str, kind: FactType, expiry_s: Option<i64>) -> String {
    todo!("{info:?} {perm} {kind:?} {expiry_s:?}")
}

/// The `type` fact (RFC 3659 7.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactType {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// The listed directory itself.
    Current,
    /// Its parent.
    Parent,
}
