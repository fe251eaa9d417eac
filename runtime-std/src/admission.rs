//! Who is let in: counts sessions in all and per address, hands out session numbers and the settings in force.

use crate::passive::{self, Again, LookUp, Names, PassiveHost};
use crate::proxy;
use crate::settings::ServeOptions;
use crate::tls::TlsServer;
use mayfly_core::event::Admission;
use mayfly_core::network::{Network, PassiveAddress};
use mayfly_core::record::ANONYMOUS;
use mayfly_core::settings::Settings;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::warn;

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
    address: IpAddr,
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
    closed: bool,
    /// Whether the last that came found no room.
    full: bool,
    last_session: u64,
    sessions: usize,
    by_address: HashMap<IpAddr, usize>,
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
            closed: false,
            full: false,
            last_session: 0,
            sessions: 0,
            by_address: HashMap::new(),
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
        let looks_up = state.again.is_some() || !options.passive_hosts.is_empty();
        drop(state);
        if looks_up {
            self.look_up_again(&options.passive_hosts, channel().0);
        }
    }

    /// Has these names looked up now, and from time to time for as long as the gate stands; tells when it is `done`.
    fn look_up_again(&self, hosts: &[PassiveHost], done: Sender<()>) {
        let mut state = self.state();
        if state.again.is_none() {
            // A strong one would hold the gate, and the gate the thread, for ever.
            let gate = Arc::downgrade(&self.0);
            let told = move |hosts: &[PassiveHost], said| {
                let Some(gate) = gate.upgrade().map(Self) else { return };
                let mut state = gate.state();
                // Otherwise a reload came in between, and its own look-up follows.
                if state.passive_hosts == hosts {
                    state.say(said);
                }
                // Nobody may wait for it any more.
                let _ = done.send(());
            };
            match Again::start(Names::new(state.look_up), told) {
                Ok(again) => state.again = Some(again),
                Err(error) => return warn!(%error, "passive_address cannot be looked up"),
            }
        }
        if let Some(again) = &state.again {
            again.change(hosts);
        }
    }

    /// Lets nobody in from now on: the server shuts down.
    pub fn close(&self) {
        self.state().closed = true;
    }

    /// Counts a control connection from `peer` in, where there is room.
    #[must_use]
    pub fn enter(&self, peer: IpAddr) -> Entry {
        let address = peer.to_canonical();
        let mut state = self.state();
        state.last_session += 1;
        let admission = state.judge(address);
        let full = matches!(admission, Admission::TooManySessions | Admission::TooManyFromAddress);
        if full && !state.full {
            // Once, until there is room again: a flood of visitors must not become a flood of lines.
            warn!(%peer, ?admission, sessions = state.sessions, "no room for a session");
        }
        state.full = full;
        let permit = (admission == Admission::Welcome).then(|| {
            state.sessions += 1;
            *state.by_address.entry(address).or_default() += 1;
            Permit { gate: self.clone(), address }
        });
        let (settings, proxies) = (Arc::clone(&state.settings), Arc::clone(&state.proxies));
        Entry { session: state.last_session, admission, permit, settings, tls: state.tls.clone(), proxies }
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
        let has_room = !state.closed && state.headers_awaited < proxy::HEADERS_AWAITED_MAX;
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
    /// Has PASV say these, for whoever comes from now on, beside those that stand.
    fn say(&mut self, of_names: Vec<PassiveAddress>) {
        let said = [self.fixed_addresses.clone(), of_names].concat();
        if self.settings.passive_addresses != said {
            let mut settings = Settings::clone(&self.settings);
            settings.passive_addresses = said;
            self.settings = Arc::new(settings);
        }
    }

    fn judge(&self, address: IpAddr) -> Admission {
        let from_address = self.by_address.get(&address).copied().unwrap_or_default();
        let full = |count: usize, max: usize| max != 0 && count >= max;
        if self.closed {
            Admission::ShuttingDown
        } else if full(self.sessions, self.max_sessions) {
            Admission::TooManySessions
        } else if full(from_address, self.max_sessions_per_address) {
            Admission::TooManyFromAddress
        } else {
            Admission::Welcome
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(max_sessions: usize, max_sessions_per_address: usize) -> Gate {
        Gate::new(&ServeOptions { max_sessions, max_sessions_per_address, ..ServeOptions::default() })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_bound_holds_and_a_dropped_permit_makes_room() {
        let gate = gate(3, 2);
        let (one, other) = (address("10.0.0.1"), address("10.0.0.2"));
        let first = gate.enter(one);
        let _second = gate.enter(address("::ffff:10.0.0.1"));
        assert_eq!(gate.enter(one).admission, Admission::TooManyFromAddress);
        let _third = gate.enter(other);
        assert_eq!(gate.enter(other).admission, Admission::TooManySessions);
        drop(first);
        assert_eq!(gate.enter(other).admission, Admission::Welcome);
        assert_eq!(gate.sessions(), 2);
    }

    #[test]
    fn nought_is_no_bound_and_numbers_go_up() {
        let gate = gate(0, 0);
        let held: Vec<_> = (1..=500).map(|_| gate.enter(address("::1"))).collect();
        assert!(held.iter().all(|entry| entry.admission == Admission::Welcome));
        assert_eq!(held.last().map(|entry| entry.session), Some(500));
    }

    #[test]
    fn a_closed_gate_lets_nobody_in_and_a_reload_changes_the_bounds() {
        let gate = gate(1, 0);
        let _held = gate.enter(address("::1"));
        assert_eq!(gate.enter(address("::1")).admission, Admission::TooManySessions);
        gate.reload(&ServeOptions { max_sessions: 2, ..ServeOptions::default() });
        assert_eq!(gate.enter(address("::1")).admission, Admission::Welcome);
        gate.close();
        assert_eq!(gate.enter(address("::1")).admission, Admission::ShuttingDown);
    }

    #[test]
    fn proxies_are_known_in_either_form_until_a_reload_and_few_may_be_silent() {
        let proxy_from = vec!["10.0.0.0/8".parse().unwrap()];
        let gate = Gate::new(&ServeOptions { proxy_from, ..ServeOptions::default() });
        assert!(gate.is_proxy(address("10.1.2.3")) && gate.is_proxy(address("::ffff:10.1.2.3")));
        assert!(!gate.is_proxy(address("11.0.0.1")));
        let mut held: Vec<_> = (0..proxy::HEADERS_AWAITED_MAX).map(|_| gate.await_header().unwrap()).collect();
        assert!(gate.await_header().is_none());
        held.pop();
        held.extend(gate.await_header());
        assert_eq!(held.len(), proxy::HEADERS_AWAITED_MAX);
        gate.reload(&ServeOptions::default());
        assert!(!gate.is_proxy(address("10.1.2.3")));
        held.clear();
        gate.close();
        assert!(gate.await_header().is_none());
    }

    #[test]
    fn names_are_looked_up_at_start_and_after_a_reload() {
        let host = |clients: &str, name: &str| PassiveHost { clients: clients.parse().unwrap(), name: name.to_owned() };
        let look_up: LookUp = |name| name.parse().map_err(|_| std::io::ErrorKind::NotFound.into());
        let mut options =
            ServeOptions { passive_hosts: vec![host("0.0.0.0/0", "192.0.2.1")], ..ServeOptions::default() };
        let fixed = PassiveAddress { clients: "10.0.0.0/8".parse().unwrap(), address: None };
        options.session.passive_addresses = vec![fixed];
        let gate = Gate::with_look_up(&options, look_up);
        let said = || gate.state().settings.passive_addresses.iter().map(|said| said.address).collect::<Vec<_>>();
        assert_eq!(said(), [None, "192.0.2.1".parse().ok()]);
        options.passive_hosts = vec![host("0.0.0.0/0", "192.0.2.2")];
        gate.reload(&options);
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while said() != [None, "192.0.2.2".parse().ok()] {
            assert!(std::time::Instant::now() < patience, "{:?}", said());
            std::thread::yield_now();
        }
        options.passive_hosts.clear();
        gate.reload(&options);
        assert_eq!(said(), [None]);
    }
}
