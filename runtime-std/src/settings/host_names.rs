//! The names that clients may choose with HOST.

use super::values::Form;
use mayfly_core::wire::command::{Command, HostName, parse};

/// The names, as HOST has them; none: any.
#[derive(Clone, Debug)]
pub(crate) struct HostNames(pub(crate) Vec<String>);

impl Form for HostNames {
    fn form() -> String {
        "a list of host names such as \"ftp.example.com,files.example.com\", or \"any\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "any" {
            return Some(Self(Vec::new()));
        }
        // What is no name to HOST could never be chosen.
        let name = |word: &str| match parse(format!("HOST {}", word.trim()).as_bytes()).command {
            Ok(Command::Host(HostName::Name(name))) => Some(name),
            Ok(Command::Host(HostName::Ip(ip))) => Some(ip.to_string()),
            _ => None,
        };
        text.split(',').map(name).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        HostNames::read(text).map(|names| names.0)
    }

    #[test]
    fn host_names_are_those_that_a_client_could_say() {
        assert_eq!(read("any"), Some(vec![]));
        let names = ["a.example".to_owned(), "192.0.2.1".to_owned(), "2001:db8::1".to_owned()];
        assert_eq!(read("a.example, 192.0.2.1,[2001:db8::1]"), Some(names.to_vec()));
        for wrong in ["", "a.example,", "a b", "-a.example", "2001:db8::1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
