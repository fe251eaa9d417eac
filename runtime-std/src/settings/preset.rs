//! Presets: some settings in one word. Whatever is given beside a preset, by flag or by file, outranks it.

use super::Given;
use super::values::{Form, Value};
use mayfly_core::user::{Right, Rights};

/// A preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preset {
    /// None.
    None,
    /// Whoever comes may leave something, and sees nothing of what others have left.
    DropBox,
    /// Whoever comes may list and read, and leaves nothing.
    Public,
}

impl Preset {
    fn anonymous_rights(self) -> Option<Rights> {
        match self {
            Self::None => None,
            Self::DropBox => Some(Rights::NONE.with(Right::Write).with(Right::Expiry)),
            Self::Public => Some(Rights::NONE.with(Right::List).with(Right::Read)),
        }
    }
}

impl Given {
    /// These, and where they are silent, what their preset says.
    pub(super) fn with_preset(self) -> Self {
        let rights = self.rights_of_preset().map(|rights| Value(Some(rights)));
        Self { anonymous_rights: self.anonymous_rights.or(rights), ..self }
    }

    /// What the preset says of anonymous clients.
    pub(super) fn rights_of_preset(&self) -> Option<Rights> {
        self.clone().choose().preset.anonymous_rights()
    }
}

impl Form for Preset {
    fn form() -> String {
        "\"none\", \"drop-box\" or \"public\"".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "drop-box" => Some(Self::DropBox),
            "public" => Some(Self::Public),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(given: &str) -> Option<Rights> {
        let given: Given = toml::from_str(given).unwrap();
        given.with_preset().choose().anonymous_rights
    }

    #[test]
    fn a_preset_says_what_anonymous_clients_may_do_unless_that_is_said_itself() {
        let only = |words: &str| Some(words.parse::<Rights>().unwrap());
        assert_eq!(rights("preset = \"drop-box\""), only("write,expiry"));
        assert_eq!(rights("preset = \"public\""), only("list,read"));
        assert_eq!(rights("preset = \"none\""), Some(Rights::ANONYMOUS_DEFAULT));
        assert_eq!(rights(""), Some(Rights::ANONYMOUS_DEFAULT));
        assert_eq!(rights("preset = \"public\"\nanonymous_rights = \"read\""), only("read"));
        assert_eq!(rights("preset = \"drop-box\"\nanonymous_rights = \"none\""), None);
        assert!(toml::from_str::<Given>("preset = \"dropbox\"").is_err());
    }
}
