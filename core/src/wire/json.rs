//! The JSON forms of what is on the wire, with the seed's own keys (DESIGN 2).

use alloc::borrow::Cow;
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// A request object: `{"Request Command":"RETR","Request Argument":"1.png"}`. Keys of other names are passed over.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RequestObject<'a> {
    /// The verb alone.
    #[serde(rename = "Request Command", borrow)]
    pub(super) command: Cow<'a, str>,
    /// What would follow the verb and one blank; missing, `null` and empty mean that there is none.
    #[serde(rename = "Request Argument", borrow, default)]
    pub(super) argument: Option<Cow<'a, str>>,
}

/// Reads a line that holds one request object and nothing else.
///
/// `None`: no JSON, a key twice, no command, or a value that is no text.
pub(super) fn request(line: &str) -> Option<RequestObject<'_>> {
    serde_json::from_str(line).ok()
}

/// A request's object, without its line end.
pub(super) fn encode_request(command: &str, argument: &str) -> String {
    line(&RequestObject { command: command.into(), argument: Some(argument.into()) })
}

#[derive(Serialize)]
struct ReplyObject<'a> {
    #[serde(rename = "Response Code")]
    code: u16,
    #[serde(rename = "Response Argument")]
    argument: &'a str,
    #[serde(rename = "Response Message")]
    message: &'a str,
}

/// A reply's object with its line end, keys in the seed's order.
pub(super) fn reply(code: u16, argument: &str, message: &str) -> String {
    let mut line = line(&ReplyObject { code, argument, message });
    line.push_str("\r\n");
    line
}

fn line(object: &impl Serialize) -> String {
    serde_json::to_string(object).expect("keys are texts, and writing to a String does not fail")
}

/// Outcomes in JSON: `{"ok": ..}` or `{"err": ..}`, in small letters like every other name.
pub mod outcome {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Shown<'a, T, E> {
        Ok(&'a T),
        Err(&'a E),
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Read<T, E> {
        Ok(T),
        Err(E),
    }

    /// For serde.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<T: Serialize, E: Serialize, S: Serializer>(
        outcome: &Result<T, E>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match outcome {
            Ok(value) => Shown::<T, E>::Ok(value).serialize(serializer),
            Err(error) => Shown::<T, E>::Err(error).serialize(serializer),
        }
    }

    /// For serde.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, T, E, D>(deserializer: D) -> Result<Result<T, E>, D::Error>
    where
        T: Deserialize<'de>,
        E: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(match Read::deserialize(deserializer)? {
            Read::Ok(value) => Ok(value),
            Read::Err(error) => Err(error),
        })
    }
}

/// Bytes in JSON: `{"text": ".."}`, or `{"hex": ".."}` where they are not UTF-8.
pub mod bytes {
    use alloc::borrow::Cow;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::fmt::Write;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Bytes<'a> {
        Text(Cow<'a, str>),
        Hex(Cow<'a, str>),
    }

    /// For serde.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match core::str::from_utf8(bytes) {
            Ok(text) => Bytes::Text(text.into()),
            Err(_) => Bytes::Hex(to_hex(bytes).into()),
        }
        .serialize(serializer)
    }

    /// For serde.
    ///
    /// # Errors
    /// The deserializer's, and a broken `hex`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        match Bytes::deserialize(deserializer)? {
            Bytes::Text(text) => Ok(text.as_bytes().to_vec()),
            Bytes::Hex(hex) => {
                from_hex(&hex).ok_or_else(|| D::Error::custom(format!("{} characters of broken hex", hex.len())))
            }
        }
    }

    fn to_hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a String does not fail");
            hex
        })
    }

    fn from_hex(hex: &str) -> Option<Vec<u8>> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pairs = hex.as_bytes().chunks(2);
        pairs
            .map(|pair| match pair {
                [high, low] => Some(digit(high)? << 4 | digit(low)?),
                _ => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use alloc::format;

    fn read(line: &str) -> Option<(String, Option<String>)> {
        request(line).map(|object| (object.command.into(), object.argument.map(Into::into)))
    }

    #[test]
    fn a_request_has_the_keys_of_the_seed() {
        let spaced = r#"{ "Request Command": "RETR" , "Request Argument": "1.png" }"#;
        assert_eq!(read(spaced), Some(("RETR".into(), Some("1.png".into()))));
        let escaped = r#"{"Request Argument":"\u00e4\n","x":[1,{}],"Request Command":"STOR"}"#;
        assert_eq!(read(escaped), Some(("STOR".into(), Some("ä\n".into()))));
        for none in [r#"{"Request Command":"NOOP"}"#, r#"{"Request Command":"NOOP","Request Argument":null}"#] {
            assert_eq!(read(none), Some(("NOOP".into(), None)));
        }
    }

    #[test]
    fn a_broken_request_is_none() {
        for line in [
            "{",
            "{}",
            r#"{"request command":"NOOP"}"#,
            r#"{"Request Command":"NOOP"} x"#,
            r#"{"Request Command":"NOOP","Request Command":"QUIT"}"#,
            r#"{"Request Command":"NOOP","Request Argument":"a","Request Argument":"b"}"#,
            r#"{"Request Command":7}"#,
            r#"{"Request Command":null}"#,
            r#"{"Request Command":"REST","Request Argument":7}"#,
            r#"{"Request Command":"\ud800"}"#,
            r#"{"Request Command":"NOOP",}"#,
        ] {
            assert_eq!(read(line), None, "{line}");
        }
        let deep = format!("{{\"x\":{}", "[".repeat(5000));
        assert_eq!(read(&deep), None);
    }

    #[test]
    fn bytes_in_an_event_are_text_or_hex() {
        for (bytes, json) in [
            (&b"NOOP\r\n"[..], r#"{"event":"control_received","text":"NOOP\r\n"}"#),
            (b"", r#"{"event":"control_received","text":""}"#),
            (b"\xff\xf4\x0a", r#"{"event":"control_received","hex":"fff40a"}"#),
        ] {
            let event = Event::ControlReceived { bytes: bytes.to_vec() };
            assert_eq!(serde_json::to_string(&event).unwrap(), json);
            assert_eq!(serde_json::from_str::<Event>(json).unwrap(), event);
        }
        let upper = r#"{"event":"control_received","hex":"FFf4","later":1}"#;
        let event = Event::ControlReceived { bytes: b"\xff\xf4".to_vec() };
        assert_eq!(serde_json::from_str::<Event>(upper).unwrap(), event);
        for broken in ["fff", "fg", "+f", "ä"] {
            let json = format!(r#"{{"event":"control_received","hex":"{broken}"}}"#);
            assert!(serde_json::from_str::<Event>(&json).is_err(), "{broken}");
        }
        assert!(serde_json::from_str::<Event>(r#"{"event":"control_received"}"#).is_err());
    }
}
