//! What `ftp.exe` of Windows says, and other old clients with it, word by word: `OPTS UTF8 ON`, `PORT` alone, the
//! commands of RFC 775 with an X, `NLST` with patterns, `LIST` without options, ASCII until `binary` is typed.

use mayfly_tests::ftp::{Ftp, Reply};
use mayfly_tests::ground::Ground;
use mayfly_tests::on_both_drivers;
use mayfly_tests::tree;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

on_both_drivers! {
    logs_in: active;
    puts_and_gets: active;
    puts_and_gets_in_ascii: active;
    lists: active;
    walks_with_x_commands: active;
    renames_and_removes: active;
    gets_many: active;
    lists_by_pattern: active;
    hears_of_what_is_missing: active;
}

/// After each login it asks for UTF-8, and does not mind what it hears.
fn logged_in(ground: &Ground) -> Ftp {
    let mut ftp = Ftp::connect(ground.address());
    assert_eq!(ftp.reply().code, 220);
    assert_eq!(ftp.ask("OPTS UTF8 ON").code, 200);
    assert_eq!(ftp.ask("USER anonymous").code, 331);
    assert_eq!(ftp.ask("PASS me@example.org").code, 230);
    ftp
}

fn logs_in(ground: &Ground) {
    let mut ftp = logged_in(ground);
    assert_eq!(ftp.ask("XPWD").lines, ["257 \"/\" is the current directory"]);
    assert_eq!(ftp.ask("QUIT").code, 221);
    assert!(ftp.is_closed());
}

/// `PORT` with a new port before each transfer, and the server comes.
fn begins(ftp: &mut Ftp, command: &str) -> Result<TcpStream, Reply> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = ftp.ask(&format!("PORT 127,0,0,1,{},{}", port >> 8, port & 255));
    assert_eq!(said.lines, ["200 PORT command successful. Consider using PASV."]);
    match ftp.ask(command) {
        Reply { code: 150, .. } => Ok(listener.accept().unwrap().0),
        refused => Err(refused),
    }
}

fn fetched(ftp: &mut Ftp, command: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    begins(ftp, command).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(ftp.reply().code, 226);
    bytes
}

fn put(ftp: &mut Ftp, command: &str, bytes: &[u8]) {
    begins(ftp, command).unwrap().write_all(bytes).unwrap();
    assert_eq!(ftp.reply().code, 226);
}

fn listed(ftp: &mut Ftp, command: &str) -> Vec<String> {
    let text = String::from_utf8(fetched(ftp, command)).unwrap();
    assert!(text.is_empty() || text.ends_with("\r\n"), "{text:?}");
    let mut lines: Vec<String> = text.split_terminator("\r\n").map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn puts_and_gets(ground: &Ground) {
    let mut ftp = logged_in(ground);
    assert_eq!(ftp.ask("TYPE I").code, 200);
    let bytes = tree::content("data.bin");
    put(&mut ftp, "STOR data.bin", &bytes);
    assert!(fs::read(ground.root().join("data.bin")).unwrap() == bytes);
    assert!(fetched(&mut ftp, "RETR data.bin") == bytes);
    put(&mut ftp, "STOR Grüße – 日本.txt", b"ja");
    assert_eq!(fetched(&mut ftp, "RETR Grüße – 日本.txt"), b"ja");
    put(&mut ftp, "APPE Grüße – 日本.txt", b" doch");
    assert_eq!(fs::read(ground.root().join("Grüße – 日本.txt")).unwrap(), b"ja doch");
}

fn puts_and_gets_in_ascii(ground: &Ground) {
    let mut ftp = logged_in(ground);
    assert_eq!(ftp.ask("TYPE A").code, 200);
    put(&mut ftp, "STOR lines", b"one\r\ntwo\r\n");
    assert_eq!(fs::read(ground.root().join("lines")).unwrap(), b"one\ntwo\n");
    assert_eq!(fetched(&mut ftp, "RETR lines"), b"one\r\ntwo\r\n");
}

/// `ls` is `NLST`, `dir` is `LIST`.
fn lists(ground: &Ground) {
    tree::plant(ground.root(), &tree::PLAIN);
    let mut ftp = logged_in(ground);
    assert_eq!(ftp.ask("TYPE A").code, 200);
    assert_eq!(listed(&mut ftp, "NLST"), ["a.txt", "b.txt", "data.bin", "deep", "empty"]);
    let long = listed(&mut ftp, "LIST");
    assert_eq!(long.len(), 5, "{long:?}");
    assert!(long.iter().any(|line| line.starts_with("-rw") && line.ends_with(" 3145735 Jun 15  2019 data.bin")));
    assert_eq!(listed(&mut ftp, "LIST deep").len(), 2);
    assert_eq!(listed(&mut ftp, "NLST deep/none"), [""; 0]);
}

fn walks_with_x_commands(ground: &Ground) {
    let mut ftp = logged_in(ground);
    assert_eq!(ftp.ask("XMKD scans").lines, ["257 \"/scans\" created"]);
    assert_eq!(ftp.ask("XCWD scans").code, 250);
    assert_eq!(ftp.ask("XPWD").lines, ["257 \"/scans\" is the current directory"]);
    assert_eq!(ftp.ask("XMKD in").code, 257);
    put(&mut ftp, "STOR in/a", b"a");
    assert_eq!(ftp.ask("XCUP").code, 250);
    assert_eq!(ftp.ask("XPWD").lines, ["257 \"/\" is the current directory"]);
    assert_eq!(ftp.ask("XRMD scans").code, 550, "it is not empty");
    assert_eq!(ftp.ask("CWD \\scans").code, 550, "a backslash parts no names");
    assert_eq!(ftp.ask("DELE scans/in/a").code, 250);
    assert_eq!(ftp.ask("XRMD scans/in").code, 250);
    assert_eq!(ftp.ask("XRMD scans").code, 250);
    assert_eq!(tree::found(ground.root()).len(), 0);
}

fn renames_and_removes(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt", "b.txt"]);
    let mut ftp = logged_in(ground);
    assert_eq!(ftp.ask("RNFR a.txt").code, 350);
    assert_eq!(ftp.ask("RNTO c d.txt").code, 250);
    assert_eq!(ftp.ask("DELE b.txt").code, 250);
    assert_eq!(tree::found(ground.root()).keys().collect::<Vec<_>>(), ["c d.txt"]);
    // `remotehelp` and `quote stat`
    assert_eq!(ftp.ask("HELP").code, 214);
    assert_eq!(ftp.ask("STAT").code, 211);
    assert_eq!(ftp.ask("NOOP").code, 200);
}

/// `mget *` lists by `NLST *`, then fetches each name that it was told.
fn gets_many(ground: &Ground) {
    let names = ["-dash.txt", "[x].txt", "a.txt", "some blanks.txt", "star*.txt"];
    tree::plant(ground.root(), &names);
    let mut ftp = logged_in(ground);
    assert_eq!(ftp.ask("TYPE A").code, 200);
    let told = listed(&mut ftp, "NLST *");
    assert_eq!(told, names);
    assert_eq!(ftp.ask("TYPE I").code, 200);
    for name in told {
        assert_eq!(fetched(&mut ftp, &format!("RETR {name}")), tree::content(&name));
    }
}

fn lists_by_pattern(ground: &Ground) {
    tree::plant(ground.root(), &tree::PLAIN);
    let mut ftp = logged_in(ground);
    assert_eq!(listed(&mut ftp, "NLST *.txt"), ["a.txt", "b.txt"]);
    assert_eq!(listed(&mut ftp, "NLST ?.t*"), ["a.txt", "b.txt"]);
    let long = listed(&mut ftp, "LIST *.bin");
    assert!(long.len() == 1 && long[0].ends_with(" 3145735 Jun 15  2019 data.bin"), "{long:?}");
}

/// The connection that it listens for never comes; the next transfer is none the worse.
fn hears_of_what_is_missing(ground: &Ground) {
    tree::plant(ground.root(), &["a.txt"]);
    let mut ftp = logged_in(ground);
    for (command, code) in [("RETR nothing", 550), ("NLST nowhere", 550), ("LIST nowhere", 550), ("STOR no/where", 553)]
    {
        assert_eq!(begins(&mut ftp, command).unwrap_err().code, code, "{command}");
    }
    assert_eq!(ftp.ask("CWD nowhere").code, 550);
    assert_eq!(fetched(&mut ftp, "RETR a.txt"), tree::content("a.txt"));
}
