//! Every command of the table with arguments that it cannot take and at moments that do not suit it. Each gets exactly
//! one final reply, of those that its row names, and the session lives.

use crate::stage::{Fault, Stage};
use crate::transcript::script::{Channel, Closing, Handshake};
use mayfly_core::wire::command::row::{EVERYWHERE, Login, Row, Turn};
use mayfly_core::wire::command::table::COMMANDS;

/// Lets every row meet every kind of bad input, each in a session of its own, in clear or through TLS, with data that are
/// private then; tells how many exchanges there were.
///
/// # Errors
/// What was not as it must be, one line each.
pub fn meet_all(stage: &mut dyn Stage, channel: Channel) -> Result<usize, Fault> {
    let mut faults = Vec::new();
    let mut met = 0;
    for row in COMMANDS {
        for kind in KINDS {
            met += 1;
            if let Err(fault) = meet(stage, row, kind, channel) {
                faults.push(format!("{} with {}: {fault}", row.name, kind.what));
            }
        }
    }
    if faults.is_empty() { Ok(met) } else { Err(faults.join("\n")) }
}

/// One kind of bad input.
struct Kind {
    what: &'static str,
    /// What follows the name.
    argument: &'static [u8],
    /// How often it does.
    times: usize,
    moment: Moment,
}

/// When a command comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    LoggedIn,
    BeforeLogin,
    DuringTransfer,
}

const fn kind(what: &'static str, argument: &'static [u8]) -> Kind {
    Kind { what, argument, times: 1, moment: Moment::LoggedIn }
}

const KINDS: &[Kind] = &[
    kind("no argument", b""),
    kind("nothing but blanks", b"   "),
    kind("too many arguments", b" a b c d e f g h"),
    kind("an overflowing number", b" 99999999999999999999999999"),
    kind("a negative number", b" -1"),
    kind("two overflowing numbers and a path", b" 18446744073709551616 -18446744073709551616 a"),
    kind("what is not UTF-8", b" a\xc3\x28\x80b"),
    kind("control characters", b" a\x01\x1b[2J\x7f"),
    kind("a way out of the root", b" ../../../etc/passwd"),
    kind("a reserved name", b" .mayfly-trash"),
    kind("a quote and a brace", b" \"a{b\\\""),
    Kind { times: 9000, ..kind("an endless argument", b" x") },
    Kind { moment: Moment::BeforeLogin, ..kind("an argument before the login", b" x") },
    Kind { moment: Moment::BeforeLogin, ..kind("no argument before the login", b"") },
    Kind { moment: Moment::DuringTransfer, ..kind("an argument during a transfer", b" x") },
    Kind { moment: Moment::DuringTransfer, ..kind("no argument during a transfer", b"") },
];

fn meet(stage: &mut dyn Stage, row: &Row, kind: &Kind, channel: Channel) -> Result<(), Fault> {
    stage.connect(SESSION)?;
    expect(stage, &[220])?;
    if channel == Channel::Tls {
        command(stage, b"AUTH TLS", &[234])?;
        stage.secure(SESSION, Handshake::Proper, b"")?;
        command(stage, b"PBSZ 0", &[200])?;
        command(stage, b"PROT P", &[200])?;
    }
    if kind.moment != Moment::BeforeLogin {
        command(stage, b"USER anonymous", &[331])?;
        command(stage, b"PASS x", &[230])?;
    }
    let mut line = row.name.as_bytes().to_vec();
    line.extend(kind.argument.repeat(kind.times));
    let due = due(row, kind);
    if kind.moment == Moment::DuringTransfer {
        during_transfer(stage, row, (&line, &due), channel)?;
    } else {
        command(stage, &line, &due)?;
    }
    if row.name == "QUIT" && kind.argument.trim_ascii().is_empty() {
        return stage.line(SESSION)?.map_or(Ok(()), |_| Err("it goes on after its good-bye".to_owned()));
    }
    // It had one final reply and no more, and the session lives.
    command(stage, b"NOOP", &[200])?;
    stage.close(SESSION, Closing::Orderly)
}

/// An upload has begun and waits for bytes.
fn during_transfer(
    stage: &mut dyn Stage,
    row: &Row,
    (line, due): (&[u8], &[u16]),
    channel: Channel,
) -> Result<(), Fault> {
    stage.send(SESSION, b"EPSV\r\n")?;
    let entered = next_line(stage)?;
    let port = entered.split('|').nth(3).and_then(|port| port.parse().ok());
    stage.data_connect(SESSION, port.ok_or(entered)?)?;
    command(stage, b"STOR upload", &[150])?;
    if channel == Channel::Tls {
        stage.data_secure(SESSION, Handshake::Proper)?;
    }
    stage.send(SESSION, &[line, b"\r\n"].concat())?;
    let takes_none = line == row.name.as_bytes();
    match row.turn {
        Turn::AtOnce if takes_none => {
            expect(stage, due)?;
            stage.data_close(SESSION, Closing::Orderly)?;
            expect(stage, &[226])
        }
        Turn::Interrupts if takes_none => {
            expect(stage, &[426])?;
            expect(stage, due)
        }
        _ => {
            stage.data_close(SESSION, Closing::Orderly)?;
            expect(stage, &[226])?;
            expect(stage, due)
        }
    }
}

/// What it may be answered with.
fn due(row: &Row, kind: &Kind) -> Vec<u16> {
    if std::str::from_utf8(kind.argument).is_err() {
        return vec![501];
    }
    if kind.times > 1 {
        return vec![500];
    }
    let refused = [500, 501, 502, 504, 522, 530];
    match (kind.moment, row.login) {
        (Moment::BeforeLogin, Login::Needed) => refused.to_vec(),
        _ => row.replies.iter().chain(&EVERYWHERE).copied().filter(|code| !(100..200).contains(code)).collect(),
    }
}

fn command(stage: &mut dyn Stage, line: &[u8], due: &[u16]) -> Result<(), Fault> {
    stage.send(SESSION, &[line, b"\r\n"].concat())?;
    expect(stage, due)
}

/// The next reply, of one line or more, is one of these.
fn expect(stage: &mut dyn Stage, due: &[u16]) -> Result<(), Fault> {
    loop {
        let line = next_line(stage)?;
        let code: Option<u16> = line.get(..3).and_then(|code| code.parse().ok());
        match (code, line.as_bytes().get(3)) {
            (Some(code), Some(b' ')) if due.contains(&code) => return Ok(()),
            (Some(_), Some(b' ')) => return Err(format!("{line}, which is none of {due:?}")),
            (Some(_), Some(b'-')) => {}
            _ if line.starts_with(' ') => {}
            _ => return Err(format!("no reply: {line}")),
        }
    }
}

fn next_line(stage: &mut dyn Stage) -> Result<String, Fault> {
    let line = stage.line(SESSION)?.ok_or("the connection is closed")?;
    String::from_utf8(line).map_err(|error| error.to_string())
}

const SESSION: u8 = 1;
