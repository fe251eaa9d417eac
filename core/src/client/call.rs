//! The five calls, and what a caller may set about them.

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
}

/// What an upload is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadOrder {
    /// The path to make, as the server shall understand it: absolute, or seen from the directory of the login.
    pub storage_path: String,
    /// The names that the files shall have there, in order. The driver knows what stands behind each.
    pub files: Vec<String>,
    /// When the path shall expire, in a form that the server reads (DESIGN 4); none: as the server has it.
    pub expiry_date: Option<String>,
    /// Whether to add to a path that is there already, whose date is left alone. Where there is none, or it has expired,
    /// it is made with the `expiry_date`; without one nothing is made and nothing sent.
    pub add: bool,
}

/// What a download is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadOrder {
    /// The path; empty for the directory that one logs in to.
    pub storage_path: String,
    /// The files to fetch; none: all that the path holds.
    pub files: Vec<String>,
}

/// What a caller may set. One value serves all calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSettings {
    /// Whether the server connects to the client (PORT, EPRT), with the seed's commands in the seed's order. Else EPSV
    /// is tried, then PASV, then PORT or EPRT.
    pub active: bool,
    /// How often what broke is tried again without any headway in between.
    pub retries_max: u32,
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
            back_off_ms: 500,
            back_off_ms_max: 30_000,
            connect_ms_max: 30_000,
            reply_ms_max: 60_000,
            stall_ms_max: 60_000,
            completion_ms_max: 600_000,
        }
    }
}
