//! How the commands show what came of trees, and of several files at a time.

use super::super::harmless::harmless;
use super::super::progress::say;
use super::super::remote::Remote;
use super::super::tree::{Failed, Skipped, TreeFailure, TreeReport};
use super::{absolute, exit_of, expiry_line, print, result, upload_left, utc};
use crate::complain::complain;
use crate::exit::Exit;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Shows an upload: the URL to hand on, its date, and the line that downloads it.
pub(in super::super) fn tree_uploaded(
    binary: &str,
    remote: &Remote,
    path: &str,
    report: &TreeReport,
    recursive: bool,
    as_json: bool,
) -> Exit {
    let url = remote.url(path);
    let flag = if recursive { "-r " } else { "" };
    let download = format!("{binary} download {flag}{} --to .", remote.url_and_flag(path));
    if as_json {
        let TreeReport { storage_path, expiry, token, files, skipped, .. } = report;
        return result(&json!({
            "url": url, "storage_path": absolute(storage_path), "expires": utc(*expiry), "download": download,
            "token": token.map(String::from), "files": files, "skipped": skipped.iter().map(left_out).collect::<Vec<_>>(),
        }));
    }
    tell_notes(report);
    print(&format!("{url}\n{}\n{download}\n", expiry_line(report.expiry)))
}

/// Shows an upload of which something did not go up.
pub(in super::super) fn tree_upload_failed(remote: &Remote, path: &str, failed: &TreeFailure, as_json: bool) -> Exit {
    let report = &failed.report;
    tell_notes(report);
    tell_failed(report);
    if let (Some(token), false) = (report.token, as_json) {
        upload_left(remote, path, token);
    }
    let exit = tell(failed);
    if as_json {
        let token = report.token.map(String::from);
        let mut error = error(failed, exit);
        error["token"] = json!(token);
        result(&json!({ "error": error }));
    }
    exit
}

/// Shows a download: where each file is.
pub(in super::super) fn tree_downloaded(report: &TreeReport, to: &Path, recursive: bool, as_json: bool) -> Exit {
    if as_json {
        let TreeReport { storage_path, skipped, .. } = report;
        return result(&json!({
            "storage_path": absolute(storage_path), "files": files(report, to, recursive),
            "skipped": skipped.iter().map(left_out).collect::<Vec<_>>(),
        }));
    }
    tell_notes(report);
    print(
        &report
            .files
            .iter()
            .fold(String::new(), |lines, file| format!("{lines}{}\n", local(&file.name, to, recursive).display())),
    )
}

/// Shows a download of which something did not come.
pub(in super::super) fn tree_download_failed(failed: &TreeFailure, to: &Path, recursive: bool, as_json: bool) -> Exit {
    if !as_json {
        tree_downloaded(&failed.report, to, recursive, false);
    }
    tell_failed(&failed.report);
    let exit = tell(failed);
    if as_json {
        let mut error = error(failed, exit);
        error["done"] = json!(files(&failed.report, to, recursive));
        result(&json!({ "error": error }));
    }
    exit
}

/// Where a file is on this host.
fn local(name: &str, to: &Path, recursive: bool) -> PathBuf {
    let name = Path::new(name);
    to.join(if recursive { name } else { Path::new(name.file_name().unwrap_or_default()) })
}

fn files(report: &TreeReport, to: &Path, recursive: bool) -> Vec<Value> {
    let file = |file: &super::FileDone| {
        let super::FileDone { name, size_bytes, modified_s } = file;
        let path = local(name, to, recursive);
        json!({ "name": name, "path": path, "size_bytes": size_bytes, "modified_s": modified_s })
    };
    report.files.iter().map(file).collect()
}

fn left_out(Skipped { name, why }: &Skipped) -> Value {
    json!({ "name": name, "why": why })
}

fn tell_notes(report: &TreeReport) {
    for Skipped { name, why } in &report.skipped {
        say(&format_args!("note: {} is left out: {why}", harmless(name)));
    }
    for failure in &report.given_up {
        say(&format_args!("note: one connection less: {}", harmless(&failure.to_string())));
    }
}

fn tell_failed(report: &TreeReport) {
    for Failed { name, what, .. } in report.failed.iter().filter(|_| report.failed.len() > 1) {
        say(&format_args!("failed: {} {}", harmless(name), harmless(what)));
    }
}

fn tell(failed: &TreeFailure) -> Exit {
    let TreeFailure { failure, report } = failed;
    let done = match report.files.len() {
        0 => String::new(),
        done => format!(" (files done: {done})"),
    };
    complain(&format_args!("{}{done}\nhint: {}", harmless(&failure.to_string()), failure.advice()));
    exit_of(failure.kind)
}

fn error(failed: &TreeFailure, exit: Exit) -> Value {
    let TreeFailure { failure, report } = failed;
    let refused = |Failed { name, kind, what }: &Failed| json!({ "name": name, "kind": kind, "what": what });
    json!({
        "exit": exit.code(), "kind": failure.kind, "what": failure.what, "reply": failure.reply,
        "advice": failure.advice(), "done": report.files,
        "failed": report.failed.iter().map(refused).collect::<Vec<_>>(),
        "skipped": report.skipped.iter().map(left_out).collect::<Vec<_>>(),
    })
}
