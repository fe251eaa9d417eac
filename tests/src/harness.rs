//! Runs transcripts as tests: one line and one count for each, in the words of cargo's own tests.

use crate::transcript::{self, script::Script};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use std::{env, thread};

/// Tests at a time; most of them wait for sockets.
const THREADS: usize = 4;

/// Plays every transcript that `takes` and whose name holds the filter of the command line, and prints what came of it.
#[must_use]
pub fn run(
    stage: &str,
    takes: impl Fn(&Script) -> bool,
    play: impl Fn(&Script) -> Result<(), String> + Sync,
) -> ExitCode {
    // Listings show the permission bits of what the server and the stage make.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let scripts: Vec<Script> = match transcript::all() {
        Ok(scripts) => scripts.into_iter().filter(takes).collect(),
        Err(error) => return fail(&error),
    };
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let chosen: Vec<&Script> = scripts.iter().filter(|script| title(stage, script).contains(&filter)).collect();
    if env::args().any(|argument| argument == "--list") {
        for script in chosen {
            print(&format!("{}: test", title(stage, script)));
        }
        return ExitCode::SUCCESS;
    }
    print(&format!("\nrunning {} transcripts on {stage}", chosen.len()));
    let began = Instant::now();
    let faults = play_all(stage, &chosen, &play);
    for fault in &faults {
        print(&format!("\n---- {fault}"));
    }
    let verdict = if faults.is_empty() { "ok" } else { "FAILED" };
    print(&format!(
        "\ntest result: {verdict}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        chosen.len() - faults.len(),
        faults.len(),
        scripts.len() - chosen.len(),
        began.elapsed().as_secs_f32(),
    ));
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play_all(stage: &str, scripts: &[&Script], play: &(impl Fn(&Script) -> Result<(), String> + Sync)) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = catch_unwind(AssertUnwindSafe(|| play(script)))
                        .unwrap_or_else(|_| Err(format!("{}: it panicked", script.path.display())));
                    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
                    print(&format!("test {} ... {verdict}", title(stage, script)));
                    if let Err(fault) = outcome {
                        faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
                    }
                }
            });
        }
    });
    let mut faults = faults.into_inner().unwrap_or_else(PoisonError::into_inner);
    faults.sort();
    faults
}

fn title(stage: &str, script: &Script) -> String {
    format!("{stage}::{}", script.path.with_extension("").display())
}

#[expect(clippy::print_stdout, reason = "a test's output")]
fn print(line: &str) {
    println!("{line}");
}

fn fail(error: &str) -> ExitCode {
    print(&format!("\n---- {error}\n\ntest result: FAILED. 0 passed; 1 failed"));
    ExitCode::FAILURE
}
