//! The commands `upload`, `download` and `view`, over any client.

mod account;
mod common;
mod value;

use super::calls::Calls;
use super::progress;
use super::remote::Remote;
use super::show;
use super::{Destination, Failure, FailureKind, Source};
use crate::complain::complain;
use crate::exit::Exit;
use clap::Args;
use common::{Common, with_client};
use std::path::{Path, PathBuf};
use value::path_or_made_up;

/// Of `upload`.
#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// Files to send; - is standard input
    #[arg(required = true, num_args = 1.., value_name = "FILES")]
    files: Vec<PathBuf>,
    #[arg(value_name = "URL", help = UPLOAD_URL_HELP)]
    url: Remote,
    /// When the path shall expire: 7d, 12h, 2030-12-31 (to its end, UTC), 2030-12-31T18:00:00+01:00, never
    #[arg(long, value_name = "DATE", value_parser = value::date)]
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

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn misused(what: &str, hint: &str) -> Exit {
    complain(&format_args!("{what}\nhint: {hint}"));
    Exit::Usage
}

const URL_HELP: &str =
    "ftp://[user[:password]@]host[:port]/path; MAYFLY_PASSWORD may hold the password, or it is asked for";
const UPLOAD_URL_HELP: &str = "ftp://[user[:password]@]host[:port]/path; without a path, an unguessable one is made up; \
    MAYFLY_PASSWORD may hold the password, or it is asked for";
