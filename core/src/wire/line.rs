//! The bounded line framer: cuts control input into lines before anything is parsed, and strips Telnet codes.

use crate::limits::{LINE_BYTES_MAX, TELNET_REFUSALS_MAX};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// Cuts a byte stream into lines. A line of n bytes costs O(n) however it is cut, and a framer that holds nothing
/// owns no memory, so that an idle session costs none.
///
/// - CRLF ends a line, and so does a lone LF. A lone CR stays in the line; the NUL that Telnet puts after one
///   (RFC 854) is dropped.
/// - Telnet commands are dropped, options and sub-negotiations too; IAC IAC is the byte 255 (RFC 959 4.1: the control
///   connection speaks Telnet). Options that the peer offers or asks for are refused ([`LineFramer::take_refusals`]). An IAC before a byte that is no Telnet command is a plain 255, so that a name in
///   another character set is refused as such and never turns into another name.
///
/// ```
/// use mayfly_core::wire::line::{Line, LineFramer};
/// let mut framer = LineFramer::default();
/// framer.push(b"NOOP\r\n\xff\xf4\xff\xf2AB");
/// assert_eq!(framer.next_line(), Some(Line::Whole(b"NOOP".to_vec())));
/// assert_eq!(framer.next_line(), None);
/// framer.push(b"OR\n");
/// assert_eq!(framer.next_line(), Some(Line::Whole(b"ABOR".to_vec())));
/// ```
pub struct LineFramer {
    /// Free of Telnet codes. Of a line that is too long, no more than tells that it is.
    buffer: Vec<u8>,
    /// Where the first line begins that is not handed out yet.
    start: usize,
    /// No LF stands between `start` and here.
    searched: usize,
    /// Bytes of the line that has not ended yet, as far as they are kept.
    open_bytes: usize,
    /// `TooLong` was said of the line that has not ended yet.
    told: bool,
    /// No more than [`LINE_BYTES_MAX`].
    line_bytes_max: u16,
    telnet: Telnet,
    /// Boxed, for nearly nobody talks Telnet and an idle session is small.
    refusals: Option<Box<Refusals>>,
}

/// What the peer's Telnet options are answered with, and has not been sent yet.
#[derive(Default)]
struct Refusals(Vec<u8>);

/// One line, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line {
    /// A whole line, without its end and without Telnet codes; any bytes.
    Whole(Vec<u8>),
    /// A line longer than [`crate::limits::LINE_BYTES_MAX`]. Said once for each, as soon as the bound is passed, not
    /// only when the line ends: who sends one without end hears of it. The rest of it is dropped.
    TooLong {
        /// Its first byte, which tells the form that it came in.
        first: u8,
    },
}

/// One for lines of up to [`LINE_BYTES_MAX`].
impl Default for LineFramer {
    fn default() -> Self {
        Self::new(LINE_BYTES_MAX)
    }
}

impl LineFramer {
    /// One for lines of up to so many bytes, at most [`LINE_BYTES_MAX`].
    #[must_use]
    pub fn new(line_bytes_max: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            open_bytes: 0,
            told: false,
            line_bytes_max: u16::try_from(line_bytes_max.min(LINE_BYTES_MAX)).unwrap_or(u16::MAX),
            telnet: Telnet::default(),
            refusals: None,
        }
    }

    fn line_bytes_max(&self) -> usize {
        self.line_bytes_max.into()
    }

    /// Takes input. Nothing is refused; the caller asks [`LineFramer::held_bytes`] before it reads more.
    pub fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if let Telnet::Negotiation(verb) = self.telnet {
                self.refuse(verb, byte);
            }
            let (telnet, data) = self.telnet.step(byte);
            self.telnet = telnet;
            match data {
                Data::None => {}
                Data::Byte => self.keep(byte),
                Data::IacThenByte => {
                    self.keep(IAC);
                    self.keep(byte);
                }
            }
        }
    }

    /// The next line, if one is whole.
    pub fn next_line(&mut self) -> Option<Line> {
        let end = self.buffer[self.searched..].iter().position(|&byte| byte == b'\n').map(|at| at + self.searched);
        let Some(end) = end else {
            self.searched = self.buffer.len();
            return self.tell_open();
        };
        let line = &self.buffer[self.start..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = match line.first() {
            Some(&first) if line.len() > self.line_bytes_max() => Line::TooLong { first },
            _ => Line::Whole(line.to_vec()),
        };
        self.start = end + 1;
        self.searched = self.start;
        self.release();
        Some(line)
    }

    /// What to send to the peer for the options that it has offered or asked for; empty mostly. RFC 1123 3.2.1: they must
    /// be refused. At most [`TELNET_REFUSALS_MAX`] wait; what comes beyond them is dropped.
    pub fn take_refusals(&mut self) -> Vec<u8> {
        self.refusals.take().map(|refusals| refusals.0).unwrap_or_default()
    }

    /// Bytes held that are not yet handed out; Telnet codes and the rest of what is too long do not count.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Whether the last byte has begun a Telnet code that is not whole, so that what comes next would count to it.
    #[must_use]
    pub fn is_amid_code(&self) -> bool {
        !matches!(self.telnet, Telnet::Data | Telnet::Cr)
    }

    /// RFC 854: what the peer will do it shall not, and what it asks us to do we will not. WONT and DONT ask nothing.
    fn refuse(&mut self, verb: u8, option: u8) {
        let answer = match verb {
            WILL => DONT,
            DO => WONT,
            _ => return,
        };
        let Refusals(bytes) = self.refusals.get_or_insert_default().as_mut();
        if bytes.len() < 3 * TELNET_REFUSALS_MAX {
            bytes.extend([IAC, answer, option]);
        }
    }

    /// Says of the line that has not ended yet that it is too long, if it is and that was not said.
    fn tell_open(&mut self) -> Option<Line> {
        let open = &self.buffer[self.start..];
        // A CR right after the bound may belong to the line's end; the byte after it will tell.
        let too_long = match open.len().checked_sub(self.line_bytes_max()) {
            None | Some(0) => false,
            Some(1) => !open.ends_with(b"\r"),
            Some(_) => true,
        };
        let first = *open.first().filter(|_| too_long)?;
        self.told = true;
        self.start = self.buffer.len();
        self.release();
        Some(Line::TooLong { first })
    }

    fn keep(&mut self, byte: u8) {
        if byte == b'\n' {
            self.open_bytes = 0;
            if core::mem::take(&mut self.told) {
                return;
            }
        } else if self.told || self.open_bytes == self.line_bytes_max() + END_BYTES {
            return;
        } else {
            self.open_bytes += 1;
        }
        self.buffer.push(byte);
    }

    /// Gives back what was handed out; each byte is moved once at most on average.
    fn release(&mut self) {
        if self.start == self.buffer.len() {
            self.buffer = Vec::new();
        } else if self.start >= self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
        } else {
            return;
        }
        self.searched -= self.start;
        self.start = 0;
    }
}

/// Shows no input: it may hold a password.
impl fmt::Debug for LineFramer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineFramer").field("held_bytes", &self.held_bytes()).finish_non_exhaustive()
    }
}

/// Where the input stands among Telnet codes (RFC 854, RFC 855).
#[derive(Clone, Copy, Default)]
enum Telnet {
    #[default]
    Data,
    /// After a CR: a NUL goes with it.
    Cr,
    /// After an IAC.
    Iac,
    /// After IAC and this of WILL, WONT, DO and DONT: the option comes.
    Negotiation(u8),
    /// Within a sub-negotiation.
    Sub,
    /// Within a sub-negotiation, after an IAC.
    SubIac,
}

/// What a byte of the stream gives to the line.
enum Data {
    None,
    Byte,
    IacThenByte,
}

impl Telnet {
    fn step(self, byte: u8) -> (Self, Data) {
        match (self, byte) {
            (Self::Data | Self::Cr, IAC) => (Self::Iac, Data::None),
            (Self::Cr, 0) => (Self::Data, Data::None),
            (Self::Data | Self::Cr, b'\r') => (Self::Cr, Data::Byte),
            (Self::Data | Self::Cr, _) | (Self::Iac, IAC) => (Self::Data, Data::Byte),
            (Self::Iac, WILL..=DONT) => (Self::Negotiation(byte), Data::None),
            (Self::Iac, SB) => (Self::Sub, Data::None),
            (Self::Iac, COMMAND_FIRST..=GA) | (Self::Negotiation(_), _) | (Self::SubIac, SE) => {
                (Self::Data, Data::None)
            }
            (Self::Iac, b'\r') => (Self::Cr, Data::IacThenByte),
            (Self::Iac, _) => (Self::Data, Data::IacThenByte),
            (Self::Sub, IAC) => (Self::SubIac, Data::None),
            (Self::Sub | Self::SubIac, _) => (Self::Sub, Data::None),
        }
    }
}

/// What is kept of one line beside its bytes: the CR of its end, and one more that tells it from one that is whole.
const END_BYTES: usize = 2;

// RFC 854 and, for the commands below SE, RFC 885 and RFC 1184.
const COMMAND_FIRST: u8 = 236;
const SE: u8 = 240;
const GA: u8 = 249;
const SB: u8 = 250;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;
const IAC: u8 = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// All that a framer says when fed in pieces of `piece_bytes`, each drained.
    fn lines(input: &[u8], piece_bytes: usize) -> Vec<Line> {
        let mut framer = LineFramer::default();
        let mut lines = Vec::new();
        for piece in input.chunks(piece_bytes) {
            framer.push(piece);
            while let Some(line) = framer.next_line() {
                lines.push(line);
            }
        }
        lines
    }

    #[track_caller]
    fn check(input: &[u8], expected: &[&[u8]]) {
        let expected: Vec<Line> = expected.iter().map(|line| Line::Whole(line.to_vec())).collect();
        for piece_bytes in 1..=input.len() {
            assert_eq!(lines(input, piece_bytes), expected, "in pieces of {piece_bytes}");
        }
    }

    #[test]
    fn crlf_and_lf_end_a_line() {
        check(b"NOOP\r\nQUIT\n\r\n\nrest", &[b"NOOP", b"QUIT", b"", b""]);
    }

    #[test]
    fn a_lone_cr_stays_and_its_nul_goes() {
        check(b"a\rb\r\r\nc\r\0d\0e\n", &[b"a\rb\r", b"c\rd\0e"]);
    }

    #[test]
    fn telnet_codes_are_stripped() {
        check(b"\xff\xf4\xff\xf2ABOR\r\n", &[b"ABOR"]);
        check(b"\xff\xf6NO\xff\xfb\x01\xff\xfc\x0a\xff\xfd\xff\xff\xfe\x00OP\r\n", &[b"NOOP"]);
        check(b"NO\xff\xfa\x18\x01\n\xff\xffx\xff\xf0OP\n", &[b"NOOP"]);
        check(b"NOOP\r\xff\xf1\n", &[b"NOOP"]);
    }

    #[test]
    fn options_are_refused_and_nothing_else_is_answered() {
        let input = b"\xff\xfb\x01\xff\xfd\xff\xff\xfc\x0a\xff\xfe\x00\xff\xf4\xff\xf2NOOP\xff\xfd\x06\r\n";
        for piece_bytes in 1..=input.len() {
            let mut framer = LineFramer::default();
            input.chunks(piece_bytes).for_each(|piece| framer.push(piece));
            assert_eq!(framer.take_refusals(), b"\xff\xfe\x01\xff\xfc\xff\xff\xfc\x06");
            assert!(framer.take_refusals().is_empty() && framer.refusals.is_none());
        }
        let mut framer = LineFramer::default();
        (0..1000).for_each(|_| framer.push(b"\xff\xfb\x01"));
        assert_eq!(framer.take_refusals().len(), 3 * TELNET_REFUSALS_MAX);
    }

    #[test]
    fn an_iac_that_commands_nothing_is_a_byte() {
        check(b"a\xff\xffb\n", &[b"a\xffb"]);
        check(b"\xffa\xff\r\nb\xff\n", &[b"\xffa\xff", b"b\xff"]);
    }

    #[test]
    fn a_line_at_the_bound_is_whole_and_one_byte_more_is_too_long() {
        for end in [&b"\n"[..], b"\r\n"] {
            for (length, whole) in [(LINE_BYTES_MAX, true), (LINE_BYTES_MAX + 1, false), (5 * LINE_BYTES_MAX, false)] {
                let line = vec![b'x'; length];
                let input = [&line[..], end, b"NOOP\r\n"].concat();
                let first = if whole { Line::Whole(line) } else { Line::TooLong { first: b'x' } };
                let expected = [first, Line::Whole(b"NOOP".to_vec())];
                for piece_bytes in [1, 7, LINE_BYTES_MAX, LINE_BYTES_MAX + 1, input.len()] {
                    assert_eq!(lines(&input, piece_bytes), expected, "{length} in pieces of {piece_bytes}");
                }
            }
        }
    }

    #[test]
    fn a_smaller_bound_holds_too_and_none_is_larger() {
        let mut framer = LineFramer::new(4);
        framer.push(b"NOOP\r\nNOOPX\r\n");
        assert_eq!(framer.next_line(), Some(Line::Whole(b"NOOP".to_vec())));
        assert_eq!(framer.next_line(), Some(Line::TooLong { first: b'N' }));
        assert_eq!(LineFramer::new(usize::MAX).line_bytes_max(), LINE_BYTES_MAX);
    }

    #[test]
    fn a_cr_past_the_bound_waits_for_the_next_byte() {
        let mut framer = LineFramer::default();
        framer.push(&[b'x'; LINE_BYTES_MAX]);
        framer.push(b"\r");
        assert_eq!(framer.next_line(), None);
        framer.push(b"x");
        assert_eq!(framer.next_line(), Some(Line::TooLong { first: b'x' }));
    }

    #[test]
    fn too_long_is_said_once_and_at_once_and_holds_nothing() {
        let mut framer = LineFramer::default();
        framer.push(&[b'x'; LINE_BYTES_MAX + 1]);
        assert_eq!(framer.next_line(), Some(Line::TooLong { first: b'x' }));
        for _ in 0..100 {
            framer.push(&[b'x'; 1000]);
            assert_eq!(framer.next_line(), None);
            assert_eq!(framer.held_bytes(), 0);
        }
        framer.push(b"\r\nNOOP\r\n");
        assert_eq!(framer.next_line(), Some(Line::Whole(b"NOOP".to_vec())));
        assert_eq!(framer.buffer.capacity(), 0);
    }

    #[test]
    fn what_is_held_is_bounded_even_if_nobody_drains() {
        let mut framer = LineFramer::default();
        for _ in 0..100 {
            framer.push(&[b'x'; 1000]);
        }
        assert_eq!(framer.held_bytes(), LINE_BYTES_MAX + END_BYTES);
    }

    #[test]
    fn an_empty_framer_owns_no_memory() {
        let mut framer = LineFramer::default();
        framer.push(b"NOOP\r\nNO");
        framer.next_line();
        assert_eq!(framer.held_bytes(), 2);
        framer.push(b"OP\r\n");
        assert_eq!(framer.next_line(), Some(Line::Whole(b"NOOP".to_vec())));
        assert_eq!((framer.held_bytes(), framer.buffer.capacity()), (0, 0));
    }
}
