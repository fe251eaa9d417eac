//! Python's own ftplib.

use crate::{Errand, Library, script};
use std::process::Command;

pub(crate) const LIBRARY: Library = Library {
    name: "Python ftplib",
    checks: &[
        "welcome",
        "login",
        "mkd",
        "pwd",
        "SITE EXPIRY",
        "storbinary",
        "size",
        "storlines",
        "size in ASCII",
        "retrlines",
        "retrbinary",
        "retrbinary from an offset",
        "storbinary from an offset",
        "APPE",
        "STOU",
        "MFMT",
        "MDTM",
        "nlst",
        "nlst with a pattern",
        "nlst of what is not there",
        "dir",
        "dir -la",
        "mlsd",
        "mlsd with chosen facts",
        "mlsd of what is not there",
        "MLST",
        "rename",
        "delete",
        "rmd",
        "cwd ..",
        "abort",
        "STAT during a transfer",
        "refused",
        "the other way of data connections",
        "quit",
    ],
    play: |errand: &Errand<'_>| {
        let mut command = Command::new("python3");
        errand.run(command.arg(script("python/ftplib_checks.py")))
    },
};
