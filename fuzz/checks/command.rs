//! What must hold for any control bytes. The fuzz target runs it, and so do plain tests over the committed corpus.

use mayfly_core::limits::LINE_BYTES_MAX;
use mayfly_core::wire::command::{Command, parse};
use mayfly_core::wire::line::{Line, LineFramer};
use mayfly_core::wire::reply::{Form, Reply};

/// Panics where a law of the wire is broken by this input.
pub(crate) fn check(input: &[u8]) {
    let lines = lines(input, input.len().max(1));
    assert_eq!(lines, self::lines(input, 1), "the lines depend on how the input is cut");
    for line in lines {
        let Line::Whole(line) = line else { continue };
        assert!(line.len() <= LINE_BYTES_MAX && !line.contains(&b'\n'));
        let request = parse(&line);
        assert_eq!(request.form == Form::Json, line.first() == Some(&b'{'));
        match request.command {
            Ok(command) => command_reads_back(command),
            Err(reply) => {
                assert!([500, 501, 502, 504, 522].contains(&reply.code));
                reply_is_one(&reply, 1);
            }
        }
    }
    no_text_splits_a_reply(&String::from_utf8_lossy(input));
}

/// All lines of an input that comes in pieces.
fn lines(input: &[u8], piece_bytes: usize) -> Vec<Line> {
    let mut framer = LineFramer::default();
    let mut lines = Vec::new();
    for piece in input.chunks(piece_bytes) {
        framer.push(piece);
        lines.extend(std::iter::from_fn(|| framer.next_line()));
        assert!(framer.held_bytes() <= LINE_BYTES_MAX + 1, "more is held than one line");
    }
    lines
}

fn command_reads_back(command: Command) {
    let json = command.encode_as(Form::Json);
    let text = command.encode();
    assert!(!json.contains(LINE_BREAKERS) && !text.contains(LINE_BREAKERS));
    let from_text = parse(text.as_bytes());
    assert_eq!(from_text.form, Form::Text);
    // What would break the line is replaced in the text form; JSON carries everything.
    let breaks = parse(json.as_bytes());
    assert_eq!((breaks.form, breaks.command.as_ref()), (Form::Json, Ok(&command)));
    if !json.contains("\\r") && !json.contains("\\n") && !json.contains("\\u0000") {
        assert_eq!(from_text.command, Ok(command));
    }
}

fn no_text_splits_a_reply(text: &str) {
    let reply = Reply::new(200, text.to_owned());
    reply_is_one(&reply, 1);
    reply_is_one(&reply.clone().with_detail(text.to_owned()), 2);
    let block = text.split('\n').map(str::to_owned).collect::<Vec<_>>();
    let lines = block.len() + 2;
    reply_is_one(&Reply::block(200, text.to_owned(), block, text.to_owned()), lines);
}

/// One reply of RFC 959 4.2 with so many lines, and one JSON object.
fn reply_is_one(reply: &Reply, lines: usize) {
    let text = reply.encode(Form::Text);
    let sent: Vec<&str> = text.split_terminator("\r\n").collect();
    assert!(text.ends_with("\r\n") && sent.len() == lines && !sent.iter().any(|line| line.contains(char::is_control)));
    let (code, last) = (format!("{:03}", reply.code), format!("{:03} ", reply.code));
    for (at, line) in sent.iter().enumerate() {
        assert!(line.starts_with(&code) || line.starts_with(' '));
        assert_eq!(line.starts_with(&last), at + 1 == lines, "a reader would see another number of replies");
    }
    let json = reply.encode(Form::Json);
    assert!(json.ends_with("\r\n") && json.matches(char::is_control).count() == 2);
    let object: serde_json::Value = serde_json::from_str(&json).expect("a reply in JSON is JSON");
    assert_eq!(object["Response Code"], reply.code);
    assert!(object["Response Argument"].is_string() && object["Response Message"].is_string());
}

const LINE_BREAKERS: [char; 3] = ['\r', '\n', '\0'];
