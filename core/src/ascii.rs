//! The TYPE A translator: local line ends to CRLF and back, right across chunk borders (RFC 959 3.1.1.1).

use alloc::vec::Vec;

/// From the disk to the wire: every LF that does not follow a CR becomes CRLF.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToWire {
    after_cr: bool,
}

impl ToWire {
    /// Translates the next chunk, appending to `out`, which grows by at most twice the chunk.
    pub fn translate(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        todo!("{chunk:?} {out:?} {}", self.after_cr)
    }
}

/// From the wire to the disk: every CRLF becomes LF; a lone CR or LF stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct FromWire {
    held_cr: bool,
}

impl FromWire {
    /// Translates the next chunk, appending to `out`, which grows by at most the chunk and one byte.
    pub fn translate(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        todo!("{chunk:?} {out:?} {}", self.held_cr)
    }

    /// What is held back at the end of the stream: a last lone CR.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        todo!("{out:?}")
    }
}
