//! `download`.

use super::super::calls::Calls;
use super::super::progress::say;
use super::super::remote::Remote;
use super::super::{Destination, Failure, TreeOptions, show};
use super::common::{Common, Jobs, with_client};
use super::{URL_HELP, is_dash, misused};
use crate::exit::Exit;
use clap::Args;
use std::path::PathBuf;

/// Of `download`.
#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    #[arg(value_name = "URL", help = URL_HELP)]
    url: Remote,
    /// Files to fetch, with -r directories too; without any, all that are in the path
    #[arg(value_name = "FILES")]
    files: Vec<String>,
    /// Directory to put them into, made if missing; files of the same name are replaced; - is standard output
    #[arg(long, value_name = "DIR", default_value = ".")]
    to: PathBuf,
    /// Fetch whole directories, without following links; what is there already, of the same size and time, is left
    #[arg(short, long)]
    recursive: bool,
    #[command(flatten)]
    jobs: Jobs,
    #[command(flatten)]
    common: Common,
}

/// Downloads files, and prints where they are.
pub(crate) fn download<C: Calls>(args: &DownloadArgs) -> Exit {
    let DownloadArgs { url, to, recursive, jobs, common, .. } = args;
    let url = match common.secured(url) {
        Ok(url) => url,
        Err(exit) => return exit,
    };
    let whole = *recursive || jobs.number() > 1;
    if common.json && is_dash(to) {
        return misused("standard output has no room for both files and JSON", "leave out --json, or name a directory");
    }
    if whole && is_dash(to) {
        return misused(
            "standard output takes one file after the other",
            "leave out -r and --jobs, or name a directory",
        );
    }
    if whole { download_tree::<C>(args, &url) } else { download_files::<C>(args, &url) }
}

fn download_files<C: Calls>(args: &DownloadArgs, url: &Remote) -> Exit {
    let DownloadArgs { files, to, common, .. } = args;
    let destination = if is_dash(to) { Destination::StandardOutput } else { Destination::Directory(to.clone()) };
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let outcome = with_client(url, common, 1, |client: &mut C, _| client.download(&files, &url.path, &destination));
    match outcome {
        Ok(done) => {
            if done.is_empty() {
                say(&"note: there are no files in it; -r takes directories too");
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

fn download_tree<C: Calls>(args: &DownloadArgs, url: &Remote) -> Exit {
    let DownloadArgs { files, to, recursive, jobs, common, .. } = args;
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let number = jobs.number();
    let outcome = with_client(url, common, number, |client: &mut C, progress| {
        let (progress, recursive) = (progress.clone(), *recursive);
        let watch = move |job| progress.watcher(job);
        let options = TreeOptions { jobs: number, recursive, watch: Some(Box::new(watch)), ..TreeOptions::default() };
        Ok::<_, Failure>(client.download_tree(&files, &url.path, to, &options))
    });
    match outcome {
        Ok(Ok(report)) => {
            if report.files.is_empty() {
                say(&"note: there are no files in it");
            }
            show::tree_downloaded(&report, to, *recursive, common.json)
        }
        Ok(Err(failed)) => show::tree_download_failed(&failed, to, *recursive, common.json),
        Err(failure) => show::failed(&failure, common.json),
    }
}
