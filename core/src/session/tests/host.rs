//! A driver for tests: hands events in, keeps what comes out, and answers only what it is told to.

use crate::action::{Action, ActionId, Note, NotedCommand, PathChange, StorageRequest};
use crate::error::{Misuse, NetError, StorageError, TransferError};
use crate::event::{Admission, Event, StorageOutcome};
use crate::record::{FileInfo, FileKind, PathState, Record, RecordAt, Token};
use crate::session::Session;
use crate::settings::Settings;
use crate::time::Now;
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::net::SocketAddr;

/// The second at which tests begin.
pub(super) const START_S: i64 = 1_000_000;

pub(super) struct Host {
    pub(super) session: Session,
    pub(super) now: Now,
    /// Actions that await an outcome.
    pub(super) open: Vec<(ActionId, Action)>,
    /// Replies since they were last looked at.
    replies: Vec<String>,
    pub(super) changes: Vec<PathChange>,
    pub(super) notes: Vec<Note>,
    /// The same with the commands that they tell of.
    noted: Vec<(Note, Option<NotedCommand>)>,
    /// Ids that were cancelled.
    pub(super) cancelled: Vec<ActionId>,
    /// Data connections that were closed.
    pub(super) data_closed: usize,
    pub(super) closed: bool,
    /// Telnet's own talk.
    pub(super) telnet: Vec<u8>,
}

impl Host {
    /// A session that has been greeted.
    pub(super) fn greeted(settings: Settings) -> Self {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        Self::around(Session::new(Arc::new(settings), address("192.0.2.7:4000"), address("192.0.2.1:21")))
    }

    /// The same around this session.
    pub(super) fn around(session: Session) -> Self {
        let mut host = Self::connected_to(session);
        host.says(&["220 Welcome to the FTP Server"]);
        host
    }

    /// The same before any greeting.
    pub(super) fn connected_to(session: Session) -> Self {
        let now = Now { monotonic_ms: 50_000, utc_s: START_S };
        let mut host = Self {
            session,
            now,
            open: vec![],
            replies: vec![],
            changes: vec![],
            notes: vec![],
            noted: vec![],
            cancelled: vec![],
            data_closed: 0,
            closed: false,
            telnet: vec![],
        };
        host.event(Event::Connected { admission: Admission::Welcome, failed_logins: 0 });
        host
    }

    /// A session that is logged in.
    pub(super) fn logged_in(settings: Settings) -> Self {
        let mut host = Self::greeted(settings);
        host.log_in();
        host
    }

    pub(super) fn log_in(&mut self) {
        self.lines(&["USER anonymous", "PASS x"]);
        self.says(&["331 Please specify the password.", "230 Login successful."]);
        self.notes.clear();
        self.noted.clear();
    }

    /// A session that is logged in and has said where the data goes.
    pub(super) fn with_port(settings: Settings) -> Self {
        let mut host = Self::logged_in(settings);
        host.lines(&["PORT 192,0,2,7,200,1"]);
        host.says(&["200 PORT command successful. Consider using PASV."]);
        host
    }

    /// Hands an event in and drains the actions.
    pub(super) fn try_event(&mut self, event: Event) -> Result<usize, Misuse> {
        self.session.handle(self.now, event)?;
        let mut count = 0;
        while let Some(action) = self.session.poll_action() {
            count += 1;
            self.keep(action);
        }
        Ok(count)
    }

    #[track_caller]
    pub(super) fn event(&mut self, event: Event) {
        self.try_event(event).unwrap();
    }

    fn keep(&mut self, action: Action) {
        assert!(!self.closed, "after Close came {action:?}");
        match action {
            Action::SendReply { wire, code } => {
                let last = wire.trim_end().rsplit("\r\n").next().unwrap().to_owned();
                assert!(last.starts_with('{') || last.starts_with(&format!("{code:03} ")), "{wire}");
                self.replies.extend(wire.split_terminator("\r\n").map(ToOwned::to_owned));
            }
            Action::Storage { id, .. }
            | Action::DrawRandom { id }
            | Action::VerifyLogin { id, .. }
            | Action::StartTls { id }
            | Action::SecureData { id, .. }
            | Action::ListenData { id, .. }
            | Action::AcceptData { id, .. }
            | Action::ConnectData { id, .. }
            | Action::Transfer { id, .. }
            | Action::SendData { id, .. } => self.open.push((id, action)),
            Action::SendTelnet { bytes } => self.telnet.extend(bytes),
            Action::CloseData => self.data_closed += 1,
            Action::Cancel { id } => {
                assert!(self.open.iter().any(|(open, _)| *open == id), "nothing to cancel");
                self.cancelled.push(id);
            }
            Action::Notify { change } => self.changes.push(change),
            Action::Note { note, command } => {
                self.notes.push(note.clone());
                self.noted.push((note, command));
            }
            Action::Close => self.closed = true,
        }
    }

    /// The lines since they were last looked at.
    pub(super) fn take_replies(&mut self) -> Vec<String> {
        core::mem::take(&mut self.replies)
    }

    /// Notes and their commands since they were last looked at.
    pub(super) fn take_noted(&mut self) -> Vec<(Note, Option<NotedCommand>)> {
        core::mem::take(&mut self.noted)
    }

    #[track_caller]
    pub(super) fn says(&mut self, lines: &[&str]) {
        assert_eq!(self.take_replies(), lines);
    }

    #[track_caller]
    pub(super) fn lines(&mut self, lines: &[&str]) {
        let bytes = lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect();
        self.event(Event::ControlReceived { bytes });
    }

    pub(super) fn pass_ms(&mut self, ms: u64) {
        self.now.monotonic_ms += ms;
        self.now.utc_s += i64::try_from(ms / 1000).unwrap();
    }

    /// Lets time pass to the deadline, and tells of it.
    #[track_caller]
    pub(super) fn time_out(&mut self) {
        let ms = self.session.deadline().unwrap().saturating_sub(self.now.monotonic_ms);
        self.pass_ms(ms);
        self.event(Event::Timeout);
    }

    /// Takes the one action that is open.
    #[track_caller]
    pub(super) fn take_open(&mut self) -> (ActionId, Action) {
        assert_eq!(self.open.len(), 1, "{:?}", self.open);
        self.open.remove(0)
    }

    /// The one request that is open.
    #[track_caller]
    pub(super) fn request(&self) -> &StorageRequest {
        match self.open.as_slice() {
            [(_, Action::Storage { request, .. })] => request,
            open => panic!("no request, but {open:?}"),
        }
    }

    #[track_caller]
    pub(super) fn stored(&mut self, outcome: Result<StorageOutcome, StorageError>) {
        self.request();
        let (id, _) = self.take_open();
        self.event(Event::Stored { id, outcome });
    }

    #[track_caller]
    pub(super) fn done(&mut self) {
        self.stored(Ok(StorageOutcome::Done));
    }

    /// Answers a check.
    #[track_caller]
    pub(super) fn state(&mut self, state: PathState) {
        assert!(matches!(self.request(), StorageRequest::CheckExpiry { .. }), "{:?}", self.request());
        self.stored(Ok(StorageOutcome::State(state)));
    }

    #[track_caller]
    pub(super) fn checks(&self, path: &str) {
        match self.request() {
            StorageRequest::CheckExpiry { path: checked } => assert_eq!(checked.as_str(), path),
            request => panic!("no check, but {request:?}"),
        }
    }

    #[track_caller]
    pub(super) fn connected(&mut self, outcome: Result<(), NetError>) {
        let (id, action) = self.take_open();
        assert!(matches!(action, Action::ConnectData { .. } | Action::AcceptData { .. }), "{action:?}");
        self.event(Event::DataConnected { id, outcome });
    }

    #[track_caller]
    pub(super) fn transferred(&mut self, wire_bytes: u64, outcome: Result<(), TransferError>) {
        let (id, action) = self.take_open();
        assert!(matches!(action, Action::Transfer { .. } | Action::SendData { .. }), "{action:?}");
        self.event(Event::TransferEnded { id, wire_bytes, file_bytes: None, outcome });
    }

    /// MKD that succeeds: the session owns the path from then on. Tokens are counted from 1.
    #[track_caller]
    pub(super) fn made(&mut self, name: &str, token: u8) {
        self.lines(&[&format!("MKD {name}")]);
        self.state(PathState::default());
        let (id, _) = self.take_open();
        self.event(Event::RandomDrawn { id, bytes: [token; 16] });
        self.done();
        self.take_replies();
        self.changes.clear();
    }
}

pub(super) fn record(token: u8, expiry_s: Option<i64>) -> Record {
    Record { version: 1, owner: "anonymous".to_owned(), created_s: START_S, expiry_s, token: Token([token; 16]) }
}

pub(super) fn at(depth: usize, token: u8, expiry_s: Option<i64>) -> RecordAt {
    RecordAt { depth, record: record(token, expiry_s) }
}

pub(super) fn info(kind: FileKind, size_bytes: u64) -> FileInfo {
    FileInfo {
        kind,
        size_bytes,
        modified_s: START_S,
        unique: size_bytes.to_string(),
        mode: None,
        created_s: None,
        expiry_s: None,
    }
}

pub(super) fn file(size_bytes: u64, records: Vec<RecordAt>) -> PathState {
    PathState { records, target: Some(info(FileKind::File, size_bytes)), ..PathState::default() }
}

pub(super) fn directory(records: Vec<RecordAt>) -> PathState {
    PathState { records, target: Some(info(FileKind::Directory, 0)), ..PathState::default() }
}

/// Nothing stands there, but these are on the way.
pub(super) fn missing(records: Vec<RecordAt>) -> PathState {
    PathState { records, ..PathState::default() }
}
