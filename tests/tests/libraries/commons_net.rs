//! commons-net of Java, as Debian has it.

use crate::{Errand, Library, installed};
use std::process::Command;

pub(crate) const LIBRARY: Library = Library {
    name: "Java commons-net",
    checks: &[
        "connect",
        "login",
        "setFileType, setFileStructure, setFileTransferMode",
        "features",
        "makeDirectory, changeWorkingDirectory, changeToParentDirectory, removeDirectory",
        "sendSiteCommand",
        "storeFile",
        "getSize",
        "allocate, storeFileStream",
        "ASCII_FILE_TYPE",
        "retrieveFile",
        "retrieveFile with setRestartOffset",
        "retrieveFileStream",
        "appendFile",
        "storeFile with setRestartOffset",
        "storeUniqueFile",
        "setModificationTime",
        "getModificationTime",
        "listNames",
        "listFiles",
        "setListHiddenFiles",
        "listDirectories",
        "initiateListParsing",
        "mlistDir",
        "mlistFile",
        "getSystemType",
        "getStatus",
        "listHelp",
        "sendNoOp",
        "rename",
        "deleteFile",
        "refused",
        "abort",
        "EPSV",
        "active and passive in one session",
        "rein",
        "logout",
    ],
    play: |errand: &Errand<'_>| {
        let folder = installed("java");
        let classes = format!("{0}:{0}/commons-net.jar", folder.display());
        errand.run(Command::new("java").args(["-Dfile.encoding=UTF-8", "-cp", &classes, "CommonsNetChecks"]))
    },
};
