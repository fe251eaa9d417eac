//! The commands `upload`, `download` and `view`, over any client.

use super::calls::Calls;
use super::progress;
use super::remote::Remote;
use super::{ClientOptions, ClientSettings, Destination, Failure, FailureKind, Interrupter, Server, Source};
use super::{password, show};
use crate::clock::{Clock as _, SystemClock};
use crate::complain::complain;
use crate::exit::Exit;
use clap::Args;
use mayfly_core::client::call::ClientSettings as Settings;
use mayfly_core::date::{DateError, ExpiryDate};
use mayfly_core::wire::command::Secret;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// What all three commands take.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Let the server connect to this host for data (PORT, EPRT) instead of the other way round
    #[arg(long)]
    active: bool,
    /// Print the result as one JSON object; an upload's holds the secret token that proves who made the path
    #[arg(long)]
    json: bool,
    /// Show the dialogue on standard error, passwords hidden
    #[arg(short, long)]
    verbose: bool,
    /// How often to try again what breaks, without any headway in between
    #[arg(long, value_name = "N", default_value_t = Settings::default().retries_max)]
    retries: u32,
    /// How long to wait for a connection, a reply, or a byte to move
    #[arg(long, value_name = "TIME", value_parser = timeout, default_value = "60s")]
    timeout: Duration,
}

/// Of `upload`.
#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// Files to send; - is standard input
    #[arg(required = true, num_args = 1.., value_name = "FILES")]
    files: Vec<PathBuf>,
    #[arg(value_name = "URL", help = UPLOAD_URL_HELP)]
    url: Remote,
    /// When the path shall expire: 7d, 12h, 2030-12-31 (to its end, UTC), 2030-12-31T18:00:00+01:00, never
    #[arg(long, value_name = "DATE", value_parser = date)]
    expires: Option<String>,
    /// Add to a path that is there already, and leave its date alone, whatever --expires says; where there is none, or
    /// it has expired, make it with the date of --expires, and without --expires send nothing
    #[arg(long)]
    add: bool,
    /// What standard input is called on the server
    #[arg(long, value_name = "NAME", default_value = "stdin")]
    name: String,
    #[command(flatten)]
    common: Common,
}

/// Of `download`.
#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    #[arg(value_name = "URL", help = URL_HELP)]
    url: Remote,
    /// Files to fetch; without any, all that are in the path
    #[arg(value_name = "FILES")]
    files: Vec<String>,
    /// Directory to put them into, made if missing; files of the same name are replaced; - is standard output
    #[arg(long, value_name = "DIR", default_value = ".")]
    to: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Of `view`.
#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    #[arg(value_name = "URL", help = URL_HELP)]
    url: Remote,
    #[command(flatten)]
    common: Common,
}

/// Uploads files, and prints what to hand on.
pub(crate) fn upload<C: Calls>(binary: &str, args: &UploadArgs) -> Exit {
    let UploadArgs { files, url, expires, add, name, common } = args;
    let sources: Result<Vec<Source>, Failure> = files
        .iter()
        .map(|file| if is_dash(file) { Ok(Source::standard_input(name)) } else { Source::file(file) })
        .collect();
    let sources = match sources {
        Ok(sources) => sources,
        Err(failure) => return show::failed(&failure, common.json),
    };
    if files.iter().filter(|file| is_dash(file)).count() > 1 {
        return misused("standard input can be sent once only", "name - once");
    }
    let (path, made_up) = match path_or_made_up(&url.path) {
        Ok(path) => path,
        Err(error) => return misused(&format!("no randomness for a path: {error}"), "name a path in the URL"),
    };
    let send = if *add { C::add } else { C::upload };
    match with_client(url, common, |client: &mut C| send(client, &sources, &path, expires.as_deref())) {
        Ok(uploaded) => show::uploaded(binary, url, &path, &uploaded, common.json),
        Err(failure) => {
            if made_up && leaves_something(&failure) {
                progress::say(&format_args!("note: what came over, if anything, is at {}", url.url(&path)));
            }
            show::failed(&failure, common.json)
        }
    }
}

/// Whether a failed upload has made its path all the same.
fn leaves_something(failure: &Failure) -> bool {
    use FailureKind::{Interrupted, NoSpace, Partial, TimedOut};
    !failure.done.is_empty() || matches!(failure.kind, Partial | Interrupted | NoSpace | TimedOut)
}

/// Downloads files, and prints where they are.
pub(crate) fn download<C: Calls>(args: &DownloadArgs) -> Exit {
    let DownloadArgs { url, files, to, common } = args;
    let destination = if is_dash(to) { Destination::StandardOutput } else { Destination::Directory(to.clone()) };
    if common.json && destination == Destination::StandardOutput {
        return misused("standard output has no room for both files and JSON", "leave out --json, or name a directory");
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let outcome = with_client(url, common, |client: &mut C| client.download(&files, &url.path, &destination));
    match outcome {
        Ok(done) => {
            if done.is_empty() {
                progress::say(&"note: there are no files in it");
            }
            show::downloaded(&url.path, &done, &destination, common.json)
        }
        Err(failure) => {
            if !common.json {
                show::downloaded(&url.path, &failure.done, &destination, false);
            }
            show::failed(&failure, common.json)
        }
    }
}

/// Lists a path.
pub(crate) fn view<C: Calls>(args: &ViewArgs) -> Exit {
    let ViewArgs { url, common } = args;
    match with_client(url, common, |client: &mut C| client.view(&url.path)) {
        Ok(viewed) => show::viewed(&url.path, &viewed, common.json),
        Err(failure) => show::failed(&failure, common.json),
    }
}

/// Connects, has `call` done, and quits.
fn with_client<C: Calls, T>(
    url: &Remote,
    common: &Common,
    call: impl FnOnce(&mut C) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let watch = Some(progress::watcher(common.verbose));
    let options = ClientOptions { settings: common.settings(), watch, ..ClientOptions::default() };
    let local = |error: io::Error| Failure::new(FailureKind::Local, format!("cannot begin: {error}"));
    let mut client = C::open(options).map_err(local)?;
    let interrupter = client.interrupter();
    heed_signals(interrupter.clone()).map_err(local)?;
    let server = server(url, &interrupter)?;
    client.connect(&server)?;
    let outcome = call(&mut client)?;
    // The work is done; how the farewell goes changes nothing.
    let _ = client.quit();
    Ok(outcome)
}

impl Common {
    fn settings(&self) -> ClientSettings {
        let Self { active, retries, timeout, .. } = *self;
        let ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).max(1);
        let defaults = Settings::default();
        ClientSettings {
            active,
            retries_max: retries,
            connect_ms_max: ms.min(defaults.connect_ms_max),
            reply_ms_max: ms,
            stall_ms_max: ms,
            completion_ms_max: ms.max(defaults.completion_ms_max),
            ..defaults
        }
    }
}

/// Stops in order at the first signal, and at once at the second.
fn heed_signals(interrupter: Interrupter) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let heed = move || {
        let mut heard = false;
        for signal in signals.forever() {
            if heard {
                // Where this fails, the orderly way still goes on.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            heard = true;
            interrupter.interrupt();
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(heed).map(drop)
}

fn server(url: &Remote, interrupter: &Interrupter) -> Result<Server, Failure> {
    let nobody = Server { port: url.port, ..Server::anonymous(&url.host) };
    let Some(user) = &url.user else { return Ok(nobody) };
    let password = match (&url.password, std::env::var("MAYFLY_PASSWORD")) {
        (Some(password), _) => password.clone(),
        (None, _) if ["anonymous", "ftp"].contains(&user.as_str()) => nobody.password,
        (None, Ok(password)) => Secret(password),
        (None, Err(_)) => ask_password(user, &url.host, interrupter)?,
    };
    Ok(Server { user: user.clone(), password, ..nobody })
}

fn ask_password(user: &str, host: &str, interrupter: &Interrupter) -> Result<Secret, Failure> {
    let asked = password::ask(&format!("Password of {user} on {host}"), interrupter);
    asked.map(Secret).map_err(|error| match error.kind() {
        ErrorKind::Interrupted => Failure::new(FailureKind::Interrupted, "interrupted"),
        ErrorKind::NotFound => Failure::new(FailureKind::LoginRefused, NO_TERMINAL),
        _ => Failure::new(FailureKind::LoginRefused, format!("no password: {error}")),
    })
}

/// The URL's path, or one that nobody guesses (130 random bits), and whether it was made up.
fn path_or_made_up(path: &str) -> Result<(String, bool), getrandom::Error> {
    if !matches!(path, "" | "/") {
        return Ok((path.to_owned(), false));
    }
    let mut bytes = [0; PATH_CHARS];
    getrandom::fill(&mut bytes)?;
    let made_up = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect();
    Ok((made_up, true))
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A time in which something can happen.
fn timeout(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time < Duration::from_millis(1) => Err("in no time nothing comes; give one such as 60s".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

/// A date that no server could read is a usage error; the server judges the rest by its own clock.
fn date(text: &str) -> Result<String, String> {
    match ExpiryDate::parse(text, SystemClock.now()) {
        Err(DateError::Malformed) => {
            Err("the forms are 45s, 90m, 12h, 7d, 2030-12-31, 2030-12-31T18:00:00Z, 20301231180000, now, never"
                .to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

fn misused(what: &str, hint: &str) -> Exit {
    complain(&format_args!("{what}\nhint: {hint}"));
    Exit::Usage
}

const URL_HELP: &str =
    "ftp://[user[:password]@]host[:port]/path; MAYFLY_PASSWORD may hold the password, or it is asked for";
const UPLOAD_URL_HELP: &str = "ftp://[user[:password]@]host[:port]/path; without a path, an unguessable one is made up; \
    MAYFLY_PASSWORD may hold the password, or it is asked for";
const NO_TERMINAL: &str = "no password is given and there is no terminal to ask on; MAYFLY_PASSWORD may hold it";
/// Without what is read as something else: 32 characters, so that a byte's remainder prefers none.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const PATH_CHARS: usize = 26;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_path_is_never_the_same() {
        assert_eq!(path_or_made_up("scans").unwrap(), ("scans".to_owned(), false));
        let (one, made_up) = path_or_made_up("").unwrap();
        assert!(made_up && one.len() == PATH_CHARS && one.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(one, path_or_made_up("/").unwrap().0);
    }

    #[test]
    fn a_timeout_is_longer_than_nothing() {
        assert_eq!(timeout("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["0", "0s", "1us", "soon"] {
            timeout(text).unwrap_err();
        }
    }

    #[test]
    fn only_a_malformed_date_is_a_usage_error() {
        for text in ["7d", "2030-12-31", "never", "now", "1999-01-01T00:00:00Z"] {
            assert_eq!(date(text), Ok(text.to_owned()));
        }
        for text in ["", "soon", "7", "2030-13-01", "7d extra"] {
            date(text).unwrap_err();
        }
    }
}
