//! Transcripts: one scenario a file, played on the core alone, on std and on smol.

mod pattern;
pub mod player;
pub mod script;

use script::Script;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Reads every transcript of this crate, in the order of their paths.
///
/// # Errors
/// What is wrong with the first one that cannot be read, with its place.
pub fn all() -> Result<Vec<Script>, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut paths = Vec::new();
    find(&root, &mut paths).map_err(|error| format!("{}: {error}", root.display()))?;
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Script::parse(path.strip_prefix(&root).unwrap_or(path), &text)
        })
        .collect()
}

/// Where a transcript's file stands.
#[must_use]
pub fn file_of(script: &Script) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts").join(&script.path)
}

fn find(directory: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            found.push(path);
        }
    }
    Ok(())
}
