//! Named users: the file that holds them, who may log in, and the command that changes the file.
//!
//! The file is TOML, with one table a user. `mayfly-std user add NAME --users FILE` writes it; comments and order stay as
//! they are.
//!
//! ```toml
//! [user.anna]
//! password = "$argon2id$v=19$m=19456,t=2,p=1$..." # of `user add` and `user passwd`
//! home = "/home/%u"             # where the session begins, and what ~ means; %u is the name; by default "/"
//! confined = true               # what lies outside the home is as if it were not there; by default, where home is not "/"
//! rights = "all"                # a list of list, read, write, overwrite, delete, rename, expiry; or all (the default), or none
//! quota_bytes = "10GiB"         # of all files in the home; by default "none"
//! quota_files = "none"
//! upload_rate = "1MiB"          # a second; by default "none"
//! download_rate = "none"
//! addresses = ["192.0.2.0/24"]  # networks that the user may come from; by default "any"
//! default_expiry = "7d"         # these three: in place of the settings of the same names; "none" is a bound no more
//! max_expiry = "30d"
//! require_expiry = true
//! certificate = "CN=anna"       # the subject of a client certificate that logs in without a password
//! disabled = false              # true: may not log in
//! ```
//!
//! Whoever has neither `password` nor `certificate` cannot log in at all, so that is an error. Nobody but the file's owner
//! and group may read it, and nobody but its owner write it; otherwise it is refused.

pub(crate) mod command;
mod edit;
mod entry;
mod file;
mod hash;
mod pool;
mod secret;
mod values;
mod verifier;

pub use hash::Hash;
pub use pool::Pending;
pub use verifier::Verifier;

use mayfly_core::action::Proof;
use mayfly_core::error::LoginError;
use mayfly_core::network::Network;
use mayfly_core::record::ANONYMOUS;
use mayfly_core::user::Account;
use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The named users of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users {
    path: PathBuf,
    by_name: BTreeMap<String, User>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What holds for them once they are in.
    pub account: Account,
    /// None: they log in by certificate alone.
    pub password: Option<Hash>,
    /// The subject of their client certificate.
    pub certificate: Option<String>,
    /// Whence they may come; none: from anywhere.
    pub addresses: Option<Vec<Network>>,
    /// They may not log in.
    pub disabled: bool,
}

/// Somebody wants to log in.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The name.
    pub user: &'a str,
    /// What is shown.
    pub proof: &'a Proof,
    /// The client's address.
    pub peer: IpAddr,
}

/// How a password is compared with a hash: [`Hash::is_of`], or in a test what counts its calls.
type Compare = dyn Fn(&Hash, &[u8]) -> bool + Send + Sync;

impl Users {
    /// A file without any.
    pub(crate) fn none(path: &Path) -> Self {
        Self { path: path.to_owned(), by_name: BTreeMap::new() }
    }

    /// The file that they stand in.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.by_name.values()
    }

    /// The user of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&User> {
        self.by_name.get(name)
    }

    /// Who that is. Takes as long as a password's hash, whatever comes of it.
    ///
    /// # Errors
    /// [`LoginError::Refused`]
    pub fn log_in(&self, attempt: Attempt<'_>) -> Result<Account, LoginError> {
        self.log_in_by(attempt, &Hash::is_of)
    }

    /// The same, with this for [`Hash::is_of`].
    fn log_in_by(&self, attempt: Attempt<'_>, is_of: &Compare) -> Result<Account, LoginError> {
        let known = self.find(attempt.user);
        let is_shown = match attempt.proof {
            Proof::Password { password } => {
                let own = known.and_then(|user| user.password.as_ref());
                // Whoever is not known costs the same as whoever is, or the time would tell who is.
                let hash = own.cloned().unwrap_or_else(|| self.dummy(attempt.user));
                let matches = is_of(&hash, password.0.as_bytes());
                matches && own.is_some()
            }
            Proof::Certificate { subject } => {
                known.is_some_and(|user| user.certificate.as_deref() == Some(subject.as_str()))
            }
            _ => false,
        };
        // Only now, for the same reason.
        match known {
            Some(user) if is_shown && user.may_come_from(attempt.peer) => Ok(user.account.clone()),
            _ => Err(LoginError::Refused),
        }
    }

    /// What the password of a name without a hash is compared with: as much work as one of the users', and for one name
    /// always the same one's. So where hashes cost differently, no cost tells that a name is known.
    fn dummy(&self, name: &str) -> Hash {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let hashes: Vec<&Hash> = self.iter().filter_map(|user| user.password.as_ref()).collect();
        let count = u64::try_from(hashes.len()).unwrap_or(u64::MAX);
        let at = KEY.hash_one(name).checked_rem(count).and_then(|at| usize::try_from(at).ok());
        match at.and_then(|at| hashes.get(at)) {
            Some(hash) => hash.dummy(),
            None => Hash::default().dummy(),
        }
    }
}

impl User {
    fn may_come_from(&self, peer: IpAddr) -> bool {
        let is_from = |networks: &Vec<Network>| networks.iter().any(|network| network.contains(peer));
        !self.disabled && self.addresses.as_ref().is_none_or(is_from)
    }
}

/// Whether a user may have that name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_anonymous = name.eq_ignore_ascii_case(ANONYMOUS) || name.eq_ignore_ascii_case("ftp");
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "/\\,\"".contains(c);
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.starts_with(['.', '-'])
        && !name.contains(is_odd)
        && !is_anonymous
}

/// What [`is_name`] wants, as an error tells it.
const NAME_FORM: &str = "a user's name has 1 to 64 bytes, no blank, comma, quote or slash, no dot or dash in front, and is \
     neither \"anonymous\" nor \"ftp\"";
const NAME_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests;
