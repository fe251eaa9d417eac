//! Servers and hosts that do anything at any time: the client never panics, hands out one action with an outcome at a
//! time, and ends every call.

use super::redate::redate;
use super::tls::connect_by;
use super::*;
use crate::client::call::ListOrder;
use alloc::string::ToString;
use proptest::prelude::*;

const REPLIES: [&str; 37] = [
    "220 Welcome",
    "200 ok",
    "331 Password?",
    "230 in",
    "211-Features:\r\n SIZE\r\n REST STREAM\r\n MDTM\r\n MFMT\r\n SETEXPIRY\r\n SITE EXPIRY;TOKEN;CLAIM\r\n211 End",
    "211-Features:\r\n MLST\r\n SIZE\r\n211 End",
    "257 \"/scans\" created",
    "000 expiry_date set",
    "213 20271225000000",
    "213 never",
    "213 1000",
    "213 500",
    "213 99999999999999999999999",
    "213 000102030405060708090a0b0c0d0e0f",
    "250 ok",
    "227 ok (192,0,2,1,156,65)",
    "227 ok (1,2,3)",
    "229 ok (|||40001|)",
    "350 go on",
    "150 here it comes",
    "125 already open",
    "226 done",
    "226-done\r\n226 really",
    "421 bye",
    "425 no data",
    "426 broken",
    "450 busy",
    "452 full",
    "500 what?",
    "502 no",
    "530 who?",
    "550 no",
    "550-no\r\n550 Storage path expired.",
    "552 quota",
    "234 go ahead",
    "234 go ahead\r\n220 injected",
    "522 TLS session must be resumed",
];

#[derive(Clone, Debug)]
enum Whim {
    /// What is hoped for: the host's outcome, or else the server's reply.
    Right,
    /// The server says this.
    Reply(usize),
    Garbage(Vec<u8>),
    Close,
    Break,
    /// The host answers what is outstanding, well or not, with this number.
    Outcome(bool, u64),
    /// A transfer goes on, or a listing brings this.
    Progress(Vec<u8>),
    Wait,
}

fn whim() -> impl Strategy<Value = Whim> {
    prop_oneof![
        100 => Just(Whim::Right),
        4 => (0..REPLIES.len()).prop_map(Whim::Reply),
        1 => proptest::collection::vec(any::<u8>(), 0..40).prop_map(Whim::Garbage),
        1 => Just(Whim::Close),
        1 => Just(Whim::Break),
        8 => (proptest::bool::weighted(0.9), prop_oneof![Just(0), Just(1000), Just(500), any::<u64>()])
            .prop_map(|(well, number)| Whim::Outcome(well, number >> 11)),
        2 => proptest::collection::vec(any::<u8>(), 0..40).prop_map(Whim::Progress),
        1 => Just(Whim::Wait),
    ]
}

/// Plays the host.
struct Chaos {
    client: Client,
    now: Now,
    outstanding: Option<ClientAction>,
    finished: usize,
    ended: bool,
    /// The verb of the last command, and whether its 1yz was given.
    last: (String, bool),
}

impl Chaos {
    fn tell(&mut self, event: ClientEvent) {
        self.now.monotonic_ms += 1;
        self.client.handle(self.now, event).unwrap();
        let mut cancelled = false;
        while let Some(action) = self.client.poll_action() {
            match action {
                ClientAction::Cancel { .. } => {
                    assert!(self.outstanding.is_some(), "nothing runs that could be cancelled");
                    cancelled = true;
                }
                ClientAction::Finished { outcome } => {
                    self.finished += 1;
                    if let Err(failure) = outcome {
                        assert!(!failure.to_string().contains(char::is_control) && !failure.advice().is_empty());
                    }
                }
                ClientAction::Close => self.ended = true,
                ClientAction::SendCommand { wire, .. } => {
                    assert!(wire.0.ends_with("\r\n") && wire.0.matches('\n').count() == 1, "{:?}", wire.0);
                    self.last = (wire.0.split([' ', '\r']).next().unwrap_or_default().to_owned(), false);
                }
                ClientAction::CloseData
                | ClientAction::CloseControl
                | ClientAction::HandToken { .. }
                | ClientAction::Note { .. } => {}
                asked => {
                    assert!(self.outstanding.is_none(), "two at a time: {:?} and {asked:?}", self.outstanding);
                    if let ClientAction::OpenControl { .. } = asked {
                        self.last = (String::new(), false);
                    }
                    self.outstanding = Some(asked);
                }
            }
        }
        if cancelled {
            self.answer(false, 0);
        }
    }

    fn answer(&mut self, well: bool, number: u64) {
        let Some(action) = self.outstanding.take() else { return };
        let fault = || Fault("chaos".to_owned());
        let event = match action {
            ClientAction::OpenControl { id, .. } => {
                let (peer, local) = ("192.0.2.1:21".parse().unwrap(), "192.0.2.7:50000".parse().unwrap());
                ClientEvent::ControlConnected {
                    id,
                    outcome: well.then_some(ControlEnds { peer, local }).ok_or_else(fault),
                }
            }
            ClientAction::StartTls { id, .. } | ClientAction::SecureData { id, .. } => {
                let error = if number.is_multiple_of(2) { TlsFault::Lost } else { TlsFault::Failed(fault()) };
                ClientEvent::TlsStarted { id, outcome: well.then(secured).ok_or(error) }
            }
            ClientAction::ListenData { id, .. } => {
                ClientEvent::DataListening { id, outcome: well.then_some(27173).ok_or_else(fault) }
            }
            ClientAction::AcceptData { id, .. } | ClientAction::ConnectData { id, .. } => {
                ClientEvent::DataConnected { id, outcome: well.then_some(()).ok_or_else(fault) }
            }
            ClientAction::OpenSource { id, .. } => {
                let size_bytes = Some(number).filter(|number| number % 3 > 0);
                let info = SourceInfo { size_bytes, modified_s: Some(1), rewindable: size_bytes.is_some() };
                ClientEvent::SourceOpened { id, outcome: well.then_some(info).ok_or_else(fault) }
            }
            ClientAction::OpenSink { id, .. } => {
                ClientEvent::SinkOpened { id, outcome: well.then_some(number).ok_or_else(fault) }
            }
            ClientAction::KeepSink { id, .. } => {
                ClientEvent::SinkKept { id, outcome: well.then_some(()).ok_or_else(fault) }
            }
            ClientAction::SendFile { id, .. }
            | ClientAction::ReceiveFile { id, .. }
            | ClientAction::ReceiveListing { id } => {
                let error =
                    if number.is_multiple_of(2) { MoveError::ConnectionLost } else { MoveError::Local(fault()) };
                ClientEvent::TransferEnded { id, wire_bytes: number, outcome: well.then_some(()).ok_or(error) }
            }
            other => panic!("{other:?} has no outcome"),
        };
        self.tell(event);
    }

    fn say(&mut self, reply: &str) {
        self.tell(ClientEvent::ControlReceived { bytes: format!("{reply}\r\n").into_bytes() });
    }

    fn right(&mut self) -> &'static str {
        let (verb, begun) = &mut self.last;
        match verb.as_str() {
            "" => "220 Welcome",
            "AUTH" => "234 go ahead",
            "USER" => "331 Password?",
            "PASS" => "230 in",
            "FEAT" => REPLIES[4],
            "MKD" => "257 \"/scans\" created",
            "SETEXPIRY" => "000 expiry_date set",
            "SIZE" => "213 1000",
            "MDTM" => "213 20010909014640",
            "SITE" => "213 never",
            "EPSV" => "229 ok (|||40001|)",
            "PWD" => "257 \"/scans\"",
            "PASV" => "227 ok (192,0,2,1,156,65)",
            "REST" => "350 go on",
            "STOR" | "RETR" | "LIST" | "MLSD" | "NLST" if !core::mem::replace(begun, true) => "150 here it comes",
            "STOR" | "RETR" | "LIST" | "MLSD" | "NLST" => "226 done",
            _ => "250 ok",
        }
    }

    fn follow(&mut self, whim: Whim) {
        match whim {
            Whim::Right if self.outstanding.is_some() => self.answer(true, 1000),
            Whim::Right => {
                let reply = self.right();
                self.say(reply);
            }
            Whim::Reply(at) => self.say(REPLIES[at]),
            Whim::Garbage(bytes) => self.tell(ClientEvent::ControlReceived { bytes }),
            Whim::Close => self.tell(ClientEvent::ControlClosed),
            Whim::Break => self.tell(ClientEvent::ControlBroke { fault: TlsFault::Failed(Fault("alert".to_owned())) }),
            Whim::Outcome(well, number) => self.answer(well, number),
            Whim::Progress(bytes) => match self.outstanding {
                Some(ClientAction::ReceiveListing { id }) => self.tell(ClientEvent::DataReceived { id, bytes }),
                Some(ClientAction::SendFile { id, .. } | ClientAction::ReceiveFile { id, .. }) => {
                    self.tell(ClientEvent::TransferProgress { id, wire_bytes: bytes.len() as u64 });
                }
                _ => {}
            },
            Whim::Wait => {
                self.now.monotonic_ms = self.client.deadline().unwrap_or(self.now.monotonic_ms);
                self.tell(ClientEvent::Timeout);
            }
        }
    }
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        (any::<bool>(), any::<bool>()).prop_map(|(dated, add)| upload(&["a", "b"], dated.then_some("7d"), add)),
        any::<bool>().prop_map(|named| download(if named { &["a", "x/b"] } else { &[] })),
        (any::<bool>(), any::<bool>()).prop_map(|(named, tree)| {
            let files = if named { ["x/b".to_owned()].into() } else { Vec::new() };
            Call::Download(DownloadOrder { storage_path: "scans".to_owned(), files, tree })
        }),
        any::<bool>().prop_map(|recursive| Call::List(ListOrder { path: "scans".to_owned(), recursive })),
        any::<bool>().prop_map(|add| upload(&["x/a", "x/y/b"], None, add)),
        Just(view()),
        (any::<bool>(), any::<bool>()).prop_map(|(now, proven)| redate(if now { "now" } else { "7d" }, proven)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_each_call_ends_once(
        is_active in any::<bool>(),
        tls in prop_oneof![Just(Tls::None), Just(Tls::Explicit), Just(Tls::Implicit)],
        calls in proptest::collection::vec(call(), 1..3),
        whims in proptest::collection::vec(whim(), 0..400),
    ) {
        let settings = ClientSettings { active: is_active, ..ClientSettings::default() };
        let now = Now { monotonic_ms: 0, utc_s: 1_798_761_600 };
        let mut chaos = Chaos { client: Client::new(settings), now, outstanding: None, finished: 0, ended: false, last: (String::new(), false) };
        let mut whims = whims.into_iter();
        let mut calls: Vec<Call> = core::iter::once(connect_by(tls)).chain(calls).chain([Call::Quit]).collect();
        calls.reverse();
        let mut begun = 0;
        while let Some(call) = calls.pop() {
            chaos.tell(ClientEvent::Call { call });
            begun += 1;
            let mut steps = 0;
            while chaos.finished < begun {
                // When all whims are spent, the server is silent and the host refuses everything: time ends the call.
                match whims.next() {
                    Some(whim) => chaos.follow(whim),
                    None => [Whim::Outcome(false, 0), Whim::Wait].into_iter().for_each(|whim| {
                        if chaos.finished < begun {
                            chaos.follow(whim);
                        }
                    }),
                }
                steps += 1;
                prop_assert!(steps < 2000, "the call never ends");
            }
            prop_assert_eq!(chaos.finished, begun);
        }
        prop_assert!(chaos.ended);
    }
}
