//! Commands: what a control line asks. `parse` takes whole lines only, text or JSON, and
//! finds the command in the [`table`]; arguments of more than a word or a path are read in the files beside it.

mod access;
mod argument;
mod data;
mod encode;
pub(crate) mod facts;
mod hash;
mod identity;
mod info;
mod malformed;
pub mod row;
mod security;
mod site;
mod subject;
pub mod table;
mod transfer;

pub use malformed::Malformed;

use super::json;
use super::reply::{Form, Reply};
use crate::action::{DeflateLevel, NewFacts};
use crate::digest::DigestAlgorithm;
use crate::listing::facts::FactSet;
use crate::listing::options::ListingRequest;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use nom::character::complete::{alphanumeric1, char};
use nom::combinator::{all_consuming, opt, rest};
use nom::error::Error;
use nom::sequence::preceded;
use nom::{IResult, Parser};
use row::{Row, Turn};
use serde::{Deserialize, Serialize};

/// A parsed command. Paths are as the client wrote them: what they mean depends on the working directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// USER (RFC 959 4.1.1).
    User(String),
    /// PASS (RFC 959 4.1.1).
    Pass(Secret),
    /// ACCT (RFC 959 4.1.1).
    Acct(Secret),
    /// REIN (RFC 959 4.1.1).
    Rein,
    /// AUTH and the mechanism, in capitals (RFC 2228 3, RFC 4217 4).
    Auth(String),
    /// PBSZ (RFC 2228 3); TLS needs no buffer, so any size will do.
    Pbsz(u32),
    /// PROT (RFC 2228 3).
    Prot(ProtectionLevel),
    /// CCC (RFC 2228 3).
    Ccc,
    /// QUIT (RFC 959 4.1.1).
    Quit,
    /// NOOP (RFC 959 4.1.3).
    Noop,
    /// SYST (RFC 959 4.1.3).
    Syst,
    /// FEAT (RFC 2389 3).
    Feat,
    /// OPTS UTF8 ON or OFF, OPTS UTF-8 (drafts in wide use): whether it is to be on.
    OptsUtf8(bool),
    /// OPTS MLST: the facts that MLST and MLSD are to show (RFC 3659 7.9).
    OptsMlst(FactSet),
    /// HELP, with or without a command's name (RFC 959 4.1.3).
    Help(Option<String>),
    /// TYPE that is carried (RFC 959 3.1.1).
    Type(TypeCode),
    /// MODE S (RFC 959 3.4).
    ModeStream,
    /// MODE Z (draft-preston-ftpext-deflate-04 3).
    ModeDeflate,
    /// OPTS MODE Z, with LEVEL or without (draft-preston-ftpext-deflate-04 3.5).
    OptsModeZ(Option<DeflateLevel>),
    /// STRU F (RFC 959 3.1.2).
    StruFile,
    /// ALLO: how many bytes will come (RFC 959 4.1.3).
    Allo(u64),
    /// PWD, XPWD (RFC 959 4.1.1).
    Pwd,
    /// CWD, XCWD (RFC 959 4.1.1).
    Cwd(String),
    /// CDUP, XCUP (RFC 959 4.1.1).
    Cdup,
    /// MKD, XMKD (RFC 959 4.1.3).
    Mkd(String),
    /// RMD, XRMD (RFC 959 4.1.3).
    Rmd(String),
    /// DELE (RFC 959 4.1.3).
    Dele(String),
    /// RNFR (RFC 959 4.1.3).
    Rnfr(String),
    /// RNTO (RFC 959 4.1.3).
    Rnto(String),
    /// PORT (RFC 959 4.1.2) and EPRT (RFC 2428 2): where the peer listens. Not yet checked against its address.
    Port {
        /// PORT or EPRT, for the reply.
        extended: bool,
        /// Where.
        address: SocketAddr,
    },
    /// PASV (RFC 959 4.1.2).
    Pasv,
    /// EPSV (RFC 2428 3).
    Epsv(EpsvArgument),
    /// RETR (RFC 959 4.1.3).
    Retr(String),
    /// STOR (RFC 959 4.1.3).
    Stor(String),
    /// APPE (RFC 959 4.1.3).
    Appe(String),
    /// STOU, with or without what the name shall begin with (RFC 959 4.1.3).
    Stou(Option<String>),
    /// REST: an offset, at most [`crate::limits::OFFSET_MAX`] (RFC 3659 5).
    Rest(u64),
    /// RANG: from the first byte to the last, both included and at most [`crate::limits::OFFSET_MAX`]; not yet checked
    /// against each other (draft-bryan-ftp-range-08 3).
    Rang {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// ABOR (RFC 959 4.1.3).
    Abor,
    /// STAT, with or without a path (RFC 959 4.1.3).
    Stat(Option<ListingRequest>),
    /// LIST (RFC 959 4.1.3).
    List(ListingRequest),
    /// NLST (RFC 959 4.1.3).
    Nlst(ListingRequest),
    /// MLST (RFC 3659 7).
    Mlst(Option<String>),
    /// MLSD (RFC 3659 7).
    Mlsd(Option<String>),
    /// SIZE (RFC 3659 4).
    Size(String),
    /// MDTM (RFC 3659 3).
    Mdtm(String),
    /// MFMT: the modification time, UTC seconds, and the path (draft-somers-ftp-mfxx 3).
    Mfmt {
        /// UTC seconds.
        modified_s: i64,
        /// The file.
        path: String,
    },
    /// MFCT: the time of making, UTC seconds, and the path (draft-somers-ftp-mfxx 4).
    Mfct {
        /// UTC seconds.
        created_s: i64,
        /// The file.
        path: String,
    },
    /// MFF: several facts at once (draft-somers-ftp-mfxx 5); at least one.
    Mff {
        /// The facts; the time of access is not among them.
        facts: Box<NewFacts>,
        /// The file or directory.
        path: String,
    },
    /// SITE UTIME, of `path` alone or of `path` with access, modification and change time (in use without a text).
    SiteUtime {
        /// UTC seconds.
        modified_s: i64,
        /// UTC seconds; none: it stays.
        accessed_s: Option<i64>,
        /// The file.
        path: String,
    },
    /// SITE CHMOD: permission bits, at most 0o777.
    SiteChmod {
        /// The bits.
        mode: u16,
        /// The file or directory.
        path: String,
    },
    /// SITE WHOAMI.
    SiteWhoami,
    /// SITE IDLE: how many seconds; none: it asks.
    SiteIdle(Option<u32>),
    /// HASH (draft-bryan-ftpext-hash 3).
    Hash(String),
    /// OPTS HASH: the algorithm to be used from now on; none: it asks (draft-bryan-ftpext-hash 3.3).
    OptsHash(Option<DigestAlgorithm>),
    /// XCRC, XMD5, XSHA, XSHA1, XSHA256, XSHA512 (in use without a text).
    XHash {
        /// Which of them.
        algorithm: DigestAlgorithm,
        /// The file.
        path: String,
        /// The first byte and the one behind the last, which is not before the first; none: all.
        range: Option<(u64, u64)>,
    },
    /// COMB (in use without a text): 1 to [`crate::limits::COMB_PARTS_MAX`] parts.
    Comb {
        /// The file that they become.
        target: String,
        /// The parts, in order.
        parts: Vec<String>,
    },
    /// AVBL (draft-peterson-streamlined-ftp-command-extensions 4).
    Avbl(Option<String>),
    /// DSIZ (draft-peterson-streamlined-ftp-command-extensions 5).
    Dsiz(Option<String>),
    /// CLNT (in use without a text): what the client calls itself.
    Clnt(String),
    /// CSID (in use without a text): the same as `Name=..; Version=..;`, asking for the like.
    Csid(String),
    /// LANG: a language tag; none: the server's choice (RFC 2640 4).
    Lang(Option<String>),
    /// HOST (RFC 7151 3).
    Host(HostName),
    /// SETEXPIRY (seed) and SITE EXPIRY; without a date (SITE EXPIRY alone) it asks.
    Expiry {
        /// SETEXPIRY answers 000, SITE EXPIRY 200.
        site: bool,
        /// The storage path.
        path: String,
        /// The date as written; the session reads it, for it needs the time.
        date: Option<String>,
    },
    /// SITE TOKEN (DESIGN 4).
    SiteToken(String),
    /// SITE CLAIM (DESIGN 4).
    SiteClaim {
        /// The storage path.
        path: String,
        /// The token as written; a malformed one is as wrong as a wrong one.
        token: Secret,
    },
}

/// What PROT may ask for (RFC 2228 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtectionLevel {
    /// `C`: clear.
    Clear,
    /// `S`: safe.
    Safe,
    /// `E`: confidential.
    Confidential,
    /// `P`: private.
    Private,
}

impl ProtectionLevel {
    /// As PROT names it.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::Clear => "C",
            Self::Safe => "S",
            Self::Confidential => "E",
            Self::Private => "P",
        }
    }
}

/// Bytes of a file, from `first` to `last`, both included, counted from 0; `first <= last`, neither above
/// [`crate::limits::OFFSET_MAX`] (draft-bryan-ftp-range-08 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

impl ByteRange {
    /// Where it ends, not included.
    #[must_use]
    pub fn end(self) -> u64 {
        self.last.saturating_add(1)
    }
}

/// What HOST names (RFC 7151 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostName {
    /// A domain: labels of letters, digits and hyphens.
    Name(String),
    /// An address.
    Ip(IpAddr),
}

/// TYPE, as far as it is carried (RFC 959 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypeCode {
    /// A, A N.
    Ascii,
    /// I, L 8.
    Image,
}

/// What EPSV asks for (RFC 2428 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EpsvArgument {
    /// Nothing: the control connection's protocol.
    Any,
    /// `EPSV 1`: IPv4.
    Ipv4,
    /// `EPSV 2`: IPv6.
    Ipv6,
    /// `EPSV ALL`.
    All,
}

/// A password or token as a peer wrote it. `Debug` does not show it; its serde form does, for a driver must send it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// One control line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The form it came in, and so its replies go out in.
    pub form: Form,
    /// The command's row in the table; none: no command is of that name.
    pub row: Option<&'static Row>,
    /// The first word of a line of text that is no command, where it looks like one: letters alone, and few.
    pub unknown: Option<String>,
    /// The command, or the reply that its malformed line gets (500, 501, 502, 504, 522).
    pub command: Result<Command, Reply>,
}

impl Request {
    /// What becomes of it while a transfer runs; a malformed one waits for its reply.
    #[must_use]
    pub fn turn(&self) -> Turn {
        match (self.row, &self.command) {
            (Some(row), Ok(_)) => row.turn,
            _ => Turn::Waits,
        }
    }
}

/// Reads one whole line, without its end. The verb's case does not matter; one blank parts it from its argument, and
/// further blanks belong to the argument, for a path may begin and end with one.
///
/// ```
/// use mayfly_core::wire::command::{Command, parse};
/// assert_eq!(parse(b"retr 1.png").command, Ok(Command::Retr("1.png".into())));
/// let json = br#"{"Request Command":"RETR","Request Argument":"1.png"}"#;
/// assert_eq!(parse(json).command, Ok(Command::Retr("1.png".into())));
/// assert_eq!(parse(b"FLY").command.map_err(|reply| reply.code), Err(500));
/// ```
#[must_use]
pub fn parse(line: &[u8]) -> Request {
    let form = Form::of_line(line.first().copied());
    match find(line, form) {
        Ok((row, argument)) => {
            Request { form, row: Some(row), unknown: None, command: (row.parse)(&argument).map_err(Reply::from) }
        }
        Err(malformed) => Request { form, row: None, unknown: unknown(line), command: Err(malformed.into()) },
    }
}

/// See [`Request::unknown`].
fn unknown(line: &[u8]) -> Option<String> {
    let word = line.split(|byte| *byte == b' ').next()?;
    let looks_like_one = (1..=UNKNOWN_BYTES_MAX).contains(&word.len()) && word.iter().all(u8::is_ascii_alphabetic);
    looks_like_one.then(|| word.iter().map(|byte| char::from(byte.to_ascii_uppercase())).collect())
}

/// No command's name is longer than SETEXPIRY.
const UNKNOWN_BYTES_MAX: usize = 9;

/// What is made of an argument.
type Parsed = Result<Command, Malformed>;

/// The command's row, and its argument.
fn find(line: &[u8], form: Form) -> Result<(&'static Row, Cow<'_, str>), Malformed> {
    let line = core::str::from_utf8(line).map_err(|_| Malformed::NotUtf8)?;
    match form {
        Form::Text => {
            let (_, (verb, argument)) = text_line(line).map_err(|_| Malformed::UnknownCommand)?;
            let (row, argument) = table::find(verb, argument.unwrap_or_default())?;
            Ok((row, argument.into()))
        }
        Form::Json => {
            let request = json::request(line).ok_or(Malformed::BrokenJson)?;
            let (row, argument) = table::find(&request.command, request.argument.as_deref().unwrap_or_default())?;
            Ok((row, argument.to_string().into()))
        }
    }
}

/// RFC 959 5.3: a verb is letters (and digits, as in XMD5); then a blank and the argument, or nothing.
fn text_line(line: &str) -> IResult<&str, (&str, Option<&str>), Error<&str>> {
    all_consuming((alphanumeric1, opt(preceded(char(' '), rest)))).parse(line)
}

#[cfg(test)]
mod tests;
