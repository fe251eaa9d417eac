//! What a client tells while it works, on standard error: the dialogue, retries, and on a terminal a progress bar.

use super::driver::{Sight, Watcher};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mayfly_core::client::action::ClientNote;
use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// A watcher for the command line: the whole dialogue if `verbose`, else a progress bar where there is a terminal.
pub(super) fn watcher(verbose: bool) -> Watcher {
    let bars = !verbose && std::io::stderr().is_terminal();
    let mut bar: Option<Bar> = None;
    Box::new(move |sight| match sight {
        Sight::Sent(line) if verbose => say(&format_args!("> {line}")),
        Sight::Noted(ClientNote::Heard { reply }) if verbose => {
            let last = reply.lines.len().saturating_sub(1);
            for (at, line) in reply.lines.iter().enumerate() {
                let mark = if at == last { ' ' } else { '-' };
                say(&format_args!("< {:03}{mark}{line}", reply.code));
            }
        }
        Sight::Noted(ClientNote::Retrying { retry, retries_max, after_ms, because }) => {
            bar = None;
            let after = Duration::from_millis(*after_ms);
            say(&format_args!("note: {because}; trying again in {after:?} ({retry} of {retries_max})"));
        }
        Sight::Noted(ClientNote::DateLeftAlone { storage_path }) => {
            say(&format_args!("note: {storage_path} is there already and keeps its date; --expires changes nothing"));
        }
        Sight::Noted(ClientNote::FileBegun { name, size_bytes, offset_bytes }) if bars => {
            bar = Some(Bar::begin(name, *size_bytes, *offset_bytes));
        }
        Sight::Moved { wire_bytes } => {
            if let Some(Bar { bar, offset_bytes }) = &bar {
                bar.set_position(offset_bytes + wire_bytes);
            }
        }
        Sight::Ended => bar = None,
        _ => {}
    })
}

/// One line on standard error. Where that is closed, nobody listens.
pub(super) fn say(line: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

struct Bar {
    bar: ProgressBar,
    offset_bytes: u64,
}

impl Bar {
    fn begin(name: &str, size_bytes: Option<u64>, offset_bytes: u64) -> Self {
        let bar = ProgressBar::with_draw_target(size_bytes, ProgressDrawTarget::stderr());
        let form = if size_bytes.is_some() { WITH_SIZE } else { WITHOUT_SIZE };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_message(name.to_owned());
        bar.set_position(offset_bytes);
        bar.reset_eta();
        Self { bar, offset_bytes }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

const WITH_SIZE: &str = "{wide_msg} {bytes:>11} / {total_bytes:<11} {percent:>3}% {bytes_per_sec:>13} {eta:>4}";
const WITHOUT_SIZE: &str = "{wide_msg} {bytes:>11} {bytes_per_sec:>13}";
