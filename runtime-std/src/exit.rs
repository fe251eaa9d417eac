//! The exit codes of both binaries. Scripts rely on them: none ever changes its meaning.
//!
//! Where several things failed, as in a tree, it is 8 if anything came over, else the code of the first failure; a full
//! disk (9), an expired path (6) and a signal (130) are told as such in any case. What passes by itself (3, 8, 9, 12) is
//! only told once `--retries` tries have failed.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Exit {
    /// All is done.
    Done = 0,
    /// The server could not start, or could not go on.
    CannotServe = 1,
    /// A flag, argument or setting is wrong: clap's own code.
    Usage = 2,
    /// The server could not be reached, or a data connection to it could not be made, or it closed the connection.
    CannotConnect = 3,
    /// The server refused the login; or there is no password and nobody to ask for it.
    LoginRefused = 4,
    /// There is no such path or file.
    NoSuchPath = 5,
    /// The storage path has expired.
    PathExpired = 6,
    /// The server refused a command; or the path is there already, or its date is not taken.
    Refused = 7,
    /// A transfer broke off and could not be resumed, or only some of several files came over.
    PartialTransfer = 8,
    /// The server's disk is full, or a quota is used up.
    NoSpace = 9,
    /// A local file could not be read or written, a `.netrc` too.
    LocalFile = 10,
    /// TLS failed.
    Tls = 11,
    /// The server took longer than `--timeout`.
    TimedOut = 12,
    /// The server said what the protocol does not allow.
    Protocol = 13,
    /// `fsck` found what is not as it should be, and did not mend all of it.
    Findings = 14,
    /// A signal interrupted it.
    Interrupted = 130,
}

impl Exit {
    /// Each of them, in order.
    pub const ALL: [Self; 16] = [
        Self::Done,
        Self::CannotServe,
        Self::Usage,
        Self::CannotConnect,
        Self::LoginRefused,
        Self::NoSuchPath,
        Self::PathExpired,
        Self::Refused,
        Self::PartialTransfer,
        Self::NoSpace,
        Self::LocalFile,
        Self::Tls,
        Self::TimedOut,
        Self::Protocol,
        Self::Findings,
        Self::Interrupted,
    ];

    /// The number that the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::CannotServe => "the server cannot start or go on",
            Self::Usage => "wrong flag, argument or setting",
            Self::CannotConnect => "cannot connect",
            Self::LoginRefused => "login refused",
            Self::NoSuchPath => "no such path",
            Self::PathExpired => "path expired",
            Self::Refused => "refused",
            Self::PartialTransfer => "partial transfer",
            Self::NoSpace => "disk or quota full",
            Self::LocalFile => "local file error",
            Self::Tls => "TLS failed",
            Self::TimedOut => "time-out",
            Self::Protocol => "protocol error",
            Self::Findings => "findings left",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The list of exit codes, for `--help`.
#[must_use]
pub fn help() -> String {
    Exit::ALL.iter().fold("Exit codes:\n".to_owned(), |mut text, exit| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:>3}  {}", exit.code(), exit.meaning());
        text
    })
}
