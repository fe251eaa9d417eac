//! Who one is on the server: by the URL, the environment, `.netrc`, or asked on the terminal. In that order.

use super::super::netrc::{Entry, Netrc};
use super::super::progress::say;
use super::super::remote::Remote;
use super::super::{Failure, FailureKind, Interrupter, Server, password};
use clap::Args;
use mayfly_core::wire::command::Secret;
use std::env;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Where names and passwords may stand.
#[derive(Debug, Args)]
pub(crate) struct NetrcArgs {
    /// File with names and passwords, in place of $NETRC or ~/.netrc; the URL's user wins
    #[arg(long, value_name = "FILE")]
    netrc_file: Option<PathBuf>,
    /// Look up nothing in any .netrc
    #[arg(long, conflicts_with = "netrc_file")]
    no_netrc: bool,
}

/// The server of the URL, and as whom to log in there.
pub(super) fn server(url: &Remote, netrc: &NetrcArgs, interrupter: &Interrupter) -> Result<Server, Failure> {
    let nobody = Server { port: url.port, tls: url.tls, ..Server::anonymous(&url.host) };
    if let (Some(user), Some(password)) = (&url.user, &url.password) {
        return Ok(Server { user: user.clone(), password: password.clone(), ..nobody });
    }
    let entry = netrc.find(&url.host, url.user.as_deref())?.unwrap_or_default();
    let Some(user) = url.user.clone().or(entry.login) else { return Ok(nobody) };
    let given = env::var("MAYFLY_PASSWORD").ok().map(Secret);
    let known = if url.user.is_some() { given.or(entry.password) } else { entry.password.or(given) };
    let password = match known {
        Some(password) => password,
        None if is_anonymous(&user) => nobody.password.clone(),
        None => ask_password(&user, &url.host, interrupter)?,
    };
    Ok(Server { user, password, account: entry.account, ..nobody })
}

impl NetrcArgs {
    /// What the file says of this host and user; what others could read of it is not believed to be secret.
    fn find(&self, host: &str, user: Option<&str>) -> Result<Option<Entry>, Failure> {
        let Some((path, must_be)) = self.path() else { return Ok(None) };
        let local = |what: String| Failure::new(FailureKind::Local, what);
        let unreadable = |why: &dyn std::fmt::Display| local(format!("cannot read {}: {why}", path.display()));
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound && !must_be => return Ok(None),
            opened => opened.map_err(|error| unreadable(&error))?,
        };
        let metadata = file.metadata().map_err(|error| unreadable(&error))?;
        let mut text = String::new();
        let read = file.take(NETRC_BYTES_MAX + 1).read_to_string(&mut text);
        read.map_err(|error| unreadable(&error))?;
        if text.len() as u64 > NETRC_BYTES_MAX {
            return Err(unreadable(&"it is longer than a .netrc ever is"));
        }
        let netrc = Netrc::parse(&text)
            .map_err(|wrong| local(format!("{} is wrong in line {}: {}", path.display(), wrong.line, wrong.what)))?;
        let Some(mut entry) = netrc.find(host, user).cloned() else { return Ok(None) };
        let login = user.or(entry.login.as_deref()).unwrap_or_default();
        let has_secret = entry.password.is_some() || entry.account.is_some();
        // ftp(1): a file with passwords that others can read is refused, unless they are nobody's.
        if has_secret && metadata.mode() & OTHERS != 0 && !is_anonymous(login) {
            say(&format_args!(
                "note: the password in {0} is ignored, for others can read it; chmod 600 {0} makes it yours alone",
                path.display(),
            ));
            (entry.password, entry.account) = (None, None);
        }
        Ok(Some(entry))
    }

    /// The file, and whether it has to be there.
    fn path(&self) -> Option<(PathBuf, bool)> {
        match (&self.netrc_file, self.no_netrc) {
            (_, true) => None,
            (Some(path), false) => Some((path.clone(), true)),
            (None, false) => {
                let named = env::var_os("NETRC").filter(|path| !path.is_empty()).map(PathBuf::from);
                let home = || env::home_dir().map(|home| Path::join(&home, ".netrc"));
                named.or_else(home).map(|path| (path, false))
            }
        }
    }
}

/// Whether a user is nobody in particular (RFC 1635 3), whose password is no secret.
pub(super) fn is_anonymous(user: &str) -> bool {
    ["anonymous", "ftp"].contains(&user)
}

fn ask_password(user: &str, host: &str, interrupter: &Interrupter) -> Result<Secret, Failure> {
    let asked = password::ask(&format!("Password of {user} on {host}"), interrupter);
    asked.map(Secret).map_err(|error| match error.kind() {
        ErrorKind::Interrupted => Failure::new(FailureKind::Interrupted, "interrupted"),
        ErrorKind::NotFound => Failure::new(FailureKind::LoginRefused, NO_TERMINAL),
        _ => Failure::new(FailureKind::LoginRefused, format!("no password: {error}")),
    })
}

const NO_TERMINAL: &str =
    "no password is given and there is no terminal to ask on; MAYFLY_PASSWORD or ~/.netrc may hold it";
const NETRC_BYTES_MAX: u64 = 1 << 20;
/// Any right of the group and of others.
const OTHERS: u32 = 0o077;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn args(text: &str, mode: u32) -> (tempfile::TempDir, NetrcArgs) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("netrc");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (dir, NetrcArgs { netrc_file: Some(path), no_netrc: false })
    }

    fn log_in(url: &str, netrc: &NetrcArgs) -> (String, String) {
        let client = crate::client::Client::new(crate::client::ClientOptions::default()).unwrap();
        let server = server(&url.parse().unwrap(), netrc, &client.interrupter()).unwrap();
        (server.user, server.password.0)
    }

    #[test]
    fn the_urls_user_wins_over_the_file() {
        let (_dir, netrc) = args("machine host login ann password a machine host login bob password b", 0o600);
        let whom = |user: &str, password: &str| (user.to_owned(), password.to_owned());
        assert_eq!(log_in("ftp://host/x", &netrc), whom("ann", "a"));
        assert_eq!(log_in("ftp://bob@HOST/x", &netrc), whom("bob", "b"));
        assert_eq!(log_in("ftp://bob:c@host/x", &netrc), whom("bob", "c"));
        assert_eq!(log_in("ftp://other/x", &netrc), whom("anonymous", "mayfly@"));
        assert_eq!(log_in("ftp://anonymous@host/x", &netrc), whom("anonymous", "mayfly@"));
        let none = NetrcArgs { no_netrc: true, ..netrc };
        assert_eq!(log_in("ftp://host/x", &none), whom("anonymous", "mayfly@"));
    }

    #[test]
    fn a_password_that_others_can_read_is_ignored() {
        for mode in [0o640, 0o604, 0o620] {
            let (_dir, netrc) = args("machine host login ann password a machine nobody login ftp password me@", mode);
            assert_eq!(netrc.find("host", None).unwrap().unwrap().password, None, "{mode:o}");
            assert!(netrc.find("nobody", None).unwrap().unwrap().password.is_some(), "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_is_named_has_to_be_there_and_right() {
        let gone = NetrcArgs { netrc_file: Some("/nowhere/netrc".into()), no_netrc: false };
        assert_eq!(gone.find("host", None).unwrap_err().kind, FailureKind::Local);
        let (_dir, wrong) = args("machine host\nlogin ann pass hidden", 0o600);
        let failure = wrong.find("host", None).unwrap_err();
        assert!(failure.what.contains("line 2") && !failure.what.contains("hidden"), "{}", failure.what);
    }
}
