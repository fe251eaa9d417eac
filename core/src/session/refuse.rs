//! What a step that failed is answered with: one table for all commands.

use crate::error::{QuotaUnit, QuotaUse, StorageError};
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::format;

/// The path, or one above it, has expired (DESIGN 4: 550 with this detail, whatever the command).
pub(super) fn expired(failure: &'static str) -> Reply {
    Reply::new(550, failure).with_detail(text::STORAGE_PATH_EXPIRED)
}

/// No right to do that.
pub(super) fn denied() -> Reply {
    Reply::new(550, text::PERMISSION_DENIED)
}

/// The storage did not do it. `failure` is what the command says when it fails.
pub(super) fn storage(error: StorageError, failure: &'static str) -> Reply {
    match error {
        StorageError::NotFound => Reply::new(550, failure).with_detail(text::INVALID_STORAGE_PATH),
        StorageError::Exists => Reply::new(550, failure).with_detail(text::FILE_EXISTS),
        StorageError::NotDirectory => Reply::new(550, failure).with_detail(text::NOT_DIRECTORY),
        StorageError::IsDirectory => Reply::new(550, failure).with_detail(text::IS_DIRECTORY),
        StorageError::NotEmpty => Reply::new(550, failure).with_detail(text::NOT_EMPTY),
        StorageError::NameTooLong => Reply::new(550, failure).with_detail(text::NAME_REFUSED),
        StorageError::Denied | StorageError::ReadOnly => denied(),
        StorageError::Expired => expired(failure),
        StorageError::OffsetBeyondEnd => Reply::new(554, text::RESTART_BEYOND),
        StorageError::NoSpace => Reply::new(452, text::NO_SPACE),
        StorageError::QuotaExceeded => Reply::new(552, text::QUOTA_EXCEEDED),
        StorageError::OverQuota(QuotaUse { counts, used, limit }) => {
            let unit = match counts {
                QuotaUnit::Bytes => "bytes",
                QuotaUnit::Files => "files",
            };
            Reply::new(552, text::QUOTA_EXCEEDED).with_detail(format!("Quota: {used} of {limit} {unit} used."))
        }
        StorageError::FileTooLarge => Reply::new(552, text::FILE_TOO_LARGE),
        StorageError::Changed | StorageError::Busy => busy(failure),
        StorageError::RecordUnreadable => Reply::new(451, failure).with_detail(text::RECORD_UNREADABLE),
        StorageError::Unsupported => Reply::new(550, failure).with_detail(text::UNSUPPORTED),
        StorageError::Failed => Reply::new(451, failure).with_detail(text::LOCAL_ERROR),
    }
}

/// The same for a command that makes a name: what is wrong with the name is a 553 then (RFC 959 5.4).
pub(super) fn storage_name(error: StorageError, failure: &'static str) -> Reply {
    let reply = storage(error, failure);
    match error {
        StorageError::NotFound
        | StorageError::Exists
        | StorageError::NotDirectory
        | StorageError::IsDirectory
        | StorageError::NameTooLong => Reply { code: 553, ..reply },
        _ => reply,
    }
}

/// It changes faster than it can be judged.
pub(super) fn busy(failure: &'static str) -> Reply {
    Reply::new(450, failure).with_detail(text::BUSY)
}
