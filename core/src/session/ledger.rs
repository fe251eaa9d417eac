//! What the log is told of commands: each that reads or changes something, or is refused, leaves a note with its name,
//! its final reply's code and the time that it took.

use super::Session;
use crate::action::{Action, Note, NotedCommand};
use crate::time::Now;
use crate::wire::command::Request;
use crate::wire::reply::{More, Reply};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};

/// A command that is being carried out, as the log will name it.
#[derive(Debug)]
pub(super) struct Entry {
    name: &'static str,
    /// What it asked for.
    path: Option<String>,
    /// When it began, on the monotonic clock, milliseconds.
    begun_ms: u64,
    /// Whether a note has told of it.
    is_noted: bool,
}

impl Session {
    /// A command's turn has come.
    pub(super) fn entry_begins(&mut self, now: Now, request: &Request) {
        let argument = request.command.as_ref().ok().and_then(|command| command.path());
        let path = argument.map(|argument| match self.meant(argument) {
            Ok(path) => path.to_string(),
            Err(_) => argument.to_owned(),
        });
        self.entry = request
            .row
            .map(|row| Box::new(Entry { name: row.name, path, begun_ms: now.monotonic_ms, is_noted: false }));
    }

    /// Its final reply is known: its notes are completed with that, and where there is none, but it was refused, that is
    /// noted.
    pub(super) fn entry_ends(&mut self, now: Now, reply: &Reply) {
        let Some(entry) = self.entry.take() else { return };
        let took_ms = now.monotonic_ms.saturating_sub(entry.begun_ms);
        let ended = |command: &mut NotedCommand| {
            command.code = Some(reply.code);
            command.took_ms = took_ms;
        };
        // Older ones are complete: each was when its turn ended.
        let noted = self.actions.iter_mut().filter_map(|action| match action {
            Action::Note { command: Some(command), .. } if command.code.is_none() => Some(command),
            _ => None,
        });
        noted.for_each(ended);
        if !entry.is_noted && is_refusal(reply.code) {
            let mut command = NotedCommand { name: entry.name.to_owned(), code: None, took_ms: 0 };
            ended(&mut command);
            let note = Note::Refused { path: entry.path, reason: reason(reply) };
            self.push(Action::Note { note, command: Some(command) });
        }
    }

    /// Has this written to the log.
    pub(super) fn note(&mut self, note: Note) {
        let entry = self.entry.as_mut().filter(|_| note.is_outcome());
        let command = entry.map(|entry| {
            entry.is_noted = true;
            NotedCommand { name: entry.name.to_owned(), code: None, took_ms: 0 }
        });
        self.push(Action::Note { note, command });
    }
}

/// Whether a command with this code was refused for what it asked; 500 to 504 say that it was not well put.
fn is_refusal(code: u16) -> bool {
    matches!(code, 400..=499 | 505..=599)
}

/// The part of a reply that tells why.
fn reason(reply: &Reply) -> String {
    match &reply.more {
        More::Detail(detail) => detail.clone().into_owned(),
        More::Nothing | More::Block { .. } => reply.text.trim_end_matches('.').to_owned(),
    }
}
