//! What a URL names: a server, who one is there, and a storage path (RFC 1738 3.2).

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
}

/// Why a text is no URL of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRemote(&'static str);

impl fmt::Display for NoRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; the form is ftp://[user[:password]@]host[:port]/path", self.0)
    }
}

impl std::error::Error for NoRemote {}

impl FromStr for Remote {
    type Err = NoRemote;

    fn from_str(text: &str) -> Result<Self, NoRemote> {
        let url = Url::parse(text).map_err(|error| match error {
            ParseError::InvalidPort => NoRemote("the port is wrong: it is a number from 1 to 65535"),
            _ => NoRemote("this is no URL"),
        })?;
        match url.scheme() {
            "ftp" => {}
            "ftps" | "ftpes" => return Err(NoRemote("TLS is not spoken yet")),
            _ => return Err(NoRemote("this is no FTP URL")),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(NoRemote("in a URL, ? is written %3F and # is written %23"));
        }
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(NoRemote("the URL names no host")),
        };
        // RFC 1738 3.2.2: the type code says how to transfer, and files are always transferred as they are.
        let path = url.path();
        let path = path.rsplit_once(";type=").map_or(path, |(path, _)| path);
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = decoded(path).ok_or(NoRemote("the URL's path is not UTF-8"))?;
        let trimmed = path.trim_end_matches('/');
        let path = if trimmed.is_empty() && path.starts_with('/') { "/" } else { trimmed };
        let user = decoded(url.username()).ok_or(NoRemote("the URL's user is not UTF-8"))?;
        let password = url.password().map(|password| decoded(password).ok_or(NoRemote("the password is not UTF-8")));
        Ok(Self {
            host,
            port: url.port().unwrap_or(CONTROL_PORT),
            user: Some(user).filter(|user| !user.is_empty()),
            password: password.transpose()?.map(Secret),
            path: path.to_owned(),
        })
    }
}

impl Remote {
    /// The URL of `path`, to be handed on: without user and password.
    pub(crate) fn url(&self, path: &str) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = if self.port == CONTROL_PORT { String::new() } else { format!(":{}", self.port) };
        format!("ftp://{host}{port}/{}", encoded(path))
    }
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
            ("ftp://host/a%2", "a%2"),
        ] {
            assert_eq!(read(url).path, path, "{url}");
        }
        for url in ["host/path", "http://host/", "ftps://host/", "ftp://", "ftp://host/a?b", "ftp://host/%FF", ""] {
            url.parse::<Remote>().unwrap_err();
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
