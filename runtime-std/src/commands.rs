//! The table of FTP commands as people read it: on the command line, and in the README.

use mayfly_core::wire::command::row::{Login, Row, Turn};
use mayfly_core::wire::command::table::COMMANDS;
use std::fmt::Write as _;

/// One line for each command, in columns.
#[must_use]
pub fn text() -> String {
    let rows: Vec<[String; COLUMNS]> = std::iter::once(HEAD.map(str::to_owned)).chain(cells()).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let line = |row: &[String; COLUMNS]| {
        let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// The same as a table in Markdown, a command and its arguments in one cell.
#[must_use]
pub fn markdown() -> String {
    let [command, _, rest @ ..] = HEAD;
    let mut table = format!("| {command} | {} |\n|{}\n", rest.join(" | "), "---|".repeat(COLUMNS - 1));
    for [command, arguments, rest @ ..] in cells() {
        let form = format!("{command} {arguments}");
        // A bar ends a cell, in backquotes too.
        let form = form.trim_end().replace('|', "\\|");
        writeln!(table, "| `{form}` | {} |", rest.join(" | ")).expect("writing to a String does not fail");
    }
    table
}

fn cells() -> impl Iterator<Item = [String; COLUMNS]> {
    COMMANDS.iter().map(|row| {
        [
            row.name.to_owned(),
            row.arguments.to_owned(),
            row.source.to_owned(),
            if row.login == Login::Needed { "needed" } else { "no" }.to_owned(),
            turn(row).to_owned(),
            replies(row),
        ]
    })
}

fn turn(row: &Row) -> &'static str {
    match row.turn {
        Turn::Waits => "waits",
        Turn::AtOnce => "at once",
        Turn::Interrupts => "ends it",
    }
}

fn replies(row: &Row) -> String {
    let codes: Vec<String> = row.replies.iter().map(|code| format!("{code:03}")).collect();
    codes.join(" ")
}

const COLUMNS: usize = 6;
const HEAD: [&str; COLUMNS] = ["command", "arguments", "specified in", "login", "during a transfer", "replies"];
