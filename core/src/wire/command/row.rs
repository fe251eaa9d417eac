//! What the command table says about each command.

use super::{Malformed, Parsed};
use core::fmt;

/// What is known about one command, or about one word of SITE or OPTS.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Row {
    /// The verb in capitals, for SITE and OPTS with the word that follows.
    pub name: &'static str,
    /// The form of its arguments, as HELP shows it.
    pub arguments: &'static str,
    /// Where it is specified.
    pub source: &'static str,
    /// Whether it needs a login.
    pub login: Login,
    /// What becomes of it while a transfer runs.
    pub turn: Turn,
    /// Whether REST, RANG and ALLO outlive it, up to the transfer that they are meant for (RFC 3659 5.3).
    pub keeps_restart: bool,
    /// The codes that it answers, beside those of [`EVERYWHERE`] and, where it needs a login, 530.
    pub replies: &'static [u16],
    /// How FEAT names it (RFC 2389 3.2).
    pub features: &'static [Feature],
    /// Reads what follows the name and one blank.
    pub(super) parse: fn(&str) -> Parsed,
}

/// Whether a command needs a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Else it is refused with 530.
    Needed,
    /// RFC 959 5.4 names no 530 for it.
    NotNeeded,
}

/// What becomes of a command while a transfer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It waits until the transfer has ended.
    Waits,
    /// It is answered at once.
    AtOnce,
    /// It ends the transfer, and drops what waits.
    Interrupts,
}

/// How FEAT names what a command can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// This line.
    Line(&'static str),
    /// `MLST` and its facts, the chosen ones marked (RFC 3659 7.8).
    Facts,
    /// `HASH` and its algorithms, the chosen one marked (draft-bryan-ftpext-hash 3.2).
    Hash,
    /// `MFF` and the facts that it sets (draft-somers-ftp-mfxx 5.2).
    NewFacts,
    /// `SITE CHMOD`, where the settings have it.
    Chmod,
    /// This line, where there is TLS.
    Tls(&'static str),
}

/// Codes that any command may be answered with: the server goes down or the session times out, ABOR drops it, or the
/// line has not the command's form.
pub const EVERYWHERE: [u16; 4] = [421, 450, 500, 501];

impl Row {
    /// Whether it is carried out at all; what is not is known and refused with 502.
    #[must_use]
    pub fn is_carried(&self) -> bool {
        self.replies != NOT_CARRIED
    }

    pub(super) const fn anytime(mut self) -> Self {
        self.login = Login::NotNeeded;
        self
    }

    pub(super) const fn turn(mut self, turn: Turn) -> Self {
        self.turn = turn;
        self
    }

    pub(super) const fn keeps_restart(mut self) -> Self {
        self.keeps_restart = true;
        self
    }

    pub(super) const fn features(mut self, features: &'static [Feature]) -> Self {
        self.features = features;
        self
    }
}

impl PartialEq for Row {
    /// Names are unique.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Row {}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({})", self.name)
    }
}

pub(super) const fn row(
    name: &'static str,
    arguments: &'static str,
    source: &'static str,
    replies: &'static [u16],
    parse: fn(&str) -> Parsed,
) -> Row {
    let (login, turn, features) = (Login::Needed, Turn::Waits, &[]);
    Row { name, arguments, source, login, turn, keeps_restart: false, replies, features, parse }
}

/// A command that an RFC or a draft names and that is not carried: 502 (RFC 959 4.2.1).
pub(super) const fn refused(name: &'static str, source: &'static str) -> Row {
    row(name, "", source, NOT_CARRIED, |_| Err(Malformed::NotImplemented)).anytime()
}

const NOT_CARRIED: &[u16] = &[502];
