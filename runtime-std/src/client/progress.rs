//! What a client tells while it works, on standard error: the dialogue, retries, and on a terminal a progress bar.

use super::command::token;
use super::driver::{Sight, Watcher};
use super::harmless::{harmless, harmless_lines};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mayfly_core::client::action::ClientNote;
use mayfly_core::client::reply_reader::Heard;
use mayfly_core::record::Token;
use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What all connections of a command show.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    verbose: bool,
    /// Whether it has to be said which of several connections it is.
    numbered: bool,
    /// Where there is a terminal.
    bars: Option<MultiProgress>,
    /// Where the token of a path that is made is kept.
    token_file: Option<PathBuf>,
    /// Whether the server knows its user by name, who needs no token.
    named: Arc<AtomicBool>,
}

impl Progress {
    /// The whole dialogue if `verbose`, else progress bars where there is a terminal.
    pub(super) fn new(verbose: bool, jobs: u32) -> Self {
        let terminal = !verbose && std::io::stderr().is_terminal();
        let bars = terminal.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { verbose, numbered: jobs > 1, bars, token_file: None, named: Arc::default() }
    }

    /// The same, which keeps the token of a path that is made in this file; none: it shows it.
    pub(super) fn keeping_tokens(self, token_file: Option<PathBuf>) -> Self {
        Self { token_file, ..self }
    }

    /// Takes note that the user is somebody in particular.
    pub(super) fn is_of_named_user(&self) {
        self.named.store(true, Ordering::Relaxed);
    }

    /// The watcher of one connection, counted from 1.
    pub(super) fn watcher(&self, job: u32) -> Watcher {
        let progress = self.clone();
        let mut bar: Option<Bar> = None;
        let mark = if self.numbered { format!("[{job}] ") } else { String::new() };
        Box::new(move |sight| match sight {
            Sight::Sent(line) if progress.verbose => say(&format_args!("{mark}> {line}")),
            Sight::Noted(ClientNote::Heard { reply }) if progress.verbose => say(&dialogue(&mark, reply)),
            Sight::Noted(ClientNote::Secured { data, tls }) if progress.verbose => {
                let what = if *data { "data" } else { "control" };
                let how = if tls.resumed { ", resumed" } else { "" };
                say(&format_args!("{mark}* {what} connection secured: {} {}{how}", tls.protocol, tls.cipher));
            }
            Sight::Token { storage_path, token } => progress.hand_over(storage_path, token),
            Sight::Noted(ClientNote::Retrying { retry, retries_max, after_ms, because }) => {
                bar = None;
                let after = Duration::from_millis(*after_ms);
                let text = format_args!("note: {because}; trying again in {after:?} ({retry} of {retries_max})");
                progress.say(&text);
            }
            Sight::Noted(ClientNote::DateLeftAlone { storage_path }) => {
                let text =
                    format_args!("note: {storage_path} is there already and keeps its date; --expires changes nothing");
                progress.say(&text);
            }
            Sight::Noted(ClientNote::LinesUnread { lines }) => {
                progress.say(&format_args!("note: {lines} lines of the listing cannot be read and are left out"));
            }
            Sight::Noted(ClientNote::FileBegun { name, size_bytes, offset_bytes }) => {
                bar = progress.bars.as_ref().map(|bars| Bar::begin(bars, name, *size_bytes, *offset_bytes));
            }
            Sight::Moved { wire_bytes } => {
                if let Some(Bar { shown, offset_bytes, .. }) = &bar {
                    shown.set_position(offset_bytes + wire_bytes);
                }
            }
            Sight::Ended => bar = None,
            _ => {}
        })
    }

    /// Now already, for who is killed in the next moment can go on only with it.
    fn hand_over(&self, path: &str, token: Token) {
        if let Some(file) = &self.token_file {
            match token::keep(file, token) {
                Ok(()) => return,
                Err(error) => {
                    self.say(&format_args!("warning: the token cannot be kept in {}: {error}", file.display()));
                }
            }
        }
        if self.named.load(Ordering::Relaxed) {
            return;
        }
        self.say(&format_args!("token: {token} proves that you made {path}; extend, revoke and upload --add take it"));
    }

    /// One line above the bars.
    fn say(&self, line: &dyn Display) {
        match &self.bars {
            Some(bars) => bars.suspend(|| say(line)),
            None => say(line),
        }
    }
}

/// A reply as it came.
fn dialogue(mark: &str, reply: &Heard) -> String {
    let last = reply.lines.len().saturating_sub(1);
    let line = |(at, line): (usize, &String)| {
        let after_code = if at == last { ' ' } else { '-' };
        format!("{mark}< {:03}{after_code}{line}", reply.code)
    };
    reply.lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// One line on standard error. Where that is closed, nobody listens.
pub(super) fn say(line: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "{}", harmless_lines(&line.to_string()));
}

struct Bar {
    all: MultiProgress,
    shown: ProgressBar,
    offset_bytes: u64,
}

impl Bar {
    fn begin(bars: &MultiProgress, name: &str, size_bytes: Option<u64>, offset_bytes: u64) -> Self {
        let bar = bars.add(ProgressBar::with_draw_target(size_bytes, ProgressDrawTarget::hidden()));
        let form = if size_bytes.is_some() { WITH_SIZE } else { WITHOUT_SIZE };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_message(harmless(name).into_owned());
        bar.set_position(offset_bytes);
        bar.reset_eta();
        Self { all: bars.clone(), shown: bar, offset_bytes }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.shown.finish_and_clear();
        self.all.remove(&self.shown);
    }
}

const WITH_SIZE: &str = "{wide_msg} {bytes:>11} / {total_bytes:<11} {percent:>3}% {bytes_per_sec:>13} {eta:>4}";
const WITHOUT_SIZE: &str = "{wide_msg} {bytes:>11} {bytes_per_sec:>13}";
