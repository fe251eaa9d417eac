//! The settings file, and errors that name its line.

use super::Given;
use crate::tls::TlsFileError;
use std::path::{Path, PathBuf};
use std::{error, fmt, fs, io};

/// A settings file that was read.
pub(super) struct File {
    path: PathBuf,
    text: String,
    pub(super) given: Given,
}

/// Why settings are refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum SettingsError {
    /// The settings file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A line of the settings file, or of the users file, is wrong.
    WrongLine {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1 on.
        line: usize,
        /// The line.
        text: String,
        /// What is wrong, and the right form.
        problem: String,
    },
    /// The users file cannot be read.
    UsersUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The users file may be read or changed by too many.
    UsersExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A flag contradicts another one.
    WrongFlag {
        /// The flag, with its dashes.
        flag: String,
        /// What is wrong.
        problem: String,
    },
    /// A file that the settings of TLS name cannot be used.
    Tls(TlsFileError),
}

impl File {
    pub(super) fn open(path: &Path) -> Result<Self, SettingsError> {
        let unreadable = |error| SettingsError::Unreadable { path: path.to_owned(), error };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        match toml::from_str(&text) {
            Ok(given) => Ok(Self { path: path.to_owned(), text, given }),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                Err(wrong_line(path, &text, line_at(&text, offset), error.message()))
            }
        }
    }
}

impl File {
    /// Each setting, its value as TOML has it in one line, and the line that it is in, from 1 on.
    pub(super) fn entries(&self) -> Vec<(String, String, usize)> {
        // Both succeed, for it was read as TOML before.
        let values: toml::Table = self.text.parse().unwrap_or_default();
        let document = toml_edit::Document::parse(self.text.as_str());
        let entry = |(name, value): (&String, &toml::Value)| {
            let at = document.as_ref().ok()?.get(name)?.span()?.start;
            Some((name.clone(), value.to_string(), line_at(&self.text, at) + 1))
        };
        values.iter().filter_map(entry).collect()
    }
}

/// What a deserializer says of a name that it does not know, with the one that may have been meant in place of a list of all.
fn with_meant(problem: &str) -> Option<String> {
    let mut names = problem.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    let apart = |name: &str| strsim::osa_distance(unknown, name);
    let meant = names.min_by_key(|name| apart(name)).filter(|name| apart(name) <= unknown.len().div_ceil(4))?;
    Some(format!("unknown field `{unknown}`; did you mean `{meant}`?"))
}

/// Two settings contradict each other: blames the one that is `name`, given by flag or else by file.
pub(super) fn conflict(file: Option<&File>, name: &str, by_flag: bool, problem: &str) -> SettingsError {
    match file {
        Some(file) if !by_flag => {
            let line = file.text.lines().position(|line| line.trim_start().starts_with(name)).unwrap_or(0);
            wrong_line(&file.path, &file.text, line, problem)
        }
        _ => SettingsError::WrongFlag { flag: format!("--{}", name.replace('_', "-")), problem: problem.to_owned() },
    }
}

pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

pub(crate) fn wrong_line(path: &Path, text: &str, line: usize, problem: &str) -> SettingsError {
    SettingsError::WrongLine {
        path: path.to_owned(),
        line: line + 1,
        text: text.lines().nth(line).unwrap_or_default().trim().to_owned(),
        problem: with_meant(problem).as_deref().unwrap_or(problem).replace('`', "\""),
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => {
                write!(f, "cannot read the settings file {}: {error}", path.display())?;
                f.write_str("\nhint: --config names a TOML file; leave it out to do without one")
            }
            Self::UsersUnreadable { path, error } => {
                write!(f, "cannot read the users file {}: {error}", path.display())?;
                f.write_str(match error.kind() {
                    io::ErrorKind::NotFound => "\nhint: `user add NAME --users FILE` makes one",
                    _ => {
                        "\nhint: let the user that the server runs as read it, as in chgrp mayfly FILE; chmod 0640 FILE"
                    }
                })
            }
            Self::UsersExposed { path, mode } => {
                write!(f, "the users file {} may be read or changed by others (mode {mode:o})", path.display())?;
                write!(f, "\nhint: chmod g-w,o= {}", path.display())
            }
            Self::WrongLine { path, line, text, problem } => {
                write!(f, "{}, line {line}: {problem}\n  {text}", path.display())
            }
            Self::WrongFlag { flag, problem } => write!(f, "{flag}: {problem}"),
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl error::Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use crate::settings::ServeOptions;
    use clap::{FromArgMatches as _, Parser};
    use std::io::Write as _;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        given: Given,
    }

    fn with(flags: &[&str], file: &str) -> Result<ServeOptions, String> {
        let mut config = tempfile::NamedTempFile::new().unwrap();
        config.write_all(file.as_bytes()).unwrap();
        let flags = Flags::try_parse_from([&["mayfly"], flags].concat()).map_err(|error| error.to_string())?;
        let read = read(&flags.given, Some(config.path()));
        let name = config.path().display().to_string();
        read.map(|(options, _)| options).map_err(|error| error.to_string().replace(&name, "mayfly.toml"))
    }

    #[test]
    fn flags_outrank_the_file_and_the_file_outranks_the_defaults() {
        let file = "max_sessions = 7\nidle_timeout = \"90s\"\nlisten = \"127.0.0.1:2121\"\nrequire_expiry = true\n";
        let options = with(&["--max-sessions", "9", "--passive-ports", "40000-40100"], file).unwrap();
        assert_eq!(options.max_sessions, 9);
        assert_eq!(options.session.idle_ms_max, 90_000);
        assert!(options.session.require_expiry);
        assert_eq!(options.session.passive_ports.map(|ports| ports.last), Some(40100));
        assert_eq!(options.listen, ["127.0.0.1:2121".parse().unwrap()]);
        assert_eq!(options.max_sessions_per_address, ServeOptions::default().max_sessions_per_address);
    }

    #[test]
    fn listen_may_be_repeated() {
        let flags = ["--listen", "127.0.0.1:2121", "--listen", "[::1]:2121"];
        assert_eq!(with(&flags, "listen = [\"10.0.0.1\"]").unwrap().listen.len(), 2);
        assert_eq!(with(&[], "listen = [\"10.0.0.1\", \"[::1]:2121\"]").unwrap().listen.len(), 2);
    }

    #[test]
    fn a_switch_needs_no_value() {
        assert!(with(&["--require-expiry"], "").unwrap().session.require_expiry);
        assert!(!with(&["--require-expiry=false"], "require_expiry = true").unwrap().session.require_expiry);
    }

    #[test]
    fn a_wrong_line_is_named_with_the_right_form() {
        for (file, expected) in [
            (
                "# ours\nmax_sessions = \"many\"\n",
                "mayfly.toml, line 2: expected a whole number from 0 to 1000000\n  max_sessions = \"many\"",
            ),
            (
                "idle_timeout = 90\n",
                "mayfly.toml, line 1: expected a duration such as \"90s\", \"5m\" or \"1h\", from 1s to 7 days\n  \
                 idle_timeout = 90",
            ),
            (
                "\n\nlisten = [\"localhost\"]\n",
                "mayfly.toml, line 3: expected an address and port such as \"127.0.0.1:2121\" or \"[::]:21\"\n  \
                 listen = [\"localhost\"]",
            ),
            (
                "max_expiry = \"1d\"\n  default_expiry = \"7d\"\n",
                "mayfly.toml, line 2: it must not lie beyond max_expiry\n  default_expiry = \"7d\"",
            ),
            (
                "tls_key = \"k.pem\"\n",
                "mayfly.toml, line 1: tls_cert must name the file with its certificate\n  tls_key = \"k.pem\"",
            ),
            (
                "\nrequire_tls = \"data\"\n",
                "mayfly.toml, line 2: it needs tls_cert and tls_key\n  require_tls = \"data\"",
            ),
            (
                "listen_tls = [\"::1\"]\n",
                "mayfly.toml, line 1: it needs tls_cert and tls_key\n  listen_tls = [\"::1\"]",
            ),
            (
                "tls_cert = \"/no/c.pem\"\n",
                "mayfly.toml, line 1: tls_key must name the file with its private key\n  tls_cert = \"/no/c.pem\"",
            ),
            (
                "tls_cert = \"/no/c.pem\"\ntls_key = \"/no/k.pem\"\ntls_client_certificates = \"ask\"\n",
                "mayfly.toml, line 3: tls_client_ca must name those who sign them\n  tls_client_certificates = \"ask\"",
            ),
        ] {
            assert_eq!(with(&[], file).unwrap_err(), expected);
        }
        let unknown = with(&[], "max_session = 1\n").unwrap_err();
        assert!(
            unknown.starts_with("mayfly.toml, line 1: unknown field \"max_session\"; did you mean \"max_sessions\"?\n"),
            "{unknown}"
        );
        let unknown = with(&[], "colour = 1\n").unwrap_err();
        assert!(unknown.starts_with("mayfly.toml, line 1: unknown field \"colour\", expected one of"), "{unknown}");
        let broken = with(&[], "max_sessions = 1\nroot = \n").unwrap_err();
        assert!(broken.starts_with("mayfly.toml, line 2: "), "{broken}");
    }

    #[test]
    fn a_wrong_flag_is_named_with_the_right_form() {
        let error = with(&["--durability", "some"], "").unwrap_err();
        assert!(
            error.contains("invalid value 'some' for '--durability <LEVEL>': expected \"none\", \"data\" or \"full\""),
            "{error}"
        );
        let error = with(&["--default-expiry", "7d", "--max-expiry", "1d"], "").unwrap_err();
        assert_eq!(error, "--default-expiry: it must not lie beyond max_expiry");
    }

    #[test]
    fn no_such_file_is_an_error() {
        let flags = Flags::command_given();
        assert!(matches!(read(&flags, Some(Path::new("/no/such/file"))), Err(SettingsError::Unreadable { .. })));
    }

    impl Flags {
        fn command_given() -> Given {
            let matches = <Self as clap::CommandFactory>::command().get_matches_from(["mayfly"]);
            Given::from_arg_matches(&matches).unwrap()
        }
    }
}
