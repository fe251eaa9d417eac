//! The mayfly protocol core: FTP (RFC 959 and its successors) whose storage paths expire, as state machines without
//! I/O, clock, threads or randomness.
//!
//! # The laws
//! - Everything from outside comes in as an event, everything to outside goes out as an action.
//! - One event, one full drain: after every `handle`, call `poll_action` until it returns `None`, then wait until
//!   `deadline` or the next event. An undrained `handle` is a [`error::Misuse`].
//! - Every action with an id gets exactly one outcome event with that id.
//! - File bytes never come here: [`action::Action::Transfer`] says what must happen to them.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod action;
pub mod ascii;
pub mod client;
pub mod data;
pub mod date;
pub mod digest;
pub mod error;
pub mod event;
pub mod expiry;
pub mod limits;
pub mod listing;
pub mod network;
pub mod path;
pub mod reaper;
pub mod record;
pub mod session;
pub mod settings;
pub mod time;
pub mod user;
pub mod wire;

/// The version that CSID tells, which a test holds to the package's.
pub const VERSION: &str = "0.1.0";

/// The README's example is a test, so that it cannot go stale.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
