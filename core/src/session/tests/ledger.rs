//! What the log is told of commands.

use super::host::{Host, at, directory, file, missing};
use crate::action::{Action, LoginMethod, Note, NotedCommand};
use crate::event::Event;
use crate::path::VirtualPath;
use crate::record::PathState;
use crate::settings::Settings;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

fn path(text: &str) -> VirtualPath {
    VirtualPath::parse(text).unwrap()
}

fn command(name: &str, code: u16, took_ms: u64) -> NotedCommand {
    NotedCommand { name: name.to_owned(), code: Some(code), took_ms }
}

fn refused(path: Option<&str>, reason: &str) -> Note {
    Note::Refused { path: path.map(ToOwned::to_owned), reason: reason.to_owned() }
}

#[test]
fn a_note_has_its_command_the_reply_s_code_and_the_time() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["MKD a"]);
    host.pass_ms(7);
    host.state(PathState::default());
    let (id, _) = host.take_open();
    host.event(Event::RandomDrawn { id, bytes: [1; 16] });
    host.done();
    assert_eq!(host.take_noted(), [(Note::Made { path: path("/a") }, Some(command("MKD", 257, 7)))]);
}

#[test]
fn what_is_refused_is_noted_once_with_the_path_it_means() {
    let mut host = Host::logged_in(Settings::default());
    host.made("a", 1);
    host.take_noted();
    host.lines(&["CWD a"]);
    host.state(directory(vec![at(1, 1, None)]));
    host.lines(&["DELE ../b/f"]);
    host.checks("/b/f");
    host.state(file(3, vec![at(1, 9, None)]));
    let denied = (refused(Some("/b/f"), "Permission denied"), Some(command("DELE", 550, 0)));
    assert_eq!(host.take_noted(), [denied]);
    host.lines(&["RETR .mayfly.json"]);
    let hidden = (refused(Some(".mayfly.json"), "Failed to open file"), Some(command("RETR", 550, 0)));
    assert_eq!(host.take_noted(), [hidden], "no path is of that name, so it is told as it was written");
    host.lines(&["SIZE gone"]);
    host.state(missing(vec![at(1, 1, None)]));
    let noted = host.take_noted();
    assert!(matches!(noted.as_slice(), [(Note::Refused { .. }, Some(told))] if told.name == "SIZE"), "{noted:?}");
}

#[test]
fn what_was_not_well_put_is_no_refusal() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["XYZZY", "SETEXPIRY", "MODE B", "RNTO x", "NOOP", "PWD"]);
    assert_eq!(host.take_noted(), []);
}

#[test]
fn a_bounce_is_noted_with_where_it_was_to_go() {
    let mut host = Host::logged_in(Settings::default());
    host.lines(&["PORT 198,51,100,9,0,25"]);
    let address = "198.51.100.9:25".parse().unwrap();
    assert_eq!(host.take_noted(), [(Note::AddressRefused { address }, Some(command("PORT", 500, 0)))]);
}

#[test]
fn a_failed_login_is_noted_before_its_answer_is_due() {
    // Whoever does not wait for the answer is noted all the same.
    let mut host = Host::greeted(Settings::default());
    host.lines(&["USER me", "PASS hush"]);
    let failed = Note::LoginFailed { user: "me".to_owned() };
    assert_eq!(host.take_noted(), [(failed, Some(command("PASS", 530, 0)))]);
    host.lines(&["STOR x"]);
    host.time_out();
    let login = refused(Some("/x"), "Please login with USER and PASS");
    assert_eq!(host.take_noted(), [(login, Some(command("STOR", 530, 0)))]);
}

#[test]
fn logging_out_is_noted() {
    let mut host = Host::greeted(Settings::default());
    host.lines(&["USER ftp", "PASS x", "REIN", "REIN"]);
    let logged_in = Note::LoggedIn { user: "ftp".to_owned(), method: LoginMethod::Anonymous };
    let expected = [(logged_in, Some(command("PASS", 230, 0))), (Note::LoggedOut, Some(command("REIN", 220, 0)))];
    assert_eq!(host.take_noted(), expected);
}

#[test]
fn tokens_come_to_no_note() {
    let mut host = Host::logged_in(Settings::default());
    host.made("a", 1);
    let token = "01".repeat(16);
    host.take_noted();
    host.lines(&["SITE TOKEN a"]);
    host.state(directory(vec![at(1, 1, None)]));
    host.lines(&[&["SITE CLAIM a ", &token].concat()]);
    host.state(directory(vec![at(1, 1, None)]));
    host.lines(&["SITE CLAIM a 02020202020202020202020202020202"]);
    host.state(directory(vec![at(1, 1, None)]));
    let noted = host.take_noted();
    let kinds: Vec<&Note> = noted.iter().map(|(note, _)| note).collect();
    let told = Note::TokenTold { path: path("/a") };
    assert_eq!(kinds, [&told, &Note::Claimed { path: path("/a") }, &refused(Some("/a"), "Wrong token")]);
}

#[test]
fn an_unknown_command_is_shown_where_it_can_be_no_password() {
    let mut host = Host::greeted(Settings { note_dialogue: true, ..Settings::default() });
    host.lines(&["XYZZY plugh", "hunter2", "correcthorsebattery", "USER me", "hushhush", "PASS x"]);
    let asked = |(note, _): (Note, Option<NotedCommand>)| match note {
        Note::Asked { command } => Some(command),
        _ => None,
    };
    let asked: Vec<String> = host.take_noted().into_iter().filter_map(asked).collect();
    assert_eq!(asked, ["XYZZY", "", "", "USER me", "", "PASS <secret>"]);
}

#[test]
fn each_action_that_is_no_note_stays_as_it_was() {
    // A note's command is an addition: what knew nothing of it reads the rest.
    let old = r#"{"action":"note","note":{"note":"removed","path":"/a"}}"#;
    let read: Action = serde_json::from_str(old).unwrap();
    assert_eq!(read, Action::Note { note: Note::Removed { path: path("/a") }, command: None });
}
