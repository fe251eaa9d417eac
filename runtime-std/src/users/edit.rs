//! Changes the users file, whole or not at all: the new one takes the old one's place once it is on the disk. Comments
//! and order stay.

use super::Users;
use crate::settings::SettingsError;
use rustix::fs::FlockOperation;
use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, Table, value};

/// A users file that is being changed. Nobody else changes it meanwhile.
pub(super) struct Edit {
    path: PathBuf,
    directory: File,
    document: DocumentMut,
    users: Users,
    /// What it was; none: it is new.
    before: Option<Metadata>,
}

/// Why it is not changed.
#[derive(Debug)]
pub(super) enum EditError {
    /// What it holds, or would hold, is wrong.
    Wrong(SettingsError),
    /// It cannot be read or written.
    File { path: PathBuf, error: io::Error },
}

impl Edit {
    /// Begins. A file that is missing is made when this is saved.
    pub(super) fn begin(path: &Path) -> Result<Self, EditError> {
        let failed = |error| EditError::File { path: path.to_owned(), error };
        // Through a link the file itself is changed; a link in its place would be no link any more.
        let path = match path.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            path => path.map_err(failed)?,
        };
        let directory = File::open(directory_of(&path)).map_err(failed)?;
        rustix::fs::flock(&directory, FlockOperation::LockExclusive).map_err(|errno| failed(errno.into()))?;
        let (users, text, before) = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Users::none(&path), String::new(), None),
            before => {
                let users = Users::open(&path).map_err(EditError::Wrong)?;
                (users, fs::read_to_string(&path).map_err(failed)?, Some(before.map_err(failed)?))
            }
        };
        // Whatever the one reader takes, the other does: they are of the same makers.
        let document = text.parse::<DocumentMut>().map_err(|error| failed(io::Error::other(error)))?;
        Ok(Self { path, directory, document, users, before })
    }

    /// Who stands in it.
    pub(super) fn users(&self) -> &Users {
        &self.users
    }

    /// Sets these in a user's table, which is made where it is missing.
    pub(super) fn set(&mut self, name: &str, settings: &[(&str, String)]) {
        let tables = self.document.entry("user").or_insert_with(|| {
            let mut tables = Table::new();
            tables.set_implicit(true);
            Item::Table(tables)
        });
        let Some(tables) = tables.as_table_like_mut() else { return };
        let user = tables.entry(name).or_insert_with(|| Item::Table(Table::new()));
        let Some(user) = user.as_table_like_mut() else { return };
        for (key, text) in settings {
            let setting = match text.as_str() {
                "true" => value(true),
                "false" => value(false),
                text => value(text),
            };
            match (user.get_mut(key).and_then(Item::as_value_mut), setting) {
                // A comment behind it stays.
                (Some(old), Item::Value(mut new)) => {
                    *new.decor_mut() = old.decor().clone();
                    *old = new;
                }
                (_, setting) => drop(user.insert(key, setting)),
            }
        }
    }

    /// Removes a user's table.
    pub(super) fn remove(&mut self, name: &str) {
        if let Some(tables) = self.document.get_mut("user").and_then(Item::as_table_like_mut) {
            tables.remove(name);
        }
    }

    /// Puts it in force.
    pub(super) fn save(self) -> Result<(), EditError> {
        let text = self.document.to_string();
        Users::parse(&self.path, &text).map_err(EditError::Wrong)?;
        self.write(text.as_bytes()).map_err(|error| EditError::File { path: self.path.clone(), error })
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut name = self.path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
        name.push(format!(".new-{}", std::process::id()));
        let temp = self.path.with_file_name(name);
        // Left by one that was killed; nobody else writes here now.
        let _ = fs::remove_file(&temp);
        let written = self.write_new(&temp, bytes).and_then(|()| fs::rename(&temp, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&temp);
        }
        written?;
        self.directory.sync_all()
    }

    fn write_new(&self, temp: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temp)?;
        if let Some(before) = &self.before {
            // The server that reads it may run as somebody else than whoever changes it.
            let now = file.metadata()?;
            if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
                fchown(&file, Some(before.uid()), Some(before.gid()))?;
            }
            file.set_permissions(Permissions::from_mode(before.mode() & 0o640 | 0o200))?;
        }
        file.write_all(bytes)?;
        file.sync_all()
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(error) => error.fmt(f),
            Self::File { path, error } => write!(f, "cannot change the users file {}: {error}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests;
