//! Who may do what.

use crate::record::{ANONYMOUS, Record, RecordAt, Token};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
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
    /// Set the expiry of one's own paths: SETEXPIRY. Whoever owns a path has every right there, this one too, and
    /// nobody else sets its expiry whatever the rights.
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

/// Who a session is logged in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name that owns what it makes.
    pub name: String,
    /// What it may do anywhere.
    pub rights: Rights,
}

impl Account {
    /// The anonymous account with these rights.
    #[must_use]
    pub fn anonymous(rights: Rights) -> Self {
        Self { name: ANONYMOUS.into(), rights }
    }

    /// Whether this account, which made or claimed the paths of `claims`, owns the path of `record` (DESIGN 4).
    #[must_use]
    pub fn owns(&self, claims: &[Token], record: &Record) -> bool {
        let named = self.name != ANONYMOUS && self.name == record.owner;
        named || claims.contains(&record.token)
    }

    /// What it may do at a path with these records on the way: everything where one of the directories on the way is
    /// its own, else what it may do anywhere.
    #[must_use]
    pub fn rights_at(&self, claims: &[Token], way: &[RecordAt]) -> Rights {
        if way.iter().any(|at| self.owns(claims, &at.record)) { Rights::ALL } else { self.rights }
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
}
