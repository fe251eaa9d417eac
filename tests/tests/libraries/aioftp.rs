//! aioftp of Python's package index. It knows no active data connections.

use crate::{Errand, Library, installed, script};
use std::process::Command;

pub(crate) const LIBRARY: Library = Library {
    name: "Python aioftp",
    checks: &[
        "login",
        "upload of a folder",
        "make_directory with its parents",
        "upload of a file into a folder",
        "change_directory",
        "list by MLSD",
        "list by LIST",
        "list of a tree",
        "list of what is not there",
        "stat",
        "download of a tree",
        "download of files",
        "download_stream from an offset",
        "upload_stream from an offset",
        "append_stream",
        "rename",
        "remove_file",
        "remove of a tree",
        "abort of a download",
        "abort of an upload",
        "sessions beside each other",
        "one passive command alone",
        "read_speed_limit",
        "quit",
    ],
    play: |errand: &Errand<'_>| {
        let mut command = Command::new("python3");
        errand.run(command.arg(script("python/aioftp_checks.py")).env("PYTHONPATH", installed("python")))
    },
};
