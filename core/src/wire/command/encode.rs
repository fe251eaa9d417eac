//! Commands on their way out: the line that a client sends.

use super::{Command, EpsvArgument, TypeCode, argument, facts, hash};
use crate::listing::options::ListingRequest;
use crate::wire::json;
use crate::wire::reply::Form;
use crate::{data, date};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;

impl Command {
    /// The line that [`parse`](super::parse) reads as this command, without its line end, passwords and tokens in the
    /// clear.
    ///
    /// CR, LF and NUL become `?`: no name can smuggle in a second line.
    ///
    /// ```
    /// use mayfly_core::wire::command::{Command, parse};
    /// let command = Command::Stor("holiday 1.png".into());
    /// assert_eq!(command.encode(), "STOR holiday 1.png");
    /// assert_eq!(parse(command.encode().as_bytes()).command, Ok(command));
    /// ```
    #[must_use]
    pub fn encode(&self) -> String {
        let (verb, argument) = self.parts(Secrets::Shown);
        line(verb, &argument)
    }

    /// The same in the form that is asked for; the line end is still the caller's to add.
    #[must_use]
    pub fn encode_as(&self, form: Form) -> String {
        let (verb, argument) = self.parts(Secrets::Shown);
        match form {
            Form::Text => line(verb, &argument),
            Form::Json => json::encode_request(verb, &argument),
        }
    }

    /// The verb and what follows it.
    fn parts(&self, secrets: Secrets) -> (&'static str, Cow<'_, str>) {
        match self {
            Self::User(name) => ("USER", name.into()),
            Self::Auth(mechanism) => ("AUTH", mechanism.into()),
            Self::Pbsz(bytes) => ("PBSZ", format!("{bytes}").into()),
            Self::Prot(level) => ("PROT", level.letter().into()),
            Self::Ccc => ("CCC", "".into()),
            Self::Pass(password) => ("PASS", secrets.show(&password.0)),
            Self::Acct(account) => ("ACCT", secrets.show(&account.0)),
            Self::Rein => ("REIN", "".into()),
            Self::Quit => ("QUIT", "".into()),
            Self::Noop => ("NOOP", "".into()),
            Self::Syst => ("SYST", "".into()),
            Self::Feat => ("FEAT", "".into()),
            Self::OptsUtf8(true) => ("OPTS", "UTF8 ON".into()),
            Self::OptsUtf8(false) => ("OPTS", "UTF8 OFF".into()),
            Self::OptsMlst(chosen) => ("OPTS", format!("MLST {chosen}").into()),
            Self::Help(verb) => ("HELP", optional(verb.as_ref())),
            Self::Type(TypeCode::Ascii) => ("TYPE", "A".into()),
            Self::Type(TypeCode::Image) => ("TYPE", "I".into()),
            Self::ModeStream => ("MODE", "S".into()),
            Self::ModeDeflate => ("MODE", "Z".into()),
            Self::OptsModeZ(None) => ("OPTS", "MODE Z".into()),
            Self::OptsModeZ(Some(level)) => ("OPTS", format!("MODE Z LEVEL {}", level.level()).into()),
            Self::StruFile => ("STRU", "F".into()),
            Self::Allo(bytes) => ("ALLO", format!("{bytes}").into()),
            Self::Pwd => ("PWD", "".into()),
            Self::Cwd(path) => ("CWD", path.into()),
            Self::Cdup => ("CDUP", "".into()),
            Self::Mkd(path) => ("MKD", path.into()),
            Self::Rmd(path) => ("RMD", path.into()),
            Self::Dele(path) => ("DELE", path.into()),
            Self::Rnfr(path) => ("RNFR", path.into()),
            Self::Rnto(path) => ("RNTO", path.into()),
            Self::Port { extended: false, address: SocketAddr::V4(address) } => {
                ("PORT", data::port_argument(*address).into())
            }
            Self::Port { address, .. } => ("EPRT", data::eprt_argument(*address).into()),
            Self::Pasv => ("PASV", "".into()),
            Self::Epsv(EpsvArgument::Any) => ("EPSV", "".into()),
            Self::Epsv(EpsvArgument::Ipv4) => ("EPSV", "1".into()),
            Self::Epsv(EpsvArgument::Ipv6) => ("EPSV", "2".into()),
            Self::Epsv(EpsvArgument::All) => ("EPSV", "ALL".into()),
            Self::Retr(path) => ("RETR", path.into()),
            Self::Stor(path) => ("STOR", path.into()),
            Self::Appe(path) => ("APPE", path.into()),
            Self::Stou(prefix) => ("STOU", optional(prefix.as_ref())),
            Self::Rest(offset) => ("REST", format!("{offset}").into()),
            Self::Rang { first, last } => ("RANG", format!("{first} {last}").into()),
            Self::Abor => ("ABOR", "".into()),
            Self::Stat(of) => ("STAT", of.as_ref().map_or("", ListingRequest::argument).into()),
            Self::List(request) => ("LIST", request.argument().into()),
            Self::Nlst(request) => ("NLST", request.argument().into()),
            Self::Mlst(of) => ("MLST", optional(of.as_ref())),
            Self::Mlsd(of) => ("MLSD", optional(of.as_ref())),
            Self::Size(path) => ("SIZE", path.into()),
            Self::Mdtm(path) => ("MDTM", path.into()),
            Self::Mfmt { modified_s, path } => ("MFMT", format!("{} {path}", date::time_val(*modified_s)).into()),
            Self::Mfct { created_s, path } => ("MFCT", format!("{} {path}", date::time_val(*created_s)).into()),
            Self::Mff { facts, path } => ("MFF", format!("{} {path}", facts::written(facts)).into()),
            Self::SiteUtime { modified_s, accessed_s, path } => {
                ("SITE", facts::utime_argument(*modified_s, *accessed_s, path).into())
            }
            Self::SiteChmod { mode, path } => ("SITE", format!("CHMOD {mode:03o} {path}").into()),
            Self::SiteWhoami => ("SITE", "WHOAMI".into()),
            Self::SiteIdle(None) => ("SITE", "IDLE".into()),
            Self::SiteIdle(Some(idle_s)) => ("SITE", format!("IDLE {idle_s}").into()),
            Self::Hash(path) => ("HASH", path.into()),
            Self::OptsHash(algorithm) => {
                ("OPTS", algorithm.map_or("HASH".into(), |algorithm| format!("HASH {}", algorithm.name()).into()))
            }
            Self::XHash { algorithm, path, range } => (hash::verb(*algorithm), hash::argument(path, *range).into()),
            Self::Comb { target, parts } => {
                let names: Vec<String> =
                    [target].into_iter().chain(parts).map(|name| argument::in_quotes(name)).collect();
                ("COMB", names.join(" ").into())
            }
            Self::Avbl(path) => ("AVBL", optional(path.as_ref())),
            Self::Dsiz(path) => ("DSIZ", optional(path.as_ref())),
            Self::Clnt(name) => ("CLNT", name.into()),
            Self::Csid(name) => ("CSID", name.into()),
            Self::Lang(tag) => ("LANG", optional(tag.as_ref())),
            Self::Host(host) => ("HOST", format!("{host}").into()),
            Self::Expiry { site, path, date } => {
                let date = date.iter().flat_map(|date| [" ", date]).collect::<String>();
                let verb = if *site { ("SITE", "EXPIRY ") } else { ("SETEXPIRY", "") };
                (verb.0, format!("{}{path}{date}", verb.1).into())
            }
            Self::SiteToken(path) => ("SITE", format!("TOKEN {path}").into()),
            Self::SiteClaim { path, token } => ("SITE", format!("CLAIM {path} {}", secrets.show(&token.0)).into()),
        }
    }
}

/// The line as a log may show it: passwords and tokens are `<secret>`.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, argument) = self.parts(Secrets::Hidden);
        f.write_str(&line(verb, &argument))
    }
}

#[derive(Clone, Copy)]
enum Secrets {
    Shown,
    Hidden,
}

impl Secrets {
    fn show(self, secret: &str) -> Cow<'_, str> {
        match self {
            Self::Shown => secret.into(),
            Self::Hidden => "<secret>".into(),
        }
    }
}

fn optional(path: Option<&String>) -> Cow<'_, str> {
    path.map_or("", String::as_str).into()
}

fn line(verb: &str, argument: &str) -> String {
    if argument.is_empty() {
        return verb.into();
    }
    format!("{verb} {}", argument.replace(['\r', '\n', '\0'], "?"))
}
