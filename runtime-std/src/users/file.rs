//! The users file is read: whole and right, or not at all.

use super::Users;
use super::entry::{Entry, Wrong};
use crate::settings::{SettingsError, line_at, wrong_line};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    user: BTreeMap<Spanned<String>, Entry>,
}

impl Users {
    /// Reads the users file.
    ///
    /// # Errors
    /// [`SettingsError::UsersUnreadable`], [`SettingsError::UsersExposed`], or [`SettingsError::WrongLine`], which names
    /// file, line and what is expected.
    pub fn open(path: &Path) -> Result<Self, SettingsError> {
        let unreadable = |error| SettingsError::UsersUnreadable { path: path.to_owned(), error };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.mode() & 0o777;
        if mode & EXPOSED != 0 {
            return Err(SettingsError::UsersExposed { path: path.to_owned(), mode });
        }
        let mut text = String::new();
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(unreadable(io::Error::new(ErrorKind::FileTooLarge, "it has more than 16 MiB")));
        }
        Self::parse(path, &text)
    }

    /// Reads what stands, or shall stand, in the users file.
    ///
    /// # Errors
    /// [`SettingsError::WrongLine`]
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let tables: Tables = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            wrong(path, text, offset, error.message())
        })?;
        let mut users = Self::none(path);
        for (name, entry) in tables.user {
            let blame = |(span, problem): Wrong| {
                let offset = span.unwrap_or_else(|| name.span()).start;
                wrong(path, text, offset, &problem)
            };
            let user = entry.into_user(name.as_ref()).map_err(blame)?;
            users.by_name.insert(user.account.name.clone(), user);
        }
        Ok(users)
    }
}

/// The line with a password's hash is not repeated.
fn wrong(path: &Path, text: &str, offset: usize, problem: &str) -> SettingsError {
    match wrong_line(path, text, line_at(text, offset), problem) {
        SettingsError::WrongLine { path, line, text, problem } if text.contains("password") || text.contains('$') => {
            let text = "(a line with a password is not shown)".to_owned();
            SettingsError::WrongLine { path, line, text, problem }
        }
        error => error,
    }
}

/// Others may read or write it, or the group may write it.
const EXPOSED: u32 = 0o027;
const FILE_BYTES_MAX: u64 = 16 << 20;
