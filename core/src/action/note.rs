//! What a session notes for the log.

use super::{Direction, is_default};
use crate::error::TlsError;
use crate::event::TlsInfo;
use crate::path::VirtualPath;
use alloc::string::String;
use core::net::SocketAddr;
use serde::{Deserialize, Serialize};

/// The command that a note tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedCommand {
    /// Its name as the command table has it: `STOR`, `SITE EXPIRY`.
    pub name: String,
    /// The code of its final reply, 0 for the seed's `000`; none: it is still being carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// How long it took until then, milliseconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub took_ms: u64,
}

/// How a user proved to be one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LoginMethod {
    /// By a password.
    #[default]
    Password,
    /// By the certificate that the control connection's handshake verified.
    Certificate,
    /// Not at all: anybody may be the anonymous user.
    Anonymous,
}

/// What an operator wants to read in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// A login succeeded.
    LoggedIn {
        /// The user.
        user: String,
        /// How it was proved.
        #[serde(default, skip_serializing_if = "is_default")]
        method: LoginMethod,
    },
    /// Nobody is logged in any more, and the connection stays (REIN).
    LoggedOut,
    /// A connection is secured with TLS.
    Secured {
        /// Whether it is a data connection; else the control connection.
        data: bool,
        /// How.
        tls: TlsInfo,
    },
    /// TLS could not be had on a connection.
    NotSecured {
        /// Whether it is a data connection; else the control connection.
        data: bool,
        /// Why.
        error: TlsError,
    },
    /// A login failed.
    LoginFailed {
        /// The user as named by the peer.
        user: String,
    },
    /// A transfer ended.
    Transferred {
        /// Which way.
        direction: Direction,
        /// The file.
        path: VirtualPath,
        /// Bytes over the data connection.
        wire_bytes: u64,
        /// Bytes of the file that these stood for, where they were translated or deflated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file_bytes: Option<u64>,
        /// Whether its line ends were translated (TYPE A).
        #[serde(default, skip_serializing_if = "is_default")]
        ascii: bool,
        /// How long it took, milliseconds.
        took_ms: u64,
        /// The final reply's code: 226, or why not.
        code: u16,
    },
    /// A directory or a file was listed over a data connection that got its 150.
    Listed {
        /// What was listed.
        path: VirtualPath,
        /// Bytes over the data connection.
        wire_bytes: u64,
        /// How long it took, milliseconds.
        took_ms: u64,
        /// The final reply's code: 226, or why not.
        code: u16,
    },
    /// Every byte of a file, or of a part of it, was read for an answer on the control connection (HASH and its like).
    Hashed {
        /// The file.
        path: VirtualPath,
    },
    /// Parts became one file (COMB).
    Combined {
        /// The file.
        path: VirtualPath,
        /// Bytes that came from the parts.
        bytes: u64,
    },
    /// Times or permission bits were set (MFMT, MFCT, MFF, MDTM, SITE UTIME, SITE CHMOD).
    FactsSet {
        /// The file or directory.
        path: VirtualPath,
        /// The facts, as MFF writes them.
        facts: String,
    },
    /// The maker of a path asked for its token (SITE TOKEN). The token itself is in no log.
    TokenTold {
        /// The storage path.
        path: VirtualPath,
    },
    /// Somebody has shown a path's token (SITE CLAIM).
    Claimed {
        /// The storage path.
        path: VirtualPath,
    },
    /// A command that reads or changes something was not carried out, whether for want of a right, of a path or of room.
    Refused {
        /// What it asked for: the path that it means, or as the peer wrote it where that is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// What the peer was told.
        reason: String,
    },
    /// The peer wanted a data connection made to where none of its business is (PORT, EPRT): a bounce (RFC 2577 3).
    AddressRefused {
        /// Where to.
        address: SocketAddr,
    },
    /// An expiry was set.
    ExpirySet {
        /// The storage path.
        path: VirtualPath,
        /// UTC seconds; none: never.
        expiry_s: Option<i64>,
    },
    /// A directory was made (MKD).
    Made {
        /// The directory.
        path: VirtualPath,
    },
    /// A file or a directory was removed (DELE, RMD, the parts of COMB).
    Removed {
        /// What was removed.
        path: VirtualPath,
    },
    /// A file or a directory has another name (RNTO).
    Renamed {
        /// What it was called.
        from: VirtualPath,
        /// What it is called.
        to: VirtualPath,
    },
    /// A command's turn has come; only with `note_dialogue`.
    Asked {
        /// What the client sent, passwords and tokens hidden; of a line in a wrong form the command's name alone; of an
        /// unknown one its first word, where that looks like a command's name and no password is due.
        command: String,
    },
    /// A reply was sent; only with `note_dialogue`.
    Answered {
        /// Its code; 0 for the seed's `000`.
        code: u16,
        /// Its first line and its detail; nothing with 213, which may be a token.
        text: String,
    },
    /// The client says who it is (CLNT, CSID).
    ClientNamed {
        /// As the peer wrote it.
        name: String,
    },
    /// The session ends for this reason.
    Ending {
        /// Why, in a word or two: `quit`, `closed by peer`, `idle`, `too many logins`, `shut down`.
        reason: String,
    },
}

impl Note {
    /// Whether it tells what came of a command; of each command at least one such note is taken.
    pub(crate) fn is_outcome(&self) -> bool {
        !matches!(
            self,
            Self::Asked { .. }
                | Self::Answered { .. }
                | Self::Secured { .. }
                | Self::NotSecured { .. }
                | Self::ClientNamed { .. }
                | Self::Ending { .. }
        )
    }
}
