//! The one table from the system's errors to the storage's.

use mayfly_core::error::StorageError;
use rustix::io::Errno;

/// What an error of the system means to a session.
pub(super) fn storage_error(errno: Errno) -> StorageError {
    match errno {
        // A link in the way must look like nothing at all, and a socket can be opened by nobody.
        Errno::NOENT | Errno::LOOP | Errno::NXIO => StorageError::NotFound,
        Errno::EXIST => StorageError::Exists,
        Errno::NOTDIR => StorageError::NotDirectory,
        Errno::ISDIR => StorageError::IsDirectory,
        Errno::NOTEMPTY => StorageError::NotEmpty,
        // XDEV: out of the root, or across file systems.
        Errno::ACCESS | Errno::PERM | Errno::XDEV => StorageError::Denied,
        Errno::NOSPC => StorageError::NoSpace,
        Errno::DQUOT => StorageError::QuotaExceeded,
        Errno::FBIG => StorageError::FileTooLarge,
        Errno::ROFS => StorageError::ReadOnly,
        Errno::NAMETOOLONG => StorageError::NameTooLong,
        Errno::AGAIN | Errno::BUSY | Errno::TXTBSY => StorageError::Busy,
        _ => StorageError::Failed,
    }
}

/// As [`storage_error`], and tells the log what was being done where the session can only say that it failed.
pub(super) fn during(what: &'static str) -> impl Fn(Errno) -> StorageError {
    move |errno| {
        let error = storage_error(errno);
        if error == StorageError::Failed {
            tracing::warn!(%errno, "{what} failed");
        }
        error
    }
}

/// As [`during`], for the standard library's errors.
pub(super) fn during_io(what: &'static str) -> impl Fn(std::io::Error) -> StorageError {
    move |error| during(what)(Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_a_quota_and_a_size_limit_are_told_apart() {
        for (errno, error) in [
            (Errno::NOSPC, StorageError::NoSpace),
            (Errno::DQUOT, StorageError::QuotaExceeded),
            (Errno::FBIG, StorageError::FileTooLarge),
            (Errno::ROFS, StorageError::ReadOnly),
            (Errno::LOOP, StorageError::NotFound),
            (Errno::IO, StorageError::Failed),
        ] {
            assert_eq!(storage_error(errno), error, "{errno}");
        }
    }
}
