//! The laws of the session: one final reply for each command, one outcome for each action, deadlines, bounds.

mod data;
mod deadlines;
mod host;
mod input;
mod laws;
mod ledger;
mod listings;
mod paths;
mod random;
mod stou;
mod tls;
mod transfers;
mod uploads;
mod users;
mod work;
