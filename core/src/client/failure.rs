//! Why a call failed: typed, so that an exit code follows from it, with the server's words and what to do.

use super::reply_reader::Heard;
use super::summary::FileDone;
use crate::record::Token;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// A call's failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// What failed, in a few words.
    pub what: String,
    /// The server's own words, where it spoke.
    pub reply: Option<Heard>,
    /// The files that came over whole before.
    pub done: Vec<FileDone>,
    /// The files that the server refused.
    pub refused: Vec<Refusal>,
    /// What to do, where that is not what the kind alone advises.
    #[serde(default)]
    pub hint: Option<Hint>,
    /// What proves that the bearer made the storage path, where an upload that failed did: with it what broke off can go
    /// on in a later session. A secret.
    #[serde(default)]
    pub token: Option<Box<Token>>,
}

/// A file that the server refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its name on the server.
    pub name: String,
    /// The kind that it would be as a failure of its own.
    pub kind: FailureKind,
    /// The server's words.
    pub reply: Option<Heard>,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// The server, or a data connection to it, could not be reached.
    CannotConnect,
    /// The server does not let this user in.
    LoginRefused,
    /// There is no such storage path or file.
    NoSuchPath,
    /// The storage path has expired.
    PathExpired,
    /// The storage path is there already.
    PathExists,
    /// The server does not know expiry dates.
    ExpiryUnknown,
    /// The server does not take this expiry date.
    ExpiryRefused,
    /// The server refused for another reason.
    Refused,
    /// Only a part came over: of a file, or of the files.
    Partial,
    /// The server's disk, or the quota there, is full.
    NoSpace,
    /// A local file failed.
    Local,
    /// The connection could not be secured.
    Tls,
    /// The server did not answer, or moved nothing, for too long.
    TimedOut,
    /// The server did not keep to the protocol.
    Protocol,
    /// The user stopped it.
    Interrupted,
    /// What was asked for cannot be: a name that cannot be sent, or two that are alike.
    Unfit,
}

/// What to do about a failure, where its kind alone does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hint {
    /// There is no living path to add to.
    NothingToAddTo,
    /// Some of the files that were named are not there.
    MissingFiles,
    /// The server refused some files, and would again.
    SomeRefused,
    /// The path that a new one shall stand in is not there.
    NoParent,
    /// A file of that name is there, and may not be replaced.
    NameTaken,
    /// The date has come already.
    DateIsNow,
    /// The path is a file's.
    FileNotPath,
    /// There is no such path to download from; maybe it is a file's.
    NoPathToFetchFrom,
    /// The server takes nobody at this moment.
    NotNow,
    /// The server failed, rather than refused.
    ServerTrouble,
    /// Nobody whom the client trusts vouches for the server's certificate.
    CertificateUntrusted,
    /// The server's certificate is another host's.
    CertificateOfAnother,
    /// The server's certificate is not valid at this time.
    CertificateOutOfDate,
    /// The server does not secure what it should.
    NoTls,
    /// It is not the token of this path.
    WrongToken,
    /// Somebody else made the path.
    NotTheMaker,
    /// The server wants TLS, and was spoken to in clear.
    WantsTls,
}

impl Hint {
    fn advice(self) -> &'static str {
        match self {
            Self::NothingToAddTo => {
                "give --expires to make it anew; without --add it is made too, and expires only if the server says so"
            }
            Self::MissingFiles => "check the names; view shows what the path holds",
            Self::SomeRefused => "what the server refused it refuses again; its words say why",
            Self::NoParent => "make the parent first, or choose a path that needs none",
            Self::NameTaken => "choose another name; a file of this name is there already",
            Self::DateIsNow => "this date is now or past; give a later one, such as 7d or 2030-12-31",
            Self::FileNotPath => "view takes the path without the file",
            Self::NoPathToFetchFrom => {
                "check the path; the URL names it alone, and files come behind it: ftp://host/path FILE"
            }
            Self::NotNow => "the server takes nobody more at this moment; try again later",
            Self::CertificateUntrusted => {
                "if the server has made its certificate itself, get that from who runs it and give it with --ca FILE; \
                 --insecure takes any, and so does not tell a stranger in between"
            }
            Self::CertificateOfAnother => {
                "connect by a name that the certificate is good for; or is this another server?"
            }
            Self::CertificateOutOfDate => "who runs the server must renew its certificate; or is the clock here wrong?",
            Self::NoTls => {
                "ask who runs the server for TLS: --tls explicit is for port 21, ftps:// for a port of its own, 990; \
                 nothing secret was sent"
            }
            Self::WrongToken => {
                "the token is another path's, or of one that was made anew; the upload that made it told it"
            }
            Self::NotTheMaker => {
                "only who made the path may change its date: give the token that its upload told, or log in as who made it"
            }
            Self::WantsTls => "this server wants TLS: --tls explicit, or ftpes:// in place of ftp://",
            Self::ServerTrouble => "the server has trouble of its own; try again later, or ask who runs it",
        }
    }
}

impl Failure {
    /// A failure in which the server said nothing.
    #[must_use]
    pub fn new(kind: FailureKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), reply: None, done: Vec::new(), refused: Vec::new(), hint: None, token: None }
    }

    /// A failure by these words of the server; `kind` unless they name one themselves.
    #[must_use]
    pub fn by_reply(kind: FailureKind, what: impl Into<String>, reply: Heard) -> Self {
        let kind = kind_of(kind, &reply);
        Self { reply: Some(reply), ..Self::new(kind, what) }
    }

    /// The same, with better advice than its kind alone gives.
    #[must_use]
    pub fn with_hint(self, hint: Hint) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        if let Some(hint) = self.hint {
            return hint.advice();
        }
        match self.kind {
            FailureKind::CannotConnect => {
                "check host and port, and that the server runs and no firewall stands between"
            }
            FailureKind::LoginRefused => "check user name and password",
            FailureKind::NoSuchPath => "check the name; view shows what a path holds",
            FailureKind::PathExpired => "its date has come and its files are gone; ask for a new upload",
            FailureKind::PathExists => {
                "choose another path, or add to this one with --add, which leaves its date alone"
            }
            FailureKind::ExpiryUnknown => {
                "this is a plain FTP server; upload without --expires to keep the files until somebody deletes them"
            }
            FailureKind::ExpiryRefused => {
                "give a date in the future and within the server's limit, such as 7d or 2030-12-31"
            }
            FailureKind::Refused => "the server does not allow this; ask who runs it",
            FailureKind::Partial => "run the same command again for the rest; an upload needs --add then",
            FailureKind::NoSpace => "the server has no room for it; free some there, or send less",
            FailureKind::Local => "check that the local file is there, and may be read or written",
            FailureKind::Tls => "-v shows how far it came; who runs the server knows what it asks for",
            FailureKind::TimedOut => "the server or the network is too slow or gone; try again later",
            FailureKind::Protocol => "this may be no FTP server; -v shows what it says",
            FailureKind::Unfit => "give each file a name of its own, without slashes and control characters",
            FailureKind::Interrupted => "run the same command again to go on; an upload needs --add then",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.reply {
            Some(reply) => write!(f, ": {reply}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Failure {}

/// What the server's words say about the kind; `otherwise` where they leave it open.
pub(super) fn kind_of(otherwise: FailureKind, reply: &Heard) -> FailureKind {
    match reply.code {
        _ if reply.says_expired() => FailureKind::PathExpired,
        // RFC 959 4.2.2: insufficient storage; exceeded storage allocation.
        452 | 552 => FailureKind::NoSpace,
        530 | 532 => FailureKind::LoginRefused,
        _ => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(code: u16, lines: &[&str]) -> Heard {
        Heard { code, lines: lines.iter().map(|&line| line.into()).collect() }
    }

    #[test]
    fn the_servers_words_decide_the_kind_and_are_shown() {
        let expired = heard(550, &["Failed to change directory.", "Storage path expired."]);
        let failure = Failure::by_reply(FailureKind::NoSuchPath, "cannot enter scans", expired);
        assert_eq!(failure.kind, FailureKind::PathExpired);
        assert_eq!(
            alloc::format!("{failure}"),
            "cannot enter scans: 550 Failed to change directory. Storage path expired."
        );
        let unknown = heard(550, &["Failed to change directory.", "Invalid storage path."]);
        assert_eq!(Failure::by_reply(FailureKind::NoSuchPath, "", unknown).kind, FailureKind::NoSuchPath);
        assert_eq!(Failure::by_reply(FailureKind::Refused, "", heard(452, &[""])).kind, FailureKind::NoSpace);
    }
}
