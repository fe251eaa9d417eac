//! What a URL names: a server, who one is there, and a storage path (RFC 1738 3.2).

use super::Tls;
use super::options::IMPLICIT_TLS_PORT;
use crate::net::CONTROL_PORT;
use mayfly_core::wire::command::Secret;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use url::{Host, ParseError, Url};

/// `ftp://[user[:password]@]host[:port]/path`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// None: nobody in particular.
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    /// Seen from the directory of the login, unless it begins with a slash; empty where the URL has none.
    pub(crate) path: String,
    /// How the connection is secured.
    pub(crate) tls: Tls,
    scheme: Scheme,
}

/// What a URL begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Ftp,
    /// Implicit TLS (curl, lftp, `FileZilla`).
    Ftps,
    /// Explicit TLS (`FileZilla`, `WinSCP`).
    Ftpes,
}

/// Why a text is no URL of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRemote(&'static str);

impl fmt::Display for NoRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; the form is ftp://[user[:password]@]host[:port]/path, or ftps:// or ftpes:// for TLS", self.0)
    }
}

impl std::error::Error for NoRemote {}

impl FromStr for Remote {
    type Err = NoRemote;

    fn from_str(text: &str) -> Result<Self, NoRemote> {
        let why = |error| match error {
            ParseError::InvalidPort => NoRemote("the port is wrong: it is a number from 1 to 65535"),
            // RFC 6874 would write [fe80::1%25eth0]; RFC 3986 3.2.2 knows no such host.
            ParseError::InvalidIpv6Address if has_zone(text) => NoRemote("an address with a zone (%) is not taken"),
            ParseError::InvalidIpv6Address => NoRemote("the IPv6 address is wrong: it is written [2001:db8::1]"),
            _ => NoRemote("this is no URL"),
        };
        let url = Url::parse(text).map_err(why)?;
        let scheme = Scheme::of(url.scheme()).ok_or(NoRemote("this is no FTP URL"))?;
        // Only of schemes that it knows does the parser read hosts and leave out their own port.
        let given_port = url.port();
        let url = if scheme == Scheme::Ftp {
            url
        } else {
            let rest = text.split_once(':').map_or("", |(_, rest)| rest);
            Url::parse(&format!("ftp:{rest}")).map_err(why)?
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(NoRemote("in a URL, ? is written %3F and # is written %23"));
        }
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(NoRemote("the URL names no host")),
        };
        let path = without_type(url.path())?;
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = decoded(path).ok_or(NoRemote("the URL's path is not UTF-8"))?;
        let trimmed = path.trim_end_matches('/');
        let path = if trimmed.is_empty() && path.starts_with('/') { "/" } else { trimmed };
        let user = decoded(url.username()).ok_or(NoRemote("the URL's user is not UTF-8"))?;
        let password = url.password().map(|password| decoded(password).ok_or(NoRemote("the password is not UTF-8")));
        let password = password.transpose()?;
        // %0D%0A would begin another command.
        if [&user, path, password.as_deref().unwrap_or_default()].iter().any(|text| text.contains(char::is_control)) {
            return Err(NoRemote("a control character cannot be sent"));
        }
        Ok(Self {
            host,
            port: given_port.unwrap_or(scheme.port()),
            tls: scheme.tls(),
            scheme,
            user: Some(user).filter(|user| !user.is_empty()),
            password: password.map(Secret),
            path: path.to_owned(),
        })
    }
}

impl Remote {
    /// The URL of `path`, to be handed on: without user and password.
    pub(crate) fn url(&self, path: &str) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let scheme = self.scheme.text();
        let port = if self.port == self.scheme.port() { String::new() } else { format!(":{}", self.port) };
        format!("{scheme}://{host}{port}/{}", encoded(path))
    }

    /// The URL with the flag that it needs beside it.
    pub(crate) fn url_and_flag(&self, path: &str) -> String {
        let flag = match self.tls {
            _ if self.tls == self.scheme.tls() => "",
            Tls::Implicit => " --tls implicit",
            _ => " --tls explicit",
        };
        self.url(path) + flag
    }

    /// The same, secured as a flag says.
    ///
    /// # Errors
    /// [`NoRemote`], where the URL says otherwise.
    pub(crate) fn secured(&self, tls: Option<Tls>) -> Result<Self, NoRemote> {
        let Some(tls) = tls.filter(|tls| *tls != self.tls) else { return Ok(self.clone()) };
        if self.scheme != Scheme::Ftp {
            return Err(NoRemote("the URL and --tls disagree: ftps:// is implicit TLS, and ftpes:// explicit"));
        }
        let moves = tls == Tls::Implicit && self.port == CONTROL_PORT;
        let port = if moves { IMPLICIT_TLS_PORT } else { self.port };
        Ok(Self { port, tls, ..self.clone() })
    }
}

impl Scheme {
    fn of(text: &str) -> Option<Self> {
        [Self::Ftp, Self::Ftps, Self::Ftpes].into_iter().find(|scheme| scheme.text() == text)
    }

    fn text(self) -> &'static str {
        match self {
            Self::Ftp => "ftp",
            Self::Ftps => "ftps",
            Self::Ftpes => "ftpes",
        }
    }

    fn tls(self) -> Tls {
        match self {
            Self::Ftp => Tls::None,
            Self::Ftps => Tls::Implicit,
            Self::Ftpes => Tls::Explicit,
        }
    }

    fn port(self) -> u16 {
        if self == Self::Ftps { IMPLICIT_TLS_PORT } else { CONTROL_PORT }
    }
}

/// A text that may be a URL, with its password hidden: for what is said about a wrong one.
pub(crate) fn without_password(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let host_end = rest.rfind('@').unwrap_or(0);
    match rest[..host_end].split_once(':') {
        Some((user, _)) => format!("{scheme}{user}:<secret>{}", &rest[host_end..]),
        None => text.to_owned(),
    }
}

fn has_zone(text: &str) -> bool {
    let host = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    host.is_some_and(|(host, _)| host.contains('%'))
}

/// The path without its type code, which says how to transfer (RFC 1738 3.2.2): files always go as they are.
fn without_type(path: &str) -> Result<&str, NoRemote> {
    let Some((before, code)) = path.rsplit_once(';').and_then(|(before, parameter)| {
        let (name, code) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("type").then_some((before, code))
    }) else {
        return Ok(path);
    };
    if ["a", "i"].iter().any(|known| code.eq_ignore_ascii_case(known)) {
        return Ok(before);
    }
    Err(NoRemote("the type in the URL is wrong: it is ;type=a or ;type=i, and a name's own ; is written %3B"))
}

/// With every `%XX` read; none where that is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(decoded) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(decoded);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// With `%XX` for all but what never means anything in a path (RFC 3986 2.3); a leading slash is part of the path.
fn encoded(path: &str) -> String {
    let leading = path.starts_with('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encoded = path.bytes().skip(usize::from(leading)).fold(String::new(), |mut url, byte| {
        if plain(byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(url, "%{byte:02X}");
        }
        url
    });
    if leading { format!("%2F{encoded}") } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Remote {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_url_names_a_server_and_a_path_seen_from_the_login() {
        let remote = read("ftp://host/scans/a%20b/");
        assert_eq!((remote.host.as_str(), remote.port, remote.user), ("host", 21, None));
        assert_eq!(remote.path, "scans/a b");
        let remote = read("ftp://me:p%40ss@[::1]:2121/%2Fabs");
        assert_eq!((remote.host.as_str(), remote.port, remote.path.as_str()), ("::1", 2121, "/abs"));
        assert_eq!(remote.user.as_deref(), Some("me"));
        assert_eq!(remote.password, Some(Secret("p@ss".to_owned())));
        for (url, path) in [
            ("ftp://host", ""),
            ("ftp://host/", ""),
            ("ftp://host//abs", "/abs"),
            ("ftp://host/%2F", "/"),
            ("ftp://host/ü 1", "ü 1"),
            ("ftp://host/a%3Fb;type=i", "a?b"),
            ("ftp://host/a;TYPE=A", "a"),
            ("ftp://host/a%3Btype=x", "a;type=x"),
            ("ftp://host/a;b=c", "a;b=c"),
            ("ftp://host/a//", "a"),
            ("ftp://host/%2Fa/b", "/a/b"),
            ("ftp://me@host/a:b@c", "a:b@c"),
            ("ftp://host/a%2", "a%2"),
        ] {
            assert_eq!(read(url).path, path, "{url}");
        }
        for url in ["host/path", "http://host/", "ftpx://host/", "ftp://", "ftp://host/a?b", "ftp://host/%FF", ""] {
            url.parse::<Remote>().unwrap_err();
        }
        for url in ["ftp://host/a%0D%0ADELE%20b", "ftp://a%0Ab@host/", "ftp://a:b%00@host/", "ftp://host/a;type=x"] {
            url.parse::<Remote>().unwrap_err();
        }
    }

    #[test]
    fn an_address_of_either_family_is_a_host() {
        assert_eq!(read("ftp://[::1]:2121/x").host, "::1");
        assert_eq!(read("ftp://[2001:DB8:0::1]/x").host, "2001:db8::1");
        assert_eq!(read("ftp://192.0.2.1:2121/x").host, "192.0.2.1");
        let wrong = |url: &str| url.parse::<Remote>().unwrap_err().to_string();
        for url in ["ftp://[fe80::1%25eth0]/x", "ftp://[fe80::1%eth0]:2121/x"] {
            assert!(wrong(url).contains("zone"), "{}", wrong(url));
        }
        assert!(wrong("ftp://[::1::]/").contains("IPv6"));
    }

    #[test]
    fn the_scheme_or_a_flag_says_how_it_is_secured() {
        for (url, port, tls) in [
            ("ftp://host/x", 21, Tls::None),
            ("ftps://host/x", 990, Tls::Implicit),
            ("FTPS://HOST:21/x", 21, Tls::Implicit),
            ("ftps://[2001:DB8:0::1]:9990/x", 9990, Tls::Implicit),
            ("ftpes://me:p%40@host/x", 21, Tls::Explicit),
            ("ftpes://host:2121/x", 2121, Tls::Explicit),
        ] {
            let remote = read(url);
            assert_eq!((remote.port, remote.tls, remote.path.as_str()), (port, tls, "x"), "{url}");
            assert_eq!(read(&remote.url("x")), Remote { user: None, password: None, ..remote });
        }
        let by_flag = |url: &str, tls| read(url).secured(Some(tls));
        let implicit = by_flag("ftp://host/x", Tls::Implicit).unwrap();
        assert_eq!((implicit.port, implicit.url_and_flag("x").as_str()), (990, "ftp://host:990/x --tls implicit"));
        let explicit = by_flag("ftp://host/x", Tls::Explicit).unwrap();
        assert_eq!((explicit.port, explicit.url_and_flag("x").as_str()), (21, "ftp://host/x --tls explicit"));
        assert_eq!(by_flag("ftpes://host/x", Tls::Explicit).unwrap().url_and_flag("x"), "ftpes://host/x");
        by_flag("ftps://host/x", Tls::None).unwrap_err();
        by_flag("ftps://host/x", Tls::Explicit).unwrap_err();
    }

    #[test]
    fn what_is_said_about_a_wrong_url_holds_no_password() {
        assert_eq!(without_password("ftp://me:p@ss:w@host:99999/x"), "ftp://me:<secret>@host:99999/x");
        assert_eq!(without_password("me:pass@host/x"), "me:<secret>@host/x");
        for text in ["ftp://host/a:b", "ftp://me@host/a:b", "soon", "ftp://[::1]/x"] {
            assert_eq!(without_password(text), text);
        }
    }

    #[test]
    fn a_url_that_is_handed_on_reads_back_and_holds_no_password() {
        for path in ["scans", "a b/ü", "/abs", "50%", "a?b#c", "-;x"] {
            let remote = read("ftp://me:secret@[::1]:2121/");
            let url = remote.url(path);
            assert!(!url.contains("secret") && !url.contains("me@"), "{url}");
            assert_eq!(read(&url).path, path, "{url}");
        }
        assert_eq!(read("ftp://host").url("scans"), "ftp://host/scans");
    }
}
