//! How settings about networks are written: networks, users, what PASV says.

use super::values::Form;
use crate::passive::PassiveHost;
use mayfly_core::network::{Network, PassiveAddress};
use mayfly_core::settings::ActivePort;
use std::net::Ipv4Addr;

/// What PASV says, by client network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PassiveRules(Vec<(Network, Target)>);

/// What is said to the clients of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// The control connection's own address.
    Own,
    Address(Ipv4Addr),
    Host(String),
}

impl PassiveRules {
    /// Those that need no look-up.
    pub(super) fn addresses(&self) -> impl Iterator<Item = PassiveAddress> {
        self.0.iter().filter_map(|(clients, target)| match target {
            Target::Own => Some(PassiveAddress { clients: *clients, address: None }),
            Target::Address(address) => Some(PassiveAddress { clients: *clients, address: Some(*address) }),
            Target::Host(_) => None,
        })
    }

    /// Those by name.
    pub(super) fn hosts(&self) -> impl Iterator<Item = PassiveHost> {
        self.0.iter().filter_map(|(clients, target)| match target {
            Target::Host(name) => Some(PassiveHost { clients: *clients, name: name.clone() }),
            Target::Own | Target::Address(_) => None,
        })
    }
}

impl Form for PassiveRules {
    const IS_LIST: bool = true;

    fn form() -> String {
        "\"own\", an IPv4 address, a host name, or a list by client network such as \
         \"10.0.0.0/8=own,0.0.0.0/0=203.0.113.5\""
            .to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "own" => Some(Self(Vec::new())),
            text if !text.contains('=') => Some(Self(vec![(everybody()?, Target::read(text)?)])),
            text => {
                let rule = |item: &str| {
                    let (clients, target) = item.split_once('=')?;
                    Some((clients.trim().parse().ok()?, Target::read(target.trim())?))
                };
                text.split(',').map(rule).collect::<Option<Vec<_>>>().filter(|rules| !is_repeated(rules)).map(Self)
            }
        }
    }
}

impl Target {
    fn read(text: &str) -> Option<Self> {
        if text == "own" {
            return Some(Self::Own);
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            let usable = !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast();
            return usable.then_some(Self::Address(address));
        }
        is_host_name(text).then(|| Self::Host(text.to_owned()))
    }
}

/// Networks; none: an empty list.
impl Form for Vec<Network> {
    const IS_LIST: bool = true;

    fn form() -> String {
        "\"none\", or a list of networks such as \"10.0.0.0/8,2001:db8::/32\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "none" | "" => Some(Self::new()),
            _ => text.split(',').map(|network| network.trim().parse().ok()).collect(),
        }
    }
}

/// Names of users; none: an empty list.
impl Form for Vec<String> {
    const IS_LIST: bool = true;

    fn form() -> String {
        "\"none\", or a list of user names such as \"anna,otto\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        let name = |name: &str| {
            let name = name.trim();
            (!name.is_empty() && !name.contains(char::is_control)).then(|| name.to_owned())
        };
        match text {
            "none" | "" => Some(Self::new()),
            _ => text.split(',').map(name).collect(),
        }
    }
}

impl Form for ActivePort {
    fn form() -> String {
        "\"any\" or \"data\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "any" => Some(Self::Any),
            "data" => Some(Self::Data),
            _ => None,
        }
    }
}

/// A network that PASV serves at all.
fn everybody() -> Option<Network> {
    format!("{}/0", Ipv4Addr::UNSPECIFIED).parse().ok()
}

/// Whether two rules are for the same network: it is not clear then which of them is meant.
fn is_repeated(rules: &[(Network, Target)]) -> bool {
    rules.iter().enumerate().any(|(at, (network, _))| rules[..at].iter().any(|(earlier, _)| earlier == network))
}

/// RFC 1123 2.1. A last label without a letter would be an address with a slip in it.
fn is_host_name(text: &str) -> bool {
    let labels = || text.trim_end_matches('.').split('.');
    let is_label = |label: &str| {
        let inside = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inside && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    let named = labels().next_back().is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_alphabetic()));
    text.len() <= 253 && named && labels().all(is_label)
}

#[cfg(test)]
mod tests {
    use super::super::values::Value;
    use super::*;

    fn rules(text: &str) -> Option<(Vec<PassiveAddress>, Vec<PassiveHost>)> {
        let rules = PassiveRules::read(text)?;
        Some((rules.addresses().collect(), rules.hosts().collect()))
    }

    #[test]
    fn pasv_may_say_an_address_a_name_or_one_of_them_by_network() {
        let all: Network = "0.0.0.0/0".parse().unwrap();
        let address = |clients: &str, address: Option<&str>| PassiveAddress {
            clients: clients.parse().unwrap(),
            address: address.map(|address| address.parse().unwrap()),
        };
        assert_eq!(rules("own"), Some((vec![], vec![])));
        assert_eq!(rules("203.0.113.5"), Some((vec![address("0.0.0.0/0", Some("203.0.113.5"))], vec![])));
        let host = PassiveHost { clients: all, name: "ftp.example.org".to_owned() };
        assert_eq!(rules("ftp.example.org"), Some((vec![], vec![host.clone()])));
        assert_eq!(
            rules("10.0.0.0/8=own, 192.168.0.0/16=192.168.0.1, 0.0.0.0/0=ftp.example.org"),
            Some((vec![address("10.0.0.0/8", None), address("192.168.0.0/16", Some("192.168.0.1"))], vec![host]))
        );
        for text in [
            "",
            "203.0.113",
            "203.0.113.256",
            "0.0.0.0",
            "::1",
            "a b",
            "-a.org",
            "10.0.0.1/8=own",
            "10.0.0.0/8=own,10.0.0.0/8=1.2.3.4",
            "10.0.0.0/8=",
            "10.0.0.0/8=own,",
            "own,own",
        ] {
            assert_eq!(rules(text), None, "{text}");
        }
    }

    #[test]
    fn lists_may_be_texts_and_toml_lists() {
        #[derive(serde::Deserialize)]
        struct File {
            networks: Value<Vec<Network>>,
            users: Value<Vec<String>>,
        }
        for text in [
            "networks = \"10.0.0.0/8, ::/0\"\nusers = \"anna,otto\"",
            "networks = [\"10.0.0.0/8\", \"::/0\"]\nusers = [\"anna\", \"otto\"]",
        ] {
            let file: File = toml::from_str(text).unwrap();
            assert_eq!(file.networks.0.len(), 2);
            assert_eq!(file.users.0, ["anna", "otto"]);
        }
        assert!(toml::from_str::<File>("networks = []\nusers = \"none\"").is_ok());
        assert!(toml::from_str::<File>("networks = [\"10.0.0.1/8\"]\nusers = []").is_err());
        assert!(toml::from_str::<Value<ActivePort>>("[\"any\"]").is_err());
    }
}
