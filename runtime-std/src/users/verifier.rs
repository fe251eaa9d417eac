//! Checks logins for both drivers.

use super::pool::{Bounds, Pending, Pool};
use super::{Attempt, Users};
use crate::admission;
use crate::settings::ServeOptions;
use crate::storage::Storage;
use mayfly_core::action::Proof;
use mayfly_core::error::{LoginError, StorageError};
use mayfly_core::record::FileKind;
use mayfly_core::user::Account;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::{error, warn};
use zeroize::Zeroize as _;

/// Checks logins against the named users in force, in threads of its own. Clones are the same.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    pool: Pool,
    storage: Arc<dyn Storage>,
    in_force: Mutex<InForce>,
}

#[derive(Clone)]
struct InForce {
    users: Arc<Users>,
    bounds: Bounds,
}

impl Verifier {
    /// Checks logins as these options say, and makes homes in that storage.
    #[must_use]
    pub fn new(options: &ServeOptions, storage: Arc<dyn Storage>) -> Self {
        Self(Arc::new(Inner { pool: Pool::default(), storage, in_force: Mutex::new(InForce::of(options)) }))
    }

    /// Puts these options in force for the logins to come.
    pub fn reload(&self, options: &ServeOptions) {
        *self.0.in_force.lock().unwrap_or_else(PoisonError::into_inner) = InForce::of(options);
        self.provide_homes();
    }

    /// Makes the homes that are missing. To be called once before the first client comes, and as whom the server runs.
    pub fn provide_homes(&self) {
        let users = Arc::clone(&self.0.in_force.lock().unwrap_or_else(PoisonError::into_inner).users);
        users.provide_homes(self.0.storage.as_ref());
    }

    /// Has a login checked. `LoginError::Busy` where too many are being checked already, and of visitors none has more
    /// than this one.
    #[must_use]
    pub fn verify(&self, user: String, proof: Proof, peer: IpAddr) -> Pending {
        let InForce { users, bounds } = self.0.in_force.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let storage = Arc::clone(&self.0.storage);
        let proof = Wiped(proof);
        let work = move || users.admit(Attempt { user: &user, proof: &proof.0, peer }, storage.as_ref());
        self.0.pool.submit(Box::new(work), bounds, admission::counted(peer, VISITOR_PREFIX_BITS))
    }
}

impl InForce {
    fn of(options: &ServeOptions) -> Self {
        let nobody = || Arc::new(Users::none(Path::new("")));
        let users = options.users.clone().unwrap_or_else(nobody);
        for name in options.session.fxp_users.iter().filter(|name| users.find(name).is_none()) {
            warn!(user = name, "fxp_users names somebody who is not in the users file");
        }
        Self { users, bounds: Bounds { threads: options.login_threads, queue: options.login_queue } }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("pool", &self.0.pool).finish_non_exhaustive()
    }
}

impl Users {
    /// Makes the homes that are missing, before anybody else takes their names: who makes a directory owns it.
    pub fn provide_homes(&self, storage: &dyn Storage) {
        for user in self.iter() {
            // A login tells as well.
            let _ = provide_home(storage, &user.account);
        }
    }

    /// Who that is, with a home to begin in. Takes as long as a password's hash, whatever comes of it.
    ///
    /// # Errors
    /// [`LoginError::Refused`]; [`LoginError::Failed`], where the home cannot be had.
    pub fn admit(&self, attempt: Attempt<'_>, storage: &dyn Storage) -> Result<Box<Account>, LoginError> {
        let account = self.log_in(attempt)?;
        provide_home(storage, &account)?;
        Ok(Box::new(account))
    }
}

/// A home that is missing is made. One in somebody else's storage path would be theirs to read and to remove.
fn provide_home(storage: &dyn Storage, account: &Account) -> Result<(), LoginError> {
    let (user, home) = (&account.name, &account.home);
    let failed = |error: StorageError| {
        error!(user, %home, ?error, "a user's home cannot be had");
        LoginError::Failed
    };
    let state = storage.check(home).map_err(failed)?;
    if let Some(at) = state.records.iter().find(|at| at.record.owner != *user) {
        error!(user, %home, owner = at.record.owner, "a user's home lies in somebody else's storage path");
        return Err(LoginError::Failed);
    }
    match state.target {
        Some(info) if info.kind == FileKind::Directory => Ok(()),
        Some(_) => Err(failed(StorageError::NotDirectory)),
        None => storage.make_home(home).map_err(failed),
    }
}

/// What is shown, and wiped once nobody needs it any more.
struct Wiped(Proof);

impl Drop for Wiped {
    fn drop(&mut self) {
        if let Proof::Password { password } = &mut self.0 {
            password.0.zeroize();
        }
    }
}

/// An IPv6 network of that size is one visitor's (RFC 6177 2).
const VISITOR_PREFIX_BITS: u8 = 64;
