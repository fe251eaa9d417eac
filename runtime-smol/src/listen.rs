//! The server: its threads, its listeners, and how it ends.

use crate::reap;
use crate::session::{self, Driver, Shared};
use crate::timer::Alarm;
use async_io::{Async, Timer};
use futures_lite::future::{self, FutureExt as _, poll_fn};
use mayfly_core::action::PathChange;
use mayfly_std::admission::Gate;
use mayfly_std::clock::Clock;
use mayfly_std::net;
use mayfly_std::proxy::{Ends, HEADER_TIME_MAX, HeaderReader, NoHeader, Route};
use mayfly_std::settings::ServeOptions;
use mayfly_std::start::{Serve, ServeHandle, StartError, prepare_process};
use mayfly_std::storage::Storage;
use mayfly_std::users::Verifier;
use smol::Executor;
use smol::channel::{self, Receiver, Sender};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tracing::{debug, error, warn};

/// An FTP server that drives each session in a task of its own, on a thread per core.
pub struct Server {
    listeners: Vec<TcpListener>,
    /// Those whose connections begin with TLS.
    tls_listeners: Vec<TcpListener>,
    shared: Arc<Shared>,
    changes: Receiver<PathChange>,
    handle: ServerHandle,
    /// Closed when sessions must end at once.
    cut: Sender<Infallible>,
    shutdown_ms_max: u64,
    threads: usize,
}

impl Serve for Server {
    type Handle = ServerHandle;

    fn bind_with(
        options: &ServeOptions,
        clock: Arc<dyn Clock>,
        open: impl FnOnce(&ServeOptions, Arc<dyn Clock>) -> Result<Arc<dyn Storage>, StartError>,
    ) -> Result<Self, StartError> {
        prepare_process(options);
        let listeners = net::listen_control(&options.listen, options.dual_stack)?;
        let tls_listeners = match options.listen_tls.as_slice() {
            [] => Vec::new(),
            addresses => net::listen_control(addresses, options.dual_stack)?,
        };
        // The host's answer lies in files that will be out of reach.
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let storage = open(options, Arc::clone(&clock))?;
        let verifier = Verifier::new(options, Arc::clone(&storage));
        let (stop_sender, stop) = channel::bounded(1);
        let (cut_sender, cut) = channel::bounded(1);
        let (change_sender, changes) = channel::bounded(CHANGES_WAITING_MAX);
        Ok(Self {
            listeners,
            tls_listeners,
            shared: Arc::new(Shared { clock, storage, verifier: verifier.clone(), changes: change_sender, stop, cut }),
            changes,
            handle: ServerHandle { gate: Gate::new(options), verifier, stop: stop_sender },
            cut: cut_sender,
            shutdown_ms_max: options.shutdown_ms_max,
            threads,
        })
    }

    fn local_addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().chain(&self.tls_listeners).filter_map(|listener| listener.local_addr().ok()).collect()
    }

    fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// One executor serves all, on as many threads as the host has cores; the caller's is one of them.
    fn run(mut self) -> io::Result<()> {
        self.handle.verifier.provide_homes();
        // Taken, so that the system refuses connections once the doors are closed.
        let clear = std::mem::take(&mut self.listeners).into_iter().map(|listener| (listener, false));
        let implicit = std::mem::take(&mut self.tls_listeners).into_iter().map(|listener| (listener, true));
        let listeners = clear.chain(implicit).map(|(listener, tls)| Ok((Async::new_nonblocking(listener)?, tls)));
        let listeners: Vec<_> = listeners.collect::<io::Result<_>>()?;
        let executor = Arc::new(Executor::new());
        let (ended, end) = channel::bounded::<Infallible>(1);
        thread::scope(|scope| {
            for number in 1..self.threads {
                let work = || future::block_on(executor.run(end.recv()));
                if let Err(error) = thread::Builder::new().name(format!("smol-{number}")).spawn_scoped(scope, work) {
                    warn!(%error, "the server goes on with fewer threads");
                }
            }
            future::block_on(executor.run(self.serve(listeners, &executor)));
            drop(ended);
        });
        Ok(())
    }
}

impl Server {
    async fn serve(&self, listeners: Vec<(Async<TcpListener>, bool)>, executor: &Arc<Executor<'static>>) {
        let reaper = executor.spawn(reap::run(Arc::clone(&self.shared), self.changes.clone()));
        let (alive, all_gone) = channel::bounded(1);
        let doors: Vec<_> = listeners
            .into_iter()
            .map(|(listener, implicit_tls)| {
                let door = Arc::new(Door {
                    executor: Arc::clone(executor),
                    gate: self.handle.gate.clone(),
                    shared: Arc::clone(&self.shared),
                    alive: alive.clone(),
                    implicit_tls,
                });
                executor.spawn(door.accept(listener))
            })
            .collect();
        drop(alive);
        // Nothing is ever sent: this is an error, once the handle closes the channel.
        let _ = self.shared.stop.recv().await;
        for door in doors {
            door.cancel().await;
        }
        self.await_sessions(all_gone).await;
        reaper.await;
    }

    /// The sessions know already. What they still do may take its bounded time; then it is cut.
    async fn await_sessions(&self, all_gone: Receiver<Infallible>) {
        let clock = self.shared.clock.as_ref();
        let until_ms = clock.now().monotonic_ms.saturating_add(self.shutdown_ms_max);
        let mut alarm = Alarm::new();
        let late = poll_fn(|cx| alarm.poll_due(cx, clock, Some(until_ms)));
        if closed_before(&all_gone, late).await {
            return;
        }
        warn!("transfers that did not end in time are cut");
        self.cut.close();
        // By the host's own clock: whatever the server's shows, this must come to an end.
        let too_late = async {
            Timer::after(CUT_TIME_MAX).await;
        };
        if !closed_before(&all_gone, too_late).await {
            warn!("some sessions hang in the storage and are left behind");
        }
    }
}

/// Whether a channel on which nothing is sent is closed before that comes.
async fn closed_before(channel: &Receiver<Infallible>, end: impl Future<Output = ()>) -> bool {
    let closed = async { channel.recv().await.is_err() };
    let ended = async {
        end.await;
        false
    };
    closed.or(ended).await
}

/// A running [`Server`]'s reins.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    gate: Gate,
    verifier: Verifier,
    stop: Sender<Infallible>,
}

impl ServeHandle for ServerHandle {
    fn shut_down(&self) {
        self.gate.close();
        self.stop.close();
    }

    fn reload(&self, options: &ServeOptions) {
        self.gate.reload(options);
        self.verifier.reload(options);
    }
}

/// A listener's task.
struct Door {
    executor: Arc<Executor<'static>>,
    gate: Gate,
    shared: Arc<Shared>,
    /// Each session holds one of these while it lives.
    alive: Sender<Infallible>,
    /// Its connections begin with TLS.
    implicit_tls: bool,
}

impl Door {
    async fn accept(self: Arc<Self>, listener: Async<TcpListener>) {
        let mut told: Option<Instant> = None;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.receive(stream, peer),
                Err(error) if net::is_exhausted(&error) => {
                    if told.is_none_or(|told| told.elapsed() > TELL_AGAIN_AFTER) {
                        warn!(%error, "short of resources: accepting pauses until some are free");
                        told = Some(Instant::now());
                    }
                    Timer::after(net::ACCEPT_PAUSE).await;
                }
                Err(error) => debug!(%error, "a connection was gone before it was accepted"),
            }
            // Whoever connects again and again must not keep the executor.
            future::yield_now().await;
        }
    }

    fn receive(self: &Arc<Self>, stream: Async<TcpStream>, peer: SocketAddr) {
        // An error means that the peer is gone again.
        let Ok(local) = net::prepare_control(stream.get_ref()).and_then(|()| stream.get_ref().local_addr()) else {
            return;
        };
        let route = Route::direct(peer, local);
        if self.gate.is_proxy(route.peer.ip()) {
            self.executor.spawn(Arc::clone(self).receive_proxied(stream, route)).detach();
        } else {
            self.begin(stream, &route);
        }
    }

    /// The same for the connection of a proxy: who has come is known once its header is there.
    async fn receive_proxied(self: Arc<Self>, stream: Async<TcpStream>, route: Route) {
        let proxy = route.peer;
        let Some(awaited) = self.gate.await_header() else {
            return warn!(%proxy, "too many connections of proxies are without their PROXY header");
        };
        match await_header(&stream, &self.shared.stop).await {
            Ok(ends) => {
                drop(awaited);
                self.begin(stream, &route.told(ends));
            }
            // A proxy looks whether we are there.
            Err(why @ NoHeader::Ended { began: false }) => debug!(%proxy, %why, "a connection of a proxy was closed"),
            Err(why) => warn!(%proxy, %why, "a connection of a proxy was closed"),
        }
    }

    fn begin(&self, stream: Async<TcpStream>, route: &Route) {
        let peer = route.peer;
        let entry = self.gate.enter(peer.ip(), self.shared.clock.now());
        let number = entry.session;
        // A session that cannot even begin must not end the listener.
        let begin = AssertUnwindSafe(|| {
            Box::new(Driver::new(stream, route, entry, Arc::clone(&self.shared), self.implicit_tls))
        });
        if let Ok(driver) = catch_unwind(begin) {
            self.executor.spawn(session::serve(driver, self.alive.clone())).detach();
        } else {
            error!(session = number, %peer, "session fault: it could not begin");
        }
    }
}

/// Waits for a proxy's header, not for ever, and no longer than the server serves.
async fn await_header(stream: &Async<TcpStream>, stop: &Receiver<Infallible>) -> Result<Option<Ends>, NoHeader> {
    let mut header = HeaderReader::default();
    let come = async { stream.read_with(|stream| header.step(stream)).await.map_err(NoHeader::from) };
    let late = async {
        Timer::after(HEADER_TIME_MAX).await;
        Err(NoHeader::Late)
    };
    let stopped = async {
        // Nothing is ever sent: this is an error, once the server shuts down.
        let _ = stop.recv().await;
        Err(NoHeader::Late)
    };
    come.or(late).or(stopped).await
}

/// Changes that may wait for the reaper; then the sessions wait that bring more.
const CHANGES_WAITING_MAX: usize = 4096;
/// How long sessions that were cut may take to put away what they have open.
const CUT_TIME_MAX: Duration = Duration::from_secs(5);
/// A shortage that comes and goes is not told each time.
const TELL_AGAIN_AFTER: Duration = Duration::from_secs(60);
