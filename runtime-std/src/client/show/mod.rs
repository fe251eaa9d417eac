//! How the commands show what they did: results on standard output, for people or as JSON; failures on standard error,
//! with what to do.

mod tree;

pub(super) use tree::{tree_download_failed, tree_downloaded, tree_upload_failed, tree_uploaded};

use super::harmless::{harmless, harmless_lines};
use super::progress::say;
use super::remote::Remote;
use super::{Destination, Failure, FailureKind, FileDone, PathExpiry, Uploaded, Viewed};
use crate::complain::complain;
use crate::exit::Exit;
use mayfly_core::client::failure::Refusal;
use mayfly_core::date;
use mayfly_core::record::Token;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

/// Shows an upload: the URL to hand on, its date, and the line that downloads it.
pub(super) fn uploaded(binary: &str, remote: &Remote, path: &str, uploaded: &Uploaded, as_json: bool) -> Exit {
    let url = remote.url(path);
    let download = format!("{binary} download {} --to .", remote.url_and_flag(path));
    if as_json {
        let token = uploaded.token.map(String::from);
        let Uploaded { storage_path, files, .. } = uploaded;
        return result(&json!({
            "url": url, "storage_path": absolute(storage_path), "expires": utc(uploaded.expiry), "download": download,
            "token": token, "files": files,
        }));
    }
    print(&format!("{url}\n{}\n{download}\n", expiry_line(uploaded.expiry)))
}

/// Shows a download: where each file is.
pub(super) fn downloaded(path: &str, files: &[FileDone], to: &Destination, as_json: bool) -> Exit {
    let Destination::Directory(directory) = to else { return Exit::Done };
    let local = |file: &FileDone| directory.join(Path::new(&file.name).file_name().unwrap_or_default());
    if as_json {
        let files: Vec<Value> = files
            .iter()
            .map(|file| {
                let FileDone { name, size_bytes, modified_s } = file;
                json!({ "name": name, "path": local(file), "size_bytes": size_bytes, "modified_s": modified_s })
            })
            .collect();
        return result(&json!({ "storage_path": absolute(path), "files": files }));
    }
    print(&files.iter().fold(String::new(), |lines, file| format!("{lines}{}\n", local(file).display())))
}

/// Shows a listing, as the server gave it; its date beside it.
pub(super) fn viewed(path: &str, viewed: &Viewed, as_json: bool) -> Exit {
    let Viewed { listing, entries, expiry } = viewed;
    if as_json {
        return result(&json!({
            "storage_path": absolute(path), "expires": utc(*expiry), "entries": entries, "listing": listing,
        }));
    }
    let shown = print(&listing.iter().fold(String::new(), |mut lines, line| {
        lines += &harmless(line);
        lines.push('\n');
        lines
    }));
    if *expiry != PathExpiry::Unknown {
        say(&expiry_line(*expiry));
    }
    shown
}

/// Shows when a path expires from now on.
pub(super) fn dated(remote: &Remote, expiry: PathExpiry, as_json: bool) -> Exit {
    if as_json {
        let path = absolute(&remote.path);
        return result(&json!({ "url": remote.url(&remote.path), "storage_path": path, "expires": utc(expiry) }));
    }
    print(&format!("{}\n{}\n", remote.url(&remote.path), expiry_line(expiry)))
}

/// Shows that a path was taken back.
pub(super) fn revoked(remote: &Remote, as_json: bool) -> Exit {
    if as_json {
        let path = absolute(&remote.path);
        return result(&json!({ "url": remote.url(&remote.path), "storage_path": path, "revoked": true }));
    }
    print(&format!("{}\nrevoked\n", remote.url(&remote.path)))
}

/// Tells where an upload that broke off has left what came over, and how it goes on.
pub(super) fn upload_left(remote: &Remote, path: &str, token: Token) {
    let (url, token) = (remote.url(path), String::from(token));
    say(&format_args!("note: {url} holds what came over; the same with --add --token {token} goes on with it"));
}

/// Shows a failure.
pub(super) fn failed(failure: &Failure, as_json: bool) -> Exit {
    let exit = exit_of(failure.kind);
    for Refusal { name, reply, .. } in failure.refused.iter().filter(|_| failure.refused.len() > 1) {
        let words = reply.as_ref().map_or_else(|| "its name cannot be stored here".to_owned(), ToString::to_string);
        say(&format_args!("refused: {name}: {words}"));
    }
    let mut text = failure.to_string();
    if !failure.done.is_empty() {
        let _ = write!(text, " (files done before: {})", failure.done.len());
    }
    complain(&format_args!("{}\nhint: {}", harmless(&text), failure.advice()));
    if as_json {
        let Failure { kind, what, reply, done, refused, token, .. } = failure;
        result(&json!({ "error": {
            "exit": exit.code(), "kind": kind, "what": what, "reply": reply, "advice": failure.advice(),
            "done": done, "refused": refused, "token": token.as_deref().copied().map(String::from),
        }}));
    }
    exit
}

/// The exit code of a failure.
#[must_use]
pub fn exit_of(kind: FailureKind) -> Exit {
    match kind {
        FailureKind::CannotConnect => Exit::CannotConnect,
        FailureKind::LoginRefused => Exit::LoginRefused,
        FailureKind::NoSuchPath => Exit::NoSuchPath,
        FailureKind::PathExpired => Exit::PathExpired,
        FailureKind::Partial => Exit::PartialTransfer,
        FailureKind::NoSpace => Exit::NoSpace,
        FailureKind::Local => Exit::LocalFile,
        FailureKind::Tls => Exit::Tls,
        FailureKind::TimedOut => Exit::TimedOut,
        FailureKind::Protocol => Exit::Protocol,
        FailureKind::Interrupted => Exit::Interrupted,
        FailureKind::Unfit => Exit::Usage,
        // The path is there already, the server knows no dates or not this one, or it says no for another reason.
        _ => Exit::Refused,
    }
}

fn expiry_line(expiry: PathExpiry) -> String {
    match expiry {
        PathExpiry::At { utc_s } => {
            let zoned = jiff::Timestamp::from_second(utc_s).map(|at| at.to_zoned(jiff::tz::TimeZone::system()));
            let here = zoned.map(|at| format!(" ({} here)", at.strftime("%Y-%m-%d %H:%M:%S %Z"))).unwrap_or_default();
            format!("expires {}{here}", date::rfc3339(utc_s))
        }
        PathExpiry::Never => "expires never".to_owned(),
        _ => "expires: the server does not say".to_owned(),
    }
}

/// The path as every command names it.
fn absolute(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

fn utc(expiry: PathExpiry) -> Option<String> {
    match expiry {
        PathExpiry::At { utc_s } => Some(date::rfc3339(utc_s)),
        PathExpiry::Never => Some("never".to_owned()),
        _ => None,
    }
}

fn result(value: &Value) -> Exit {
    print(&format!("{value}\n"))
}

/// Writes to standard output. A result that nobody gets is a failure.
fn print(text: &str) -> Exit {
    let mut stdout = std::io::stdout().lock();
    // A program gets names as they are, but a person none that deceives.
    let text = if stdout.is_terminal() { harmless_lines(text) } else { text.to_owned() };
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format_args!("cannot write to standard output: {error}"));
            Exit::LocalFile
        }
    }
}
