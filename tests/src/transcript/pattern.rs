//! What an expected line may leave open, and what a sent one fills in: `<any>`, `<pasv>`, `<token>`, `<x*9000>`.

use std::collections::BTreeMap;

/// What placeholders stand for in this run: set where an expectation met them, used from then on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bindings {
    values: BTreeMap<String, String>,
}

impl Bindings {
    /// What `name` stands for.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Lets `name` stand for `value`.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// Whether `got` is what `template` expects; on success its placeholders are bound.
    pub(crate) fn matches(&mut self, template: &[u8], got: &[u8]) -> bool {
        let mut found = self.clone();
        let pieces = pieces(template);
        let matched = matches(&pieces, got, &mut found);
        if matched {
            *self = found;
        }
        matched
    }

    /// The bytes that `template` stands for.
    ///
    /// # Errors
    /// The placeholder that stands for nothing yet.
    pub(crate) fn fill(&self, template: &[u8]) -> Result<Vec<u8>, String> {
        let mut filled = Vec::new();
        for piece in pieces(template) {
            match piece {
                Piece::Literal(bytes) => filled.extend(bytes),
                Piece::Open(name) => {
                    let value = self.get(&name).ok_or_else(|| format!("<{name}> stands for nothing yet"))?;
                    filled.extend(value.as_bytes());
                }
            }
        }
        Ok(filled)
    }
}

/// How many bytes a template stands for, where it leaves nothing open.
pub(crate) fn exact_length(template: &[u8]) -> Option<usize> {
    pieces(template).iter().try_fold(0, |length, piece| match piece {
        Piece::Literal(bytes) => Some(length + bytes.len()),
        Piece::Open(_) => None,
    })
}

/// A line as the server sent it, with what differs from run to run left open: for `UPDATE=1`.
pub(crate) fn generalise(line: &str) -> String {
    let Some(open) = line.find('(').filter(|_| line.starts_with("227") || line.starts_with("229")) else {
        let token = line.strip_prefix("213 ").filter(|rest| Open::Token.admits(rest));
        return token.map_or_else(|| line.to_owned(), |_| "213 <token>".to_owned());
    };
    let (head, tail) = line.split_at(open);
    if line.starts_with("227") {
        let end = tail.find(')').unwrap_or(tail.len());
        format!("{head}(<pasv>{}", &tail[end..])
    } else {
        let digits: String = tail.chars().filter(char::is_ascii_digit).collect();
        format!("{head}{}", tail.replacen(&digits, "<epsv>", 1))
    }
}

/// The same for a line of a listing: dates and unique facts are the disk's.
pub(crate) fn generalise_data(line: &str) -> String {
    if line.contains("type=") {
        let facts = line.split(';').map(|fact| match fact.trim_start().split_once('=') {
            Some(("modify", _)) => fact.replace(|c: char| c.is_ascii_digit(), "").replace("modify=", "modify=<time>"),
            Some(("unique", _)) => "unique=<any>".to_owned(),
            _ => fact.to_owned(),
        });
        return facts.collect::<Vec<_>>().join(";");
    }
    let month = MONTHS.iter().find_map(|month| line.find(month));
    match month.filter(|_| line.starts_with(['-', 'd'])).and_then(|at| Some((line.get(..at)?, line.get(at + 13..)?))) {
        Some((head, tail)) => format!("{head} <date>{tail}"),
        None => line.to_owned(),
    }
}

const MONTHS: [&str; 12] =
    [" Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec "];

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Vec<u8>),
    Open(String),
}

/// What a placeholder admits.
enum Open {
    Any,
    Digits(Option<usize>),
    Date,
    Pasv,
    Token,
    /// What STOU puts behind a name.
    Unique,
}

impl Open {
    fn of(name: &str) -> Option<Self> {
        Some(match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "any" | "eprt" => Self::Any,
            "n" | "epsv" => Self::Digits(None),
            "time" => Self::Digits(Some(14)),
            "date" => Self::Date,
            "pasv" | "here" => Self::Pasv,
            "token" => Self::Token,
            "unique" => Self::Unique,
            _ => return None,
        })
    }

    fn admits(&self, text: &str) -> bool {
        match self {
            Self::Any => !text.is_empty(),
            Self::Digits(length) => {
                length.is_none_or(|length| text.len() == length)
                    && !text.is_empty()
                    && text.bytes().all(|b| b.is_ascii_digit())
            }
            Self::Date => text.len() == 12,
            Self::Pasv => text.split(',').count() == 6 && text.split(',').all(|number| number.parse::<u8>().is_ok()),
            Self::Token => text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()),
            Self::Unique => text.len() == 12 && text.bytes().all(|b| b.is_ascii_hexdigit()),
        }
    }
}

/// Cuts a template into literals and placeholders; `<x*3>` is the literal `xxx`.
fn pieces(template: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let mut rest = template;
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'<'
            && let Some(end) = tail.iter().position(|byte| *byte == b'>')
            && let Ok(name) = std::str::from_utf8(&tail[..end])
        {
            if let Some((what, times)) = name.rsplit_once('*')
                && let Ok(times) = times.parse()
            {
                literal.extend(what.repeat(times).into_bytes());
                rest = &tail[end + 1..];
                continue;
            }
            if Open::of(name).is_some() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                pieces.push(Piece::Open(name.to_owned()));
                rest = &tail[end + 1..];
                continue;
            }
        }
        literal.push(first);
        rest = tail;
    }
    pieces.push(Piece::Literal(literal));
    pieces
}

fn matches(pieces: &[Piece], got: &[u8], found: &mut Bindings) -> bool {
    let Some((piece, rest)) = pieces.split_first() else {
        return got.is_empty();
    };
    match piece {
        Piece::Literal(bytes) => got.strip_prefix(&bytes[..]).is_some_and(|tail| matches(rest, tail, found)),
        Piece::Open(name) => {
            let open = Open::of(name).expect("pieces() opens known names only");
            (1..=got.len()).any(|end| {
                let Ok(text) = std::str::from_utf8(&got[..end]) else {
                    return false;
                };
                if !open.admits(text) || (remembered(&open) && found.get(name).is_some_and(|known| known != text)) {
                    return false;
                }
                let mut trial = found.clone();
                if remembered(&open) {
                    trial.set(name, text);
                }
                let matched = matches(rest, &got[end..], &mut trial);
                if matched {
                    *found = trial;
                }
                matched
            })
        }
    }
}

/// Tokens must be the same each time that they are met; where a data connection goes changes with each.
fn remembered(open: &Open) -> bool {
    matches!(open, Open::Token | Open::Unique)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_admits_its_kind_alone() {
        let mut bindings = Bindings::default();
        for (template, got, expected) in [
            ("200 ok", "200 ok", true),
            ("200 ok", "200 okay", false),
            ("<any> bytes", "12 bytes", true),
            ("<n> bytes", "x bytes", false),
            ("at <time>;", "at 20300101000000;", true),
            ("at <time>;", "at 2030;", false),
            ("<x*3>y", "xxxy", true),
            ("(<pasv>).", "(127,0,0,1,4,210).", true),
            ("(<pasv>).", "(127,0,0,1,4,256).", false),
            ("<SP> <path>", "<SP> <path>", true),
        ] {
            assert_eq!(bindings.matches(template.as_bytes(), got.as_bytes()), expected, "{template} {got}");
        }
    }

    #[test]
    fn a_token_is_the_same_each_time() {
        let mut bindings = Bindings::default();
        let token = "0123456789abcdef0123456789abcdef";
        assert!(bindings.matches(b"213 <token>", format!("213 {token}").as_bytes()));
        assert!(!bindings.matches(b"213 <token>", format!("213 {}", "0".repeat(32)).as_bytes()));
        assert_eq!(bindings.fill(b"SITE CLAIM a <token>"), Ok(format!("SITE CLAIM a {token}").into_bytes()));
        assert!(bindings.fill(b"<token2>").is_err());
    }

    #[test]
    fn what_differs_from_run_to_run_is_left_open() {
        for (line, template) in [
            ("227 Entering Passive Mode (127,0,0,1,4,210).", "227 Entering Passive Mode (<pasv>)."),
            ("229 Entering Extended Passive Mode (|||4000|)", "229 Entering Extended Passive Mode (|||<epsv>|)"),
            ("213 0123456789abcdef0123456789abcdef", "213 <token>"),
            ("213 5", "213 5"),
        ] {
            assert_eq!(generalise(line), template);
        }
        for (line, template) in [
            ("-rw-r--r-- 1 ftp ftp 5 Jan 01 00:00 May \\r\\n", "-rw-r--r-- 1 ftp ftp 5 <date> May \\r\\n"),
            ("type=file;modify=20300101000000;unique=7; a=b", "type=file;modify=<time>;unique=<any>; a=b"),
        ] {
            assert_eq!(generalise_data(line), template);
        }
    }
}
