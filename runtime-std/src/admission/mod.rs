//! Who is let in: counts sessions in all and per address, remembers who has guessed passwords, hands out session numbers
//! and the settings in force.

mod address;
mod failures;
mod memory;
mod names;
mod rules;
mod told;
mod visits;

pub(crate) use address::counted;
pub use rules::Rules;

use crate::passive::{self, Again, LookUp, PassiveHost};
use crate::proxy;
use crate::settings::ServeOptions;
use crate::tls::TlsServer;
use failures::Failures;
use mayfly_core::action::Note;
use mayfly_core::event::Admission;
use mayfly_core::network::{Network, PassiveAddress};
use mayfly_core::record::ANONYMOUS;
use mayfly_core::settings::Settings;
use mayfly_core::time::Now;
use memory::Remembered;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use told::Told;
use tracing::warn;
use visits::Visits;

/// The gate that every control connection of a server comes through. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Mutex<State>>);

/// What a control connection gets at the gate.
#[derive(Debug)]
pub struct Entry {
    /// Its number in the logs: 1, 2, 3 and so on.
    pub session: u64,
    /// For the session's first event.
    pub admission: Admission,
    /// For the same: how many logins have failed from its address of late.
    pub failed_logins: u32,
    /// Its place among the counted; none where it is not welcome. Drop it before the last reply goes out, so that a peer
    /// that has seen its session end finds room for the next.
    pub permit: Option<Permit>,
    /// What the session obeys.
    pub settings: Arc<Settings>,
    /// The certificate and all else that the session's TLS needs.
    pub tls: Option<TlsServer>,
    /// Whose connections begin with a PROXY header.
    pub proxies: Arc<[Network]>,
}

/// A place among the counted sessions; free again once dropped.
#[derive(Debug)]
pub struct Permit {
    gate: Gate,
    /// As it is counted.
    address: IpAddr,
    /// No bound on an address holds for it.
    is_trusted: bool,
}

/// A place among the connections of proxies whose header has not come yet; free again once dropped.
#[derive(Debug)]
pub struct Awaited(Gate);

#[derive(Debug)]
struct State {
    settings: Arc<Settings>,
    tls: Option<TlsServer>,
    proxies: Arc<[Network]>,
    headers_awaited: usize,
    /// Those of its settings that stand whatever the names stand for.
    fixed_addresses: Vec<PassiveAddress>,
    passive_hosts: Vec<PassiveHost>,
    look_up: LookUp,
    /// Looks names up again; none where there never was one.
    again: Option<Again>,
    max_sessions: usize,
    max_sessions_per_address: usize,
    rules: Rules,
    closed: bool,
    /// Whether the last that came found no room.
    full: bool,
    last_session: u64,
    sessions: usize,
    by_address: HashMap<IpAddr, usize>,
    visits: Remembered<Visits>,
    failures: Failures,
    told: Told,
}

impl Gate {
    /// An open gate that obeys these options. The names among them are looked up first, where that does not take long.
    #[must_use]
    pub fn new(options: &ServeOptions) -> Self {
        Self::with_look_up(options, passive::by_system)
    }

    fn with_look_up(options: &ServeOptions, look_up: LookUp) -> Self {
        warn_of(options);
        let gate = Self::without_names(options, look_up);
        if !options.passive_hosts.is_empty() {
            let (done, first) = channel();
            gate.look_up_again(&options.passive_hosts, done);
            if first.recv_timeout(passive::FIRST_LOOK_UP_MAX).is_err() {
                warn!(
                    "passive_address is not looked up yet; until it is, PASV says the control connection's own address"
                );
            }
        }
        gate
    }

    fn without_names(options: &ServeOptions, look_up: LookUp) -> Self {
        Self(Arc::new(Mutex::new(State {
            settings: Arc::new(options.session.clone()),
            tls: options.tls.clone(),
            proxies: options.proxy_from.clone().into(),
            headers_awaited: 0,
            fixed_addresses: options.session.passive_addresses.clone(),
            passive_hosts: options.passive_hosts.clone(),
            look_up,
            again: None,
            max_sessions: options.max_sessions,
            max_sessions_per_address: options.max_sessions_per_address,
            rules: options.door.clone(),
            closed: false,
            full: false,
            last_session: 0,
            sessions: 0,
            by_address: HashMap::new(),
            visits: Remembered::new(VISITORS_MAX),
            failures: Failures::new(),
            told: Told::new(),
        })))
    }

    /// Puts these options in force for whoever comes from now on.
    pub fn reload(&self, options: &ServeOptions) {
        warn_of(options);
        let mut state = self.state();
        // What the names stood for goes on to be said until they are looked up again.
        let said = state.settings.passive_addresses.clone();
        let of_names =
            said.into_iter().filter(|said| options.passive_hosts.iter().any(|host| host.clients == said.clients));
        let of_names: Vec<PassiveAddress> = of_names.collect();
        state.settings = Arc::new(options.session.clone());
        state.tls.clone_from(&options.tls);
        state.proxies = options.proxy_from.clone().into();
        state.fixed_addresses.clone_from(&options.session.passive_addresses);
        state.passive_hosts.clone_from(&options.passive_hosts);
        state.say(of_names);
        state.max_sessions = options.max_sessions;
        state.max_sessions_per_address = options.max_sessions_per_address;
        state.rules.clone_from(&options.door);
        let looks_up = state.again.is_some() || !options.passive_hosts.is_empty();
        drop(state);
        if looks_up {
            self.look_up_again(&options.passive_hosts, channel().0);
        }
    }

    /// Lets nobody in from now on: the server shuts down.
    pub fn close(&self) {
        self.state().closed = true;
    }

    /// Counts a control connection from `peer` in, where it is welcome and there is room.
    #[must_use]
    pub fn enter(&self, peer: IpAddr, now: Now) -> Entry {
        let mut state = self.state();
        let address = address::counted(peer, state.rules.ipv6_prefix_bits);
        let is_trusted = state.rules.trust(peer);
        state.last_session += 1;
        let admission = state.judge(peer, address, now);
        state.tell(address, admission, now);
        let permit = (admission == Admission::Welcome).then(|| {
            state.sessions += 1;
            *state.by_address.entry(address).or_default() += 1;
            Permit { gate: self.clone(), address, is_trusted }
        });
        let failed_logins = if is_trusted { 0 } else { state.failures.recent(address, now.monotonic_ms, &state.rules) };
        let (settings, proxies) = (Arc::clone(&state.settings), Arc::clone(&state.proxies));
        let tls = state.tls.clone();
        Entry { session: state.last_session, admission, failed_logins, permit, settings, tls, proxies }
    }

    /// Whether a connection from this address begins with a PROXY header.
    #[must_use]
    pub fn is_proxy(&self, address: IpAddr) -> bool {
        proxy::is_proxy(&self.state().proxies, address)
    }

    /// Counts the connection of a proxy in until its header has come. None where too many are without: it is to be
    /// closed.
    #[must_use]
    pub fn await_header(&self) -> Option<Awaited> {
        let mut state = self.state();
        let has_room = !state.closed && state.headers_awaited < state.rules.headers_awaited_max;
        has_room.then(|| {
            state.headers_awaited += 1;
            Awaited(self.clone())
        })
    }

    /// How many sessions are counted in now.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.state().sessions
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No step under the lock leaves the counts half done, so a panic elsewhere does not spoil them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// `address` is how `peer` is counted. Whoever is turned away for another reason has not connected too often.
    fn judge(&mut self, peer: IpAddr, address: IpAddr, now: Now) -> Admission {
        let is_trusted = self.rules.trust(peer);
        let from_address = self.by_address.get(&address).copied().unwrap_or_default();
        let full = |count: usize, max: usize| max != 0 && count >= max;
        if self.closed {
            Admission::ShuttingDown
        } else if !self.rules.admit(peer) {
            Admission::Denied
        } else if !is_trusted && self.failures.is_banned(address, now.monotonic_ms) {
            Admission::Banned
        } else if full(self.sessions, self.max_sessions) {
            Admission::TooManySessions
        } else if !is_trusted && full(from_address, self.max_sessions_per_address) {
            Admission::TooManyFromAddress
        } else if !is_trusted && !self.visits.touch(address).count(now.monotonic_ms, self.rules.connections_per_minute)
        {
            Admission::TooOften
        } else {
            Admission::Welcome
        }
    }

    /// Tells the log of whom it turns away.
    fn tell(&mut self, address: IpAddr, admission: Admission, now: Now) {
        let is_full = admission == Admission::TooManySessions;
        if is_full && !self.full {
            // Once, until there is room again, whoever it is that finds none.
            warn!(%address, ?admission, sessions = self.sessions, "no room for a session");
        }
        self.full = is_full;
        if !matches!(admission, Admission::Welcome | Admission::TooManySessions | Admission::ShuttingDown) {
            self.told.tell(address, admission, now.monotonic_ms);
        }
    }
}

impl Permit {
    /// Hears what its session notes: failed logins count for whoever comes from the same address.
    pub fn hear(&self, note: &Note, now: Now) {
        if self.is_trusted || !matches!(note, Note::LoginFailed { .. }) {
            return;
        }
        let mut state = self.gate.state();
        let State { failures, rules, .. } = &mut *state;
        if failures.count(self.address, now.monotonic_ms, rules) {
            let for_s = rules.ban_ms / 1000;
            warn!(address = %self.address, for_s, "banned: too many logins have failed");
        }
    }

    /// Whether a password may be checked for it: nobody goes on guessing over a connection that was there before the ban.
    #[must_use]
    pub fn may_log_in(&self, now: Now) -> bool {
        self.is_trusted || !self.gate.state().failures.is_banned(self.address, now.monotonic_ms)
    }
}

/// What the operator may not have meant.
fn warn_of(options: &ServeOptions) {
    for warning in options.tls.iter().flat_map(TlsServer::warnings) {
        warn!("{warning}");
    }
    if options.session.fxp_users.iter().any(|user| user == ANONYMOUS) {
        warn!("fxp_users names anonymous: anybody may have this server connect to other hosts, from port 1024 on");
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.headers_awaited = state.headers_awaited.saturating_sub(1);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.sessions = state.sessions.saturating_sub(1);
        if let Some(count) = state.by_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.by_address.remove(&self.address);
            }
        }
    }
}

/// Addresses whose new connections are counted: 1 MiB of memory at most.
const VISITORS_MAX: usize = 10_000;

#[cfg(test)]
mod tests;
