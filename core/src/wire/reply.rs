//! Replies, and how they go on the wire: text (RFC 959 4.2) or JSON.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// One final or preliminary reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits; 0 for the seed's `000`.
    pub code: u16,
    /// The first line's text.
    pub text: Cow<'static, str>,
    /// What follows it.
    pub more: More,
}

/// What follows a reply's first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum More {
    /// Nothing.
    Nothing,
    /// Why it failed, without a full stop: a second line of text, or the JSON `Response Message`.
    Detail(Cow<'static, str>),
    /// Lines, each shown after a blank; then a last line with the code and this text (FEAT, HELP, STAT, MLST).
    Block {
        /// The lines in between.
        lines: Vec<String>,
        /// The last line's text.
        last: Cow<'static, str>,
    },
}

/// The form that a control line came in, and so its replies go out in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// RFC 959 text.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Reply {
    /// A reply of one line.
    #[must_use]
    pub fn new(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), more: More::Nothing }
    }

    /// The same with a detail: why it failed, without a full stop.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { more: More::Detail(detail.into()), ..self }
    }

    /// A reply of many lines.
    #[must_use]
    pub fn block(
        code: u16,
        text: impl Into<Cow<'static, str>>,
        lines: Vec<String>,
        last: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, text: text.into(), more: More::Block { lines, last: last.into() } }
    }

    /// The bytes for the wire, with line ends; control characters never get into them.
    #[must_use]
    pub fn encode(&self, form: Form) -> String {
        todo!("{form:?}")
    }
}
