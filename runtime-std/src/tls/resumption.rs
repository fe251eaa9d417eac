//! The TLS sessions of one control connection, which its data connections may resume and nobody else's.

use rustls::server::StoresServerSessions;
use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module. A ticket serves again and again (RFC 8446 C.4 leaves that to the two): a client that uses each but
/// once has those of the control connection, and one that has kept a single one is served as well. Early data, which
/// could be replayed, is never taken.
#[derive(Default)]
pub(super) struct OwnSessions(Mutex<VecDeque<Kept>>);

struct Kept {
    id: Vec<u8>,
    secret: Vec<u8>,
}

impl OwnSessions {
    fn kept(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        // No step under the lock leaves them half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, new: Kept) {
        let mut kept = self.kept();
        kept.retain(|kept| kept.id != new.id);
        kept.push_back(new);
        if kept.len() > KEPT_MAX {
            // The control connection's own came first, and stay: whoever keeps a single one keeps one of these.
            kept.remove(TICKETS);
        }
    }

    fn find(&self, id: &[u8]) -> Option<Vec<u8>> {
        self.kept().iter().find(|kept| kept.id == id).map(|kept| kept.secret.clone())
    }
}

impl StoresServerSessions for OwnSessions {
    fn put(&self, id: Vec<u8>, secret: Vec<u8>) -> bool {
        self.keep(Kept { id, secret });
        true
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        self.find(id)
    }

    fn take(&self, id: &[u8]) -> Option<Vec<u8>> {
        self.find(id)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

/// What a data connection makes of them. Only one that has itself resumed may add to them: otherwise a stranger's full
/// handshake on a data port would give it a session that counts as the control connection's later.
#[derive(Debug)]
pub(super) struct DataSessions {
    own: Arc<OwnSessions>,
    new: Mutex<Vec<Kept>>,
}

impl DataSessions {
    pub(super) fn new(own: Arc<OwnSessions>) -> Self {
        Self { own, new: Mutex::default() }
    }

    /// The handshake is complete; whether it has resumed.
    pub(super) fn settle(&self, resumed: bool) {
        for new in mem::take(&mut *self.new_ones()) {
            if resumed {
                self.own.keep(new);
            }
        }
    }

    fn new_ones(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.new.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoresServerSessions for DataSessions {
    fn put(&self, id: Vec<u8>, secret: Vec<u8>) -> bool {
        self.new_ones().push(Kept { id, secret });
        true
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        self.own.find(id)
    }

    fn take(&self, id: &[u8]) -> Option<Vec<u8>> {
        self.own.find(id)
    }

    /// TLS 1.2 would give a full handshake an id here, in place of the one that the client may resume.
    fn can_cache(&self) -> bool {
        false
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl fmt::Debug for OwnSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sessions", self.kept().len())
    }
}

/// TLS 1.3 tickets that a control connection is given.
pub(super) const TICKETS: usize = 4;
/// Sessions that a control connection keeps, some 300 bytes each and more with a client's certificate in them.
const KEPT_MAX: usize = 8;
