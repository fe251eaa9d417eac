//! The drive loop: one task for each control connection, which carries events in and actions out.
//!
//! An idle session holds no buffer: its task sleeps until the socket is readable, and only then reads, onto the stack.
//! What is big (the state machine, a transfer) is boxed, and what a transfer needs is freed with it.

mod events;

use crate::control::Control;
use crate::data::DataSide;
use crate::timer::Alarm;
use crate::tls::Tls;
use crate::transfer::{Piece, Terms};
use crate::turn::Turn;
use async_io::Async;
use futures_lite::future::{Boxed, FutureExt as _, poll_fn};
use mayfly_core::action::{Action, ActionId, PathChange, StorageRequest};
use mayfly_core::error::{LoginError, StorageError, TlsError};
use mayfly_core::event::{Event, StorageOutcome};
use mayfly_core::network::Network;
use mayfly_core::session::Session;
use mayfly_std::admission::{Entry, Permit};
use mayfly_std::clock::Clock;
use mayfly_std::log::SessionLog;
use mayfly_std::proxy::{Expected, Route};
use mayfly_std::storage::Storage;
use mayfly_std::storage::execute::SessionStorage;
use mayfly_std::users::{Pending, Verifier};
use smol::channel::{Receiver, Sender, TrySendError};
use smol::{Task, unblock};
use std::convert::Infallible;
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// What all sessions of a server share.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) verifier: Verifier,
    /// What the reaper hears.
    pub(crate) changes: Sender<PathChange>,
    /// Nothing comes here; that it is closed means that the server shuts down.
    pub(crate) stop: Receiver<Infallible>,
    /// The same for the end of the time that a shut down grants to transfers.
    pub(crate) cut: Receiver<Infallible>,
}

/// Drives one session to its end. While it idles, its task holds little more than the way to the driver. `_alive` tells
/// the server that it is there.
pub(crate) async fn serve(mut driver: Box<Driver>, _alive: Sender<Infallible>) {
    let mut stop = pin!(driver.shared.stop.clone());
    let run = AssertUnwindSafe(poll_fn(|cx| driver.poll_run(cx, stop.as_mut())));
    if run.catch_unwind().await.is_err() {
        driver.log.fault(&"its task panicked; the other sessions go on");
    }
    // What is left of a session that panicked may panic once more; the panic itself is logged.
    let _ = AssertUnwindSafe(Box::pin(driver.finish())).catch_unwind().await;
}

/// One session, with all that it holds.
pub(crate) struct Driver {
    session: Session,
    shared: Arc<Shared>,
    log: SessionLog,
    permit: Option<Permit>,
    control: Control,
    tls: Tls,
    /// The control connection's own address.
    socket: SocketAddr,
    /// Whose connections begin with a header.
    proxies: Arc<[Network]>,
    alarm: Alarm,
    data: DataSide,
    /// None while it is away on an errand.
    storage: Option<SessionStorage>,
    errand: Option<Errand>,
    /// A login that is being checked.
    verification: Option<Box<(ActionId, Pending)>>,
    /// What the session has not heard yet.
    events: Vec<Event>,
    /// What the reaper has no room for yet.
    unheard: Option<Boxed<()>>,
    /// What it has heard of the shut down.
    stage: Stage,
    /// What it has heard of the room for replies.
    told_room: bool,
    data_is_next: bool,
    turn: Turn,
}

/// How far the server's shut down is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    /// Transfers may end.
    Stopping,
    /// Nothing may go on.
    Cut,
}

/// A storage request on the blocking pool.
struct Errand {
    id: ActionId,
    /// One of many steps: the session listens meanwhile.
    is_step: bool,
    task: Task<(SessionStorage, Result<StorageOutcome, StorageError>)>,
}

impl Driver {
    /// A session on a control connection that was just accepted.
    pub(crate) fn new(
        stream: Async<TcpStream>,
        route: &Route,
        entry: Entry,
        shared: Arc<Shared>,
        implicit_tls: bool,
    ) -> Self {
        let session = route.session(entry.settings);
        Self {
            session: if implicit_tls { session.with_implicit_tls() } else { session },
            log: SessionLog::start(entry.session, route.peer, shared.clock.now()),
            permit: entry.permit,
            control: Control::new(stream),
            tls: Tls::new(entry.tls),
            socket: route.socket,
            proxies: entry.proxies,
            alarm: Alarm::new(),
            data: DataSide::default(),
            storage: Some(SessionStorage::new(Arc::clone(&shared.storage))),
            errand: None,
            verification: None,
            events: vec![Event::Connected { admission: entry.admission, failed_logins: entry.failed_logins }],
            unheard: None,
            stage: Stage::Serving,
            told_room: true,
            data_is_next: false,
            turn: Turn::new(entry.session),
            shared,
        }
    }

    /// Ready once the session has ended.
    fn poll_run(&mut self, cx: &mut Context<'_>, mut stop: Pin<&mut Receiver<Infallible>>) -> Poll<()> {
        loop {
            let event = ready!(self.poll_event(cx, stop.as_mut()));
            if !self.step(event) {
                return Poll::Ready(());
            }
        }
    }

    /// Takes one event to the core and carries out all that it says; whether the session goes on.
    fn step(&mut self, event: Event) -> bool {
        if let Err(misuse) = self.session.handle(self.shared.clock.now(), event) {
            self.log.fault(&misuse);
            return false;
        }
        while let Some(action) = self.session.poll_action() {
            if self.execute(action).is_break() {
                return false;
            }
        }
        true
    }

    fn execute(&mut self, action: Action) -> ControlFlow<()> {
        match action {
            Action::SendReply { wire, .. } => self.control.queue(wire.as_bytes()),
            Action::Storage { id, request } => self.ask_storage(id, request),
            Action::DrawRandom { id } => return self.draw_random(id),
            Action::VerifyLogin { id, .. } if !self.may_log_in() => {
                self.events.push(Event::LoginVerified { id, outcome: Err(LoginError::Busy) });
            }
            Action::VerifyLogin { id, user, proof, peer } => {
                self.verification = Some(Box::new((id, self.shared.verifier.verify(user, proof, peer))));
            }
            Action::ListenData { id, local, ports } => self.data.listen(id, local, ports, self.socket),
            Action::AcceptData { id, peer, any_host } => {
                let proxies = Arc::clone(&self.proxies);
                self.data.accept(id, Expected { peer: (!any_host).then_some(peer), proxies });
            }
            Action::ConnectData { id, peer, local, local_port } => {
                self.data.connect(id, peer, (local, local_port), self.socket);
            }
            Action::StartTls { id } => self.start_tls(id),
            Action::SecureData { id, direction, needs_close_notify } => {
                self.data.secure(id, self.tls.data(direction), direction, needs_close_notify);
            }
            Action::CloseData => self.data.close(),
            Action::Transfer { id, direction, translation, deflate, bytes_per_s } => {
                self.data.keep_rate(bytes_per_s, &self.shared.clock);
                self.data.transfer(id, direction, Terms { translation, deflate });
            }
            Action::SendData { id, text, deflate, last } => self.data.send_text(id, Piece { text, deflate, last }),
            Action::SendTelnet { bytes } => self.control.queue(&bytes),
            Action::Cancel { id } => self.data.cancel(id),
            Action::Notify { change } => self.tell_reaper(change),
            Action::Note { note, command } => {
                self.log.note(&note, command.as_ref());
                if let Some(permit) = &self.permit {
                    permit.hear(&note, self.shared.clock.now());
                }
            }
            Action::Close => return ControlFlow::Break(()),
            other => {
                self.log.fault(&format_args!("this driver cannot carry out {other:?}"));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// The blocking pool does it; what the session has open goes along and comes back.
    fn ask_storage(&mut self, id: ActionId, request: StorageRequest) {
        let Some(mut storage) = self.storage.take() else {
            self.events.push(Event::Stored { id, outcome: Err(StorageError::Failed) });
            return;
        };
        if let Some(upload) = self.data.upload.take() {
            storage.put_upload(upload);
        }
        let is_step = request.is_step();
        let task = unblock(move || {
            let outcome = storage.execute(request);
            (storage, outcome)
        });
        self.errand = Some(Errand { id, is_step, task });
    }

    fn may_log_in(&self) -> bool {
        self.permit.as_ref().is_none_or(|permit| permit.may_log_in(self.shared.clock.now()))
    }

    fn start_tls(&mut self, id: ActionId) {
        match self.tls.control() {
            Ok(stream) => self.control.secure(id, stream),
            Err(error) => {
                self.log.fault(&error);
                self.events.push(Event::TlsStarted { id, outcome: Err(TlsError::Unavailable) });
            }
        }
    }

    fn draw_random(&mut self, id: ActionId) -> ControlFlow<()> {
        let mut bytes = [0; 16];
        if let Err(error) = getrandom::fill(&mut bytes) {
            self.log.fault(&error);
            return ControlFlow::Break(());
        }
        self.events.push(Event::RandomDrawn { id, bytes });
        ControlFlow::Continue(())
    }

    /// A reaper that is behind holds up whoever gives it more to do, and so what waits for it stays bounded.
    fn tell_reaper(&mut self, change: PathChange) {
        let change = match self.unheard {
            Some(_) => change,
            None => match self.shared.changes.try_send(change) {
                Err(TrySendError::Full(change)) => change,
                Ok(()) | Err(TrySendError::Closed(_)) => return,
            },
        };
        let (changes, earlier) = (self.shared.changes.clone(), self.unheard.take());
        self.unheard = Some(Box::pin(async move {
            if let Some(earlier) = earlier {
                earlier.await;
            }
            // It fails where the reaper has ended, and that means that the server ends.
            let _ = changes.send(change).await;
        }));
    }

    /// Lets go of everything, and tells the log.
    async fn finish(self: Box<Self>) {
        let Self { control, data, errand, mut storage, permit, log, shared, stage, .. } = *self;
        // A peer that has read its last reply finds room for its next session.
        drop(permit);
        control.close(stage == Stage::Cut).await;
        let upload = data.finish().await;
        if let Some(errand) = errand {
            storage = Some(errand.task.await.0);
        }
        // An upload that is let go of is kept aside, and that may wait for a disk.
        unblock(move || drop((upload, storage))).await;
        log.end(shared.clock.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_of_an_idle_session_is_small() {
        // DESIGN 6: no buffer, no transfer and no state machine lies in the future itself.
        fn future_bytes<A, B, F>(_: impl Fn(A, B) -> F) -> usize {
            size_of::<F>()
        }
        let (task, driver) = (future_bytes(serve), size_of::<Driver>());
        assert!(task <= 128, "{task} bytes");
        assert!(task + driver <= 1280, "{task} and {driver} bytes");
    }
}
