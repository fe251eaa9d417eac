//! PORT, EPRT, PASV, EPSV and the default data port: where the next data connection comes from; and what holds for the
//! next transfer.

use super::Session;
use super::state::{Awaited, End, Flow};
use crate::action::{Action, ActionId, DeflateLevel, Direction, Note, Translation};
use crate::data;
use crate::digest::DigestAlgorithm;
use crate::error::NetError;
use crate::network;
use crate::record::ANONYMOUS;
use crate::settings::ActivePort;
use crate::wire::command::row::Row;
use crate::wire::command::{ByteRange, EpsvArgument, TypeCode};
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::format;
use core::mem;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use core::num::NonZeroU64;
use core::ops::ControlFlow::{Break, Continue};

/// What was said about data connections and transfers.
#[derive(Debug)]
pub(super) struct DataChoices {
    /// Where the next data connection comes from; used up by it.
    pub(super) setup: Setup,
    /// EPSV ALL was said: no other set-up any more, until the session ends.
    pub(super) epsv_all: bool,
    /// TYPE, until changed.
    pub(super) translation: Translation,
    /// What HASH computes, until changed.
    pub(super) hash_algorithm: DigestAlgorithm,
    /// MODE Z, until changed; none: MODE S.
    pub(super) deflate: Option<DeflateLevel>,
    /// OPTS MODE Z LEVEL, until changed.
    pub(super) deflate_level: DeflateLevel,
    /// What was said of the next transfer; boxed, for an idle session is small.
    next: Option<Box<NextTransfer>>,
}

/// What was said of the next transfer alone.
#[derive(Debug, Default)]
pub(super) struct NextTransfer {
    /// REST.
    pub(super) restart_bytes: u64,
    /// RANG. REST and RANG take each other's place.
    range: Option<ByteRange>,
    /// ALLO.
    pub(super) announced_bytes: Option<u64>,
}

/// Where the next data connection comes from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Setup {
    /// Nothing was said: the server connects to the client's default data port, the control connection's own (RFC 959
    /// 3.2).
    #[default]
    Default,
    /// The server connects to this address.
    Active(SocketAddr),
    /// The server listens.
    Passive,
}

impl DataChoices {
    pub(super) fn new() -> Self {
        // DESIGN 3: a session starts in TYPE I.
        Self {
            setup: Setup::Default,
            epsv_all: false,
            translation: Translation::Image,
            hash_algorithm: DigestAlgorithm::default(),
            deflate: None,
            deflate_level: DeflateLevel::default(),
            next: None,
        }
    }

    /// What was said of the next transfer, to be added to.
    pub(super) fn next(&mut self) -> &mut NextTransfer {
        self.next.get_or_insert_default()
    }

    /// What was said of the next transfer; used up by it.
    pub(super) fn take_next(&mut self) -> NextTransfer {
        self.next.take().map(|next| *next).unwrap_or_default()
    }

    /// What RANG asked for; used up by it.
    pub(super) fn take_range(&mut self) -> Option<ByteRange> {
        self.next.as_mut()?.range.take()
    }

    /// RFC 3659 5: REST must come right before its transfer. What clients put between the two (and between RANG or ALLO
    /// and what they are for) is let pass; any other command takes all three back.
    pub(super) fn forget_before(&mut self, row: &Row) {
        if !row.keeps_restart {
            self.next = None;
        }
    }
}

impl Session {
    /// The rate that a transfer keeps: the account's own, or what is set for all anonymous ones.
    pub(super) fn bytes_per_s(&self, direction: Direction) -> Option<NonZeroU64> {
        let account = self.account()?;
        let is_anonymous = account.name == ANONYMOUS;
        let (own, of_anonymous) = match direction {
            Direction::Send => (account.download_bytes_per_s, self.settings.anonymous_download_bytes_per_s),
            Direction::Receive => (account.upload_bytes_per_s, self.settings.anonymous_upload_bytes_per_s),
        };
        own.or(of_anonymous.filter(|_| is_anonymous))
    }

    pub(super) fn set_type(&mut self, code: TypeCode) -> Reply {
        let (translation, text) = match code {
            TypeCode::Ascii => (Translation::Ascii, text::TYPE_ASCII),
            TypeCode::Image => (Translation::Image, text::TYPE_BINARY),
        };
        self.data.translation = translation;
        Reply::new(200, text)
    }

    /// MODE S, and MODE Z (draft-preston-ftpext-deflate-04).
    pub(super) fn set_mode(&mut self, deflates: bool) -> Reply {
        self.data.deflate = deflates.then_some(self.data.deflate_level);
        Reply::new(200, if deflates { text::MODE_SET_DEFLATE } else { text::MODE_SET })
    }

    /// OPTS MODE Z, which holds for MODE Z at once where that is on; none: the level to begin with.
    pub(super) fn set_deflate_level(&mut self, level: Option<DeflateLevel>) -> Reply {
        self.data.deflate_level = level.unwrap_or_default();
        self.data.deflate = self.data.deflate.map(|_| self.data.deflate_level);
        Reply::new(200, format!("MODE Z LEVEL set to {}.", self.data.deflate_level.level()))
    }

    pub(super) fn rest(&mut self, offset_bytes: u64) -> Reply {
        let next = self.data.next();
        (next.restart_bytes, next.range) = (offset_bytes, None);
        Reply::new(350, format!("Restart position accepted ({offset_bytes})."))
    }

    /// draft-bryan-ftp-range-08 3: `RANG 1 0` takes a range back, and so does one that ends before it begins, with 501.
    pub(super) fn rang(&mut self, first: u64, last: u64) -> Reply {
        let next = self.data.next();
        (next.restart_bytes, next.range) = (0, (first <= last).then_some(ByteRange { first, last }));
        match (next.range, first, last) {
            (Some(_), ..) => Reply::new(350, format!("Range accepted ({first}-{last}).")),
            (None, 1, 0) => Reply::new(350, text::RANGE_RESET),
            (None, ..) => Reply::new(501, text::RANGE_INVALID),
        }
    }

    pub(super) fn port(&mut self, extended: bool, address: SocketAddr) -> Reply {
        if self.data.epsv_all {
            return Reply::new(501, text::EPSV_ONLY);
        }
        if !extended && self.needs_extended() {
            return Reply::new(522, text::NO_PORT_HERE);
        }
        let address = network::unmapped(address);
        if !self.may_connect(address) {
            self.note(Note::AddressRefused { address });
            return match (extended, self.peer.is_ipv4()) {
                // RFC 2428 2: an address of the other protocol gets the list of those that would do.
                (true, true) if address.is_ipv6() => Reply::new(522, text::USE_IPV4),
                (true, false) if address.is_ipv4() => Reply::new(522, text::USE_IPV6),
                (true, _) => Reply::new(500, text::ILLEGAL_EPRT),
                (false, _) => Reply::new(500, text::ILLEGAL_PORT),
            };
        }
        if mem::replace(&mut self.data.setup, Setup::Active(address)) == Setup::Passive {
            self.push(Action::CloseData);
        }
        Reply::new(200, if extended { text::EPRT_OK } else { text::PORT_OK })
    }

    pub(super) fn pasv(&mut self) -> Flow {
        if self.data.epsv_all {
            return Break(Reply::new(501, text::EPSV_ONLY));
        }
        match self.local.ip() {
            // The reply has no room for the address.
            IpAddr::V6(_) => Break(Reply::new(425, text::NO_PASV_ON_IPV6)),
            IpAddr::V4(_) if self.needs_extended() => Break(Reply::new(425, text::NO_PASV_HERE)),
            IpAddr::V4(_) => self.listen(false),
        }
    }

    pub(super) fn epsv(&mut self, argument: EpsvArgument) -> Flow {
        let ipv4 = self.local.is_ipv4();
        match argument {
            EpsvArgument::Any => self.listen(true),
            EpsvArgument::Ipv4 if ipv4 => self.listen(true),
            EpsvArgument::Ipv6 if !ipv4 => self.listen(true),
            // RFC 2428 3: the list names what would do.
            EpsvArgument::Ipv4 => Break(Reply::new(522, text::USE_IPV6)),
            EpsvArgument::Ipv6 => Break(Reply::new(522, text::USE_IPV4)),
            // RFC 2428 4: after EPSV ALL every other set-up command is refused until the session ends.
            EpsvArgument::All => {
                self.data.epsv_all = true;
                Break(Reply::new(200, text::EPSV_ALL_OK))
            }
        }
    }

    fn listen(&mut self, extended: bool) -> Flow {
        self.data.setup = Setup::Default;
        let id = self.fresh_id();
        self.push(Action::ListenData { id, local: self.own_ip(), ports: self.settings.passive_ports });
        Session::wait_for(id, Awaited::Listening { extended })
    }

    pub(super) fn listening(&mut self, extended: bool, outcome: Result<u16, NetError>) -> Reply {
        let Ok(port) = outcome else {
            return Reply::new(425, text::NO_CONNECTION);
        };
        self.data.setup = Setup::Passive;
        match self.local.ip() {
            IpAddr::V4(ip) if !extended => {
                let ip = network::passive_address(&self.settings.passive_addresses, self.peer.ip()).unwrap_or(ip);
                Reply::new(227, data::pasv_text(SocketAddrV4::new(ip, port)))
            }
            _ => Reply::new(229, data::epsv_text(port)),
        }
    }

    /// Refuses a transfer whose data connection could not be asked for, before anything is opened for it.
    pub(super) fn need_setup(&self) -> Flow<()> {
        self.need_protection()?;
        match self.data.setup {
            // Nobody would hear how it ended.
            _ if self.ending == Some(End::HungUp) => Break(Reply::new(425, text::NO_CONNECTION)),
            Setup::Passive => Continue(()),
            // Whoever set it up may have logged in as somebody else since.
            Setup::Active(address) if self.may_connect(address) => Continue(()),
            // The default is no EPSV (RFC 2428 4), and it is as blind to a network that needs EPSV as PORT is.
            Setup::Default if self.data.epsv_all || self.needs_extended() => Break(Reply::new(425, text::USE_EPSV)),
            Setup::Default if self.may_connect(self.peer) => Continue(()),
            Setup::Active(_) | Setup::Default => Break(Reply::new(425, text::USE_PORT_OR_PASV)),
        }
    }

    /// Has the data connection made. The set-up is used up by it: RFC 1123 4.1.2.5 has clients say PORT or PASV before
    /// each transfer. Tells which one it was.
    pub(super) fn ask_for_data(&mut self) -> (ActionId, Setup) {
        let id = self.fresh_id();
        let setup = mem::take(&mut self.data.setup);
        let peer = match setup {
            Setup::Passive => {
                self.push(Action::AcceptData { id, peer: self.peer.ip(), any_host: self.may_use_other_hosts() });
                return (id, setup);
            }
            Setup::Active(address) => address,
            Setup::Default => self.peer,
        };
        let local_port = match self.settings.active_port {
            ActivePort::Any => None,
            // RFC 959 5.2: the port before the control connection's; 0 would be any.
            ActivePort::Data => self.local.port().checked_sub(1).filter(|port| *port != 0),
        };
        // RFC 1123 4.1.2.12: from the address that the control connection is on.
        self.push(Action::ConnectData { id, peer, local: self.own_ip_towards(peer.ip()), local_port });
        (id, setup)
    }

    /// RFC 959 4.1.3: with nothing running, ABOR closes the data connection. A transfer that runs is aborted before
    /// its turn comes.
    pub(super) fn abor(&mut self) -> Reply {
        if self.data.setup == Setup::Passive {
            self.data.setup = Setup::Default;
            self.push(Action::CloseData);
            return Reply::new(225, text::NO_TRANSFER_TO_ABOR);
        }
        Reply::new(226, text::ABOR_OK)
    }

    /// DESIGN 7: nobody may be used as a weapon (RFC 2577 3), except by those whom the operator trusts with it.
    fn may_connect(&self, address: SocketAddr) -> bool {
        // What a proxy on another host calls its loopback is not this host's.
        let is_proxys_own = self.own.is_some_and(|own| data::is_near(address.ip()) && !data::is_near(own));
        let is_peer = data::may_connect(address, self.peer.ip());
        let is_elsewhere = self.may_use_other_hosts() && data::may_connect_elsewhere(address, self.peer.ip());
        !is_proxys_own && (is_peer || is_elsewhere)
    }

    fn may_use_other_hosts(&self) -> bool {
        self.account().is_some_and(|account| self.settings.fxp_users.contains(&account.name))
    }

    /// Whether EPSV and EPRT alone serve in the client's network.
    fn needs_extended(&self) -> bool {
        self.settings.epsv_only.iter().any(|network| network.contains(self.peer.ip()))
    }

    /// The address of this host that the session is on: its `local` may be a proxy's.
    fn own_ip(&self) -> IpAddr {
        self.own.unwrap_or(self.local.ip())
    }

    /// What to connect from; where the other side has the other protocol, whichever address the host chooses.
    fn own_ip_towards(&self, peer: IpAddr) -> IpAddr {
        match (self.own_ip(), peer.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(_)) => Ipv4Addr::UNSPECIFIED.into(),
            (IpAddr::V4(_), IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
            (own, _) => own,
        }
    }
}
