//! What must stand in one worker's paths.

use std::collections::BTreeMap;

/// Paths by their names, absolute.
pub(super) type Model = BTreeMap<String, PathModel>;

/// What must stand in one path.
#[derive(Clone, Debug, Default)]
pub(super) struct PathModel {
    /// What claims it in a later session; none: its reply was lost, so nothing more can be changed there.
    pub(super) token: Option<String>,
    /// UTC seconds.
    pub(super) expiry_s: Option<i64>,
    pub(super) files: BTreeMap<String, Content>,
}

/// What was written into a file, piece by piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content(pub(super) Vec<Piece>);

/// Bytes that follow from a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) seed: u64,
    pub(super) bytes: usize,
}

impl Piece {
    pub(super) fn bytes(self) -> Vec<u8> {
        let mut dice = super::Dice::new(self.seed);
        let mut bytes: Vec<u8> = (0..self.bytes.div_ceil(8)).flat_map(|_| dice.throw().to_le_bytes()).collect();
        bytes.truncate(self.bytes);
        bytes
    }
}

impl Content {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|piece| piece.bytes()).collect()
    }

    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|piece| piece.bytes).sum()
    }
}

impl PathModel {
    /// Whether it had expired by then.
    pub(super) fn is_expired(&self, utc_s: i64) -> bool {
        self.expiry_s.is_some_and(|expiry_s| utc_s >= expiry_s)
    }
}
