//! Where a download goes: a directory, or standard output. What a server names never leaves the directory, and nothing
//! shows under a file's name before all of it is there.

use super::place::{self, Place as Folder};
use super::source::fault;
use mayfly_core::client::event::{Fault, MoveError};
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use std::fs::{File, FileTimes};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where a download goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Into this directory, which is made if missing, as are those below it that a tree needs. A file of the same name
    /// is replaced.
    Directory(PathBuf),
    /// One file after the other to standard output.
    StandardOutput,
}

/// What tells one file of one version from any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) size_bytes: Option<u64>,
    pub(super) modified_s: Option<i64>,
}

/// A file that is being received.
#[derive(Debug)]
pub(super) struct OpenSink {
    identity: Identity,
    written_bytes: u64,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// Under its partial name. `kept` once it stands under its own.
    Partial {
        folder: Folder,
        file: File,
        partial: String,
        target: String,
        kept: bool,
    },
    Output,
}

impl OpenSink {
    /// Opens a sink, in place of `before`. What is there of this very file is gone on from, if `resume`.
    pub(super) fn open(
        destination: &Destination,
        identity: Identity,
        resume: bool,
        before: Option<Self>,
    ) -> Result<Self, Fault> {
        match (destination, before) {
            (_, Some(before)) if resume && before.identity == identity && !before.is_kept() => Ok(before),
            (Destination::Directory(directory), before) => {
                drop(before);
                Self::open_partial(directory, identity, resume)
            }
            (Destination::StandardOutput, Some(before)) if before.goes_on(&identity) => {
                Err(Fault("it has to begin anew, and standard output cannot".to_owned()))
            }
            (Destination::StandardOutput, _) => Ok(Self { identity, written_bytes: 0, place: Place::Output }),
        }
    }

    fn open_partial(directory: &Path, identity: Identity, resume: bool) -> Result<Self, Fault> {
        let names_it = |fault: Fault| Fault(format!("{}: {}", directory.display(), fault.0));
        let (folder, target) = place::of_file(directory, &identity.name).map_err(names_it)?;
        let partial = partial_name(&target);
        let file = open_own(&folder, &partial).map_err(names_it)?;
        let place = Place::Partial { folder, file, partial, target, kept: false };
        let mut sink = Self { written_bytes: 0, place, identity };
        sink.position(resume).map_err(|error| fault(&error))?;
        Ok(sink)
    }

    /// Stands at the end of what is there of this very file, else empty.
    fn position(&mut self, resume: bool) -> io::Result<()> {
        let Place::Partial { file, .. } = &mut self.place else { return Ok(()) };
        let there = file.metadata()?;
        let Identity { size_bytes, modified_s, .. } = self.identity;
        // Each part has the time of the whole; where it has another, who knows what that is a part of.
        let is_part = modified_s == Some(there.mtime()) && size_bytes.is_some_and(|size| there.len() <= size);
        self.written_bytes = if resume && is_part { there.len() } else { 0 };
        file.set_len(self.written_bytes)?;
        file.seek(SeekFrom::Start(self.written_bytes))?;
        Ok(())
    }

    /// How many bytes are there, from the file's beginning on.
    pub(super) fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    /// Appends, but nothing beyond the size that the server told. May block.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), MoveError> {
        let room = self.identity.size_bytes.map_or(u64::MAX, |size| size.saturating_sub(self.written_bytes));
        let kept = usize::try_from(room).ok().and_then(|room| bytes.get(..room)).unwrap_or(bytes);
        self.append(kept).map_err(MoveError::Local)?;
        if kept.len() < bytes.len() { Err(MoveError::TooMuch) } else { Ok(()) }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let written = match (&mut self.place, self.identity.modified_s) {
            // Now already, for this process may be killed at any time.
            (Place::Partial { file, .. }, Some(modified_s)) => {
                file.write_all(bytes).and_then(|()| set_modified(file, modified_s))
            }
            (Place::Partial { file, .. }, None) => file.write_all(bytes),
            (Place::Output, _) => io::stdout().write_all(bytes),
        };
        written.map_err(|error| fault(&error))?;
        self.written_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Gives it its name and time. May block.
    pub(super) fn keep(&mut self, modified_s: Option<i64>) -> Result<(), Fault> {
        match &mut self.place {
            Place::Partial { folder, file, partial, target, kept } => {
                if let Some(modified_s) = modified_s {
                    set_modified(file, modified_s).map_err(|error| fault(&error))?;
                }
                rustix::fs::renameat(&*folder, &*partial, &*folder, &*target).map_err(|errno| fault(&errno.into()))?;
                *kept = true;
                Ok(())
            }
            Place::Output => io::stdout().flush().map_err(|error| fault(&error)),
        }
    }

    fn is_kept(&self) -> bool {
        matches!(self.place, Place::Partial { kept: true, .. })
    }

    /// Whether bytes of that file, perhaps of another version, are there.
    fn goes_on(&self, identity: &Identity) -> bool {
        self.identity.name == identity.name && self.written_bytes > 0
    }
}

impl Drop for OpenSink {
    fn drop(&mut self) {
        let Place::Partial { folder, file, partial, kept: false, .. } = &self.place else { return };
        // Where this fails, the next download only begins anew.
        let _ = match (self.written_bytes, self.identity.modified_s) {
            (1.., Some(modified_s)) => set_modified(file, modified_s),
            _ => rustix::fs::unlinkat(folder, partial, AtFlags::empty()).map_err(io::Error::from),
        };
    }
}

/// Opens a partial that is this user's own and that nobody else writes to.
fn open_own(folder: &Folder, partial: &str) -> Result<File, Fault> {
    // In a directory that others write to as well, a name may lead elsewhere, or to a file of theirs.
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(folder, partial, flags, Mode::from_raw_mode(0o666)).map(File::from);
    let file = file.map_err(|errno| fault(&errno.into()))?;
    let there = file.metadata().map_err(|error| fault(&error))?;
    if !there.is_file() || there.uid() != rustix::process::geteuid().as_raw() || there.nlink() > 1 {
        return Err(Fault(format!("{partial} is in the way; remove it")));
    }
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| Fault("another download writes it".to_owned()))?;
    Ok(file)
}

pub(super) fn set_modified(file: &File, modified_s: i64) -> io::Result<()> {
    let distance = Duration::from_secs(modified_s.unsigned_abs());
    let modified: Option<SystemTime> =
        if modified_s < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    modified.map_or(Ok(()), |modified| file.set_times(FileTimes::new().set_modified(modified)))
}

/// The name that a file has until it is whole.
fn partial_name(name: &str) -> String {
    // A name has at most 255 bytes; the end of a longer one tells it well enough from others, and size and time do.
    let cut = (0..=name.len()).find(|&at| name.is_char_boundary(at) && name.len() - at <= NAME_BYTES_LEFT);
    format!(".{}{PARTIAL_SUFFIX}", &name[cut.unwrap_or(name.len())..])
}

const PARTIAL_SUFFIX: &str = ".mayfly-part";
const NAME_BYTES_LEFT: usize = mayfly_core::limits::NAME_BYTES_MAX - PARTIAL_SUFFIX.len() - 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(size_bytes: u64, modified_s: i64) -> Identity {
        Identity { name: "ü 1.png".to_owned(), size_bytes: Some(size_bytes), modified_s: Some(modified_s) }
    }

    #[test]
    fn a_broken_download_goes_on_only_with_the_very_same_file() {
        let dir = tempfile::tempdir().unwrap();
        let to = Destination::Directory(dir.path().join("made"));
        let open = |identity, resume| OpenSink::open(&to, identity, resume, None);
        let mut sink = open(identity(10, 1_000_000_000), true).unwrap();
        assert_eq!(sink.written_bytes(), 0);
        sink.write(b"hello").unwrap();
        assert!(open(identity(10, 1_000_000_000), true).unwrap_err().0.contains("another"));
        drop(sink);
        assert!(!dir.path().join("made/ü 1.png").exists());
        // Of another time or smaller than what is there: not the same file.
        let mut sink = open(identity(10, 1_000_000_000), true).unwrap();
        assert_eq!(sink.written_bytes(), 5);
        sink.write(b"world").unwrap();
        sink.keep(Some(1_000_000_000)).unwrap();
        drop(sink);
        assert_eq!(std::fs::read(dir.path().join("made/ü 1.png")).unwrap(), b"helloworld");
        assert_eq!(std::fs::metadata(dir.path().join("made/ü 1.png")).unwrap().mtime(), 1_000_000_000);
        assert_eq!(std::fs::read_dir(dir.path().join("made")).unwrap().count(), 1, "no part is left");
        for (other, resume) in [(identity(10, 999), true), (identity(4, 1000), true), (identity(10, 1000), false)] {
            let mut sink = open(identity(10, 1000), true).unwrap();
            sink.write(b"hello").unwrap();
            drop(sink);
            assert_eq!(open(other, resume).unwrap().written_bytes(), 0);
        }
    }

    #[test]
    fn within_one_run_size_and_time_need_not_be_known() {
        let dir = tempfile::tempdir().unwrap();
        let to = Destination::Directory(dir.path().to_owned());
        let unknown = Identity { name: "a".to_owned(), size_bytes: None, modified_s: None };
        let mut sink = OpenSink::open(&to, unknown.clone(), true, None).unwrap();
        sink.write(b"hello").unwrap();
        let sink = OpenSink::open(&to, unknown.clone(), true, Some(sink)).unwrap();
        assert_eq!(sink.written_bytes(), 5);
        let sink = OpenSink::open(&to, unknown, false, Some(sink)).unwrap();
        assert_eq!(sink.written_bytes(), 0);
    }

    #[test]
    fn a_part_that_is_not_ours_is_not_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        std::fs::write(&victim, b"mine").unwrap();
        let to = Destination::Directory(dir.path().to_owned());
        let name = Identity { name: "a".to_owned(), size_bytes: None, modified_s: None };
        std::os::unix::fs::symlink(&victim, dir.path().join(".a.mayfly-part")).unwrap();
        OpenSink::open(&to, name.clone(), true, None).unwrap_err();
        std::fs::remove_file(dir.path().join(".a.mayfly-part")).unwrap();
        std::fs::hard_link(&victim, dir.path().join(".a.mayfly-part")).unwrap();
        OpenSink::open(&to, name, true, None).unwrap_err();
        assert_eq!(std::fs::read(&victim).unwrap(), b"mine");
    }

    #[test]
    fn a_download_that_was_killed_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let to = Destination::Directory(dir.path().to_owned());
        let mut sink = OpenSink::open(&to, identity(10, 1_000_000_000), true, None).unwrap();
        sink.write(b"hello").unwrap();
        // As the kernel leaves it: nothing of ours runs any more.
        let part = dir.path().join(".ü 1.png.mayfly-part");
        let left = (std::fs::read(&part).unwrap(), std::fs::metadata(&part).unwrap().modified().unwrap());
        drop(sink);
        std::fs::write(&part, left.0).unwrap();
        File::options().write(true).open(&part).unwrap().set_modified(left.1).unwrap();
        assert_eq!(OpenSink::open(&to, identity(10, 1_000_000_000), true, None).unwrap().written_bytes(), 5);
    }

    #[test]
    fn a_tree_never_leads_out_of_its_directory() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let to = Destination::Directory(dir.path().join("made"));
        let open = |name: &str| {
            let identity = Identity { name: name.to_owned(), size_bytes: None, modified_s: None };
            OpenSink::open(&to, identity, true, None)
        };
        let mut sink = open("a/b c/ü").unwrap();
        sink.write(b"x").unwrap();
        sink.keep(None).unwrap();
        drop(sink);
        assert_eq!(std::fs::read(dir.path().join("made/a/b c/ü")).unwrap(), b"x");
        std::os::unix::fs::symlink(other.path(), dir.path().join("made/link")).unwrap();
        for name in ["../x", "a/../../x", "/x", "a//x", "", ".", "a/", "link/x", "a/b c/ü/x", "a\0b"] {
            open(name).unwrap_err();
        }
        assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_longest_name_has_a_partial_name_too() {
        for name in ["a".repeat(255), "ü".repeat(127), "a".to_owned()] {
            assert!(partial_name(&name).len() <= 255, "{name}");
        }
        assert_eq!(partial_name("a"), ".a.mayfly-part");
    }
}
