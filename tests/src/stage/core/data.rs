//! Simulated data connections: queues of bytes instead of sockets.

use crate::stage::{Amount, Fault, tls};
use crate::transcript::script::{Closing, Handshake, TlsSetup};
use mayfly_core::action::{ActionId, DeflateLevel, Direction, Translation};
use mayfly_core::error::{NetError, TlsError, TransferError};
use mayfly_core::event::{Event, TlsInfo};
use mayfly_std::passage::{Intake, Outlet, TextOutlet};
use mayfly_std::storage::execute::SessionStorage;
use mayfly_std::storage::{Download, Upload};
use std::collections::VecDeque;

/// What the network holds of what the client does not read: about what real socket buffers do.
const NETWORK_BYTES_MAX: usize = 64 * 1024;

/// One session's data connections.
#[derive(Default)]
pub(super) struct Data {
    server_port: Option<u16>,
    client_port: Option<u16>,
    callers: VecDeque<Caller>,
    accepting: Option<ActionId>,
    /// The handshake that the client is to make now.
    securing: Option<ActionId>,
    /// What it sends is whole only with a `close_notify` at its end.
    needs_close_notify: bool,
    /// The client's end of the data connection.
    client: Option<Client>,
    /// Whether the server has its end.
    connected: bool,
    /// What makes one stream of a listing's pieces.
    text: TextOutlet,
    job: Option<Job>,
}

/// Who connects to the server's data port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// The session's own client.
    Client,
    /// Somebody from another address.
    Stranger,
}

/// How much of what was asked for has been taken.
pub(super) enum Taken {
    /// All, or what there is before the end.
    All,
    /// Some; there may be more when the server has gone on.
    Some,
    /// Nothing is there, and nothing moves.
    Nothing,
}

/// The client's end.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each side ends by itself, and in more than one way")]
struct Client {
    /// On its way to the server.
    sent: VecDeque<u8>,
    sending_ended: bool,
    /// Without a `close_notify`.
    truncated: bool,
    lost: bool,
    handshake: Option<Handshake>,
    /// On its way to the client.
    received: VecDeque<u8>,
    receiving_ended: bool,
    /// Before all was sent.
    receiving_cut: bool,
}

/// The data action that is running.
struct Job {
    id: ActionId,
    moved: Moved,
    work: Work,
}

/// Bytes so far.
#[derive(Clone, Copy, Default)]
struct Moved {
    wire: u64,
    file: u64,
}

enum Work {
    Receive { upload: Option<Box<dyn Upload>>, intake: Intake },
    Send { download: Box<dyn Download>, outlet: Outlet },
    Text,
}

impl Data {
    pub(super) fn listen(&mut self, port: u16) {
        self.client_port = Some(port);
    }

    pub(super) fn unlisten(&mut self) {
        self.client_port = None;
    }

    pub(super) fn server_listens(&mut self, port: u16) {
        self.server_port = Some(port);
        self.callers.clear();
    }

    pub(super) fn call(&mut self, port: u16, caller: Caller) -> Result<(), Fault> {
        if self.server_port != Some(port) {
            return Err(format!("nobody listens on port {port}"));
        }
        self.callers.push_back(caller);
        if caller == Caller::Client {
            self.client = Some(Client::default());
        }
        Ok(())
    }

    /// Strangers are turned away while the server waits for its client.
    pub(super) fn is_rid_of_strangers(&self) -> Result<(), Fault> {
        if self.callers.contains(&Caller::Stranger) {
            Err("the stranger is not turned away".to_owned())
        } else {
            Ok(())
        }
    }

    pub(super) fn accept(&mut self, id: ActionId) {
        self.accepting = Some(id);
    }

    pub(super) fn connect(&mut self, port: u16) -> Result<(), NetError> {
        if self.client_port != Some(port) {
            return Err(NetError::Unreachable);
        }
        self.client = Some(Client::default());
        self.connected = true;
        Ok(())
    }

    pub(super) fn server_closes(&mut self) {
        self.server_port = None;
        self.callers.clear();
        self.connected = false;
        self.needs_close_notify = false;
        self.text = TextOutlet::default();
        if let Some(client) = &mut self.client {
            client.receiving_ended = true;
        }
    }

    pub(super) fn transfer(
        &mut self,
        id: ActionId,
        direction: Direction,
        (translation, deflate): (Translation, Option<DeflateLevel>),
        storage: &mut SessionStorage,
    ) -> Result<(), Fault> {
        let work = match direction {
            Direction::Receive => Work::Receive {
                upload: Some(storage.take_upload().ok_or("a transfer without an open upload")?),
                intake: Intake::new(translation, deflate.is_some()),
            },
            Direction::Send => {
                let download = storage.take_download().ok_or("a transfer without an open download")?;
                let outlet = Outlet::new(download.offset_bytes(), translation, deflate);
                Work::Send { download, outlet }
            }
        };
        if !self.connected || self.job.is_some() {
            return Err("a transfer without a free data connection".to_owned());
        }
        self.job = Some(Job { id, moved: Moved::default(), work });
        Ok(())
    }

    pub(super) fn send_text(
        &mut self,
        id: ActionId,
        text: String,
        (deflate, last): (Option<DeflateLevel>, bool),
    ) -> Result<(), Fault> {
        let file = text.len() as u64;
        let wire = self.text.wire(text, deflate, last).map_err(|error| format!("{error:?}"))?;
        let moved = Moved { wire: wire.len() as u64, file };
        if let Some(client) = &mut self.client {
            client.received.extend(wire);
        }
        self.job = Some(Job { id, moved, work: Work::Text });
        Ok(())
    }

    /// Ends what is running under `id`; its outcome.
    pub(super) fn cancel(&mut self, id: ActionId, storage: &mut SessionStorage) -> Option<Event> {
        if self.accepting.take_if(|accepting| *accepting == id).is_some() {
            return Some(Event::DataConnected { id, outcome: Err(NetError::Cancelled) });
        }
        if self.securing.take_if(|securing| *securing == id).is_some() {
            return Some(Event::TlsStarted { id, outcome: Err(TlsError::Cancelled) });
        }
        let job = self.job.take_if(|job| job.id == id)?;
        if let Some(client) = &mut self.client {
            client.receiving_cut = true;
        }
        Some(job.ended(Err(TransferError::Cancelled), storage))
    }

    /// The client is to make its handshake.
    pub(super) fn secure(&mut self, id: ActionId, needs_close_notify: bool) {
        self.securing = Some(id);
        self.needs_close_notify = needs_close_notify;
    }

    /// What has come of the handshake.
    fn secured(&mut self, setup: &TlsSetup) -> Option<Result<TlsInfo, TlsError>> {
        let client = self.client.as_ref()?;
        match client.handshake {
            Some(Handshake::Broken) => Some(Err(TlsError::Handshake)),
            Some(handshake) => Some(Ok(tls::agreed(setup, handshake == Handshake::Proper))),
            None if client.lost || client.sending_ended => Some(Err(TlsError::ConnectionLost)),
            None if !client.sent.is_empty() => Some(Err(TlsError::Handshake)),
            None => None,
        }
    }

    /// The outcome of what is running, if it has one now, or its progress.
    pub(super) fn outcome(&mut self, storage: &mut SessionStorage, setup: &TlsSetup) -> Option<Event> {
        if let Some(id) = self.securing {
            let outcome = self.secured(setup)?;
            self.securing = None;
            return Some(Event::TlsStarted { id, outcome });
        }
        if let Some(id) = self.accepting {
            self.callers.retain(|caller| *caller == Caller::Client);
            self.callers.pop_front()?;
            self.accepting = None;
            self.server_port = None;
            self.connected = true;
            return Some(Event::DataConnected { id, outcome: Ok(()) });
        }
        let mut job = self.job.take()?;
        match job.advance(self.client.as_mut()?, self.needs_close_notify) {
            Step::Ended(outcome) => Some(job.ended(outcome, storage)),
            Step::Moved => {
                let Job { id, moved: Moved { wire, file }, .. } = job;
                self.job = Some(job);
                Some(Event::TransferProgress { id, wire_bytes: wire, file_bytes: (file != wire).then_some(file) })
            }
            Step::Waits => {
                self.job = Some(job);
                None
            }
        }
    }

    fn client(&mut self) -> Result<&mut Client, Fault> {
        self.client.as_mut().ok_or_else(|| "there is no data connection".to_owned())
    }

    pub(super) fn client_secures(&mut self, handshake: Handshake) -> Result<(), Fault> {
        self.client()?.handshake = Some(handshake);
        Ok(())
    }

    pub(super) fn client_sends(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.client()?.sent.extend(bytes);
        Ok(())
    }

    pub(super) fn client_takes(&mut self, amount: Amount, got: &mut Vec<u8>) -> Result<Taken, Fault> {
        let client = self.client()?;
        let wanted = match amount {
            Amount::Bytes(wanted) => wanted - got.len(),
            Amount::Any => 1,
            Amount::Line => {
                client.received.iter().position(|byte| *byte == b'\n').map_or(client.received.len(), |end| end + 1)
            }
        };
        let count = wanted.min(client.received.len());
        got.extend(client.received.drain(..count));
        let complete = match amount {
            Amount::Bytes(wanted) => got.len() == wanted,
            Amount::Any => !got.is_empty(),
            Amount::Line => got.ends_with(b"\n"),
        };
        Ok(match (complete, count) {
            (true, _) => Taken::All,
            (false, 0) if client.receiving_ended => Taken::All,
            (false, 0) => Taken::Nothing,
            (false, _) => Taken::Some,
        })
    }

    pub(super) fn client_was_cut(&mut self) -> Result<(), Fault> {
        let client = self.client()?;
        if client.receiving_ended && client.receiving_cut { Ok(()) } else { Err("nothing was cut".to_owned()) }
    }

    pub(super) fn client_closes(&mut self, closing: Closing) -> Result<(), Fault> {
        let client = self.client()?;
        client.sending_ended = true;
        client.lost |= closing == Closing::Reset;
        client.truncated |= closing == Closing::Truncated;
        Ok(())
    }
}

enum Step {
    Waits,
    Moved,
    Ended(Result<(), TransferError>),
}

impl Job {
    fn advance(&mut self, client: &mut Client, needs_close_notify: bool) -> Step {
        let moved = match &mut self.work {
            Work::Text => return Step::Ended(Ok(())),
            Work::Receive { upload, intake } => {
                let upload = upload.as_mut().expect("it is taken out only when the job ends");
                let received = receive(upload.as_mut(), intake, client, &mut self.moved);
                let is_cut = needs_close_notify && client.truncated;
                if is_cut && matches!(received, Ok(Step::Ended(_))) {
                    return Step::Ended(Err(TransferError::ConnectionLost));
                }
                received
            }
            Work::Send { download, outlet } => send(download.as_ref(), outlet, client, &mut self.moved),
        };
        moved.unwrap_or_else(|error| Step::Ended(Err(error)))
    }

    /// Its last event; the upload goes back to be published, kept or discarded.
    fn ended(self, outcome: Result<(), TransferError>, storage: &mut SessionStorage) -> Event {
        if let Work::Receive { upload: Some(upload), .. } = self.work {
            storage.put_upload(upload);
        }
        let Moved { wire, file } = self.moved;
        Event::TransferEnded { id: self.id, wire_bytes: wire, file_bytes: (file != wire).then_some(file), outcome }
    }
}

fn receive(
    upload: &mut dyn Upload,
    intake: &mut Intake,
    client: &mut Client,
    moved: &mut Moved,
) -> Result<Step, TransferError> {
    let mut has_moved = false;
    while !client.sent.is_empty() {
        let room = intake.room();
        let bytes = client.sent.len().min(room.len());
        for (place, byte) in room.iter_mut().zip(client.sent.drain(..bytes)) {
            *place = byte;
        }
        moved.wire += bytes as u64;
        write(upload, intake, bytes, moved)?;
        has_moved = true;
    }
    match (client.lost, client.sending_ended, has_moved) {
        (true, ..) => Err(TransferError::ConnectionLost),
        (false, true, _) => write(upload, intake, 0, moved).map(|()| Step::Ended(Ok(()))),
        (false, false, true) => Ok(Step::Moved),
        (false, false, false) => Ok(Step::Waits),
    }
}

fn write(upload: &mut dyn Upload, intake: &mut Intake, bytes: usize, moved: &mut Moved) -> Result<(), TransferError> {
    intake.came(bytes);
    while intake.is_busy() {
        moved.file += intake.step(upload)? as u64;
    }
    Ok(())
}

fn send(
    download: &dyn Download,
    outlet: &mut Outlet,
    client: &mut Client,
    moved: &mut Moved,
) -> Result<Step, TransferError> {
    let mut has_moved = false;
    loop {
        if client.lost || client.sending_ended {
            return Err(TransferError::ConnectionLost);
        }
        if outlet.is_ended() {
            return Ok(Step::Ended(Ok(())));
        }
        if client.received.len() >= NETWORK_BYTES_MAX {
            return Ok(if has_moved { Step::Moved } else { Step::Waits });
        }
        moved.file += outlet.refill(download)? as u64;
        moved.wire += outlet.wire().len() as u64;
        client.received.extend(outlet.wire());
        has_moved = true;
    }
}
