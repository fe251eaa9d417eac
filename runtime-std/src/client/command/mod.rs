//! The commands `upload`, `download`, `view`, `extend` and `revoke`, over any client.

mod account;
mod common;
mod download;
mod redate;
mod secure;
pub(super) mod token;
mod upload;
mod value;

pub(crate) use common::heed_signals;
pub(crate) use download::{DownloadArgs, download};
pub(crate) use redate::{ExtendArgs, RevokeArgs, extend, revoke};
pub(crate) use upload::{UploadArgs, upload};

use super::calls::Calls;
use super::remote::Remote;
use super::show;
use crate::complain::complain;
use crate::exit::Exit;
use clap::Args;
use common::{Common, with_client};
use std::path::Path;

/// Of `view`.
#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    #[arg(value_name = "URL", help = URL_HELP)]
    url: Remote,
    #[command(flatten)]
    common: Common,
}

/// Lists a path.
pub(crate) fn view<C: Calls>(args: &ViewArgs) -> Exit {
    let ViewArgs { url, common } = args;
    let url = &match common.secured(url) {
        Ok(url) => url,
        Err(exit) => return exit,
    };
    match with_client(url, common, 1, |client: &mut C, _| client.view(&url.path)) {
        Ok(viewed) => show::viewed(&url.path, &viewed, common.json),
        Err(failure) => show::failed(&failure, common.json),
    }
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn misused(what: &str, hint: &str) -> Exit {
    complain(&format_args!("{what}\nhint: {hint}"));
    Exit::Usage
}

const URL_HELP: &str = "ftp://[user[:password]@]host[:port]/path; the password may stand in MAYFLY_PASSWORD or ~/.netrc \
    instead, else it is asked for";
