//! One data connection from its set-up to the reply that ends it: EPSV, PASV, PORT or EPRT; REST; the command; the
//! transfer (RFC 959 3.2 and 5.4; RFC 2428).

use super::action::{ClientAction, ClientNote};
use super::desk::{Awaited, Desk};
use super::event::{Fault, MoveError, TlsFault};
use super::order::{DataOrder, Moved, Trouble, What};
use super::reply_reader::{Class, Heard};
use super::server::{Server, Way};
use crate::event::TlsInfo;
use crate::wire::command::{Command, EpsvArgument};
use crate::{data, limits};
use alloc::vec::Vec;
use core::net::SocketAddr;

/// A data connection at work.
#[derive(Debug)]
pub(super) struct DataJob {
    order: DataOrder,
    state: State,
    /// Whether 1yz came.
    begun: bool,
    wire_bytes: u64,
    listing: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// EPSV or PASV is to be answered.
    AskedPassive,
    Connecting,
    Listening,
    /// PORT or EPRT is to be answered.
    AskedActive,
    /// REST is to be answered.
    AskedRestart,
    /// The command is sent; `open` once the data connection stands. The final reply to a short transfer may be here
    /// before the server's connection was taken.
    Commanded {
        open: bool,
        last: Option<Heard>,
    },
    /// TLS is to begin; the final reply may have come already.
    Securing {
        last: Option<Heard>,
    },
    /// Bytes move; the final reply may have come already.
    Moving {
        last: Option<Heard>,
    },
    /// The data connection has ended, and the final reply is due.
    Completing {
        trouble: Option<Trouble>,
    },
    /// What was cancelled has still to end, and perhaps the final reply is due after that.
    Cancelling {
        trouble: Trouble,
        reply_due: bool,
    },
}

impl DataJob {
    pub(super) fn begin(order: DataOrder, desk: &mut Desk, server: &Server) -> Self {
        let state = open(desk, server);
        Self { order, state, begun: false, wire_bytes: 0, listing: Vec::new() }
    }

    /// Whether the server said that it begins.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether a reply is due.
    pub(super) fn expects_reply(&self) -> bool {
        !matches!(self.state, State::Connecting | State::Listening | State::Cancelling { reply_due: false, .. })
    }

    pub(super) fn on_reply(&mut self, desk: &mut Desk, server: &mut Server, reply: Heard) -> Option<Moved> {
        match (&mut self.state, reply.class()) {
            (State::AskedPassive, Class::Done) => self.connect(desk, server, &reply),
            (State::AskedActive, Class::Done) | (State::AskedRestart, Class::GoOn) => {
                self.go_on(desk, server, matches!(self.state, State::AskedRestart))
            }
            (State::AskedPassive | State::AskedActive, Class::NotNow | Class::Never) => {
                self.try_next_way(desk, server, Fault(alloc::format!("{reply}")))
            }
            // RFC 959 5.4: 350 alone says that it will go on from there.
            (State::AskedRestart, Class::Done | Class::NotNow | Class::Never) => {
                self.end(desk, Err(Trouble::RestartRefused(reply)))
            }
            // Doubled, or where none belongs.
            (
                State::AskedPassive
                | State::AskedActive
                | State::AskedRestart
                | State::Securing { .. }
                | State::Moving { .. }
                | State::Completing { .. },
                Class::Preliminary,
            ) => None,
            (State::Commanded { open, .. }, Class::Preliminary) => {
                self.begun = true;
                if *open {
                    return self.secure(desk, server, None);
                }
                desk.wait(desk.settings.connect_ms_max);
                None
            }
            (State::Commanded { open: true, .. }, Class::Done) if !self.order.sends() => {
                // Some servers leave 150 out where there is little to say.
                self.secure(desk, server, Some(reply))
            }
            (State::Commanded { last, .. }, Class::Done) if !self.order.sends() && last.is_none() => {
                *last = Some(reply);
                desk.wait(desk.settings.connect_ms_max);
                None
            }
            (State::Securing { last } | State::Moving { last }, Class::Done) if last.is_none() => {
                *last = Some(reply);
                None
            }
            (State::Completing { trouble }, class) => {
                let outcome = match (trouble.take(), class) {
                    (None, Class::Done) => Ok(reply),
                    (Some(Trouble::Lost | Trouble::Insecure(TlsFault::Lost)), Class::NotNow | Class::Never)
                    | (None, _) => Err(Trouble::Refused(reply)),
                    (Some(trouble), _) => Err(trouble),
                };
                self.end(desk, outcome)
            }
            (_, Class::NotNow | Class::Never) => self.stop(desk, Trouble::Refused(reply), false),
            _ => self.stop(desk, Trouble::OutOfTurn(reply), false),
        }
    }

    pub(super) fn on_listening(&mut self, desk: &mut Desk, server: &Server, port: Result<u16, Fault>) -> Option<Moved> {
        match port {
            Ok(port) => {
                let local = server.ends.local.ip().to_canonical();
                let address = SocketAddr::new(local, port);
                desk.send(&Command::Port { extended: local.is_ipv6(), address });
                self.state = State::AskedActive;
                None
            }
            Err(fault) => self.end(desk, Err(Trouble::Unconnected(fault))),
        }
    }

    pub(super) fn on_connected(
        &mut self,
        desk: &mut Desk,
        server: &mut Server,
        outcome: Result<(), Fault>,
    ) -> Option<Moved> {
        match (&mut self.state, outcome) {
            (State::Connecting, Ok(())) => self.go_on(desk, server, false),
            (State::Connecting, Err(fault)) => self.try_next_way(desk, server, fault),
            (State::Commanded { last, .. }, Ok(())) if self.begun || last.is_some() => {
                let last = last.take();
                self.secure(desk, server, last)
            }
            (State::Commanded { open, .. }, Ok(())) => {
                *open = true;
                None
            }
            (State::Commanded { last: Some(_), .. }, Err(fault)) => self.end(desk, Err(Trouble::Unconnected(fault))),
            // The server hears of it by itself, and says so.
            (State::Commanded { .. }, Err(fault)) => {
                self.state = State::Completing { trouble: Some(Trouble::Unconnected(fault)) };
                None
            }
            (_, _) => self.settle_cancelled(desk),
        }
    }

    pub(super) fn on_progress(&mut self, desk: &mut Desk, wire_bytes: u64) {
        let headway = wire_bytes > self.wire_bytes;
        self.wire_bytes = self.wire_bytes.max(wire_bytes);
        if headway && matches!(self.state, State::Moving { .. }) {
            self.wait_for_headway(desk);
        }
    }

    pub(super) fn on_received(&mut self, desk: &mut Desk, bytes: &[u8]) -> Option<Moved> {
        if self.listing.len() + bytes.len() <= limits::CLIENT_LISTING_BYTES_MAX {
            self.listing.extend_from_slice(bytes);
            self.on_progress(desk, self.wire_bytes + bytes.len() as u64);
            return None;
        }
        match &self.state {
            State::Moving { last } => {
                let reply_due = last.is_none();
                self.stop(desk, Trouble::ListingTooLong, reply_due)
            }
            _ => None,
        }
    }

    pub(super) fn on_ended(
        &mut self,
        desk: &mut Desk,
        wire_bytes: u64,
        outcome: Result<(), MoveError>,
    ) -> Option<Moved> {
        self.wire_bytes = wire_bytes;
        let State::Moving { last } = &mut self.state else { return self.settle_cancelled(desk) };
        let last = last.take();
        let trouble = outcome.err().map(|error| match error {
            MoveError::Local(fault) => Trouble::Local(fault),
            MoveError::TooMuch => Trouble::TooMuch,
            _ => Trouble::Lost,
        });
        match (last, trouble) {
            (Some(last), None) => self.end(desk, Ok(last)),
            (Some(_), Some(trouble)) => self.end(desk, Err(trouble)),
            (None, trouble) => {
                let whole = trouble.is_none();
                desk.push(ClientAction::CloseData);
                desk.wait(if whole { desk.settings.completion_ms_max } else { desk.settings.reply_ms_max });
                self.state = State::Completing { trouble };
                None
            }
        }
    }

    /// The deadline has come. Says whether there is another way to go on.
    pub(super) fn on_timeout(&mut self, desk: &mut Desk) -> bool {
        let connecting = matches!(self.state, State::Connecting);
        if connecting {
            desk.cancel();
            desk.wait_for_host();
        }
        connecting
    }

    fn connect(&mut self, desk: &mut Desk, server: &mut Server, reply: &Heard) -> Option<Moved> {
        // Always to the control connection's own peer, whatever address a 227 gives: so no server can send a client
        // to a third host, and one behind NAT is reached all the same.
        let port = match server.way {
            Way::Epsv => data::read_epsv_text(reply.text()),
            _ => data::read_pasv_text(reply.text()).map(|given| given.port()),
        };
        let Some(port) = port else {
            return self.try_next_way(desk, server, Fault(alloc::format!("{reply}")));
        };
        let (peer, local) = (SocketAddr::new(server.ends.peer.ip(), port), server.ends.local.ip());
        desk.ask(Awaited::Connected, |id| ClientAction::ConnectData { id, peer, local });
        desk.wait(desk.settings.connect_ms_max);
        self.state = State::Connecting;
        None
    }

    fn try_next_way(&mut self, desk: &mut Desk, server: &mut Server, fault: Fault) -> Option<Moved> {
        desk.push(ClientAction::CloseData);
        let Some(way) = server.way.next(&server.ends) else {
            // Another time all of them may be tried again.
            if server.way == Way::Active {
                server.way = Way::Epsv;
            }
            return self.end(desk, Err(Trouble::Unconnected(fault)));
        };
        server.way = way;
        self.state = open(desk, server);
        None
    }

    /// The data connection is set up: sends REST where it is needed, which must come right before the command (RFC
    /// 3659 5.4), or else the command.
    fn go_on(&mut self, desk: &mut Desk, server: &Server, restarted: bool) -> Option<Moved> {
        if self.order.offset_bytes > 0 && !restarted {
            desk.send(&Command::Rest(self.order.offset_bytes));
            self.state = State::AskedRestart;
            return None;
        }
        desk.send(&self.order.command);
        let active = matches!(server.way, Way::Active | Way::OnlyActive);
        if active {
            let peer = server.ends.peer.ip();
            desk.ask(Awaited::Connected, |id| ClientAction::AcceptData { id, peer });
        }
        self.state = State::Commanded { open: !active, last: None };
        None
    }

    /// The server has begun. With PROT P the handshake comes first, the client being the client of it (RFC 4217 7, 9).
    fn secure(&mut self, desk: &mut Desk, server: &Server, last: Option<Heard>) -> Option<Moved> {
        let Some(host) = server.private_as.clone() else { return self.transfer(desk, last) };
        desk.ask(Awaited::Secured, |id| ClientAction::SecureData { id, host });
        desk.wait(desk.settings.connect_ms_max);
        self.state = State::Securing { last };
        None
    }

    pub(super) fn on_secured(
        &mut self,
        desk: &mut Desk,
        server: &mut Server,
        outcome: Result<TlsInfo, TlsFault>,
    ) -> Option<Moved> {
        let State::Securing { last } = &mut self.state else { return self.settle_cancelled(desk) };
        let last = last.take();
        match outcome {
            Ok(tls) => {
                server.resumption.learn(tls.resumed);
                desk.note(ClientNote::Secured { data: true, tls });
                self.transfer(desk, last)
            }
            Err(fault) if last.is_some() => self.end(desk, Err(Trouble::Insecure(fault))),
            // The server hears of it by itself, and says why if it was its own doing.
            Err(fault) => {
                desk.push(ClientAction::CloseData);
                desk.wait(desk.settings.reply_ms_max);
                self.state = State::Completing { trouble: Some(Trouble::Insecure(fault)) };
                None
            }
        }
    }

    fn transfer(&mut self, desk: &mut Desk, last: Option<Heard>) -> Option<Moved> {
        let offset_bytes = self.order.offset_bytes;
        if let What::Send { name, size_bytes } | What::Receive { name, size_bytes } = &self.order.what {
            let (name, size_bytes) = (name.clone(), *size_bytes);
            desk.note(ClientNote::FileBegun { name, size_bytes, offset_bytes });
        }
        desk.ask(Awaited::Transfer, |id| match self.order.what {
            What::Send { .. } => ClientAction::SendFile { id, offset_bytes },
            What::Receive { .. } => ClientAction::ReceiveFile { id, offset_bytes },
            What::List => ClientAction::ReceiveListing { id },
        });
        self.wait_for_headway(desk);
        self.state = State::Moving { last };
        None
    }

    fn wait_for_headway(&self, desk: &mut Desk) {
        match self.order.what {
            // Nobody knows when a pipe has something to send; how long that may take is the server's to say.
            What::Send { size_bytes: None, .. } => desk.wait_for_host(),
            _ => desk.wait(desk.settings.stall_ms_max),
        }
    }

    /// Gives up; what is outstanding ends first.
    fn stop(&mut self, desk: &mut Desk, trouble: Trouble, reply_due: bool) -> Option<Moved> {
        if !desk.cancel() {
            return self.end(desk, Err(trouble));
        }
        desk.wait(desk.settings.reply_ms_max);
        self.state = State::Cancelling { trouble, reply_due };
        None
    }

    fn settle_cancelled(&mut self, desk: &mut Desk) -> Option<Moved> {
        let placeholder = State::Completing { trouble: None };
        match core::mem::replace(&mut self.state, placeholder) {
            State::Cancelling { trouble, reply_due: false } => self.end(desk, Err(trouble)),
            State::Cancelling { trouble, .. } => {
                desk.push(ClientAction::CloseData);
                self.state = State::Completing { trouble: Some(trouble) };
                None
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "every way on from an event says whether the job is done")]
    fn end(&mut self, desk: &mut Desk, outcome: Result<Heard, Trouble>) -> Option<Moved> {
        desk.push(ClientAction::CloseData);
        let listing = core::mem::take(&mut self.listing);
        Some(Moved { begun: self.begun, wire_bytes: self.wire_bytes, listing, outcome })
    }
}

fn open(desk: &mut Desk, server: &Server) -> State {
    match server.way {
        Way::Epsv => desk.send(&Command::Epsv(EpsvArgument::Any)),
        Way::Pasv => desk.send(&Command::Pasv),
        Way::Active | Way::OnlyActive => {
            let local = server.ends.local.ip();
            desk.ask(Awaited::Listening, |id| ClientAction::ListenData { id, local });
            desk.wait_for_host();
            return State::Listening;
        }
    }
    State::AskedPassive
}
