//! Perl's own `Net::FTP`.

use crate::{Errand, Library, script};
use std::process::Command;

pub(crate) const LIBRARY: Library = Library {
    name: "Perl Net::FTP",
    checks: &[
        "new",
        "login",
        "feature",
        "supported",
        "mkdir",
        "cwd, cdup, pwd",
        "rmdir of a tree",
        "site",
        "put",
        "size",
        "alloc, put of a handle",
        "ascii",
        "get",
        "get from an offset",
        "restart, get",
        "append",
        "restart, put",
        "put_unique",
        "mdtm",
        "ls",
        "ls of what is not there",
        "dir",
        "dir -la",
        "dir -l PATH",
        "rename",
        "delete",
        "abort of a download",
        "abort of an upload",
        "refused",
        "the other way of data connections",
        "quit",
    ],
    play: |errand: &Errand<'_>| errand.run(Command::new("perl").arg(script("perl/net_ftp_checks.pl"))),
};
