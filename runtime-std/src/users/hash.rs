//! A password's hash: argon2id as a PHC string (RFC 9106).

use crate::settings::Form;
use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use std::fmt;

/// An argon2id hash. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash(PasswordHash);

impl Hash {
    /// The hash of a password, with a salt of its own. Blocks for as long as that takes.
    ///
    /// # Errors
    /// The host has no random numbers, or no memory.
    pub fn new(password: &[u8]) -> Result<Self, argon2::password_hash::Error> {
        Argon2::default().hash_password(password).map(Self)
    }

    /// Whether it is this password's. Blocks for as long as that takes.
    #[must_use]
    pub fn is_of(&self, password: &[u8]) -> bool {
        // It takes algorithm, version and cost from the hash, and compares in a time that tells nothing.
        Argon2::default().verify_password(password, &self.0).is_ok()
    }

    /// What costs as much to compare with and is no password's.
    pub(super) fn dummy(&self) -> Self {
        let (salt, hash) = (self.0.salt.map(|salt| salt.len()), self.0.hash.map(|hash| hash.len()));
        let salt = salt.and_then(|bytes| Salt::new(&[0; Salt::MAX_LENGTH][..bytes]).ok());
        let hash = hash.and_then(|bytes| Output::new(&[0; Output::MAX_LENGTH][..bytes]).ok());
        Self(PasswordHash { salt, hash, ..self.0.clone() })
    }

    /// What it costs: memory in KiB, passes, lanes, bytes of the outcome.
    #[cfg(test)]
    pub(super) fn cost(&self) -> (u32, u32, u32, usize) {
        let params = Params::try_from(&self.0).unwrap();
        (params.m_cost(), params.t_cost(), params.p_cost(), params.output_len().unwrap())
    }
}

/// No password's, at the cost of a new one's.
impl Default for Hash {
    fn default() -> Self {
        let params = Params::default();
        let zeros = [0; Params::DEFAULT_OUTPUT_LEN];
        Self(PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::default().into()),
            params: (&params).try_into().expect("the default costs have a text"),
            salt: Salt::new(&[0; Salt::RECOMMENDED_LENGTH]).ok(),
            hash: Output::new(&zeros).ok(),
        })
    }
}

/// Of what is taken, all is there, and no login takes the host's memory away.
impl Form for Hash {
    fn form() -> String {
        "an argon2id hash such as \"$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH\", which `user passwd` writes; at most \
         m=1048576, t=64, p=16"
            .to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let is_ours = Algorithm::try_from(hash.algorithm.as_str()).ok()? == Algorithm::Argon2id;
        let is_bounded = params.m_cost() <= KIB_MAX && params.t_cost() <= PASSES_MAX && params.p_cost() <= LANES_MAX;
        let has_all = hash.salt.is_some()
            && hash.hash.is_some()
            && hash.version.is_none_or(|version| Version::try_from(version).is_ok());
        (is_ours && is_bounded && has_all).then_some(Self(hash))
    }
}

/// As the users file has it.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// 1 GiB.
const KIB_MAX: u32 = 1 << 20;
const PASSES_MAX: u32 = 64;
const LANES_MAX: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_password_alone_and_its_dummy_of_none_at_the_same_cost() {
        let hash = Hash::new(b"sesame").unwrap();
        assert_eq!(Hash::read(&hash.to_string()), Some(hash.clone()));
        assert!(hash.is_of(b"sesame") && !hash.is_of(b"Sesame") && !hash.is_of(b""));
        assert!(!hash.dummy().is_of(b"sesame"));
        assert_eq!(hash.dummy().cost(), hash.cost());
        assert_eq!(Hash::default().cost(), hash.cost());
        assert_eq!(format!("{hash:?}"), "<secret>");
    }

    #[test]
    fn only_a_whole_argon2id_hash_of_a_bounded_cost_is_taken() {
        let whole = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$Gq9SaZ3k8XGLrvDy2GCRnGX7kIzLRjTtkDXBz4K7Qqs";
        assert!(Hash::read(whole).is_some());
        for wrong in [
            "sesame",
            "",
            "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ",
            "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$Gq9SaZ3k8XGLrvDy2GCRnGX7kIzLRjTtkDXBz4K7Qqs",
            "$2b$12$abcdefghijklmnopqrstuu",
            &whole.replace("m=8", "m=1048577"),
            &whole.replace("t=1", "t=65"),
            &whole.replace("v=19", "v=20"),
        ] {
            assert_eq!(Hash::read(wrong), None, "{wrong}");
        }
    }
}
