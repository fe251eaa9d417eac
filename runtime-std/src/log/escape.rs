//! Texts that a peer had a say in, made fit for a log: nothing in them ends a line, moves a cursor or turns the direction
//! of writing.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// A text with everything hidden in it spelt out as `\u{..}`. What spells a backslash itself is not touched: in the log
/// the two are told apart, for `quoted` doubles it.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A value of a text line: bare where it can be nothing but one word, else in quotes.
pub(super) fn quoted(out: &mut dyn Write, value: &str) -> fmt::Result {
    let is_bare = |c: char| !(c == ' ' || c == '"' || c == '=' || c == '\\' || is_hidden(c));
    if !value.is_empty() && value.chars().all(is_bare) {
        return out.write_str(value);
    }
    out.write_char('"')?;
    for c in value.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}")?,
            c if is_hidden(c) => write!(out, "{}", c.escape_unicode())?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

/// A JSON string (RFC 8259 7). What is hidden is escaped too, so that the line is safe to look at, and whoever parses it
/// has the very text.
pub(crate) fn json_string(out: &mut dyn Write, value: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in value.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}")?,
            c if is_hidden(c) => {
                c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))?;
            }
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

/// Control characters; what ends a line for some readers; what turns the direction of writing; what has no width and so
/// makes two names look like one.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: fn(&mut dyn Write, &str) -> fmt::Result, value: &str) -> String {
        let mut out = String::new();
        write(&mut out, value).unwrap();
        out
    }

    #[test]
    fn control_characters_do_not_reach_the_log() {
        assert_eq!(shown("anna"), "anna");
        assert_eq!(shown("a\r\nb\u{1b}[2J\u{202e}"), "a\\u{d}\\u{a}b\\u{1b}[2J\\u{202e}");
        assert_eq!(shown("a\u{2028}b\u{85}c\u{200b}"), "a\\u{2028}b\\u{85}c\\u{200b}");
    }

    #[test]
    fn a_value_of_a_text_line_cannot_be_two() {
        for (value, expected) in [
            ("/a/b", "/a/b"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("x code=226", "\"x code=226\""),
            ("a\"b", r#""a\"b""#),
            ("a\\u{d}", r#""a\\u{d}""#),
            ("a\rb", r#""a\u{d}b""#),
            ("grüße", "grüße"),
        ] {
            assert_eq!(written(quoted, value), expected);
        }
    }

    #[test]
    fn a_json_string_is_safe_to_look_at_and_says_what_was_there() {
        let value = "a\r\n\"\\\u{202e}\u{2028}\u{7f}\u{e0041}é";
        let line = written(json_string, value);
        assert!(!line.chars().any(is_hidden), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), value);
    }
}
