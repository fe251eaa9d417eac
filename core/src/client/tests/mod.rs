//! The client against scripted peers. A script is a dialogue:
//!
//! ```text
//! A: open host:21 = ok        the client wants this of its host; the host's outcome follows the `=`
//! S: 220 Welcome              the server sends this line
//! A: tls host = ok            TLS, ok or the name of a fault; A: data tls host for a data connection
//! C: OPTS UTF8 ON             the client sends this line
//! B: RETR gr<FC>n             the client sends this line, of which some bytes are no UTF-8
//! ! close | wait [MS] | ..   the server closes; the deadline comes (after that long); ..
//! T: 1                        so many tokens were handed out since the last such line
//! F: ok | <FailureKind>       the call is finished
//! ```
//!
//! Each script is run twice: with the server's lines whole, and byte by byte.

mod calls;
mod misbehaviour;
mod random;
mod redate;
mod resumption;
mod servers;
mod tls;
mod trees;

use super::Client;
use super::action::{ClientAction, wire_bytes};
use super::call::{Call, ClientSettings, Connect, DownloadOrder, Tls, UploadOrder};
use super::event::{ClientEvent, ControlEnds, Fault, MoveError, SourceInfo, TlsFault};
use super::failure::Failure;
use super::summary::Summary;
use crate::action::ActionId;
use crate::error::Misuse;
use crate::event::TlsInfo;
use crate::time::Now;
use crate::wire::command::Secret;
use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Runs a script; returns how its last call ended.
#[track_caller]
fn run(settings: &ClientSettings, calls: &[Call], script: &str) -> Result<Summary, Failure> {
    let whole = Bench::new(settings, calls, usize::MAX).play(script);
    let cut = Bench::new(settings, calls, 1).play(script);
    assert_eq!(whole, cut, "byte by byte it went otherwise");
    whole
}

/// The dialogue of a login, up to the reply to TYPE I.
fn login(features: &str) -> String {
    let feat = features.split(',').filter(|feature| !feature.is_empty());
    let feat = feat.fold(String::new(), |lines, feature| lines + "S:  " + feature + "\n");
    format!(
        "A: open host:21 = ok\nS: 220 Welcome\nC: OPTS UTF8 ON\nS: 200 Always in UTF8 mode.\nC: USER anonymous\n\
         S: 331 Please specify the password.\nC: PASS <secret>\nS: 230 Login successful.\nC: FEAT\nS: 211-Features:\n\
         {feat}S: 211 End\nC: TYPE I\nS: 200 Switching to Binary mode.\n"
    )
}

/// What comes before a listing, unless the server is a mayfly one or takes MLSD.
const ASCII: &str = "C: TYPE A\nS: 200 Switching to ASCII mode.\n";
/// What comes after one, before the next file.
const IMAGE: &str = "C: TYPE I\nS: 200 Switching to Binary mode.\n";
/// The features of a mayfly server.
const MAYFLY: &str = "SIZE,MDTM,MFMT,REST STREAM,MLST type*;,SETEXPIRY,SITE EXPIRY,SITE TOKEN,SITE CLAIM";
/// Those of a plain one.
const PLAIN: &str = "EPRT,EPSV,MDTM,PASV,REST STREAM,SIZE,TVFS";

fn connect() -> Call {
    let (host, user) = ("host".to_owned(), "anonymous".to_owned());
    let (password, account) = (Secret("guest".to_owned()), None);
    Call::Connect(Connect { host, port: 21, user, password, account, once: false, tls: Tls::None })
}

fn upload(files: &[&str], expiry_date: Option<&str>, add: bool) -> Call {
    let files = files.iter().map(|&file| file.to_owned()).collect();
    let (storage_path, expiry_date) = ("scans".to_owned(), expiry_date.map(str::to_owned));
    Call::Upload(UploadOrder { storage_path, files, expiry_date, add, ..UploadOrder::default() })
}

fn download(files: &[&str]) -> Call {
    let files = files.iter().map(|&file| file.to_owned()).collect();
    Call::Download(DownloadOrder { storage_path: "scans".to_owned(), files, tree: false })
}

fn view() -> Call {
    Call::View { storage_path: "scans".to_owned() }
}

fn active() -> ClientSettings {
    ClientSettings { active: true, ..ClientSettings::default() }
}

/// A client, its calls, and what it wants.
struct Bench {
    client: Client,
    calls: VecDeque<Call>,
    now: Now,
    wanted: VecDeque<ClientAction>,
    outstanding: Option<ClientAction>,
    outcome: Option<Result<Summary, Failure>>,
    /// How many tokens were handed out.
    handed: usize,
    cut: usize,
}

impl Bench {
    fn new(settings: &ClientSettings, calls: &[Call], cut: usize) -> Self {
        Self {
            client: Client::new(settings.clone()),
            calls: calls.iter().cloned().collect(),
            now: Now { monotonic_ms: 1000, utc_s: 1_798_761_600 },
            wanted: VecDeque::new(),
            outstanding: None,
            outcome: None,
            handed: 0,
            cut,
        }
    }

    #[track_caller]
    fn play(mut self, script: &str) -> Result<Summary, Failure> {
        self.begin_call();
        for (at, line) in script.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let (kind, rest) = line.split_at(2);
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            let at = format!("line {}: {line}", at + 1);
            match kind {
                "S:" => self.hear(format!("{rest}\r\n").as_bytes()),
                "C:" => match self.wanted.pop_front() {
                    Some(ClientAction::SendCommand { shown, .. }) => assert_eq!(shown, rest, "{at}"),
                    other => panic!("{at}: {other:?}"),
                },
                "B:" => match self.wanted.pop_front() {
                    Some(ClientAction::SendCommand { wire, byte_per_char: true, .. }) => {
                        assert_eq!(wire_bytes(&wire, true), bytes(&format!("{rest}\r\n")), "{at}");
                    }
                    other => panic!("{at}: {other:?}"),
                },
                "A:" => {
                    let (wanted, outcome) = rest.split_once(" = ").unwrap_or((rest, "pending"));
                    let action = self.wanted.pop_front().unwrap_or_else(|| panic!("{at}: nothing is wanted"));
                    assert_eq!(shown(&action), wanted, "{at}");
                    self.host(action, outcome);
                }
                "F:" => {
                    let outcome = self.outcome.clone().unwrap_or_else(|| panic!("{at}: {:?}", self.wanted));
                    let kind = outcome.map_or_else(|failure| format!("{:?}", failure.kind), |_| "ok".to_owned());
                    assert_eq!(kind, rest, "{at}: {:?}", self.outcome);
                    self.begin_call();
                }
                "T:" => assert_eq!(format!("{}", core::mem::take(&mut self.handed)), rest, "{at}"),
                _ => self.misbehave(rest, &at),
            }
        }
        assert_eq!(self.wanted, [], "wanted after the script's end");
        assert_eq!(self.calls, [], "calls that never began");
        self.outcome.expect("the script ends with a finished call")
    }

    fn begin_call(&mut self) {
        if let Some(call) = self.calls.pop_front() {
            self.outcome = None;
            self.tell(ClientEvent::Call { call });
        }
    }

    #[track_caller]
    fn tell(&mut self, event: ClientEvent) {
        // Every event and action has a serde form that reads back as what it was.
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<ClientEvent>(&json).unwrap(), event, "{json}");
        self.client.handle(self.now, event).unwrap();
        while let Some(action) = self.client.poll_action() {
            let json = serde_json::to_string(&action).unwrap();
            assert_eq!(serde_json::from_str::<ClientAction>(&json).unwrap(), action, "{json}");
            match action {
                ClientAction::Note { .. } => {
                    assert!(!json.contains("000102030405060708090a0b0c0d0e0f"), "a token is shown: {json}");
                }
                ClientAction::CloseData => {}
                ClientAction::HandToken { .. } => self.handed += 1,
                ClientAction::Cancel { .. } => {
                    let running = self.outstanding.take().expect("something runs that can be cancelled");
                    self.host(running, "cancelled");
                }
                ClientAction::Finished { outcome } => self.outcome = Some(outcome),
                other => self.wanted.push_back(other),
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(self.cut) {
            self.tell(ClientEvent::ControlReceived { bytes: piece.to_vec() });
        }
    }

    fn misbehave(&mut self, what: &str, at: &str) {
        match what {
            "close" => self.tell(ClientEvent::ControlClosed),
            "broke" => self.tell(ClientEvent::ControlBroke { fault: TlsFault::Failed(Fault("alert".to_owned())) }),
            "interrupt" => self.tell(ClientEvent::Interrupt),
            "wait" | "wait 500" | "wait 1000" => {
                let deadline_ms = self.client.deadline().unwrap_or_else(|| panic!("{at}: no deadline"));
                assert!(deadline_ms >= self.now.monotonic_ms, "{at}");
                if let Some(ms) = what.strip_prefix("wait ") {
                    assert_eq!(format!("{}", deadline_ms - self.now.monotonic_ms), ms, "{at}");
                }
                // A moment too early is no deadline.
                self.now.monotonic_ms = deadline_ms.saturating_sub(1).max(self.now.monotonic_ms);
                self.tell(ClientEvent::Timeout);
                self.now.monotonic_ms = deadline_ms;
                self.tell(ClientEvent::Timeout);
            }
            "never" => assert_eq!(self.client.deadline(), None, "{at}"),
            "endless" => {
                for _ in 0..=crate::limits::REPLY_BYTES_MAX / 1000 {
                    self.tell(ClientEvent::ControlReceived { bytes: b"2".repeat(1000) });
                }
            }
            how => {
                if let Some(bytes) = how.strip_prefix("raw ") {
                    return self.hear(bytes.replace('|', "\r\n").as_bytes());
                }
                let running = self.outstanding.take().unwrap_or_else(|| panic!("{at}: nothing runs"));
                self.host(running, how);
            }
        }
    }

    #[track_caller]
    fn host(&mut self, action: ClientAction, outcome: &str) {
        if outcome == "pending" {
            self.outstanding = Some(action);
            return;
        }
        let fault = || Fault(outcome.to_owned());
        let number = || outcome.parse::<u64>().map_err(|_| fault());
        match action {
            ClientAction::OpenControl { id, .. } => {
                let ends = match outcome {
                    "ok" => Ok(("192.0.2.1:21", "192.0.2.7:50000")),
                    "ok6" => Ok(("[2001:db8::1]:21", "[2001:db8::7]:50000")),
                    _ => Err(fault()),
                };
                let outcome = ends
                    .map(|(peer, local)| ControlEnds { peer: peer.parse().unwrap(), local: local.parse().unwrap() });
                self.tell(ClientEvent::ControlConnected { id, outcome });
            }
            ClientAction::StartTls { id, .. } | ClientAction::SecureData { id, .. } => {
                let outcome = match outcome {
                    "ok" => Ok(secured()),
                    "resumed" => Ok(TlsInfo { resumed: true, ..secured() }),
                    "lost" => Err(TlsFault::Lost),
                    "cancelled" => Err(TlsFault::Cancelled),
                    "untrusted" => Err(TlsFault::Untrusted(fault())),
                    "local" => Err(TlsFault::Local(fault())),
                    _ => Err(TlsFault::Failed(fault())),
                };
                self.tell(ClientEvent::TlsStarted { id, outcome });
            }
            ClientAction::ListenData { id, .. } => {
                self.tell(ClientEvent::DataListening { id, outcome: outcome.parse().map_err(|_| fault()) });
            }
            ClientAction::AcceptData { id, .. } | ClientAction::ConnectData { id, .. } => {
                let outcome = if outcome == "ok" { Ok(()) } else { Err(fault()) };
                self.tell(ClientEvent::DataConnected { id, outcome });
            }
            ClientAction::OpenSource { id, .. } => {
                let pipe = SourceInfo { size_bytes: None, modified_s: None, rewindable: false };
                let file =
                    |size| SourceInfo { size_bytes: Some(size), modified_s: Some(1_000_000_000), rewindable: true };
                let outcome = if outcome == "pipe" { Ok(pipe) } else { number().map(file) };
                self.tell(ClientEvent::SourceOpened { id, outcome });
            }
            ClientAction::OpenSink { id, .. } => self.tell(ClientEvent::SinkOpened { id, outcome: number() }),
            ClientAction::KeepSink { id, .. } => {
                let outcome = if outcome == "ok" { Ok(()) } else { Err(fault()) };
                self.tell(ClientEvent::SinkKept { id, outcome });
            }
            ClientAction::ReceiveListing { id } if outcome != "cancelled" => {
                self.tell(ClientEvent::DataReceived { id, bytes: bytes(&outcome.replace('|', "\r\n")) });
                self.end_transfer(id, outcome.len() as u64, Ok(()));
            }
            ClientAction::SendFile { id, .. }
            | ClientAction::ReceiveFile { id, .. }
            | ClientAction::ReceiveListing { id } => {
                let (bytes, how) = outcome.split_once(' ').unwrap_or((outcome, "ok"));
                let (bytes, how) = if bytes == "cancelled" { ("0", bytes) } else { (bytes, how) };
                self.end_transfer(
                    id,
                    bytes.parse().unwrap(),
                    match how {
                        "ok" => Ok(()),
                        "lost" => Err(MoveError::ConnectionLost),
                        "too much" => Err(MoveError::TooMuch),
                        "cancelled" => Err(MoveError::Cancelled),
                        how => Err(MoveError::Local(Fault(how.to_owned()))),
                    },
                );
            }
            _ => {}
        }
    }

    fn end_transfer(&mut self, id: ActionId, wire_bytes: u64, outcome: Result<(), MoveError>) {
        self.tell(ClientEvent::TransferEnded { id, wire_bytes, outcome });
    }
}

/// A connection that is secured.
fn secured() -> TlsInfo {
    TlsInfo {
        protocol: "TLSv1.3".to_owned(),
        cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
        resumed: false,
        certificate: None,
    }
}

/// The bytes of a text in which `<FC>` stands for one that is no UTF-8.
fn bytes(text: &str) -> Vec<u8> {
    text.split("<FC>").map(str::as_bytes).collect::<Vec<_>>().join(&0xfc)
}

fn shown(action: &ClientAction) -> String {
    let text = |value: &Option<u64>| value.map_or_else(|| "?".to_owned(), |value| format!("{value}"));
    match action {
        ClientAction::OpenControl { host, port, .. } => format!("open {host}:{port}"),
        ClientAction::StartTls { host, at_most_12, .. } => {
            format!("tls {host}{}", if *at_most_12 { " at most 1.2" } else { "" })
        }
        ClientAction::SecureData { host, .. } => format!("data tls {host}"),
        ClientAction::ListenData { local, .. } => format!("listen {local}"),
        ClientAction::AcceptData { peer, .. } => format!("accept {peer}"),
        ClientAction::ConnectData { peer, .. } => format!("connect {peer}"),
        ClientAction::OpenSource { file, .. } => format!("source {file}"),
        ClientAction::SendFile { offset_bytes, .. } => format!("send from {offset_bytes}"),
        ClientAction::OpenSink { name, size_bytes, resume, .. } => {
            format!("sink {name} of {}{}", text(size_bytes), if *resume { "" } else { " anew" })
        }
        ClientAction::ReceiveFile { offset_bytes, .. } => format!("receive from {offset_bytes}"),
        ClientAction::KeepSink { modified_s, .. } => {
            format!("keep {}", modified_s.map_or_else(|| "?".to_owned(), |at| format!("{at}")))
        }
        ClientAction::ReceiveListing { .. } => "receive listing".to_owned(),
        ClientAction::CloseControl => "hang up".to_owned(),
        ClientAction::Close => "end".to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_driver_that_breaks_the_contract_is_told_and_nothing_changes() {
    let now = Now { monotonic_ms: 0, utc_s: 0 };
    let mut client = Client::new(ClientSettings::default());
    let id = ActionId(1);
    let stale = ClientEvent::SinkOpened { id, outcome: Ok(0) };
    assert_eq!(client.handle(now, stale.clone()), Err(Misuse::UnknownId(id)));
    client.handle(now, ClientEvent::Call { call: connect() }).unwrap();
    assert_eq!(client.handle(now, ClientEvent::ControlClosed), Err(Misuse::ActionsUndrained));
    let actions: Vec<_> = core::iter::from_fn(|| client.poll_action()).collect();
    assert!(matches!(actions[..], [ClientAction::OpenControl { id: ActionId(1), .. }]), "{actions:?}");
    assert_eq!(client.handle(now, stale), Err(Misuse::WrongOutcome(id)));
    assert_eq!(client.handle(now, ClientEvent::Call { call: view() }), Err(Misuse::OutOfOrder));
    client.handle(now, ClientEvent::Interrupt).unwrap();
    let actions: Vec<_> = core::iter::from_fn(|| client.poll_action()).collect();
    assert!(matches!(actions[..], [ClientAction::Finished { .. }, ClientAction::Close]), "{actions:?}");
    assert_eq!(client.handle(now, ClientEvent::Timeout), Err(Misuse::Closed));
}
