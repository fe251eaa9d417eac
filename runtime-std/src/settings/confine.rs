//! Forms of the settings that confine the process and what it makes.

use super::values::Form;
use crate::confine::{UserName, Wanted};

/// Whom the server becomes; none: it stays who has started it.
impl Form for Option<UserName> {
    fn form() -> String {
        "a user such as \"mayfly\", \"65534:65534\" or \"mayfly:scans\", or \"own\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "own" { Some(None) } else { UserName::parse(text).map(Some) }
    }
}

impl Form for Wanted {
    fn form() -> String {
        "\"auto\", \"require\" or \"off\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "require" => Some(Self::Require),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

/// Permission bits that hold at least `LEAST`, so that the server can go on with what it made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModeBits<const LEAST: u16>(pub(crate) u16);

impl<const LEAST: u16> Form for ModeBits<LEAST> {
    fn form() -> String {
        // The owner's, and for the others the same but writing.
        let example = LEAST | (LEAST >> 3) & 0o050 | (LEAST >> 6) & 0o005;
        format!("permission bits such as \"{example:04o}\", from \"{LEAST:04o}\" to \"0777\"")
    }

    fn read(text: &str) -> Option<Self> {
        octal(text).filter(|mode| mode & LEAST == LEAST).map(Self)
    }
}

/// What is not allowed on anything that is made; none: what the process was started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Umask(pub(crate) Option<u16>);

impl Form for Umask {
    fn form() -> String {
        "permission bits such as \"0022\", that leave the owner all of them, or \"own\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "own" {
            return Some(Self(None));
        }
        octal(text).filter(|mask| mask & 0o700 == 0).map(|mask| Self(Some(mask)))
    }
}

/// An octal number up to 0777 that shows by its leading zero that it is one: a bare number of a TOML file is decimal.
fn octal(text: &str) -> Option<u16> {
    let is_octal = text.starts_with('0') && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let number = u16::from_str_radix(text, 8).ok()?;
    (is_octal && number <= 0o777).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_and_leave_the_server_its_own() {
        type FileMode = ModeBits<0o600>;
        let read = |text: &str| FileMode::read(text).map(|mode| mode.0);
        assert_eq!(read("0644"), Some(0o644));
        assert_eq!(read("0600"), Some(0o600));
        for wrong in ["644", "420", "0400", "01777", "0o644", "0684", "", "-0644", "+0644"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(FileMode::form(), "permission bits such as \"0644\", from \"0600\" to \"0777\"");
        assert_eq!(ModeBits::<0o700>::form(), "permission bits such as \"0755\", from \"0700\" to \"0777\"");
    }

    #[test]
    fn a_umask_leaves_the_owner_all() {
        let read = |text: &str| Umask::read(text).map(|mask| mask.0);
        assert_eq!(read("own"), Some(None));
        assert_eq!(read("022"), Some(Some(0o22)));
        assert_eq!(read("0"), Some(Some(0)));
        assert_eq!(read("0777"), None);
        assert_eq!(read("18"), None);
    }

    #[test]
    fn a_user_may_be_nobody_else() {
        assert_eq!(Option::<UserName>::read("own"), Some(None));
        assert!(Option::<UserName>::read("mayfly").unwrap().is_some());
        assert!(Option::<UserName>::read("may fly").is_none());
    }
}
