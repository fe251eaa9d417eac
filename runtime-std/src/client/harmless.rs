//! Strangers' words on a terminal: names and replies may not steer it, nor show themselves as something else.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The same, line by line.
pub(super) fn harmless_lines(text: &str) -> String {
    text.split('\n').map(harmless).collect::<Vec<_>>().join("\n")
}

/// The same with `?` for control characters, and `\u{202e}` and the like for what changes the
/// direction of what stands after it: `gpj.exe` must not read as `exe.jpg`.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c.is_control() || turns(c)) {
        return text.into();
    }
    let shown = text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        match c {
            c if turns(c) => {
                // Writing to a string does not fail.
                let _ = write!(shown, "{}", c.escape_unicode());
            }
            c => shown.push(if c.is_control() { '?' } else { c }),
        }
        shown
    });
    shown.into()
}

/// Embeddings, overrides, isolates and marks (Unicode Standard Annex 9, 2).
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_shows_itself_as_another() {
        assert_eq!(harmless("annual\u{202e}fdp.exe"), "annual\\u{202e}fdp.exe");
        assert_eq!(harmless("a\u{2067}b\u{2069}\u{200f}\u{61c}"), "a\\u{2067}b\\u{2069}\\u{200f}\\u{61c}");
        assert_eq!(harmless("\x1b[2Ja\nb\r\u{9b}"), "?[2Ja?b??");
        assert_eq!(harmless_lines("a\r\nb\n"), "a?\nb\n");
        // Letters that are written from right to left are letters.
        assert!(matches!(harmless("Grüße שלום 日本"), Cow::Borrowed(_)));
    }
}
