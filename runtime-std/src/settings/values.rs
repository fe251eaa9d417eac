//! What a setting's value may look like. Each form is read alike from a flag and from a TOML file.

use crate::log::LogFormat;
use crate::storage::durability::Durability;
use mayfly_core::action::PortRange;
use mayfly_core::user::Rights;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// A kind of value: how it is written, and how it is read.
pub(crate) trait Form: Sized {
    /// The right form, as an error names it.
    fn form() -> String;
    /// Whether a TOML list of such will do as well as a text with commas.
    const IS_LIST: bool = false;
    /// Reads it; none where it has not that form or lies beyond the range.
    fn read(text: &str) -> Option<Self>;
}

/// A value as a flag or a file gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<T>(pub(crate) T);

/// The text that has not the form of its setting; says which form is right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongForm(String);

impl<T: Form> FromStr for Value<T> {
    type Err = WrongForm;

    fn from_str(text: &str) -> Result<Self, WrongForm> {
        T::read(text.trim()).map(Self).ok_or_else(|| WrongForm(format!("expected {}", T::form())))
    }
}

impl fmt::Display for WrongForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongForm {}

impl<'de, T: Form> Deserialize<'de> for Value<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor(PhantomData))
    }
}

struct ValueVisitor<T>(PhantomData<T>);

impl<'de, T: Form> Visitor<'de> for ValueVisitor<T> {
    type Value = Value<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&T::form())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<T>, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value<T>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value<T>, E> {
        self.visit_str(if truth { "true" } else { "false" })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<T>, A::Error> {
        if !T::IS_LIST {
            return Err(Error::invalid_type(Unexpected::Seq, &self));
        }
        let mut texts: Vec<String> = Vec::new();
        while let Some(text) = items.next_element()? {
            texts.push(text);
        }
        self.visit_str(&texts.join(","))
    }
}

/// A time-out, in milliseconds, from `MIN_S` to `MAX_S` seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span<const MIN_S: u64, const MAX_S: u64>(pub(crate) u64);

impl<const MIN_S: u64, const MAX_S: u64> Form for Span<MIN_S, MAX_S> {
    fn form() -> String {
        let show = |s| humantime::format_duration(Duration::from_secs(s)).to_string().replace("day", " day");
        format!("a duration such as \"90s\", \"5m\" or \"1h\", from {} to {}", show(MIN_S), show(MAX_S))
    }

    fn read(text: &str) -> Option<Self> {
        let ms = u64::try_from(humantime::parse_duration(text).ok()?.as_millis()).ok()?;
        (MIN_S * 1000..=MAX_S * 1000).contains(&ms).then_some(Self(ms))
    }
}

/// How long a path may live, in seconds; none: no bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime(pub(crate) Option<u64>);

impl Form for Lifetime {
    fn form() -> String {
        "a duration such as \"12h\" or \"7d\", from 1s to 100 years, or \"none\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self(None));
        }
        let seconds = humantime::parse_duration(text).ok()?.as_secs();
        (1..=LIFETIME_S_MAX).contains(&seconds).then_some(Self(Some(seconds)))
    }
}

/// A number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count<const MIN: u32, const MAX: u32>(pub(crate) u32);

impl<const MIN: u32, const MAX: u32> Form for Count<MIN, MAX> {
    fn form() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }

    fn read(text: &str) -> Option<Self> {
        let number = text.parse().ok()?;
        (MIN..=MAX).contains(&number).then_some(Self(number))
    }
}

impl Form for bool {
    fn form() -> String {
        "true or false".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Form for PathBuf {
    fn form() -> String {
        "the name of a directory".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::from(text))
    }
}

/// A file, or none.
impl Form for Option<PathBuf> {
    fn form() -> String {
        "the name of a file, or \"none\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "" => None,
            "none" => Some(None),
            name => Some(Some(name.into())),
        }
    }
}

/// Where to listen. A port that is left out is 21.
impl Form for SocketAddr {
    fn form() -> String {
        "an address and port such as \"127.0.0.1:2121\" or \"[::]:21\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        let bare = || text.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        text.parse().ok().or_else(|| Some(Self::new(bare()?, crate::net::CONTROL_PORT)))
    }
}

/// The ports of passive data connections; none: any.
impl Form for Option<PortRange> {
    fn form() -> String {
        "a range of ports such as \"40000-40100\", from 1024 to 65535, or \"any\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "any" {
            return Some(None);
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = PortRange { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? };
        (range.first >= 1024 && range.first <= range.last).then_some(Some(range))
    }
}

/// What anonymous clients may do; none: they may not log in.
impl Form for Option<Rights> {
    fn form() -> String {
        "a list of rights such as \"list,read,write\", of list, read, write, overwrite, delete, rename, expiry; or \
         \"all\" or \"none\""
            .to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        let rights: Rights = text.parse().ok()?;
        Some((rights != Rights::NONE).then_some(rights))
    }
}

impl Form for Durability {
    fn form() -> String {
        "\"none\", \"data\" or \"full\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "data" => Some(Self::Data),
            "full" => Some(Self::Full),
            _ => None,
        }
    }
}

impl Form for LogFormat {
    fn form() -> String {
        "\"text\" or \"json\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl Form for LevelFilter {
    fn form() -> String {
        "\"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        let named = ["off", "error", "warn", "info", "debug", "trace"].contains(&text);
        named.then(|| text.parse().ok()).flatten()
    }
}

const LIFETIME_S_MAX: u64 = 100 * 366 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn reads<T: Form>(text: &str) -> bool {
        text.parse::<Value<T>>().is_ok()
    }

    #[test]
    fn a_span_is_tested_at_both_borders() {
        type Minute = Span<1, 60>;
        assert!(reads::<Minute>("1s") && reads::<Minute>("1m") && reads::<Minute>("1500ms"));
        assert!(!reads::<Minute>("999ms") && !reads::<Minute>("61s") && !reads::<Minute>("60"));
        let form = Minute::form();
        assert!(form.ends_with("from 1s to 1m"), "{form}");
    }

    #[test]
    fn lifetimes_are_durations_or_none() {
        assert_eq!(Lifetime::read("7d").map(|l| l.0), Some(Some(604_800)));
        assert_eq!(Lifetime::read("none").map(|l| l.0), Some(None));
        assert!(!reads::<Lifetime>("0s") && !reads::<Lifetime>("never") && !reads::<Lifetime>("101years"));
    }

    #[test]
    fn ports_are_a_range_of_free_ones() {
        type Ports = Option<PortRange>;
        assert_eq!(Ports::read("40000-40100"), Some(Some(PortRange { first: 40000, last: 40100 })));
        assert_eq!(Ports::read("any"), Some(None));
        assert!(reads::<Ports>("1024") && !reads::<Ports>("1023-2000"));
        assert!(!reads::<Ports>("40100-40000") && !reads::<Ports>("40000-70000"));
    }

    #[test]
    fn an_address_may_leave_port_21_out() {
        for (text, address) in [
            ("127.0.0.1:2121", "127.0.0.1:2121"),
            ("10.1.2.3", "10.1.2.3:21"),
            ("[::1]:2121", "[::1]:2121"),
            ("[::]", "[::]:21"),
            ("::1", "[::1]:21"),
        ] {
            assert_eq!(SocketAddr::read(text), address.parse().ok(), "{text}");
        }
        assert!(!reads::<SocketAddr>("localhost:21") && !reads::<SocketAddr>("2121"));
    }

    #[test]
    fn no_rights_means_no_anonymous_login() {
        assert_eq!(Option::<Rights>::read("none"), Some(None));
        assert_eq!(Option::<Rights>::read("all"), Some(Some(Rights::ALL)));
        assert!(!reads::<Option<Rights>>("list,fly"));
    }
}
