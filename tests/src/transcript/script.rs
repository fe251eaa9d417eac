//! Transcript files, read. The format is described in `tests/transcripts/README.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One transcript: a scenario with its settings and steps.
#[derive(Clone, Debug)]
pub struct Script {
    /// The file.
    pub path: PathBuf,
    /// Its lines, as they stand.
    pub lines: Vec<String>,
    /// What must be so before the first step.
    pub setup: Setup,
    /// What is done and expected, each with the number of its line, from 0 on.
    pub steps: Vec<(usize, Step)>,
}

/// What must be so before the first step of a transcript.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The session settings that differ from the default, and `max_sessions`, `max_sessions_per_address`.
    pub settings: BTreeMap<String, String>,
    /// Whether the peer comes over IPv6.
    pub ipv6: bool,
    /// Whether it needs what only the fake disk can do (a full disk).
    pub core_only: bool,
    /// Whether it needs what only a real disk can hold (links, names that are not UTF-8).
    pub disk_only: bool,
    /// How the client speaks TLS.
    pub tls: TlsSetup,
}

/// How the client of a transcript speaks TLS, and its server takes it.
#[derive(Clone, Debug, Default)]
pub struct TlsSetup {
    /// The control connection is TLS from its first byte.
    pub implicit: bool,
    /// The client speaks TLS 1.2 and nothing later.
    pub at_most_12: bool,
    /// The name in the certificate that the client shows, if it shows one.
    pub certificate: Option<String>,
}

/// The session of a step; most transcripts have one alone, 1.
pub type SessionNumber = u8;

/// One thing that a transcript does or expects. Bytes may hold placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The wall clock is set, UTC seconds.
    Clock(i64),
    /// Time passes, on both clocks.
    Pass(Duration),
    /// The client sends on the control connection, which is made if there is none.
    Send(SessionNumber, Vec<u8>),
    /// The server's next control line.
    Expect(SessionNumber, Vec<u8>),
    /// The server closes the control connection.
    ExpectClosed(SessionNumber),
    /// The client closes the control connection, or resets it.
    Close(SessionNumber, Closing),
    /// The greeting and an anonymous login, after AUTH TLS where it says so.
    Login(SessionNumber, Channel),
    /// The client's side of the TLS handshake on the control connection.
    Secure(SessionNumber, Handshake),
    /// Something about the data connection.
    Data(SessionNumber, DataStep),
    /// Something about the disk, beside the server.
    Disk(DiskStep),
    /// The server is told to shut down.
    ShutDown,
    /// The server ends and another starts on the same disk; all connections are gone.
    Restart,
}

/// How a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// In order.
    Orderly,
    /// With a reset.
    Reset,
    /// In order, but without the `close_notify` that ends what goes through TLS.
    Truncated,
}

/// What a login goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The connection as it is.
    Clear,
    /// TLS, which it asks for first.
    Tls,
}

/// How a client goes about a TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// As it must; on a data connection it resumes the control connection's session.
    Proper,
    /// On a data connection: a session of its own.
    Anew,
    /// What it sends is no TLS.
    Broken,
}

/// One thing that happens on a data connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataStep {
    /// The client connects to where the last 227 or 229 said.
    Connect,
    /// A stranger (another address) connects there and is turned away.
    Stranger,
    /// The client listens on its control connection's own port, the default data port.
    Listen,
    /// The client's listener (`<here>`, `<eprt>`) goes away.
    Unlisten,
    /// The client's side of the TLS handshake.
    Secure(Handshake),
    /// The client sends.
    Send(Vec<u8>),
    /// The server's next bytes.
    Expect(Vec<u8>),
    /// The server ends its side.
    ExpectEnd,
    /// The server ends its side, and does not say that this was all.
    ExpectCut,
    /// The client closes.
    Close(Closing),
}

/// One thing that happens on the disk beside the server, or that must be so there. Names are bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskStep {
    /// Somebody makes a directory, without a record.
    MakeDirectory(Vec<u8>),
    /// Somebody puts a file there.
    Put(Vec<u8>, Vec<u8>),
    /// Somebody makes a symbolic link there, to this.
    Link(Vec<u8>, Vec<u8>),
    /// A file stands there with these bytes.
    Holds(Vec<u8>, Vec<u8>),
    /// Nothing stands there (any more, at last).
    Lacks(Vec<u8>),
    /// The record of a storage path is overwritten with something that is none.
    Spoil(Vec<u8>),
    /// The disk has room for so many more bytes.
    Room(u64),
    /// The disk takes no file larger than this.
    FileLimit(u64),
}

impl Script {
    /// Reads one file's text.
    ///
    /// # Errors
    /// What is wrong with it, with its place.
    pub fn parse(path: &Path, text: &str) -> Result<Self, String> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let titled = lines.first().is_some_and(|line| line.starts_with("# ") && line.contains(": "));
        if !titled {
            return Err(format!("{}:1: the first line must be '# name: goal. Source'", path.display()));
        }
        let mut setup = Setup::default();
        let mut steps = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let wrong = |error| format!("{}:{}: {error}: {line}", path.display(), number + 1);
            if line.is_empty() || line.starts_with('#') || setup.take(line).map_err(wrong)? {
                continue;
            }
            steps.push((number, Step::parse(line).map_err(wrong)?));
        }
        Ok(Self { path: path.to_owned(), lines, setup, steps })
    }
}

impl Setup {
    /// Whether the server has a certificate: `set tls on`.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.settings.contains_key("tls")
    }

    fn take(&mut self, line: &str) -> Result<bool, String> {
        if let Some(setting) = line.strip_prefix("set ") {
            let (key, value) = setting.split_once(' ').ok_or("set KEY VALUE")?;
            self.settings.insert(key.to_owned(), value.to_owned());
        } else if line == "peer ipv6" {
            self.ipv6 = true;
        } else if line == "only core" {
            self.core_only = true;
        } else if line == "only disk" {
            self.disk_only = true;
        } else if line == "tls implicit" {
            self.tls.implicit = true;
        } else if line == "peer tls 1.2" {
            self.tls.at_most_12 = true;
        } else if let Some(name) = line.strip_prefix("peer certificate ") {
            self.tls.certificate = Some(name.to_owned());
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

impl Step {
    fn parse(line: &str) -> Result<Self, String> {
        match line {
            "shut down" => return Ok(Self::ShutDown),
            "restart" => return Ok(Self::Restart),
            _ => {}
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "@" => return Ok(Self::Clock(utc_s(rest)?)),
            "+" => return Ok(Self::Pass(duration(rest)?)),
            "disk" => return disk(rest).map(Self::Disk),
            "login" => return login(rest),
            _ => {}
        }
        let (who, what) = word.split_at(1.min(word.len()));
        let (number, mark) = match what.find(|c: char| !c.is_ascii_digit()) {
            Some(at) => what.split_at(at),
            None => (what, ""),
        };
        let number = if number.is_empty() { 1 } else { session(number)? };
        match (who, mark, rest) {
            ("C", ":", _) => Ok(Self::Send(number, [rest.as_bytes(), b"\r\n"].concat())),
            ("C", "<", _) => Ok(Self::Send(number, unescape(rest)?)),
            ("C", "", "close") => Ok(Self::Close(number, Closing::Orderly)),
            ("C", "", "reset") => Ok(Self::Close(number, Closing::Reset)),
            ("C", "", "truncate") => Ok(Self::Close(number, Closing::Truncated)),
            ("C", "", "tls") => Ok(Self::Secure(number, Handshake::Proper)),
            ("C", "", "tls broken") => Ok(Self::Secure(number, Handshake::Broken)),
            ("S", ":", _) => Ok(Self::Expect(number, rest.as_bytes().to_vec())),
            ("S", "<", _) => Ok(Self::Expect(number, unescape(rest)?)),
            ("S", "", "close") => Ok(Self::ExpectClosed(number)),
            ("D", _, _) => data(mark, rest).map(|step| Self::Data(number, step)),
            _ => Err("no such step".to_owned()),
        }
    }
}

/// `login [SESSION] [tls]`.
fn login(rest: &str) -> Result<Step, String> {
    let (number, channel) = match rest.strip_suffix("tls") {
        Some(number) => (number.trim_end(), Channel::Tls),
        None => (rest, Channel::Clear),
    };
    Ok(Step::Login(if number.is_empty() { 1 } else { session(number)? }, channel))
}

fn session(text: &str) -> Result<SessionNumber, String> {
    text.parse().map_err(|_| format!("no session number: {text}"))
}

fn data(mark: &str, rest: &str) -> Result<DataStep, String> {
    Ok(match (mark, rest) {
        ("<", _) => DataStep::Send(unescape(rest)?),
        (">", _) => DataStep::Expect(unescape(rest)?),
        ("", "connect") => DataStep::Connect,
        ("", "stranger") => DataStep::Stranger,
        ("", "listen") => DataStep::Listen,
        ("", "unlisten") => DataStep::Unlisten,
        ("", "end") => DataStep::ExpectEnd,
        ("", "cut") => DataStep::ExpectCut,
        ("", "close") => DataStep::Close(Closing::Orderly),
        ("", "reset") => DataStep::Close(Closing::Reset),
        ("", "truncate") => DataStep::Close(Closing::Truncated),
        ("", "tls") => DataStep::Secure(Handshake::Proper),
        ("", "tls anew") => DataStep::Secure(Handshake::Anew),
        ("", "tls broken") => DataStep::Secure(Handshake::Broken),
        _ => return Err("no such data step".to_owned()),
    })
}

fn disk(rest: &str) -> Result<DiskStep, String> {
    let mut words = rest.splitn(3, ' ');
    let (verb, name) = (words.next().unwrap_or_default(), words.next().ok_or("disk VERB PATH")?);
    let (path, text) = (unescape(name)?, unescape(words.next().unwrap_or_default())?);
    Ok(match verb {
        "mkdir" => DiskStep::MakeDirectory(path),
        "put" => DiskStep::Put(path, text),
        "link" => DiskStep::Link(path, text),
        "holds" => DiskStep::Holds(path, text),
        "lacks" => DiskStep::Lacks(path),
        "spoil" => DiskStep::Spoil(path),
        "file-limit" => DiskStep::FileLimit(name.parse().map_err(|_| "disk file-limit BYTES")?),
        "room" => DiskStep::Room(name.parse().map_err(|_| "disk room BYTES")?),
        _ => return Err("no such disk step".to_owned()),
    })
}

fn utc_s(text: &str) -> Result<i64, String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    mayfly_core::date::parse_time_val(&digits)
        .filter(|_| text.ends_with('Z'))
        .ok_or_else(|| "@ takes a date such as 2030-01-01T00:00:00Z".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = digits.parse().map_err(|_| "+ takes a time such as 300s")?;
    Ok(match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "h" => Duration::from_secs(number * 3600),
        "d" => Duration::from_secs(number * 86_400),
        _ => return Err("+ takes ms, s, h or d".to_owned()),
    })
}

/// Reads `\r`, `\n`, `\t`, `\\`, `\s` (a blank) and `\xHH`.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (&escape, tail) = rest.split_first().ok_or("a lone backslash")?;
        rest = tail;
        bytes.push(match escape {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b's' => b' ',
            b'\\' => b'\\',
            b'x' => {
                let digits = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok()).ok_or("\\xHH")?;
                rest = &rest[2..];
                u8::from_str_radix(digits, 16).map_err(|_| "\\xHH")?
            }
            _ => return Err(format!("no such escape: \\{}", char::from(escape))),
        });
    }
    Ok(bytes)
}

/// The inverse, for `UPDATE=1`.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let hidden = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || character == '\\' {
                text += &hidden(character.to_string().as_bytes());
            } else {
                text.push(character);
            }
        }
        text += &hidden(chunk.invalid());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_line_is_a_step() {
        for (line, step) in [
            ("C: NOOP", Step::Send(1, b"NOOP\r\n".to_vec())),
            ("C2< \\xff\\r\\n", Step::Send(2, b"\xff\r\n".to_vec())),
            ("S:  indented", Step::Expect(1, b" indented".to_vec())),
            ("S2 close", Step::ExpectClosed(2)),
            ("C reset", Step::Close(1, Closing::Reset)),
            ("D< a b", Step::Data(1, DataStep::Send(b"a b".to_vec()))),
            ("D2 end", Step::Data(2, DataStep::ExpectEnd)),
            ("+ 2h", Step::Pass(Duration::from_secs(7200))),
            ("disk put /a b c", Step::Disk(DiskStep::Put(b"/a".to_vec(), b"b c".to_vec()))),
            ("login 2", Step::Login(2, Channel::Clear)),
            ("login tls", Step::Login(1, Channel::Tls)),
            ("login 3 tls", Step::Login(3, Channel::Tls)),
            ("C2 tls", Step::Secure(2, Handshake::Proper)),
            ("D tls anew", Step::Data(1, DataStep::Secure(Handshake::Anew))),
            ("D truncate", Step::Data(1, DataStep::Close(Closing::Truncated))),
        ] {
            assert_eq!(Step::parse(line), Ok(step), "{line}");
        }
        for line in ["X: a", "C! a", "D fly", "+ 3 weeks", "@ yesterday", "disk eat /a"] {
            assert!(Step::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn escapes_read_back() {
        let bytes = b"a\r\n\t\\\x00\xff\xc3\xa4";
        assert_eq!(unescape(&escape(bytes)), Ok(bytes.to_vec()));
    }
}
