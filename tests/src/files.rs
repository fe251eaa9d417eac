//! Folders of files, large ones too: written and compared piece by piece.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

/// The visible names in a folder, sorted.
///
/// # Panics
/// Where it cannot be read.
#[must_use]
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries.map(|entry| entry.expect("the folder can be read").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with(".mayfly")).collect();
    names.sort_unstable();
    names
}

/// Writes `piece` so many times into a new file.
///
/// # Panics
/// Where it cannot.
pub fn write_repeated(path: &Path, piece: &[u8], times: usize) {
    let mut file = File::create(path).expect("the folder stands");
    for number in 0..times {
        // No two pieces are the same, so that none can stand in for another.
        file.write_all(&number.to_le_bytes()).expect("there is room");
        file.write_all(&piece[size_of::<usize>()..]).expect("there is room");
    }
}

/// Compares the visible files of two folders, byte for byte.
///
/// # Panics
/// Where they differ.
pub fn assert_same(expected: &Path, got: &Path) {
    assert_eq!(names(got), names(expected), "the names in {}", got.display());
    for name in names(expected) {
        let differs = first_difference(&expected.join(&name), &got.join(&name));
        assert_eq!(differs, None, "{name} in {} differs at this byte", got.display());
    }
}

fn first_difference(a: &Path, b: &Path) -> Option<u64> {
    let [mut a, mut b] = [a, b].map(|path| File::open(path).expect("its name was listed"));
    let mut offset = 0;
    loop {
        let [mut piece_a, mut piece_b] = [Vec::new(), Vec::new()];
        let [length_a, length_b] = [(&mut a, &mut piece_a), (&mut b, &mut piece_b)]
            .map(|(file, piece)| file.take(1 << 20).read_to_end(piece).expect("it can be read"));
        if piece_a != piece_b {
            let common = piece_a.iter().zip(&piece_b).take_while(|(a, b)| a == b).count();
            return Some(offset + common as u64);
        }
        if length_a == 0 && length_b == 0 {
            return None;
        }
        offset += length_a as u64;
    }
}
