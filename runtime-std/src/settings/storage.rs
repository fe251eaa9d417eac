//! How settings about the storage are written: where files get dates of their own, and what is kept free.

use super::size::Size;
use super::values::{Form, Lifetime};
use crate::storage::room::MinFree;
use mayfly_core::path::VirtualPath;
use mayfly_core::settings::Keep;

/// Where files get dates of their own, and how long they live.
#[derive(Clone, Debug)]
pub(crate) struct KeepRules(pub(crate) Vec<Keep>);

impl Form for KeepRules {
    const IS_LIST: bool = true;

    fn form() -> String {
        "how long files live: a duration such as \"30d\", which holds in the root, or by folder \"/=30d,/scans=7d\"; or \
         \"none\""
            .to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self(Vec::new()));
        }
        let mut rules: Vec<Keep> = Vec::new();
        for word in text.split(',') {
            // A name may hold the sign, a duration does not.
            let (path, life) = word.rsplit_once('=').unwrap_or(("/", word));
            let path = VirtualPath::parse(path.trim()).ok().filter(|_| path.trim_start().starts_with('/'))?;
            if rules.iter().any(|rule| rule.path == path) {
                return None;
            }
            rules.push(Keep { path, life_s: Lifetime::read(life.trim())?.0? });
        }
        Some(Self(rules))
    }
}

/// What uploads leave free on the disk.
impl Form for MinFree {
    fn form() -> String {
        "a number of bytes such as \"10GiB\", a part of the disk such as \"5%\", or \"none\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::Bytes(0));
        }
        match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().filter(|percent| *percent < 100).map(Self::Percent),
            None => Size::read(text).map(|size| Self::Bytes(size.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(text: &str) -> Option<Vec<(String, u64)>> {
        let rules = KeepRules::read(text)?.0;
        Some(rules.into_iter().map(|rule| (rule.path.to_string(), rule.life_s)).collect())
    }

    #[test]
    fn files_are_kept_everywhere_or_by_folder() {
        assert_eq!(keep("none"), Some(vec![]));
        assert_eq!(keep("30d"), Some(vec![("/".to_owned(), 2_592_000)]));
        let two = vec![("/".to_owned(), 60), ("/a=b/c d".to_owned(), 604_800)];
        assert_eq!(keep("/=1m, /a=b/c d=7d"), Some(two));
        for wrong in ["", "/scans", "scans=7d", "/=none", "/=1d,/=2d", "/.mayfly-x=7d", "/a=0s", "7"] {
            assert_eq!(keep(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_kept_free_is_a_number_or_a_part() {
        assert_eq!(MinFree::read("none"), Some(MinFree::Bytes(0)));
        assert_eq!(MinFree::read("10GiB"), Some(MinFree::Bytes(10 << 30)));
        assert_eq!(MinFree::read("5%"), Some(MinFree::Percent(5)));
        for wrong in ["", "%", "100%", "-1%", "1.5%", "many"] {
            assert_eq!(MinFree::read(wrong), None, "{wrong}");
        }
    }
}
