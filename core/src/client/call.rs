//! The calls: the seed's five, and the look at a directory or tree that one needs before it is fetched; and what a
//! caller may set about them.
//!
//! # Trees
//! - **Up**: one [`Call::Upload`] whose `files` are relative paths (`a/b/1.png`). Every directory above a file, and every
//!   one of `directories` (so the empty ones come along), is made below the storage path before the first file.
//! - **Down**: one [`Call::List`] with `recursive` tells what there is. Then one [`Call::Download`] with `tree` brings it:
//!   all of it, or the `files` that it names by the relative paths of the list.
//! - **Several at once**: as many clients, each with its share of `files`. The first makes the storage path and all its
//!   directories, in an upload without files; after that each, the first too, sends its shares with the path as
//!   [`Standing`] and the `token` that the first one's [`Uploaded`](super::summary::Uploaded) holds.

use crate::record::Token;
use crate::wire::command::Secret;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What a caller asks for (seed: connect, upload, download, view, quit).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Call {
    /// Connect and log in. The first call.
    Connect(Connect),
    /// Make a storage path, date it, and put files into it.
    Upload(UploadOrder),
    /// Fetch files out of a storage path.
    Download(DownloadOrder),
    /// List a storage path.
    View {
        /// The path; empty for the directory that one logs in to.
        storage_path: String,
    },
    /// Give a storage path that is there a new date; one that has come takes it back.
    Redate(RedateOrder),
    /// List a directory, or the tree below it, and read what the server lists.
    List(ListOrder),
    /// Say good-bye. The last call.
    Quit,
}

/// Where to connect, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    /// A name or an address.
    pub host: String,
    /// The port; 21 by default.
    pub port: u16,
    /// The user; `anonymous` for nobody in particular.
    pub user: String,
    /// The password; for `anonymous` anything.
    pub password: Secret,
    /// What ACCT says, where the server asks for it (332).
    #[serde(default)]
    pub account: Option<Secret>,
    /// Whether one try is enough, for another connection does the work meanwhile.
    #[serde(default)]
    pub once: bool,
    /// How the connections are secured.
    #[serde(default, skip_serializing_if = "Tls::is_none")]
    pub tls: Tls,
}

/// How a session is secured with TLS: all of it, or none. What was asked for is never given up for less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tls {
    /// Not at all.
    #[default]
    None,
    /// AUTH TLS before the login (RFC 4217 4), and every data connection with PROT P (RFC 4217 9).
    Explicit,
    /// TLS before the greeting, on a port of its own (990 by custom), and every data connection with PROT P.
    Implicit,
}

impl Tls {
    /// Whether nothing is secured.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// What an upload is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadOrder {
    /// The path to make, as the server shall understand it: absolute, or seen from the directory of the login.
    pub storage_path: String,
    /// The names that the files shall have there, in order: single names, or paths below the storage path (`a/b/1.png`).
    /// The driver knows what stands behind each.
    pub files: Vec<String>,
    /// Directories to make below the storage path, whether or not a file stands in them (`a/empty`). Those above the
    /// `files` and above each other are made in any case; one that is there already is as good as made.
    #[serde(default)]
    pub directories: Vec<String>,
    /// When the path shall expire, in a form that the server reads (DESIGN 4); none: as the server has it.
    pub expiry_date: Option<String>,
    /// Whether to add to a path that is there already, whose date is left alone. Where there is none, or it has expired,
    /// it is made with the `expiry_date`; without one nothing is made and nothing sent.
    pub add: bool,
    /// What proves to the server that the path to add to was made by the same caller, over another connection.
    #[serde(default)]
    pub token: Option<Token>,
    /// How the path stands, where an upload before has seen to it: then only the files are sent, and neither it nor any
    /// directory is made or dated.
    #[serde(default)]
    pub standing: Option<Standing>,
}

/// How a storage path stands that an upload before has seen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// It was made for this: no file stands in it that is not the caller's own.
    Made,
    /// It was there: what is in it already is looked at before it is sent.
    Found,
}

/// What a download is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadOrder {
    /// The path; empty for the directory that one logs in to.
    pub storage_path: String,
    /// The files to fetch, as paths below the storage path; none: all that the path holds.
    pub files: Vec<String>,
    /// Whether a file keeps its path: the sink of `a/b/1.png` is `a/b/1.png`, and without `files` all of the tree is
    /// fetched. Else its sink is `1.png`, and without `files` what stands right in the storage path is fetched.
    #[serde(default)]
    pub tree: bool,
}

/// Which storage path gets a new date.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedateOrder {
    /// The path.
    pub storage_path: String,
    /// When it shall expire, in a form that the server reads (DESIGN 4).
    pub expiry_date: String,
    /// What proves that the caller made the path; a named user needs none for what is theirs.
    #[serde(default)]
    pub token: Option<Token>,
}

/// What is to be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListOrder {
    /// The directory; empty for the one that one logs in to.
    pub path: String,
    /// Whether all directories below it are listed too. No link is followed.
    #[serde(default)]
    pub recursive: bool,
}

/// What a caller may set. One value serves all calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSettings {
    /// Whether the server connects to the client (PORT, EPRT), with the seed's commands in the seed's order. Else EPSV
    /// is tried, then PASV, then PORT or EPRT.
    pub active: bool,
    /// How often what broke is tried again without any headway in between.
    pub retries_max: u32,
    /// Whether the very first connection is tried again too. What never worked is more often a wrong address than a
    /// passing trouble.
    #[serde(default)]
    pub retry_first: bool,
    /// The pause before the first retry, milliseconds; it doubles with each further one.
    pub back_off_ms: u64,
    /// The longest pause, milliseconds.
    pub back_off_ms_max: u64,
    /// Time for a control or data connection to be made, milliseconds.
    pub connect_ms_max: u64,
    /// Time for a reply to come, milliseconds.
    pub reply_ms_max: u64,
    /// Time in which a transfer moves no byte, milliseconds.
    pub stall_ms_max: u64,
    /// Time for the reply that ends a transfer, in which the server brings the file to its disk, milliseconds.
    pub completion_ms_max: u64,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            active: false,
            retries_max: 5,
            retry_first: false,
            back_off_ms: 500,
            back_off_ms_max: 30_000,
            connect_ms_max: 30_000,
            reply_ms_max: 60_000,
            stall_ms_max: 60_000,
            completion_ms_max: 600_000,
        }
    }
}
