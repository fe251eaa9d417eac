//! What devices say that nobody updates: scanners, cameras, controllers, mainframes, the first graphical desktops. Each
//! says its own dialogue, to the letter, to both binaries.

#![expect(clippy::unwrap_used, reason = "a test")]

mod devices;

use mayfly_tests::ftp::{Ftp, connect_from, listen_beside};
use mayfly_tests::process::{Driver, PATIENCE, ServerProcess};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

macro_rules! on_both {
    ($($device:ident),+ $(,)?) => {
        mod std_driver { $(#[test] fn $device() { crate::play(crate::Driver::Std, &crate::devices::$device()); })+ }
        mod smol_driver { $(#[test] fn $device() { crate::play(crate::Driver::Smol, &crate::devices::$device()); })+ }
    };
}

on_both!(scanner, camera, controller, mainframe, before_1985, copier, desktop);

/// A device and what it does.
struct Device {
    /// What ends its lines.
    line_end: &'static str,
    /// One step a line:
    /// - `> LINE`: it says this; `<here>` is where it listens from then on;
    /// - `< CODE TEXT`: the reply's last line is, or begins with, this;
    /// - `listens`: on its control connection's own port;
    /// - `connects`: to where the last 227 said;
    /// - `gives TEXT`, `gives on TEXT`: sends this as data and closes, or leaves it open;
    /// - `takes TEXT`, `takes ..TEXT..`: all the data is this, or holds it.
    dialogue: &'static str,
    /// What the server then holds.
    stored: &'static [(&'static str, &'static str)],
}

/// Serves, plays the dialogue step by step, and looks at the disk.
fn play(driver: Driver, device: &Device) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("incoming")).unwrap();
    let server = ServerProcess::start(driver, root.path(), &["--anonymous-rights", "all"]);
    let control = connect_from(server.address().ip(), server.address()).unwrap();
    let mut control = Ftp::over(control);
    let (mut listener, mut data, mut last) = (None, None, String::new());
    // A blank that ends a line is a part of it.
    for step in device.dialogue.lines().map(str::trim_start).filter(|step| !step.is_empty()) {
        let (what, rest) = step.split_once(' ').unwrap_or((step, ""));
        match what {
            ">" => {
                let line =
                    if rest.contains("<here>") { rest.replace("<here>", &here(&mut listener)) } else { rest.into() };
                control.send(format!("{line}{}", device.line_end).as_bytes());
            }
            "<" => {
                let reply = control.reply();
                last.clone_from(reply.lines.last().unwrap());
                assert!(last.starts_with(rest), "{reply:?} where {rest} was due");
            }
            "listens" => {
                // Two cannot listen there.
                drop(listener.take());
                listener = Some(listen_beside(control.stream()).unwrap());
            }
            "connects" => data = Some(TcpStream::connect(passive(&last)).unwrap()),
            "gives" => {
                let mut stream = data.take().unwrap_or_else(|| accepted(listener.as_ref().unwrap()));
                let (text, goes_on) = rest.strip_prefix("on ").map_or((rest, false), |text| (text, true));
                stream.write_all(&bytes(text)).unwrap();
                data = goes_on.then_some(stream);
            }
            "takes" => {
                let mut stream = data.take().unwrap_or_else(|| accepted(listener.as_ref().unwrap()));
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut taken = String::new();
                stream.read_to_string(&mut taken).unwrap();
                let part = rest.strip_prefix("..").and_then(|rest| rest.strip_suffix(".."));
                let expected = String::from_utf8(bytes(part.unwrap_or(rest))).unwrap();
                let is_it = if part.is_some() { taken.contains(&expected) } else { taken == expected };
                assert!(is_it, "{taken:?} where {expected:?} was due");
            }
            _ => panic!("no step: {step}"),
        }
    }
    assert!(control.is_closed(), "QUIT was the last");
    for (name, content) in device.stored {
        // Each character stands for one byte.
        let stored: String = fs::read(root.path().join(name)).unwrap().into_iter().map(char::from).collect();
        assert_eq!(stored, *content, "{name}");
    }
}

/// A new listener, as PORT says where it is.
fn here(listener: &mut Option<TcpListener>) -> String {
    let fresh = listener.insert(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let port = fresh.local_addr().unwrap().port();
    format!("127,0,0,1,{},{}", port >> 8, port & 0xff)
}

fn accepted(listener: &TcpListener) -> TcpStream {
    set_socket_timeout(listener, Timeout::Recv, Some(PATIENCE)).unwrap();
    listener.accept().unwrap().0
}

/// Where a 227 says the server listens.
fn passive(reply: &str) -> SocketAddr {
    let numbers: Vec<u16> = reply.split(['(', ',', ')']).filter_map(|number| number.parse().ok()).collect();
    let [_, _, _, _, high, low] = numbers[..] else { panic!("no address: {reply}") };
    SocketAddr::from((Ipv4Addr::LOCALHOST, high << 8 | low))
}

/// `\r`, `\n`, `\0` and `\xHH` stand for those bytes.
fn bytes(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((before, escape)) = rest.split_once('\\') {
        bytes.extend(before.as_bytes());
        let (byte, length) = match escape.as_bytes()[0] {
            b'r' => (b'\r', 1),
            b'n' => (b'\n', 1),
            b'0' => (0, 1),
            b'x' => (u8::from_str_radix(&escape[1..3], 16).unwrap(), 3),
            other => panic!("no escape: {other}"),
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend(rest.as_bytes());
    bytes
}
