//! Why a server may not start.

use crate::confine::ConfineError;
use crate::net::IMPLICIT_TLS_PORT;
use crate::storage::dated::KeepError;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::{error, fmt, io};

/// Why a server could not start. Its text ends with what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The root cannot be made or opened.
    Root {
        /// The root.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Files cannot be kept for a time where the settings say so.
    Keep(KeepError),
    /// The process cannot be confined as asked.
    Confine(ConfineError),
    /// The host lacks threads, descriptors or the like.
    Resources(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => {
                write!(f, "cannot listen on {address}: {error}")?;
                match error.kind() {
                    io::ErrorKind::PermissionDenied if address.port() < 1024 => {
                        let port = address.port();
                        let (flag, free) =
                            if port == IMPLICIT_TLS_PORT { ("--listen-tls", 9990) } else { ("--listen", 2121) };
                        let free = SocketAddr::new(address.ip(), free);
                        write!(f, "\nhint: port {port} needs root or CAP_NET_BIND_SERVICE; try {flag} {free}")
                    }
                    io::ErrorKind::AddrInUse => {
                        let free = SocketAddr::new(address.ip(), if address.port() == 2121 { 2122 } else { 2121 });
                        write!(f, "\nhint: another program listens there; stop it, or try --listen {free}")
                    }
                    io::ErrorKind::AddrNotAvailable => {
                        f.write_str("\nhint: this host has no such address; 0.0.0.0 and [::] stand for all that it has")
                    }
                    _ => Ok(()),
                }
            }
            Self::Root { path, error } => {
                write!(f, "cannot use {} as root: {error}", path.display())?;
                match error.kind() {
                    io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                        f.write_str("\nhint: this is no directory; name one, as in --root ./storage")
                    }
                    _ => f.write_str("\nhint: name a directory that this user may write to, as in --root ./storage"),
                }
            }
            Self::Keep(error) => {
                write!(
                    f,
                    "{error}\nhint: take that place out of keep, or put it on ext4, xfs, btrfs or a tmpfs of Linux 6.6"
                )
            }
            Self::Confine(error) => error.fmt(f),
            Self::Resources(error) => write!(f, "the system refuses what a server needs: {error}"),
        }
    }
}

impl From<KeepError> for StartError {
    fn from(error: KeepError) -> Self {
        Self::Keep(error)
    }
}

impl From<ConfineError> for StartError {
    fn from(error: ConfineError) -> Self {
        Self::Confine(error)
    }
}

impl error::Error for StartError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Listen { error, .. } | Self::Root { error, .. } | Self::Resources(error) => Some(error),
            Self::Keep(error) => Some(error),
            Self::Confine(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, kind: io::ErrorKind) -> String {
        StartError::Listen { address: address.parse().unwrap(), error: kind.into() }.to_string()
    }

    #[test]
    fn a_refused_address_says_what_to_do() {
        let text = refused("0.0.0.0:21", io::ErrorKind::PermissionDenied);
        assert!(
            text.ends_with("\nhint: port 21 needs root or CAP_NET_BIND_SERVICE; try --listen 0.0.0.0:2121"),
            "{text}"
        );
        let text = refused("[::]:990", io::ErrorKind::PermissionDenied);
        assert!(text.ends_with("try --listen-tls [::]:9990"), "{text}");
        let text = refused("[::1]:21", io::ErrorKind::AddrInUse);
        assert!(text.ends_with("try --listen [::1]:2121"), "{text}");
        let text = refused("[::1]:2121", io::ErrorKind::AddrInUse);
        assert!(text.ends_with("try --listen [::1]:2122"), "{text}");
    }
}
