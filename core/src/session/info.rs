//! What the server says about itself: SYST, FEAT, HELP, OPTS, STAT.

use super::Session;
use super::transfer::Kind;
use crate::action::Translation;
use crate::wire::command::row::Feature;
use crate::wire::command::table::COMMANDS;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

impl Session {
    /// RFC 2389 3.2: exactly what works beyond RFC 959.
    pub(super) fn feat(&self) -> Reply {
        let features = COMMANDS.iter().flat_map(|row| row.features);
        let mut lines: Vec<String> = features.filter_map(|feature| self.feature(*feature)).collect();
        lines.sort_unstable();
        Reply::block(211, text::FEATURES, lines, text::END)
    }

    /// The line of a feature; none: the settings turn it off.
    fn feature(&self, feature: Feature) -> Option<String> {
        match feature {
            Feature::Line(line) => Some(line.into()),
            Feature::Hash => Some(self.hash_feature()),
            Feature::NewFacts => Some(self.mff_feature()),
            Feature::Facts => Some(self.facts.feature()),
            Feature::Tls(line) => self.settings.tls.map(|_| line.into()),
            Feature::Chmod => self.settings.chmod.then(|| "SITE CHMOD".into()),
        }
    }

    pub(super) fn opts_utf8(on: bool) -> Reply {
        if on { Reply::new(200, text::ALWAYS_UTF8) } else { Reply::new(504, text::UTF8_STAYS_ON) }
    }

    pub(super) fn help(topic: Option<&str>) -> Reply {
        let carried = || COMMANDS.iter().filter(|row| row.is_carried());
        let Some(topic) = topic else {
            // Of those in two words the first: the rest comes with HELP SITE and HELP OPTS.
            let verb = |name: &'static str| name.split_once(' ').map_or(name, |(verb, _)| verb);
            let mut names: Vec<&str> = carried().map(|row| verb(row.name)).collect();
            names.sort_unstable();
            names.dedup();
            let lines = names.chunks(NAMES_A_LINE).map(|names| names.join(" ")).collect();
            return Reply::block(214, text::HELP, lines, text::HELP_END);
        };
        let is_it = |name: &str| name.eq_ignore_ascii_case(topic);
        let about =
            carried().filter(|row| is_it(row.name) || row.name.split_once(' ').is_some_and(|(verb, _)| is_it(verb)));
        let mut forms: Vec<String> =
            about.map(|row| format!("Syntax: {} {}", row.name, row.arguments).trim_end().to_owned()).collect();
        forms.sort_unstable();
        match <[String; 1]>::try_from(forms) {
            Ok([form]) => Reply::new(214, form),
            Err(forms) if forms.is_empty() => Reply::new(502, text::HELP_UNKNOWN),
            Err(forms) => Reply::block(214, text::HELP, forms, text::HELP_END),
        }
    }

    /// STAT without a path; during a transfer it tells how far that is.
    pub(super) fn status(&self) -> Reply {
        let account = self.account().map_or("nobody", |account| account.name.as_str());
        let mode = match self.data.translation {
            Translation::Image => "BINARY",
            Translation::Ascii => "ASCII",
        };
        let mut lines: Vec<String> = [
            format!("Connected to {}", self.peer.ip().to_canonical()),
            format!("Logged in as {account}"),
            format!("TYPE: {mode}, MODE: {}, STRU: F", if self.data.deflate.is_some() { "Z" } else { "S" }),
            format!("Working directory is {}", self.place.directory),
            format!("Session timeout in seconds is {}", self.idle_ms() / 1000),
        ]
        .into();
        if let Some(transfer) = self.transfer() {
            let verb = match transfer.kind {
                Kind::Download { .. } => "Sending",
                Kind::Upload(_) => "Receiving",
                Kind::Listing(_) => "Listing",
            };
            lines.push(format!("{verb} {}, {} bytes so far", transfer.path, transfer.moved.wire_bytes));
        }
        Reply::block(211, text::STATUS, lines, text::STATUS_END)
    }
}

const NAMES_A_LINE: usize = 12;
