//! What the session asks of the storage, and what such a request holds.

use super::is_default;
use crate::digest::DigestAlgorithm;
use crate::listing::options::ListingOrder;
use crate::path::VirtualPath;
use crate::record::{Record, RecordAt};
use crate::user::HomeQuota;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What the storage is asked. Paths are checked, absolute and never reserved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StorageRequest {
    /// Read all that decides about a path; outcome `State`.
    CheckExpiry {
        /// The path.
        path: VirtualPath,
    },
    /// Replace the record of a storage path, durably; outcome `Done`. `Changed` unless it still is as judged.
    SetExpiry {
        /// The storage path.
        path: VirtualPath,
        /// Its record as judged.
        judged: Record,
        /// The new expiry, UTC seconds; none: never.
        expiry_s: Option<i64>,
    },
    /// Make a storage path with this record, whole or not at all, and drop a tombstone of that name; outcome `Done`.
    MakeDirectory {
        /// The path; its parent stands.
        path: VirtualPath,
        /// What to write into it.
        record: Record,
        /// The expired record of what stands there still: to the trash with it first. An expired file gives way anyhow.
        replaces: Option<Record>,
        /// The quota that the path counts for; refused with `OverQuota`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quota: Option<HomeQuota>,
    },
    /// Remove a directory that holds no visible name, through the trash; outcome `Done`.
    RemoveDirectory {
        /// The directory.
        path: VirtualPath,
        /// Its record as judged.
        judged: Option<Record>,
    },
    /// Remove a file, and the kept part of a broken upload of that name; outcome `Done`.
    RemoveFile {
        /// The file.
        path: VirtualPath,
        /// Only the file that has this `FileInfo::unique`, else `Changed`; none: whichever stands there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unique: Option<String>,
    },
    /// Rename a file or directory; outcome `Done`. `Changed` unless the records on both ways still are as judged.
    Rename {
        /// The old path.
        from: VirtualPath,
        /// The new path.
        to: VirtualPath,
        /// Whether a file that stands under the new path may be replaced; a directory never is.
        replace: bool,
        /// The records on the way to `from`, as judged.
        judged_from: Vec<RecordAt>,
        /// The records on the way to `to`, as judged.
        judged_to: Vec<RecordAt>,
        /// The date of its own that the file has from then on, UTC seconds; none: the one that it has, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expiry_s: Option<i64>,
        /// The quota that it counts for from then on and did not before; refused with `OverQuota`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quota: Option<HomeQuota>,
    },
    /// Open a file for the next `Transfer` to send; outcome `Opened`.
    OpenRead {
        /// The file.
        path: VirtualPath,
        /// Where to begin; at most the file's size.
        offset_bytes: u64,
        /// Where to end, not included; none, or beyond the file's end: there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end_bytes: Option<u64>,
    },
    /// Open an upload for the next `Transfer` to receive into; outcome `Opened`. Nothing shows under the name.
    OpenWrite {
        /// The name that it shall have.
        path: VirtualPath,
        /// What it goes on from.
        base: UploadBase,
        /// How many bytes will come, where ALLO said so.
        announced_bytes: Option<u64>,
        /// The quota that it counts for: refused with `OverQuota` now, or as soon as the bytes that come would exceed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quota: Option<HomeQuota>,
    },
    /// Refuse (`NoSpace`, `QuotaExceeded`, `OverQuota`) unless this much can be stored there; outcome `Done`.
    ReserveSpace {
        /// The directory where it will be needed.
        path: VirtualPath,
        /// How much.
        size_bytes: u64,
        /// The quota that it would count for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quota: Option<HomeQuota>,
    },
    /// Give the open upload its name, as durably as the settings say; outcome `Published`. `Changed` unless the
    /// records on the way still are as judged and, for `UploadBase::Published`, the file that was copied still
    /// stands; the upload stays open then. `Expired` where the storage's clock says so; it is discarded then.
    Publish {
        /// Whether a file that stands there may be replaced; if not, `Exists`. An expired one gives way anyhow.
        replace: bool,
        /// The records on the way to the name, as judged.
        judged: Vec<RecordAt>,
        /// The date of its own that the file has from the start, UTC seconds; none: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expiry_s: Option<i64>,
    },
    /// Keep the open upload aside as the partial of its name; outcome `Done`.
    KeepPartial,
    /// Forget the open upload; outcome `Done`.
    Discard,
    /// Set the modification time; outcome `Done`.
    SetTimes {
        /// The file.
        path: VirtualPath,
        /// UTC seconds.
        modified_s: i64,
    },
    /// Open a directory to be listed; outcome `Done`. Where one is open already, this one is read first, and then that
    /// one goes on where it was.
    OpenListing {
        /// The directory.
        path: VirtualPath,
        /// Sorted where it holds no more entries than this; else in the directory's order.
        sort_entries_max: u32,
        /// In which order.
        #[serde(default, skip_serializing_if = "is_default")]
        order: ListingOrder,
        /// What is needed of its entries.
        #[serde(default, skip_serializing_if = "is_default")]
        detail: ListingDetail,
    },
    /// The next entries of the listing that was opened last, of which there may be none though more are to come;
    /// outcome `Listed`. At its end, it is closed.
    ReadListing {
        /// How many at most.
        entries_max: u32,
    },
    /// Close all open listings early; outcome `Done`.
    CloseListing,
    /// Set facts of a file or directory, all of them or none; outcome `Done`. `Unsupported` where the storage cannot
    /// keep one of them.
    SetFacts {
        /// The file or directory.
        path: VirtualPath,
        /// Which, and to what.
        facts: NewFacts,
    },
    /// Ask how much room a directory has for this server; outcome `Room`.
    AskRoom {
        /// The directory.
        path: VirtualPath,
        /// The quota that leaves no more room than this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quota: Option<HomeQuota>,
    },
    /// Open a file to be read through in steps, in place of any that was open so; outcome `Opened`.
    OpenReading {
        /// The file.
        path: VirtualPath,
        /// Where to begin; at most the file's size.
        offset_bytes: u64,
        /// How many bytes to read; none, or more than there are: to the end.
        length_bytes: Option<u64>,
        /// What the bytes are read for.
        purpose: ReadingPurpose,
    },
    /// Go on with the open reading; outcome `Read`. At its end, it is closed.
    ReadOn {
        /// How many bytes at most, so that others are heard in between.
        bytes_max: u64,
    },
    /// Close the open reading early; outcome `Done`.
    CloseReading,
}

impl StorageRequest {
    /// Whether it is one step of work that may take long: the driver looks at the control connection before it hands in
    /// the outcome, or while the storage is at it, so that ABOR is heard.
    #[must_use]
    pub fn is_step(&self) -> bool {
        matches!(self, Self::ReadOn { .. } | Self::ReadListing { .. })
    }
}

/// What bytes are read for, without a data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReadingPurpose {
    /// Their digest; result `ReadingResult::Digest`.
    Digest(DigestAlgorithm),
    /// Their number after translation to TYPE A; result `ReadingResult::AsciiSize`.
    AsciiSize,
    /// To be appended to the open upload; result `ReadingResult::Appended`.
    Append,
}

/// Facts to be set (draft-somers-ftp-mfxx 5); none: it stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFacts {
    /// When it was last modified, UTC seconds.
    pub modified_s: Option<i64>,
    /// When it was last read, UTC seconds.
    pub accessed_s: Option<i64>,
    /// When it was made, UTC seconds.
    pub created_s: Option<i64>,
    /// Its permission bits, at most 0o777.
    pub mode: Option<u16>,
}

/// What a listing needs of a directory's entries; whatever it is, of a directory always all with its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ListingDetail {
    /// Names and kinds; what else is said of a file may be wrong.
    Names,
    /// All that [`FileInfo`](crate::record::FileInfo) holds, but for the time of making that a client has set.
    #[default]
    Attributes,
    /// The time of making, too, that a client has set.
    Creation,
    /// The directories alone; other entries may be left out.
    Directories,
}

/// What an upload goes on from. A published file stays as it was until `Publish`. A partial is gone on with in place:
/// what is not kept of it is cut when the first byte comes, and `Discard` leaves it as far as it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UploadBase {
    /// Nothing: a new file.
    Empty,
    /// A copy of the first bytes of the published file (all of them: none).
    Published {
        /// How many; more than there are is `OffsetBeyondEnd`.
        keep_bytes: Option<u64>,
    },
    /// The first bytes of the kept partial (all of them: none).
    Partial {
        /// How many; more than there are is `OffsetBeyondEnd`.
        keep_bytes: Option<u64>,
    },
}
