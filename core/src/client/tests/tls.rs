//! Sessions with TLS: what is said in clear, what is refused, and what never falls back to less.

use super::*;

/// The same server, secured so.
pub(super) fn connect_by(tls: Tls) -> Call {
    let Call::Connect(order) = connect() else { panic!("it connects") };
    Call::Connect(Connect { tls, ..order })
}

fn explicit() -> Call {
    connect_by(Tls::Explicit)
}

/// All that is said in clear.
const CLEAR: &str = "A: open host:21 = ok\nS: 220 Welcome\nC: AUTH TLS\n";
const AGREED: &str = "S: 234 Proceed\nA: tls host = ok\n";
/// What follows through TLS, up to the name.
const PRIVATE: &str = "C: PBSZ 0\nS: 200 ok\nC: PROT P\nS: 200 ok\n";

/// What comes after the greeting, or PROT P.
fn from_utf8() -> String {
    login("SIZE").split_once("S: 220 Welcome\n").unwrap().1.to_owned()
}

fn one_try() -> ClientSettings {
    ClientSettings { retries_max: 0, ..ClientSettings::default() }
}

#[test]
fn neither_name_nor_password_is_said_before_tls_stands() {
    let script = format!("{CLEAR}{AGREED}{PRIVATE}{}F: ok", from_utf8());
    run(&one_try(), &[explicit()], &script).unwrap();
}

#[test]
fn implicit_tls_comes_before_the_greeting() {
    let greeted = format!("A: open host:21 = ok\nA: tls host = ok\nS: 220 Welcome\n{PRIVATE}{}F: ok", from_utf8());
    run(&one_try(), &[connect_by(Tls::Implicit)], &greeted).unwrap();
    let plain = "A: open host:21 = ok\nA: tls host\n! no TLS\nA: hang up\nF: Tls";
    run(&one_try(), &[connect_by(Tls::Implicit)], plain).unwrap_err();
}

// RFC 4217 4: 234; what else the reply is, no name follows it.
#[test]
fn a_server_that_refuses_tls_hears_no_name() {
    for reply in ["500 What?", "502 No.", "504 No such.", "530 Log in first.", "200 Fine", "331 Password?", "534 No."] {
        let failure = run(&one_try(), &[explicit()], &format!("{CLEAR}S: {reply}\nA: hang up\nF: Tls")).unwrap_err();
        assert!(failure.advice().contains("--tls explicit"), "{failure}");
    }
    for refused in ["C: PBSZ 0\nS: 503 no", "C: PBSZ 0\nS: 200 ok\nC: PROT P\nS: 536 no"] {
        let script = format!("{CLEAR}{AGREED}{refused}\nA: hang up\nF: Tls");
        run(&one_try(), &[explicit()], &script).unwrap_err();
    }
    // What passes is tried again, and secured again.
    let settings = ClientSettings { retries_max: 1, ..ClientSettings::default() };
    let script = format!("{CLEAR}S: 431 busy\nA: hang up\n! wait 500\n{CLEAR}S: 431 busy\nA: hang up\nF: Tls");
    run(&settings, &[explicit()], &script).unwrap_err();
}

#[test]
fn who_speaks_in_clear_to_a_server_that_wants_tls_is_told() {
    let asked = "A: open host:21 = ok\nS: 220 Welcome\nC: OPTS UTF8 ON\nS: 200 ok\nC: USER anonymous\n";
    for reply in
        ["530 Please secure the connection with AUTH TLS first.", "550 SSL/TLS required", "530 Must use encryption"]
    {
        let failure = run(&one_try(), &[connect()], &format!("{asked}S: {reply}\nA: hang up\nF: LoginRefused"));
        assert!(failure.unwrap_err().advice().contains("--tls explicit"));
    }
}

#[test]
fn what_stands_behind_the_234_in_clear_ends_it() {
    for injected in ["! raw 234 ok|220 injected|", "! raw 234 ok|2", "S: 234 ok\nA: tls host\n! raw 230 in|"] {
        let script = format!("{CLEAR}{injected}\nA: hang up\nF: Tls");
        let failure = Bench::new(&one_try(), &[explicit()], usize::MAX).play(&script).unwrap_err();
        assert!(failure.what.contains("in clear"), "{failure}");
    }
}

#[test]
fn a_certificate_that_is_not_good_is_never_tried_again() {
    let untrusted =
        run(&active(), &[explicit()], &format!("{CLEAR}S: 234 ok\nA: tls host = untrusted\nA: hang up\nF: Tls"));
    assert!(untrusted.unwrap_err().advice().contains("--ca"));
    let local = format!("{CLEAR}S: 234 ok\nA: tls host = local\nA: hang up\nF: Local");
    run(&active(), &[explicit()], &local).unwrap_err();
}

#[test]
fn a_handshake_that_is_lost_is_tried_again_and_one_without_end_times_out() {
    let settings = ClientSettings { retries_max: 1, ..ClientSettings::default() };
    let lost = format!(
        "{CLEAR}S: 234 ok\nA: tls host = lost\nA: hang up\n! wait 500\n{CLEAR}{AGREED}{PRIVATE}{}F: ok",
        from_utf8()
    );
    run(&settings, &[explicit()], &lost).unwrap();
    let silent = format!("{CLEAR}S: 234 ok\nA: tls host\n! wait\nA: hang up\nF: TimedOut");
    run(&one_try(), &[explicit()], &silent).unwrap_err();
    let interrupted = format!("{CLEAR}S: 234 ok\nA: tls host\n! interrupt\nA: hang up\nA: end\nF: Interrupted");
    run(&one_try(), &[explicit()], &interrupted).unwrap_err();
}

// RFC 8446 4.4.2.4
#[test]
fn a_server_that_wants_a_certificate_after_all_is_heard() {
    let script = format!("{CLEAR}{AGREED}C: PBSZ 0\n! broke\nA: hang up\nF: Tls");
    let failure = run(&active(), &[explicit()], &script).unwrap_err();
    assert!(failure.what.contains("alert"), "{failure}");
}

/// A look, up to the data connection.
fn looking() -> String {
    let login = format!("{CLEAR}{AGREED}{PRIVATE}{}F: ok\n", from_utf8());
    format!(
        "{login}C: CWD scans\nS: 250 ok\n{ASCII}C: EPSV\nS: 229 (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: LIST\n"
    )
}

#[track_caller]
fn look(script: &str) -> Result<Summary, Failure> {
    run(&one_try(), &[explicit(), view()], &format!("{}{script}", looking()))
}

// RFC 4217 7: the client is the TLS client also where the server connected; 9: once the transfer has begun.
#[test]
fn a_data_connection_is_secured_before_the_first_byte() {
    look("S: 150 ok\nA: data tls host = ok\nA: receive listing = a|\nS: 226 ok\nF: ok").unwrap();
    // A server that says nothing first, and one that says all at once.
    look("S: 226 ok\nA: data tls host = ok\nA: receive listing = a|\nF: ok").unwrap();
    look("S: 150 ok\nA: data tls host\nS: 226 ok\n! ok\nA: receive listing = a|\nF: ok").unwrap();
    let active_look = format!(
        "{CLEAR}{AGREED}{PRIVATE}{}F: ok\nC: CWD scans\nS: 250 ok\n{ASCII}A: listen 192.0.2.7 = 27173\n\
         C: PORT 192,0,2,7,106,37\nS: 200 ok\nC: LIST\nA: accept 192.0.2.1 = ok\nS: 150 ok\nA: data tls host = ok\n\
         A: receive listing = a|\nS: 226 ok\nF: ok",
        from_utf8()
    );
    run(&active(), &[explicit(), view()], &active_look).unwrap();
}

#[test]
fn a_data_connection_that_is_not_secured_carries_nothing() {
    look("S: 150 ok\nA: data tls host = untrusted\nS: 425 no\nF: Tls").unwrap_err();
    look("S: 226 ok\nA: data tls host = untrusted\nF: Tls").unwrap_err();
    look("S: 150 ok\nA: data tls host\nS: 522 Session reuse required.\nF: Refused").unwrap_err();
    let lost = look("S: 150 ok\nA: data tls host = lost\nS: 522 Session reuse required.\nF: Refused").unwrap_err();
    assert_eq!(lost.reply.unwrap().code, 522);
    look("S: 150 ok\nA: data tls host = lost\nS: 425 lost\nF: Refused").unwrap_err();
    look("S: 150 ok\nA: data tls host = lost\nS: 226 ok\nF: Tls").unwrap_err();
    look("S: 150 ok\nA: data tls host\n! wait\nA: hang up\nF: TimedOut").unwrap_err();
    look("S: 150 ok\nA: data tls host\n! close\nA: hang up\nF: CannotConnect").unwrap_err();
}

/// A TLS 1.3 session is resumed only as often as the server has given tickets for.
#[test]
fn where_no_session_is_left_to_resume_a_new_connection_brings_one() {
    let list = "C: EPSV\nS: 229 (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: LIST\nS: 150 ok\n";
    let login = format!("{CLEAR}{AGREED}{PRIVATE}{}", from_utf8());
    let again = login.replace("A: tls host =", "A: tls host at most 1.2 =");
    let cwd = "C: CWD /scans\nS: 250 ok\n";
    let first = format!("{cwd}{ASCII}{list}A: data tls host = resumed\nA: receive listing = a|\nS: 226 ok\n");
    let used_up = format!("{cwd}{list}A: data tls host = ok\nA: receive listing\nS: 522 Resume!\nA: hang up\n");
    let calls = || {
        let view = || Call::View { storage_path: "/scans".to_owned() };
        [explicit(), view(), view()]
    };
    let settings = ClientSettings { retries_max: 2, ..ClientSettings::default() };
    let script = format!("{login}F: ok\n{first}F: ok\n{used_up}! wait 500\n{again}{first}F: ok");
    run(&settings, &calls(), &script).unwrap();
    // A server without TLS 1.2.
    let not_12 = format!("{CLEAR}S: 234 ok\nA: tls host at most 1.2 = ProtocolVersion\nA: hang up\n");
    let script = format!("{login}F: ok\n{first}F: ok\n{used_up}! wait 500\n{not_12}! wait 1000\n{login}{first}F: ok");
    run(&settings, &calls(), &script).unwrap();
    // Where nothing was ever resumed, the server does not ask for it.
    look("S: 150 ok\nA: data tls host = ok\nA: receive listing\nS: 551 no\nF: Refused").unwrap_err();
}
