//! Why a process cannot be confined as asked.

use rustix::io::Errno;
use std::path::PathBuf;
use std::{error, fmt, io};

/// Why a process could not be confined. Its text ends with what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfineError {
    /// There is no such user or group.
    UnknownUser {
        /// What was asked for.
        name: String,
        /// What is missing.
        missing: &'static str,
    },
    /// Only root may become somebody else.
    NotRoot {
        /// Whom to become.
        name: String,
    },
    /// Other threads run already, and would stay unconfined.
    Threads {
        /// How many there are in all.
        count: usize,
    },
    /// What is required is not to be had on this host.
    Missing {
        /// What.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// What a reload would read cannot be read any more.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// What is opened anew when the log is turned over cannot be written to any more.
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The system refused a step.
    Step {
        /// Which one.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

impl ConfineError {
    pub(super) fn during(what: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self::Step { what, error: errno.into() }
    }
}

impl fmt::Display for ConfineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownUser { name, missing } => {
                write!(f, "cannot become {name}: this host has no such {missing}")?;
                f.write_str("\nhint: make one (useradd --system mayfly), or give numbers, as in --user 65534:65534")
            }
            Self::NotRoot { name } => {
                write!(f, "cannot become {name}: only root can")?;
                f.write_str("\nhint: start as root, or as that user and without --user")
            }
            Self::Threads { count } => {
                write!(f, "cannot confine a process of {count} threads: those that run already would escape")
            }
            Self::Missing { what, why } => {
                write!(f, "{what} is required, and this host lacks it: {why}\nhint: --{what} auto does without")
            }
            Self::Unreadable { path, error } => {
                write!(f, "a reload could not read {}: {error}", path.display())?;
                f.write_str(
                    "\nhint: let the user that the server runs as read it, as in chgrp mayfly FILE; chmod 0640 FILE",
                )?;
                f.write_str("; and enter the directories above it")
            }
            Self::Unwritable { path, error } => {
                write!(f, "the log {} could not be opened anew: {error}", path.display())?;
                f.write_str(match error.kind() {
                    io::ErrorKind::NotFound => {
                        "\nhint: its directory must stand, and belong to the user that the server runs as"
                    }
                    _ => "\nhint: give it to the user that the server runs as, as in chown mayfly FILE",
                })
            }
            Self::Step { what, error } => write!(f, "confining failed at {what}: {error}"),
        }
    }
}

impl error::Error for ConfineError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } | Self::Unwritable { error, .. } | Self::Step { error, .. } => Some(error),
            _ => None,
        }
    }
}
