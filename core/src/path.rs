//! Virtual paths: what a client's path means, decided without a file system (never `std::path`).

use crate::limits;
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use core::fmt;
use serde::{Deserialize, Serialize};

/// The start of every name that is the server's own (DESIGN 4).
pub const RESERVED_PREFIX: &str = ".mayfly";

/// An absolute, normalised path below the root: `/`, or `/a/b` with no empty, `.` or `..` component, no control
/// character and no reserved name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VirtualPath(String);

impl VirtualPath {
    /// The root, `/`.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Reads an absolute path; a missing leading slash is forgiven.
    ///
    /// # Errors
    /// As [`VirtualPath::resolve`].
    ///
    /// ```
    /// use mayfly_core::path::VirtualPath;
    /// assert_eq!(VirtualPath::parse("/a/../b/")?.as_str(), "/b");
    /// assert_eq!(VirtualPath::parse("/../..")?.as_str(), "/");
    /// # Ok::<(), mayfly_core::path::PathError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Self::root().resolve(text)
    }

    /// What `text` means seen from this directory. `..` at the root stays at the root.
    ///
    /// # Errors
    /// [`PathError`], where the text can name nothing that a client may reach.
    ///
    /// ```
    /// use mayfly_core::path::VirtualPath;
    /// let cwd = VirtualPath::parse("/scans")?;
    /// assert_eq!(cwd.resolve("x/./y")?.as_str(), "/scans/x/y");
    /// assert_eq!(cwd.resolve("/x")?.as_str(), "/x");
    /// # Ok::<(), mayfly_core::path::PathError>(())
    /// ```
    pub fn resolve(&self, text: &str) -> Result<Self, PathError> {
        if text.chars().any(char::is_control) {
            return Err(PathError::ControlCharacter);
        }
        let mut path = if text.starts_with('/') { String::new() } else { self.0.trim_end_matches('/').to_string() };
        for component in text.split('/') {
            match component {
                "" | "." => {}
                ".." => path.truncate(path.rfind('/').unwrap_or(0)),
                name if name.starts_with(RESERVED_PREFIX) => return Err(PathError::Reserved),
                name if name.len() > limits::NAME_BYTES_MAX => return Err(PathError::TooLong),
                name => {
                    path.push('/');
                    path.push_str(name);
                }
            }
            if path.len() > limits::PATH_BYTES_MAX {
                return Err(PathError::TooLong);
            }
        }
        if path.matches('/').count() > limits::PATH_DEPTH_MAX {
            return Err(PathError::TooDeep);
        }
        if path.is_empty() {
            path.push('/');
        }
        Ok(Self(path))
    }

    /// The path as clients see it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `/`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The last component; empty for the root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The directory that holds it; the root's parent is the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self.0.rfind('/') {
            None | Some(0) => Self::root(),
            Some(end) => Self(self.0[..end].to_owned()),
        }
    }

    /// How many components it has; the root has none.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.components().count()
    }

    /// The components, root first.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|component| !component.is_empty())
    }

    /// The ancestor with `depth` components; the path itself where it has no more.
    #[must_use]
    pub fn ancestor(&self, depth: usize) -> Self {
        let end = self.0.match_indices('/').nth(depth).map(|(at, _)| at);
        match end {
            Some(0) => Self::root(),
            Some(end) => Self(self.0[..end].to_owned()),
            None => self.clone(),
        }
    }

    /// Whether it is `other` or lies beneath it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        other.is_root() || self.0.strip_prefix(&other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for VirtualPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl From<VirtualPath> for String {
    fn from(path: VirtualPath) -> Self {
        path.0
    }
}

/// Why a text is no path that a client may name. Looked up it is a 550, to be made a 553 (`MKD`: 550); DESIGN 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// It holds a control character.
    ControlCharacter,
    /// A component is the server's own.
    Reserved,
    /// It, or a component, is longer than [`limits::PATH_BYTES_MAX`] or [`limits::NAME_BYTES_MAX`].
    TooLong,
    /// It has more than [`limits::PATH_DEPTH_MAX`] components.
    TooDeep,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlCharacter => "the path holds a control character",
            Self::Reserved => "the name is reserved",
            Self::TooLong => "the path is too long",
            Self::TooDeep => "the path is too deep",
        })
    }
}

impl core::error::Error for PathError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<VirtualPath, PathError> {
        VirtualPath::parse(text)
    }

    #[test]
    fn a_path_is_normalised() {
        for (text, path) in [
            ("", "/"),
            ("/", "/"),
            ("a", "/a"),
            ("//a//b/", "/a/b"),
            ("../../a", "/a"),
            ("a/b/../../c", "/c"),
            ("/a/..", "/"),
        ] {
            assert_eq!(parse(text).unwrap().as_str(), path, "{text}");
        }
    }

    #[test]
    fn what_no_client_may_name_is_no_path() {
        assert_eq!(parse("a\rb"), Err(PathError::ControlCharacter));
        assert_eq!(parse("a/\u{85}"), Err(PathError::ControlCharacter));
        assert_eq!(parse("a/.mayfly-trash"), Err(PathError::Reserved));
        assert_eq!(parse(&"x".repeat(256)), Err(PathError::TooLong));
        assert_eq!(parse(&"x/".repeat(129)), Err(PathError::TooDeep));
        assert_eq!(parse(&"x".repeat(255)).unwrap().depth(), 1);
    }

    #[test]
    fn ancestors_run_from_the_root() {
        let path = parse("/a/b/c").unwrap();
        let all: alloc::vec::Vec<String> = (0..=4).map(|depth| path.ancestor(depth).into()).collect();
        assert_eq!(all, ["/", "/a", "/a/b", "/a/b/c", "/a/b/c"]);
        assert_eq!(path.parent().as_str(), "/a/b");
        assert!(path.is_within(&parse("/a/b").unwrap()));
        assert!(!path.is_within(&parse("/a/b/c/d").unwrap()));
        assert!(!parse("/ab").unwrap().is_within(&parse("/a").unwrap()));
    }
}
