//! The bounded line framer: cuts control input into lines before anything is parsed, and strips Telnet codes.

use alloc::vec::Vec;

/// Cuts a byte stream into lines. A line of n bytes costs O(n) however it is cut.
#[derive(Debug, Default)]
pub struct LineFramer {
    buffer: Vec<u8>,
}

/// One line, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line {
    /// A whole line, without its end and without Telnet codes; any bytes.
    Whole(Vec<u8>),
    /// A line longer than [`crate::limits::LINE_BYTES_MAX`]; said once for each, the rest of it is dropped.
    TooLong,
}

impl LineFramer {
    /// Takes input. Nothing is refused; the caller asks [`LineFramer::held_bytes`] before it reads more.
    pub fn push(&mut self, bytes: &[u8]) {
        todo!("{bytes:?}")
    }

    /// The next line, if one is whole.
    pub fn next_line(&mut self) -> Option<Line> {
        todo!()
    }

    /// Bytes held that are not yet handed out.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.buffer.len()
    }
}
