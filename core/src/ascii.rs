//! The TYPE A translator: local line ends to CRLF and back, right across chunk borders (RFC 959 3.1.1.1).

use alloc::vec::Vec;

/// From the disk to the wire: every LF that does not follow a CR becomes CRLF.
///
/// ```
/// use mayfly_core::ascii::ToWire;
/// let (mut to_wire, mut out) = (ToWire::default(), Vec::new());
/// to_wire.translate(b"a\nb\r", &mut out);
/// to_wire.translate(b"\n", &mut out);
/// assert_eq!(out, b"a\r\nb\r\n");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ToWire {
    after_cr: bool,
}

impl ToWire {
    /// Translates the next chunk, appending to `out`, which grows by at most twice the chunk.
    pub fn translate(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        for piece in chunk.split_inclusive(|&byte| byte == b'\n') {
            let Some(line) = piece.strip_suffix(b"\n") else {
                out.extend_from_slice(piece);
                self.after_cr = piece.ends_with(b"\r");
                continue;
            };
            let after_cr = if line.is_empty() { self.after_cr } else { line.ends_with(b"\r") };
            out.extend_from_slice(line);
            out.extend_from_slice(if after_cr { b"\n" } else { b"\r\n" });
            self.after_cr = false;
        }
    }
}

/// From the wire to the disk: every CRLF becomes LF; a lone CR or LF stays.
///
/// ```
/// use mayfly_core::ascii::FromWire;
/// let (mut from_wire, mut out) = (FromWire::default(), Vec::new());
/// from_wire.translate(b"a\r\nb\r", &mut out);
/// from_wire.finish(&mut out);
/// assert_eq!(out, b"a\nb\r");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FromWire {
    held_cr: bool,
}

impl FromWire {
    /// Translates the next chunk, appending to `out`, which grows by at most the chunk and one byte.
    pub fn translate(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        for piece in chunk.split_inclusive(|&byte| byte == b'\r') {
            if !piece.starts_with(b"\n") {
                self.finish(out);
            }
            let line = piece.strip_suffix(b"\r");
            out.extend_from_slice(line.unwrap_or(piece));
            self.held_cr = line.is_some();
        }
    }

    /// What is held back at the end of the stream: a last lone CR.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if core::mem::take(&mut self.held_cr) {
            out.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn to_wire(disk: &[u8], wire: &[u8]) {
        for piece_bytes in 1..=disk.len().max(1) {
            let (mut translator, mut out) = (ToWire::default(), Vec::new());
            for chunk in disk.chunks(piece_bytes) {
                let before = out.len();
                translator.translate(chunk, &mut out);
                assert!(out.len() - before <= 2 * chunk.len());
            }
            assert_eq!(out, wire, "in pieces of {piece_bytes}");
        }
    }

    #[track_caller]
    fn from_wire(wire: &[u8], disk: &[u8]) {
        for piece_bytes in 1..=wire.len().max(1) {
            let (mut translator, mut out) = (FromWire::default(), Vec::new());
            for chunk in wire.chunks(piece_bytes) {
                let before = out.len();
                translator.translate(chunk, &mut out);
                assert!(out.len() - before <= chunk.len() + 1);
            }
            translator.finish(&mut out);
            assert_eq!(out, disk, "in pieces of {piece_bytes}");
        }
    }

    #[test]
    fn a_line_feed_gets_its_carriage_return() {
        to_wire(b"", b"");
        to_wire(b"no end", b"no end");
        to_wire(b"a\nb\n", b"a\r\nb\r\n");
        to_wire(b"\n\n", b"\r\n\r\n");
    }

    #[test]
    fn one_that_has_it_gets_no_second() {
        to_wire(b"a\r\nb\rc\r\r\n\r", b"a\r\nb\rc\r\r\n\r");
        to_wire(b"\r\n\n", b"\r\n\r\n");
    }

    #[test]
    fn a_carriage_return_goes_only_with_its_line_feed() {
        from_wire(b"", b"");
        from_wire(b"a\r\nb\r\n", b"a\nb\n");
        from_wire(b"\r\r\n\n\r", b"\r\n\n\r");
        from_wire(b"a\rb\nc\r", b"a\rb\nc\r");
    }

    #[test]
    fn a_local_text_comes_back_as_it_was() {
        let disk = b"one\n\ntwo\n\xff\0three";
        let (mut wire, mut back) = (Vec::new(), Vec::new());
        ToWire::default().translate(disk, &mut wire);
        FromWire::default().translate(&wire, &mut back);
        assert_eq!(back, disk);
    }
}
