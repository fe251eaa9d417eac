//! What a command is about.

use super::Command;

impl Command {
    /// The path that it names, as the client wrote it; of COMB the target. None: it names none.
    ///
    /// ```
    /// use mayfly_core::wire::command::parse;
    /// let path = |line: &str| parse(line.as_bytes()).command.ok()?.path().map(str::to_owned);
    /// assert_eq!(path("MFMT 20200101000000 a b"), Some("a b".to_owned()));
    /// assert_eq!(path("NOOP"), None);
    /// ```
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Cwd(path)
            | Self::Mkd(path)
            | Self::Rmd(path)
            | Self::Dele(path)
            | Self::Rnfr(path)
            | Self::Rnto(path)
            | Self::Retr(path)
            | Self::Stor(path)
            | Self::Appe(path)
            | Self::Size(path)
            | Self::Mdtm(path)
            | Self::Mfmt { path, .. }
            | Self::Mfct { path, .. }
            | Self::Mff { path, .. }
            | Self::SiteUtime { path, .. }
            | Self::SiteChmod { path, .. }
            | Self::Hash(path)
            | Self::XHash { path, .. }
            | Self::Comb { target: path, .. }
            | Self::Expiry { path, .. }
            | Self::SiteToken(path)
            | Self::SiteClaim { path, .. } => Some(path),
            Self::Stou(path) | Self::Mlst(path) | Self::Mlsd(path) | Self::Avbl(path) | Self::Dsiz(path) => {
                path.as_deref()
            }
            Self::Stat(Some(request)) | Self::List(request) | Self::Nlst(request) => Some(request.argument()),
            _ => None,
        }
    }
}
