//! Names: what a server calls things, made fit to be shown, stored and sent back.
//!
//! Old servers have names in other character sets than UTF-8, and say nothing of which. Their bytes are shown as `\xHH`,
//! and where a server is one of those, such a name is sent back as these bytes. So every file can be fetched, and none
//! is taken for another; to guess the character set would do better only where the guess is right.

use super::reply_reader::Heard;
use alloc::string::String;

/// What follows the last slash.
pub(super) fn last_component(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Whether a file of this name can be stored in one directory without leaving it.
pub(super) fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains('/') && !name.contains(char::is_control)
}

/// Whether a file of this path can be stored below a directory without leaving it.
pub(super) fn is_below(path: &str) -> bool {
    path.split('/').all(is_plain)
}

/// The directories above a path, the outermost first: `a` and `a/b` of `a/b/c`.
pub(super) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// A path below a directory; none of the two holds a slash at its joint.
pub(super) fn join(directory: &str, name: &str) -> String {
    match directory {
        "" => name.into(),
        _ => alloc::format!("{}/{name}", directory.trim_end_matches('/')),
    }
}

/// A line whose `\xHH` stand for bytes, as a text in which each character does. `None`: it has none of these.
pub(super) fn byte_per_char(line: &str) -> Option<String> {
    let (mut text, mut rest, mut found) = (String::new(), line, false);
    while let Some(c) = rest.chars().next() {
        let (shown, bytes) = rest.split_at(c.len_utf8());
        if let Some((byte, after)) = escaped(rest) {
            text.push(char::from(byte));
            (rest, found) = (after, true);
        } else {
            text.extend(shown.bytes().map(char::from));
            rest = bytes;
        }
    }
    found.then_some(text)
}

/// A byte that is not ASCII, written `\xHH`, and what follows it.
fn escaped(text: &str) -> Option<(u8, &str)> {
    let (digits, after) = text.strip_prefix("\\x")?.split_at_checked(2)?;
    let is_ours = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'));
    let byte = u8::from_str_radix(digits, 16).ok().filter(|byte| is_ours && !byte.is_ascii())?;
    Some((byte, after))
}

/// The path in the answer to PWD, if it is one that names can be joined to.
pub(super) fn base_of(reply: &Heard) -> Option<String> {
    quoted(reply.text()).filter(|path| reply.code == 257 && path.starts_with('/'))
}

/// The name in a 257 (RFC 959, appendix II): in quotes, a quote in it doubled.
pub(super) fn quoted(text: &str) -> Option<String> {
    let mut name = String::new();
    let mut chars = text.split_once('"')?.1.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => match chars.next() {
                Some('"') => name.push('"'),
                _ => return Some(name).filter(|name| !name.is_empty()),
            },
            c => name.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;
    use alloc::vec::Vec;

    #[test]
    fn a_name_that_leaves_its_directory_is_not_plain() {
        for name in ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\0", "a\u{1b}[2J", "a\u{85}"] {
            assert!(!is_plain(name), "{name:?}");
        }
        assert!(is_plain("..x") && is_plain("ü b.png") && is_plain("-rf") && is_plain(".hidden"));
    }

    #[test]
    fn a_path_below_a_directory_stays_there() {
        for path in ["", "/a", "a/", "a//b", "a/../b", "./a", "a/b\n"] {
            assert!(!is_below(path), "{path:?}");
        }
        assert!(is_below("a") && is_below("a/b c/..d"));
        assert_eq!(parents("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(parents("a").count(), 0);
        assert_eq!((join("", "a").as_str(), join("/", "a").as_str(), join("a/b", "c").as_str()), ("a", "/a", "a/b/c"));
    }

    #[test]
    fn a_name_that_is_no_utf_8_is_sent_as_the_bytes_that_it_had() {
        let name = super::super::listing::text(b"RETR gr\xfc\xdfe \xc3\xbc \x41");
        let wire = byte_per_char(&name).unwrap();
        assert_eq!(
            wire.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>().unwrap(),
            b"RETR gr\xfc\xdfe \xc3\xbc A"
        );
        for plain in ["RETR ü", "RETR \\x41", "RETR \\xfc", "RETR \\xF", "RETR \\xFé"] {
            assert_eq!(byte_per_char(plain), None, "{plain}");
        }
    }

    #[test]
    fn the_name_in_a_257_is_unquoted() {
        assert_eq!(quoted("\"/a \"\"b\"\"\" created"), Some("/a \"b\"".to_owned()));
        assert_eq!(quoted("/a created"), None);
        assert_eq!(quoted("\"/a"), None);
        assert_eq!(quoted("\"\" created"), None);
    }
}
