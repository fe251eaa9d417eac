//! Where the token of a path comes from, and where it is kept.

use super::super::{Failure, FailureKind, Token};
use super::{is_dash, value};
use clap::Args;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What proves that one made a path.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[arg(long, value_name = "TOKEN", help = TOKEN_HELP, value_parser = value::token, conflicts_with = "token_file")]
    token: Option<Token>,
    /// File that holds it, as upload --token-file has written it; - is standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl TokenArgs {
    /// The token; none: who logs in by name needs none.
    pub(super) fn token(&self) -> Result<Option<Token>, Failure> {
        match (self.token, &self.token_file) {
            (Some(token), _) => Ok(Some(token)),
            (None, Some(path)) => read(path).map(Some),
            (None, None) => given(),
        }
    }
}

/// The token in the environment.
pub(super) fn given() -> Result<Option<Token>, Failure> {
    let Ok(text) = env::var("MAYFLY_TOKEN") else { return Ok(None) };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let wrong = |error: String| Failure::new(FailureKind::Unfit, format!("MAYFLY_TOKEN: {error}"));
    value::token(text.trim()).map(Some).map_err(wrong)
}

/// The token in a file, or on standard input.
pub(super) fn read(path: &Path) -> Result<Token, Failure> {
    let local = |why: &dyn std::fmt::Display| {
        Failure::new(FailureKind::Local, format!("no token in {}: {why}", path.display()))
    };
    let mut text = String::new();
    let read = if is_dash(path) {
        io::stdin().take(TOKEN_FILE_BYTES_MAX).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(TOKEN_FILE_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| local(&error))?;
    value::token(text.trim()).map_err(|error| local(&error))
}

/// Keeps a token in a file that nobody else can read, in place of one that stands there.
pub(in super::super) fn keep(path: &Path, token: Token) -> io::Result<()> {
    // Under another name first: a file whose rights are wider, or a link, is replaced and not written to.
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let _ = fs::remove_file(&part);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    writeln!(file, "{token}")?;
    // What it is for is a process or a host that dies in the next moment.
    file.sync_all()?;
    fs::rename(&part, path)
}

const TOKEN_HELP: &str =
    "The token that the upload told, where no user is logged in (anonymous); MAYFLY_TOKEN may hold it instead";
/// Longer than a token and its line's end.
const TOKEN_FILE_BYTES_MAX: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn a_kept_token_is_read_again_and_nobody_else_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("token"), dir.path().join("other"));
        fs::write(&other, "mine").unwrap();
        symlink(&other, &path).unwrap();
        let token = value::token("00112233445566778899aabbccddeeff").unwrap();
        keep(&path, token).unwrap();
        assert!(read(&path).unwrap() == token);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(other).unwrap(), "mine");
        fs::write(&path, "no token").unwrap();
        assert_eq!(read(&path).unwrap_err().kind, FailureKind::Local);
    }
}
