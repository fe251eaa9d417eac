//! What PASV says behind an address translator, where that is given by name: looked up at start, and again from time to
//! time in a thread of its own, so that no session waits for a name server.

use mayfly_core::network::{Network, PassiveAddress};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use std::{io, thread};
use tracing::{info, warn};

/// A host whose address PASV says to the clients of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassiveHost {
    /// Whom it is said to.
    pub clients: Network,
    /// The host's name.
    pub name: String,
}

/// Finds a host's IPv4 address.
pub(crate) type LookUp = fn(&str) -> io::Result<Ipv4Addr>;

/// What the names stand for, as far as it is known.
#[derive(Debug)]
pub(crate) struct Names {
    look_up: LookUp,
    known: HashMap<String, Ipv4Addr>,
    /// Names that could not be looked up at the last try: the log says it once.
    failing: Vec<String>,
}

impl Names {
    pub(crate) fn new(look_up: LookUp) -> Self {
        Self { look_up, known: HashMap::new(), failing: Vec::new() }
    }

    /// Looks these up. A name that cannot be keeps the address that it had.
    pub(crate) fn look_up(&mut self, hosts: &[PassiveHost]) {
        self.known.retain(|name, _| hosts.iter().any(|host| host.name == *name));
        for PassiveHost { name, .. } in hosts {
            match (self.look_up)(name) {
                Ok(address) => {
                    self.failing.retain(|failing| failing != name);
                    if self.known.insert(name.clone(), address) != Some(address) {
                        info!(name, %address, "passive_address looked up");
                    }
                }
                Err(_) if self.failing.contains(name) => {}
                Err(error) => {
                    let kept = self.known.get(name).map_or_else(|| "none yet".to_owned(), ToString::to_string);
                    warn!(name, %error, kept, "passive_address cannot be looked up; it is tried again");
                    self.failing.push(name.clone());
                }
            }
        }
    }

    /// What PASV says for these hosts: nothing for one that was never found, and the control connection's own address
    /// does as good as it can.
    pub(crate) fn addresses(&self, hosts: &[PassiveHost]) -> Vec<PassiveAddress> {
        let address =
            |host: &PassiveHost| PassiveAddress { clients: host.clients, address: self.known.get(&host.name).copied() };
        hosts.iter().map(address).collect()
    }
}

/// The system's own way to find a host's address: `/etc/hosts`, name servers.
pub(crate) fn by_system(name: &str) -> io::Result<Ipv4Addr> {
    let found = (name, 0).to_socket_addrs()?.find_map(|address| match address {
        SocketAddr::V4(address) => Some(*address.ip()),
        SocketAddr::V6(_) => None,
    });
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no IPv4 address"))
}

/// The reins of the thread that looks up again; it ends once they are dropped.
#[derive(Debug)]
pub(crate) struct Again(Sender<Vec<PassiveHost>>);

impl Again {
    /// Starts it. `told` hears after each look-up what PASV says for the hosts.
    pub(crate) fn start(
        mut names: Names,
        told: impl Fn(&[PassiveHost], Vec<PassiveAddress>) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, changes) = channel();
        let run = move || {
            let mut hosts = Vec::new();
            loop {
                match changes.recv_timeout(LOOK_UP_EVERY) {
                    Ok(others) => hosts = others,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                names.look_up(&hosts);
                told(&hosts, names.addresses(&hosts));
            }
        };
        thread::Builder::new().name("names".to_owned()).stack_size(STACK_BYTES).spawn(run)?;
        Ok(Self(sender))
    }

    /// From now on these hosts, and the first look-up at once.
    pub(crate) fn change(&self, hosts: &[PassiveHost]) {
        // An error means that the thread is gone, and then so is the server.
        let _ = self.0.send(hosts.to_vec());
    }
}

/// How long a server that starts waits for its names: those who come at once shall hear the right address, and a name
/// server that is down must not keep the others out.
pub(crate) const FIRST_LOOK_UP_MAX: Duration = Duration::from_secs(5);
/// As often as the names of hosts with changing addresses are commonly renewed.
const LOOK_UP_EVERY: Duration = Duration::from_secs(60);
/// A look-up needs more than a session does.
const STACK_BYTES: usize = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(names: &[&str]) -> Vec<PassiveHost> {
        let host = |name: &&str| PassiveHost { clients: "0.0.0.0/0".parse().unwrap(), name: (*name).to_owned() };
        names.iter().map(host).collect()
    }

    fn said(names: &Names, hosts: &[PassiveHost]) -> Vec<Option<Ipv4Addr>> {
        names.addresses(hosts).iter().map(|said| said.address).collect()
    }

    #[test]
    fn a_name_that_fails_keeps_its_last_address_and_one_that_never_was_found_has_none() {
        let found: LookUp = |_| Ok(Ipv4Addr::new(203, 0, 113, 5));
        let failing: LookUp = |_| Err(io::ErrorKind::TimedOut.into());
        let moved: LookUp = |_| Ok(Ipv4Addr::new(203, 0, 113, 6));
        let mut names = Names::new(failing);
        let hosts = hosts(&["ftp.example.org"]);
        names.look_up(&hosts);
        assert_eq!(said(&names, &hosts), [None]);
        for (look_up, expected) in [(found, [203, 0, 113, 5]), (failing, [203, 0, 113, 5]), (moved, [203, 0, 113, 6])] {
            names.look_up = look_up;
            names.look_up(&hosts);
            assert_eq!(said(&names, &hosts), [Some(Ipv4Addr::from(expected))]);
        }
    }

    #[test]
    fn the_system_knows_this_host() {
        assert_eq!(by_system("localhost").unwrap(), Ipv4Addr::LOCALHOST);
    }

    #[test]
    fn a_change_is_looked_up_at_once_and_the_thread_ends_with_its_reins() {
        let (sender, told) = channel();
        let names = Names::new(|name| name.parse().map_err(|_| io::ErrorKind::NotFound.into()));
        let again = Again::start(names, move |_, said| sender.send(said).unwrap()).unwrap();
        again.change(&hosts(&["192.0.2.1", "nowhere"]));
        let patience = Duration::from_secs(20);
        let addresses: Vec<_> = told.recv_timeout(patience).unwrap().iter().map(|said| said.address).collect();
        assert_eq!(addresses, [Some(Ipv4Addr::new(192, 0, 2, 1)), None]);
        drop(again);
        assert_eq!(told.recv_timeout(patience), Err(RecvTimeoutError::Disconnected));
    }
}
