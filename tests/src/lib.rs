//! What proves mayfly: transcripts, real clients, faults.

pub mod fake_disk;
pub mod harness;
pub mod stage;
pub mod transcript;
