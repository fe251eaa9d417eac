//! What the client knows of the server that it is connected to. Lives as long as the control connection.

use super::event::ControlEnds;
use super::names;
use super::reply_reader::Heard;
use crate::time::Now;
use crate::wire::command::TypeCode;
use alloc::string::String;

/// One server, over one control connection.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) ends: ControlEnds,
    /// Of the event at hand.
    pub(super) now: Now,
    pub(super) features: Features,
    pub(super) place: Place,
    pub(super) way: Way,
    /// Whether ALLO is worth a try still.
    pub(super) takes_allo: bool,
    /// How data are represented now (RFC 959 3.1.1).
    pub(super) represented: TypeCode,
    /// Whether TYPE A is worth a try still.
    pub(super) takes_ascii: bool,
    /// Whether a listing held a name that is no UTF-8.
    pub(super) listed_bytes: bool,
    /// The name that its certificate must be good for, where PROT P secures each data connection.
    pub(super) private_as: Option<String>,
    /// Whether data connections resume the control connection's TLS session.
    pub(super) resumption: Resumption,
}

impl Server {
    pub(super) fn new(ends: ControlEnds, now: Now, active: bool) -> Self {
        let way = if active { Way::OnlyActive } else { Way::Epsv };
        Self {
            ends,
            now,
            features: Features::default(),
            place: Place::Login,
            way,
            takes_allo: !active,
            represented: TypeCode::Image,
            takes_ascii: true,
            listed_bytes: false,
            private_as: None,
            resumption: Resumption::Untried,
        }
    }

    /// Whether a name that was sent as it is written could have been meant in bytes.
    pub(super) fn may_mean_bytes(&self, name: &str) -> bool {
        self.features.set_expiry != Known::Yes && !self.names_are_bytes() && names::byte_per_char(name).is_some()
    }

    /// Whether names that are no UTF-8 are sent as the bytes that they have. A server where paths expire shows them as
    /// the client does, and takes them so.
    pub(super) fn names_are_bytes(&self) -> bool {
        self.features.set_expiry != Known::Yes && (self.listed_bytes || self.features.utf8 != Known::Yes)
    }
}

/// How it stands with the TLS session of the control connection, which data connections resume. Some servers take no
/// other, and a TLS library may resume only so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resumption {
    Untried,
    /// It was resumed before.
    Works,
    /// It was, and is not any more.
    UsedUp,
}

impl Resumption {
    /// Takes note of a data connection's handshake.
    pub(super) fn learn(&mut self, resumed: bool) {
        *self = match (*self, resumed) {
            (_, true) => Self::Works,
            (Self::Untried, false) => Self::Untried,
            (Self::Works | Self::UsedUp, false) => Self::UsedUp,
        };
    }
}

/// Which directory the session is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Where the login put it.
    Login,
    /// In this one, by the words of the call that runs.
    In(String),
    /// In the `root` or somewhere below it; `base` leads back.
    Below {
        /// The words of the call that runs.
        root: String,
        /// The same, as the server calls it.
        base: String,
    },
    /// Where a call before left it.
    Elsewhere,
}

/// How data connections are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// EPSV (RFC 2428 3); PASV next.
    Epsv,
    /// PASV (RFC 959 4.1.2); active next.
    Pasv,
    /// PORT or EPRT, after all else failed.
    Active,
    /// PORT or EPRT, for so the caller wants it.
    OnlyActive,
}

impl Way {
    /// What to try when this way failed.
    pub(super) fn next(self, ends: &ControlEnds) -> Option<Self> {
        match self {
            // 227 has room for an IPv4 address alone.
            Self::Epsv if ends.peer.ip().to_canonical().is_ipv4() => Some(Self::Pasv),
            Self::Epsv | Self::Pasv => Some(Self::Active),
            Self::Active | Self::OnlyActive => None,
        }
    }
}

/// What FEAT lists (RFC 2389 3). A server without FEAT may know any of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Features {
    pub(super) size: Known,
    pub(super) modification_time: Known,
    pub(super) set_modification_time: Known,
    pub(super) restart: Known,
    pub(super) machine_listing: Known,
    pub(super) utf8: Known,
    pub(super) set_expiry: Known,
    pub(super) site_expiry: bool,
    pub(super) site_token: bool,
    pub(super) site_claim: bool,
}

/// Whether a server knows a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Known {
    /// It says so.
    Yes,
    /// It does not say so, though it says what it knows.
    No,
    /// It never said.
    #[default]
    Perhaps,
}

impl Known {
    /// Whether it is worth a try.
    pub(super) fn may_be(self) -> bool {
        self != Self::No
    }

    /// Takes note where a reply says that the server does not know the command (RFC 959 4.2.2).
    pub(super) fn learn(&mut self, reply: &Heard) {
        if matches!(reply.code, 500 | 502) {
            *self = Self::No;
        }
    }

    fn or(self, other: Self) -> Self {
        if self == Self::Yes { self } else { other }
    }
}

impl Features {
    /// Whether a part of a broken upload is kept aside (DESIGN 5), rather than under the file's own name.
    pub(super) fn keeps_parts(&self) -> bool {
        self.set_expiry == Known::Yes && self.restart == Known::Yes
    }

    /// Reads a 211; the first line and the last hold no feature.
    pub(super) fn read(reply: &Heard) -> Self {
        let lines = reply.lines.get(1..reply.lines.len().saturating_sub(1)).unwrap_or_default();
        let listed = |feature: &str| {
            let found = lines.iter().any(|line| {
                let mut words = line.split_ascii_whitespace();
                feature
                    .split(' ')
                    .all(|wanted| words.next().is_some_and(|word| any_of(word).any(|word| word == *wanted)))
            });
            if found { Known::Yes } else { Known::No }
        };
        Self {
            size: listed("SIZE"),
            modification_time: listed("MDTM"),
            set_modification_time: listed("MFMT"),
            restart: listed("REST STREAM"),
            machine_listing: listed("MLST").or(listed("MLSD")),
            utf8: listed("UTF8"),
            set_expiry: listed("SETEXPIRY"),
            site_expiry: site(lines, "EXPIRY"),
            site_token: site(lines, "TOKEN"),
            site_claim: site(lines, "CLAIM"),
        }
    }
}

/// The alternatives of one word, as in `EXPIRY;TOKEN;CLAIM`, in capitals.
fn any_of(word: &str) -> impl Iterator<Item = String> {
    word.split(';').filter(|word| !word.is_empty()).map(str::to_ascii_uppercase)
}

/// Whether a line `SITE ..` names this word anywhere, for servers differ in how they list these.
fn site(lines: &[String], wanted: &str) -> bool {
    lines.iter().any(|line| {
        let mut words = line.split_ascii_whitespace().flat_map(any_of);
        words.next().is_some_and(|word| word == "SITE") && words.any(|word| word == wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_from_what_the_server_lists() {
        let lines = ["Features:", " size", " REST STREAM", " MLST type*;size*;", " SETEXPIRY", " SITE EXPIRY", "End"];
        let features = Features::read(&Heard { code: 211, lines: lines.iter().map(|&line| line.into()).collect() });
        assert_eq!(features.size, Known::Yes);
        assert_eq!(features.restart, Known::Yes);
        assert_eq!(features.machine_listing, Known::Yes);
        assert_eq!(features.set_expiry, Known::Yes);
        assert_eq!(features.modification_time, Known::No);
        assert!(features.site_expiry && !features.site_token);
        let lines = ["Features:", " SITE EXPIRY;TOKEN;CLAIM", "End"];
        let features = Features::read(&Heard { code: 211, lines: lines.iter().map(|&line| line.into()).collect() });
        assert!(features.site_expiry && features.site_token && features.site_claim);
        assert_eq!(features.set_expiry, Known::No);
        let one_line = Features::read(&Heard { code: 211, lines: ["No features".into()].into() });
        assert_eq!(one_line.size, Known::No);
    }
}
