//! What PASV says behind an address translator, where that is a name: looked up at the start and from time to time.

use super::{Gate, State};
use crate::passive::{Again, Names, PassiveHost};
use mayfly_core::network::PassiveAddress;
use mayfly_core::settings::Settings;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use tracing::warn;

impl Gate {
    /// Has these names looked up now, and from time to time for as long as the gate stands; tells when it is `done`.
    pub(super) fn look_up_again(&self, hosts: &[PassiveHost], done: Sender<()>) {
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
}

impl State {
    /// Has PASV say these, for whoever comes from now on, beside those that stand.
    pub(super) fn say(&mut self, of_names: Vec<PassiveAddress>) {
        let said = [self.fixed_addresses.clone(), of_names].concat();
        if self.settings.passive_addresses != said {
            let mut settings = Settings::clone(&self.settings);
            settings.passive_addresses = said;
            self.settings = Arc::new(settings);
        }
    }
}
