//! What the server says about itself: SYST, FEAT, HELP, OPTS, STAT.

use super::Session;
use super::transfer::Kind;
use crate::action::Translation;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

impl Session {
    /// RFC 2389 3.2: exactly what works beyond RFC 959.
    pub(super) fn feat() -> Reply {
        Reply::block(211, text::FEATURES, FEATURES.iter().map(ToString::to_string).collect(), text::END)
    }

    pub(super) fn opts_utf8(on: bool) -> Reply {
        if on { Reply::new(200, text::ALWAYS_UTF8) } else { Reply::new(504, text::UTF8_STAYS_ON) }
    }

    pub(super) fn help(topic: Option<&str>) -> Reply {
        let Some(topic) = topic else {
            let names: Vec<&str> = SYNTAX.iter().map(|(name, _)| *name).collect();
            let lines = names.chunks(NAMES_A_LINE).map(|names| names.join(" ")).collect();
            return Reply::block(214, text::HELP, lines, text::HELP_END);
        };
        let topic = topic.trim();
        let forms: Vec<String> = SYNTAX
            .iter()
            .filter(|(name, _)| {
                name.eq_ignore_ascii_case(topic) || (is_site(name) && topic.eq_ignore_ascii_case("SITE"))
            })
            .map(|(name, arguments)| format!("Syntax: {name} {arguments}").trim_end().to_owned())
            .collect();
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
            format!("TYPE: {mode}, MODE: S, STRU: F"),
            format!("Working directory is {}", self.place.directory),
            format!("Session timeout in seconds is {}", self.settings.idle_ms_max / 1000),
        ]
        .into();
        if let Some(transfer) = self.transfer() {
            let verb = match transfer.kind {
                Kind::Download { .. } => "Sending",
                Kind::Upload(_) => "Receiving",
                Kind::Listing(_) => "Listing",
            };
            lines.push(format!("{verb} {}, {} bytes so far", transfer.path, transfer.wire_bytes));
        }
        Reply::block(211, text::STATUS, lines, text::STATUS_END)
    }
}

fn is_site(name: &str) -> bool {
    name.starts_with("SITE ")
}

const FEATURES: [&str; 14] = [
    "EPRT",
    "EPSV",
    "MDTM",
    "MFMT",
    "MLST type*;size*;modify*;perm*;unique*;X.expiry*;",
    "PASV",
    "REST STREAM",
    "SETEXPIRY",
    "SITE CLAIM",
    "SITE EXPIRY",
    "SITE TOKEN",
    "SIZE",
    "TVFS",
    "UTF8",
];

const NAMES_A_LINE: usize = 12;

/// Each command that is carried out, and the form of its arguments.
const SYNTAX: [(&str, &str); 46] = [
    ("ABOR", ""),
    ("ALLO", "<bytes>"),
    ("APPE", "<path>"),
    ("CDUP", ""),
    ("CWD", "<path>"),
    ("DELE", "<path>"),
    ("EPRT", "|<protocol>|<address>|<port>|"),
    ("EPSV", "[1|2|ALL]"),
    ("FEAT", ""),
    ("HELP", "[<command>]"),
    ("LIST", "[<path>]"),
    ("MDTM", "<path>"),
    ("MFMT", "<YYYYMMDDHHMMSS> <path>"),
    ("MKD", "<path>"),
    ("MLSD", "[<path>]"),
    ("MLST", "[<path>]"),
    ("MODE", "S"),
    ("NLST", "[<path>]"),
    ("NOOP", ""),
    ("OPTS", "UTF8 ON"),
    ("PASS", "<password>"),
    ("PASV", ""),
    ("PORT", "<h1,h2,h3,h4,p1,p2>"),
    ("PWD", ""),
    ("QUIT", ""),
    ("REST", "<offset>"),
    ("RETR", "<path>"),
    ("RMD", "<path>"),
    ("RNFR", "<path>"),
    ("RNTO", "<path>"),
    ("SETEXPIRY", "<path> <date>"),
    ("SITE CLAIM", "<path> <token>"),
    ("SITE EXPIRY", "<path> [<date>]"),
    ("SITE TOKEN", "<path>"),
    ("SIZE", "<path>"),
    ("STAT", "[<path>]"),
    ("STOR", "<path>"),
    ("STRU", "F"),
    ("SYST", ""),
    ("TYPE", "A|I"),
    ("USER", "<name>"),
    ("XCUP", ""),
    ("XCWD", "<path>"),
    ("XMKD", "<path>"),
    ("XPWD", ""),
    ("XRMD", "<path>"),
];
