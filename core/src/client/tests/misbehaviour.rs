//! Servers that are late, close, lie or never end.

use super::*;

const FAST: &str = "C: CWD scans\nS: 250 ok\nC: TYPE A\nS: 200 ok\nC: EPSV\n";

fn one_try() -> ClientSettings {
    ClientSettings { retries_max: 0, ..ClientSettings::default() }
}

#[track_caller]
fn view_plain(settings: &ClientSettings, script: &str) -> Result<Summary, Failure> {
    run(settings, &[connect(), view()], &format!("{}F: ok\n{script}", login("SIZE")))
}

#[test]
fn garbage_is_a_protocol_error() {
    let failure = run(&one_try(), &[connect()], "A: open host:21 = ok\nS: SSH-2.0-x\nA: hang up\nF: Protocol");
    assert_eq!(failure.unwrap_err().what, "host does not speak FTP: \"SSH-2.0-x\"");
    view_plain(&one_try(), "C: CWD scans\nS: _\nA: hang up\nF: Protocol").unwrap_err();
    view_plain(&one_try(), "C: CWD scans\nS: 350 What next?\nA: hang up\nF: Protocol").unwrap_err();
}

#[test]
fn an_endless_reply_is_a_protocol_error() {
    view_plain(&one_try(), "C: CWD scans\n! endless\nA: hang up\nF: Protocol").unwrap_err();
}

#[test]
fn preliminary_replies_without_end_do_not_move_the_deadline() {
    let silent = "C: CWD scans\nS: 100 soon\nS: 100 soon\n! wait\nA: hang up\nF: TimedOut";
    view_plain(&one_try(), silent).unwrap_err();
}

#[test]
fn a_silent_server_times_out_at_every_step() {
    run(&one_try(), &[connect()], "A: open host:21\n! wait\nF: TimedOut").unwrap_err();
    run(&one_try(), &[connect()], "A: open host:21 = ok\n! wait\nA: hang up\nF: TimedOut").unwrap_err();
    for step in [
        "C: CWD scans\n",
        FAST,
        &format!("{FAST}S: 229 (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: LIST\n"),
        &format!("{FAST}S: 229 (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: LIST\nS: 150 ok\nA: receive listing\n"),
        &format!(
            "{FAST}S: 229 (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: LIST\nS: 150 ok\nA: receive listing = a|\n"
        ),
    ] {
        view_plain(&one_try(), &format!("{step}! wait\nA: hang up\nF: TimedOut")).unwrap_err();
    }
}

#[test]
fn a_pipe_may_take_its_time() {
    let calls = [connect(), upload(&["a"], None, false), Call::Quit];
    let script = format!(
        "{}F: ok\nC: MKD scans\nS: 257 ok\nC: CWD scans\nS: 250 ok\nA: source 0 = pipe\nA: listen 192.0.2.7 = 27173\n\
         C: PORT 192,0,2,7,106,37\nS: 200 ok\nC: STOR a\nA: accept 192.0.2.1 = ok\nS: 150 ok\nA: send from 0\n\
         ! never\n! 77\nS: 226 ok\nF: ok\nC: QUIT\nS: 221 bye\nA: hang up\nA: end\nF: ok",
        login("EPSV")
    );
    run(&active(), &calls, &script).unwrap();
}

#[test]
fn a_227_with_a_foreign_address_leads_to_the_control_peer() {
    view_plain(
        &one_try(),
        &format!(
            "{FAST}S: 500 Unknown command.\nC: PASV\nS: 227 Entering Passive Mode (198,51,100,9,156,65).\n\
             A: connect 192.0.2.1:40001 = ok\nC: LIST\nS: 150 ok\nA: receive listing = \nS: 226 ok\nF: ok"
        ),
    )
    .unwrap();
}

#[test]
fn without_epsv_comes_pasv_and_without_pasv_active() {
    let active = "A: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\n";
    view_plain(
        &one_try(),
        &format!(
            "{FAST}S: 229 nonsense\nC: PASV\nS: 227 (1,2,3,4,5)\n{active}S: 200 ok\nC: LIST\nA: accept 192.0.2.1 = ok\n\
             S: 150 ok\nA: receive listing = \nS: 226 ok\nF: ok"
        ),
    )
    .unwrap();
    // A passive port that nobody can reach counts as none, be it refused or late.
    let nowhere = view_plain(
        &one_try(),
        &format!(
            "{FAST}S: 229 (|||40001|)\nA: connect 192.0.2.1:40001 = refused\nC: PASV\nS: 227 (192,0,2,1,156,66)\n\
             A: connect 192.0.2.1:40002\n! wait\n{active}S: 500 Illegal PORT command.\nF: CannotConnect"
        ),
    );
    assert!(nowhere.unwrap_err().what.contains("500 Illegal PORT command."));
}

#[test]
fn an_ipv6_server_gets_eprt() {
    let login = login("SIZE").replace("= ok", "= ok6");
    let script = format!(
        "{login}F: ok\nC: CWD scans\nS: 250 ok\n{ASCII}C: EPSV\nS: 502 no\nA: listen 2001:db8::7 = 27173\n\
         C: EPRT |2|2001:db8::7|27173|\nS: 200 ok\nC: LIST\nA: accept 2001:db8::1 = ok\nS: 150 ok\n\
         A: receive listing = \nS: 226 ok\nF: ok"
    );
    run(&one_try(), &[connect(), view()], &script).unwrap();
}

#[test]
fn what_was_not_asked_for_is_never_taken_for_an_answer() {
    let list = "A: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\nS: 200 ok\nC: LIST\nA: accept 192.0.2.1 = ok\n\
        S: 150 ok\nA: receive listing = \n";
    let script = format!(
        "{login}F: ok\nC: CWD scans\nS: 250 ok\n{ASCII}{list}! raw 226 ok|226 extra|\nA: hang up\nF: ok\n{login}C: CWD scans\n\
         S: 250 ok\n{ASCII}{list}S: 226 ok\nF: ok",
        login = login("SIZE")
    );
    run(&active(), &[connect(), view(), view()], &script).unwrap();
    // While nothing is asked, an answer is an error.
    view_plain(
        &one_try(),
        &format!("{FAST}S: 229 (|||40001|)\nA: connect 192.0.2.1:40001\nS: 226 early\nA: hang up\nF: Protocol"),
    )
    .unwrap_err();
}

#[test]
fn a_refusal_while_bytes_move_ends_the_transfer() {
    let moving =
        format!("{FAST}S: 229 (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: LIST\nS: 150 ok\nA: receive listing\n");
    view_plain(&one_try(), &format!("{moving}S: 426 broken\nF: Partial")).unwrap_err();
    view_plain(&one_try(), &format!("{moving}S: 551 no\nF: Refused")).unwrap_err();
    view_plain(&one_try(), &format!("{moving}S: 226 early\nS: 226 twice\nA: hang up\nF: Protocol")).unwrap_err();
}

#[test]
fn the_last_reply_may_come_before_the_data_connection_was_taken() {
    let list = "C: CWD scans\nS: 250 ok\nC: TYPE A\nS: 200 ok\nA: listen 192.0.2.7 = 27173\nC: PORT 192,0,2,7,106,37\nS: 200 ok\nC: LIST\n\
        A: accept 192.0.2.1\nS: 150 ok\nS: 226 ok\n";
    let calls = [connect(), view()];
    let login = login("SIZE");
    let took = format!("{login}F: ok\n{list}! ok\nA: receive listing = a|\nF: ok");
    run(&active(), &calls, &took).unwrap();
    let settings = ClientSettings { retries_max: 0, ..active() };
    run(&settings, &calls, &format!("{login}F: ok\n{list}! refused\nF: CannotConnect")).unwrap_err();
    run(&settings, &calls, &format!("{login}F: ok\n{list}! wait\nA: hang up\nF: TimedOut")).unwrap_err();
    run(&settings, &calls, &format!("{login}F: ok\n{list}S: 226 twice\nA: hang up\nF: Protocol")).unwrap_err();
}

#[test]
fn an_interrupt_ends_all_at_once() {
    let failure = view_plain(&one_try(), "C: CWD scans\n! interrupt\nA: hang up\nA: end\nF: Interrupted");
    failure.unwrap_err();
    run(&one_try(), &[connect()], "A: open host:21\n! interrupt\nA: end\nF: Interrupted").unwrap_err();
}

/// A file that has grown is fetched anew; of a server that only says less than it sends, no more is taken.
#[test]
fn what_comes_beyond_the_size_that_was_told_ends_it() {
    let settings = ClientSettings { retries_max: 1, ..ClientSettings::default() };
    let ask = |size: u64| format!("C: SIZE a\nS: 213 {size}\nC: MDTM a\nS: 213 20010909014640\n");
    let fetch = "C: EPSV\nS: 229 (|||40001|)\nA: connect 192.0.2.1:40001 = ok\nC: RETR a\nS: 150 ok\n";
    let begin = format!("{}F: ok\nC: CWD scans\nS: 250 ok\n", login(PLAIN));
    let first =
        format!("{}A: sink a of 5 = 0\n{fetch}A: receive from 0 = 9 too much\nS: 426 gone\n! wait 500\n", ask(5));
    let lied = format!("{begin}{first}{}A: sink a of 5 = 5\nA: hang up\nF: Protocol", ask(5));
    let lied = run(&settings, &[connect(), download(&["a"])], &lied).unwrap_err();
    assert!(lied.what.contains("more than the size"), "{lied}");
    let grown = format!(
        "{begin}{first}{}A: sink a of 7 = 0\n{fetch}A: receive from 0 = 7\nS: 226 ok\nA: keep 1000000000 = ok\nF: ok",
        ask(7)
    );
    run(&settings, &[connect(), download(&["a"])], &grown).unwrap();
}
