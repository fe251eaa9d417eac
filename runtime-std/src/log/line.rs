//! How an event becomes one line, as text or JSON. Whatever module an event comes from, its values are escaped and
//! bounded here.

use super::LogFormat;
use super::escape::{json_string, quoted, shown};
use std::fmt::{self, Debug, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes lines of this form.
pub(super) struct Lines(pub(super) LogFormat);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut values = Values::default();
        event.record(&mut values);
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let level = event.metadata().level().as_str();
        match self.0 {
            LogFormat::Text => values.write_text(&mut writer, &timestamp, level),
            LogFormat::Json => values.write_json(&mut writer, &timestamp, level),
        }
    }
}

/// What an event says.
#[derive(Default)]
struct Values {
    message: String,
    others: Vec<(&'static str, Value)>,
}

enum Value {
    /// A number or a truth value, as JSON has it.
    Plain(String),
    Text(String),
}

impl Values {
    fn write_text(&self, out: &mut dyn Write, timestamp: &str, level: &str) -> fmt::Result {
        write!(out, "{timestamp} {level:>5} {}", shown(&self.message))?;
        for (name, value) in &self.others {
            write!(out, " {name}=")?;
            match value {
                Value::Plain(value) => out.write_str(value)?,
                Value::Text(value) => quoted(out, value)?,
            }
        }
        out.write_char('\n')
    }

    fn write_json(&self, out: &mut dyn Write, timestamp: &str, level: &str) -> fmt::Result {
        write!(out, "{{\"timestamp\":\"{timestamp}\",\"level\":\"{level}\",\"message\":")?;
        json_string(out, &self.message)?;
        for (name, value) in &self.others {
            write!(out, ",\"{name}\":")?;
            match value {
                Value::Plain(value) => out.write_str(value)?,
                Value::Text(value) => json_string(out, value)?,
            }
        }
        out.write_str("}\n")
    }

    fn plain(&mut self, field: &Field, value: &impl ToString) {
        self.others.push((field.name(), Value::Plain(value.to_string())));
    }

    fn text(&mut self, field: &Field, value: &str) {
        let value = bounded(value);
        match field.name() {
            "message" => self.message = value,
            name => self.others.push((name, Value::Text(value))),
        }
    }
}

impl Visit for Values {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, &format!("{value:?}"));
    }
}

/// No peer makes a line longer than it must be.
fn bounded(value: &str) -> String {
    if value.len() <= VALUE_BYTES_MAX {
        return value.to_owned();
    }
    let whole = (0..=VALUE_BYTES_MAX).rev().find_map(|at| value.get(..at));
    format!("{}…", whole.unwrap_or_default())
}

/// The longest value of a line, in bytes before escapes; what is longer is cut, and ends with an ellipsis.
const VALUE_BYTES_MAX: usize = 4096;

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `act` leads to, without their time.
    pub(in super::super) fn lines(format: LogFormat, act: impl FnOnce()) -> Vec<String> {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).event_format(Lines(format));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
        let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
        let without_time = |line: &str| match format {
            LogFormat::Text => line["2030-01-01T00:00:00.000000Z ".len()..].to_owned(),
            LogFormat::Json => line.replacen(&line[..r#"{"timestamp":"2030-01-01T00:00:00.000000Z","#.len()], "{", 1),
        };
        text.lines().map(without_time).collect()
    }

    #[test]
    fn every_module_s_values_are_escaped_and_bounded() {
        let long = "x".repeat(5000);
        let act = || {
            tracing::warn!(path = "/a\r\nb", error = %"no \u{202e} way", count = 3, is = true, "odd\u{1b}");
            tracing::error!(long, "long");
        };
        let text = lines(LogFormat::Text, act);
        assert_eq!(text[0], r#" WARN odd\u{1b} path="/a\u{d}\u{a}b" error="no \u{202e} way" count=3 is=true"#);
        assert_eq!(text[1].len(), "ERROR long long=".len() + VALUE_BYTES_MAX + "…".len());
        let json = lines(LogFormat::Json, act);
        let expected = r#"{"level":"WARN","message":"odd\u001b","path":"/a\u000d\u000ab","error":"no \u202e way","count":3,"is":true}"#;
        assert_eq!(json[0], expected);
        assert_eq!(json.len(), 2);
    }

    #[test]
    fn times_are_utc_with_fractions_of_a_second() {
        let mut text = String::new();
        SystemTime.format_time(&mut Writer::new(&mut text)).unwrap();
        // RFC 3339 5.6.
        assert_eq!((text.len(), &text[19..20], &text[26..]), (27, ".", "Z"), "{text}");
    }
}
