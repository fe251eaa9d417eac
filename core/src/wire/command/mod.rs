//! Commands: what a control line asks. `parse` takes whole lines only, text or JSON; each family of verbs has its file.

mod access;
mod argument;
mod data;
mod directory;
mod encode;
mod info;
mod malformed;
mod site;
mod transfer;

pub use malformed::Malformed;

use super::json;
use super::reply::{Form, Reply};
use alloc::string::String;
use core::fmt;
use core::net::SocketAddr;
use nom::character::complete::{alphanumeric1, char};
use nom::combinator::{all_consuming, opt, rest};
use nom::error::Error;
use nom::sequence::preceded;
use nom::{IResult, Parser};
use serde::{Deserialize, Serialize};

/// A parsed command. Paths are as the client wrote them: what they mean depends on the working directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// USER (RFC 959 4.1.1).
    User(String),
    /// PASS (RFC 959 4.1.1).
    Pass(Secret),
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
    /// HELP, with or without a command's name (RFC 959 4.1.3).
    Help(Option<String>),
    /// TYPE that is carried (RFC 959 3.1.1).
    Type(TypeCode),
    /// MODE S (RFC 959 3.4).
    ModeStream,
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
    /// REST: an offset, at most [`crate::limits::OFFSET_MAX`] (RFC 3659 5).
    Rest(u64),
    /// ABOR (RFC 959 4.1.3).
    Abor,
    /// STAT, with or without a path (RFC 959 4.1.3).
    Stat(Option<String>),
    /// LIST (RFC 959 4.1.3); options like `-la` are taken off.
    List(Option<String>),
    /// NLST (RFC 959 4.1.3); options like `-la` are taken off.
    Nlst(Option<String>),
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
    /// The command, or the reply that its malformed line gets (500, 501, 502, 504, 522).
    pub command: Result<Command, Reply>,
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
    Request { form, command: read(line, form).map_err(Reply::from) }
}

/// What every family makes of a verb and its argument.
type Parsed = Result<Command, Malformed>;

/// Reads a verb in capitals and its argument; none: the verb is of another family.
type Family = fn(verb: &str, argument: &str) -> Option<Parsed>;

const FAMILIES: [Family; 6] = [access::parse, directory::parse, transfer::parse, data::parse, info::parse, site::parse];

fn read(line: &[u8], form: Form) -> Parsed {
    let line = core::str::from_utf8(line).map_err(|_| Malformed::NotUtf8)?;
    match form {
        Form::Text => {
            let (_, (verb, argument)) = text_line(line).map_err(|_| Malformed::UnknownCommand)?;
            command(verb, argument.unwrap_or_default())
        }
        Form::Json => {
            let request = json::request(line).ok_or(Malformed::BrokenJson)?;
            command(&request.command, request.argument.as_deref().unwrap_or_default())
        }
    }
}

/// RFC 959 5.3: a verb is letters (and digits, as in XMD5); then a blank and the argument, or nothing.
fn text_line(line: &str) -> IResult<&str, (&str, Option<&str>), Error<&str>> {
    all_consuming((alphanumeric1, opt(preceded(char(' '), rest)))).parse(line)
}

fn command(verb: &str, argument: &str) -> Parsed {
    let verb = verb.to_ascii_uppercase();
    let parsed = FAMILIES.iter().find_map(|family| family(&verb, argument));
    parsed.unwrap_or_else(|| {
        Err(if NOT_CARRIED.contains(&&*verb) { Malformed::NotImplemented } else { Malformed::UnknownCommand })
    })
}

/// Verbs of FTP that this server knows and does not carry: 502 (RFC 959 4.2.1).
const NOT_CARRIED: [&str; 33] = [
    // RFC 959.
    "ACCT", "SMNT", "REIN", "STOU", //
    // RFC 2228: no security extension yet.
    "AUTH", "ADAT", "PROT", "PBSZ", "CCC", "MIC", "CONF", "ENC", //
    // RFC 1639, RFC 2640, RFC 7151.
    "LPRT", "LPSV", "LANG", "HOST", //
    // Drafts: draft-somers-ftp-mfxx, draft-bryan-ftp-hash, draft-bryan-ftp-range, draft-peterson-streamlined-ftp.
    "MFCT", "MFF", "HASH", "RANG", "ALGS", "CLNT", "CSID", "AVBL", "COMB", //
    // In use without a text.
    "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512", "SPSV", "THMB",
];

#[cfg(test)]
mod tests;
