//! Defences, each shown to hold: a test here fails where its defence is taken out. What is tested elsewhere, beside what
//! it is about, stands in [`ELSEWHERE`].

mod bounce;
mod commands;
mod confined;
mod ground;
mod races;
mod traversal;
mod wire;

use std::fs;
use std::path::Path;

/// What is attacked, the file that does it, and the test or transcript by name.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("AUTH TLS injection", "tests/tests/ftps/by_hand.rs", "fn what_is_put_in_behind_auth_is_not_heard"),
    ("AUTH TLS injection", "tests/transcripts/tls/injection.txt", "# injection: "),
    ("AUTH TLS injection", "core/src/session/tests/tls.rs", "fn input_in_clear_behind_auth_closes_the_connection"),
    ("a data connection of another TLS session", "tests/transcripts/tls/resumption-12.txt", "# resumption-12: "),
    ("a data connection of another TLS session", "tests/transcripts/tls/resumption-13.txt", "# resumption-13: "),
    ("an upload over TLS that is cut short", "tests/transcripts/tls/truncated.txt", "# truncated: "),
    (
        "finding out who is a user",
        "runtime-std/src/users/tests.rs",
        "fn whoever_is_refused_costs_the_same_whatever_the_reason",
    ),
    ("finding out who is a user", "tests/transcripts/user/refused.txt", "# refused: "),
    ("guessing passwords", "tests/tests/door.rs", "fn guesses_count_over_connections_and_then_ban"),
    ("many connections", "tests/tests/door.rs", "fn whoever_connects_too_often_hears_421_and_others_get_in"),
    ("a user who leaves his home", "tests/transcripts/user/confined.txt", "# confined: "),
    (
        "a stranger at a data port, who is told to the log",
        "tests/tests/logs.rs",
        "fn a_stranger_at_a_data_port_is_told",
    ),
    (
        "another client of the same proxy at a data port",
        "tests/tests/proxy.rs",
        "fn a_proxy_s_data_connection_must_name_the_session_s_client",
    ),
];

/// The list names what there is.
#[test]
fn what_is_tested_elsewhere_is_there() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace");
    for (what, file, name) in ELSEWHERE {
        let text = fs::read_to_string(workspace.join(file)).unwrap_or_default();
        assert!(text.contains(name), "{what}: no {name} in {file}");
    }
}
