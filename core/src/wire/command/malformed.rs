//! Why a line is no command that is carried, and the one reply that each reason gets.

use crate::data::EprtError;
use crate::wire::reply::Reply;
use alloc::borrow::Cow;
use alloc::format;

/// Why a line is no command. The session is unharmed by it and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// No verb that any RFC names, or no verb at all.
    UnknownCommand,
    /// SITE with a word that this server does not know.
    UnknownSiteCommand,
    /// A line that begins with `{` and is no request object.
    BrokenJson,
    /// A line that is not UTF-8 (RFC 2640 2).
    NotUtf8,
    /// The verb asks for an argument.
    ArgumentMissing,
    /// The verb takes no argument.
    ArgumentUnexpected,
    /// An argument that has not the verb's form, or is out of range.
    ArgumentInvalid,
    /// A verb that an RFC names and this server does not carry.
    NotImplemented,
    /// A parameter that the verb's RFC names and this server does not carry.
    ParameterNotImplemented,
    /// The same: a verb with a parameter that its RFC names and this server does not carry; the reply names both.
    NotCarried(&'static str),
    /// A network protocol other than IPv4 and IPv6 (RFC 2428 2).
    ProtocolNotSupported,
}

impl Malformed {
    /// The reply (RFC 959 4.2; RFC 2428 2).
    fn reply(self) -> (u16, Cow<'static, str>) {
        let (code, text) = match self {
            Self::NotCarried(parameter) => return (504, format!("{parameter} not implemented.").into()),
            Self::UnknownCommand => (500, "Unknown command."),
            Self::UnknownSiteCommand => (500, "Unknown SITE command."),
            Self::BrokenJson => (500, "Broken JSON request."),
            Self::NotUtf8 => (501, "Command is not UTF-8."),
            Self::ArgumentMissing => (501, "Missing argument."),
            Self::ArgumentUnexpected => (501, "Unexpected argument."),
            Self::ArgumentInvalid => (501, "Invalid argument."),
            Self::NotImplemented => (502, "Command not implemented."),
            Self::ParameterNotImplemented => (504, "Command not implemented for that parameter."),
            Self::ProtocolNotSupported => (522, "Network protocol not supported, use (1,2)."),
        };
        (code, text.into())
    }
}

impl From<Malformed> for Reply {
    fn from(malformed: Malformed) -> Self {
        let (code, text) = malformed.reply();
        Self::new(code, text)
    }
}

impl From<EprtError> for Malformed {
    fn from(error: EprtError) -> Self {
        match error {
            EprtError::Malformed => Self::ArgumentInvalid,
            EprtError::UnknownProtocol => Self::ProtocolNotSupported,
        }
    }
}
