//! Who is let in: counts sessions in all and per address, hands out session numbers and the settings in force.

use crate::settings::ServeOptions;
use mayfly_core::event::Admission;
use mayfly_core::settings::Settings;
use std::collections::HashMap;
use std::net::IpAddr;
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
}

/// A place among the counted sessions; free again once dropped.
#[derive(Debug)]
pub struct Permit {
    gate: Gate,
    address: IpAddr,
}

#[derive(Debug)]
struct State {
    settings: Arc<Settings>,
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
    /// An open gate that obeys these options.
    #[must_use]
    pub fn new(options: &ServeOptions) -> Self {
        Self(Arc::new(Mutex::new(State {
            settings: Arc::new(options.session.clone()),
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
        let mut state = self.state();
        state.settings = Arc::new(options.session.clone());
        state.max_sessions = options.max_sessions;
        state.max_sessions_per_address = options.max_sessions_per_address;
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
        Entry { session: state.last_session, admission, permit, settings: Arc::clone(&state.settings) }
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
}
