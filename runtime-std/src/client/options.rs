//! What a client is made with, and whom it connects to.

use super::driver::Watcher;
use super::limit::RateLimit;
use super::tls::TlsSetup;
use crate::clock::{Clock, SystemClock};
use crate::net::CONTROL_PORT;
use mayfly_core::client::call::{ClientSettings, Connect, Tls};
use mayfly_core::record::ANONYMOUS;
use mayfly_core::wire::command::Secret;
use std::sync::Arc;

/// What a client is made with.
pub struct ClientOptions {
    /// Data mode, retries, time-outs.
    pub settings: ClientSettings,
    /// Where it gets its time.
    pub clock: Arc<dyn Clock>,
    /// Who watches its dialogue and its progress.
    pub watch: Option<Watcher>,
    /// How fast it moves files, together with every client that is given the same limit.
    pub limit: Option<RateLimit>,
    /// Whom it trusts, and who it is, where a server is to be secured with TLS; none: the host's list says whom.
    pub tls: Option<TlsSetup>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { settings: ClientSettings::default(), clock: Arc::new(SystemClock), watch: None, limit: None, tls: None }
    }
}

/// A server, and who one is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// A name or an address.
    pub host: String,
    /// The port; 21 by default.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// The account, where the server wants one besides.
    pub account: Option<Secret>,
    /// How the connections are secured.
    pub tls: Tls,
}

impl Server {
    /// Port 21 of this host, as nobody in particular.
    #[must_use]
    pub fn anonymous(host: impl Into<String>) -> Self {
        let password = Secret(ANONYMOUS_PASSWORD.to_owned());
        let (port, user) = (CONTROL_PORT, ANONYMOUS.to_owned());
        Self { host: host.into(), port, user, password, account: None, tls: Tls::None }
    }

    /// The same, secured so: `Tls::Implicit` changes the port to 990 where it was 21.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        let port = if tls == Tls::Implicit && self.port == CONTROL_PORT { IMPLICIT_TLS_PORT } else { self.port };
        Self { port, tls, ..self }
    }
}

impl From<Server> for Connect {
    fn from(server: Server) -> Self {
        let Server { host, port, user, password, account, tls } = server;
        Self { host, port, user, password, account, once: false, tls }
    }
}

/// Where custom has servers listen that begin with TLS (RFC 4217 13).
pub(super) const IMPLICIT_TLS_PORT: u16 = 990;
/// By custom an address for complaints; servers take anything (RFC 1635 3).
const ANONYMOUS_PASSWORD: &str = "mayfly@";
