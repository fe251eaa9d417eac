//! Names on disk: which are the server's own, and how the others look to a client.

use mayfly_core::path::RESERVED_PREFIX;
use rustix::io::Errno;
use std::fmt::Write as _;

/// The record inside a storage path's directory.
pub(super) const RECORD: &[u8] = b".mayfly.json";
/// The directory of kept partials, beside where their files would be.
pub(super) const PARTS: &[u8] = b".mayfly-parts";
/// The directory of tombstones, beside where the storage paths stood.
pub(super) const TOMBS: &[u8] = b".mayfly-tombs";
/// The trash, in the root.
pub(super) const TRASH: &[u8] = b".mayfly-trash";
/// The mark in the root that says that files in it may have dates of their own.
pub(super) const DATED: &[u8] = b".mayfly-dated";
/// A record that is being written.
pub(super) const RECORD_TEMP: &str = ".mayfly.json.";
/// A directory that is being made.
pub(super) const NEW: &str = ".mayfly-new-";
/// A file that is being written, or is about to replace another.
pub(super) const TEMP: &str = ".mayfly-tmp-";
/// Whether a name is the server's own: never listed, never reachable by any command.
pub(super) fn is_reserved(name: &[u8]) -> bool {
    name.starts_with(RESERVED_PREFIX.as_bytes())
}

/// Whether a directory stream's entry is the directory itself or its parent.
pub(super) fn is_dots(name: &[u8]) -> bool {
    name == b"." || name == b".."
}

/// The prefix and 64 random bits, as no other has it.
pub(super) fn random(prefix: &str) -> Result<Vec<u8>, Errno> {
    let bits = getrandom::u64().map_err(|_| Errno::IO)?;
    Ok(format!("{prefix}{bits:016x}").into_bytes())
}

/// The name as it may be shown: UTF-8 without control characters; every other byte as `\xHH`, lower case.
pub(super) fn shown(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() {
                push_escaped(&mut text, character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                text.push(character);
            }
        }
        push_escaped(&mut text, chunk.invalid());
    }
    text
}

/// The same of a name that is not needed any more.
pub(super) fn into_shown(name: Vec<u8>) -> String {
    match String::from_utf8(name) {
        Ok(text) if !text.contains(char::is_control) => text,
        Ok(text) => shown(text.as_bytes()),
        Err(error) => shown(error.as_bytes()),
    }
}

/// The spellings on disk that a client's name may stand for: the literal one, then the one with its escapes decoded,
/// where that is shown as this very text.
pub(super) fn spellings(component: &str) -> impl Iterator<Item = Vec<u8>> {
    [Some(component.as_bytes().to_vec()), decoded(component)].into_iter().flatten()
}

/// Whether [`spellings`] has a second one.
pub(super) fn is_escaped(text: &str) -> bool {
    text.contains("\\x")
}

fn push_escaped(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(text, "\\x{byte:02x}").expect("a String takes everything");
    }
}

fn decoded(component: &str) -> Option<Vec<u8>> {
    if !is_escaped(component) {
        return None;
    }
    let mut rest = component.as_bytes();
    let mut name = Vec::with_capacity(rest.len());
    while let Some((&first, after)) = rest.split_first() {
        let escape = rest.strip_prefix(b"\\x").and_then(|digits| digits.get(..2));
        // Only what would have been escaped: a name may hold the four characters `\x41` itself.
        let byte = escape.and_then(hex_byte).filter(|byte| *byte >= 0x7f || (1..0x20).contains(byte));
        name.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &rest[4..] } else { after };
    }
    (shown(&name) == component && name != component.as_bytes()).then_some(name)
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(component: &str) -> Vec<Vec<u8>> {
        spellings(component).collect()
    }

    #[test]
    fn what_cannot_be_shown_is_escaped_and_found_again() {
        for (name, text) in [
            (&b"caf\xe9"[..], r"caf\xe9"),
            (b"a\nb", r"a\x0ab"),
            ("a\u{85}".as_bytes(), r"a\xc2\x85"),
            (b"\x01\\x41", r"\x01\x41"),
            (b"\xff\xfe", r"\xff\xfe"),
        ] {
            assert_eq!(shown(name), text);
            assert_eq!(all(text), [text.as_bytes(), name], "{text}");
        }
        assert_eq!(shown("naïve ✓".as_bytes()), "naïve ✓");
    }

    #[test]
    fn a_text_that_is_no_escape_stands_for_itself_alone() {
        // Two escapes that are one letter together are shown as that letter, so no name is shown so.
        for text in
            ["plain", r"\x41", r"\x00", r"\x2f", r"\x2e\x2e", r"\xFF", r"\x+1", r"\xc3\xa9", r"\x2emayfly", r"\x"]
        {
            assert_eq!(all(text), [text.as_bytes()], "{text}");
        }
    }

    #[test]
    fn no_decoded_name_is_reserved_or_leaves_its_directory() {
        for bytes in [&b".mayfly"[..], b"..", b"a/b", b".mayfly\xff"] {
            let mut text = String::new();
            push_escaped(&mut text, bytes);
            for name in all(&text) {
                assert!(!is_reserved(&name) && !is_dots(&name) && !name.contains(&b'/'), "{text}");
            }
        }
    }
}
