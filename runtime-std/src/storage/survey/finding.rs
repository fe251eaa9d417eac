//! What is not as it should be beneath a root.

/// One thing that was found.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    /// Where, as clients would see it if they saw it.
    pub(crate) path: String,
    /// What exactly, where there is more to say.
    pub(crate) detail: Option<String>,
    /// Bytes that it holds.
    pub(crate) bytes: u64,
    pub(crate) mended: Mended,
}

/// What was done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mended {
    /// Nothing, for nothing was asked for, or nothing is safe.
    Not,
    Done,
    /// It was tried.
    Failed(String),
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    RecordDamaged,
    RecordInRoot,
    Expired,
    LeftOver,
    HalfMade,
    OldPartial,
    OldTombstone,
    StaleTombstone,
    DamagedTombstone,
    TrashLeft,
    UnknownReserved,
    DateDamaged,
    Unreachable,
    Unreadable,
    OddName,
    Link,
    Special,
}

/// Who does something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Remedy {
    /// The reaper, by itself and in time.
    Reaper,
    /// `fsck --repair`.
    Repair,
    /// The operator: nothing is safe.
    Operator,
    /// Nobody: it does no harm.
    Nobody,
}

impl Kind {
    /// Its name in JSON. None ever changes its meaning.
    pub(crate) fn name(self) -> &'static str {
        self.told().0
    }

    /// What it is, and what that means.
    pub(crate) fn meaning(self) -> &'static str {
        self.told().2
    }

    /// Who does something about it.
    pub(crate) fn remedy(self) -> Remedy {
        self.told().1
    }

    fn told(self) -> (&'static str, Remedy, &'static str) {
        use Remedy::{Nobody, Operator, Reaper, Repair};
        match self {
            Self::RecordDamaged => {
                ("record-damaged", Operator, "the expiry record cannot be read: not served, not deleted")
            }
            Self::RecordInRoot => {
                ("record-in-root", Operator, "a record in the root itself, where none has any effect")
            }
            Self::Expired => ("expired", Reaper, "expired, and its name still stands"),
            Self::LeftOver => ("left-over", Reaper, "a temporary file of a write that was never finished"),
            Self::HalfMade => ("half-made", Reaper, "a directory that was never made up"),
            Self::OldPartial => ("old-partial", Reaper, "a broken upload, kept for longer than it can be resumed"),
            Self::OldTombstone => ("old-tombstone", Reaper, "a tombstone of more than 30 days"),
            Self::StaleTombstone => ("stale-tombstone", Repair, "a tombstone beside a path that lives again"),
            Self::DamagedTombstone => ("damaged-tombstone", Repair, "a tombstone that cannot be read"),
            Self::TrashLeft => ("trash-left", Reaper, "trash that was not emptied"),
            Self::UnknownReserved => {
                ("unknown-reserved", Operator, "a name of the server's own that it knows nothing of")
            }
            Self::DateDamaged => ("date-damaged", Operator, "a file's own expiry date that cannot be read"),
            Self::Unreachable => ("unreachable", Operator, "a name or depth that no client can reach; not looked into"),
            Self::Unreadable => ("unreadable", Operator, "a directory that the server cannot read"),
            Self::OddName => ("odd-name", Nobody, "a name that clients see with escapes"),
            Self::Link => ("link", Nobody, "a symbolic link: shown, never followed"),
            Self::Special => ("special", Nobody, "a device, pipe or socket: neither shown nor opened"),
        }
    }
}
