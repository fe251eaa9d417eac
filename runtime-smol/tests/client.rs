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

#[test]
fn a_tree_comes_back_as_it_went() {
    scenarios::a_tree_comes_back_as_it_went::<Server, Client>();
}

#[test]
fn what_fails_costs_no_other_file() {
    scenarios::what_fails_costs_no_other_file::<Server, Client>();
}

#[test]
fn a_tree_whose_connections_are_cut_goes_on() {
    scenarios::a_tree_whose_connections_are_cut_goes_on::<Server, Client>();
}

#[test]
fn an_upload_goes_on_in_a_later_session() {
    scenarios::an_upload_goes_on_in_a_later_session::<Server, Client>();
}

#[test]
fn a_limit_holds_for_all_together() {
    scenarios::a_limit_holds_for_all_together::<Server, Client>();
}
