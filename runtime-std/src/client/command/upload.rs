//! `upload`.

use super::super::calls::Calls;
use super::super::progress::{Progress, say};
use super::super::remote::Remote;
use super::super::{Failure, FailureKind, LocalTree, Source, TreeOptions, show};
use super::common::{Common, Jobs, with_progress};
use super::token;
use super::value::{self, path_or_made_up};
use super::{is_dash, misused};
use crate::exit::Exit;
use clap::Args;
use mayfly_core::record::Token;
use std::path::{Path, PathBuf};

/// Of `upload`.
#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// Files to send; - is standard input. With -r directories too: photos goes up as photos, photos/ as what is in it
    #[arg(required = true, num_args = 1.., value_name = "FILES")]
    files: Vec<PathBuf>,
    #[arg(value_name = "URL", help = URL_HELP)]
    url: Remote,
    /// When the path shall expire: 7d, 12h, 2030-12-31 (to its end, UTC), 2030-12-31T18:00:00+01:00, never
    #[arg(long, value_name = "DATE", value_parser = value::date)]
    expires: Option<String>,
    /// Add to a path that is there already, and leave its date alone, whatever --expires says; where there is none, or
    /// it has expired, make it with the date of --expires, and without --expires send nothing
    #[arg(long)]
    add: bool,
    /// With --add: the token that proves who made the path (an upload's --json has it), so that what broke off in an
    /// earlier run can go on, and files can be replaced
    #[arg(long, value_name = "TOKEN", value_parser = value::token, requires = "add")]
    token: Option<Token>,
    /// File for the token of the path that is made, readable by nobody else; with --add the token is read from there
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// Send whole directories, without following links
    #[arg(short, long)]
    recursive: bool,
    /// What standard input is called on the server
    #[arg(long, value_name = "NAME", default_value = "stdin")]
    name: String,
    #[command(flatten)]
    jobs: Jobs,
    #[command(flatten)]
    common: Common,
}

/// Uploads files, and prints what to hand on.
pub(crate) fn upload<C: Calls>(binary: &str, args: &UploadArgs) -> Exit {
    let UploadArgs { files, url, recursive, jobs, common, .. } = args;
    if files.iter().filter(|file| is_dash(file)).count() > 1 {
        return misused("standard input can be sent once only", "name - once");
    }
    let url = &match common.secured(url) {
        Ok(url) => url,
        Err(exit) => return exit,
    };
    let (path, made_up) = match path_or_made_up(&url.path) {
        Ok(path) => path,
        Err(error) => return misused(&format!("no randomness for a path: {error}"), "name a path in the URL"),
    };
    let outcome = args.proof().and_then(|token| {
        if *recursive || jobs.number() > 1 || token.is_some() {
            upload_tree::<C>(binary, args, url, &path, token)
        } else {
            upload_files::<C>(binary, args, url, &path)
        }
    });
    outcome.unwrap_or_else(|failure| {
        if leaves_something(&failure) {
            match failure.token.as_deref().filter(|_| !common.json) {
                Some(token) => show::upload_left(url, &path, *token),
                None if made_up => say(&format_args!("note: what came over, if anything, is at {}", url.url(&path))),
                None => {}
            }
        }
        show::failed(&failure, common.json)
    })
}

fn upload_files<C: Calls>(binary: &str, args: &UploadArgs, url: &Remote, path: &str) -> Result<Exit, Failure> {
    let UploadArgs { expires, add, common, .. } = args;
    let sources = args.files.iter().map(|file| args.source(file)).collect::<Result<Vec<Source>, Failure>>()?;
    let send = if *add { C::add } else { C::upload };
    let uploaded = with_progress(url, common, &args.progress(), |client: &mut C, _| {
        send(client, &sources, path, expires.as_deref())
    })?;
    Ok(show::uploaded(binary, url, path, &uploaded, common.json))
}

fn upload_tree<C: Calls>(
    binary: &str,
    args: &UploadArgs,
    url: &Remote,
    path: &str,
    token: Option<Token>,
) -> Result<Exit, Failure> {
    let UploadArgs { files, expires, add, recursive, jobs, common, .. } = args;
    let tree = if *recursive {
        let (dashes, paths): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(|file| is_dash(file));
        LocalTree::read(&paths)?.with(dashes.iter().map(|_| Source::standard_input(&args.name)))?
    } else {
        LocalTree::default().with(files.iter().map(|file| args.source(file)).collect::<Result<Vec<_>, Failure>>()?)?
    };
    let number = jobs.number();
    let outcome = with_progress(url, common, &args.progress(), |client: &mut C, progress| {
        let (progress, add) = (progress.clone(), *add);
        let watch = move |job| progress.watcher(job);
        let options = TreeOptions { jobs: number, add, token, watch: Some(Box::new(watch)), ..TreeOptions::default() };
        Ok(client.upload_tree(&tree, path, expires.as_deref(), &options))
    })?;
    Ok(match outcome {
        Ok(report) => show::tree_uploaded(binary, url, path, &report, *recursive, common.json),
        Err(failed) => show::tree_upload_failed(url, path, &failed, common.json),
    })
}

impl UploadArgs {
    /// What proves that the path to add to is the caller's own.
    fn proof(&self) -> Result<Option<Token>, Failure> {
        match (&self.token_file, self.token) {
            _ if !self.add => Ok(None),
            (_, Some(token)) => Ok(Some(token)),
            // Where it is not there yet, the path may be made anew.
            (Some(path), None) if path.exists() => token::read(path).map(Some),
            (Some(_), None) => Ok(None),
            (None, None) => token::given(),
        }
    }

    /// What shows how it goes, and keeps the token.
    fn progress(&self) -> Progress {
        self.common.progress(self.jobs.number()).keeping_tokens(self.token_file.clone())
    }

    fn source(&self, file: &Path) -> Result<Source, Failure> {
        if is_dash(file) { Ok(Source::standard_input(&self.name)) } else { Source::file(file) }
    }
}

/// Whether a failed upload has made its path all the same.
fn leaves_something(failure: &Failure) -> bool {
    use FailureKind::{Interrupted, NoSpace, Partial, TimedOut};
    !failure.done.is_empty() || matches!(failure.kind, Partial | Interrupted | NoSpace | TimedOut)
}

const URL_HELP: &str = "ftp://[user[:password]@]host[:port]/path; without a path, an unguessable one is made up; the \
    password may stand in MAYFLY_PASSWORD or ~/.netrc instead, else it is asked for";
