//! The blocking client with the threaded server.

mod scenarios;

use mayfly_std::client::Client;
use mayfly_std::listen::Server;

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
