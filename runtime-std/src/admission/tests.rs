//! The door, as both drivers use it.

use super::*;
use mayfly_core::network::Network;

fn at(monotonic_ms: u64) -> Now {
    Now { monotonic_ms, utc_s: 0 }
}

fn guarded(change: impl FnOnce(&mut Rules)) -> Gate {
    let mut options = ServeOptions { max_sessions: 0, max_sessions_per_address: 2, ..ServeOptions::default() };
    change(&mut options.door);
    Gate::new(&options)
}

fn networks(text: &str) -> Vec<Network> {
    text.split(',').map(|network| network.parse().unwrap()).collect()
}

/// A login from there fails.
fn fail(gate: &Gate, from: &str, now: Now) {
    let entry = gate.enter(address(from), now);
    let permit = entry.permit.unwrap_or_else(|| panic!("{from}: {:?}", entry.admission));
    permit.hear(&Note::LoginFailed { user: "root".to_owned() }, now);
}

fn gate(max_sessions: usize, max_sessions_per_address: usize) -> Gate {
    Gate::new(&ServeOptions { max_sessions, max_sessions_per_address, ..ServeOptions::default() })
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn each_bound_holds_and_a_dropped_permit_makes_room() {
    let gate = gate(3, 2);
    let (one, other) = (address("10.0.0.1"), address("10.0.0.2"));
    let first = gate.enter(one, at(0));
    let _second = gate.enter(address("::ffff:10.0.0.1"), at(0));
    assert_eq!(gate.enter(one, at(0)).admission, Admission::TooManyFromAddress);
    let _third = gate.enter(other, at(0));
    assert_eq!(gate.enter(other, at(0)).admission, Admission::TooManySessions);
    drop(first);
    assert_eq!(gate.enter(other, at(0)).admission, Admission::Welcome);
    assert_eq!(gate.sessions(), 2);
}

#[test]
fn nought_is_no_bound_and_numbers_go_up() {
    let gate = gate(0, 0);
    let held: Vec<_> = (1..=500).map(|_| gate.enter(address("::1"), at(0))).collect();
    assert!(held.iter().all(|entry| entry.admission == Admission::Welcome));
    assert_eq!(held.last().map(|entry| entry.session), Some(500));
}

#[test]
fn a_closed_gate_lets_nobody_in_and_a_reload_changes_the_bounds() {
    let gate = gate(1, 0);
    let _held = gate.enter(address("::1"), at(0));
    assert_eq!(gate.enter(address("::1"), at(0)).admission, Admission::TooManySessions);
    gate.reload(&ServeOptions { max_sessions: 2, ..ServeOptions::default() });
    assert_eq!(gate.enter(address("::1"), at(0)).admission, Admission::Welcome);
    gate.close();
    assert_eq!(gate.enter(address("::1"), at(0)).admission, Admission::ShuttingDown);
}

#[test]
fn proxies_are_known_in_either_form_until_a_reload_and_few_may_be_silent() {
    let proxy_from = vec!["10.0.0.0/8".parse().unwrap()];
    let gate = Gate::new(&ServeOptions { proxy_from, ..ServeOptions::default() });
    assert!(gate.is_proxy(address("10.1.2.3")) && gate.is_proxy(address("::ffff:10.1.2.3")));
    assert!(!gate.is_proxy(address("11.0.0.1")));
    let mut held: Vec<_> = (0..1024).map(|_| gate.await_header().unwrap()).collect();
    assert!(gate.await_header().is_none());
    held.pop();
    held.extend(gate.await_header());
    assert_eq!(held.len(), 1024);
    gate.reload(&ServeOptions::default());
    assert!(!gate.is_proxy(address("10.1.2.3")));
    held.clear();
    gate.close();
    assert!(gate.await_header().is_none());
}

#[test]
fn names_are_looked_up_at_start_and_after_a_reload() {
    let host = |clients: &str, name: &str| PassiveHost { clients: clients.parse().unwrap(), name: name.to_owned() };
    let look_up: LookUp = |name| name.parse().map_err(|_| std::io::ErrorKind::NotFound.into());
    let mut options = ServeOptions { passive_hosts: vec![host("0.0.0.0/0", "192.0.2.1")], ..ServeOptions::default() };
    let fixed = PassiveAddress { clients: "10.0.0.0/8".parse().unwrap(), address: None };
    options.session.passive_addresses = vec![fixed];
    let gate = Gate::with_look_up(&options, look_up);
    let said = || gate.state().settings.passive_addresses.iter().map(|said| said.address).collect::<Vec<_>>();
    assert_eq!(said(), [None, "192.0.2.1".parse().ok()]);
    options.passive_hosts = vec![host("0.0.0.0/0", "192.0.2.2")];
    gate.reload(&options);
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while said() != [None, "192.0.2.2".parse().ok()] {
        assert!(std::time::Instant::now() < patience, "{:?}", said());
        std::thread::yield_now();
    }
    options.passive_hosts.clear();
    gate.reload(&options);
    assert_eq!(said(), [None]);
}

#[test]
fn a_denial_outranks_every_other_network() {
    let gate = guarded(|rules| {
        rules.allow_from = networks("10.0.0.0/8,2001:db8::/32");
        rules.deny_from = networks("10.1.0.0/16");
        rules.trusted_from = networks("10.1.0.0/16");
    });
    for (from, admission) in [
        ("10.0.0.1", Admission::Welcome),
        ("::ffff:10.0.0.1", Admission::Welcome),
        ("2001:db8::1", Admission::Welcome),
        ("10.1.2.3", Admission::Denied),
        ("::ffff:10.1.2.3", Admission::Denied),
        ("192.0.2.1", Admission::Denied),
    ] {
        let entry = gate.enter(address(from), at(0));
        assert_eq!((entry.admission, entry.permit.is_some()), (admission, admission == Admission::Welcome), "{from}");
    }
    assert_eq!(guarded(|_| {}).enter(address("192.0.2.1"), at(0)).admission, Admission::Welcome);
}

#[test]
fn a_network_of_ipv6_addresses_is_one_visitor_and_a_trusted_one_is_not_counted() {
    let gate = guarded(|rules| rules.trusted_from = networks("2001:db8:0:2::/64"));
    let _held: Vec<_> = ["2001:db8:0:1::1", "2001:db8:0:1::2"].map(|from| gate.enter(address(from), at(0))).into();
    assert_eq!(gate.enter(address("2001:db8:0:1:ffff::3"), at(0)).admission, Admission::TooManyFromAddress);
    assert_eq!(gate.enter(address("2001:db8:0:3::1"), at(0)).admission, Admission::Welcome);
    let trusted: Vec<_> = (0..10).map(|_| gate.enter(address("2001:db8:0:2::1"), at(0))).collect();
    assert!(trusted.iter().all(|entry| entry.admission == Admission::Welcome));
}

#[test]
fn whoever_connects_too_often_waits() {
    let gate = guarded(|rules| rules.connections_per_minute = 3);
    let admission = |from, ms| gate.enter(address(from), at(ms)).admission;
    for _ in 0..3 {
        assert_eq!(admission("192.0.2.1", 1000), Admission::Welcome);
    }
    assert_eq!(admission("192.0.2.1", 20_999), Admission::TooOften);
    assert_eq!(admission("192.0.2.2", 20_999), Admission::Welcome);
    assert_eq!(admission("192.0.2.1", 21_000), Admission::Welcome);
}

#[test]
fn failed_logins_are_remembered_over_connections_and_then_ban_for_a_time() {
    let gate = guarded(|rules| (rules.ban_after, rules.ban_window_ms, rules.ban_ms) = (3, 10_000, 60_000));
    let (from, now_ms) = ("192.0.2.1", 100_000);
    let old = gate.enter(address(from), at(now_ms)).permit.unwrap();
    fail(&gate, from, at(now_ms));
    fail(&gate, from, at(now_ms + 9_999));
    assert_eq!(gate.enter(address(from), at(now_ms + 9_999)).failed_logins, 2);
    assert_eq!(gate.enter(address(from), at(now_ms + 10_000)).failed_logins, 1, "the first is out of the window");
    fail(&gate, from, at(now_ms + 10_000));
    assert!(old.may_log_in(at(now_ms + 10_000)));
    fail(&gate, from, at(now_ms + 11_000));
    let banned = gate.enter(address(from), at(now_ms + 70_999));
    assert_eq!((banned.admission, banned.permit.is_some()), (Admission::Banned, false));
    assert!(!old.may_log_in(at(now_ms + 11_000)), "a connection from before the ban guesses no more");
    assert_eq!(gate.enter(address("192.0.2.2"), at(now_ms + 11_000)).failed_logins, 0);
    let free = gate.enter(address(from), at(now_ms + 71_000));
    assert_eq!((free.admission, free.failed_logins), (Admission::Welcome, 0));
}

#[test]
fn nobody_is_banned_who_is_trusted_or_where_there_is_no_ban() {
    let gate = guarded(|rules| (rules.ban_after, rules.trusted_from) = (1, networks("192.0.2.0/24")));
    for _ in 0..10 {
        fail(&gate, "192.0.2.1", at(0));
    }
    assert_eq!(gate.enter(address("192.0.2.1"), at(0)).failed_logins, 0);
    let gate = guarded(|rules| (rules.ban_after, rules.connections_per_minute) = (0, 0));
    for _ in 0..200 {
        fail(&gate, "192.0.2.1", at(0));
    }
    assert_eq!(gate.enter(address("192.0.2.1"), at(0)).failed_logins, 100);
}

#[test]
fn whoever_comes_from_ever_new_addresses_makes_no_more_of_what_is_remembered_and_lifts_no_ban() {
    // Goal: an attacker who has a /40 to come from costs a bounded amount of memory, and frees nobody of a ban.
    let gate = guarded(|rules| (rules.ban_after, rules.ban_ms) = (2, 3_600_000));
    for _ in 0..2 {
        fail(&gate, "2001:db8::1", at(0));
    }
    for network in 1..30_000_u128 {
        let from = std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (network << 64));
        fail(&gate, &from.to_string(), at(1));
    }
    let state = gate.state();
    assert_eq!((state.visits.len(), state.failures.len()), (VISITORS_MAX, failures::ADDRESSES_MAX + 1));
    assert_eq!(state.by_address.len(), 0);
    drop(state);
    assert_eq!(gate.enter(address("2001:db8::1"), at(1)).admission, Admission::Banned);
}
