//! Which data connections resume.

use super::Ground;
use super::client::{Client, Version};
use mayfly_core::action::Direction::{Receive, Send};
use rustls::version::{TLS12, TLS13};

const VERSIONS: [(Version, &str); 2] = [(&TLS12, "TLSv1.2"), (&TLS13, "TLSv1.3")];

#[test]
fn data_connections_resume_the_session_of_their_control_connection() {
    let ground = Ground::new();
    for (version, name) in VERSIONS {
        let client = Client::new(&ground, version);
        let session = ground.server.session();
        let control = client.connect(&session, None);
        assert_eq!((control.protocol.as_str(), control.resumed), (name, false));
        assert!(control.cipher.starts_with("TLS_"), "{}", control.cipher);
        for direction in [Send, Receive, Send, Receive, Receive] {
            assert!(client.connect(&session, Some(direction)).resumed, "{name}");
        }
    }
}

#[test]
fn a_client_that_uses_each_ticket_once_goes_on_as_long_as_it_reads_data() {
    let ground = Ground::new();
    let client = Client::new(&ground, &TLS13);
    let session = ground.server.session();
    client.connect(&session, None);
    for number in 0..40 {
        assert!(client.connect(&session, Some(Send)).resumed, "{number}");
    }
}

#[test]
fn no_other_control_connection_s_session_is_resumed() {
    let ground = Ground::new();
    for (version, name) in VERSIONS {
        let (ours, stranger) = (Client::new(&ground, version), Client::new(&ground, version));
        let (our_session, their_session) = (ground.server.session(), ground.server.session());
        ours.connect(&our_session, None);
        stranger.connect(&their_session, None);
        assert!(!stranger.connect(&our_session, Some(Send)).resumed, "{name}");
        assert!(ours.connect(&our_session, Some(Send)).resumed, "{name}");
    }
}

#[test]
fn a_full_handshake_on_a_data_port_is_nothing_to_resume() {
    // Otherwise a stranger would come twice: refused, and then as one of the session's own.
    let ground = Ground::new();
    for (version, name) in VERSIONS {
        let (ours, stranger) = (Client::new(&ground, version), Client::new(&ground, version));
        let session = ground.server.session();
        ours.connect(&session, None);
        for _ in 0..4 {
            assert!(!stranger.connect(&session, Some(Send)).resumed, "{name}");
        }
        assert!(ours.connect(&session, Some(Send)).resumed, "{name}");
    }
}

#[test]
fn the_control_connection_s_sessions_stay_however_many_data_connections_come() {
    let ground = Ground::new();
    let (session, client) = (ground.server.session(), Client::new(&ground, &TLS13));
    client.connect(&session, None);
    let kept = || format!("{session:?}");
    for _ in 0..30 {
        client.connect(&session, Some(Send));
    }
    assert!(kept().contains("8 sessions"), "{}", kept());
}
