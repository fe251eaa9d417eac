//! Clients that people have, as they have them: each does against both binaries what it is used for, and what it says,
//! brings, fetches and lists is compared. A test is called `client::check::way::driver`, so that
//! `cargo test --test clients -- --list` shows the checks of each client.

#![expect(clippy::unwrap_used, reason = "a test")]

mod aria2;
mod busybox;
mod curl;
mod inetutils;
mod lftp;
mod ncftp;
mod ours;
mod rclone;
mod round_trip;
mod tnftp;
mod wget;
mod windows;
