//! Whatever a peer sends and whatever comes of the actions: no panic, every bound holds, and each line gets exactly
//! one final reply.

use super::host::{Host, START_S, at, directory, file, info, missing};
use crate::action::{Action, ActionId};
use crate::error::{Misuse, NetError, StorageError, TransferError};
use crate::event::{Event, ReadingResult, StorageOutcome};
use crate::limits;
use crate::record::{Entry, EntryRecord, FileKind, Partial, PathState, Tombstone};
use crate::settings::Settings;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

const LINES: &[&str] = &[
    "NOOP",
    "PWD",
    "CWD a",
    "CDUP",
    "MKD a",
    "MKD a/b",
    "RMD a",
    "DELE f",
    "RNFR f",
    "RNTO g",
    "PASV",
    "EPSV",
    "PORT 192,0,2,7,200,1",
    "RETR f",
    "STOR f",
    "APPE f",
    "REST 3",
    "ALLO 7",
    "LIST",
    "LIST a",
    "NLST",
    "MLSD",
    "MLST",
    "STAT",
    "STAT a",
    "SIZE f",
    "MDTM f",
    "MFMT 20300101000000 f",
    "SETEXPIRY a 7d",
    "SITE EXPIRY a",
    "SITE TOKEN a",
    "SITE CLAIM a 00",
    "MDTM 20300101000000 f",
    "MFCT 20300101000000 f",
    "MFF Modify=20300101000000;UNIX.mode=600; f",
    "SITE UTIME 203001010000 f",
    "SITE CHMOD 700 a",
    "HASH f",
    "RANG 1 2",
    "OPTS HASH MD5",
    "XCRC f",
    "XSHA512 \"f\" 1 2",
    "COMB t \"f\" g",
    "AVBL",
    "DSIZ a",
    "CLNT x",
    "CSID Name=x;",
    "LANG en",
    "HOST a.example",
    "SITE IDLE 60",
    "SITE WHOAMI",
    "ABOR",
    "TYPE A",
    "TYPE I",
    "FEAT",
    "HELP",
    "USER root",
    "PASS x",
    "EPSV ALL",
    "nonsense",
    "{\"Request Command\":\"NOOP\",\"Request Argument\":\"\"}",
    "{",
];

/// One move of the world.
#[derive(Clone, Debug)]
enum Move {
    Line(prop::sample::Index),
    Bytes(Vec<u8>),
    Burst(u16),
    Outcome(u8),
    WrongOutcome,
    Progress,
    Timeout,
    Wait(u16),
    HangUp,
    ShutDown,
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        30 => any::<prop::sample::Index>().prop_map(Move::Line),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Move::Bytes),
        1 => (0..600_u16).prop_map(Move::Burst),
        40 => any::<u8>().prop_map(Move::Outcome),
        2 => Just(Move::WrongOutcome),
        3 => Just(Move::Progress),
        3 => Just(Move::Timeout),
        5 => any::<u16>().prop_map(Move::Wait),
        1 => Just(Move::HangUp),
        1 => Just(Move::ShutDown),
    ]
}

fn state(choice: u8) -> PathState {
    let way = |expiry_s| vec![at(1, choice, expiry_s)];
    match choice % 8 {
        0 | 1 => file(5, way(Some(START_S + 1_000_000))),
        2 | 3 => directory(way(None)),
        4 => missing(way(Some(START_S + i64::from(choice)))),
        5 => PathState { tombstone: Some(Tombstone { expiry_s: 1 }), ..PathState::default() },
        6 => PathState { partial: Some(Partial { size_bytes: 4, unique: "4".into() }), ..PathState::default() },
        _ => directory(way(Some(START_S))),
    }
}

const ERRORS: [StorageError; 9] = [
    StorageError::NotFound,
    StorageError::Exists,
    StorageError::Changed,
    StorageError::Expired,
    StorageError::NoSpace,
    StorageError::RecordUnreadable,
    StorageError::Failed,
    StorageError::Denied,
    StorageError::Unsupported,
];

fn result(choice: u8) -> Option<ReadingResult> {
    match choice % 4 {
        0 => None,
        1 => Some(ReadingResult::Digest { hex: "00".to_owned() }),
        2 => Some(ReadingResult::AsciiSize { wire_bytes: choice.into() }),
        _ => Some(ReadingResult::Appended),
    }
}

/// Any outcome of that kind of action.
fn outcome(id: ActionId, action: &Action, choice: u8) -> Vec<Event> {
    let fails = choice.is_multiple_of(5);
    let error = ERRORS[usize::from(choice / 5) % ERRORS.len()];
    let net = if fails { Err(NetError::Failed) } else { Ok(()) };
    let entry = || Entry { name: "f".to_owned(), info: info(FileKind::File, 1), record: EntryRecord::None };
    match action {
        // The right one of these is found by trying: the others are misuse.
        Action::Storage { .. } if fails => vec![Event::Stored { id, outcome: Err(error) }],
        Action::Storage { .. } => [
            StorageOutcome::Done,
            StorageOutcome::State(state(choice)),
            StorageOutcome::Opened(info(FileKind::File, 5)),
            StorageOutcome::Published(info(FileKind::File, 5)),
            StorageOutcome::Listed { entries: vec![entry(); usize::from(choice % 3)], end: choice.is_multiple_of(2) },
            StorageOutcome::Room { free_bytes: choice.into() },
            StorageOutcome::Read { read_bytes: 1, result: result(choice) },
        ]
        .map(|outcome| Event::Stored { id, outcome: Ok(outcome) })
        .into(),
        Action::DrawRandom { .. } => vec![Event::RandomDrawn { id, bytes: [choice; 16] }],
        Action::ListenData { .. } => {
            vec![Event::DataListening { id, outcome: net.map(|()| 40_000) }]
        }
        Action::AcceptData { .. } | Action::ConnectData { .. } => vec![Event::DataConnected { id, outcome: net }],
        _ => {
            let outcome = match choice % 4 {
                0 => Err(TransferError::ConnectionLost),
                1 => Err(TransferError::Storage(error)),
                _ => Ok(()),
            };
            vec![Event::TransferEnded { id, wire_bytes: u64::from(choice), file_bytes: None, outcome }]
        }
    }
}

struct World {
    host: Host,
    lines: usize,
    finals: usize,
    last_id: u64,
    /// Bytes that are no lines of ours were sent: replies cannot be counted.
    garbled: bool,
    hung_up: bool,
}

impl World {
    fn event(&mut self, event: Event) -> Result<(), Misuse> {
        let open_before: Vec<ActionId> = self.host.open.iter().map(|(id, _)| *id).collect();
        let count = self.host.try_event(event)?;
        assert!(count <= limits::ACTIONS_PER_EVENT_MAX, "{count} actions");
        assert!(self.host.open.len() <= 1, "{:?}", self.host.open);
        assert!(self.host.session.input.waiting_lines() <= limits::LINES_QUEUED_MAX);
        for (id, _) in self.host.open.iter().filter(|(id, _)| !open_before.contains(id)) {
            assert!(id.0 > self.last_id, "an id came twice");
            self.last_id = id.0;
        }
        for line in self.host.take_replies() {
            let code = line.strip_prefix("{\"Response Code\":").unwrap_or(&line);
            let code: String = code.chars().take_while(char::is_ascii_digit).collect();
            let is_last = line.starts_with('{') || (code.len() == 3 && line[3..].starts_with(' '));
            if is_last && !code.starts_with('1') {
                self.finals += 1;
            }
        }
        Ok(())
    }

    fn answer(&mut self, choice: u8) {
        let Some((id, action)) = self.host.open.first().cloned() else { return };
        self.host.open.clear();
        for event in outcome(id, &action, choice) {
            match self.event(event) {
                Ok(()) => return,
                Err(misuse) => assert_eq!(misuse, Misuse::WrongOutcome(id)),
            }
        }
        panic!("no outcome fits {action:?}");
    }

    /// A deadline that has come is dealt with: a driver that obeys it never spins.
    fn until_nothing_is_due(&mut self) {
        for _ in 0..20 {
            let due_ms = self.host.session.deadline();
            if self.host.closed || due_ms.is_none_or(|due_ms| due_ms > self.host.now.monotonic_ms) {
                return;
            }
            self.event(Event::Timeout).unwrap();
        }
        panic!("something is always due");
    }

    fn step(&mut self, step: Move) {
        match step {
            Move::Line(index) if self.host.session.wants_input() && !self.hung_up => {
                self.lines += 1;
                let bytes = format!("{}\r\n", LINES[index.index(LINES.len())]).into_bytes();
                self.event(Event::ControlReceived { bytes }).unwrap();
            }
            Move::Bytes(bytes) if self.host.session.wants_input() && !self.hung_up => {
                self.garbled = true;
                self.event(Event::ControlReceived { bytes }).unwrap();
            }
            Move::Burst(count) if self.host.session.wants_input() && !self.hung_up => {
                self.lines += usize::from(count);
                let bytes = b"NOOP\n".repeat(count.into());
                self.event(Event::ControlReceived { bytes }).unwrap();
            }
            Move::Line(_) | Move::Bytes(_) | Move::Burst(_) => {}
            Move::Outcome(choice) => self.answer(choice),
            Move::WrongOutcome => {
                let id = ActionId(self.last_id + 9);
                let event = Event::Stored { id, outcome: Ok(StorageOutcome::Done) };
                assert_eq!(self.event(event), Err(Misuse::UnknownId(id)));
            }
            Move::Progress => {
                if let Some((id, Action::Transfer { .. } | Action::SendData { .. })) = self.host.open.first() {
                    let id = *id;
                    self.event(Event::TransferProgress { id, wire_bytes: 1, file_bytes: None }).unwrap();
                }
            }
            Move::Timeout => {
                if let Some(deadline_ms) = self.host.session.deadline() {
                    let ms = deadline_ms.saturating_sub(self.host.now.monotonic_ms);
                    self.host.pass_ms(ms);
                    self.until_nothing_is_due();
                }
            }
            Move::Wait(ms) => self.host.pass_ms(ms.into()),
            Move::HangUp => {
                self.hung_up = true;
                self.event(Event::ControlClosed).unwrap();
            }
            Move::ShutDown => self.event(Event::ShutDown).unwrap(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn each_line_gets_exactly_one_final_reply(steps in prop::collection::vec(moves(), 0..120)) {
        let mut host = Host::logged_in(Settings::default());
        host.take_replies();
        let mut world = World { host, lines: 0, finals: 0, last_id: 0, garbled: false, hung_up: false };
        for step in steps {
            if world.host.closed {
                break;
            }
            world.step(step);
        }
        // Let everything that is under way end.
        for round in 0.. {
            assert!(round < 10_000, "it never ends");
            let backlog = world.host.session.deadline() <= Some(world.host.now.monotonic_ms);
            if world.host.closed || (world.host.open.is_empty() && !backlog) {
                break;
            }
            if world.host.open.is_empty() {
                world.event(Event::Timeout).unwrap();
            } else {
                world.answer(2);
            }
        }
        if !world.host.closed && !world.garbled {
            prop_assert_eq!(world.finals, world.lines);
        }
        if world.host.closed {
            prop_assert_eq!(world.host.session.handle(world.host.now, Event::Timeout), Err(Misuse::Closed));
        }
    }
}
