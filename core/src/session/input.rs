//! Control input: which line's turn it is, what waits, and what may not wait.

use super::Session;
use super::state::State;
use super::transfer::Interrupt;
use super::work::Stop;
use crate::action::{Action, Note};
use crate::limits;
use crate::settings::Settings;
use crate::time::Now;
use crate::wire::command::row::Turn;
use crate::wire::command::{self, Command, Request};
use crate::wire::line::{Line, LineFramer};
use crate::wire::reply::{Form, More, Reply};
use crate::wire::text;
use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What came on the control connection and is not answered yet.
#[derive(Debug, Default)]
pub(super) struct Input {
    framer: LineFramer,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// The form of the last line, for what is not asked for.
    pub(super) last_form: Form,
}

/// A line that waits for a transfer to end.
#[derive(Debug)]
struct Waiting {
    request: Request,
    bytes: usize,
}

impl Input {
    /// What has not had any input yet.
    pub(super) fn new(settings: &Settings) -> Self {
        Self { framer: LineFramer::new(usize_of(settings.line_bytes_max)), ..Self::default() }
    }

    /// Takes what came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.framer.push(bytes);
    }

    /// Whether there is room for more.
    pub(super) fn has_room(&self, settings: &Settings) -> bool {
        self.may_wait(settings) && self.waiting_bytes + self.framer.held_bytes() < bytes_max(settings)
    }

    fn may_wait(&self, settings: &Settings) -> bool {
        self.waiting.len() < lines_max(settings) && self.waiting_bytes < bytes_max(settings)
    }

    /// What the peer's Telnet options are answered with.
    fn take_refusals(&mut self) -> Vec<u8> {
        self.framer.take_refusals()
    }

    /// The line whose turn it is.
    pub(super) fn next(&mut self) -> Option<Request> {
        match self.waiting.pop_front() {
            Some(Waiting { request, bytes }) => {
                self.waiting_bytes -= bytes;
                if self.waiting.is_empty() {
                    self.waiting = VecDeque::new();
                }
                Some(request)
            }
            None => self.next_framed().map(|waiting| waiting.request),
        }
    }

    fn next_framed(&mut self) -> Option<Waiting> {
        let (request, bytes) = match self.framer.next_line()? {
            Line::Whole(line) => (command::parse(&line), line.len()),
            Line::TooLong { first } => {
                let command = Err(Reply::new(500, text::LINE_TOO_LONG));
                (Request { form: Form::of_line(Some(first)), row: None, unknown: None, command }, 0)
            }
        };
        self.last_form = request.form;
        Some(Waiting { request, bytes })
    }

    fn hold(&mut self, waiting: Waiting) {
        self.waiting_bytes += waiting.bytes;
        self.waiting.push_back(waiting);
    }

    /// What waits is not carried out: each line gets this instead.
    fn answer_waiting(&mut self, reply: &Reply) {
        for waiting in &mut self.waiting {
            waiting.request.command = Err(reply.clone());
        }
    }

    /// Whether nothing came that was not carried out, nor anything that would swallow what comes next.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.framer.held_bytes() == 0 && !self.framer.is_amid_code()
    }

    /// Lines that wait.
    #[cfg(test)]
    pub(super) fn waiting_lines(&self) -> usize {
        self.waiting.len()
    }

    /// Room that is held for lines.
    #[cfg(test)]
    pub(super) fn held_capacity(&self) -> usize {
        self.framer.held_bytes() + self.waiting.capacity()
    }

    /// Forgets what came.
    pub(super) fn clear(&mut self, settings: &Settings) {
        *self = Self { last_form: self.last_form, ..Self::new(settings) };
    }
}

impl Session {
    /// Carries out what has come, as far as it goes now: until a command must wait, or the event has given rise to
    /// enough.
    pub(super) fn go_on(&mut self, now: Now) {
        self.talk_telnet();
        loop {
            self.look_ahead(now);
            if self.actions.len() >= ACTIONS_PER_GO {
                self.resumes = true;
                return;
            }
            if !matches!(self.state, State::Ready) {
                return;
            }
            if self.ends_before_next_line() {
                return self.end();
            }
            // A few bytes of input ask for many of output: a peer that takes none of it must not have more made.
            if !self.reply_room {
                return;
            }
            if self.channel.is_agreed() && self.ending.is_none() {
                return self.secure_control(now, false);
            }
            match self.input.next() {
                Some(request) => {
                    self.note_asked(&request);
                    self.begin_request(now, request);
                }
                None if self.ending.is_some() => return self.end(),
                None => return,
            }
        }
    }

    /// RFC 1123 3.2.1: options are refused, at once. A peer that reads nothing has its further ones dropped.
    fn talk_telnet(&mut self) {
        if self.reply_room && !matches!(self.state, State::Closed) {
            let bytes = self.input.take_refusals();
            if !bytes.is_empty() {
                self.push(Action::SendTelnet { bytes });
            }
        }
    }

    /// During a transfer: ABOR, STAT and NOOP are answered at once, the rest waits. During other long work ABOR alone,
    /// for no 150 has gone before that would tell the others' replies from the work's own.
    fn look_ahead(&mut self, now: Now) {
        while (self.transfer().is_some() || self.works())
            && self.reply_room
            && self.actions.len() < ACTIONS_PER_GO
            && self.input.may_wait(&self.settings)
        {
            let Some(waiting) = self.input.next_framed() else { return };
            self.since_ms = now.monotonic_ms;
            let form = waiting.request.form;
            let begun = self.transfer().is_some_and(|transfer| transfer.begun.is_some());
            match waiting.request.turn() {
                Turn::AtOnce if begun => match self.answer_at_once(&waiting.request) {
                    Some(reply) => {
                        self.note_asked(&waiting.request);
                        self.send(form, &reply);
                    }
                    None => self.input.hold(waiting),
                },
                // It jumps the queue and drops it; it is answered itself after the transfer and what it dropped, in
                // the order in which they came.
                Turn::Interrupts if self.interrupt(Interrupt::Abort) || self.stop_work(Stop::Abort) => {
                    self.input.answer_waiting(&Reply::new(450, text::DROPPED_BY_ABOR));
                    self.input.hold(waiting);
                }
                _ => self.input.hold(waiting),
            }
        }
    }

    /// What needs nothing but the session's own state.
    fn answer_at_once(&self, request: &Request) -> Option<Reply> {
        match request.command {
            Ok(Command::Noop) => Some(Reply::new(200, text::NOOP_OK)),
            Ok(Command::Stat(None)) => Some(self.status()),
            _ => None,
        }
    }

    /// Sends one reply.
    pub(super) fn send(&mut self, form: Form, reply: &Reply) {
        self.push(Action::SendReply { code: reply.code, wire: reply.encode(form) });
        if self.settings.note_dialogue {
            let text = match &reply.more {
                _ if reply.code == 213 => String::new(),
                More::Detail(detail) => format!("{} {detail}.", reply.text),
                More::Nothing | More::Block { .. } => reply.text.clone().into_owned(),
            };
            self.note(Note::Answered { code: reply.code, text });
        }
    }

    fn note_asked(&mut self, request: &Request) {
        if self.settings.note_dialogue {
            let command = match &request.command {
                Ok(command) => command.to_string(),
                // A password that came a line early, or late, looks like an unknown command.
                Err(_) if request.row.is_none() && !self.login.awaits_password() => {
                    request.unknown.clone().unwrap_or_default()
                }
                Err(_) => request.row.map_or("", |row| row.name).to_owned(),
            };
            self.note(Note::Asked { command });
        }
    }

    /// Sends one of the replies of the command that is being carried out.
    pub(super) fn reply(&mut self, reply: &Reply) {
        self.send(self.form, reply);
    }
}

fn bytes_max(settings: &Settings) -> usize {
    usize_of(settings.input_bytes_max).max(limits::INPUT_BYTES_MIN)
}

/// Lines that may wait.
pub(super) fn lines_max(settings: &Settings) -> usize {
    usize_of(settings.lines_queued_max).clamp(1, limits::LINES_QUEUED_MAX)
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// When an event has given rise to so many actions, what is left of the input waits for the next one, which is due at
/// once. One line gives rise to far fewer than the rest up to the bound.
const ACTIONS_PER_GO: usize = limits::ACTIONS_PER_EVENT_MAX / 2;
