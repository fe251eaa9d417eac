//! The async mayfly driver, on smol: sockets, timers and scheduling. What waits for a disk is mayfly-std's, and runs on
//! smol's pool of blocking threads.
//!
//! ```no_run
//! use mayfly_smol::Server;
//! use mayfly_std::clock::SystemClock;
//! use mayfly_std::settings::ServeOptions;
//! use mayfly_std::start::Serve as _;
//! use std::sync::Arc;
//!
//! let options = ServeOptions { listen: vec!["127.0.0.1:2121".parse()?], ..ServeOptions::default() };
//! Server::bind(&options, Arc::new(SystemClock))?.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod client;

mod control;
mod data;
mod link;
mod listen;
mod pace;
mod pool;
mod reap;
mod session;
mod timer;
mod tls;
mod transfer;
mod turn;
mod watch;

pub use listen::{Server, ServerHandle};
