//! The async client with the async server.

#[path = "../../runtime-std/tests/scenarios/mod.rs"]
mod scenarios;

use mayfly_smol::Server;
use mayfly_smol::client::Client;

#[test]
fn files_come_back_as_they_went() {
    scenarios::files_come_back_as_they_went::<Server, Client>();
}

#[test]
fn refusals_have_their_kinds() {
    scenarios::refusals_have_their_kinds::<Server, Client>();
}

#[test]
fn a_cut_upload_goes_on() {
    scenarios::a_cut_upload_goes_on::<Server, Client>();
}

#[test]
fn a_cut_download_goes_on() {
    scenarios::a_cut_download_goes_on::<Server, Client>();
}
