//! PORT, EPRT, PASV, EPSV: where the next data connection comes from; and what holds for the next transfer.

use super::Session;
use super::state::{Awaited, Flow};
use crate::action::{Action, Translation};
use crate::data;
use crate::error::NetError;
use crate::wire::command::row::Row;
use crate::wire::command::{EpsvArgument, TypeCode};
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::format;
use core::mem;
use core::net::{IpAddr, SocketAddr, SocketAddrV4};
use core::ops::ControlFlow::Break;

/// What was said about data connections and transfers.
#[derive(Debug)]
pub(super) struct DataChoices {
    /// Where the next data connection comes from; used up by it.
    pub(super) setup: Setup,
    /// EPSV ALL was said: no other set-up any more, until the session ends.
    pub(super) epsv_only: bool,
    /// TYPE, until changed.
    pub(super) translation: Translation,
    /// REST, for the next transfer only.
    pub(super) restart_bytes: u64,
    /// ALLO, for the next transfer only.
    pub(super) announced_bytes: Option<u64>,
}

/// Where the next data connection comes from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Setup {
    /// Nothing was said.
    #[default]
    None,
    /// The server connects to this address.
    Active(SocketAddr),
    /// The server listens.
    Passive,
}

impl DataChoices {
    pub(super) fn new() -> Self {
        // DESIGN 3: a session starts in TYPE I.
        Self {
            setup: Setup::None,
            epsv_only: false,
            translation: Translation::Image,
            restart_bytes: 0,
            announced_bytes: None,
        }
    }

    /// RFC 3659 5: REST must come right before its transfer. What clients put between the two (and between ALLO and
    /// STOR) is let pass; any other command takes both back.
    pub(super) fn forget_before(&mut self, row: &Row) {
        if !row.keeps_restart {
            self.restart_bytes = 0;
            self.announced_bytes = None;
        }
    }
}

impl Session {
    pub(super) fn set_type(&mut self, code: TypeCode) -> Reply {
        let (translation, text) = match code {
            TypeCode::Ascii => (Translation::Ascii, text::TYPE_ASCII),
            TypeCode::Image => (Translation::Image, text::TYPE_BINARY),
        };
        self.data.translation = translation;
        Reply::new(200, text)
    }

    pub(super) fn rest(&mut self, offset_bytes: u64) -> Reply {
        self.data.restart_bytes = offset_bytes;
        Reply::new(350, format!("Restart position accepted ({offset_bytes})."))
    }

    pub(super) fn port(&mut self, extended: bool, address: SocketAddr) -> Reply {
        if self.data.epsv_only {
            return Reply::new(501, text::EPSV_ONLY);
        }
        // DESIGN 7: nobody may be used as a weapon (RFC 2577 3).
        if !data::may_connect(address, self.peer.ip()) {
            return Reply::new(500, if extended { text::ILLEGAL_EPRT } else { text::ILLEGAL_PORT });
        }
        if mem::replace(&mut self.data.setup, Setup::Active(address)) == Setup::Passive {
            self.push(Action::CloseData);
        }
        Reply::new(200, if extended { text::EPRT_OK } else { text::PORT_OK })
    }

    pub(super) fn pasv(&mut self) -> Flow {
        if self.data.epsv_only {
            return Break(Reply::new(501, text::EPSV_ONLY));
        }
        match self.local.ip().to_canonical() {
            IpAddr::V4(_) => self.listen(false),
            // The reply has no room for the address.
            IpAddr::V6(_) => Break(Reply::new(425, text::NO_PASV_ON_IPV6)),
        }
    }

    pub(super) fn epsv(&mut self, argument: EpsvArgument) -> Flow {
        let ipv4 = self.local.ip().to_canonical().is_ipv4();
        match argument {
            EpsvArgument::Any => self.listen(true),
            EpsvArgument::Ipv4 if ipv4 => self.listen(true),
            EpsvArgument::Ipv6 if !ipv4 => self.listen(true),
            // RFC 2428 2: the list names what would do.
            EpsvArgument::Ipv4 => Break(Reply::new(522, "Network protocol not supported, use (2)")),
            EpsvArgument::Ipv6 => Break(Reply::new(522, "Network protocol not supported, use (1)")),
            // RFC 2428 4: after EPSV ALL every other set-up command is refused until the session ends.
            EpsvArgument::All => {
                self.data.epsv_only = true;
                Break(Reply::new(200, text::EPSV_ALL_OK))
            }
        }
    }

    fn listen(&mut self, extended: bool) -> Flow {
        self.data.setup = Setup::None;
        let id = self.fresh_id();
        self.push(Action::ListenData { id, local: self.local.ip(), ports: self.settings.passive_ports });
        Session::wait_for(id, Awaited::Listening { extended })
    }

    pub(super) fn listening(&mut self, extended: bool, outcome: Result<u16, NetError>) -> Reply {
        let Ok(port) = outcome else {
            return Reply::new(425, text::NO_CONNECTION);
        };
        self.data.setup = Setup::Passive;
        match self.local.ip().to_canonical() {
            IpAddr::V4(ip) if !extended => Reply::new(227, data::pasv_text(SocketAddrV4::new(ip, port))),
            _ => Reply::new(229, data::epsv_text(port)),
        }
    }

    /// RFC 959 4.1.3: with nothing running, ABOR closes the data connection. A transfer that runs is aborted before
    /// its turn comes.
    pub(super) fn abor(&mut self) -> Reply {
        if self.data.setup == Setup::Passive {
            self.data.setup = Setup::None;
            self.push(Action::CloseData);
            return Reply::new(225, text::NO_TRANSFER_TO_ABOR);
        }
        Reply::new(226, text::ABOR_OK)
    }
}
