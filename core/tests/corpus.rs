//! Replays the committed fuzz corpora, so that what fuzzing once found stays found.

#[path = "../../fuzz/checks/command.rs"]
mod command;

use std::fs;
use std::path::Path;

#[test]
fn the_command_corpus_holds() {
    // Goal: every input that fuzzing or a reader of the code thought of keeps the laws of the wire.
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/command");
    let mut replayed = 0;
    for file in fs::read_dir(&corpus).expect("the corpus is committed") {
        let path = file.expect("the corpus can be read").path();
        let input = fs::read(&path).expect("a corpus file can be read");
        let holds = std::panic::catch_unwind(|| command::check(&input)).is_ok();
        assert!(holds, "{} breaks a law", path.display());
        replayed += 1;
    }
    assert!(replayed >= 20, "only {replayed} corpus files");
}
