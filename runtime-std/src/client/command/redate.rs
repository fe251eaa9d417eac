//! `extend` and `revoke`: another date for a path that is there.

use super::super::calls::Calls;
use super::super::remote::Remote;
use super::super::{Failure, Token, show};
use super::common::{Common, with_client};
use super::token::TokenArgs;
use super::{URL_HELP, misused, value};
use crate::exit::Exit;
use clap::Args;

/// Of `extend`.
#[derive(Debug, Args)]
pub(crate) struct ExtendArgs {
    #[arg(value_name = "URL", help = URL_HELP)]
    url: Remote,
    /// When the path shall expire from now on, later or sooner: 7d, 12h, 2030-12-31 (to its end, UTC), never
    #[arg(value_name = "DATE", value_parser = value::date)]
    date: String,
    #[command(flatten)]
    token: TokenArgs,
    #[command(flatten)]
    common: Common,
}

/// Of `revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    #[arg(value_name = "URL", help = URL_HELP)]
    url: Remote,
    #[command(flatten)]
    token: TokenArgs,
    #[command(flatten)]
    common: Common,
}

/// Gives a path another date, and prints it.
pub(crate) fn extend<C: Calls>(args: &ExtendArgs) -> Exit {
    let ExtendArgs { url, date, token, common } = args;
    let extend = |client: &mut C, url: &Remote, token| client.extend(&url.path, date, token);
    match on_path(url, token, common, extend) {
        Err(exit) => exit,
        Ok((url, Ok(expiry))) => show::dated(&url, expiry, common.json),
        Ok((_, Err(failure))) => show::failed(&failure, common.json),
    }
}

/// Takes a path back, and says so.
pub(crate) fn revoke<C: Calls>(args: &RevokeArgs) -> Exit {
    let RevokeArgs { url, token, common } = args;
    match on_path(url, token, common, |client: &mut C, url, token| client.revoke(&url.path, token)) {
        Err(exit) => exit,
        Ok((url, Ok(()))) => show::revoked(&url, common.json),
        Ok((_, Err(failure))) => show::failed(&failure, common.json),
    }
}

/// Has `call` done about the URL's path, with the token of its maker.
fn on_path<C: Calls, T>(
    url: &Remote,
    token: &TokenArgs,
    common: &Common,
    call: impl FnOnce(&mut C, &Remote, Option<Token>) -> Result<T, Failure>,
) -> Result<(Remote, Result<T, Failure>), Exit> {
    let url = common.secured(url)?;
    if url.path.trim_matches('/').is_empty() {
        return Err(misused("the URL names no path", "name the path that an upload has made: ftp://host/path"));
    }
    let done =
        token.token().and_then(|token| with_client(&url, common, 1, |client: &mut C, _| call(client, &url, token)));
    Ok((url, done))
}
