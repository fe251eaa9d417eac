//! What a running process costs, as the kernel tells it.

use rustix::process::{Pid, Resource, Rlimit};
use std::fs;

/// What a process holds, KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All that is in memory.
    pub resident: u64,
    /// What is not shared with any file: heap and stacks.
    pub private: u64,
}

/// What this process holds now.
///
/// # Panics
/// Where it does not run.
#[must_use]
pub fn memory_kib(id: u32) -> Memory {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).expect("it runs, and is ours");
    let field = |name: &str| {
        let line = rollup.lines().find(|line| line.starts_with(name)).expect("the kernel tells it");
        line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("it is a number")
    };
    Memory { resident: field("Rss:"), private: field("Anonymous:") }
}

/// User and system time of a process so far, seconds.
///
/// # Panics
/// Where it does not run.
#[must_use]
pub fn cpu_s(id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("it runs");
    let (_, fields) = stat.rsplit_once(')').expect("its name is in parentheses");
    let ticks = fields.split_ascii_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u32>().unwrap_or_default());
    f64::from(ticks.sum::<u32>()) / USER_HZ
}

/// How many descriptors it has open.
///
/// # Panics
/// Where it does not run.
#[must_use]
pub fn descriptors(id: u32) -> u64 {
    fs::read_dir(format!("/proc/{id}/fd")).expect("it runs, and is ours").count() as u64
}

/// From now on it gets no descriptor beyond so many; none: as many as it may have.
///
/// # Panics
/// Where the system does not let us.
pub fn limit_descriptors(id: u32, count: Option<u64>) {
    let limits = fs::read_to_string(format!("/proc/{id}/limits")).expect("it runs, and is ours");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("the kernel tells it");
    // What it may raise itself to stays; where that is no number, there is no bound.
    let maximum = line.split_ascii_whitespace().nth(4).and_then(|hard| hard.parse().ok());
    let process = i32::try_from(id).ok().and_then(Pid::from_raw).expect("a process id is a positive i32");
    let limit = Rlimit { current: count.or(maximum), maximum };
    rustix::process::prlimit(Some(process), Resource::Nofile, limit).expect("it is our child");
}

/// The unit in which the kernel tells times to programs, whatever its own tick.
const USER_HZ: f64 = 100.0;
