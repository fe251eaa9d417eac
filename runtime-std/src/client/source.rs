//! What an upload sends: files, or standard input.

use mayfly_core::client::event::{Fault, SourceInfo};
use mayfly_core::client::failure::{Failure, FailureKind};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Seek as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// One file to be sent, and the name that it shall have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    from: From,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum From {
    File(PathBuf),
    /// Found in a directory: no link, and nothing that makes one wait.
    Found(PathBuf),
    StandardInput,
}

impl Source {
    /// A file under its own name.
    ///
    /// # Errors
    /// [`FailureKind::Local`], where it cannot be sent, so that nobody connects in vain: it is not there, may not be
    /// read, is a directory, or its name is not UTF-8.
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, Failure> {
        let path = path.into();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
            return Err(local(format!("{} has no name that can be sent; names are UTF-8", path.display())));
        };
        open_file(&path).map_err(|fault| local(format!("cannot read {}: {}", path.display(), fault.0)))?;
        Ok(Self { name, from: From::File(path) })
    }

    /// Standard input, under this name.
    #[must_use]
    pub fn standard_input(name: impl Into<String>) -> Self {
        Self { name: name.into(), from: From::StandardInput }
    }

    /// A file that was found in a directory, under a path of its own.
    pub(super) fn found(path: PathBuf, name: String) -> Self {
        Self { name, from: From::Found(path) }
    }

    /// The name that it shall have on the server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How large it is, as far as that is known before it is opened.
    pub(super) fn size_bytes(&self) -> u64 {
        match &self.from {
            From::File(path) | From::Found(path) => path.metadata().map_or(0, |metadata| metadata.len()),
            From::StandardInput => 0,
        }
    }

    /// Opens it to be read. May block.
    pub(super) fn open(&self) -> Result<OpenSource, Fault> {
        match &self.from {
            From::File(path) => open_file(path),
            From::Found(path) => open_found(path),
            From::StandardInput => {
                let stdin = io::stdin().as_fd().try_clone_to_owned().map_err(|error| fault(&error))?;
                OpenSource::new(File::from(stdin))
            }
        }
    }
}

/// An open source.
#[derive(Debug)]
pub(super) struct OpenSource {
    file: File,
    info: SourceInfo,
    /// Where it begins in the file: standard input may have been read from before.
    base_bytes: u64,
}

impl OpenSource {
    fn new(mut file: File) -> Result<Self, Fault> {
        let metadata = file.metadata().map_err(|error| fault(&error))?;
        if metadata.is_dir() {
            return Err(Fault("it is a directory; -r sends what is in it".to_owned()));
        }
        if !metadata.is_file() {
            let info = SourceInfo { size_bytes: None, modified_s: None, rewindable: false };
            return Ok(Self { file, info, base_bytes: 0 });
        }
        let base_bytes = file.stream_position().map_err(|error| fault(&error))?;
        let size_bytes = Some(metadata.len().saturating_sub(base_bytes));
        let info = SourceInfo { size_bytes, modified_s: Some(metadata.mtime()), rewindable: true };
        Ok(Self { file, info, base_bytes })
    }

    pub(super) fn info(&self) -> SourceInfo {
        self.info
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Where `offset_bytes` of the source lies in the file.
    pub(super) fn position(&self, offset_bytes: u64) -> u64 {
        self.base_bytes.saturating_add(offset_bytes)
    }

    /// What to wait for before more can be read; none where reading never waits for another program.
    pub(super) fn awaits(&self) -> Option<BorrowedFd<'_>> {
        (!self.info.rewindable).then(|| self.file.as_fd())
    }
}

fn open_file(path: &Path) -> Result<OpenSource, Fault> {
    File::open(path).map_err(|error| fault(&error)).and_then(OpenSource::new)
}

/// Something else may stand under the name by now.
fn open_found(path: &Path) -> Result<OpenSource, Fault> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| fault(&errno.into()))?;
    let source = OpenSource::new(File::from(file))?;
    if !source.info.rewindable {
        return Err(Fault("it is no file any more".to_owned()));
    }
    Ok(source)
}

pub(super) fn fault(error: &io::Error) -> Fault {
    Fault(error.to_string())
}

fn local(what: String) -> Failure {
    Failure::new(FailureKind::Local, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn what_cannot_be_sent_is_told_before_anybody_connects() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Source::file(dir.path().join("gone")).unwrap_err().kind, FailureKind::Local);
        assert!(Source::file(dir.path()).unwrap_err().what.contains("directory"));
        assert!(Source::file("..").unwrap_err().what.contains("no name"));
    }

    #[test]
    fn a_source_begins_where_it_stands() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"hello").unwrap();
        file.seek(io::SeekFrom::Start(2)).unwrap();
        let source = OpenSource::new(file).unwrap();
        assert_eq!((source.info().size_bytes, source.position(1)), (Some(3), 3));
        assert!(source.awaits().is_none());
    }
}
