//! What the values of the users file look like.

use crate::settings::{Form, Size};
use mayfly_core::network::Network;
use mayfly_core::path::VirtualPath;
use mayfly_core::user::Rights;
use std::num::NonZeroU64;

/// Where a user begins, with `%u` for the name.
#[derive(Clone, Debug)]
pub(super) struct Home(String);

impl Home {
    /// That user's.
    pub(super) fn of(&self, name: &str) -> Option<VirtualPath> {
        VirtualPath::parse(&self.0.replace("%u", name)).ok()
    }
}

impl Form for Home {
    fn form() -> String {
        "a path such as \"/\" or \"/home/%u\", where %u stands for the user's name".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        let home = Self(text.to_owned());
        let is_plain = text.starts_with('/') && !text.split('/').any(|component| [".", ".."].contains(&component));
        (is_plain && home.of("name").is_some()).then_some(home)
    }
}

/// What a user may do; none is a value of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed(pub(super) Rights);

impl Form for Allowed {
    const IS_LIST: bool = true;

    fn form() -> String {
        Option::<Rights>::form()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// A number of bytes, or no bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaybeSize(pub(super) Option<u64>);

impl Form for MaybeSize {
    fn form() -> String {
        format!("{}, or \"none\"", Size::form())
    }

    fn read(text: &str) -> Option<Self> {
        if text == "none" { Some(Self(None)) } else { Size::read(text).map(|size| Self(Some(size.0))) }
    }
}

/// A number of files, or no bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaybeCount(pub(super) Option<u64>);

impl Form for MaybeCount {
    fn form() -> String {
        "a whole number of files up to 1000000000, or \"none\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self(None));
        }
        let count = text.parse().ok()?;
        (count <= FILES_MAX).then_some(Self(Some(count)))
    }
}

/// Bytes a second, or no bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate(pub(super) Option<NonZeroU64>);

impl Form for Rate {
    fn form() -> String {
        "bytes a second such as \"1MiB\" (B, KiB, MiB, GiB or TiB), or \"none\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "none" {
            Some(Self(None))
        } else {
            NonZeroU64::new(Size::read(text)?.0).map(|rate| Self(Some(rate)))
        }
    }
}

/// Whence somebody may come; none: from anywhere.
#[derive(Clone, Debug)]
pub(super) struct Addresses(pub(super) Option<Vec<Network>>);

impl Form for Addresses {
    const IS_LIST: bool = true;

    fn form() -> String {
        "\"any\", or a list of networks such as \"192.0.2.0/24,2001:db8::/32\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "any" => Some(Self(None)),
            _ => text
                .split(',')
                .map(|network| network.trim().parse().ok())
                .collect::<Option<_>>()
                .map(|all| Self(Some(all))),
        }
    }
}

/// The subject of a certificate.
#[derive(Clone, Debug)]
pub(super) struct Subject(pub(super) String);

impl Form for Subject {
    fn form() -> String {
        "the subject of a client certificate such as \"CN=anna, O=Example\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains(char::is_control)).then(|| Self(text.to_owned()))
    }
}

const FILES_MAX: u64 = 1_000_000_000;
