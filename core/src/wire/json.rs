//! The JSON forms of what is on the wire, with the seed's own keys (DESIGN 2).

/// Bytes in JSON: `{"text": ".."}`, or `{"hex": ".."}` where they are not UTF-8.
pub mod bytes {
    use alloc::vec::Vec;
    use serde::{Deserializer, Serializer};

    /// For serde.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        todo!("{bytes:?} {}", serializer.is_human_readable())
    }

    /// For serde.
    ///
    /// # Errors
    /// The deserializer's, and a broken `hex`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        todo!("{}", deserializer.is_human_readable())
    }
}
