//! Why a command of an operator failed, and what to do.

use crate::confine::ConfineError;
use crate::exit::Exit;
use crate::log::shown;
use crate::settings::SettingsError;
use mayfly_core::date::{self, DateError};
use mayfly_core::error::StorageError;
use std::path::PathBuf;
use std::{error, fmt, io};

/// See the module.
#[derive(Debug)]
pub(super) enum OperatorError {
    /// The settings file is wrong.
    Settings(SettingsError),
    /// Root cannot become the server's user.
    User(ConfineError),
    /// The root cannot be opened.
    Root { path: PathBuf, error: io::Error },
    /// No client can have made such a path.
    NoPath { path: String },
    /// The date is none.
    Date { text: String, error: DateError },
    /// Nothing stands there.
    Missing { path: String },
    /// It has expired, and an expired path is never extended.
    Expired { path: String },
    /// It is a file, the root, or a directory that no client made.
    NotStoragePath { path: String },
    /// A path above it expires earlier.
    BeyondAncestor { path: String, ancestor: String, latest_s: i64 },
    /// Its record, or one above it, cannot be read.
    Damaged { path: String, is_own: bool },
    /// The storage failed.
    Storage { path: String, error: StorageError },
    /// The results could not be written.
    Output(io::Error),
}

impl OperatorError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Settings(_) | Self::Date { .. } | Self::NoPath { .. } => Exit::Usage,
            Self::User(_) | Self::Root { .. } | Self::Output(_) | Self::Storage { .. } => Exit::LocalFile,
            Self::Missing { .. } => Exit::NoSuchPath,
            Self::Expired { .. } => Exit::PathExpired,
            Self::NotStoragePath { .. } | Self::BeyondAncestor { .. } | Self::Damaged { .. } => Exit::Refused,
        }
    }

    pub(super) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for OperatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(error) => error.fmt(f),
            Self::User(error) => error.fmt(f),
            Self::Root { path, error } => {
                writeln!(f, "the root {} cannot be opened: {error}", path.display())?;
                f.write_str("hint: name the server's root with --root, or its settings file with --config")
            }
            Self::NoPath { path } => write!(f, "no client can have made a path such as {}", shown(path)),
            Self::Date { text, error } => {
                writeln!(f, "{}: {error}", shown(text))?;
                f.write_str("hint: 2030-12-24, 2030-12-24T18:30:00+01:00, 20301224173000, 90m, 12h, 7d or P7D")
            }
            Self::Missing { path } => {
                write!(f, "there is no {}\nhint: `paths` lists what there is", shown(path))
            }
            Self::Expired { path } => {
                write!(f, "{} has expired, and an expired path is never extended", shown(path))
            }
            Self::NotStoragePath { path } => {
                write!(f, "{} is no storage path: no client made it as a directory", shown(path))
            }
            Self::BeyondAncestor { path, ancestor, latest_s } => {
                let (path, ancestor, latest) = (shown(path), shown(ancestor), date::rfc3339(*latest_s));
                writeln!(f, "{path} cannot live longer than {ancestor}, which expires at {latest}")?;
                write!(f, "hint: `paths extend {ancestor} DATE` first")
            }
            Self::Damaged { path, is_own: true } => {
                writeln!(f, "the record of {} cannot be read, and nothing is decided on it", shown(path))?;
                f.write_str("hint: --replace-damaged writes a new one in its place")
            }
            Self::Damaged { path, is_own: false } => {
                write!(f, "the record of a path above {} cannot be read\nhint: `fsck` tells which", shown(path))
            }
            Self::Storage { path, error } => write!(f, "{}: the storage failed: {error:?}", shown(path)),
            Self::Output(error) => write!(f, "the results cannot be written: {error}"),
        }
    }
}

impl error::Error for OperatorError {}

impl From<SettingsError> for OperatorError {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error)
    }
}

impl From<io::Error> for OperatorError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
