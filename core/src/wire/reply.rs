//! Replies, and how they go on the wire: text (RFC 959 4.2) or JSON.

use super::json;
use alloc::borrow::Cow;
use alloc::format;
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
#[non_exhaustive]
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

impl Form {
    /// The form of a line that begins so; none: an empty one.
    #[must_use]
    pub fn of_line(first: Option<u8>) -> Self {
        if first == Some(b'{') { Self::Json } else { Self::Text }
    }
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

    /// The bytes for the wire, with line ends. Control characters become `?`, so that no name in a reply can end its
    /// line and begin another reply.
    ///
    /// ```
    /// use mayfly_core::wire::reply::{Form, Reply};
    /// let reply = Reply::new(550, "Failed to change directory.").with_detail("Storage path expired");
    /// assert_eq!(reply.encode(Form::Text), "550-Failed to change directory.\r\n550 Storage path expired.\r\n");
    /// ```
    #[must_use]
    pub fn encode(&self, form: Form) -> String {
        match form {
            Form::Text => self.encode_text(),
            Form::Json => json::reply(self.code_of_3_digits(), &shown(&self.text), &self.message()),
        }
    }

    // RFC 959 4.2: `nnn-` opens a reply of many lines and `nnn ` begins its last one; a line in between that begins
    // with a blank is never mistaken for it.
    fn encode_text(&self) -> String {
        let code = self.code_of_3_digits();
        let text = shown(&self.text);
        match &self.more {
            More::Nothing => format!("{code:03} {text}\r\n"),
            More::Detail(detail) => {
                let stop = if detail.ends_with('.') { "" } else { "." };
                format!("{code:03}-{text}\r\n{code:03} {}{stop}\r\n", shown(detail))
            }
            More::Block { lines, last } => {
                let lines: String = lines.iter().flat_map(|line| [" ".into(), shown(line), "\r\n".into()]).collect();
                format!("{code:03}-{text}\r\n{lines}{code:03} {}\r\n", shown(last))
            }
        }
    }

    /// The JSON form's `Response Message`.
    fn message(&self) -> String {
        match &self.more {
            More::Nothing => String::new(),
            More::Detail(detail) => shown(detail).into_owned(),
            More::Block { lines, .. } => lines.iter().map(|line| shown(line)).collect::<Vec<_>>().join("\n"),
        }
    }

    fn code_of_3_digits(&self) -> u16 {
        self.code.min(999)
    }
}

/// A text without control characters.
fn shown(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) { text.replace(char::is_control, "?").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[track_caller]
    fn check(reply: &Reply, text: &str, json: &str) {
        assert_eq!(reply.encode(Form::Text), text);
        assert_eq!(reply.encode(Form::Json), json);
    }

    #[test]
    fn one_line() {
        check(
            &Reply::new(220, "Welcome to the FTP Server"),
            "220 Welcome to the FTP Server\r\n",
            "{\"Response Code\":220,\"Response Argument\":\"Welcome to the FTP Server\",\"Response Message\":\"\"}\r\n",
        );
    }

    #[test]
    fn the_code_of_setexpiry_has_three_digits() {
        check(
            &Reply::new(0, "expiry_date set"),
            "000 expiry_date set\r\n",
            "{\"Response Code\":0,\"Response Argument\":\"expiry_date set\",\"Response Message\":\"\"}\r\n",
        );
        assert_eq!(Reply::new(u16::MAX, "x").encode(Form::Text), "999 x\r\n");
    }

    #[test]
    fn a_detail_is_the_last_line_and_ends_with_one_full_stop() {
        for detail in ["Storage path expired", "Storage path expired."] {
            let reply = Reply::new(550, "Failed to change directory.").with_detail(detail);
            let text = "550-Failed to change directory.\r\n550 Storage path expired.\r\n";
            assert_eq!(reply.encode(Form::Text), text);
        }
        assert_eq!(
            Reply::new(550, "Failed to change directory.").with_detail("Storage path expired").encode(Form::Json),
            "{\"Response Code\":550,\"Response Argument\":\"Failed to change directory.\",\
             \"Response Message\":\"Storage path expired\"}\r\n",
        );
    }

    #[test]
    fn a_block_stands_between_its_first_and_last_line() {
        check(
            &Reply::block(211, "Features:", vec!["EPRT".into(), "211 EPSV".into()], "End"),
            "211-Features:\r\n EPRT\r\n 211 EPSV\r\n211 End\r\n",
            "{\"Response Code\":211,\"Response Argument\":\"Features:\",\"Response Message\":\"EPRT\\n211 EPSV\"}\r\n",
        );
        check(
            &Reply::block(211, "Features:", vec![], "End"),
            "211-Features:\r\n211 End\r\n",
            "{\"Response Code\":211,\"Response Argument\":\"Features:\",\"Response Message\":\"\"}\r\n",
        );
    }

    #[test]
    fn no_text_can_split_a_reply() {
        let bad = "a\r\n230 b\0\u{85}\u{7f}\"\\";
        let block = Reply::block(200, bad, vec![bad.into()], bad);
        let good = "a??230 b???\"\\";
        assert_eq!(block.encode(Form::Text), format!("200-{good}\r\n {good}\r\n200 {good}\r\n"));
        assert_eq!(
            Reply::new(200, bad).with_detail(bad).encode(Form::Json),
            "{\"Response Code\":200,\"Response Argument\":\"a??230 b???\\\"\\\\\",\
             \"Response Message\":\"a??230 b???\\\"\\\\\"}\r\n",
        );
    }
}
