//! Names: what a server calls things, made fit to be shown, stored and sent back.

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
    fn the_name_in_a_257_is_unquoted() {
        assert_eq!(quoted("\"/a \"\"b\"\"\" created"), Some("/a \"b\"".to_owned()));
        assert_eq!(quoted("/a created"), None);
        assert_eq!(quoted("\"/a"), None);
        assert_eq!(quoted("\"\" created"), None);
    }
}
