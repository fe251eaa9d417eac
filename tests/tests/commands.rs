//! The command table against what stands elsewhere: the README, the transcripts, the binaries.

use mayfly_core::wire::command::parse;
use mayfly_core::wire::command::row::{EVERYWHERE, Login, Row};
use mayfly_core::wire::command::table::COMMANDS;
use mayfly_tests::process::{Driver, run};
use mayfly_tests::transcript;
use mayfly_tests::transcript::script::{Script, Step};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The README's table is the core's. `UPDATE=1` writes it.
#[test]
fn the_readme_shows_the_table() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(&readme).expect("there is a README");
    let (before, rest) = text.split_once(BEGIN).expect("it has a place for the table");
    let (shown, after) = rest.split_once(END).expect("the place has an end");
    let table = mayfly_std::commands::markdown();
    if env::var_os("UPDATE").is_some() {
        fs::write(&readme, format!("{before}{BEGIN}{table}{END}{after}")).expect("the README is ours");
    } else {
        assert_eq!(shown, table, "UPDATE=1 cargo test -p mayfly-tests --test commands");
    }
}

/// Both binaries print a line for each row, and a head.
#[test]
fn the_binaries_print_the_table() {
    for driver in [Driver::Std, Driver::Smol] {
        let printed = run(Command::new(driver.binary()).arg("commands")).succeeded().stdout;
        assert_eq!(printed, mayfly_std::commands::text());
        assert_eq!(printed.lines().count(), COMMANDS.len() + 1);
        assert!(COMMANDS.iter().zip(printed.lines().skip(1)).all(|(row, line)| line.starts_with(row.name)));
    }
}

/// Each row is exercised by a transcript that runs on the core, on std and on smol.
#[test]
fn every_command_has_a_transcript() {
    let used: BTreeSet<&str> = everywhere().iter().flat_map(exchanges).map(|exchange| exchange.row.name).collect();
    let unused: Vec<&str> = COMMANDS.iter().map(|row| row.name).filter(|name| !used.contains(name)).collect();
    assert!(unused.is_empty(), "no transcript on core, std and smol exercises {unused:?}");
}

/// What the transcripts see a command answer is what its row says, no more and no less.
#[test]
fn every_reply_of_a_command_is_in_its_row_and_in_a_transcript() {
    let scripts = transcript::all().expect("the transcripts can be read");
    let mut seen: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
    for exchange in scripts.iter().flat_map(exchanges) {
        seen.entry(exchange.row.name).or_default().extend(exchange.codes);
    }
    let mut faults = Vec::new();
    for row in COMMANDS {
        let seen = seen.remove(row.name).unwrap_or_default();
        let unsaid: Vec<u16> = seen.iter().copied().filter(|code| !may_answer(row, *code)).collect();
        let unseen: Vec<u16> = row.replies.iter().copied().filter(|code| !seen.contains(code)).collect();
        if !unsaid.is_empty() || !unseen.is_empty() {
            faults.push(format!("{}: not in its row: {unsaid:?}; in no transcript: {unseen:?}", row.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn may_answer(row: &Row, code: u16) -> bool {
    row.replies.contains(&code) || EVERYWHERE.contains(&code) || (row.login == Login::Needed && code == 530)
}

/// A command and the codes that it was answered with, its final reply last.
struct Exchange {
    row: &'static Row,
    codes: BTreeSet<u16>,
}

fn everywhere() -> Vec<Script> {
    let scripts = transcript::all().expect("the transcripts can be read");
    scripts.into_iter().filter(|script| !script.setup.core_only && !script.setup.disk_only).collect()
}

/// The exchanges of a transcript that came to their end.
fn exchanges(script: &Script) -> Vec<Exchange> {
    let mut sessions: BTreeMap<u8, Dialogue> = BTreeMap::new();
    for (_, step) in &script.steps {
        match step {
            Step::Send(session, bytes) => sessions.entry(*session).or_default().send(bytes),
            Step::Expect(session, line) => sessions.entry(*session).or_default().expect(line),
            // Whoever is cut off hears no reply.
            Step::Close(session, _) => sessions.entry(*session).or_default().waiting.clear(),
            Step::Restart => sessions.values_mut().for_each(|session| session.waiting.clear()),
            _ => {}
        }
    }
    sessions.into_values().flat_map(|session| session.over).collect()
}

/// What one session said and heard.
#[derive(Default)]
struct Dialogue {
    half_line: Vec<u8>,
    /// Without a final reply yet; none: of no row.
    waiting: VecDeque<Option<Exchange>>,
    over: Vec<Exchange>,
}

impl Dialogue {
    fn send(&mut self, bytes: &[u8]) {
        self.half_line.extend_from_slice(bytes);
        while let Some(end) = self.half_line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.half_line.drain(..=end).collect();
            let row = parse(line.trim_ascii_end()).row;
            self.waiting.push_back(row.map(|row| Exchange { row, codes: BTreeSet::new() }));
        }
    }

    /// Replies come in order, but for those that a transfer does not keep waiting.
    fn expect(&mut self, line: &[u8]) {
        let Some(code) = code(line) else { return };
        let may_be = |waiting: &Option<Exchange>| waiting.as_ref().is_some_and(|it| may_answer(it.row, code));
        let at = self.waiting.iter().position(may_be).unwrap_or_default();
        if let Some(Some(exchange)) = self.waiting.get_mut(at) {
            exchange.codes.insert(code);
        }
        if !(100..200).contains(&code) {
            self.over.extend(self.waiting.remove(at).flatten());
        }
    }
}

/// The code of a reply's last line, text or JSON.
fn code(line: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(line).ok()?;
    let digits = line.strip_prefix("{\"Response Code\":").unwrap_or(line);
    let (digits, rest) = digits.split_at_checked(digits.find(|c: char| !c.is_ascii_digit())?)?;
    let is_last = digits.len() == 3 && rest.starts_with(' ');
    digits.parse().ok().filter(|_| is_last || rest.starts_with(','))
}

const BEGIN: &str = "<!-- the command table: written by its test -->\n\n";
const END: &str = "\n<!-- end of the command table -->";
