//! Who may do what.

use crate::path::VirtualPath;
use crate::record::{ANONYMOUS, Record, RecordAt, Token};
use crate::settings::Settings;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU64;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// One thing that an account may be allowed to do (DESIGN 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Right {
    /// See names: LIST, NLST, MLSD, MLST, STAT of a path.
    List,
    /// Read files: RETR.
    Read,
    /// Make what is not there: MKD, STOR and RNTO of a new name.
    Write,
    /// Replace or change files that are there: STOR over one, APPE to one, MFMT.
    Overwrite,
    /// Remove: DELE, RMD.
    Delete,
    /// Rename: RNFR, RNTO.
    Rename,
    /// Set the expiry of one's own paths: SETEXPIRY. Whoever owns a path has every other right there, and nobody else
    /// sets its expiry whatever the rights.
    Expiry,
}

const NAMES: [(&str, Right); 7] = [
    ("list", Right::List),
    ("read", Right::Read),
    ("write", Right::Write),
    ("overwrite", Right::Overwrite),
    ("delete", Right::Delete),
    ("rename", Right::Rename),
    ("expiry", Right::Expiry),
];

/// A set of rights. Written as `list,read,write`, `all`, or `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rights(u8);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);
    /// Every right.
    pub const ALL: Self = Self(0b111_1111);
    /// What an anonymous client may do anywhere unless the operator says otherwise: list, read, write, expiry.
    pub const ANONYMOUS_DEFAULT: Self =
        Self::NONE.with(Right::List).with(Right::Read).with(Right::Write).with(Right::Expiry);

    /// These and `right`.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | 1 << right as u8)
    }

    /// These but for `right`.
    #[must_use]
    pub const fn without(self, right: Right) -> Self {
        Self(self.0 & !(1 << right as u8))
    }

    /// Whether `right` is among them.
    #[must_use]
    pub const fn allow(self, right: Right) -> bool {
        self.0 & 1 << right as u8 != 0
    }
}

impl FromStr for Rights {
    type Err = UnknownRight;

    fn from_str(text: &str) -> Result<Self, UnknownRight> {
        match text.trim() {
            "all" => return Ok(Self::ALL),
            "none" | "" => return Ok(Self::NONE),
            _ => {}
        }
        text.split(',').try_fold(Self::NONE, |rights, word| {
            NAMES
                .iter()
                .find(|(name, _)| *name == word.trim())
                .map(|(_, right)| rights.with(*right))
                .ok_or(UnknownRight)
        })
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => return f.write_str("all"),
            Self::NONE => return f.write_str("none"),
            _ => {}
        }
        let words: Vec<&str> = NAMES.iter().filter(|(_, right)| self.allow(*right)).map(|(name, _)| *name).collect();
        f.write_str(&words.join(","))
    }
}

impl TryFrom<String> for Rights {
    type Error = UnknownRight;

    fn try_from(text: String) -> Result<Self, UnknownRight> {
        text.parse()
    }
}

impl From<Rights> for String {
    fn from(rights: Rights) -> Self {
        alloc::format!("{rights}")
    }
}

/// A word that names no right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRight;

impl fmt::Display for UnknownRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rights are a list of list, read, write, overwrite, delete, rename, expiry; or all, or none")
    }
}

impl core::error::Error for UnknownRight {}

/// Who a session is logged in as, and what holds for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// The name that owns what it makes.
    pub name: String,
    /// What it may do in every place that it may see.
    pub rights: Rights,
    /// Where it begins, and what `~` stands for.
    #[serde(default = "VirtualPath::root")]
    pub home: VirtualPath,
    /// Whether what lies outside its home is for it as if it were not there.
    #[serde(default)]
    pub confined: bool,
    /// How long its paths live, where that is not as `Settings` says.
    #[serde(default)]
    pub expiry: ExpiryPolicy,
    /// How much may stand below its home; none: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// The most bytes of a second that an upload brings; none: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_bytes_per_s: Option<NonZeroU64>,
    /// The most bytes of a second that a download takes; none: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_bytes_per_s: Option<NonZeroU64>,
}

/// What one user's paths have in place of what `Settings` says; none: that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExpiryPolicy {
    /// In place of `Settings::default_expiry_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Lifetime>,
    /// In place of `Settings::max_expiry_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Lifetime>,
    /// In place of `Settings::require_expiry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
}

/// How long something may live. JSON: `"unbounded"`, `{"seconds":60}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifetime {
    /// For ever.
    Unbounded,
    /// So many seconds.
    Seconds(u64),
}

impl Lifetime {
    /// In seconds; none: for ever.
    #[must_use]
    pub fn seconds(self) -> Option<u64> {
        match self {
            Self::Unbounded => None,
            Self::Seconds(seconds) => Some(seconds),
        }
    }
}

impl ExpiryPolicy {
    /// What holds: this, and where it is silent, what `settings` says.
    ///
    /// ```
    /// use mayfly_core::settings::Settings;
    /// use mayfly_core::user::{ExpiryPolicy, Lifetime};
    /// let policy = ExpiryPolicy { max: Some(Lifetime::Seconds(60)), ..ExpiryPolicy::default() };
    /// assert_eq!(policy.over(&Settings::default()).max_s, Some(60));
    /// ```
    #[must_use]
    pub fn over(&self, settings: &Settings) -> ExpiryRules {
        let own = |own: Option<Lifetime>, general_s| own.map_or(general_s, Lifetime::seconds);
        ExpiryRules {
            default_s: own(self.default, settings.default_expiry_s),
            max_s: own(self.max, settings.max_expiry_s),
            required: self.required.unwrap_or(settings.require_expiry),
        }
    }
}

/// What holds of the expiry that somebody's paths may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpiryRules {
    /// Given to a new top-level path, seconds; none: `max_s`.
    pub default_s: Option<u64>,
    /// The furthest from now, seconds, and `never` is refused; none: no bound.
    pub max_s: Option<u64>,
    /// Whether uploads go only into a path that expires.
    pub required: bool,
}

/// How much may stand in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quota {
    /// Bytes of all files; none: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Files and directories; none: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
}

/// A quota, and the place whose content it bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeQuota {
    /// The place: all that stands beneath it counts.
    pub home: VirtualPath,
    /// How much may.
    #[serde(flatten)]
    pub quota: Quota,
}

impl Account {
    /// The account of this name with these rights everywhere, and no bounds.
    #[must_use]
    pub fn new(name: String, rights: Rights) -> Self {
        Self {
            name,
            rights,
            home: VirtualPath::root(),
            confined: false,
            expiry: ExpiryPolicy::default(),
            quota: None,
            upload_bytes_per_s: None,
            download_bytes_per_s: None,
        }
    }

    /// The anonymous account with these rights.
    #[must_use]
    pub fn anonymous(rights: Rights) -> Self {
        Self::new(ANONYMOUS.into(), rights)
    }

    /// Whether it may see that path; what it may not see is for it as if it were not there.
    #[must_use]
    pub fn sees(&self, path: &VirtualPath) -> bool {
        !self.confined || path.is_within(&self.home)
    }

    /// The directory above which there is nothing for it.
    #[must_use]
    pub fn top(&self) -> VirtualPath {
        if self.confined { self.home.clone() } else { VirtualPath::root() }
    }

    /// Whether this account, which made or claimed the paths of `claims`, owns the path of `record` (DESIGN 4).
    #[must_use]
    pub fn owns(&self, claims: &[Token], record: &Record) -> bool {
        let named = self.name != ANONYMOUS && self.name == record.owner;
        named || claims.contains(&record.token)
    }

    /// What it may do at a path with these records on the way: where one of the directories on the way is its own,
    /// everything but to date it, for which it needs the right; else what it may do anywhere.
    #[must_use]
    pub fn rights_at(&self, claims: &[Token], way: &[RecordAt]) -> Rights {
        if !way.iter().any(|at| self.owns(claims, &at.record)) {
            return self.rights;
        }
        if self.rights.allow(Right::Expiry) { Rights::ALL } else { Rights::ALL.without(Right::Expiry) }
    }

    /// The quota that counts what stands at `path`.
    #[must_use]
    pub fn quota_at(&self, path: &VirtualPath) -> Option<HomeQuota> {
        let quota = self.quota.filter(|_| path.is_within(&self.home))?;
        Some(HomeQuota { home: self.home.clone(), quota })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_read_back_as_they_are_written() {
        for text in ["all", "none", "list,read", "list,read,write,expiry"] {
            assert_eq!(alloc::format!("{}", text.parse::<Rights>().unwrap()), text);
        }
        assert_eq!("list, read".parse::<Rights>().map(|r| r.allow(Right::Write)), Ok(false));
        assert_eq!("list,fly".parse::<Rights>(), Err(UnknownRight));
        assert_eq!(alloc::format!("{}", Rights::ANONYMOUS_DEFAULT), "list,read,write,expiry");
    }
    #[test]
    fn a_user_s_own_policy_outranks_the_settings_also_with_no_bound() {
        let settings = Settings {
            default_expiry_s: Some(60),
            max_expiry_s: Some(600),
            require_expiry: true,
            ..Settings::default()
        };
        let silent = ExpiryRules { default_s: Some(60), max_s: Some(600), required: true };
        assert_eq!(ExpiryPolicy::default().over(&settings), silent);
        let free =
            ExpiryPolicy { default: Some(Lifetime::Unbounded), max: Some(Lifetime::Unbounded), required: Some(false) };
        assert_eq!(free.over(&settings), ExpiryRules::default());
        let long = ExpiryPolicy { max: Some(Lifetime::Seconds(6000)), ..ExpiryPolicy::default() };
        assert_eq!(long.over(&settings), ExpiryRules { max_s: Some(6000), ..silent });
    }
}
