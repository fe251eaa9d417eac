//! basic-ftp of Node's package index. It knows no active data connections.

use crate::{Errand, Library, installed, script};
use std::process::Command;

pub(crate) const LIBRARY: Library = Library {
    name: "Node basic-ftp",
    checks: &[
        "access",
        "features",
        "ensureDir, cdup, removeEmptyDir",
        "send",
        "uploadFromDir",
        "size",
        "lastMod",
        "list by MLSD",
        "list by LIST -a",
        "list of what is not there",
        "downloadToDir",
        "downloadTo with startAt",
        "uploadFrom a range, appendFrom",
        "uploadFrom a stream",
        "rename",
        "remove",
        "trees both ways",
        "clearWorkingDir, removeDir",
        "the passive mode of its network alone",
        "sessions beside each other",
        "refused",
        "close",
    ],
    play: |errand: &Errand<'_>| {
        let mut command = Command::new("node");
        command.env("NODE_PATH", installed("node").join("node_modules"));
        errand.run(command.arg(script("node/basic_ftp_checks.js")))
    },
};
