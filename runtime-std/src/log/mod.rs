//! The log: one event a line, as text or JSON, on standard error or in a file. Control characters and what turns the
//! direction of writing are escaped, long values are cut, passwords and tokens never come here.
//!
//! # Keys
//! Every line has `timestamp` (UTC, RFC 3339 with fractions of a second), `level` and `message`. Messages and keys are
//! stable: none changes its meaning, and more may come. A key that has nothing to say is left out. A session's lines have
//!
//! | key | |
//! |---|---|
//! | `session` | the session's number, from 1 on in each run of the server |
//! | `peer` | the client's address and port |
//! | `user` | who is logged in |
//! | `command` | the command as the table of commands has it: `STOR`, `SITE EXPIRY` |
//! | `code` | its final reply's code; 0 is SETEXPIRY's `000` |
//! | `took_ms` | how long it took, milliseconds; of a transfer, since its 150 |
//!
//! and, by `message`:
//!
//! | message | level | further keys |
//! |---|---|---|
//! | `session started` | info | |
//! | `session ended` | info | `reason`; `took_ms` is the session's |
//! | `logged in` | info | `method`: `password`, `certificate`, `anonymous` |
//! | `logged out` | info | |
//! | `login failed` | warn | `user` is the name that was tried |
//! | `connection secured` | info, of data connections debug | `kind`: `control`, `data`; `protocol`, `cipher`, `resumed`, `certificate` |
//! | `connection not secured` | warn | `kind`, `error` |
//! | `transfer ended` | info | `kind`: `upload`, `download`; `path`, `bytes` (over the data connection), `file_bytes` (where they are others: TYPE A, MODE Z) |
//! | `listing ended` | info | `path`, `bytes` |
//! | `directory made`, `removed`, `path claimed`, `token told`, `file hashed` | info | `path` |
//! | `renamed` | info | `from`, `to` |
//! | `expiry set` | info | `path`, `expires` |
//! | `facts set` | info | `path`, `facts` |
//! | `files combined` | info | `path`, `bytes` |
//! | `refused` | info | `path`, `reason`: a command that was well put and not carried out |
//! | `address refused` | warn | `address`: a bounce |
//! | `client named itself` | info | `client` |
//! | `asked`, `answered` | debug | `command` with its argument; `code`, `text` |
//! | `session fault` | error | `fault` |
//!
//! The server's own are `listening` (`address`), `a stranger came to a data port` (`stranger`, `peer`), `path expired`
//! (`path`, `expired`, `lag_s`, `backlog`), `trash emptied` (`bytes`), and what is said of settings, the reaper and the
//! system, where a sentence tells.

mod escape;
mod file;
mod line;
mod reaper;
mod session;
mod sink;
mod xferlog;

pub(crate) use escape::json_string;
pub use escape::shown;
pub use reaper::reaper_note;
pub use session::SessionLog;
pub(crate) use sink::has_begun;
pub use sink::reopen;

use file::LogFile;
use line::Lines;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{error, fmt, io};
use tracing::error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What the operator wants of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// The form of its lines.
    pub format: LogFormat,
    /// The least severe of them.
    pub level: LevelFilter,
    /// Where they go; none: standard error.
    pub file: Option<PathBuf>,
    /// The file for wu-ftpd's log of transfers; none: there is no such log.
    pub xferlog: Option<PathBuf>,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A log's file cannot be opened.
#[derive(Debug)]
pub struct LogError {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(
            f,
            "the log file {path} cannot be opened: {}\nhint: its directory must stand, and be writable",
            self.error
        )
    }
}

impl error::Error for LogError {}

/// Starts the log of this process: in this form, our own lines from this level on, warnings of what we are built from,
/// panics. Where a log runs already, that one stays.
///
/// # Errors
/// [`LogError`], where a file is asked for and cannot be opened.
pub fn start(options: &LogOptions) -> Result<(), LogError> {
    let level = options.level;
    if let Some(path) = &options.xferlog {
        // It stays where the log was started before.
        let _ = xferlog::FILE.set(Mutex::new(opened(path)?));
    }
    sink::aim(options.file.as_deref().map(opened).transpose()?);
    let ours = Targets::new().with_target("mayfly", level).with_default(level.min(LevelFilter::WARN));
    let lines = tracing_subscriber::fmt::layer().with_writer(|| sink::Sink).event_format(Lines(options.format));
    // A line that nobody can read must not end the session that wrote it, as a complaint about it would.
    let lines = lines.with_ansi(false).log_internal_errors(false);
    // An error means that the host program has its own log.
    let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload().downcast_ref::<String>().map(String::as_str);
        let what = text.or_else(|| panic.payload().downcast_ref::<&str>().copied()).unwrap_or_default();
        error!(place, what, "panic");
    }));
    if level >= LevelFilter::DEBUG {
        tracing::debug!("the dialogue of every session is logged, passwords and tokens hidden");
    }
    Ok(())
}

fn opened(path: &Path) -> Result<LogFile, LogError> {
    LogFile::open(path).map_err(|error| LogError { path: path.to_owned(), error })
}
