//! The server: its listeners, its accept loop, and how it ends.

use crate::admission::{Entry, Gate};
use crate::clock::Clock;
use crate::control::Control;
use crate::log::SessionLog;
use crate::net;
use crate::proxy::{Ends, HEADER_TIME_MAX, HeaderReader, NoHeader, Route};
use crate::reap::ReaperThread;
use crate::session::Worker;
use crate::settings::ServeOptions;
use crate::shared::Shared;
use crate::start::{Serve, ServeHandle, StartError, prepare_process};
use crate::stop::{Stage, Stop};
use crate::storage::Storage;
use crate::users::Verifier;
use mayfly_core::action::Action;
use mayfly_core::error::Misuse;
use mayfly_core::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, io, thread};
use tracing::{debug, error, warn};

/// An FTP server that drives each session in a thread of its own.
pub struct Server {
    listeners: Vec<Listener>,
    shared: Arc<Shared>,
    reaper: ReaperThread,
    shutdown_ms_max: u64,
}

impl Serve for Server {
    type Handle = ServerHandle;

    fn bind_with(
        options: &ServeOptions,
        clock: Arc<dyn Clock>,
        open: impl FnOnce(&ServeOptions, Arc<dyn Clock>) -> Result<Arc<dyn Storage>, StartError>,
    ) -> Result<Self, StartError> {
        prepare_process(options);
        let listeners = listen(options)?;
        let storage = open(options, Arc::clone(&clock))?;
        let stop = Stop::new().map_err(StartError::Resources)?;
        let reaper = ReaperThread::start(Arc::clone(&storage), Arc::clone(&clock)).map_err(StartError::Resources)?;
        let verifier = Verifier::new(options, Arc::clone(&storage));
        let shared = Shared::new(clock, storage, reaper.handle(), (Gate::new(options), verifier), stop);
        Ok(Self { listeners, shared: Arc::new(shared), reaper, shutdown_ms_max: options.shutdown_ms_max })
    }

    fn local_addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.socket.local_addr().ok()).collect()
    }

    fn handle(&self) -> ServerHandle {
        ServerHandle(Arc::clone(&self.shared))
    }

    fn run(self) -> io::Result<()> {
        self.shared.verifier().provide_homes();
        let accepted =
            Acceptor { listeners: &self.listeners, shared: &self.shared, is_short: false, warned: None }.run();
        drop(self.listeners);
        end_sessions(&self.shared, self.shutdown_ms_max);
        self.reaper.stop();
        accepted
    }
}

/// Where control connections come in.
struct Listener {
    socket: TcpListener,
    /// They begin with TLS.
    is_tls: bool,
}

fn listen(options: &ServeOptions) -> Result<Vec<Listener>, StartError> {
    let clear = net::listen_control(&options.listen, options.dual_stack)?;
    let mut listeners: Vec<Listener> = clear.into_iter().map(|socket| Listener { socket, is_tls: false }).collect();
    // Nothing given means the usual port there, and none here.
    if !options.listen_tls.is_empty() {
        let tls = net::listen_control(&options.listen_tls, options.dual_stack)?;
        listeners.extend(tls.into_iter().map(|socket| Listener { socket, is_tls: true }));
    }
    Ok(listeners)
}

/// A running [`Server`]'s reins.
#[derive(Clone)]
pub struct ServerHandle(Arc<Shared>);

impl ServeHandle for ServerHandle {
    fn shut_down(&self) {
        self.0.gate().close();
        self.0.stop().end();
    }

    fn reload(&self, options: &ServeOptions) {
        self.0.gate().reload(options);
        self.0.verifier().reload(options);
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle").field("gate", self.0.gate()).finish_non_exhaustive()
    }
}

/// Accepts control connections until the server shuts down.
struct Acceptor<'a> {
    listeners: &'a [Listener],
    shared: &'a Arc<Shared>,
    /// Whether the host was short of descriptors, memory or threads at the last try.
    is_short: bool,
    warned: Option<Instant>,
}

impl<'a> Acceptor<'a> {
    fn run(&mut self) -> io::Result<()> {
        while self.shared.stop().stage() == Stage::Serving {
            for listener in self.wait()? {
                self.accept_from(listener);
            }
        }
        Ok(())
    }

    /// The listeners at which somebody knocks. While the host is short of something: all, after a pause.
    fn wait(&self) -> io::Result<Vec<&'a Listener>> {
        let mut fds: Vec<PollFd<'_>> = self.shared.stop().interest(Stage::Serving).into_iter().collect();
        if self.is_short {
            poll(&mut fds, Some(net::ACCEPT_PAUSE))?;
            return Ok(self.listeners.iter().collect());
        }
        fds.extend(self.listeners.iter().map(|listener| PollFd::new(&listener.socket, PollFlags::IN)));
        poll(&mut fds, None)?;
        let knocked = |fd: &PollFd<'_>| fd.revents() != PollFlags::empty();
        let ready = self.listeners.iter().zip(fds.iter().skip(1).map(knocked));
        Ok(ready.filter_map(|(listener, knocked)| knocked.then_some(listener)).collect())
    }

    fn accept_from(&mut self, listener: &Listener) {
        for _ in 0..ACCEPTS_MAX {
            let admitted = match listener.socket.accept() {
                Ok((stream, peer)) => self.admit(stream, peer, listener.is_tls),
                Err(error) => Err(error),
            };
            match admitted {
                Ok(()) => self.is_short = false,
                // Nobody knocks any more.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_short = false;
                    return;
                }
                // It went away before it was let in.
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => return self.pause(&error),
            }
        }
    }

    fn pause(&mut self, error: &io::Error) {
        self.is_short = true;
        if self.warned.is_none_or(|warned| warned.elapsed() >= WARN_AGAIN) {
            warn!(%error, "short of resources: accepting pauses until some are free");
            self.warned = Some(Instant::now());
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, is_tls: bool) -> io::Result<()> {
        net::prepare_control(&stream)?;
        let route = Route::direct(peer, stream.local_addr()?).with_tls(is_tls);
        let gate = self.shared.gate();
        if gate.is_proxy(route.peer.ip()) {
            return self.spawn(route.peer, move |shared| serve_proxied(shared, stream, route));
        }
        let entry = gate.enter(route.peer.ip(), self.shared.now());
        if entry.permit.is_some() {
            return self.spawn(route.peer, move |shared| serve(shared, entry, stream, &route));
        }
        refuse(&entry, stream, &route, self.shared);
        Ok(())
    }

    fn spawn(&self, peer: SocketAddr, work: impl FnOnce(&Shared) + Send + 'static) -> io::Result<()> {
        let count = self.shared.count_thread();
        let work = move || {
            // One session's fault must not end the others.
            if catch_unwind(AssertUnwindSafe(|| work(count.shared()))).is_err() {
                error!(%peer, "session fault: its thread panicked");
            }
        };
        let thread = thread::Builder::new().name("session".to_owned()).stack_size(STACK_BYTES);
        // Its own kind of error would read like a listener's at which nobody knocks.
        thread.spawn(work).map(drop).map_err(io::Error::other)
    }
}

fn serve(shared: &Shared, entry: Entry, stream: TcpStream, route: &Route) {
    let log = SessionLog::start(entry.session, route.peer, shared.now());
    let session = route.session(entry.settings);
    let first = Event::Connected { admission: entry.admission, failed_logins: entry.failed_logins };
    let means = (entry.tls, entry.permit);
    Worker::new(shared, session, Control::new(stream), (route.socket, entry.proxies), log, means).run(first);
}

/// The same for the connection of a proxy: who has come is known once its header is there.
fn serve_proxied(shared: &Shared, stream: TcpStream, route: Route) {
    let proxy = route.peer;
    let Some(awaited) = shared.gate().await_header() else {
        return warn!(%proxy, "too many connections of proxies are without their PROXY header");
    };
    let route = match await_header(&stream, shared) {
        Ok(ends) => route.told(ends),
        // A proxy looks whether we are there.
        Err(why @ NoHeader::Ended { began: false }) => {
            return debug!(%proxy, %why, "a connection of a proxy was closed");
        }
        Err(why) => return warn!(%proxy, %why, "a connection of a proxy was closed"),
    };
    drop(awaited);
    let entry = shared.gate().enter(route.peer.ip(), shared.now());
    if entry.permit.is_some() {
        serve(shared, entry, stream, &route);
    } else {
        refuse(&entry, stream, &route, shared);
    }
}

/// Waits for a proxy's header, not for ever, and no longer than the server serves.
fn await_header(stream: &TcpStream, shared: &Shared) -> Result<Option<Ends>, NoHeader> {
    // By the host's own clock: whatever the server's shows, this must come to an end.
    let until = Instant::now() + HEADER_TIME_MAX;
    let mut header = HeaderReader::default();
    loop {
        match header.step(stream) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return Ok(outcome?),
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || shared.stop().stage() != Stage::Serving {
            return Err(NoHeader::Late);
        }
        let stop = shared.stop().interest(Stage::Serving);
        let mut fds: Vec<PollFd<'_>> = stop.into_iter().chain([PollFd::new(stream, PollFlags::IN)]).collect();
        poll(&mut fds, Some(left))?;
    }
}

/// Tells a peer that there is no room. Its 421 fits into a fresh connection's buffer, so this does not wait.
fn refuse(entry: &Entry, stream: TcpStream, route: &Route, shared: &Shared) {
    let say = || -> Result<(), Misuse> {
        let mut session = route.session(Arc::clone(&entry.settings));
        session.handle(shared.now(), Event::Connected { admission: entry.admission, failed_logins: 0 })?;
        let mut control = Control::new(stream);
        while let Some(action) = session.poll_action() {
            if let Action::SendReply { wire, .. } = action {
                control.queue(wire.as_bytes());
            }
        }
        control.close(true);
        Ok(())
    };
    if !matches!(catch_unwind(AssertUnwindSafe(say)), Ok(Ok(()))) {
        error!(session = entry.session, peer = %route.peer, "session fault: it could not be refused in order");
    }
}

fn end_sessions(shared: &Shared, shutdown_ms_max: u64) {
    shared.gate().close();
    shared.stop().end();
    let until_ms = shared.now().monotonic_ms.saturating_add(shutdown_ms_max);
    let left = || Duration::from_millis(until_ms.saturating_sub(shared.now().monotonic_ms));
    if shared.wait_for_threads(left) {
        return;
    }
    warn!("transfers that did not end in time are cut");
    shared.stop().cut();
    // By the host's own clock: whatever the server's shows, this must come to an end.
    let until = Instant::now() + CUT_MAX;
    if !shared.wait_for_threads(|| until.saturating_duration_since(Instant::now())) {
        warn!("some sessions hang in the storage and are left behind");
    }
}

fn poll(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    match rustix::event::poll(fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, InvalidInput, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | InvalidInput | NotConnected)
}

/// Connections accepted from one listener before the others are looked at.
const ACCEPTS_MAX: u32 = 64;
/// How often at most the log says that resources are short.
const WARN_AGAIN: Duration = Duration::from_secs(60);
const CUT_MAX: Duration = Duration::from_secs(5);
/// Pages that are never touched cost nothing. What deflates is 300 KiB large, and a build that is not optimised makes it
/// on the stack.
const STACK_BYTES: usize = 1024 * 1024;
