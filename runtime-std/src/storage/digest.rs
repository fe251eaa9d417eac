//! Digests, by crates that are kept well and tested by many.

use mayfly_core::digest::DigestAlgorithm;
use mayfly_core::error::StorageError;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use std::fmt::Write as _;

/// A digest on its way.
pub(super) enum Digester {
    Crc32(crc32fast::Hasher),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Digester {
    /// That of nothing yet.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`].
    pub(super) fn new(algorithm: DigestAlgorithm) -> Result<Self, StorageError> {
        Ok(match algorithm {
            DigestAlgorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            DigestAlgorithm::Md5 => Self::Md5(Md5::new()),
            DigestAlgorithm::Sha1 => Self::Sha1(Sha1::new()),
            DigestAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
            DigestAlgorithm::Sha512 => Self::Sha512(Sha512::new()),
            _ => return Err(StorageError::Unsupported),
        })
    }

    /// Takes more in.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// In small hex digits; what comes after it begins anew.
    pub(super) fn finish(&mut self) -> String {
        match self {
            Self::Crc32(hasher) => format!("{:08x}", std::mem::take(hasher).finalize()),
            Self::Md5(hasher) => hex(&hasher.finalize_reset()),
            Self::Sha1(hasher) => hex(&hasher.finalize_reset()),
            Self::Sha256(hasher) => hex(&hasher.finalize_reset()),
            Self::Sha512(hasher) => hex(&hasher.finalize_reset()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_are_those_of_the_check_string() {
        // Source: the catalogue of CRC algorithms for CRC-32; `printf 123456789 | md5sum` and its like for the others.
        for (algorithm, digest) in [
            (DigestAlgorithm::Crc32, "cbf43926"),
            (DigestAlgorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
            (DigestAlgorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (DigestAlgorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
            (
                DigestAlgorithm::Sha512,
                "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85",
            ),
        ] {
            let mut digester = Digester::new(algorithm).unwrap();
            digester.update(b"1234");
            digester.update(b"56789");
            assert_eq!(digester.finish(), digest, "{algorithm:?}");
        }
    }
}
