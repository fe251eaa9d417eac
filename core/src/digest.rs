//! The digests of files that clients may ask for. They are computed by the host; here are their names.

use serde::{Deserialize, Serialize};

/// A digest (draft-bryan-ftpext-hash-02 3.2; the names are those of IANA's "Hash Function Textual Names").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// SHA-256, which a session begins with.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1, which the draft asks of everybody.
    Sha1,
    /// MD5.
    Md5,
    /// CRC-32 as Ethernet and ZIP have it.
    Crc32,
}

impl DigestAlgorithm {
    /// All of them, the strongest first.
    pub const ALL: [Self; 5] = [Self::Sha256, Self::Sha512, Self::Sha1, Self::Md5, Self::Crc32];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
            Self::Sha1 => "SHA-1",
            Self::Md5 => "MD5",
            Self::Crc32 => "CRC32",
        }
    }

    /// The one of that name, in any case; none: no such one is known here.
    ///
    /// ```
    /// use mayfly_core::digest::DigestAlgorithm;
    /// assert_eq!(DigestAlgorithm::parse("sha-1"), Some(DigestAlgorithm::Sha1));
    /// assert_eq!(DigestAlgorithm::parse("CRC-37"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
}
