//! No command reaches out of the root or into what the server keeps for itself, however its path is spelt.

use crate::commands::{PathCommand, path_commands};
use crate::ground::{CANARY, Ground, RESERVED};
use crate::wire::Wire;
use mayfly_tests::process::{Driver, ServerProcess};
use std::fs;

mayfly_tests::with_each_driver! {
    no_spelling_of_a_path_leads_out_of_the_root
    links_that_stay_inside_are_followed_where_that_is_set
    no_link_leads_out_of_the_root_where_links_are_followed
    no_spelling_of_a_name_leads_to_what_the_server_keeps
    what_is_neither_file_nor_directory_is_never_opened
}

const FLAGS: [&str; 8] = [
    // Nor is what is tried the number of connections.
    "--trusted-from",
    "127.0.0.0/8",
    "--anonymous-rights",
    "all",
    "--durability",
    "none",
    // The process must not be what protects here.
    "--landlock",
    "off",
];

fn no_spelling_of_a_path_leads_out_of_the_root(driver: Driver) {
    let ground = Ground::new();
    let absolute = ground.outside().join("canary").to_str().expect("it is UTF-8").to_owned();
    let mut paths: Vec<Vec<u8>> = WAYS_OUT.iter().map(|path| path.to_vec()).collect();
    paths.extend([absolute.clone(), format!("/{absolute}"), format!("d/../..{absolute}")].map(String::into_bytes));
    attack(driver, &ground, &paths, &[]);
}

fn links_that_stay_inside_are_followed_where_that_is_set(driver: Driver) {
    let ground = Ground::new();
    std::os::unix::fs::symlink("d", ground.root().join("in")).expect("there is room");
    for (flags, code) in [(&[][..], 550), (&["--follow-symlinks"], 226)] {
        let server = ServerProcess::start(driver, &ground.root(), &[&FLAGS, flags].concat());
        let mut wire = Wire::log_in(server.address());
        assert_eq!(wire.carry_out(b"RETR in/plain", None), code);
        assert_eq!(wire.carry_out(b"STOR in/new", Some(b"new")), if code == 226 { 226 } else { 553 });
        assert_eq!(ground.root().join("d/new").exists(), code == 226);
        wire.heard.clear();
        assert_eq!(wire.carry_out(b"LIST", None), 226);
        let listed = String::from_utf8_lossy(&wire.heard).into_owned();
        let first = |name: &str| listed.lines().find(|line| line.ends_with(&format!(" {name}"))).map(|line| &line[..1]);
        assert_eq!(first("in"), Some(if code == 226 { "d" } else { "l" }), "{listed}");
        assert_eq!((first("out"), first("file")), (Some("l"), Some("l")), "{listed}");
    }
}

fn no_link_leads_out_of_the_root_where_links_are_followed(driver: Driver) {
    let ground = Ground::new();
    // What leads out by a detour, and to what is the server's own.
    for (link, to) in [("round", "d/../out"), ("up", "d/../.."), ("own", ".mayfly-canary"), ("ring", "ring")] {
        std::os::unix::fs::symlink(to, ground.root().join(link)).expect("there is room");
    }
    let mut paths: Vec<Vec<u8>> = WAYS_OUT.iter().map(|path| path.to_vec()).collect();
    let more = ["round", "round/canary", "round/new", "up/outside/canary", "up/outside/new", "own", "ring", "ring/x"];
    paths.extend(more.map(|path| path.as_bytes().to_vec()));
    attack(driver, &ground, &paths, &["--follow-symlinks"]);
}

fn no_spelling_of_a_name_leads_to_what_the_server_keeps(driver: Driver) {
    let paths: Vec<Vec<u8>> = RESERVED_NAMES.iter().map(|path| path.to_vec()).collect();
    attack(driver, &Ground::new(), &paths, &[]);
}

/// Has each path command try each of these paths, as text and as JSON.
fn attack(driver: Driver, ground: &Ground, paths: &[Vec<u8>], flags: &[&str]) {
    let before = ground.snapshot();
    let server = ServerProcess::start(driver, &ground.root(), &[&FLAGS, flags].concat());
    let mut tries = 0;
    for command in path_commands() {
        let mut wire = Wire::log_in(server.address());
        for path in paths {
            let lines = [Some(command.line(path)), command.json(path)];
            for line in lines.into_iter().flatten() {
                try_one(&mut wire, ground, &command, &line);
                tries += 1;
            }
        }
        let heard = String::from_utf8_lossy(&wire.heard);
        for canary in [CANARY, RESERVED] {
            assert!(!heard.contains(canary), "{} was told or sent {canary}", command.row.name);
        }
        assert!(
            ground.snapshot() == before,
            "{} changed the world outside: {:#?}",
            command.row.name,
            ground.snapshot()
        );
        ground.require_own_untouched();
        require_canary_is_seen(&mut wire, ground);
    }
    assert!(tries >= 2_000, "{tries}");
}

/// What these tests look for would be seen: an honest file comes over this same wire.
pub(crate) fn require_canary_is_seen(wire: &mut Wire, ground: &Ground) {
    fs::write(ground.root().join("plain"), "seen").expect("there is room");
    wire.heard.clear();
    assert_eq!(wire.ask(b"CWD /"), 250);
    assert_eq!(wire.carry_out(b"RETR plain", None), 226);
    assert!(String::from_utf8_lossy(&wire.heard).contains("seen"));
}

/// Carries a command out, with what must come before and after it. The code that it ended with.
pub(crate) fn try_one(wire: &mut Wire, ground: &Ground, command: &PathCommand, line: &[u8]) -> u16 {
    // It may have been moved or overwritten by the try before.
    fs::write(ground.root().join("plain"), "plain").expect("there is room");
    if command.row.name == "RNTO" {
        assert_eq!(wire.ask(b"RNFR /plain"), 350);
    }
    let code = match (command.has_data(), command.uploads()) {
        (true, true) => wire.carry_out(line, Some(b"evil")),
        (true, false) => wire.carry_out(line, None),
        _ => wire.ask(line),
    };
    if command.row.name == "RNFR" && code == 350 {
        wire.ask(b"RNTO /stolen");
    }
    // A directory of such a name may be made inside, and be gone into.
    wire.ask(b"CWD /");
    code
}

fn what_is_neither_file_nor_directory_is_never_opened(driver: Driver) {
    use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
    let ground = Ground::new();
    let root = ground.root();
    mknodat(CWD, root.join("pipe"), FileType::Fifo, Mode::RWXU, 0).expect("there is room");
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).expect("there is room");
    let mut names = vec!["pipe", "socket"];
    // The device of random bytes, where this host lets us make one.
    if mknodat(CWD, root.join("device"), FileType::CharacterDevice, Mode::RWXU, makedev(1, 9)).is_ok() {
        names.push("device");
    }
    let server = ServerProcess::start(driver, &root, &FLAGS);
    for command in path_commands() {
        let mut wire = Wire::log_in(server.address());
        for name in &names {
            // Each is answered within the client's patience, and by no success but that of a place beside it.
            try_one(&mut wire, &ground, &command, &command.line(name.as_bytes()));
            let there = fs::symlink_metadata(root.join(name)).expect("it is there still");
            assert!(!there.is_file() && !there.is_dir(), "{} replaced {name}", command.row.name);
        }
    }
    let mut wire = Wire::log_in(server.address());
    for name in &names {
        assert_eq!(wire.carry_out(format!("RETR {name}").as_bytes(), None), 550, "{name}");
    }
    wire.heard.clear();
    assert_eq!(wire.carry_out(b"LIST -a", None), 226);
    let listed = String::from_utf8_lossy(&wire.heard).into_owned();
    assert!(
        listed.contains(" plain") && names.iter().all(|name| !listed.contains(&format!(" {name}\r\n"))),
        "{listed}"
    );
}

/// Ways out, by dots in every spelling that any server was ever taken in by, and by the operator's links.
const WAYS_OUT: &[&[u8]] = &[
    b"..",
    b"../",
    b"../outside",
    b"../outside/canary",
    b"/../outside/canary",
    b"//../outside/canary",
    b"/./../outside/canary",
    b"d/../../outside/canary",
    b"d/../../outside/new",
    b"d/./.././../outside/canary",
    b"../../../../../../../../../../etc/passwd",
    b"./../outside/canary",
    b".././outside/canary",
    b"..//outside//canary",
    b"..\\outside\\canary",
    b"..\\..\\outside\\canary",
    b"\\..\\outside\\canary",
    b"d\\..\\..\\outside\\canary",
    b"..\\/outside/canary",
    b"%2e%2e/outside/canary",
    b"%2e%2e%2foutside%2fcanary",
    b"..%2foutside%2fcanary",
    b"%2e%2e%5coutside%5ccanary",
    b"%252e%252e%252foutside%252fcanary",
    b"..%c0%afoutside/canary",
    b"%c0%ae%c0%ae/outside/canary",
    b"..%00/outside/canary",
    b"..;/outside/canary",
    b".../outside/canary",
    b"..../outside/canary",
    b"....//outside/canary",
    b"../.../../outside/canary",
    b".. /outside/canary",
    b"../ outside/canary",
    b"../outside/canary.",
    b"../outside/canary ",
    b"../outside./canary",
    b"../outside/canary/.",
    b"../outside/canary/",
    b"../outside/new",
    b"~/../../outside/canary",
    b"~root/canary",
    b"~/canary",
    b"C:\\outside\\canary",
    b"file:///../outside/canary",
    b"-la ../outside",
    b"../outside/*",
    b"../*/canary",
    b"*/../../outside/canary",
    b"{..,d}/outside/canary",
    b"[.][.]/outside/canary",
    b"[?][.]/outside/canary",
    b"out",
    b"out/",
    b"out/canary",
    b"out/new",
    b"out/d/e",
    b"out/../canary",
    b"out/*",
    b"o*/canary",
    b"absolute",
    b"absolute/canary",
    b"absolute/new",
    b"file",
    b"d/deep/canary",
    b"d/deep/e/canary",
    b"d/deep/../../../outside/canary",
    b"dangling",
    b"dangling/new",
    b"/proc/self/cwd/../etc/passwd",
    b"/dev/stdin",
    // The same dots in letters that look like them.
    "\u{2024}\u{2024}/outside/canary".as_bytes(),
    "\u{2025}/outside/canary".as_bytes(),
    "\u{ff0e}\u{ff0e}/outside/canary".as_bytes(),
    "..\u{2215}outside\u{2215}canary".as_bytes(),
    "..\u{2044}outside\u{2044}canary".as_bytes(),
    "..\u{ff0f}outside\u{ff0f}canary".as_bytes(),
    "..\u{ff3c}outside\u{ff3c}canary".as_bytes(),
    ".\u{200d}./outside/canary".as_bytes(),
    ".\u{ad}./outside/canary".as_bytes(),
    "\u{feff}../outside/canary".as_bytes(),
    // The escapes of our own listings.
    br"\x2e\x2e/outside/canary",
    br"\x2e\x2e\x2foutside\x2fcanary",
    br"..\x2foutside\x2fcanary",
    br"d/..\x2f..\x2foutside/canary",
    br"\x2fetc\x2fpasswd",
    br"out\x2fcanary",
    br"..\x00/outside/canary",
    // What is no UTF-8, or only just: overlong dots and slashes, a lone continuation, half a letter.
    b"\xc0\xae\xc0\xae/outside/canary",
    b"..\xc0\xafoutside\xc0\xafcanary",
    b"\xe0\x80\xae\xe0\x80\xae/outside/canary",
    b"..\xf0\x80\x80\xafoutside/canary",
    b"..\x80/outside/canary",
    b"\xff\xfe../outside/canary",
    // Control characters and Telnet codes.
    b"..\x00/outside/canary",
    b"../outside/canary\x00.png",
    b"\x00../outside/canary",
    b"..\x08/outside/canary",
    b".\x7f./outside/canary",
    b"..\t/outside/canary",
    b"\x1b../outside/canary",
    b".\xff\xf1./outside/canary",
];

/// The server's own names, plain and in every disguise.
const RESERVED_NAMES: &[&[u8]] = &[
    b".mayfly-canary",
    b"/.mayfly-canary",
    b"//.mayfly-canary",
    b"./.mayfly-canary",
    b"d/.mayfly-canary",
    b"d//.mayfly-canary",
    b"d/./.mayfly-canary",
    b"d/../.mayfly-canary",
    b"d/x/../.mayfly-canary",
    b"/d/.mayfly-canary/",
    b"/d/.mayfly-canary/.",
    b"/d/.mayfly-canary/x",
    b"/d/.mayfly-canary/..",
    b".mayfly-trash",
    b".mayfly-trash/",
    b".mayfly-trash/x",
    b".mayfly-trash/..",
    b".mayfly-trash/../d/.mayfly-canary",
    b".mayfly-parts/plain",
    b".mayfly-tombs/plain",
    b".mayfly-tmp-0",
    b".mayfly-new-0",
    b".mayfly.json",
    b".mayfly.json.0",
    b".mayfly",
    b"d/.mayfly.json",
    b"d/.mayfly.json.",
    b"d/.mayfly.json ",
    b"d/.mayfly.json/",
    b"d/.m*",
    b"d/.mayfly*",
    b"d/.[m]ayfly-canary",
    b"d/?mayfly-canary",
    b"d/{.mayfly-canary,plain}",
    b"*canary",
    b".*",
    b"d/.*",
    b"-la d/.mayfly-canary",
    b"-a .mayfly-trash",
    b"d\\.mayfly-canary",
    br"\x2emayfly-canary",
    br".mayfly\x2dcanary",
    br"d/\x2emayfly-canary",
    br"d/\x2e\x6d\x61yfly-canary",
    br"d\x2f.mayfly-canary",
    br"d/.mayfly-canary\x00",
    b"%2emayfly-canary",
    b"d/%2emayfly-canary",
    b"d/.mayfly-canary\x00",
    b"d/\x00.mayfly-canary",
    b"d/.mayfly\xff\xf1-canary",
    b"\xc0\xaemayfly-canary",
    "\u{2024}mayfly-canary".as_bytes(),
    ".mayfly\u{2010}canary".as_bytes(),
    "d/\u{200b}.mayfly-canary".as_bytes(),
];
