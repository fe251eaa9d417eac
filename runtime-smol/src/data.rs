//! The data side of a session: its listener, its connection, and the one data action that may run.

use crate::link::Link;
use crate::pace::Pace;
use crate::transfer::{self, Held, Piece, Terms};
use crate::watch::Watch;
use async_io::{Async, Timer};
use futures_lite::future::{Boxed, FutureExt as _, poll_fn, ready as at_once, yield_now};
use mayfly_core::action::{ActionId, Direction, PortRange};
use mayfly_core::error::{NetError, StorageError, TlsError, TransferError};
use mayfly_core::event::Event;
use mayfly_std::clock::Clock;
use mayfly_std::net;
use mayfly_std::passage::TextOutlet;
use mayfly_std::proxy::{Caller, Expected, HeaderReader, NoHeader};
use mayfly_std::storage::Upload;
use mayfly_std::tls::TlsStream;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// What a session holds for its transfers. All of it is empty while the session idles.
#[derive(Default)]
pub(crate) struct DataSide {
    /// What the next sending transfer sends.
    pub(crate) download: Option<Held>,
    /// What the next receiving transfer writes to, or the last one has written to.
    pub(crate) upload: Option<Box<dyn Upload>>,
    listener: Option<Async<TcpListener>>,
    /// Boxed, for an idle session has none.
    link: Option<Box<Link>>,
    /// One whose last word the peer does not take yet; boxed, for few come to that.
    parting: Option<Box<Link>>,
    /// What makes one stream of a listing's pieces in MODE Z; boxed, for few ask for it.
    text: Option<Box<TextOutlet>>,
    /// The rate that its transfers keep; none before the first that keeps one.
    pace: Option<Arc<Pace>>,
    work: Option<Box<Work>>,
}

/// A data action that runs.
struct Work {
    id: ActionId,
    receives: bool,
    /// The session has closed the data connection meanwhile.
    is_closed: bool,
    reported_ms: u64,
    reported: (u64, Option<u64>),
    watch: Arc<Watch>,
    future: Boxed<Done>,
}

/// What a data action leaves behind.
pub(crate) struct Done {
    /// Its outcome.
    pub(crate) event: Event,
    /// The data connection.
    pub(crate) link: Option<Link>,
    /// The upload that was written to.
    pub(crate) upload: Option<Box<dyn Upload>>,
    /// What makes one stream of a listing's pieces.
    pub(crate) text: TextOutlet,
}

impl DataSide {
    /// Listens, in place of any earlier listener. `control` is the control connection's own address.
    pub(crate) fn listen(&mut self, id: ActionId, local: IpAddr, ports: Option<PortRange>, control: SocketAddr) {
        self.listener = None;
        let outcome = net::listen_data(local, ports, control).and_then(|(listener, port)| {
            self.listener = Some(Async::new_nonblocking(listener).map_err(|_| NetError::Failed)?);
            Ok(port)
        });
        self.end_at_once(id, Event::DataListening { id, outcome });
    }

    /// Accepts on the listener, and closes it then.
    pub(crate) fn accept(&mut self, id: ActionId, expected: Expected) {
        match self.listener.take() {
            Some(listener) => self.begin(id, false, |watch| accept(id, listener, expected, watch)),
            None => self.end_at_once(id, Event::DataConnected { id, outcome: Err(NetError::Failed) }),
        }
    }

    /// Connects to the peer's port. `control` is the control connection's own address.
    pub(crate) fn connect(
        &mut self,
        id: ActionId,
        peer: SocketAddr,
        (local, local_port): (IpAddr, Option<u16>),
        control: SocketAddr,
    ) {
        let begun = net::connect_data_from(peer, local, local_port, control)
            .and_then(|stream| Async::new_nonblocking(stream).map_err(|_| NetError::Failed));
        match begun {
            Ok(stream) => self.begin(id, false, |watch| connect(id, stream, watch)),
            Err(error) => self.end_at_once(id, Event::DataConnected { id, outcome: Err(error) }),
        }
    }

    /// Secures the connection. Bytes of an upload may follow the handshake at once.
    pub(crate) fn secure(&mut self, id: ActionId, tls: io::Result<TlsStream>, direction: Direction, needs_end: bool) {
        match (self.link.take(), tls) {
            (Some(link), Ok(tls)) => {
                let receives = direction == Direction::Receive;
                self.begin(id, receives, |watch| secure(id, *link, tls, needs_end, watch));
            }
            (link, tls) => {
                let error = if tls.is_err() { TlsError::Unavailable } else { TlsError::ConnectionLost };
                self.link = link;
                self.end_at_once(id, Event::TlsStarted { id, outcome: Err(error) });
            }
        }
    }

    /// The next transfer keeps this rate, by this clock; none: it may be as fast as it can.
    pub(crate) fn keep_rate(&mut self, bytes_per_s: Option<NonZeroU64>, clock: &Arc<dyn Clock>) {
        if bytes_per_s.is_some() || self.pace.is_some() {
            self.pace.get_or_insert_with(|| Arc::new(Pace::new(Arc::clone(clock)))).begin(bytes_per_s);
        }
    }

    /// Moves a file's bytes.
    pub(crate) fn transfer(&mut self, id: ActionId, direction: Direction, terms: Terms) {
        let Some(link) = self.link.take() else {
            return self.fail_at_once(id, TransferError::ConnectionLost);
        };
        match direction {
            Direction::Send => match self.download.take() {
                Some(download) => {
                    self.begin(id, false, |watch| transfer::send(id, *link, download, terms, watch));
                }
                None => self.fail_at_once(id, TransferError::Storage(StorageError::Failed)),
            },
            Direction::Receive => match self.upload.take() {
                Some(upload) => self.begin(id, true, |watch| transfer::receive(id, *link, upload, terms, watch)),
                None => self.fail_at_once(id, TransferError::Storage(StorageError::Failed)),
            },
        }
    }

    /// Sends a piece of a listing.
    pub(crate) fn send_text(&mut self, id: ActionId, piece: Piece) {
        if let Some(pace) = &self.pace {
            pace.begin(None);
        }
        let outlet = self.text.take().map_or_else(TextOutlet::default, |outlet| *outlet);
        match self.link.take() {
            Some(link) => self.begin(id, false, |watch| transfer::send_text(id, *link, piece, outlet, watch)),
            None => self.fail_at_once(id, TransferError::ConnectionLost),
        }
    }

    /// Ends that action where it still runs; its outcome follows.
    pub(crate) fn cancel(&self, id: ActionId) {
        if let Some(work) = self.work.as_ref().filter(|work| work.id == id) {
            work.watch.cancel();
        }
    }

    /// Closes the listener and the connection, the latter also where an action still has it.
    pub(crate) fn close(&mut self) {
        self.listener = None;
        self.text = None;
        if let Some(mut link) = self.link.take()
            && !link.close_at_once()
        {
            self.parting = Some(link);
        }
        if let Some(work) = &mut self.work {
            work.is_closed = true;
        }
    }

    /// Lets the action go on; ready with its outcome.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.poll_parting(cx).is_ready() {
            self.parting = None;
        }
        let Some(work) = &mut self.work else { return Poll::Pending };
        let done = ready!(work.future.as_mut().poll(cx));
        let is_closed = work.is_closed;
        self.work = None;
        self.upload = self.upload.take().or(done.upload);
        self.link = done.link.map(Box::new);
        self.text = done.text.is_begun().then(|| Box::new(done.text));
        if is_closed {
            self.close();
        }
        Poll::Ready(done.event)
    }

    fn poll_parting(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.parting.as_mut().map_or(Poll::Ready(()), |link| link.poll_close(cx))
    }

    /// When the session is due to hear that bytes move.
    pub(crate) fn progress_due_ms(&self) -> Option<u64> {
        let work = self.work.as_ref().filter(|work| work.watch.moved() != work.reported)?;
        Some(work.reported_ms.saturating_add(net::PROGRESS_EVERY_MS))
    }

    /// What the session is to hear of it by `now_ms`.
    pub(crate) fn take_due_progress(&mut self, now_ms: u64) -> Option<Event> {
        self.progress_due_ms().filter(|due_ms| *due_ms <= now_ms)?;
        self.take_progress(now_ms)
    }

    /// What the session has not heard of yet, due or not.
    pub(crate) fn take_progress(&mut self, now_ms: u64) -> Option<Event> {
        self.progress_due_ms()?;
        let work = self.work.as_mut()?;
        (work.reported_ms, work.reported) = (now_ms, work.watch.moved());
        let (wire_bytes, file_bytes) = work.reported;
        Some(Event::TransferProgress { id: work.id, wire_bytes, file_bytes })
    }

    /// From now on only a new look at the data connection counts for [`DataSide::may_hold_data`].
    pub(crate) fn look_anew(&self) {
        if let Some(work) = &self.work {
            work.watch.set_drained(false);
        }
    }

    /// Whether the data connection may hold bytes of an upload that were not looked at yet.
    pub(crate) fn may_hold_data(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.receives && !work.watch.is_drained())
    }

    /// Ends what runs, and closes all. The upload that remains is for the caller to let go of.
    pub(crate) async fn finish(mut self) -> Option<Box<dyn Upload>> {
        if let Some(work) = &self.work {
            work.watch.cancel();
            poll_fn(|cx| self.poll(cx)).await;
        }
        self.close();
        let patience = async {
            Timer::after(net::PARTING).await;
        };
        poll_fn(|cx| self.poll_parting(cx)).or(patience).await;
        self.upload
    }

    fn begin<F>(&mut self, id: ActionId, receives: bool, action: impl FnOnce(Arc<Watch>) -> F)
    where
        F: Future<Output = Done> + Send + 'static,
    {
        let watch = Arc::new(Watch::new(self.pace.clone()));
        let future = Box::pin(action(Arc::clone(&watch)));
        let work = Work { id, receives, is_closed: false, reported_ms: 0, reported: (0, None), watch, future };
        self.work = Some(Box::new(work));
    }

    fn end_at_once(&mut self, id: ActionId, event: Event) {
        let link = self.link.take().map(|link| *link);
        self.begin(id, false, |_| at_once(Done { event, link, upload: None, text: TextOutlet::default() }));
    }

    fn fail_at_once(&mut self, id: ActionId, error: TransferError) {
        self.end_at_once(id, Event::TransferEnded { id, wire_bytes: 0, file_bytes: None, outcome: Err(error) });
    }
}

/// Takes the first connection of whom it expects; any other is closed.
async fn accept(id: ActionId, listener: Async<TcpListener>, expected: Expected, watch: Arc<Watch>) -> Done {
    let outcome = loop {
        match watch.retry(&listener, Async::poll_readable, TcpListener::accept).await {
            None => break Err(NetError::Cancelled),
            Some(Ok((stream, from))) => match admit(stream, from, &expected, &watch).await {
                None => break Err(NetError::Cancelled),
                Some(Some(stream)) => break Ok(stream),
                Some(None) => {}
            },
            // The connection went before it was taken (accept(2)); another may come.
            Some(Err(error)) if error.kind() == ErrorKind::ConnectionAborted => {}
            Some(Err(error)) => {
                tracing::warn!(%error, "a data connection could not be accepted");
                break Err(NetError::Failed);
            }
        }
        // Strangers that keep coming must not keep the executor.
        yield_now().await;
    };
    connected(id, outcome)
}

/// The connection, set up, where it is one of those expected; a proxy's header tells. [`None`] once cancelled.
async fn admit(
    stream: TcpStream,
    from: SocketAddr,
    expected: &Expected,
    watch: &Watch,
) -> Option<Option<Async<TcpStream>>> {
    let caller = expected.judge(from.ip());
    if caller == Caller::Stranger || !net::admit_data(&stream, from, from.ip()) {
        return Some(None);
    }
    let Ok(stream) = Async::new_nonblocking(stream) else { return Some(None) };
    if caller == Caller::Client {
        return Some(Some(stream));
    }
    let mut header = HeaderReader::default();
    match watch.retry(&stream, Async::poll_readable, |stream| header.step(stream)).await? {
        Ok(ends) => Some(expected.admits_header(from.ip(), ends).then_some(stream)),
        Err(error) => {
            let error = NoHeader::from(error);
            tracing::warn!(proxy = %from.ip(), %error, "a data connection of a proxy was closed");
            Some(None)
        }
    }
}

/// Waits until a connect that was begun has succeeded or failed.
async fn connect(id: ActionId, begun: Async<TcpStream>, watch: Arc<Watch>) -> Done {
    let look = |stream: &TcpStream| match (net::connected(stream), stream.peer_addr()) {
        (Ok(()), Err(error)) if error.kind() == ErrorKind::NotConnected => Err(ErrorKind::WouldBlock.into()),
        (outcome, _) => Ok(outcome),
    };
    let outcome = match watch.retry(&begun, Async::poll_writable, look).await {
        None => Err(NetError::Cancelled),
        Some(looked) => looked.unwrap_or(Err(NetError::Failed)),
    };
    connected(id, outcome.map(|()| begun))
}

/// The server's side of the handshake.
async fn secure(id: ActionId, mut link: Link, tls: TlsStream, needs_close_notify: bool, watch: Arc<Watch>) -> Done {
    let outcome = link.secure(tls, needs_close_notify, &watch).await;
    Done { event: Event::TlsStarted { id, outcome }, link: Some(link), upload: None, text: TextOutlet::default() }
}

fn connected(id: ActionId, outcome: Result<Async<TcpStream>, NetError>) -> Done {
    let (link, outcome) = match outcome {
        Ok(stream) => (Some(Link::new(stream)), Ok(())),
        Err(error) => (None, Err(error)),
    };
    Done { event: Event::DataConnected { id, outcome }, link, upload: None, text: TextOutlet::default() }
}

#[cfg(test)]
mod tests;
