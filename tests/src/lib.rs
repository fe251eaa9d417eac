//! What proves mayfly: transcripts, real clients, faults.

pub mod bad_input;
pub mod certificates;
pub mod failing;
pub mod fake_disk;
pub mod faults;
pub mod faulty;
pub mod files;
pub mod ftp;
pub mod ground;
pub mod harness;
pub mod impostor;
pub mod kernel;
pub mod liar;
pub mod peers;
pub mod process;
pub mod small_disk;
pub mod stage;
pub mod traced;
pub mod transcript;
pub mod tree;
pub mod vitals;

/// So many bytes that look random, and are the same each time: no compression and no sparse file makes them easy.
#[must_use]
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
