//! The blocking mayfly driver, and what both drivers share with the host: disk, settings, command line.

pub mod admission;
pub mod cli;
pub mod client;
pub mod clock;
pub mod commands;
pub mod confine;
pub mod deflate;
pub mod exit;
pub mod listen;
pub mod log;
pub mod net;
pub mod pace;
pub mod passage;
pub mod passive;
pub mod proxy;
pub mod reap;
pub mod settings;
pub mod signals;
pub mod start;
pub mod storage;
pub mod tls;
pub mod transfer;
pub mod users;

mod check;
mod complain;
mod connection;
mod control;
mod data;
mod operator;
mod session;
mod shared;
mod stop;
mod verification;
