//! Reads a server's replies: one line or many (RFC 959 4.2), within a bound; with some patience for those who wrote
//! their servers without reading that.

use super::listing;
use crate::limits;
use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// A reply as the server gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Three digits; 0 for the seed's `000`.
    pub code: u16,
    /// The text of each line, at least one: without the code, with `?` for control characters, and `\xHH` for
    /// bytes that are no UTF-8.
    pub lines: Vec<String>,
}

impl Heard {
    /// What kind of reply it is.
    #[must_use]
    pub fn class(&self) -> Class {
        match self.code / 100 {
            1 => Class::Preliminary,
            0 | 2 => Class::Done,
            3 => Class::GoOn,
            4 => Class::NotNow,
            _ => Class::Never,
        }
    }

    /// The first line's text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }

    /// Whether the server says that the storage path has expired (DESIGN 3).
    #[must_use]
    pub fn says_expired(&self) -> bool {
        self.code == 550 && self.says("storage path expired")
    }

    /// Whether these words, in small letters, stand in one of its lines, however they are capitalized there.
    pub(super) fn says(&self, words: &str) -> bool {
        self.lines.iter().any(|line| line.to_ascii_lowercase().contains(words))
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.code)?;
        self.lines.iter().try_for_each(|line| write!(f, " {}", line.trim()))
    }
}

/// What a reply's first digit says (RFC 959 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 1yz: it has begun, and another reply follows.
    Preliminary,
    /// 2yz, and the seed's 000.
    Done,
    /// 3yz: another command is needed.
    GoOn,
    /// 4yz: it may go later.
    NotNow,
    /// 5yz: it will not go.
    Never,
}

/// What a server sent is no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReplyError {
    /// A line without a code; its beginning.
    Malformed(String),
    /// A reply beyond [`limits::REPLY_BYTES_MAX`].
    TooLong,
}

/// Cuts what a server sends into replies. A reply of n bytes costs O(n) however it is cut.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where no line end was found.
    scanned: usize,
    open: Option<Heard>,
    open_bytes: usize,
}

impl ReplyReader {
    /// Takes input.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether nothing has come behind the last whole reply.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_none() && self.start == self.buffer.len()
    }

    /// The next whole reply, if there is one.
    pub(super) fn next_reply(&mut self) -> Result<Option<Heard>, ReplyError> {
        while let Some(line) = self.next_line() {
            // With its end, so that empty lines have a bound too.
            self.open_bytes += line.len() + 1;
            if self.open_bytes > limits::REPLY_BYTES_MAX {
                return Err(ReplyError::TooLong);
            }
            if let Some(reply) = self.take_line(&line)? {
                self.open_bytes = 0;
                return Ok(Some(reply));
            }
        }
        let open_bytes = self.open_bytes + self.buffer.len() - self.start;
        if open_bytes > limits::REPLY_BYTES_MAX { Err(ReplyError::TooLong) } else { Ok(None) }
    }

    fn next_line(&mut self) -> Option<String> {
        let unseen = self.buffer.get(self.scanned..)?;
        let Some(length) = unseen.iter().position(|byte| *byte == b'\n') else {
            self.scanned = self.buffer.len();
            return None;
        };
        let end = self.scanned + length;
        let line = &self.buffer[self.start..end];
        let line = shown(&without_telnet(line.strip_suffix(b"\r").unwrap_or(line)));
        self.start = end + 1;
        self.scanned = self.start;
        Some(line)
    }

    // RFC 959 4.2: `nnn-` opens a reply of many lines, and the first line that begins with the same code and a blank
    // closes it; what stands between may begin with anything.
    fn take_line(&mut self, line: &str) -> Result<Option<Heard>, ReplyError> {
        let Some(mut open) = self.open.take() else {
            if line.trim().is_empty() {
                return Ok(None);
            }
            let Some(head) = Head::parse(line).or_else(|| Head::parse_unparted(line)) else {
                return Err(ReplyError::Malformed(line.chars().take(SHOWN_CHARS_MAX).collect()));
            };
            let reply = Heard { code: head.code, lines: [head.text.to_owned()].into() };
            if head.last {
                return Ok(Some(reply));
            }
            self.open = Some(reply);
            return Ok(None);
        };
        match Head::parse(line) {
            Some(head) if head.code == open.code => {
                open.lines.push(head.text.to_owned());
                if head.last {
                    return Ok(Some(open));
                }
            }
            _ => open.lines.push(line.to_owned()),
        }
        self.open = Some(open);
        Ok(None)
    }
}

/// A line that begins with a code.
struct Head<'a> {
    code: u16,
    last: bool,
    text: &'a str,
}

impl<'a> Head<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let digits = line.get(..3)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let code: u16 = digits.parse().ok()?;
        // RFC 959 4.2.1 knows the first digits 1 to 5; the seed adds the one code 000.
        if !(100..600).contains(&code) && code != 0 {
            return None;
        }
        let last = match line.as_bytes().get(3) {
            None | Some(b' ') => true,
            Some(b'-') => false,
            Some(_) => return None,
        };
        Some(Self { code, last, text: line.get(4..).unwrap_or_default() })
    }

    /// The same where the blank after the code is missing, as in `220Welcome`.
    fn parse_unparted(line: &'a str) -> Option<Self> {
        let (code, text) = line.split_at_checked(3)?;
        let letter = !text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        Self::parse(code).filter(|_| letter).map(|head| Self { text, ..head })
    }
}

/// RFC 959 4.1: the control connection speaks Telnet, and some servers ask for its options before they say a word.
fn without_telnet(line: &[u8]) -> Cow<'_, [u8]> {
    if !line.contains(&IAC) {
        return line.into();
    }
    let (mut kept, mut rest) = (Vec::new(), line);
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (IAC, [IAC, after @ ..]) => {
                kept.push(IAC);
                after
            }
            // WILL, WONT, DO and DONT come with an option.
            (IAC, [251..=254, _, after @ ..] | [240..=250, after @ ..]) => after,
            _ => {
                kept.push(byte);
                after
            }
        };
    }
    kept.into()
}

/// Peers' text is shown to people and may not steer their terminals.
fn shown(bytes: &[u8]) -> String {
    listing::text(bytes).chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

const SHOWN_CHARS_MAX: usize = 80;
/// Telnet's "interpret as command" (RFC 854).
const IAC: u8 = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn read(input: &[u8], cut: usize) -> Result<Vec<Heard>, ReplyError> {
        let mut reader = ReplyReader::default();
        let mut replies = Vec::new();
        for piece in input.chunks(cut) {
            reader.push(piece);
            while let Some(reply) = reader.next_reply()? {
                replies.push(reply);
            }
        }
        Ok(replies)
    }

    fn heard(code: u16, lines: &[&str]) -> Heard {
        Heard { code, lines: lines.iter().map(|&line| line.into()).collect() }
    }

    #[test]
    fn replies_of_one_line_and_of_many_are_read_however_they_are_cut() {
        let input = b"220 Welcome\r\n550-Failed to change directory.\r\n550 Storage path expired.\r\n\
            211-Features:\r\n SIZE\r\n 211 no\r\n212 no\r\n\r\n211 End\n000 expiry_date set\r\n226\r\n";
        let replies = vec![
            heard(220, &["Welcome"]),
            heard(550, &["Failed to change directory.", "Storage path expired."]),
            heard(211, &["Features:", " SIZE", " 211 no", "212 no", "", "End"]),
            heard(0, &["expiry_date set"]),
            heard(226, &[""]),
        ];
        for cut in [1, 2, 3, 7, 1000] {
            assert_eq!(read(input, cut), Ok(replies.clone()), "cut every {cut} bytes");
        }
        assert!(replies[1].says_expired());
        assert_eq!(replies[3].class(), Class::Done);
        assert_eq!(alloc::format!("{}", replies[1]), "550 Failed to change directory. Storage path expired.");
    }

    #[test]
    fn what_nearly_keeps_to_the_rfc_is_read_too() {
        for (input, replies) in [
            // A blank is missing; there is no text; nothing but LF ends a line; empty lines stand between.
            ("220Welcome\r\n", vec![heard(220, &["Welcome"])]),
            ("220 \r\n220\n", vec![heard(220, &[""]), heard(220, &[""])]),
            ("\r\n \r\n220 a\r\n\n\n200 b\n", vec![heard(220, &["a"]), heard(200, &["b"])]),
            // Another code within, closed or not; the same code indented; numbers that are no code.
            ("230-a\r\n220-b\r\n220 c\r\n 230 d\r\n230x\r\n2300 e\r\n230 f\r\n", {
                vec![heard(230, &["a", "220-b", "220 c", " 230 d", "230x", "2300 e", "f"])]
            }),
            ("230-a\r\n230-b\r\n230-\r\n230\r\n", vec![heard(230, &["a", "b", "", ""])]),
        ] {
            for cut in [1, 2, 1000] {
                assert_eq!(read(input.as_bytes(), cut), Ok(replies.clone()), "{input:?}");
            }
        }
    }

    #[test]
    fn telnet_codes_are_passed_over() {
        let asks = b"\xff\xfb\x01\xff\xfd\x03220 a\xff\xf1b\xff\xff\xff\r\n";
        assert_eq!(read(asks, 1000), Ok(vec![heard(220, &["ab\\xFF\\xFF"])]));
    }

    #[test]
    fn what_has_no_code_is_no_reply() {
        for line in ["hello\r\n", " 220 x\r\n", "22 x\r\n", "2200 x\r\n", "999 x\r\n", "012 x\r\n", "\u{e9}00 x\r\n"] {
            assert!(matches!(read(line.as_bytes(), 100), Err(ReplyError::Malformed(_))), "{line}");
        }
        assert_eq!(read(b"220 \x1b[2J\xff\r\n", 100), Ok(vec![heard(220, &["?[2J\\xFF"])]));
    }

    #[test]
    fn an_endless_reply_ends_at_the_bound() {
        let endless_line = vec![b'2'; limits::REPLY_BYTES_MAX + 1];
        assert_eq!(read(&endless_line, 4096), Err(ReplyError::TooLong));
        assert_eq!(read(&b"\r\n".repeat(limits::REPLY_BYTES_MAX + 1), 4096), Err(ReplyError::TooLong));
        let endless_lines = b"220-x\r\n".repeat(limits::REPLY_BYTES_MAX / 5 + 1);
        assert_eq!(read(&endless_lines, 4096), Err(ReplyError::TooLong));
        let longest = alloc::format!("220 {}\r\n", "x".repeat(limits::REPLY_BYTES_MAX - 5));
        assert!(read(longest.as_bytes(), 4096).is_ok());
    }
}
