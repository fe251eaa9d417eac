//! The core alone: sessions and reaper on a fake disk, with data connections that are queues of bytes.

mod data;
mod session;

use super::{Amount, Fault, Stage, settings};
use crate::fake_disk::FakeDisk;
use crate::transcript::script::{Closing, DiskStep, Handshake, SessionNumber, Setup, TlsSetup};
use data::Caller;
use mayfly_core::event::{Admission, Event};
use mayfly_core::path::VirtualPath;
use mayfly_core::reaper::{Reaper, ReaperAction, ReaperEvent};
use mayfly_core::session::Session;
use mayfly_core::settings::Settings;
use mayfly_core::time::Now;
use mayfly_std::clock::{Clock, ManualClock};
use mayfly_std::storage::execute::ReaperStorage;
use session::{CoreSession, Logins};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How control bytes are given to the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feeding {
    /// As the client wrote them.
    Whole,
    /// One event a byte.
    Bytes,
}

/// All that the sessions of a stage said, in order.
pub type Said = Arc<Mutex<Vec<(SessionNumber, String)>>>;

/// The stage.
pub struct CoreStage {
    clock: Arc<ManualClock>,
    disk: FakeDisk,
    settings: Arc<Settings>,
    limits: settings::Limits,
    tls: TlsSetup,
    address: IpAddr,
    feeding: Feeding,
    sessions: BTreeMap<SessionNumber, CoreSession>,
    reaper: Reaper,
    reaper_storage: ReaperStorage,
    reaper_events: VecDeque<ReaperEvent>,
    shutting_down: bool,
    said: Said,
    ports: u16,
}

/// When every stage begins: 2020-01-01T00:00:00Z. Before the host's own time, by which a real disk dates its files:
/// nothing that a test makes looks old enough to be swept.
pub(crate) const START: Now = Now { monotonic_ms: 1_000_000, utc_s: 1_577_836_800 };

/// Timeouts that one moment may bring before the core counts as stuck.
const TIMEOUTS_MAX: usize = 1000;

impl CoreStage {
    /// An empty disk and no session yet.
    ///
    /// # Errors
    /// A setting that is none.
    pub fn new(setup: &Setup, feeding: Feeding, said: Said) -> Result<Self, Fault> {
        let clock = Arc::new(ManualClock::new(START));
        let (settings, limits) = settings::read(setup)?;
        let disk = FakeDisk::new(Arc::clone(&clock) as Arc<dyn Clock>);
        if let Some(users) = &limits.users {
            users.provide_homes(&disk);
        }
        for keep in settings.keep.iter().filter(|keep| !keep.path.is_root()) {
            disk.plain_directory(&keep.path).map_err(|error| format!("{}: {error:?}", keep.path))?;
        }
        let mut stage = Self {
            reaper_storage: ReaperStorage::new(Arc::new(disk.clone())),
            clock,
            disk,
            settings: Arc::new(settings),
            limits,
            tls: setup.tls.clone(),
            address: if setup.ipv6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() },
            feeding,
            sessions: BTreeMap::new(),
            reaper: Reaper::default(),
            reaper_events: VecDeque::from([ReaperEvent::Started]),
            shutting_down: false,
            said,
            ports: 40_000,
        };
        stage.settle()?;
        Ok(stage)
    }

    fn session(&mut self, number: SessionNumber) -> Result<&mut CoreSession, Fault> {
        self.sessions.get_mut(&number).ok_or_else(|| format!("session {number} is not connected"))
    }

    /// Lets everything happen that can, until nothing does.
    fn settle(&mut self) -> Result<(), Fault> {
        loop {
            let now = self.clock.now();
            let mut moved = self.run_reaper(now)?;
            for (number, session) in &mut self.sessions {
                let said = session.settle(now, &mut self.reaper_events, &mut self.ports)?;
                moved |= said.moved;
                let mut log = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                log.extend(said.replies.into_iter().map(|reply| (*number, reply)));
            }
            if !moved && self.reaper_events.is_empty() {
                return Ok(());
            }
        }
    }

    fn run_reaper(&mut self, now: Now) -> Result<bool, Fault> {
        let mut moved = false;
        while let Some(event) = self.reaper_events.pop_front() {
            moved = true;
            self.reaper.handle(now, event).map_err(|misuse| format!("the reaper: {misuse}"))?;
            while let Some(action) = self.reaper.poll_action() {
                if let ReaperAction::Storage { id, request } = action {
                    let outcome = self.reaper_storage.execute(request);
                    self.reaper_events.push_back(ReaperEvent::Done { id, outcome });
                }
            }
        }
        Ok(moved)
    }

    /// Sends the timeouts that are due, until none is.
    fn time_out(&mut self) -> Result<(), Fault> {
        for _ in 0..TIMEOUTS_MAX {
            self.settle()?;
            let now = self.clock.now();
            let due = |deadline: Option<u64>| deadline.is_some_and(|deadline| now.monotonic_ms >= deadline);
            let reaper_due = due(self.reaper.deadline());
            if reaper_due {
                self.reaper_events.push_back(ReaperEvent::Timeout);
            }
            let mut session_due = false;
            for session in self.sessions.values_mut().filter(|session| due(session.deadline())) {
                session.event(Event::Timeout);
                session_due = true;
            }
            if !reaper_due && !session_due {
                return Ok(());
            }
        }
        Err(format!("after {TIMEOUTS_MAX} timeouts in one moment a deadline is still due"))
    }
}

/// The client's end of a session's control connection.
fn peer_port(number: SessionNumber) -> u16 {
    50_000 + u16::from(number)
}

impl Stage for CoreStage {
    fn set_utc(&mut self, utc_s: i64) -> Result<(), Fault> {
        self.clock.set_utc(utc_s);
        self.time_out()
    }

    fn pass(&mut self, by: Duration) -> Result<(), Fault> {
        self.clock.advance(by);
        self.time_out()
    }

    fn connect(&mut self, number: SessionNumber) -> Result<(), Fault> {
        let here = self.sessions.values().filter(|session| !session.is_closed()).count();
        let admission = if self.shutting_down { Admission::ShuttingDown } else { self.limits.admission(here) };
        let peer = SocketAddr::new(self.address, peer_port(number));
        let local = SocketAddr::new(self.address, 21);
        let logins = Logins { users: self.limits.users.clone(), are_checked: self.limits.login_queue > 0 };
        let mut session = Session::new(Arc::clone(&self.settings), peer, local);
        if self.tls.implicit {
            session = session.with_implicit_tls();
        }
        let mut session = CoreSession::new(session, Arc::new(self.disk.clone()), self.tls.clone(), logins);
        session.event(Event::Connected { admission, failed_logins: 0 });
        self.sessions.insert(number, session);
        self.settle()
    }

    fn send(&mut self, number: SessionNumber, bytes: &[u8]) -> Result<(), Fault> {
        let feeding = self.feeding;
        let session = self.session(number)?;
        session.nothing_unread()?;
        match feeding {
            Feeding::Whole => session.send(bytes),
            Feeding::Bytes => {
                for byte in bytes {
                    self.session(number)?.send(&[*byte]);
                    self.settle()?;
                }
            }
        }
        self.settle()
    }

    fn line(&mut self, number: SessionNumber) -> Result<Option<Vec<u8>>, Fault> {
        self.session(number)?.line()
    }

    fn secure(&mut self, number: SessionNumber, handshake: Handshake, along: &[u8]) -> Result<(), Fault> {
        self.session(number)?.secure(handshake)?;
        self.settle()?;
        if along.is_empty() { Ok(()) } else { self.send(number, along) }
    }

    fn close(&mut self, number: SessionNumber, _closing: Closing) -> Result<(), Fault> {
        let session = self.session(number)?;
        session.nothing_unread()?;
        session.hang_up();
        self.settle()?;
        let session = self.sessions.remove(&number);
        match session {
            Some(session) if !session.is_closed() => Err("the session outlives its control connection".to_owned()),
            _ => Ok(()),
        }
    }

    fn data_listen(&mut self, number: SessionNumber) -> Result<SocketAddr, Fault> {
        self.ports += 1;
        let address = SocketAddr::new(self.address, self.ports);
        self.session(number)?.data.listen(address.port());
        Ok(address)
    }

    fn data_listen_default(&mut self, number: SessionNumber) -> Result<(), Fault> {
        self.session(number)?.data.listen(peer_port(number));
        Ok(())
    }

    fn data_unlisten(&mut self, number: SessionNumber) -> Result<(), Fault> {
        self.session(number)?.data.unlisten();
        Ok(())
    }

    fn data_connect(&mut self, number: SessionNumber, port: u16) -> Result<(), Fault> {
        self.session(number)?.data.call(port, Caller::Client)?;
        self.settle()
    }

    fn data_stranger(&mut self, number: SessionNumber, port: u16) -> Result<(), Fault> {
        self.session(number)?.data.call(port, Caller::Stranger)?;
        self.settle()?;
        self.session(number)?.data.is_rid_of_strangers()
    }

    fn data_secure(&mut self, number: SessionNumber, handshake: Handshake) -> Result<(), Fault> {
        self.session(number)?.data.client_secures(handshake)?;
        self.settle()
    }

    fn data_send(&mut self, number: SessionNumber, bytes: &[u8]) -> Result<(), Fault> {
        self.session(number)?.data.client_sends(bytes)?;
        self.settle()
    }

    fn data_receive(&mut self, number: SessionNumber, amount: Amount) -> Result<Vec<u8>, Fault> {
        let mut got = Vec::new();
        loop {
            self.settle()?;
            let data = &mut self.session(number)?.data;
            match data.client_takes(amount, &mut got)? {
                data::Taken::All => return Ok(got),
                data::Taken::Some => {}
                data::Taken::Nothing => {
                    return Err(format!("nothing more comes on the data connection after {} bytes", got.len()));
                }
            }
        }
    }

    fn data_cut(&mut self, number: SessionNumber) -> Result<(), Fault> {
        self.settle()?;
        self.session(number)?.data.client_was_cut()?;
        self.data_close(number, Closing::Orderly)
    }

    fn data_close(&mut self, number: SessionNumber, closing: Closing) -> Result<(), Fault> {
        self.session(number)?.data.client_closes(closing)?;
        self.settle()
    }

    fn disk(&mut self, step: &DiskStep) -> Result<(), Fault> {
        let path = |name: &[u8]| {
            let name = str::from_utf8(name).map_err(|error| error.to_string())?;
            VirtualPath::parse(name).map_err(|error| format!("{name}: {error}"))
        };
        let failed = |error| format!("the disk says {error:?}");
        match step {
            DiskStep::MakeDirectory(name) => self.disk.plain_directory(&path(name)?).map_err(failed),
            DiskStep::Put(name, bytes) => self.disk.put(&path(name)?, bytes.clone()).map_err(failed),
            DiskStep::Spoil(name) => self.disk.spoil_record(&path(name)?).map_err(failed),
            DiskStep::Room(bytes) => {
                self.disk.set_room(*bytes);
                Ok(())
            }
            DiskStep::FileLimit(bytes) => {
                self.disk.set_file_limit(*bytes);
                Ok(())
            }
            DiskStep::Holds(name, bytes) => super::same_content(self.disk.bytes(&path(name)?), bytes),
            DiskStep::Lacks(name) if self.disk.stands(&path(name)?) => Err("it stands".to_owned()),
            DiskStep::Lacks(_) => Ok(()),
            DiskStep::Link(..) => Err("only a real disk holds links".to_owned()),
        }
    }

    fn shut_down(&mut self) -> Result<(), Fault> {
        self.shutting_down = true;
        self.sessions.values_mut().for_each(|session| session.event(Event::ShutDown));
        self.settle()
    }

    fn restart(&mut self) -> Result<(), Fault> {
        self.sessions.clear();
        self.shutting_down = false;
        self.reaper = Reaper::default();
        self.reaper_storage = ReaperStorage::new(Arc::new(self.disk.clone()));
        self.reaper_events = VecDeque::from([ReaperEvent::Started]);
        self.time_out()
    }

    fn finish(mut self: Box<Self>) -> Result<(), Fault> {
        let open: Vec<SessionNumber> = self.sessions.keys().copied().collect();
        for number in open {
            if self.session(number)?.is_closed() {
                self.session(number)?.nothing_unread()?;
            } else {
                self.close(number, Closing::Orderly)?;
            }
        }
        Ok(())
    }
}
